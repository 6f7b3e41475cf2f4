"""Queries, cursors and aggregations, held against the official emulator and the embedded stand-in alike."""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument
from google.cloud import firestore
from google.cloud.firestore_v1 import And, FieldFilter, GeoPoint, Or
from google.cloud.firestore_v1.base_query import BaseCompositeFilter, BaseFilter
from google.cloud.firestore_v1.query import Query

from tests.platform.local_firestore import LocalFirestore

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

NAN = math.nan
Shape = Callable[[Query], Query]

# Document ids with the value of their field v, in Firestore's order of values. Ties are ordered by id.
IN_ORDER: dict[str, Any] = {
    "null": None,
    "false": False,
    "true": True,
    "nan": NAN,
    "-inf": -math.inf,
    "-1": -1,
    "a zero": 0,
    "b minus zero": -0.0,
    "1": 1,
    "1.0": 1.0,
    "2.5": 2.5,
    "2**53 as a double": float(2**53),
    "2**53 + 1": 2**53 + 1,
    "inf": math.inf,
    "new year": datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC),
    "no text": "",
    "text a": "a",
    "text é": "é",
    "text of the private area": "\uff5e",
    "text beyond 16 bits": "😀",
    "byte 0": b"\x00",
    "byte 255": b"\xff",
    "place south": GeoPoint(-1, 5),
    "place north": GeoPoint(1, 2),
    "empty array": [],
    "array 1": [1],
    "array 1, 2": [1, 2],
    "array a": ["a"],
    "empty map": {},
    "map a1": {"a": 1},
    "map a1 b2": {"a": 1, "b": 2},
    "map a2": {"a": 2},
    "map b0": {"b": 0},
}
ALL = list(IN_ORDER)
NUMBERS = ALL[ALL.index("-inf") : ALL.index("inf") + 1]


@pytest.fixture(scope="module")
def read_only(local_firestore: LocalFirestore) -> Iterator[firestore.Client]:
    """A project that many tests read and none changes."""
    client = local_firestore.client(f"test-{uuid.uuid4().hex[:12]}")
    yield client
    client.close()


@pytest.fixture(scope="module")
def zoo(read_only: firestore.Client) -> Query:
    """One document of each kind of value in field v, and one without the field."""
    collection = read_only.collection("zoo")
    batch = read_only.batch()
    for name, value in IN_ORDER.items():
        batch.set(collection.document(name), {"v": value, "name": name})
    batch.set(collection.document("nothing"), {"name": "nothing"})
    batch.commit()
    return collection


def ids(query: Query) -> list[str]:
    return [snapshot.id for snapshot in query.stream()]


def where(*conditions: tuple[str, str, Any]) -> Shape:
    return lambda query: query.where(filter=And([FieldFilter(*condition) for condition in conditions]))


def without(*names: str) -> list[str]:
    return [name for name in ALL if name not in names]


def test_values_of_all_types_are_in_one_order(zoo: Query) -> None:
    assert ids(zoo.order_by("v")) == ALL
    assert ids(zoo.order_by("v", direction=Query.DESCENDING)) == ALL[::-1]


def test_references_are_ordered_by_their_segments(db: firestore.Client) -> None:
    for number, path in enumerate(["a-/b", "a/b/c/d", "a/b"]):
        db.document(f"links/{number}").set({"to": db.document(path)})
    assert ids(db.collection("links").order_by("to")) == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("operator", "operand", "expected"),
    [
        ("==", None, ["null"]),
        ("==", NAN, ["nan"]),
        ("==", 1, ["1", "1.0"]),
        ("==", 0, ["a zero", "b minus zero"]),
        ("==", [1, 2], ["array 1, 2"]),
        ("==", {"a": 1}, ["map a1"]),
        ("!=", 1, without("null", "1", "1.0")),
        ("!=", None, without("null")),
        ("!=", NAN, without("null", "nan")),
        ("<", 1, NUMBERS[: NUMBERS.index("1")]),
        ("<=", 1, NUMBERS[: NUMBERS.index("2.5")]),
        (">", 1, NUMBERS[NUMBERS.index("2.5") :]),
        (">=", "a", ["text a", "text é", "text of the private area", "text beyond 16 bits"]),
        (">", False, ["true"]),
        ("<", [1, 2], ["empty array", "array 1"]),
        (">=", {"a": 1, "b": 2}, ["map a1 b2", "map a2", "map b0"]),
        ("<", b"\xff", ["byte 0"]),
        ("in", [1, "a", None, NAN], ["1", "1.0", "text a"]),
        ("in", [[1], {}], ["array 1", "empty map"]),
        ("not-in", [1, "a"], without("null", "1", "1.0", "text a")),
        ("not-in", [1, None], []),
        ("array_contains", 1, ["array 1", "array 1, 2"]),
        ("array_contains_any", [2, "a"], ["array 1, 2", "array a"]),
    ],
    ids=repr,
)
def test_a_filter(zoo: Query, operator: str, operand: Any, expected: list[str]) -> None:
    # Equalities answer in the order of ids, inequalities in the order of the field.
    found = ids(zoo.where(filter=FieldFilter("v", operator, operand)))
    assert found == (expected if operator in {"<", "<=", ">", ">=", "!=", "not-in"} else sorted(expected))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (And([FieldFilter("v", ">", 1), FieldFilter("v", "<", 3)]), ["2.5"]),
        (And([FieldFilter("v", ">", 1), FieldFilter("name", ">", "3")]), ["inf"]),
        (Or([FieldFilter("v", "==", "a"), FieldFilter("name", "==", "nothing")]), ["nothing", "text a"]),
        (Or([FieldFilter("v", ">", 1e300), FieldFilter("name", "==", "nothing")]), ["inf"]),
        (
            And([Or([FieldFilter("name", "==", "1"), FieldFilter("name", "==", "null")]), FieldFilter("v", "==", 1)]),
            ["1"],
        ),
    ],
    ids=[
        "a range",
        "inequalities on two fields",
        "either",
        "either, but what is ordered by must be there",
        "either, and",
    ],
)
def test_a_combination_of_filters(zoo: Query, condition: BaseCompositeFilter, expected: list[str]) -> None:
    assert ids(zoo.where(filter=condition)) == expected


