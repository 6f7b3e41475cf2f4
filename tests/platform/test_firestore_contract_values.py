"""Values, field paths and transforms, held against the official emulator and the embedded stand-in alike."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1 import GeoPoint, Increment, Maximum, Minimum
from google.cloud.firestore_v1.transforms import ArrayRemove, ArrayUnion

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

NAN = math.nan
NOON = datetime.datetime(2027, 3, 1, 12, tzinfo=datetime.UTC)
LARGEST = 2**63 - 1
SMALLEST = -(2**63)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        LARGEST,
        SMALLEST,
        1.5,
        -0.0,
        math.inf,
        NAN,
        "",
        "zażółć 😀",
        b"\x00\xff",
        [1, "a", None, {"b": [2]}],
        [],
        {},
        {"a": {"b": {"c": [1]}}},
        {"with.dot": 1, "with`tick": 2, "": 3} | {"ünï": 4},
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_went_in(db: firestore.Client, value: Any) -> None:
    if isinstance(value, dict):
        value = {name: content for name, content in value.items() if name}
    db.document("values/v").set({"value": value})
    assert repr(_ordered(db.document("values/v").get().get("value"))) == repr(_ordered(value))


def test_times_places_and_references_come_back(db: firestore.Client) -> None:
    values = {"at": NOON, "place": GeoPoint(52.5, 13.4), "who": db.document("clients/bella")}
    db.document("values/v").set(values)
    assert db.document("values/v").get().to_dict() == values


def test_times_are_kept_to_the_microsecond(db: firestore.Client) -> None:
    at = NOON.replace(microsecond=123_456)
    db.document("values/v").set({"at": at})
    assert db.document("values/v").get().get("at") == at


@pytest.mark.parametrize(
    ("stored", "changes", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 9}}, {"a": {"x": 9}}),
        ({"a": {"x": 1, "y": 2}}, {"a.x": 9}, {"a": {"x": 9, "y": 2}}),
        ({}, {"a.b.c": 1}, {"a": {"b": {"c": 1}}}),
        ({"a": 3}, {"a.b": 1}, {"a": {"b": 1}}),
        (
            {"a": {"x": 1, "y": 2}, "b": 1},
            {"a.x": firestore.DELETE_FIELD, "b": firestore.DELETE_FIELD},
            {"a": {"y": 2}},
        ),
        ({"a": 3}, {"a.b": firestore.DELETE_FIELD, "c.d": firestore.DELETE_FIELD}, {"a": 3}),
        ({"a": {"2027-03-01": 1, "x": 2}}, {"a.`2027-03-01`": 5}, {"a": {"2027-03-01": 5, "x": 2}}),
        ({"a.b": {"c`d": 1, "e": 2}}, {"`a.b`.`c\\`d`": 5}, {"a.b": {"c`d": 5, "e": 2}}),
        ({"a": {"\\": 1}}, {"a.`\\\\`": firestore.DELETE_FIELD}, {"a": {}}),
    ],
    ids=[
        "a new field",
        "a map is replaced",
        "a nested field keeps its neighbours",
        "maps are made on the way",
        "what stands in the way is replaced",
        "fields are deleted",
        "deleting what is not there changes nothing",
        "a quoted name",
        "a dot and a tick in names",
        "a backslash in a name",
    ],
)
def test_update_by_field_path(
    db: firestore.Client, stored: dict[str, Any], changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    session = db.document("sessions/s")
    session.set(stored)
    session.update(changes)
    assert session.get().to_dict() == expected


def _of_transforms(value: Any) -> str:
    """What a transform does and with what: its own `repr` is another one in every process."""
    operand = getattr(value, "value", getattr(value, "values", None))
    return repr(value) if operand is None else f"{type(value).__name__} {operand}"


@pytest.mark.parametrize(
    ("stored", "transform", "expected"),
    [
        (1, Increment(4), 5),
        (1, Increment(0.5), 1.5),
        (1.5, Increment(1), 2.5),
        ("text", Increment(2), 2),
        (LARGEST, Increment(5), LARGEST),
        (SMALLEST, Increment(-5), SMALLEST),
        (1, Increment(NAN), NAN),
        (3, Maximum(5), 5),
        (3, Maximum(2), 3),
        (3, Maximum(3.0), 3),
        (3.0, Maximum(3), 3.0),
        (0, Maximum(-0.0), 0),
        (3, Maximum(NAN), NAN),
        (None, Maximum(1), 1),
        (3, Minimum(2.5), 2.5),
        (3, Minimum(7), 3),
        (-0.0, Minimum(0), -0.0),
        (NAN, Minimum(1), NAN),
        ("text", Minimum(1), 1),
        ([1, 2], ArrayUnion([2, 3, 3]), [1, 2, 3]),
        ([1], ArrayUnion([1.0, None, None, NAN]), [1, None, NAN]),
        (7, ArrayUnion(["a", "a"]), ["a"]),
        ([1, 2, 1.0, {"a": 1}], ArrayRemove([1, {"a": 1.0}]), [2]),
        (7, ArrayRemove([7]), []),
    ],
    ids=_of_transforms,
)
def test_transforms(db: firestore.Client, stored: Any, transform: Any, expected: Any) -> None:
    session = db.document("sessions/s")
    session.set({"n": stored})
    session.update({"n": transform})
    assert repr(session.get().get("n")) == repr(expected)


def test_transforms_make_missing_fields(db: firestore.Client) -> None:
    session = db.document("sessions/s")
    session.set({"a": Increment(2), "b": {"c": ArrayUnion([1])}})
    session.update({"d.e": Maximum(-1)})
    assert session.get().to_dict() == {"a": 2, "b": {"c": [1]}, "d": {"e": -1}}


def test_transforms_return_their_results(db: firestore.Client) -> None:
    db.document("sessions/s").set({"n": 1})
    result = db.document("sessions/s").update({"n": Increment(4)})
    assert [value.integer_value for value in result.transform_results] == [5]


def test_the_server_time_is_one_for_the_whole_commit_and_not_after_it(db: firestore.Client) -> None:
    batch = db.batch()
    batch.set(db.document("a/1"), {"at": firestore.SERVER_TIMESTAMP, "in": {"at": firestore.SERVER_TIMESTAMP}})
    batch.set(db.document("a/2"), {"at": firestore.SERVER_TIMESTAMP})
    batch.commit()
    first, second = db.document("a/1").get(), db.document("a/2").get()
    assert first.get("at") == first.get("in.at") == second.get("at")
    behind = first.update_time - first.get("at")
    assert datetime.timedelta(0) <= behind < datetime.timedelta(seconds=5)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return value
