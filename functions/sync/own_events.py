"""Events of ours that a pull found: the session follows what somebody did to them in Google (see `domain.inbound`)."""

from functions.adapters.google_calendar import Event, GoogleCalendar
from functions.adapters.google_errors import AlreadyGone, Missing
from functions.adapters.store.documents import ledger_ref, mirror_ref
from functions.adapters.store.store import Reader
from functions.domain.availability import ResourceState
from functions.domain.brought_back import may_be_brought_back, note_brought_back
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.event_ids import session_of
from functions.domain.google_event import MirrorEvent, declined_by_guests
from functions.domain.inbound import Inbound, decide_inbound, event_is_ours, is_disputed, new_times
from functions.domain.instants import months_between
from functions.domain.ledger import merge_changes
from functions.domain.mirroring import project_alone
from functions.domain.session import Booking, Session
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
        decision = decide_inbound(inbound_of(reader, work, row, session, calendar.time_zone, declined_by))
        # Time that one session has left or taken is time that another one has or lacks.
        changed = session.resources if decision.changes else ()
        decision = with_row(reader, work, decision, row, session, calendar)
        if decision.writes_nothing:
            return decision
        return decision.with_documents(renewed(calendar, work.now()).with_changed(changed))

    work.store.run(work.account, attempt)


def follow_return(work: Work, held: Held, row: MirrorEvent) -> None:
    """An event that has the id of one of ours, and is none: it may be one that was deleted and brought back (case 102)."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_of(row.id) or ""))
        calendar = held_calendar(reader, held)
        if session is None or not may_be_brought_back(row.id, calendar.id, session):
            return Decision(answer=None)
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


def with_row(
    reader: Reader, work: Work, decision: Decision[None], row: MirrorEvent, before: Session, calendar: Calendar
) -> Decision[None]:
    """The decision, with the event's row and its blocks as the session has them after it: a disputed time is taken in the very commit that leaves it open."""
    after = next((each for each in decision.documents if isinstance(each, Session)), before)
    known = reader.get(mirror_ref(calendar.id, row.id))
    wanted = row.model_copy(
        update={
            "session": after.id,
            "disputed": is_disputed(after, calendar.id),
            "spared": (),
            "months": () if known is None else known.months,
        }
    )
    if row.cancelled or row.kind != "single" or wanted == known:
        return decision
    projection = project_alone(wanted, known, calendar, work.now())
    changes = merge_changes((*decision.changes, *projection.changes))
    reader.load(*(ledger_ref(change.resource, change.month) for change in changes))
    rows = tuple(each for each in projection.rows if each != known)
    return decision.with_ledger(changes).also(documents=rows)


def inbound_of(
    reader: Reader,
    work: Work,
    event: MirrorEvent,
    session: Session,
    zone: str,
    declined_by: frozenset[str] | None = None,
) -> Inbound:
    times = new_times(event, zone) or session.times
    moved = session.moved_to(times.start, times.end, at=work.now())
    months = {*months_between(*session.occupation.taken), *months_between(*moved.occupation.taken)}
    refs = {resource: [ledger_ref(resource, month) for month in sorted(months)] for resource in session.resources}
    reader.load(
        Ref(Service, session.service),
        *(Ref(Booking, booking) for booking in (*session.seats, *session.holds)),
        *(Ref(Resource, resource) for resource in session.resources),
        *(ref for month_refs in refs.values() for ref in month_refs),
    )
    bookings = tuple(b for key in (*session.seats, *session.holds) if (b := reader.get(Ref(Booking, key))) is not None)
    states = tuple(
        ResourceState(
            resource=resource,
            months=tuple(month for ref in refs[name] if (month := reader.get(ref)) is not None),
            known_until=0,  # what is known of other calendars does not matter: the session is where Google says
        )
        for name in session.resources
        if (resource := reader.get(Ref(Resource, name))) is not None
    )
    return Inbound(
        event=event,
        session=session,
        bookings=bookings,
        states=states,
        service=reader.get(Ref(Service, session.service)),
        calendar_zone=zone,
        now=work.now(),
        declined_by=declined_by,
    )