@pytest.mark.parametrize(
    "condition",
    [
        FieldFilter("v", "in", []),
        FieldFilter("v", "in", list(range(31))),
        FieldFilter("v", "not-in", list(range(11))),
        FieldFilter("v", "array_contains_any", list(range(31))),
        FieldFilter("__name__", "==", "not a reference"),
        And([FieldFilter("v", "in", list(range(8))), FieldFilter("name", "in", list("abcd"))]),
        And([FieldFilter("v", "!=", 1), FieldFilter("name", "!=", "a")]),
        And([FieldFilter("v", "not-in", [1]), FieldFilter("name", "in", ["a"])]),
        And([FieldFilter("v", "array_contains", 1), FieldFilter("v", "array_contains", 2)]),
    ],
    ids=[
        "nothing listed",
        "31 listed",
        "11 excluded",
        "31 contained",
        "a name that is no reference",
        "32 disjunctions",
        "two inequalities of the kind !=",
        "not-in with in",
        "two of array_contains",
    ],
)
def test_filters_that_firestore_refuses(zoo: Query, condition: BaseFilter) -> None:
    with pytest.raises(InvalidArgument):
        ids(zoo.where(filter=condition))


def test_names_can_be_compared(zoo: Query) -> None:
    def named(operator: str, operand: Any) -> list[str]:
        return ids(zoo.where(filter=FieldFilter("__name__", operator, operand)))

    assert named("==", zoo.document("nan")) == ["nan"]
    assert named(">", zoo.document("text a")) == ["text beyond 16 bits", "text of the private area", "text é", "true"]
    assert named("in", [zoo.document("true"), zoo.document("nan"), zoo.document("nobody")]) == ["nan", "true"]


@pytest.fixture(scope="module")
def bookings(read_only: firestore.Client) -> Query:
    """Twelve bookings: day 0 to 3, seats 1 to 3; ids in the order of writing."""
    collection = read_only.collection("bookings")
    batch = read_only.batch()
    for number in range(12):
        fields = {"number": number, "day": number % 4, "seats": number // 4 + 1, "who": {"name": f"client {number}"}}
        batch.set(collection.document(f"b{number:02}"), fields)
    batch.commit()
    return collection


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (lambda q: q.order_by("day").order_by("seats", direction="DESCENDING"), "8 4 0 9 5 1 10 6 2 11 7 3"),
        (lambda q: q.order_by("day", direction="DESCENDING").order_by("seats"), "3 7 11 2 6 10 1 5 9 0 4 8"),
        (lambda q: q.order_by("day"), "0 4 8 1 5 9 2 6 10 3 7 11"),
        (lambda q: q.order_by("day", direction="DESCENDING"), "11 7 3 10 6 2 9 5 1 8 4 0"),
        (lambda q: q.order_by("who.name").limit(3), "0 1 10"),
        (lambda q: where(("day", "==", 2))(q).order_by("seats", direction="DESCENDING"), "10 6 2"),
        (lambda q: where(("seats", ">=", 2))(q).order_by("day").limit(4), "4 8 5 9"),
        (lambda q: where(("seats", ">=", 2), ("day", "in", [0, 3]))(q), "4 7 8 11"),
        (lambda q: q.limit(2), "0 1"),
        (lambda q: q.limit(0), ""),
        (lambda q: q.offset(10), "10 11"),
        (lambda q: q.order_by("day").offset(2).limit(2), "8 1"),
        (lambda q: q.order_by("nowhere"), ""),
        (lambda q: q.order_by("day").start_at({"day": 3}), "3 7 11"),
        (lambda q: q.order_by("day").start_after({"day": 2}), "3 7 11"),
        (lambda q: q.order_by("day").end_at({"day": 0}), "0 4 8"),
        (lambda q: q.order_by("day").end_before({"day": 1}), "0 4 8"),
        (lambda q: q.order_by("day").start_at({"day": 1}).end_before({"day": 2}), "1 5 9"),
        (lambda q: q.order_by("day", direction="DESCENDING").start_after({"day": 1}), "8 4 0"),
        (lambda q: q.order_by("day").order_by("seats").start_after({"day": 1, "seats": 2}).limit(2), "9 2"),
        (lambda q: q.start_at(q.document("b10").get()), "10 11"),
    ],
    ids=range(21),
)
def test_order_limits_and_cursors(bookings: Query, shape: Shape, expected: str) -> None:
    found = ids(shape(bookings))
    assert found == [f"b{int(number):02}" for number in expected.split()]


