"""Aggregations over a query: count, sum and average."""

import math
from collections.abc import Sequence

from infra.local.firestore.embedded import fieldpaths, values
from infra.local.firestore.embedded.errors import InvalidArgument
from infra.local.firestore.embedded.fieldpaths import FieldPath
from infra.local.firestore.embedded.messages import Aggregation, Document, Value

_INT64_MAX = 2**63 - 1
_INT64_MIN = -(2**63)
_MAX_AGGREGATIONS = 5


def aggregated_fields(aggregations: Sequence[Aggregation]) -> frozenset[FieldPath]:
    """The fields that are summed or averaged. Firestore counts only documents that have all of them."""
    return frozenset(
        fieldpaths.parse(getattr(aggregation, kind).field.field_path)
        for aggregation in aggregations
        if (kind := aggregation.WhichOneof("operator")) in {"sum", "avg"}
    )


def aggregate(aggregations: Sequence[Aggregation], documents: Sequence[Document]) -> dict[str, Value]:
    """The result of each aggregation by its alias (``field_1``, … where it has none)."""
    if not 0 < len(aggregations) <= _MAX_AGGREGATIONS:
        raise InvalidArgument(f"an aggregation query needs 1 to {_MAX_AGGREGATIONS} aggregations")
    results: dict[str, Value] = {}
    for position, aggregation in enumerate(aggregations, start=1):
        alias = aggregation.alias or f"field_{position}"
        if alias in results:
            raise InvalidArgument(f'two aggregations have the alias "{alias}"')
        results[alias] = _result(aggregation, documents)
    return results


def _result(aggregation: Aggregation, documents: Sequence[Document]) -> Value:
    match aggregation.WhichOneof("operator"):
        case "count":
            counted = len(documents)
            if aggregation.count.HasField("up_to"):
                if aggregation.count.up_to.value <= 0:
                    raise InvalidArgument("up_to must be positive")
                counted = min(counted, aggregation.count.up_to.value)
            return Value(integer_value=counted)
        case "sum":
            return _sum(_numbers(documents, fieldpaths.parse(aggregation.sum.field.field_path)))
        case "avg":
            return _average(_numbers(documents, fieldpaths.parse(aggregation.avg.field.field_path)))
        case _:
            raise InvalidArgument("an aggregation has no operator")


def _numbers(documents: Sequence[Document], path: FieldPath) -> list[int | float]:
    found = (fieldpaths.lookup(document, path) for document in documents)
    return [values.number(value) for value in found if value is not None and values.is_number(value)]


def _sum(numbers: Sequence[int | float]) -> Value:
    """An integer while every number is one and the sum fits 64 bits, else a double."""
    total = _total(numbers)
    if isinstance(total, int) and _INT64_MIN <= total <= _INT64_MAX:
        return Value(integer_value=total)
    return Value(double_value=float(total))


def _average(numbers: Sequence[int | float]) -> Value:
    if not numbers:
        return Value(null_value=0)
    return Value(double_value=float(_total(numbers)) / len(numbers))


def _total(numbers: Sequence[int | float]) -> int | float:
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers)
    if all(map(math.isfinite, numbers)):
        return math.fsum(numbers)
    return sum(map(float, numbers))  # fsum refuses to add infinities of both signs
