"""Projecting a whole mirror into ledgers: for a resource that a calendar blocks from now on, and when the horizon is rolled on.

Until it is done the calendar counts as unknown for that resource (`Calendar.projected`), so nothing is sold that an event might stand in.
"""

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.queries import family_rows, mirror_keys
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import Minute, months_between
from functions.domain.ledger import LedgerChange, merge_changes
from functions.domain.mirroring import (
    Family,
    horizon_is_short,
    new_horizon,
    project,
    projected_time,
)
from functions.sync.leases import Held, held_calendar, renewed
from functions.sync.work import Work

KEYS_A_COMMIT = 50


def project_where_needed(work: Work, held: Held) -> Calendar:
    """The calendar, with every resource it blocks projected up to a horizon that is far enough."""
    calendar = held_calendar(work.store.reader(work.account), held)
    if horizon_is_short(calendar.horizon, work.now()):
        horizon, missing = new_horizon(work.now()), calendar.resources
    else:
        horizon = calendar.horizon
        missing = tuple(r for r in calendar.resources if calendar.projected.get(r) != horizon)
        if not missing:
            return calendar
    fresh = tuple(resource for resource in missing if resource not in calendar.projected)
    if fresh:
        _clear(work, held, fresh, horizon)
    keys = sorted(set(mirror_keys(work.store, work.account, calendar.id))) if missing else []
    for start in range(0, len(keys), KEYS_A_COMMIT):
        _project_keys(work, held, keys[start : start + KEYS_A_COMMIT], missing, horizon)
    return _record(work, held, horizon, calendar.resources)


def _clear(work: Work, held: Held, resources: tuple[str, ...], horizon: Minute) -> None:
    """Blocks from an earlier time at which this calendar blocked the resource; events may have gone since."""

    def attempt(reader: Reader) -> Decision[None]:
        calendar = held_calendar(reader, held)
        months = months_between(*projected_time(work.now(), horizon))
        reader.load(*(ledger_ref(resource, month) for resource in resources for month in months))
        changes = tuple(
            LedgerChange(resource=resource, month=month, cleared=frozenset({calendar.id}))
            for resource in resources
            for month in months
            if (ledger := reader.get(ledger_ref(resource, month))) is not None and calendar.id in ledger.blocks
        )
        return Decision(answer=None, documents=(renewed(calendar, work.now()),), changes=changes)

    work.store.run(work.account, attempt)


def _project_keys(work: Work, held: Held, keys: list[str], resources: tuple[str, ...], horizon: Minute) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        calendar = held_calendar(reader, held)
        within = projected_time(work.now(), horizon)
        documents: list[MirrorEvent] = []
        changes: list[LedgerChange] = []
        for key in keys:
            stored = family_rows(reader, calendar.id, key)
            family = Family(key=key, rows=tuple(stored), months=frozenset(m for row in stored for m in row.months))
            projection = project(
                family,
                calendar=calendar.id,
                resources=resources,
                calendar_zone=calendar.time_zone,
                within=within,
            )
            documents += [row for row, before in zip(projection.rows, stored, strict=True) if row != before]
            changes += projection.changes
        merged = merge_changes(changes)
        reader.load(*(ledger_ref(change.resource, change.month) for change in merged))
        return Decision(answer=None, documents=(*documents, renewed(calendar, work.now())), changes=merged)

    work.store.run(work.account, attempt)


def _record(work: Work, held: Held, horizon: Minute, done: tuple[str, ...]) -> Calendar:
    def attempt(reader: Reader) -> Decision[Calendar]:
        calendar = renewed(held_calendar(reader, held), work.now())
        # Resources that were added meanwhile are not among the projected ones: the next pass takes them.
        projected = {r: horizon for r in calendar.resources if r in done}
        done_calendar = calendar.model_copy(update={"horizon": horizon, "projected": projected}).with_changed(projected)
        return Decision(answer=done_calendar, documents=(done_calendar,))

    return work.store.run(work.account, attempt)
