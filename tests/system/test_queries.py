"""Every query has the index that production needs. The emulator answers without any, so the declaration is held against the queries themselves.

The rule, as Firestore has it: a field has an index of its own, unless it is declared away, and queries of equalities alone are answered by merging those. A
query that is also ordered, or has a range, needs for each of its equalities an index that holds that field and then the order; several such indexes, with the
very same order at their end, are merged too. To contain a value in an array counts as an equality, of an index in that mode.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.store import across_accounts, queries
from functions.adapters.store.pages import (
    BookingFilter,
    EntryFilter,
    HistoryFilter,
    Part,
    Position,
    SessionFilter,
)
from functions.adapters.store.store import Store
from functions.domain.calendar import Calendar
from functions.domain.membership import Member
from functions.domain.session import Booking
from functions.domain.waitlist.entry import WaitlistEntry

CONTAINS = "CONTAINS"
Column = tuple[str, str]  # a field, and how an index holds it: ASCENDING, DESCENDING, CONTAINS
Index = tuple[str, tuple[Column, ...]]  # of a collection

DECLARED = json.loads((Path(__file__).parents[2] / "infra" / "firestore.indexes.json").read_text())
COMPOSITES: frozenset[Index] = frozenset(
    (
        index["collectionGroup"],
        tuple((field["fieldPath"], field.get("order") or field["arrayConfig"]) for field in index["fields"]),
    )
    for index in DECLARED["indexes"]
)
OVERRIDES = {
    (override["collectionGroup"], override["fieldPath"]): {index["queryScope"] for index in override["indexes"]}
    for override in DECLARED["fieldOverrides"]
}

PARTS = (Part(limit=10), Part(limit=10, after=Position(5, "x")))
VALUES = {"start": 1, "end": 2}


def _every(page: Callable[..., Any], filters: type[Any]) -> Callable[[Store], Any]:
    """The list with every combination of its filters, from its beginning and from a cursor."""
    names = [field.name for field in fields(filters)]
    chosen = chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))
    wanted = [filters(**{name: VALUES.get(name, "x") for name in each}) for each in chosen]
    return lambda store: [page(store, "a", each, part) for each in wanted for part in PARTS]


CALLS: Mapping[str, Callable[[Store], Any]] = {
    "all_of": lambda store: queries.all_of(store, "a", Calendar),
    "services": lambda store: queries.services(store, "a"),
    "resources": lambda store: queries.resources(store, "a"),
    "connections": lambda store: queries.connections(store, "a"),
    "calendars_of": lambda store: queries.calendars_of(store, "a", "c"),
    "all_to_decide_on": lambda store: queries.all_to_decide_on(store.reader("a"), Member),
    "memberships": lambda store: across_accounts.memberships(store, "p"),
    "people_from_before": lambda store: list(across_accounts.people_from_before(store, 1)),
    "bookings_page": _every(queries.bookings_page, BookingFilter),
    "sessions_page": _every(queries.sessions_page, SessionFilter),
    "entries_page": _every(queries.entries_page, EntryFilter),
    "history_page": _every(queries.history_page, HistoryFilter),
    "conflicts_page": lambda store: [queries.conflicts_page(store, "a", part) for part in PARTS],
    "bookings_of_session": lambda store: queries.bookings_of_session(store, "a", "s"),
    "bookings_of_series": lambda store: queries.bookings_of_series(store, "a", "s"),
    "bookings_of_client": lambda store: queries.bookings_of_client(store, "a", "k", "s"),
    "all_bookings_of_client": lambda store: queries.all_bookings_of_client(store, "a", "k"),
    "all_entries_of_client": lambda store: queries.all_entries_of_client(store, "a", "k"),
    "has_client": lambda store: queries.has_client(store, "a", "k"),
    "bookings_to_forget": lambda store: list(queries.bookings_to_forget(store, "a", 1, at_once=10)),
    "entries_to_forget": lambda store: list(queries.entries_to_forget(store, "a", 1, at_once=10)),
    "not_found_by_client": lambda store: [
        queries.not_found_by_client(store, "a", type_) for type_ in (Booking, WaitlistEntry)
    ],
    "erasures_under_way": lambda store: queries.erasures_under_way(store, "a", "k"),
    "answers_about": lambda store: queries.answers_about(store.reader("a"), "b"),
    "history_about": lambda store: [
        queries.history_about(store.reader("a"), field, "x") for field in ("session", "booking", "entry")
    ],
    "effects_about": lambda store: queries.effects_about(store, "a", "b"),
    "inbox_outbox": lambda store: queries.inbox_outbox(store, "a", 10),
    "accounts_that_forget": lambda store: list(across_accounts.accounts_that_forget(store)),
    "history_in_order": lambda store: [
        queries.history_in_order(store, "a", field, "x") for field in ("session", "booking", "entry")
    ],
    "family_rows": lambda store: queries.family_rows(store.reader("a"), "c", "k"),
    "rows_of_other_generations": lambda store: queries.rows_of_other_generations(store.reader("a"), "c", 2, 10),
    "sessions_with_pending_copies": lambda store: queries.sessions_with_pending_copies(store, "a", 10),
    "spared_rows": lambda store: list(queries.spared_rows(store.reader("a"), "c", "r")),
    "malformed_rows": lambda store: queries.malformed_rows(store, "a", "c", 10),
    "overdue_outbox": lambda store: queries.overdue_outbox(store, "a", 1, 10),
    "rows_after": lambda store: [queries.rows_after(store.reader("a"), "c", after, 10) for after in (None, "e")],
    "due_outbox": lambda store: list(across_accounts.due_outbox(store, 1)),
    "calendars_due": lambda store: [
        list(across_accounts.calendars_due(store, f, 1)) for f in ("next_poll_at", "renew_at")
    ],
    "services_at": lambda store: queries.services_at(store, "a", "r"),
    "queues_due": lambda store: list(across_accounts.queues_due(store, 1)),
    "calendars_watched_elsewhere": lambda store: list(across_accounts.calendars_watched_elsewhere(store, "https://x")),
    "all_connections": lambda store: list(across_accounts.all_connections(store)),
    "connections_held": lambda store: list(across_accounts.connections_held(store)),
    "ledger_months": lambda store: queries.ledger_months(store.reader("a"), "r"),
    "sessions_with_copies": lambda store: list(queries.sessions_with_copies(store, "a", 1)),
    "sessions_from": lambda store: list(queries.sessions_from(store, "a", 1)),
    "connections_of_person": lambda store: across_accounts.connections_of_person(store, "s"),
    "holds_grant": lambda store: across_accounts.holds_grant(store, "s"),
    "calendars_in_use": lambda store: list(across_accounts.calendars_in_use(store)),
}


def test_every_query_is_listed_here() -> None:
    written = {
        name
        for module in (queries, across_accounts)
        for name, value in vars(module).items()
        if callable(value) and value.__module__ == module.__name__
    }
    assert {name for name in written if not name.startswith("_")} - {"forget_outbox"} == set(CALLS)


def test_nothing_is_asked_but_by_what_is_listed_here() -> None:
    asks = re.compile(r"\.(where|order_by|collection_group|find_nearest)\(|\bread_page\(")
    written = (Path(__file__).parents[2] / "functions").rglob("*.py")
    assert {path.name for path in written if asks.search(path.read_text())} == {
        "queries.py",
        "across_accounts.py",
        "pages.py",
    }


@dataclass(frozen=True)
class Asked:
    """A query as far as indexes matter. `order` has the field of a range, if there is one, first; the document's name at its end is in every index."""

    group: str
    whole_group: bool
    equal: frozenset[Column]
    order: tuple[Column, ...]

    @property
    def fields(self) -> set[str]:
        return {field for field, _ in (*self.equal, *self.order)}


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[Asked]]:
    made: list[Any] = []
    api = store.client._firestore_api
    run = api.run_query

    def noted(request: Any, **options: Any) -> Any:
        made.append(request["structured_query"]._pb)
        return run(request=request, **options)

    def of(name: str) -> set[Asked]:
        made.clear()
        CALLS[name](store)
        return {_asked(query) for query in made}

    monkeypatch.setattr(api, "run_query", noted)
    return of


