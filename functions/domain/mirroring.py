"""From a calendar's changes to rows of its mirror and blocks in the ledgers of the resources that it blocks.

Blocks are kept by key: a single event's id, or a series' master id for the master and all its exceptions together. Projecting a key computes all its
blocks anew from the rows, so doing it twice, late, or for more keys than needed is harmless (law 4).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.domain.calendar import Calendar
from functions.domain.google_event import Malformed, MirrorEvent, interval_of
from functions.domain.horizon import projected_time
from functions.domain.instants import MINUTE_MS, Millis, month_of, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerChange, LedgerMonth
from functions.domain.recurrence import series_blocks, single_blocks


@dataclass(frozen=True, kw_only=True)
class Family:
    """Every present row of one key, and the months in which the ledger may hold blocks of it now."""

    key: str
    rows: tuple[MirrorEvent, ...]
    months: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """What a projected family means: its rows with the months they stand in now, and one change a resource and month."""

    rows: tuple[MirrorEvent, ...]
    changes: tuple[LedgerChange, ...]


def blocks_of(family: Family, *, calendar_zone: str, within: Interval) -> list[Interval]:
    """The busy time of a key. A single event of ours blocks nothing by itself: the session in the ledger does (case 159), unless the two are at odds."""
    master = next((row for row in family.rows if row.kind == "master"), None)
    exceptions = [row for row in family.rows if row.kind == "exception"]
    singles = [row for row in family.rows if row.kind == "single" and (row.session is None or row.disputed)]
    found = [block for row in singles for block in single_blocks(row, calendar_zone=calendar_zone, horizon=within)]
    if master is not None or exceptions:
        found += series_blocks(master, exceptions, calendar_zone=calendar_zone, horizon=within)
    return found


def project(
    family: Family, *, calendar: str, resources: Iterable[str], calendar_zone: str, within: Interval
) -> Projection:
    """Puts the family's blocks into every month that they touch, and takes them out of every month that they left; also at resources that are spared."""
    by_month: dict[str, list[Interval]] = {month: [] for month in family.months}
    for block in blocks_of(family, calendar_zone=calendar_zone, within=within):
        for month in months_between(max(block.start, within.start), min(block.end, within.end)):
            by_month.setdefault(month, []).append(block)
    spared = {resource for row in family.rows for resource in row.spared}
    changes = tuple(
        LedgerChange(
            resource=resource,
            month=month,
            blocks={(calendar, family.key): None if resource in spared else tuple(blocks) or None},
        )
        for resource in resources
        for month, blocks in sorted(by_month.items())
    )
    months = tuple(sorted(month for month, blocks in by_month.items() if blocks))
    rows = tuple(row.model_copy(update={"months": months}) for row in family.rows)
    return Projection(rows=rows, changes=changes)


def project_alone(row: MirrorEvent, known: MirrorEvent | None, calendar: Calendar, now: Millis) -> Projection:
    """The same for one single event, of which `known` is the row as it was."""
    return project(
        Family(key=row.block_key, rows=(row,), months=frozenset(() if known is None else known.months)),
        calendar=calendar.id,
        resources=calendar.resources,
        calendar_zone=calendar.time_zone,
        within=projected_time(now, calendar.horizon),
    )


def resources_changed(
    changes: Iterable[LedgerChange], months: Mapping[tuple[str, str], LedgerMonth], now: Millis
) -> frozenset[str]:
    """The resources that have other blocks after these changes, in this month or later. `months`: the ledger before, by resource and month."""
    present = month_of(now // MINUTE_MS)
    found = set()
    for change in changes:
        before = months.get((change.resource, change.month))
        for (calendar, event), intervals in change.blocks.items():
            known = () if before is None else before.blocks.get(calendar, {}).get(event, ())
            if change.month >= present and sorted(known) != sorted(intervals or ()):
                found.add(change.resource)
    return frozenset(found)


@dataclass(frozen=True, kw_only=True)
class RowChanges:
    """What one page does to the mirror: rows as they are now, and ids whose rows go away."""

    present: tuple[MirrorEvent, ...]
    removed: frozenset[str]

    @property
    def present_or_removed(self) -> frozenset[str]:
        return self.removed | {row.id for row in self.present}


def row_changes(incoming: Iterable[MirrorEvent], known: Mapping[str, MirrorEvent]) -> RowChanges:
    """Folds a page into row changes; of two entries for one event the last wins (case 53).

    A cancelled exception stays, for the lifetime of its series (case 136). Any other cancelled event goes (case 58), and is nothing where we never
    knew it (case 60).
    """
    latest = {row.id: row for row in incoming}
    present = tuple(row for row in latest.values() if not row.cancelled or row.kind == "exception")
    kept = {row.id for row in present}
    removed = frozenset(id_ for id_ in latest if id_ in known and id_ not in kept)
    return RowChanges(present=present, removed=removed)


def was_asked_for(row: MirrorEvent, calendar: Calendar) -> bool:
    """Whether the calendar's full list would have brought the event, were it there. Of one outside the list's bounds its absence says nothing."""
    bounds = calendar.cursor.bounds
    if bounds is None:
        return True
    try:
        times = interval_of(row.start, row.end, calendar.time_zone)
    except Malformed:
        return True
    return times.start < bounds.end and bounds.start < times.end


def without_orphans(rows: Sequence[MirrorEvent]) -> list[MirrorEvent]:
    """A page without the exceptions of series that the same page says are deleted: with a master all its exceptions go (case 139)."""
    latest = {row.id: row for row in rows}
    deleted = {id_ for id_, row in latest.items() if row.cancelled and row.kind != "exception"}
    return [row for row in rows if row.series not in deleted]
