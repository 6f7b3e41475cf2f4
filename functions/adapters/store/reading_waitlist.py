"""What a decision about a waitlist reads: the queue, and everything that those who wait in it could get."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from functions.adapters.store import queries
from functions.adapters.store.documents import ACCOUNT, ledger_refs_of
from functions.adapters.store.reading import Wanted, read_service
from functions.adapters.store.store import Reader, Store
from functions.domain.appointments import Booked
from functions.domain.availability import ClientBooking, ResourceState
from functions.domain.configuration import Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.errors import NotFound
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import Occupation
from functions.domain.session import Booking, ClientGuard, Session
from functions.domain.waitlist.entry import Queue, WaitlistEntry, Wish
from functions.domain.waitlist.preset import USUAL, Preset
from functions.domain.waitlist.snapshot import Waitlist


def read_waitlist(
    reader: Reader,
    service_id: str,
    *,
    now: Millis,
    stale_after: Millis,
    sessions: Iterable[str] = (),
    wishes: Iterable[Wish] = (),
    also: Iterable[AnyRef] = (),
) -> Waitlist:
    """The waitlist of a service. `sessions` and `wishes`: what is asked about beside that which the queue waits for. Raises `NotFound`."""
    waitlist = _read_queue(reader, service_id, now=now, also=also)
    queue = waitlist.queue
    wishes = [*wishes, *(place.wish for place in (*queue.places.values(), *(o.place for o in queue.offered.values())))]
    named = _read_sessions(reader, {*sessions, *(name for wish in wishes for name in wish.sessions)})
    span = _span(now, wishes, named)
    wanted = Wanted(service=service_id, start=span.start, end=span.end)
    state = read_service(reader, wanted, now=now, stale_after=stale_after)
    running = _read_sessions(reader, _running(state.states, state.service, wishes, now))
    found = {session.id: session for session in (*named, *running) if session.service == service_id}
    # What a session says of those who wait stands in its ledger months too.
    reader.load(*(ref for session in found.values() for ref in ledger_refs_of(session)))
    return _with_sessions(reader, replace(waitlist, service=state.service, states=state.states), found)


@dataclass(frozen=True, kw_only=True)
class EntryState:
    """An entry, the waitlist that it is in, and what it was offered last, if anything."""

    entry: WaitlistEntry
    waitlist: Waitlist
    offer: Booked | None


def read_entry(reader: Reader, entry_id: str, *, now: Millis, stale_after: Millis) -> EntryState:
    """For deciding. Raises `NotFound`."""
    entry = _entry(reader, entry_id)
    booking = None if entry.booking is None else reader.get(Ref(Booking, entry.booking))
    waitlist = read_waitlist(
        reader,
        entry.service,
        now=now,
        stale_after=stale_after,
        sessions=() if booking is None else (booking.session,),
        wishes=(entry.place.wish,),
    )
    return EntryState(entry=entry, waitlist=waitlist, offer=_offer(reader, booking))


def read_standing(reader: Reader, entry_id: str, *, now: Millis) -> EntryState:
    """For looking: of what is free the waitlist knows nothing. Raises `NotFound`."""
    entry = _entry(reader, entry_id)
    also = () if entry.booking is None else (Ref(Booking, entry.booking),)
    waitlist = _read_queue(reader, entry.service, now=now, also=also)
    named = {session.id: session for session in _read_sessions(reader, entry.place.wish.sessions)}
    booking = None if entry.booking is None else reader.get(Ref(Booking, entry.booking))
    return EntryState(entry=entry, waitlist=_with_sessions(reader, waitlist, named), offer=_offer(reader, booking))


def read_client_bookings(
    reader: Reader, store: Store, service: Service, client_key: str, *, without: Container[str | None] = ()
) -> tuple[ClientBooking, ...]:
    """What counts against a client's limits. The guard is read first: what is counted is at least as new."""
    reader.load(Ref(ClientGuard, client_key))
    found = queries.bookings_of_client(store, reader.account, client_key, service.id)
    bookings = [booking for booking in found if booking.id not in without]
    reader.load(*(Ref(Session, booking.session) for booking in bookings))
    sessions = [session for b in bookings if (session := reader.get(Ref(Session, b.session))) is not None]
    return tuple(ClientBooking(service=service.id, start=s.start, end=s.end) for s in sessions)


