"""Events of ours that a pull found: the session follows what somebody did to them in Google (see `domain.inbound`)."""

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.store import Reader
from functions.domain.availability import ResourceState
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.google_event import MirrorEvent
from functions.domain.inbound import Inbound, decide_inbound, event_is_ours, new_times
from functions.domain.instants import months_between
from functions.domain.session import Booking, Session
from functions.sync.leases import Held, held_calendar, renewed
from functions.sync.work import Work


def follow(work: Work, held: Held, event: MirrorEvent) -> None:
    """Makes the event's session follow it, in one commit under the lease: an old page in the hands of a slow worker can't undo newer ones."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, event.session or ""))
        calendar = held_calendar(reader, held)
        if session is None or not event_is_ours(event.id, calendar.id, session):
            return Decision(answer=None)
        decision = decide_inbound(_inbound(reader, work, event, session, calendar.time_zone))
        if decision.writes_nothing:
            return decision
        # Time that one session has left or taken is time that another one has or lacks.
        changed = session.resources if decision.changes else ()
        return decision.with_documents(renewed(calendar, work.now()).with_changed(changed))

    work.store.run(work.account, attempt)


def _inbound(reader: Reader, work: Work, event: MirrorEvent, session: Session, zone: str) -> Inbound:
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
    )
