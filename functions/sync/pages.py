"""Applying a page of a calendar's changes, and the sweep after a full list: rows of the mirror, blocks in the ledgers, events of ours.

Every commit here writes the calendar under the lease's fence. A page is applied in slices that are harmless to repeat; the cursor is moved by `pull`,
after them.
"""

from collections.abc import Iterable

from functions.adapters.google_calendar import Event, EventPage, GoogleCalendar
from functions.adapters.google_errors import AlreadyGone, Forbidden, Missing
from functions.adapters.store.documents import ledger_ref, mirror_ref
from functions.adapters.store.queries import family_rows, rows_of_other_generations
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.decision import AnyRef, Decision, Ref
from functions.domain.event_ids import session_named_by, session_of
from functions.domain.google_copy import is_strangers
from functions.domain.google_event import MirrorEvent, zone_or
from functions.domain.horizon import projected_time
from functions.domain.instants import Millis
from functions.domain.ledger import LedgerChange, merge_changes
from functions.domain.mirror_row import by_itself, mirror_row
from functions.domain.mirroring import (
    Family,
    RowChanges,
    project,
    resources_changed,
    row_changes,
    was_asked_for,
    without_orphans,
)
from functions.domain.own_event import event_is_ours, is_another_copy, is_disputed, is_spared_for
from functions.domain.session import Session
from functions.sync.expected_events import may_still_arrive
from functions.sync.leases import Held, held_calendar, renewed
from functions.sync.meetings import take_meeting
from functions.sync.own_events import follow, follow_return
from functions.sync.turns import Turn
from functions.sync.work import Work

SLICE = 100


def apply_page(work: Work, held: Held, page: EventPage) -> None:
    """Applies every event of the page. Harmless to repeat."""
    calendar = held_calendar(work.store.reader(work.account), held)
    # A zone that we do not know can't place all-day events any better than the last one that we did.
    zone_name = zone_or(page.time_zone, calendar.time_zone).key
    if zone_name != calendar.time_zone:
        calendar = _adopt_zone(work, held, zone_name)
    events = {event["id"]: event for event in page.events if event.get("id")}
    rows = without_orphans(_rows(work, calendar, page.events))
    latest = {row.id: row for row in rows if row.session is not None and row.kind != "exception"}
    # Those that are deleted first: once its row is gone, nothing but the repeated page would bring it up, and its sync token may expire before.
    for row in latest.values():
        if row.cancelled:
            follow(work, held, row, events[row.id])
    for start in range(0, len(rows), SLICE):
        apply_rows(work, held, rows[start : start + SLICE], removed=frozenset())
    # The others after everything: whether a session fits where it was moved to shows against all that this page brought.
    for row in rows:
        if row.session is not None and row.id in latest:
            if not latest[row.id].cancelled:
                follow(work, held, row, events[row.id])
                take_meeting(work, row.session, calendar.id, events[row.id])
        elif row.kind == "single" and session_of(row.id) is not None:
            follow_return(work, held, row, events[row.id])
        if row.spared:  # the session may have ended since the page was looked through
            spare_no_more(work, calendar.id, row.id, session=session_named_by(events[row.id]))


def spare_no_more(work: Work, calendar_id: str, event: str, *, session: str | None) -> None:
    """What took no time because the session takes it (`MirrorEvent.spared`) takes its own again, once that session is over or has another event in its
    place. Anything else stays as it is.
    """

    def attempt(reader: Reader) -> Decision[None]:
        reader.load(Ref(Calendar, calendar_id), mirror_ref(calendar_id, event), Ref(Session, session or ""))
        calendar, row = reader.get(Ref(Calendar, calendar_id)), reader.get(mirror_ref(calendar_id, event))
        spared_for = reader.get(Ref(Session, session or ""))
        if calendar is None or row is None or not row.spared or (spared_for and is_spared_for(spared_for, event)):
            return Decision(answer=None)
        own = RowChanges(present=(row.model_copy(update={"spared": ()}),), removed=frozenset())
        return _decision(reader, calendar, {row.id: row}, own, work.now())

    work.store.run(work.account, attempt)


def sweep_old_generation(work: Work, held: Held, google: GoogleCalendar, turn: Turn) -> None:
    """After a full list: what it did not bring is gone. Of events of ours Google is asked once more, because a missing line is no proof (case 50).

    Raises `TurnOver` on the way: the rest is swept after the list's last page has come once more.
    """
    while True:
        turn.step(work.now())
        reader = work.store.reader(work.account)
        calendar = held_calendar(reader, held)
        old = rows_of_other_generations(reader, calendar.id, calendar.cursor.generation, SLICE)
        if not old:
            return
        still_there: list[MirrorEvent] = []
        # Here events of ours come first: once its row is gone, a sweep that is repeated would not ask about it any more.
        for row in old:
            if row.session is not None and row.kind != "exception" and was_asked_for(row, calendar):
                event = _asked_again(reader, google, calendar, row)
                generation = calendar.cursor.generation
                if event is None:
                    still_there.append(row.model_copy(update={"generation": generation}))
                    continue
                asked = mirror_row(event, calendar=calendar.id, generation=generation, session=row.session)
                follow(work, held, asked, event)
                if not asked.cancelled:
                    still_there.append(asked)
        present = {row.id for row in still_there}
        apply_rows(work, held, still_there, removed=frozenset(row.id for row in old if row.id not in present))


