"""Settle: what becomes of a session whose event a calendar says is deleted (cases 100 and 113).

All calendars of the account that can be asked are asked for the event: this is the grace in which a move between calendars shows. Where Google gives no
answer the task comes again, and nothing is decided (law 7).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from functions.adapters.google_calendar import Event
from functions.adapters.google_errors import AccessLost, AlreadyGone, Forbidden, Missing
from functions.adapters.store import queries
from functions.adapters.store.documents import ledger_refs_of, mirror_ref
from functions.adapters.store.own_events import read_inbound, with_row
from functions.adapters.store.scenes import read_sessions
from functions.adapters.store.store import Reader
from functions.domain import missing_event
from functions.domain.calendar import DETAILED_ROLES, Calendar
from functions.domain.configuration import Service
from functions.domain.decision import Decision, Effect, Ref, in_one_commit
from functions.domain.errors import Refusal
from functions.domain.event_ids import event_id
from functions.domain.google_copy import is_of_session
from functions.domain.google_event import declined_by_guests
from functions.domain.inbound import decide_inbound
from functions.domain.instants import MINUTE_MS
from functions.domain.linking import recalculations
from functions.domain.mirror_row import mirror_row
from functions.domain.session import GoogleCopy, Session
from functions.domain.standing import Obstacle
from functions.sync.leases import Held, LeaseLost, acquire, hand_over, held_calendar, renewed
from functions.sync.lost_access import lose_connection
from functions.sync.redirecting import redirect_session
from functions.sync.strays import block_where_it_is
from functions.sync.work import TryLater, Work


@dataclass(frozen=True, kw_only=True)
class Search:
    """`found`: the calendar in which the event is. `certain`: where it is in none, all those could be asked that matter."""

    found: Calendar | None
    certain: bool = True


def settle(work: Work) -> None:
    """Decides about every event of the subject session that is missing, and what could not be asked about the others while something else was.

    Raises `GoogleError` or `TryLater` where one has to wait.
    """
    session = work.store.get(work.account, Ref(Session, work.subject))
    for copy in session.copies.values() if session else ():
        if session is None:
            continue
        strays = [event_id(session.id, copy.calendar, n) for n in range(copy.attempt)]
        strays += [copy.event] if copy.has_left else []
        if strays:
            block_where_it_is(work, session.id, *strays)
        if copy.missing_since is None:
            _look_at_its_time(work, copy)
            continue
        search = _search(work, session, copy)
        if search.found is not None:
            _take_home(work, copy, search.found)
        else:
            _decide(work, copy, certain=search.certain)
        if session.start * MINUTE_MS > work.now():
            redirect_session(work, session.id)  # while it was in question it stayed where it was


def _look_at_its_time(work: Work, copy: GoogleCopy) -> None:
    """Its event was moved while something else was asked about the session: that could not be asked then."""

    def attempt(reader: Reader) -> Decision[None]:
        reader.load(Ref(Session, work.subject), Ref(Calendar, copy.calendar), mirror_ref(copy.calendar, copy.event))
        session, calendar = reader.get(Ref(Session, work.subject)), reader.get(Ref(Calendar, copy.calendar))
        row = reader.get(mirror_ref(copy.calendar, copy.event))
        if session is None or calendar is None or row is None or not row.disputed or _is_asked(session):
            return Decision(answer=None)
        decision = decide_inbound(read_inbound(reader, row, session, calendar.time_zone, now=work.now()))
        # Time that it has left or taken is time that another session, or whoever waits, has or lacks.
        decision = decision.also(effects=recalculations(session.resources if decision.changes else ()))
        return with_row(reader, decision, row, session, calendar, now=work.now())

    work.store.run(work.account, attempt)


def _is_asked(session: Session) -> bool:
    return session.in_conflict(Obstacle.DELETED) or session.in_conflict(Obstacle.MOVED)


def _search(work: Work, session: Session, copy: GoogleCopy) -> Search:
    calendars: list[Calendar] = queries.all_of(work.store, work.account, Calendar)
    home = next((calendar for calendar in calendars if calendar.id == copy.calendar), None)
    lost: set[str] = set()
    for calendar in _in_order(calendars, home):
        try:
            there = _has(work, calendar, session, copy)
        except AccessLost as error:
            # A connection that only a person can mend must not keep the session waiting for ever.
            lose_connection(work, calendar.connection, error)
            lost.add(calendar.connection)
            continue
        if there and calendar.id != copy.calendar and calendar.id in {each.calendar for each in session.present_copies}:
            return Search(found=None, certain=False)  # where another copy of the session is already
        if there:
            return Search(found=calendar)
    return Search(found=None, certain=home is not None and home.connection not in lost)


def _in_order(calendars: list[Calendar], home: Calendar | None) -> Iterator[Calendar]:
    """Its own first, then those of the same person, and those that are kept in step before others; each of Google's once, also where two people share it."""
    own, connection = (home.id, home.connection) if home else ("", "")
    asked = set()
    for calendar in sorted(calendars, key=lambda c: (c.id != own, c.connection != connection, not c.in_use, c.id)):
        if calendar.state == "active" and calendar.role in DETAILED_ROLES and calendar.google_id not in asked:
            asked.add(calendar.google_id)
            yield calendar


