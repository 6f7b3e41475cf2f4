"""Every query has the index that production needs. The emulator answers without any, so the declaration is held against the queries themselves."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.adapters.store import queries
from functions.adapters.store.store import Store
from functions.domain.calendar import Calendar

DECLARED = json.loads((Path(__file__).parents[2] / "infra" / "firestore.indexes.json").read_text())
COMPOSITES = {
    (index["collectionGroup"], tuple((field["fieldPath"], field["order"]) for field in index["fields"]))
    for index in DECLARED["indexes"]
}
OVERRIDES = {
    (override["collectionGroup"], override["fieldPath"]): {index["queryScope"] for index in override["indexes"]}
    for override in DECLARED["fieldOverrides"]
}

CALLS: dict[str, Callable[[Store], Any]] = {
    "all_of": lambda store: queries.all_of(store, "a", Calendar),
    "services": lambda store: queries.services(store, "a"),
    "resources": lambda store: queries.resources(store, "a"),
    "services_of_resource": lambda store: queries.services_of_resource(store, "a", "r"),
    "connections": lambda store: queries.connections(store, "a"),
    "calendars_of": lambda store: queries.calendars_of(store, "a", "c"),
    "sessions_between": lambda store: queries.sessions_between(store, "a", 0, 1, 10),
    "bookings_of": lambda store: queries.bookings_of(store, "a", ["s"]),
    "bookings_of_client": lambda store: queries.bookings_of_client(store, "a", "k", "s"),
    "history_of": lambda store: [
        queries.history_of(store, "a", field, "x", 10) for field in ("session", "booking", "resource", "calendar")
    ],
    "family_rows": lambda store: queries.family_rows(store.reader("a"), "c", "k"),
    "rows_of_other_generations": lambda store: queries.rows_of_other_generations(store.reader("a"), "c", 2, 10),
    "mirror_keys": lambda store: list(queries.mirror_keys(store, "a", "c")),
    "due_outbox": lambda store: queries.due_outbox(store, 1),
    "calendars_due": lambda store: [queries.calendars_due(store, f, 1) for f in ("next_poll_at", "renew_at")],
    "queues_due": lambda store: queries.queues_due(store, 1),
    "calendars_in_use": lambda store: list(queries.calendars_in_use(store)),
}


def test_every_query_is_listed_here() -> None:
    written = {
        name for name, value in vars(queries).items() if callable(value) and value.__module__ == queries.__name__
    }
    assert {name for name in written if not name.startswith("_")} - {"forget_outbox"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_query_has_its_index(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made = []
    api = store.client._firestore_api
    run = api.run_query

    def noted(request: Any, **options: Any) -> Any:
        made.append(request["structured_query"])
        return run(request=request, **options)

    monkeypatch.setattr(api, "run_query", noted)
    CALLS[name](store)
    assert made
    for query in made:
        _check(query._pb)


def _check(query: Any) -> None:
    (source,) = query.from_
    group, whole_group = source.collection_id, source.all_descendants
    equal, ranges = set(), set()
    for field, operator in _filters(query.where):
        (equal if operator in ("EQUAL", "IN") else ranges).add(field)
    orders = [(order.field.field_path, _direction(order.direction)) for order in query.order_by]
    ordered = [(field, direction) for field, direction in orders if field != "__name__"]
    fields = equal | ranges | {field for field, _ in ordered}
    for field in fields:
        scopes = OVERRIDES.get((group, field), {"COLLECTION"})  # one index a field is there unless it is declared away
        assert ("COLLECTION_GROUP" if whole_group else "COLLECTION") in scopes, (group, field)
    if len(fields) > 1 and (ordered or ranges):
        needed = tuple((field, "ASCENDING") for field in sorted(equal)) + tuple(ordered)
        assert (group, needed) in COMPOSITES, (group, needed)


def _filters(where: Any) -> Iterator[tuple[str, str]]:
    """Field and operator of every condition. An OR of equalities is answered by merging, as an AND of them is."""
    kind = where.WhichOneof("filter_type")
    if kind == "field_filter":
        operators = type(where.field_filter).Operator
        yield where.field_filter.field.field_path, operators.Name(where.field_filter.op)
    elif kind == "composite_filter":
        for inner in where.composite_filter.filters:
            yield from _filters(inner)


def _direction(value: int) -> str:
    return "DESCENDING" if value == 2 else "ASCENDING"
