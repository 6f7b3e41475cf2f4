"""Projecting a whole mirror into ledgers: for a resource that a calendar blocks from now on, and when the horizon is rolled on.

Until it is done the calendar counts as unknown for that resource (`Calendar.projected`), so nothing is sold that an event might stand in. It goes slice by
slice, and where it stands is in the calendar's document: a large mirror takes several tasks, and no more memory than a small one.
"""

from collections.abc import Iterable

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.queries import family_rows, rows_after
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Projecting
from functions.domain.decision import Decision
from functions.domain.google_event import MirrorEvent
from functions.domain.horizon import horizon_is_short, new_horizon, projected_time
from functions.domain.instants import Millis, Minute, months_between
from functions.domain.ledger import LedgerChange, merge_changes
from functions.domain.mirroring import Family, project
from functions.sync.leases import Held, held_calendar, renewed
from functions.sync.turns import Turn
from functions.sync.work import Work

ROWS_A_COMMIT = 250


def project_where_needed(work: Work, held: Held, turn: Turn) -> Calendar:
    """The calendar, with every resource it blocks projected up to a horizon that is far enough. Raises `TurnOver` on the way."""
    calendar = held_calendar(work.store.reader(work.account), held)
    wanted = _wanted(calendar, work.now())
    if wanted is None:
        return calendar
    fresh = tuple(resource for resource in wanted.resources if resource not in calendar.projected)
    if wanted.after is None and fresh:
        _clear(work, held, fresh, wanted.horizon)
    going: Projecting | None = wanted
    while going is not None:
        turn.step(work.now())
        going = _project_slice(work, held, going)
    return held_calendar(work.store.reader(work.account), held)


def _wanted(calendar: Calendar, now: Millis) -> Projecting | None:
    """What has to be laid out; what is under way already goes on, where it leads there."""
    if horizon_is_short(calendar.horizon, now):
        horizon, missing = new_horizon(now), calendar.resources
    else:
        horizon = calendar.horizon
        missing = tuple(r for r in calendar.resources if calendar.projected.get(r) != horizon)
        if not missing:
            return None
    going = calendar.projecting
    if going is not None and {*missing} <= {*going.resources} and not horizon_is_short(going.horizon, now):
        return going
    return Projecting(resources=missing, horizon=horizon)


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


def _project_slice(work: Work, held: Held, going: Projecting) -> Projecting | None:
    """The next rows, with all that belongs to them; None once that was the last of the mirror."""

    def attempt(reader: Reader) -> Decision[Projecting | None]:
        calendar = held_calendar(reader, held)
        found = rows_after(reader, calendar.id, going.after, ROWS_A_COMMIT)
        families = list(_families(reader, calendar.id, found))
        within = projected_time(work.now(), going.horizon)
        projections = [
            project(
                family,
                calendar=calendar.id,
                resources=going.resources,
                calendar_zone=calendar.time_zone,
                within=within,
            )
            for family in families
        ]
        before = {row.id: row for family in families for row in family.rows}
        rows = tuple(row for one in projections for row in one.rows if row != before[row.id])
        merged = merge_changes(change for one in projections for change in one.changes)
        reader.load(*(ledger_ref(change.resource, change.month) for change in merged))
        further = going.model_copy(update={"after": found[-1].id}) if len(found) == ROWS_A_COMMIT else None
        calendar = renewed(calendar, work.now())
        calendar = calendar.model_copy(update={"projecting": further}) if further else _laid_out(calendar, going)
        return Decision(answer=further, documents=(*rows, calendar), changes=merged)

    return work.store.run(work.account, attempt)


def _families(reader: Reader, calendar: str, rows: Iterable[MirrorEvent]) -> Iterable[Family]:
    """Everything of each row's key. A single event is all there is of it, and needs no query."""
    keys: dict[str, MirrorEvent] = {row.block_key: row for row in rows}
    for key, row in keys.items():
        stored = [row] if row.kind == "single" else family_rows(reader, calendar, key)
        yield Family(key=key, rows=tuple(stored), months=frozenset(month for each in stored for month in each.months))


def _laid_out(calendar: Calendar, done: Projecting) -> Calendar:
    """Resources that were added meanwhile are not among the projected ones: the next pass takes them."""
    projected = {
        resource: done.horizon
        for resource in calendar.resources
        if resource in done.resources or calendar.projected.get(resource) == done.horizon
    }
    after = calendar.model_copy(update={"horizon": done.horizon, "projected": projected, "projecting": None})
    return after.with_changed(projected)
