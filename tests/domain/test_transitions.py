"""Walks every table of `transitions`: each status and verb either moves as the table says or is refused."""

from typing import Any, get_args

import pytest

from functions.domain.errors import IllegalMove
from functions.domain.transitions import (
    BOOKING,
    CONNECTION,
    ENTRY,
    SESSION,
    BookingStatus,
    ConnectionStatus,
    EntryStatus,
    SessionStatus,
    Table,
    step,
)

TABLES: dict[str, tuple[Table, Any, str, frozenset[str]]] = {
    "session": (SESSION, SessionStatus, "open", frozenset()),
    "booking": (BOOKING, BookingStatus, "held", frozenset()),
    "entry": (ENTRY, EntryStatus, "waiting", frozenset()),
    "connection": (CONNECTION, ConnectionStatus, "active", frozenset({"disconnected"})),
}
EVERY_VERB = sorted({verb for table, *_ in TABLES.values() for _, verb in table} | {"no such verb"})

PAIRS = [
    pytest.param(table, status, verb, id=f"a {status} {name} and {verb}")
    for name, (table, statuses, *_) in TABLES.items()
    for status in get_args(statuses)
    for verb in EVERY_VERB
]


@pytest.mark.parametrize(("table", "status", "verb"), PAIRS)
def test_each_status_and_verb_moves_as_the_table_says_or_is_refused(table: Table, status: str, verb: str) -> None:
    if (status, verb) in table:
        assert step(table, status, verb) == table[status, verb]
        return
    with pytest.raises(IllegalMove) as refused:
        step(table, status, verb)
    assert refused.value.extra == {"current_status": status}
    assert verb in refused.value.detail
    assert status in refused.value.detail


@pytest.mark.parametrize("name", TABLES)
class TestTable:
    def test_its_statuses_are_exactly_those_of_its_type(self, name: str) -> None:
        table, statuses, *_ = TABLES[name]
        assert {status for status, _ in table} | set(table.values()) == set(get_args(statuses))

    def test_every_status_can_be_reached_from_the_first(self, name: str) -> None:
        table, statuses, first, _ = TABLES[name]
        reached, before = {first}, set[str]()
        while reached != before:
            before = set(reached)
            reached |= {after for (status, _), after in table.items() if status in before}
        assert reached == set(get_args(statuses))

    def test_exactly_the_final_statuses_lead_nowhere(self, name: str) -> None:
        table, statuses, _, final = TABLES[name]
        assert set(get_args(statuses)) - {status for status, _ in table} == final
