"""Values: their order across types, when two are equal, how large they are, and what may be stored.

Order and sizes: https://firebase.google.com/docs/firestore/manage-data/data-types and …/storage-size.
"""

import math
import re
from typing import Any

from infra.local.firestore.embedded import names
from infra.local.firestore.embedded.errors import InvalidArgument, Unimplemented
from infra.local.firestore.embedded.messages import Document, Value

MAX_DOCUMENT_BYTES = 1_048_576
_MAX_PROPERTY_BYTES = 1_048_487  # of one string or bytes value; measured on the official emulator 1.19.9
_MAX_FIELD_NAME_BYTES = 1500
_MAX_DEPTH = 20
_RESERVED = re.compile(r"__.*__", re.DOTALL)
_DOCUMENT_OVERHEAD = 32
_NAME_OVERHEAD = 16

OrderKey = tuple[Any, ...]
"""Sorts as Firestore sorts values: a rank of the type, then what is compared within the type."""

_RANKS = {
    "null_value": 0,
    "boolean_value": 1,
    "integer_value": 2,
    "double_value": 2,
    "timestamp_value": 3,
    "string_value": 4,
    "bytes_value": 5,
    "reference_value": 6,
    "geo_point_value": 7,
    "array_value": 8,
    "map_value": 9,
}
NULL_RANK = _RANKS["null_value"]


def order_key(value: Value) -> OrderKey:
    """The place of a value in Firestore's order. Equal keys are equal values: 1 equals 1.0, NaN equals NaN."""
    kind = kind_of(value)
    rank = _RANKS[kind]
    content = getattr(value, kind)
    match kind:
        case "null_value":
            return (rank,)
        case "double_value" if math.isnan(content):
            return (rank, 0, 0)
        case "integer_value" | "double_value":
            return (rank, 1, content)
        case "timestamp_value":
            return (rank, content.seconds, content.nanos)
        case "reference_value":
            return (rank, names.reference_order(content))
        case "geo_point_value":
            return (rank, content.latitude, content.longitude)
        case "array_value":
            return (rank, tuple(order_key(element) for element in content.values))
        case "map_value":
            return (rank, tuple((name, order_key(content.fields[name])) for name in sorted(content.fields)))
        case _:
            return (rank, content)


def kind_of(value: Value) -> str:
    """The name of the set member of the value's oneof; raises InvalidArgument when none is set."""
    kind: str | None = value.WhichOneof("value_type")
    if kind is None:
        raise InvalidArgument("a value has no type")
    if kind not in _RANKS:
        raise Unimplemented(f"values of the type {kind}")
    return kind


def is_nan(value: Value) -> bool:
    return bool(value.WhichOneof("value_type") == "double_value" and math.isnan(value.double_value))


def is_null(value: Value) -> bool:
    return bool(value.WhichOneof("value_type") == "null_value")


def is_number(value: Value) -> bool:
    return value.WhichOneof("value_type") in {"integer_value", "double_value"}


def number(value: Value) -> int | float:
    result: int | float = getattr(value, value.WhichOneof("value_type"))
    return result


def same_content(one: Document, other: Document) -> bool:
    """Whether writing ``other`` over ``one`` changes nothing: types and the sign of zero count, times do not."""
    return _content(one) == _content(other)


def _content(document: Document) -> bytes:
    bare = Document()
    bare.CopyFrom(document)
    bare.ClearField("create_time")
    bare.ClearField("update_time")
    serialized: bytes = bare.SerializeToString(deterministic=True)
    return serialized


def normalise(document: Document) -> None:
    """Checks the fields of a document to be stored and cuts its timestamps to microseconds, as Firestore does.

    Raises InvalidArgument for reserved or overlong field names, arrays directly in arrays, too deep nesting and
    overlong strings; Unimplemented for vectors.
    """
    for name in document.fields:
        _check_field_name(name)
        _normalise_value(document.fields[name], depth=0)


def check_size(document: Document) -> None:
    """Raises InvalidArgument when a document is larger than 1 MiB by Firestore's own reckoning."""
    path = names.parse_document(document.name)
    size = _NAME_OVERHEAD + sum(_text_size(segment) for segment in path.segments) + _DOCUMENT_OVERHEAD
    size += _fields_size(document.fields)
    if size > MAX_DOCUMENT_BYTES:
        raise InvalidArgument(f"the document has {size} bytes; the maximum is {MAX_DOCUMENT_BYTES} bytes")


def _normalise_value(value: Value, *, depth: int) -> None:
    kind = kind_of(value)
    if kind in {"array_value", "map_value"}:
        depth += 1
        if depth > _MAX_DEPTH:
            raise InvalidArgument(f"maps and arrays are nested deeper than {_MAX_DEPTH}")
    if kind == "timestamp_value":
        value.timestamp_value.nanos -= value.timestamp_value.nanos % 1000
    elif kind in {"string_value", "bytes_value"}:
        if _longer_than_allowed(getattr(value, kind)):
            raise InvalidArgument(f"a value is longer than {_MAX_PROPERTY_BYTES} bytes")
    elif kind == "array_value":
        for element in value.array_value.values:
            if element.HasField("array_value"):
                raise InvalidArgument("an array cannot hold an array")
            _normalise_value(element, depth=depth)
    elif kind == "map_value":
        fields = value.map_value.fields
        if "__type__" in fields and fields["__type__"].string_value == "__vector__":
            raise Unimplemented("vector values")
        for name in fields:
            _check_field_name(name)
            _normalise_value(fields[name], depth=depth)


def _longer_than_allowed(content: str | bytes) -> bool:
    if isinstance(content, bytes):
        return len(content) > _MAX_PROPERTY_BYTES
    # A character has at most four bytes: only long strings are worth encoding.
    return len(content) * 4 > _MAX_PROPERTY_BYTES and len(content.encode()) > _MAX_PROPERTY_BYTES


def _check_field_name(name: str) -> None:
    if not name:
        raise InvalidArgument("a field name is empty")
    if _RESERVED.fullmatch(name):
        raise InvalidArgument(f'field name "{name}" is reserved')
    if len(name.encode()) > _MAX_FIELD_NAME_BYTES:
        raise InvalidArgument(f"a field name is longer than {_MAX_FIELD_NAME_BYTES} bytes")


def _text_size(text: str) -> int:
    return len(text.encode()) + 1


def _fields_size(fields: Any) -> int:
    return sum(_text_size(name) + _value_size(fields[name]) for name in fields)


def _value_size(value: Value) -> int:
    kind = kind_of(value)
    match kind:
        case "null_value" | "boolean_value":
            return 1
        case "integer_value" | "double_value" | "timestamp_value":
            return 8
        case "geo_point_value":
            return 16
        case "string_value":
            return _text_size(value.string_value)
        case "bytes_value":
            return len(value.bytes_value)
        case "reference_value":
            segments = value.reference_value.split("/")[5:]
            return _NAME_OVERHEAD + sum(_text_size(segment) for segment in segments)
        case "array_value":
            return sum(_value_size(element) for element in value.array_value.values)
        case _:
            return _fields_size(value.map_value.fields)