def test_the_last_ones_in_order(bookings: Query) -> None:
    assert [snapshot.id for snapshot in bookings.order_by("number").limit_to_last(2).get()] == ["b10", "b11"]


@pytest.mark.parametrize(
    "shape",
    [
        lambda q: q.order_by("day"),
        lambda q: q.order_by("day", direction="DESCENDING").order_by("number"),
        lambda q: q.where(filter=FieldFilter("seats", ">", 0)),
        lambda q: q,
    ],
    ids=["by day", "by day down and number up", "by what is compared", "by name"],
)
def test_pages_by_cursor_give_everything_once_and_in_order(bookings: Query, shape: Shape) -> None:
    paged: list[str] = []
    page = list(shape(bookings).limit(5).stream())
    while page:
        paged += [snapshot.id for snapshot in page]
        page = list(shape(bookings).start_after(page[-1]).limit(5).stream())
    assert paged == ids(shape(bookings))
    assert len(set(paged)) == 12


def test_a_projection_picks_fields(bookings: Query) -> None:
    picked = [snapshot.to_dict() for snapshot in bookings.select(["day", "who.name"]).limit(1).stream()]
    assert picked == [{"day": 0, "who": {"name": "client 0"}}]
    assert [snapshot.to_dict() for snapshot in bookings.select([]).limit(1).stream()] == [{}]


@pytest.mark.parametrize(
    "shape",
    [
        lambda q: q.limit(-1),
        lambda q: q.order_by("day").order_by("day"),
        lambda q: q.order_by("__name__").order_by("day"),
    ],
    ids=["a negative limit", "a field twice", "a field after the name"],
)
def test_queries_that_firestore_refuses(bookings: Query, shape: Shape) -> None:
    with pytest.raises(InvalidArgument):
        ids(shape(bookings))


def test_names_alone_cannot_be_read_backwards(bookings: Query) -> None:
    with pytest.raises(FailedPrecondition):
        ids(bookings.order_by("__name__", direction="DESCENDING"))


def test_a_collection_group_takes_every_collection_of_that_name(db: firestore.Client) -> None:
    for number, path in enumerate(["x/1/events/a", "x/1/events/a/events/b", "x/2/events/c", "events/d", "x/2/other/e"]):
        db.document(path).set({"number": number})
    group = db.collection_group("events")
    assert [s.reference.path for s in group.stream()] == [
        "events/d",
        "x/1/events/a",
        "x/1/events/a/events/b",
        "x/2/events/c",
    ]
    assert ids(group.where(filter=FieldFilter("number", ">=", 1)).order_by("number")) == ["b", "c", "d"]
    assert ids(db.document("x/1").collection("events")) == ["a"]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (lambda q: q, {"n": 12, "sum": 24, "average": 2.0}),
        (where(("day", "==", 1)), {"n": 3, "sum": 6, "average": 2.0}),
        (where(("seats", ">", 1), ("day", "==", 1)), {"n": 2, "sum": 5, "average": 2.5}),
        (lambda q: q.order_by("number").limit(5), {"n": 5, "sum": 6, "average": 1.2}),
    ],
    ids=["all", "an equality", "an inequality", "a limit"],
)
def test_aggregations(bookings: Query, shape: Shape, expected: dict[str, float]) -> None:
    query = shape(bookings).count(alias="n").sum("seats", alias="sum").avg("seats", alias="average")
    assert {result.alias: result.value for result in query.get()[0]} == expected


def test_aggregations_take_numbers_and_only_documents_with_the_field(db: firestore.Client) -> None:
    for name, fields in {"a": {"n": 2}, "b": {"n": 1.5}, "c": {"n": "text"}, "d": {}}.items():
        db.document(f"things/{name}").set(fields)
    things = db.collection("things")
    assert things.count().get()[0][0].value == 4
    assert things.sum("n").get()[0][0].value == 3.5
    both = things.count(alias="count").sum("n", alias="sum").get()[0]
    assert {result.alias: result.value for result in both} == {"count": 3, "sum": 3.5}


def test_a_sum_beyond_64_bits_is_a_double(db: firestore.Client) -> None:
    for name, number in {"a": 2**63 - 1, "b": 5}.items():
        db.document(f"things/{name}").set({"n": number})
    assert db.collection("things").sum("n").get()[0][0].value == float(2**63)


def test_aggregating_nothing(db: firestore.Client) -> None:
    nothing = db.collection("nothing")
    assert nothing.count().get()[0][0].value == 0
    assert nothing.sum("n").get()[0][0].value == 0
