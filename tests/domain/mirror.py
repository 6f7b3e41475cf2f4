"""A calendar's mirror and the ledger it feeds, in memory: what a pull does with a page, by the domain's functions alone."""

from collections.abc import Iterable, Mapping
from typing import Any

from functions.domain.google_event import MirrorEvent
from functions.domain.ledger import merge_changes
from functions.domain.mirroring import Family, Projection, project, row_changes
from tests.domain.builders import BERLIN, CALENDAR, Ledger, apply, contents, row, span

# From the beginning of the month of the builders' present.
WITHIN = span("2027-02-01T00:00Z", "2027-07-01T00:00Z")
RESOURCES = ("anna", "ben")


def projected(one: Family, *, resources: Iterable[str] = ("anna",)) -> Projection:
    return project(one, calendar=CALENDAR, resources=resources, calendar_zone=BERLIN, within=WITHIN)


class Mirror:
    """Rows by id, and the ledger months that they have made."""

    def __init__(self) -> None:
        self.rows: dict[str, MirrorEvent] = {}
        self.months: Ledger = {}

    def take(self, page: Iterable[Mapping[str, Any]]) -> None:
        changes = row_changes([row(event) for event in page], self.rows)
        touched = [*changes.present, *(self.rows[id_] for id_ in changes.present_or_removed if id_ in self.rows)]
        self._settle(
            keys={one.block_key for one in touched},
            present={one.id: one for one in changes.present},
            removed=set(changes.removed),
        )

    def sweep(self, listed: Iterable[Mapping[str, Any]]) -> None:
        """After a full list: what it did not bring is gone."""
        gone = self.rows.keys() - {event["id"] for event in listed}
        self._settle(keys={self.rows[id_].block_key for id_ in gone}, present={}, removed=gone)

    def _settle(self, *, keys: set[str], present: dict[str, MirrorEvent], removed: set[str]) -> None:
        for key in sorted(keys):
            stored = {id_: one for id_, one in self.rows.items() if one.block_key == key}
            if key in removed:
                removed = removed | {id_ for id_, one in stored.items() if one.series == key}
            rows = stored | {id_: one for id_, one in present.items() if one.block_key == key}
            one = Family(
                key=key,
                rows=tuple(one for id_, one in rows.items() if id_ not in removed),
                months=frozenset(month for one in stored.values() for month in one.months),
            )
            projection = projected(one, resources=RESOURCES)
            self.months = apply(self.months, merge_changes(projection.changes))
            self.rows = {id_: one for id_, one in self.rows.items() if id_ not in stored}
            self.rows |= {one.id: one for one in projection.rows}

    def from_scratch(self) -> Ledger:
        """What the ledger must say of these rows, whatever came before."""
        made: Ledger = {}
        for key in {one.block_key for one in self.rows.values()}:
            rows = tuple(one for one in self.rows.values() if one.block_key == key)
            made = apply(made, projected(Family(key=key, rows=rows, months=frozenset()), resources=RESOURCES).changes)
        return contents(made)


def pages(*given_: list[dict[str, Any]]) -> Mirror:
    mirror = Mirror()
    for page in given_:
        mirror.take(page)
    return mirror