def _asked_again(reader: Reader, google: GoogleCalendar, calendar: Calendar, row: MirrorEvent) -> Event | None:
    """The event as Google has it now; None where it does not say: it may be on its way, or we may see only when the calendar is busy, and are not told
    which events there are (law 7).
    """
    may_come = may_still_arrive(reader, row)  # looked up before Google is asked, or it might have come in between
    deleted: Event = {"id": row.id, "status": "cancelled"}
    try:
        return google.get(calendar.google_id, row.id)
    except AlreadyGone:
        return deleted
    except Missing:
        return None if may_come or calendar.free_busy_only else deleted
    except Forbidden:
        if calendar.free_busy_only:
            return None
        raise


def _rows(work: Work, calendar: Calendar, events: Iterable[Event]) -> list[MirrorEvent]:
    """The page as mirror rows; those of our sessions' own events name the session, other copies of these whose time it takes already."""
    events = [event for event in events if event.get("id")]
    named = {event["id"]: session_named_by(event) for event in events}
    reader = work.store.reader(work.account)
    reader.load(*{Ref(Session, session) for session in named.values() if session is not None})
    rows = []
    for event in events:
        session = reader.get(Ref(Session, named[event["id"]] or "")) if named[event["id"]] else None
        row = _row(event, calendar, session)
        rows.append(row if calendar.cursor.bounds is None else by_itself(row))
    return rows


def _row(event: Event, calendar: Calendar, session: Session | None) -> MirrorEvent:
    key = event.get("recurringEventId") or event["id"]
    ours = event_is_ours(key, calendar.id, session) and not is_strangers(event, session, calendar.id)
    row = mirror_row(
        event,
        calendar=calendar.id,
        generation=calendar.cursor.generation,
        session=session.id if session is not None and ours else None,
    )
    if session is None:
        return row
    if ours:
        return row.model_copy(update={"disputed": row.kind == "single" and is_disputed(session, calendar.id)})
    return row.model_copy(update={"spared": session.resources}) if is_another_copy(event, calendar.id, session) else row


def _adopt_zone(work: Work, held: Held, zone: str) -> Calendar:
    """Another zone moves every all-day event: nothing of it is known until all is projected again, in a further pass of this pull (case 78)."""

    def attempt(reader: Reader) -> Decision[Calendar]:
        calendar = renewed(held_calendar(reader, held), work.now())
        changed = calendar.model_copy(
            update={"time_zone": zone, "projected": {}, "projecting": None, "dirty": calendar.dirty + 1}
        )
        return Decision(answer=changed, documents=(changed,))

    return work.store.run(work.account, attempt)


def apply_rows(work: Work, held: Held, rows: list[MirrorEvent], *, removed: frozenset[str]) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        calendar = renewed(held_calendar(reader, held), work.now())
        reader.load(*(mirror_ref(calendar.id, event) for event in {row.id for row in rows} | removed))
        ids = {row.id for row in rows} | removed
        known = {id_: row for id_ in ids if (row := reader.get(mirror_ref(calendar.id, id_))) is not None}
        changes = row_changes(rows, known)
        changes = RowChanges(present=changes.present, removed=changes.removed | (removed & known.keys()))
        return _decision(reader, calendar, known, changes, work.now())

    if rows or removed:
        work.store.run(work.account, attempt)


def _decision(
    reader: Reader, calendar: Calendar, known: dict[str, MirrorEvent], changes: RowChanges, now: Millis
) -> Decision[None]:
    """The commit of a slice: rows, removals, and the blocks of every key that any of them belongs or belonged to."""
    incoming = {row.id: row for row in changes.present}
    before, after, removed = dict(known), dict(incoming), set(changes.removed)
    ledger: list[LedgerChange] = []
    touched = [*changes.present, *(known[id_] for id_ in changes.present_or_removed if id_ in known)]
    for key in sorted({row.block_key for row in touched}):
        stored = {row.id: row for row in _stored_family(reader, calendar.id, key, incoming, known)}
        before |= stored
        if key in removed:  # case 139: with the master all its exceptions go, said or not
            removed |= {row.id for row in stored.values() if row.series == key}
        # One that has come to belong to another key, as where series are told as occurrences from now on, is here no more.
        rows = {id_: row for id_, row in stored.items() if id_ not in incoming}
        rows |= {row.id: row for row in changes.present if row.block_key == key}
        family = Family(
            key=key,
            rows=tuple(row for id_, row in rows.items() if id_ not in removed),
            months=frozenset(month for row in stored.values() for month in row.months),
        )
        projection = project(
            family,
            calendar=calendar.id,
            resources=calendar.resources,
            calendar_zone=calendar.time_zone,
            within=projected_time(now, calendar.horizon),
        )
        # Every row of the family says in which months its blocks stand, or a later change would not know where to take them out.
        after |= {row.id: row for row in projection.rows}
        ledger += projection.changes
    merged = merge_changes(ledger)
    refs = [ledger_ref(change.resource, change.month) for change in merged]
    reader.load(*refs)
    months = {(month.resource, month.month): month for ref in refs if (month := reader.get(ref)) is not None}
    written = calendar.with_changed(resources_changed(merged, months, now))
    deletions: tuple[AnyRef, ...] = tuple(mirror_ref(calendar.id, id_) for id_ in sorted(removed))
    documents = [row for id_, row in after.items() if id_ not in removed and before.get(id_) != row]
    return Decision(answer=None, documents=(*documents, written), changes=merged, deletions=deletions)


def _stored_family(
    reader: Reader, calendar: str, key: str, incoming: dict[str, MirrorEvent], known: dict[str, MirrorEvent]
) -> list[MirrorEvent]:
    """The rows of a key as stored. A single event that always was one has no family, and needs no query."""
    lone = [row for row in (incoming.get(key), known.get(key)) if row is not None]
    if lone and all(row.kind == "single" for row in lone) and not any(r.series == key for r in incoming.values()):
        return [known[key]] if key in known else []
    return family_rows(reader, calendar, key)
