"""Field transforms: increment, maximum, minimum, server time, array union and removal.

The rules for mixed integers and doubles, NaN, overflow and fields of another type are those of
``google.firestore.v1.DocumentTransform.FieldTransform``.
"""

import math
from collections.abc import Sequence

from infra.local.firestore.embedded import fieldpaths, values
from infra.local.firestore.embedded.clock import timestamp
from infra.local.firestore.embedded.errors import InvalidArgument
from infra.local.firestore.embedded.fieldpaths import FieldPath
from infra.local.firestore.embedded.messages import Document, FieldTransform, Value

_INT64_MAX = 2**63 - 1
_INT64_MIN = -(2**63)
_REQUEST_TIME = 1


def apply(document: Document, given: Sequence[FieldTransform], *, request_time: int) -> list[Value]:
    """Changes fields in place, in order, and returns each transform's result (null for the array transforms).

    ``request_time`` is in microseconds; a server timestamp is stored with millisecond precision, as Firestore does.
    """
    paths = [fieldpaths.parse(transform.field_path) for transform in given]
    for path in paths:
        if any(path != other and other[: len(path)] == path for other in paths):
            raise InvalidArgument("a field and a field inside it cannot be transformed at the same time")
    return [_apply_one(document, path, transform, request_time) for path, transform in zip(paths, given, strict=True)]


def _apply_one(document: Document, path: FieldPath, transform: FieldTransform, request_time: int) -> Value:
    present = fieldpaths.lookup(document, path)
    kind = transform.WhichOneof("transform_type")
    result: Value
    match kind:
        case "set_to_server_value":
            if transform.set_to_server_value != _REQUEST_TIME:
                raise InvalidArgument("the server value is not REQUEST_TIME")
            stored = result = Value(timestamp_value=timestamp(request_time - request_time % 1000))
        case "increment":
            stored = result = _increment(present, _operand(transform.increment))
        case "maximum":
            stored = result = _extreme(present, _operand(transform.maximum), sign=1)
        case "minimum":
            stored = result = _extreme(present, _operand(transform.minimum), sign=-1)
        case "append_missing_elements":
            stored, result = _union(present, list(transform.append_missing_elements.values)), Value(null_value=0)
        case "remove_all_from_array":
            stored, result = _difference(present, list(transform.remove_all_from_array.values)), Value(null_value=0)
        case _:
            raise InvalidArgument("a field transform names no transform")
    fieldpaths.assign(document, path, stored)
    return result


def _operand(value: Value) -> Value:
    if not values.is_number(value):
        raise InvalidArgument("the operand of a transform must be an integer or a double")
    return value


def _increment(present: Value | None, operand: Value) -> Value:
    if present is None or not values.is_number(present):
        return operand
    if present.HasField("integer_value") and operand.HasField("integer_value"):
        total = present.integer_value + operand.integer_value
        return Value(integer_value=min(max(total, _INT64_MIN), _INT64_MAX))
    return Value(double_value=float(values.number(present)) + float(values.number(operand)))


def _extreme(present: Value | None, operand: Value, *, sign: int) -> Value:
    """The larger (sign 1) or smaller (sign -1) value; a tie keeps the stored one, NaN wins over every number."""
    if present is None or not values.is_number(present):
        return operand
    stored, given = values.number(present), values.number(operand)
    if math.isnan(stored) or math.isnan(given):
        return Value(double_value=math.nan)
    return operand if sign * given > sign * stored else Value(**_number_field(present))


def _number_field(value: Value) -> dict[str, int | float]:
    kind: str = value.WhichOneof("value_type")
    return {kind: getattr(value, kind)}


def _elements(present: Value | None) -> list[Value]:
    return [] if present is None else list(present.array_value.values)


def _union(present: Value | None, added: list[Value]) -> Value:
    result = Value()
    result.array_value.SetInParent()
    result.array_value.values.extend(_elements(present))
    known = {values.order_key(element) for element in result.array_value.values}
    for element in added:
        key = values.order_key(element)
        if key not in known:
            known.add(key)
            result.array_value.values.append(element)
    return result


def _difference(present: Value | None, removed: list[Value]) -> Value:
    unwanted = {values.order_key(element) for element in removed}
    result = Value()
    result.array_value.SetInParent()
    result.array_value.values.extend(
        element for element in _elements(present) if values.order_key(element) not in unwanted
    )
    return result
