"""The filters of a query: what matches, which fields they compare, and the combinations Firestore refuses.

Rules and limits: https://firebase.google.com/docs/firestore/query-data/queries#query_limitations. What null and NaN
match was measured on the official emulator 1.19.9.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from google.cloud.firestore_v1.types import StructuredQuery

from infra.local.firestore.embedded import fieldpaths, values
from infra.local.firestore.embedded.errors import InvalidArgument
from infra.local.firestore.embedded.fieldpaths import NAME, FieldPath
from infra.local.firestore.embedded.messages import Document, Filter, Value
from infra.local.firestore.embedded.values import OrderKey

_FieldOperator = StructuredQuery.FieldFilter.Operator
_UnaryOperator = StructuredQuery.UnaryFilter.Operator
_CompositeOperator = StructuredQuery.CompositeFilter.Operator

_MAX_DISJUNCTIONS = 30
_MAX_LIST = {"IN": 30, "ARRAY_CONTAINS_ANY": 30, "NOT_IN": 10}
_RANGES = {"LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL"}
_NEGATIONS = {"NOT_EQUAL", "NOT_IN", "IS_NOT_NAN", "IS_NOT_NULL"}
_EQUALITIES = {"EQUAL", "IN"}
_ARRAY_FILTERS = {"ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY"}

Test = Callable[[Value], bool]
Predicate = Callable[[Document], bool]


@dataclass(frozen=True, kw_only=True)
class CompiledFilter:
    """A filter ready to run, with what Firestore's limits are counted on.

    Of all ``fields`` in it, ``compared`` are under an inequality, which the query must be ordered by, and ``equated``
    under an equality or IN; ``disjunctions`` and ``array_filters`` are those of the disjunctive normal form.
    """

    matches: Predicate
    fields: frozenset[FieldPath] = frozenset()
    compared: frozenset[FieldPath] = frozenset()
    equated: frozenset[FieldPath] = frozenset()
    operators: tuple[str, ...] = ()
    disjunctions: int = 1
    array_filters: int = 0


def compile_filter(given: Filter) -> CompiledFilter:
    """Compiles the whole filter of a query; raises InvalidArgument where Firestore refuses it."""
    compiled = _compile(given)
    negations = [operator for operator in compiled.operators if operator in _NEGATIONS]
    if len(negations) > 1:
        raise InvalidArgument(f"only a single {', '.join(sorted(_NEGATIONS))} filter is allowed per query")
    if "NOT_IN" in negations and {"IN", "ARRAY_CONTAINS_ANY", "OR"} & set(compiled.operators):
        raise InvalidArgument("NOT_IN cannot be used in the same query with IN, ARRAY_CONTAINS_ANY or OR")
    if compiled.array_filters > 1:
        raise InvalidArgument("a maximum of 1 ARRAY_CONTAINS filter is allowed per disjunction")
    if compiled.disjunctions > _MAX_DISJUNCTIONS:
        raise InvalidArgument(
            f"the query has {compiled.disjunctions} disjunctions after normalisation; the maximum is {_MAX_DISJUNCTIONS}"
        )
    if NAME in compiled.equated and compiled.compared and NAME not in compiled.compared:
        raise InvalidArgument("an equality on __name__ cannot be combined with inequalities on other fields only")
    return compiled


def _compile(given: Filter) -> CompiledFilter:
    match given.WhichOneof("filter_type"):
        case "composite_filter":
            return _composite(given.composite_filter)
        case "field_filter":
            return _field(given.field_filter)
        case "unary_filter":
            return _unary(given.unary_filter)
        case _:
            raise InvalidArgument("a filter has no type")


def _composite(given: Filter) -> CompiledFilter:
    parts = [_compile(part) for part in given.filters]
    if not parts:
        raise InvalidArgument("a composite filter holds no filter")
    operator = _CompositeOperator(given.op).name
    if operator not in {"AND", "OR"}:
        raise InvalidArgument("a composite filter has no operator")
    tests = [part.matches for part in parts]
    combine, arrays = (all, sum) if operator == "AND" else (any, max)
    counts = [part.disjunctions for part in parts]
    return CompiledFilter(
        matches=lambda document: combine(test(document) for test in tests),
        fields=frozenset().union(*(part.fields for part in parts)),
        compared=frozenset().union(*(part.compared for part in parts)),
        equated=frozenset().union(*(part.equated for part in parts)),
        operators=(operator, *(name for part in parts for name in part.operators)),
        disjunctions=math.prod(counts) if operator == "AND" else sum(counts),
        array_filters=arrays(part.array_filters for part in parts),
    )


def _unary(given: Filter) -> CompiledFilter:
    operator = _UnaryOperator(given.op).name
    path = fieldpaths.parse(given.field.field_path)
    tests: dict[str, Test] = {
        "IS_NULL": values.is_null,
        "IS_NAN": values.is_nan,
        "IS_NOT_NULL": lambda value: not values.is_null(value),
        "IS_NOT_NAN": lambda value: not values.is_null(value) and not values.is_nan(value),
    }
    if operator not in tests:
        raise InvalidArgument("a unary filter has no operator")
    return _on_field(path, operator, tests[operator])


def _field(given: Filter) -> CompiledFilter:
    operator = _FieldOperator(given.op).name
    path = fieldpaths.parse(given.field.field_path)
    operand: Value = given.value
    _check_operand(path, operator, operand)
    if _matches_nothing(operator, operand):
        return CompiledFilter(
            matches=lambda document: False,
            fields=frozenset({path}),
            operators=(operator,),
            array_filters=1 if operator in _ARRAY_FILTERS else 0,
        )
    if operator in _RANGES:
        return _on_field(path, operator, _range_test(operator, operand))
    if operator == "EQUAL":
        return _on_field(path, operator, _in_test([operand]))
    if operator == "NOT_EQUAL":
        return _on_field(path, operator, _not_in_test([operand]))
    if operator == "ARRAY_CONTAINS":
        return _on_field(path, operator, _array_test([operand]))
    listed = list(operand.array_value.values)
    if operator == "ARRAY_CONTAINS_ANY":
        return _on_field(path, operator, _array_test(listed), disjunctions=len(listed))
    if operator == "IN":
        return _on_field(path, operator, _in_test(listed), disjunctions=len(listed))
    return _on_field(path, operator, _not_in_test(listed))


def _matches_nothing(operator: str, operand: Value) -> bool:
    """A comparison with null is never true, one with NaN only where it says "not equal"."""
    if operator == "NOT_IN":
        return any(values.is_null(value) for value in operand.array_value.values)
    return values.is_null(operand) or (values.is_nan(operand) and operator != "NOT_EQUAL")


def _on_field(path: FieldPath, operator: str, test: Test, *, disjunctions: int = 1) -> CompiledFilter:
    def matches(document: Document) -> bool:
        value = fieldpaths.lookup(document, path)
        return value is not None and test(value)

    return CompiledFilter(
        matches=matches,
        fields=frozenset({path}),
        compared=frozenset({path}) if operator in _RANGES | _NEGATIONS else frozenset(),
        equated=frozenset({path}) if operator in _EQUALITIES else frozenset(),
        operators=(operator,),
        disjunctions=disjunctions,
        array_filters=1 if operator in _ARRAY_FILTERS else 0,
    )


def _check_operand(path: FieldPath, operator: str, operand: Value) -> None:
    values.kind_of(operand)
    if operator == "OPERATOR_UNSPECIFIED":
        raise InvalidArgument("a field filter has no operator")
    operands = [operand]
    if operator in _MAX_LIST:
        operands = list(operand.array_value.values)
        if not operands:
            raise InvalidArgument(f"{operator} requires a non-empty array")
        if len(operands) > _MAX_LIST[operator]:
            raise InvalidArgument(f"{operator} supports up to {_MAX_LIST[operator]} comparison values")
    if path == NAME and not all(value.HasField("reference_value") for value in operands):
        raise InvalidArgument("__name__ can only be compared with references to documents")


def _range_test(operator: str, operand: Value) -> Test:
    """A range holds values of the operand's own type; null and NaN are in none."""
    bound = values.order_key(operand)

    def test(value: Value) -> bool:
        if values.is_nan(value):
            return False
        key = values.order_key(value)
        if key[0] != bound[0]:
            return False
        match operator:
            case "LESS_THAN":
                return key < bound
            case "LESS_THAN_OR_EQUAL":
                return key <= bound
            case "GREATER_THAN":
                return key > bound
            case _:
                return key >= bound

    return test


def _in_test(listed: list[Value]) -> Test:
    wanted = _equal_keys(listed)
    return lambda value: values.order_key(value) in wanted


def _not_in_test(listed: list[Value]) -> Test:
    unwanted = _equal_keys(listed)
    return lambda value: not values.is_null(value) and values.order_key(value) not in unwanted


def _array_test(listed: list[Value]) -> Test:
    wanted = _equal_keys(listed)
    return lambda value: any(values.order_key(element) in wanted for element in value.array_value.values)


def _equal_keys(listed: list[Value]) -> set[OrderKey]:
    """The keys of values that are equal to one of the list; nothing equals null or NaN."""
    return {values.order_key(value) for value in listed if not values.is_null(value) and not values.is_nan(value)}
