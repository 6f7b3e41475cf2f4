"""Events of ours that a pull found: the session follows what somebody did to them in Google, under the lease of their calendar.

What that is, `domain.inbound` decides; what it reads of an event and writes with it is in `adapters.store.own_events`.
"""

from functions.adapters.google_calendar import Event, GoogleCalendar
from functions.adapters.google_errors import AlreadyGone, Missing
from functions.adapters.store.own_events import read_inbound, with_row
from functions.adapters.store.store import Reader
from functions.domain.brought_back import may_be_brought_back, note_brought_back
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Ref
from functions.domain.event_ids import session_of
from functions.domain.google_copy import is_strangers
from functions.domain.google_event import MirrorEvent, declined_by_guests
from functions.domain.inbound import decide_inbound
from functions.domain.own_event import event_is_ours, new_times
from functions.domain.session import Session
from functions.sync.leases import Held, held_calendar, renewed
from functions.sync.work import Work


def follow(work: Work, held: Held, row: MirrorEvent, event: Event) -> None:
    """Makes the event's session follow it, in one commit under the lease: an old page in the hands of a slow worker can't undo newer ones.

    `event` is what Google gave of it, from which `row` was made.
    """
    declined_by = _declined_by(work, row, event)

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, row.session or ""))
        calendar = held_calendar(reader, held)
        if session is None or not event_is_ours(row.id, calendar.id, session):
            return Decision(answer=None)
        decision = decide_inbound(
            read_inbound(reader, row, session, calendar.time_zone, now=work.now(), declined_by=declined_by)
        )
        # Time that one session has left or taken is time that another one has or lacks.
        changed = session.resources if decision.changes else ()
        decision = with_row(reader, decision, row, session, calendar, now=work.now())
        if decision.writes_nothing:
            return decision
        return decision.with_documents(renewed(calendar, work.now()).with_changed(changed))

    work.store.run(work.account, attempt)


def follow_return(work: Work, held: Held, row: MirrorEvent, event: Event) -> None:
    """An event that has the id of one of ours, and is none: it may be one that was deleted and brought back (case 102), or somebody else's (case 95)."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_of(row.id) or ""))
        calendar = held_calendar(reader, held)
        if session is None or is_strangers(event, session, calendar.id):
            return Decision(answer=None)
        decision: Decision[None] = Decision(answer=None)
        if event_is_ours(row.id, calendar.id, session):  # booked again since the page was looked through
            decision = with_row(reader, decision, row, session, calendar, now=work.now())
        elif may_be_brought_back(row.id, calendar.id, session):
            decision = note_brought_back(session, row, new_times(row, calendar.time_zone), work.now())
        return decision if decision.writes_nothing else decision.with_documents(renewed(calendar, work.now()))

    work.store.run(work.account, attempt)


def _declined_by(work: Work, row: MirrorEvent, event: Event) -> frozenset[str] | None:
    """The guests who declined. A list names at most one guest an event; where there are more, Google is asked for an event of ours that has changed."""
    declined_by = declined_by_guests(event)
    if declined_by is not None or row.cancelled:
        return declined_by
    session = work.store.get(work.account, Ref(Session, row.session or ""))
    calendar = work.store.get(work.account, Ref(Calendar, row.calendar))
    copy = session.copies.get(row.calendar) if session else None
    if session is None or session.status != "open" or calendar is None or copy is None or copy.etag == row.etag:
        return None
    google: GoogleCalendar = work.google(calendar.connection)
    try:
        return declined_by_guests(google.get(calendar.google_id, row.id))
    except (Missing, AlreadyGone):
        return None  # the next page says so