@pytest.mark.parametrize("name", CALLS)
def test_a_query_has_its_index(asked: Callable[[str], set[Asked]], name: str) -> None:
    found = asked(name)
    assert found
    for query in found:
        _has_indexes_of_its_fields(query)
        assert _is_answered(query, COMPOSITES), query


def test_no_index_is_declared_that_nothing_needs(asked: Callable[[str], set[Asked]]) -> None:
    """So each is missed by the test above where it is missing."""
    found = {query for name in CALLS for query in asked(name)}
    unneeded = [index for index in COMPOSITES if all(_is_answered(query, COMPOSITES - {index}) for query in found)]
    assert unneeded == []


def _has_indexes_of_its_fields(query: Asked) -> None:
    for field in query.fields:
        scopes = OVERRIDES.get((query.group, field), {"COLLECTION"})  # one a field is there unless it is declared away
        assert ("COLLECTION_GROUP" if query.whole_group else "COLLECTION") in scopes, (query.group, field)


def _is_answered(query: Asked, composites: frozenset[Index]) -> bool:
    if not query.order or len(query.fields) == 1:
        return True  # by the indexes that each field has
    covered: set[Column] = set()
    for group, columns in composites:
        first, last = columns[: -len(query.order)], columns[-len(query.order) :]
        if group == query.group and last == query.order and query.equal.issuperset(first):
            covered.update(first)
    if query.equal:
        return covered == query.equal
    return (query.group, query.order) in composites


