"""What is read of an event of ours (`domain.own_event`), and written with a decision about it: the same for a pull, for a search and for an operator who
decides. Who asks for the decision is elsewhere: `sync.own_events` where a pull found the event, `sync.missing_events`, and `booking.conflicts`.
"""

from typing import TypeVar

from functions.adapters.store.documents import ledger_ref, mirror_ref
from functions.adapters.store.scenes import read_resources_of
from functions.adapters.store.store import Reader
from functions.domain.availability import ResourceState
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.destinations import once_decided
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import Millis, months_between
from functions.domain.ledger import merge_changes
from functions.domain.mirroring import project_alone
from functions.domain.own_event import Inbound, is_disputed, new_times
from functions.domain.session import Booking, Session

A = TypeVar("A")


def with_row(
    reader: Reader, decision: Decision[A], row: MirrorEvent, before: Session, calendar: Calendar, *, now: Millis
) -> Decision[A]:
    """The decision, with the event's row and its blocks as the session has them after it: a disputed time is taken in the very commit that leaves it open."""
    after = next((each for each in decision.documents if isinstance(each, Session)), before)
    decision = decision.also(effects=once_decided(before, after, read_resources_of(reader, after)))
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
    projection = project_alone(wanted, known, calendar, now)
    changes = merge_changes((*decision.changes, *projection.changes))
    reader.load(*(ledger_ref(change.resource, change.month) for change in changes))
    rows = tuple(each for each in projection.rows if each != known)
    return decision.with_ledger(changes).also(documents=rows)


def read_inbound(
    reader: Reader,
    event: MirrorEvent,
    session: Session,
    zone: str,
    *,
    now: Millis,
    declined_by: frozenset[str] | None = None,
) -> Inbound:
    """All that is decided by of an event of ours: the session with its bookings, its service, and the ledger around its old and its new time."""
    times = new_times(event, zone) or session.times
    moved = session.moved_to(times.start, times.end, at=now)
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
        now=now,
        declined_by=declined_by,
    )
