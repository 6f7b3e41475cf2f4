"""Addresses: databases, documents and collections, and the byte keys they are stored and sorted under.

Firestore sorts document names segment by segment, each segment by its UTF-8 bytes. A key encodes that: segments end
with ``00 01``, and a zero byte inside a segment is written ``00 FF``, so that comparing keys compares names and the
keys below a document are exactly those that start with its own.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from infra.local.firestore.embedded.errors import InvalidArgument

_MAX_ID_BYTES = 1500  # https://firebase.google.com/docs/firestore/quotas
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_SEGMENT_END = b"\x00\x01"
_AFTER_ALL_SEGMENTS = b"\xff"  # no UTF-8 byte reaches it


@dataclass(frozen=True)
class Path:
    """A document, a collection, or the root of a database when there are no segments."""

    database: str
    segments: tuple[str, ...]

    @cached_property
    def key(self) -> bytes:
        return encode_key(self.segments)

    @property
    def name(self) -> str:
        return "/".join((self.database, "documents", *self.segments))

    @property
    def collection(self) -> str:
        return self.segments[-2]

    @property
    def parent_key(self) -> bytes:
        return encode_key(self.segments[:-2])

    def below(self, *segments: str) -> "Path":
        return Path(self.database, (*self.segments, *segments))


def encode_key(segments: tuple[str, ...]) -> bytes:
    return b"".join(segment.encode().replace(b"\x00", b"\x00\xff") + _SEGMENT_END for segment in segments)


def decode_key(key: bytes) -> tuple[str, ...]:
    return tuple(part.replace(b"\x00\xff", b"\x00").decode() for part in key.split(_SEGMENT_END)[:-1])


def end_of_prefix(key: bytes) -> bytes:
    """The first key that is neither ``key`` nor below it."""
    return key + _AFTER_ALL_SEGMENTS


def parse_database(name: str) -> str:
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "databases" or not parts[1] or not parts[3]:
        raise InvalidArgument(f'"{name}" is not the name of a database')
    return name


def parse_document(name: str) -> Path:
    """The path of a document; raises InvalidArgument for anything else and for ids Firestore refuses."""
    path = _parse(name)
    if not path.segments or len(path.segments) % 2:
        raise InvalidArgument(f'"{name}" is not the name of a document')
    return path


def parse_parent(name: str) -> Path:
    """The path of a document or of a database's root."""
    path = _parse(name)
    if len(path.segments) % 2:
        raise InvalidArgument(f'"{name}" is neither a document nor the root of a database')
    return path


def check_id(identifier: str) -> str:
    """Returns a document or collection id that Firestore accepts, else raises InvalidArgument."""
    if not identifier or identifier in {".", ".."} or "/" in identifier:
        raise InvalidArgument(f'"{identifier}" is not a valid id')
    if _RESERVED.fullmatch(identifier):
        raise InvalidArgument(f'id "{identifier}" is invalid because it is reserved')
    if len(identifier.encode()) > _MAX_ID_BYTES:
        raise InvalidArgument(f"an id is longer than {_MAX_ID_BYTES} bytes")
    return identifier


def reference_order(name: str) -> tuple[str, ...]:
    """The sort order of a document's name, or of a reference stored as a value."""
    return tuple(name.split("/"))


def _parse(name: str) -> Path:
    parts = name.split("/")
    if len(parts) < 5 or parts[4] != "documents":
        raise InvalidArgument(f'"{name}" is not a name below projects/…/databases/…/documents')
    database = parse_database("/".join(parts[:4]))
    return Path(database, tuple(check_id(part) for part in parts[5:]))
