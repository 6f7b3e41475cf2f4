"""Field paths such as ``client.name`` or ``seats.`2027-03-01` ``, and the values they lead to."""

import re
from collections.abc import Iterable, Sequence

from infra.local.firestore.embedded.errors import InvalidArgument
from infra.local.firestore.embedded.messages import Document, Value

FieldPath = tuple[str, ...]
NAME: FieldPath = ("__name__",)

_SEGMENT = re.compile(r"([a-zA-Z_][a-zA-Z_0-9]*)|`((?:[^`\\]|\\.)+)`", re.DOTALL)


def parse(text: str) -> FieldPath:
    """The segments of a path, unquoted. Raises InvalidArgument where Firestore would."""
    segments: list[str] = []
    position = 0
    while True:
        match = _SEGMENT.match(text, position)
        if match is None:
            raise InvalidArgument(f'invalid property path "{text}"')
        plain, quoted = match.groups()
        segments.append(plain if plain is not None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        position = match.end()
        if position == len(text):
            return tuple(segments)
        if text[position] != ".":
            raise InvalidArgument(f'invalid property path "{text}"')
        position += 1


def lookup(document: Document, path: FieldPath) -> Value | None:
    """The value at a path, or None where there is none. ``__name__`` is the document's own name."""
    if path == NAME:
        return Value(reference_value=document.name)
    fields = document.fields
    for segment in path[:-1]:
        if segment not in fields:
            return None
        fields = fields[segment].map_value.fields
    value: Value | None = fields.get(path[-1])
    return value


def assign(document: Document, path: FieldPath, value: Value) -> None:
    """Stores a value at a path; whatever stands in the way and is not a map is replaced by one."""
    fields = document.fields
    for segment in path[:-1]:
        between = fields[segment]
        if not between.HasField("map_value"):
            between.map_value.SetInParent()
        fields = between.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(document: Document, path: FieldPath) -> None:
    """Removes what is at a path, if anything is."""
    fields = document.fields
    for segment in path[:-1]:
        if segment not in fields:
            return
        fields = fields[segment].map_value.fields
    if path[-1] in fields:
        del fields[path[-1]]


def masked(document: Document, paths: Sequence[FieldPath]) -> Document:
    """A copy with only the fields at ``paths``; name and times stay."""
    copy = Document(name=document.name, create_time=document.create_time, update_time=document.update_time)
    for path in _without_nested(paths):
        value = None if path == NAME else lookup(document, path)
        if value is not None:
            assign(copy, path, value)
    return copy


def _without_nested(paths: Iterable[FieldPath]) -> list[FieldPath]:
    """``a.b`` adds nothing to ``a`` and must not be assigned into the very message that was copied from it."""
    kept: list[FieldPath] = []
    for path in sorted(set(paths)):
        if not kept or path[: len(kept[-1])] != kept[-1]:
            kept.append(path)
    return kept
