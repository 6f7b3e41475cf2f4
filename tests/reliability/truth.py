"""The truth of an account: whether everything that it has stored tells one story.

`read_books` reads every document at one instant, straight from Firestore; `lies` says, in words, what can't be true of them at the same time. Nothing of
the system's own reading is used, only its documents: a decision that is wrong and consistently so is found all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.cloud import firestore

from functions.adapters.clock import now_millis
from functions.adapters.store.documents import COLLECTIONS, decode
from functions.adapters.store.store import Store
from functions.domain.decision import Ref
from functions.domain.instants import Millis, months_between, rfc3339
from functions.domain.ledger import LedgerMonth, Occupation, ledger_id
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import Place, Queue, WaitlistEntry

D = TypeVar("D")

SEATED = {
    "confirmed",
    "completed",
    "no_show",
}  # the statuses of bookings that sit in their session; a `held` one is kept there


@dataclass(frozen=True, kw_only=True)
class Books:
    """Everything that says who has which seat and whose time is taken, by id, as it was at `now`."""

    now: Millis
    sessions: Mapping[str, Session] = field(default_factory=dict)
    bookings: Mapping[str, Booking] = field(default_factory=dict)
    months: Mapping[str, LedgerMonth] = field(default_factory=dict)  # by `ledger_id`
    entries: Mapping[str, WaitlistEntry] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)

    @property
    def open(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.status == "open"]


def check_truth(store: Store, account: str) -> Books:
    """Fails with everything that is wrong with the account; answers with what was read."""
    books = read_books(store, account)
    found = lies(books)
    assert not found, f"{len(found)} untrue in {account}:\n" + "\n".join(found)
    return books


def read_books(store: Store, account: str) -> Books:
    """In a read-only transaction, which sees one instant and holds nobody up."""

    @firestore.transactional
    def read(transaction: firestore.Transaction) -> Books:
        def every(type_: type[D]) -> dict[str, D]:
            found = store.client.collection(f"accounts/{account}/{COLLECTIONS[type_]}").stream(transaction=transaction)
            return {snapshot.id: decode(Ref(type_, snapshot.id), snapshot.to_dict()) for snapshot in found}

        return Books(
            now=now_millis(),
            sessions=every(Session),
            bookings=every(Booking),
            months={month: decode(Ref(LedgerMonth, month), fields) for month, fields in _months(transaction)},
            entries=every(WaitlistEntry),
            queues=every(Queue),
        )

    def _months(transaction: firestore.Transaction) -> Iterator[tuple[str, Mapping[str, Any]]]:
        # Of the whole account, so that a month below a resource that does not exist is found as well.
        months = firestore.CollectionGroup(store.client.collection(f"accounts/{account}/months"))
        for snapshot in months.stream(transaction=transaction):
            resource, _, month = snapshot.reference.path.split("/")[-3:]
            yield ledger_id(resource, month), snapshot.to_dict()

    return read(store.client.transaction(read_only=True))  # type: ignore[no-any-return]


def lies(books: Books) -> list[str]:
    """What is wrong, one sentence each; empty where all is true."""
    return [
        *_seats_sold_twice(books),
        *_seats_without_their_owner(books),
        *_owners_without_their_seats(books),
        *_offers(books),
        *_queues(books),
        *_ledger(books),
        *_time_taken_twice(books),
    ]


def _seats_sold_twice(books: Books) -> Iterator[str]:
    for session in books.open:
        held = sum(hold.seats for hold in session.holds.values() if books.now < hold.expires_at)
        sold = sum(session.seats.values())
        known = session.conflict is not None and session.conflict.reason == "over_capacity"
        if sold + held > session.capacity and not known:
            yield f"session {session.id} has {session.capacity} seats; {sold} are sold and {held} held"


def _seats_without_their_owner(books: Books) -> Iterator[str]:
    """Every seat is owned by one booking, which says the same of itself."""
    for session in books.sessions.values():
        if session.status != "open" and (session.seats or session.holds):
            yield f"session {session.id} is {session.status}, and somebody sits in it"
        for key in session.seats.keys() & session.holds.keys():
            yield f"session {session.id}: booking {key} has its seats twice, sold and held"
        for key, seats in session.seats.items():
            yield from _owner(books, session, key, seats, statuses=SEATED)
        for key, hold in session.holds.items():
            yield from _owner(books, session, key, hold.seats, statuses={"held"})
            booking = books.bookings.get(key)
            if booking is not None and booking.expires_at != hold.expires_at:
                yield f"session {session.id} keeps seats until {hold.expires_at}, booking {key} until {booking.expires_at}"


def _owner(books: Books, session: Session, key: str, seats: int, *, statuses: set[str]) -> Iterator[str]:
    where = f"session {session.id}: {seats} seats"
    booking = books.bookings.get(key)
    if booking is None:
        yield f"{where} of booking {key}, which does not exist"
        return
    if booking.session != session.id:
        yield f"{where} of booking {key}, which is in session {booking.session}"
    if booking.seats != seats:
        yield f"{where} of booking {key}, which has {booking.seats}"
    if booking.status not in statuses:
        yield f"{where} of booking {key}, which is {booking.status}"


def _owners_without_their_seats(books: Books) -> Iterator[str]:
    """Every booking that lives sits in its session and in no other, and says of it what is so."""
    places = Counter(key for session in books.sessions.values() for key in (*session.seats, *session.holds))
    for booking in books.bookings.values():
        if booking.status not in {*SEATED, "held"}:
            continue
        name = f"booking {booking.id} ({booking.status})"
        session = books.sessions.get(booking.session)
        if session is None:
            yield f"{name} is in session {booking.session}, which does not exist"
            continue
        taken = session.holds if booking.status == "held" else session.seats
        if booking.id not in taken:
            yield f"{name} has no seat in its session {session.id}, which is {session.status}"
        if places[booking.id] > 1:
            yield f"{name} sits in {places[booking.id]} places"
        if booking.start != session.start:
            yield f"{name} starts at {rfc3339(booking.start)}, its session at {rfc3339(session.start)}"
        if booking.resources != session.resources:
            yield f"{name} is with {booking.resources}, its session with {session.resources}"
        if booking.service != session.service:
            yield f"{name} is of service {booking.service}, its session of {session.service}"


def _offers(books: Books) -> Iterator[str]:
    """An offer is a held booking; it and the entry of the waitlist name each other."""
    for entry in books.entries.values():
        name = f"waitlist entry {entry.id} ({entry.status})"
        if entry.status == "waiting" and entry.booking is not None:
            yield f"{name} has the booking {entry.booking}"
        booking = books.bookings.get(entry.booking or "")
        if entry.status == "offered" and (booking is None or booking.status != "held" or booking.entry != entry.id):
            said = "does not exist" if booking is None else f"is {booking.status}, for entry {booking.entry}"
            yield f"{name} has the offer {entry.booking}, which {said}"
        if entry.status == "booked" and booking is None:
            yield f"{name} was booked as {entry.booking}, which does not exist"
    for booking in books.bookings.values():
        if booking.status == "held" and booking.entry is not None:
            entry = books.entries.get(booking.entry)
            if entry is None or entry.status != "offered" or entry.booking != booking.id:
                said = "does not exist" if entry is None else f"is {entry.status}, with {entry.booking}"
                yield f"booking {booking.id} is held as an offer for entry {booking.entry}, which {said}"


def _queues(books: Books) -> Iterator[str]:
    """Who waits or has an offer stands in the queue of their service, and nobody else does."""
    waiting: dict[str, dict[str, Place]] = defaultdict(dict)
    offered: dict[str, dict[str, str | None]] = defaultdict(dict)
    for entry in books.entries.values():
        if entry.status == "waiting":
            waiting[entry.service][entry.id] = entry.place
        elif entry.status == "offered":
            offered[entry.service][entry.id] = entry.booking
    for service in {*waiting, *offered, *books.queues}:
        queue = books.queues.get(service) or Queue(id=service)
        for entry_id in waiting[service].keys() - queue.places.keys():
            yield f"waitlist entry {entry_id} waits, and is not in the queue of {service}"
        for entry_id in queue.places.keys() - waiting[service].keys():
            known = books.entries.get(entry_id)
            said = "does not exist" if known is None else f"is {known.status}, for {known.service}"
            yield f"the queue of {service} holds entry {entry_id}, which {said}"
        for entry_id in queue.places.keys() & waiting[service].keys():
            place, own = queue.places[entry_id], waiting[service][entry_id]
            if (place.seats, place.client_key, place.joined_at) != (own.seats, own.client_key, own.joined_at):
                yield f"the queue of {service} and entry {entry_id} differ on who waits for how many seats since when"
        said_offers = {entry_id: offer.booking for entry_id, offer in queue.offered.items()}
        if said_offers != offered[service]:
            yield f"the queue of {service} says that {said_offers} are offered, its entries say {offered[service]}"


def _ledger(books: Books) -> Iterator[str]:
    """Every open session stands in exactly the months and at the resources that it touches, as it is; nothing else stands there."""
    told = {
        (ledger_id(resource, month), session.id): session.occupation
        for session in books.open
        for resource in session.resources
        for month in months_between(*session.occupation.taken)
    }
    stands = {(id_, key): entry for id_, month in books.months.items() for key, entry in month.sessions.items()}
    for place, key in told.keys() - stands.keys():
        yield f"ledger {place} lacks session {key}, which is open"
    for place, key in stands.keys() - told.keys():
        session = books.sessions.get(key)
        said = "does not exist" if session is None else f"is {session.status} and has no place there"
        yield f"ledger {place} holds session {key}, which {said}"
    for place, key in told.keys() & stands.keys():
        if differing := _differing(stands[place, key], told[place, key]):
            yield f"ledger {place} and session {key} differ on {', '.join(differing)}"


def _differing(one: Occupation, other: Occupation) -> list[str]:
    return [name for name, value in vars(one).items() if value != vars(other)[name]]


def _time_taken_twice(books: Books) -> Iterator[str]:
    """Sessions of one resource do not overlap, buffers included, unless one of them is known to be in conflict."""
    by_resource: dict[str, list[Session]] = defaultdict(list)
    for session in books.open:
        if session.conflict is None and session.occupation.takes_time(books.now):
            for resource in session.resources:
                by_resource[resource].append(session)
    for resource, sessions in by_resource.items():
        for earlier, later in _overlapping(sessions):
            yield (
                f"{resource} has session {earlier.id} until {rfc3339(earlier.taken_until)} "
                f"and session {later.id} from {rfc3339(later.taken_from)}"
            )


def _overlapping(sessions: Iterable[Session]) -> Iterator[tuple[Session, Session]]:
    """Each that begins before the latest end of those before it, with the one that ends then."""
    ordered = sorted(sessions, key=lambda session: (session.taken_from, session.taken_until))
    latest: Session | None = None
    for session in ordered:
        if latest is not None and session.taken_from < latest.taken_until:
            yield latest, session
        if latest is None or session.taken_until > latest.taken_until:
            latest = session