def _entry(reader: Reader, entry_id: str) -> WaitlistEntry:
    entry = reader.get(Ref(WaitlistEntry, entry_id))
    if entry is None:
        raise NotFound("There is no such place on a waitlist.")
    return entry


def _offer(reader: Reader, booking: Booking | None) -> Booked | None:
    session = None if booking is None else reader.get(Ref(Session, booking.session))
    return None if booking is None or session is None else Booked(booking, session)


def _read_queue(reader: Reader, service_id: str, *, now: Millis, also: Iterable[AnyRef]) -> Waitlist:
    service_ref, queue_ref = Ref(Service, service_id), Ref(Queue, service_id)
    reader.load(service_ref, queue_ref, ACCOUNT, *also)
    service, account = reader.get(service_ref), reader.get(ACCOUNT)
    if service is None or account is None:
        raise NotFound(f"There is no service {service_id}.")
    return Waitlist(
        service=service,
        states=(),
        queue=reader.get(queue_ref) or Queue(id=service_id),
        preset=preset_of(reader, service),
        time_zone=account.time_zone,
        now=now,
    )


def _with_sessions(reader: Reader, waitlist: Waitlist, sessions: Mapping[str, Session]) -> Waitlist:
    own = {session.waitlist for session in sessions.values() if session.waitlist is not None}
    reader.load(*(Ref(Preset, name) for name in own))
    presets = {name: preset for name in own if (preset := _preset(reader, name)) is not None}
    return replace(waitlist, sessions=sessions, presets=presets)


def preset_of(reader: Reader, service: Service) -> Preset:
    """The rules of a service's waitlist."""
    return _preset(reader, service.waitlist) or USUAL


def _preset(reader: Reader, name: str | None) -> Preset | None:
    return None if name is None else reader.get(Ref(Preset, name))


def _read_sessions(reader: Reader, names: Iterable[str]) -> list[Session]:
    refs = [Ref(Session, name) for name in names]
    reader.load(*refs)
    return [session for ref in refs if (session := reader.get(ref)) is not None]


def _running(states: Iterable[ResourceState], service: Service, wishes: Iterable[Wish], now: Millis) -> set[str]:
    """The sessions with more than one seat that run at a start that is waited for, and those with seats left in a range of starts."""
    starts = {start for wish in wishes if not wish.sessions for start in wish.starts}
    ranges = merge(Interval(wish.start, wish.end) for wish in wishes if wish.is_range)
    return {
        entry.session
        for entry in _ahead(states, service, now)
        if entry.start in starts
        or (entry.seats_left(now) > 0 and any(within.start <= entry.start < within.end for within in ranges))
    }


def _ahead(states: Iterable[ResourceState], service: Service, now: Millis) -> Iterator[Occupation]:
    for state in states:
        for month in state.months:
            for entry in month.sessions.values():
                can_be_shared = entry.scheduled or entry.capacity > 1
                if entry.service == service.id and can_be_shared and now < entry.start * MINUTE_MS:
                    yield entry


def _span(now: Millis, wishes: Iterable[Wish], sessions: Iterable[Session]) -> Interval:
    """From the first start that can still be had to the last."""
    starts: list[Minute] = [session.start for session in sessions]
    starts += [edge for wish in wishes for edge in (wish.start, wish.end - 1)]
    first = now // MINUTE_MS
    ahead = [start for start in starts if start >= first]
    begins = first if len(ahead) < len(starts) or not ahead else min(ahead)
    return Interval(begins, max(ahead, default=first) + 1)
