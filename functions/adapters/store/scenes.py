"""What sessions are judged by, read from the store: the same for a recalculation and for a preview of one."""

from collections.abc import Iterable, Iterator

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.horizon import new_horizon
from functions.domain.instants import MINUTE_MS, Millis, Minute, months_between
from functions.domain.ledger import LedgerMonth
from functions.domain.session import Booking, Session
from functions.domain.standing import Scene

Place = tuple[str, str]  # a resource and a month


def places_ahead(resource: str, now: Millis) -> list[Place]:
    """Everything of a resource from now to the horizon."""
    return [(resource, month) for month in months_between(now // MINUTE_MS, new_horizon(now))]


def places_of(sessions: Iterable[Session]) -> list[Place]:
    """Every month that one of these sessions touches, at each of its resources."""
    return [
        (resource, month)
        for session in sessions
        for month in months_between(*session.occupation.taken)
        for resource in session.resources
    ]


def read_scene(reader: Reader, places: Iterable[Place], *, now: Millis) -> Scene:
    """Two batched reads: resources with their ledger months, then the services that these name and the calendars that block."""
    places = sorted(set(places))
    names = tuple(dict.fromkeys(resource for resource, _ in places))
    reader.load(*(Ref(Resource, name) for name in names), *(ledger_ref(*place) for place in places))
    resources = {name: resource for name in names if (resource := reader.get(Ref(Resource, name))) is not None}
    months: dict[str, tuple[LedgerMonth, ...]] = dict.fromkeys(names, ())
    for place in places:
        if (month := reader.get(ledger_ref(*place))) is not None:
            months[place[0]] += (month,)
    sold = {entry.service for known in months.values() for month in known for entry in month.sessions.values()}
    blocking = {calendar for each in resources.values() for calendar in each.blocked_by}
    reader.load(*(Ref(Service, name) for name in sold), *(Ref(Calendar, name) for name in blocking))
    return Scene(
        resources=resources,
        services={name: service for name in sold if (service := reader.get(Ref(Service, name))) is not None},
        months=months,
        now=now,
        known_until={name: _laid_out_until(reader, each, now) for name, each in resources.items()},
    )


def read_sessions(reader: Reader, sessions: Iterable[str]) -> tuple[list[Session], list[Booking]]:
    """These sessions, with all that have or hold seats in them."""
    refs = [Ref(Session, session) for session in sessions]
    reader.load(*refs)
    found = [session for ref in refs if (session := reader.get(ref)) is not None]
    keys = [Ref(Booking, key) for session in found for key in (*session.seats, *session.holds)]
    reader.load(*keys)
    return found, [booking for ref in keys if (booking := reader.get(ref)) is not None]


def read_resources_of(reader: Reader, session: Session) -> Iterator[Resource]:
    """The session's own, those that there are; read once somebody asks for the first."""
    refs = [Ref(Resource, name) for name in session.resources]
    reader.load(*refs)
    yield from (resource for ref in refs if (resource := reader.get(ref)) is not None)


def _laid_out_until(reader: Reader, resource: Resource, now: Millis) -> Minute:
    """Up to which minute the ledger holds the events of every calendar that blocks the resource, however long ago they were read."""
    calendars = (reader.get(Ref(Calendar, name)) for name in resource.blocked_by)
    reached = (calendar.projected.get(resource.id, 0) if calendar else 0 for calendar in calendars)
    return min(reached, default=new_horizon(now))