def _has(work: Work, calendar: Calendar, session: Session, copy: GoogleCopy) -> bool:
    try:
        event = work.google(calendar.connection).get(calendar.google_id, copy.event)
    except (Missing, AlreadyGone, Forbidden):
        return False
    return _is_it(event, session)


def _is_it(event: Event, session: Session) -> bool:
    """An invitation to it would have the same id, but not our mark."""
    return event.get("status") != "cancelled" and is_of_session(event, session)


def _decide(work: Work, copy: GoogleCopy, *, certain: bool) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        (session,), bookings = read_sessions(reader, [work.subject])
        known = session.copies.get(copy.calendar)
        if known is None or known.event != copy.event:
            return Decision(answer=None)
        reader.load(Ref(Service, session.service), *ledger_refs_of(session))
        missing = missing_event.Missing(
            calendar=copy.calendar,
            session=session,
            bookings=tuple(bookings),
            service=reader.get(Ref(Service, session.service)),
            certain=certain,
            now=work.now(),
        )
        return missing_event.decide_missing(missing)

    work.store.run(work.account, attempt)


def _take_home(work: Work, copy: GoogleCopy, calendar: Calendar) -> None:
    """Under the lease of the calendar in which it is, so that no page of its feed is applied between the look and the commit."""
    held = acquire(replace(work, subject=calendar.id)) if calendar.in_use else None
    if held is None and calendar.in_use:
        raise TryLater("the calendar is being pulled")
    try:
        event = work.google(calendar.connection).get(calendar.google_id, copy.event)
        work.store.run(work.account, lambda reader: _home(work, reader, copy, calendar.id, event, held))
    except LeaseLost:
        raise TryLater("another worker took over the calendar") from None
    finally:
        if held is not None:
            with suppress(LeaseLost, Refusal):  # contended: the lease then runs out by itself
                hand_over(work, held)


def _home(
    work: Work, reader: Reader, copy: GoogleCopy, calendar_id: str, event: Event, held: Held | None
) -> Decision[None]:
    session = reader.get(Ref(Session, work.subject))
    calendar = reader.get(Ref(Calendar, calendar_id)) if held is None else held_calendar(reader, held)
    known = session.copies.get(copy.calendar) if session else None
    if session is None or calendar is None or known is None or known.event != copy.event or known.missing_since is None:
        return Decision(answer=None)
    if not _is_it(event, session):
        raise TryLater("the event has gone again")
    moved: Decision[Session] = Decision(answer=session)
    if calendar.id != copy.calendar:
        moved = missing_event.rehomed(session, copy.calendar, calendar.id)
    session = moved.answer
    row = mirror_row(event, calendar=calendar.id, generation=calendar.cursor.generation, session=session.id)
    inbound = read_inbound(
        reader, row, session, calendar.time_zone, now=work.now(), declined_by=declined_by_guests(event)
    )
    decision = in_one_commit((moved, decide_inbound(inbound)), None)
    after = next((each for each in decision.documents if isinstance(each, Session)), session)
    asked = recalculations(session.resources if decision.changes else ())
    # What was still to be written waited for the event to be found.
    pending = (Effect(kind="push", subject=after.id),) if after.copy_pending else ()
    decision = decision.also(effects=tuple(dict.fromkeys((*asked, *pending))))
    if held is None:
        return decision
    return with_row(reader, decision, row, session, calendar, now=work.now()).with_documents(
        renewed(calendar, work.now())
    )
