"""What a decision about a waitlist reads: the queue, and everything that those who wait in it could get."""

from collections.abc import Iterable, Mapping

from functions.adapters.store import queries
from functions.adapters.store.documents import ACCOUNT, ledger_refs_of
from functions.adapters.store.reading import Wanted, read_service
from functions.adapters.store.store import Reader, Store
from functions.domain.availability import ClientBooking
from functions.domain.configuration import Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.errors import NotFound
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.intervals import Interval
from functions.domain.session import ClientGuard, Session
from functions.domain.waitlist.entry import Queue, Wish
from functions.domain.waitlist.preset import USUAL, Preset
from functions.domain.waitlist.snapshot import Waitlist


def read_waitlist(
    reader: Reader,
    service_id: str,
    *,
    now: Millis,
    stale_after: Millis,
    sessions: Iterable[str] = (),
    around: Interval | None = None,
    also: Iterable[AnyRef] = (),
) -> Waitlist:
    """The waitlist of a service. `sessions` and `around`: what is asked about beside that which the queue waits for. Raises `NotFound`."""
    service_ref, queue_ref = Ref(Service, service_id), Ref(Queue, service_id)
    reader.load(service_ref, queue_ref, ACCOUNT, *also)
    service, account = reader.get(service_ref), reader.get(ACCOUNT)
    if service is None or account is None:
        raise NotFound(f"There is no service {service_id}.")
    queue = reader.get(queue_ref) or Queue(id=service_id)
    wishes = [place.wish for place in queue.places.values()] + [offer.place.wish for offer in queue.offered.values()]
    named = _named_sessions(reader, {*sessions, *(name for wish in wishes for name in wish.sessions)}, service)
    preset = _preset(reader, service.waitlist) or USUAL
    own = {session.waitlist for session in named.values() if session.waitlist is not None}
    reader.load(*(Ref(Preset, name) for name in own))
    presets = {name: found for name in own if (found := _preset(reader, name)) is not None}
    span = _span(now, wishes, named.values(), around)
    state = read_service(
        reader, Wanted(service=service_id, start=span.start, end=span.end), now=now, stale_after=stale_after
    )
    return Waitlist(
        service=state.service,
        states=state.states,
        queue=queue,
        preset=preset,
        presets=presets,
        sessions=named,
        time_zone=account.time_zone,
        now=now,
    )


def read_client_bookings(
    reader: Reader, store: Store, service: Service, client_key: str, *, without: str | None = None
) -> tuple[ClientBooking, ...]:
    """What counts against a client's limits. The guard is read first: what is counted is at least as new."""
    reader.load(Ref(ClientGuard, client_key))
    found = queries.bookings_of_client(store, reader.account, client_key, service.id)
    bookings = [booking for booking in found if booking.id != without]
    reader.load(*(Ref(Session, booking.session) for booking in bookings))
    sessions = [session for b in bookings if (session := reader.get(Ref(Session, b.session))) is not None]
    return tuple(ClientBooking(service=service.id, start=s.start, end=s.end) for s in sessions)


def _named_sessions(reader: Reader, names: set[str], service: Service) -> Mapping[str, Session]:
    reader.load(*(Ref(Session, name) for name in names), *([Ref(Preset, service.waitlist)] if service.waitlist else []))
    found = {name: session for name in names if (session := reader.get(Ref(Session, name))) is not None}
    # What a session says of those who wait stands in its ledger months too.
    reader.load(*(ref for session in found.values() for ref in ledger_refs_of(session)))
    return found


def _preset(reader: Reader, name: str | None) -> Preset | None:
    return None if name is None else reader.get(Ref(Preset, name))


def _span(now: Millis, wishes: Iterable[Wish], sessions: Iterable[Session], around: Interval | None) -> Interval:
    """From the first start that can still be had to the last."""
    starts: list[Minute] = [session.start for session in sessions]
    starts += [edge for wish in wishes for edge in (wish.start, wish.end - 1)]
    starts += [] if around is None else [around.start, around.end - 1]
    first = now // MINUTE_MS
    ahead = [start for start in starts if start >= first]
    begins = first if len(ahead) < len(starts) or not ahead else min(ahead)
    return Interval(begins, max(ahead, default=first) + 1)