ORDER = (("start", "ASCENDING"),)
BY_A = ("g", (("a", "ASCENDING"), *ORDER))
BY_B = ("g", (("b", "ASCENDING"), *ORDER))
IN_C = ("g", (("c", CONTAINS), *ORDER))
BY_A_AND_B = ("g", (("a", "ASCENDING"), ("b", "ASCENDING"), *ORDER))


@pytest.mark.parametrize(
    ("equal", "composites", "answered"),
    [
        pytest.param({}, [], True, id="an order alone"),
        pytest.param({"a": "ASCENDING"}, [], False, id="an equality and an order, with no index"),
        pytest.param({"a": "ASCENDING"}, [BY_A], True, id="with its index"),
        pytest.param({"a": "ASCENDING"}, [BY_A_AND_B], False, id="with one that holds another field as well"),
        pytest.param({"a": "ASCENDING", "b": "ASCENDING"}, [BY_A, BY_B], True, id="two, merged"),
        pytest.param({"a": "ASCENDING", "b": "ASCENDING"}, [BY_A_AND_B], True, id="two in one"),
        pytest.param({"a": "ASCENDING", "b": "ASCENDING"}, [BY_A], False, id="two, with one missing"),
        pytest.param({"a": "ASCENDING", "c": CONTAINS}, [BY_A, IN_C], True, id="one of them contained in an array"),
        pytest.param({"c": "ASCENDING"}, [IN_C], False, id="an equality by an index of an array"),
        pytest.param({"a": CONTAINS}, [BY_A], False, id="an array by an index of a value"),
        pytest.param(
            {"a": "ASCENDING"}, [("g", (("a", "ASCENDING"), ("start", "DESCENDING")))], False, id="the other way round"
        ),
        pytest.param({"a": "ASCENDING"}, [("other", BY_A[1])], False, id="of another collection"),
    ],
)
def test_the_rule_itself(equal: dict[str, str], composites: list[Index], answered: bool) -> None:
    query = Asked(group="g", whole_group=False, equal=frozenset(equal.items()), order=ORDER)
    assert _is_answered(query, frozenset(composites)) is answered


def _asked(query: Any) -> Asked:
    (source,) = query.from_
    equal: set[Column] = set()
    ranges: list[str] = []
    for field, operator in _filters(query.where):
        if operator in ("EQUAL", "IN"):
            equal.add((field, "ASCENDING"))
        elif operator == "ARRAY_CONTAINS":
            equal.add((field, CONTAINS))
        elif field not in ranges:
            ranges.append(field)
    order = [(each.field.field_path, "DESCENDING" if each.direction == 2 else "ASCENDING") for each in query.order_by]
    if order and order[-1][0] == "__name__":
        # An index ends with the name, in the direction of the field before it.
        *order, (_, direction) = order
        assert not order or order[-1][1] == direction, "no index holds names in the other direction"
    assert len(ranges) <= 1
    if ranges and ranges[0] not in [field for field, _ in order[:1]]:
        assert not order, "a range comes first in the order"
        order = [(ranges[0], "ASCENDING")]
    return Asked(source.collection_id, source.all_descendants, frozenset(equal), tuple(order))


def _filters(where: Any) -> Iterator[tuple[str, str]]:
    """Field and operator of every condition. An OR of equalities is answered by merging, as an AND of them is."""
    kind = where.WhichOneof("filter_type")
    if kind == "field_filter":
        operators = type(where.field_filter).Operator
        yield where.field_filter.field.field_path, operators.Name(where.field_filter.op)
    elif kind == "composite_filter":
        for inner in where.composite_filter.filters:
            yield from _filters(inner)
