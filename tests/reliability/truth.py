"""The truth of an account: whether everything that it has stored tells one story.

`read_books` reads every document at one instant, straight from Firestore; `lies` says, in words, what can't be true of them at the same time. Nothing of
the system's own reading is used, only its documents: a decision that is wrong and consistently so is found all the same. Nothing may be under way: what
tasks set right a moment later is a lie until then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from google.cloud import firestore

from functions.adapters.clock import now_millis
from functions.adapters.store.documents import collection_of, decode
from functions.adapters.store.store import Store
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.google_event import MirrorEvent
from functions.domain.hours import Hours
from functions.domain.instants import MINUTE_MS, Millis, month_bounds, month_of, months_between, rfc3339
from functions.domain.intervals import Interval, clip, merge
from functions.domain.ledger import LedgerChange, LedgerMonth, Occupation, ledger_id
from functions.domain.mirroring import Family, project
from functions.domain.session import Booking, Session
from functions.domain.state_changes import State, rebuilt, state_of
from functions.domain.waitlist.entry import Place, Queue, WaitlistEntry

D = TypeVar("D")

# The statuses of bookings that sit in their session; a `held` one is kept there.
SEATED = {"confirmed", "completed", "no_show"}

# What a session is flagged with that can't be kept, whatever its event in Google shows; and of that what the rule `cancel` ends it for.
NOT_KEPT = ("not_served", "taken", "outside_hours", "over_capacity")
ENDED_FOR = NOT_KEPT[:3]


@dataclass(frozen=True, kw_only=True)
class Books:
    """Everything that says who has which seat and whose time is taken, by id, as it was at `now`."""

    now: Millis
    sessions: Mapping[str, Session] = field(default_factory=dict)
    bookings: Mapping[str, Booking] = field(default_factory=dict)
    months: Mapping[str, LedgerMonth] = field(default_factory=dict)  # by `ledger_id`
    entries: Mapping[str, WaitlistEntry] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    rows: tuple[MirrorEvent, ...] = ()  # of all their mirrors
    told: Mapping[str, State] = field(
        default_factory=dict
    )  # the state of sessions, bookings and entries as history has it

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
            found = store.client.collection(f"accounts/{account}/{collection_of(type_)}").stream(
                transaction=transaction
            )
            return {snapshot.id: decode(Ref(type_, snapshot.id), snapshot.to_dict()) for snapshot in found}

        return Books(
            now=now_millis(),
            sessions=every(Session),
            bookings=every(Booking),
            months={month: decode(Ref(LedgerMonth, month), fields) for month, fields in _months(transaction)},
            entries=every(WaitlistEntry),
            queues=every(Queue),
            services=every(Service),
            resources=every(Resource),
            calendars=every(Calendar),
            rows=tuple(_rows(transaction)),
            told=_told(transaction),
        )

    def _months(transaction: firestore.Transaction) -> Iterator[tuple[str, Mapping[str, Any]]]:
        # Of the whole account, so that a month below a resource that does not exist is found as well.
        months = firestore.CollectionGroup(store.client.collection(f"accounts/{account}/months"))
        for snapshot in months.stream(transaction=transaction):
            resource, _, month = snapshot.reference.path.split("/")[-3:]
            yield ledger_id(resource, month), snapshot.to_dict()

    def _rows(transaction: firestore.Transaction) -> Iterator[MirrorEvent]:
        # Of the whole account too: also those of a calendar that does not exist.
        rows = firestore.CollectionGroup(store.client.collection(f"accounts/{account}/events"))
        for snapshot in rows.stream(transaction=transaction):
            yield MirrorEvent.model_validate(snapshot.to_dict())

    def _told(transaction: firestore.Transaction) -> dict[str, State]:
        history = store.client.collection(f"accounts/{account}/history").stream(transaction=transaction)
        changes: dict[str, list[State]] = defaultdict(list)
        for snapshot in sorted(history, key=lambda each: (each.create_time, each.get("place"))):
            record = snapshot.to_dict()
            for subject, change in record["state"].items():
                changes[record[subject]].append(change)
        return {name: rebuilt(states) for name, states in changes.items()}

    return read(store.client.transaction(read_only=True))  # type: ignore[no-any-return]


def lies(books: Books) -> list[str]:
    """What is wrong, one sentence each; empty where all is true."""
    return [
        *sold_twice(books),
        *_standing(books),
        *_seats_without_their_owner(books),
        *_owners_without_their_seats(books),
        *_offers(books),
        *_queues(books),
        *_seats_kept(books),
        *_inbox(books),
        *_ledger(books),
        *_blocks(books),
        *_history(books),
    ]


def sold_twice(books: Books) -> list[str]:
    """What of the lies must not be told for a moment, also while tasks are under way: it needs the sessions alone."""
    return [*_seats_sold_twice(books), *_time_taken_twice(books)]


def sold_over_google(books: Books, session: Session) -> Iterator[str]:
    """Whether a session that is sold at this moment is so over an event that the ledger knows. What has come since the sale shows in `_standing`."""
    known = session.conflict is not None or "taken" in session.accepted
    for name in session.resources:
        if not known and (over := _blocks_in(books, name, session.occupation.taken)):
            yield f"session {session.id} ({rfc3339(session.start)}) is sold at {name} over {over}"


def _seats_sold_twice(books: Books) -> Iterator[str]:
    for session in books.open:
        held = sum(hold.seats for hold in session.holds.values() if books.now < hold.expires_at)
        sold = sum(session.seats.values())
        known = session.conflict is not None and session.conflict.reason == "over_capacity"
        if sold + held > session.capacity and not known:
            yield f"session {session.id} has {session.capacity} seats; {sold} are sold and {held} held"


def _standing(books: Books) -> Iterator[str]:
    """Of every session ahead, that it can't be kept as it was promised is said where it is so and nowhere else; what its rule would end runs no more.

    What only its event shows is not reckoned: that conflict counts before all others.
    """
    for session in books.open:
        said = None if session.conflict is None else session.conflict.reason
        over = session.end * MINUTE_MS <= books.now
        if over or not session.occupation.takes_time(books.now) or said not in (None, *NOT_KEPT):
            continue
        there = [reason for reason in NOT_KEPT if reason in _in_the_way(books, session)]
        reason = next((each for each in there if each not in session.accepted), None)
        what = f"session {session.id} ({session.service}, {rfc3339(session.start)}, {', '.join(session.resources)})"
        if said != reason and not (said == "taken" and _is_laid_out_anew(books, session)):
            yield f"{what} is said to be {said or 'as promised'}, and is {reason or 'as promised'}; in its way: {there}, accepted: {session.accepted}"
        service = books.services.get(session.service)
        begun = session.start * MINUTE_MS <= books.now
        if reason in ENDED_FOR and service is not None and service.on_conflict == "cancel" and not begun:
            yield f"{what} is {reason}, and its rule says that it is cancelled then"


def _in_the_way(books: Books, session: Session) -> Iterator[str]:
    """Reckoned from the documents by themselves, minute by minute where hours are concerned; also what an operator lives with."""
    service = books.services.get(session.service)
    for name in session.resources:
        resource = books.resources.get(name)
        if resource is None or service is None or name not in service.resources:
            yield "not_served"
        if _blocks_in(books, name, session.occupation.taken) or any(_came_before(books, session, name)):
            yield "taken"
        if resource is not None and not session.scheduled and not _is_open(resource.hours, session.start, session.end):
            yield "outside_hours"
    capacity = session.capacity if session.scheduled or service is None else service.capacity
    if session.occupation.seats_promised(books.now) > capacity:
        yield "over_capacity"


def _blocks_in(books: Books, resource: str, time: Interval) -> list[tuple[str, str]]:
    """Which events (calendar and key) of calendars that block the resource take some of that time."""
    known = books.resources.get(resource)
    return [
        (calendar, key)
        for calendar in (() if known is None else known.blocked_by)
        for month in months_between(*time)
        if (held := books.months.get(ledger_id(resource, month))) is not None
        for key, blocks in held.blocks.get(calendar, {}).items()
        if any(start < time.end and time.start < end for start, end in blocks)
    ]


def _came_before(books: Books, session: Session, resource: str) -> Iterator[bool]:
    """Of every other session there that takes some of the same time: whether it came to it first."""
    there = [other for other in books.open if resource in other.resources and other.occupation.takes_time(books.now)]
    for other in there:
        overlap = other.taken_from < session.taken_until and session.taken_from < other.taken_until
        if overlap and other.id != session.id:
            yield (_came(other), other.id) < (_came(session), session.id)


def _came(session: Session) -> Millis:
    return session.created_at if session.moved_at is None else session.moved_at


def _is_open(hours: Hours, start: int, end: int) -> bool:
    """An hour that comes twice, where clocks go back, is open both times."""
    return all(any(_is_open_by(hours, day, minute) for day in _days_of(minute)) for minute in range(start, end))


def _days_of(minute: int) -> Iterator[date]:
    """Of which local date its opening may be, in whatever zone: openings may last until the end of the next one."""
    utc = datetime.fromtimestamp(minute * 60, ZoneInfo("UTC")).date()
    return (utc + timedelta(days=days) for days in (-2, -1, 0, 1))


def _is_open_by(hours: Hours, day: date, minute: int) -> bool:
    plan = hours.on(day)
    wall = datetime.fromtimestamp(minute * 60, ZoneInfo(plan.zone))
    since_midnight = (wall.date() - day).days * 24 * 60 + wall.hour * 60 + wall.minute
    return any(opens <= since_midnight < closes for opens, closes in plan.intervals)


def _is_laid_out_anew(books: Books, session: Session) -> bool:
    """While a calendar is, nothing is known to have come free."""
    blocking = {(name, calendar) for name in session.resources for calendar in books.resources[name].blocked_by}
    return any(books.calendars[calendar].projected.get(name, 0) < session.taken_until for name, calendar in blocking)


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
    """An offer is a held booking; it, the entry of the waitlist and the queue name each other."""
    for entry in books.entries.values():
        name = f"waitlist entry {entry.id} ({entry.status})"
        offer = books.bookings.get(entry.booking or "")
        if entry.status == "offered" and (offer is None or not offer.is_offer or offer.entry != entry.id):
            said = "does not exist" if offer is None else f"is {offer.status}, for entry {offer.entry}"
            yield f"{name} has the offer {entry.booking}, which {said}"
        if entry.status == "booked" and offer is None:
            yield f"{name} was booked as {entry.booking}, which does not exist"
        if entry.status == "waiting" and entry.booking is not None:
            yield f"{name} has the booking {entry.booking}"
    for booking in books.bookings.values():
        if booking.is_offer:
            entry = books.entries.get(booking.entry or "")
            if entry is None or (entry.status, entry.booking) != ("offered", booking.id):
                said = "does not exist" if entry is None else f"is {entry.status}, with the offer {entry.booking}"
                yield f"booking {booking.id} is held as an offer for entry {booking.entry}, which {said}"


def _queues(books: Books) -> Iterator[str]:
    """Who waits, and who has an offer, stands in the queue of their service, and nobody else does."""
    for service in {*books.queues, *(entry.service for entry in books.entries.values())}:
        queue = books.queues.get(service) or Queue(id=service)
        places: Mapping[str, Mapping[str, Place]] = {
            "waiting": queue.places,
            "offered": {entry: offered.place for entry, offered in queue.offered.items()},
        }
        for status, stand in places.items():
            entries = {e.id for e in books.entries.values() if (e.service, e.status) == (service, status)}
            for entry_id in entries - stand.keys():
                yield f"waitlist entry {entry_id} is {status}, and does not stand so in the queue of {service}"
            for entry_id in stand.keys() - entries:
                known = books.entries.get(entry_id)
                said = "does not exist" if known is None else f"is {known.status}, for {known.service}"
                yield f"in the queue of {service} entry {entry_id} stands as {status}, which {said}"
            for entry_id in stand.keys() & entries:
                place, own = stand[entry_id], books.entries[entry_id].place
                if any(
                    getattr(place, name) != getattr(own, name) for name in ("wish", "seats", "client_key", "joined_at")
                ):
                    yield f"the queue of {service} and entry {entry_id} differ on who waits for what since when"
        for entry_id, offered in queue.offered.items():
            if (known := books.entries.get(entry_id)) is not None and known.booking != offered.booking:
                yield f"in the queue of {service} entry {entry_id} has the offer {offered.booking}, not {known.booking}"


def _seats_kept(books: Books) -> Iterator[str]:
    """A session that runs says for which smallest party it keeps what comes free: of those who wait for it by name, and could have a seat in it."""
    for session in books.open:
        service, queue = books.services.get(session.service), books.queues.get(session.service)
        if service is None or (session.capacity == 1 and not session.scheduled):
            continue
        places = () if queue is None else queue.places.values()
        smallest = min((place.seats for place in places if _waits_for(place, session, service)), default=None)
        said = None if session.waiting is None else session.waiting.smallest
        if said != smallest:
            yield f"session {session.id} keeps seats for a party of {said}; the smallest that waits for it is of {smallest}"


def _inbox(books: Books) -> Iterator[str]:
    """Of a session that is over nothing is left to decide, unless its event was brought back."""
    for session in books.sessions.values():
        if session.status == "cancelled" and session.conflict is not None and session.conflict.reason != "brought_back":
            yield f"session {session.id} is cancelled, and somebody is to decide about it: {session.conflict.reason}"


def _waits_for(place: Place, session: Session, service: Service) -> bool:
    wish = place.wish
    if service.kind == "event" or wish.is_range:
        named = session.id in wish.sessions
    else:
        length = service.duration_minutes if wish.duration is None else wish.duration
        named = session.start in wish.starts and session.end - session.start == length
        named = named and wish.resource in (None, *session.resources)
    largest = session.capacity if service.kind == "event" else min(session.capacity, service.capacity)
    kept_from = place.paused or session.start in (*place.declined, *place.limited)
    return named and not kept_from and place.seats <= largest


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


def _blocks(books: Books) -> Iterator[str]:
    """From this month on the ledgers hold of every calendar what its mirror says, as far as they are laid out; whatever way the two came there."""
    families: dict[tuple[str, str], list[MirrorEvent]] = defaultdict(list)
    for row in books.rows:
        families[row.calendar, row.block_key].append(row)
    for calendar in books.calendars.values():
        rows_of = {key: rows for (name, key), rows in families.items() if name == calendar.id}
        for resource, until in calendar.projected.items():
            within = Interval(month_bounds(month_of(books.now // MINUTE_MS))[0], until)
            told = {
                (change.month, key): clip(merge(change.blocks[calendar.id, key] or ()), within)
                for key, rows in rows_of.items()
                for change in _laid_out(rows, calendar, resource, within)
            }
            stands = {
                (month, key): clip(merge(blocks), within)
                for month in months_between(*within)
                if (held := books.months.get(ledger_id(resource, month))) is not None
                for key, blocks in held.blocks.get(calendar.id, {}).items()
            }
            for month, key in {*told, *stands}:
                if (held_here := stands.get((month, key), [])) != (mirrored := told.get((month, key), [])):
                    yield f"ledger {resource}/{month} holds {held_here} of {calendar.id}/{key}, its mirror {mirrored}"


def _laid_out(rows: list[MirrorEvent], calendar: Calendar, resource: str, within: Interval) -> Iterable[LedgerChange]:
    """One event or series, as the ledger of a resource that knows nothing of it would take it in."""
    family = Family(key=rows[0].block_key, rows=tuple(rows), months=frozenset())
    zone = calendar.time_zone
    return project(family, calendar=calendar.id, resources=(resource,), calendar_zone=zone, within=within).changes


def _differing(one: Occupation, other: Occupation) -> list[str]:
    return [name for name, value in vars(one).items() if value != vars(other)[name]]


def _time_taken_twice(books: Books) -> Iterator[str]:
    """Sessions of one resource do not overlap, buffers included, unless one of them is known to be in conflict, or an operator lives with it."""
    by_resource: dict[str, list[Session]] = defaultdict(list)
    for session in books.open:
        if session.conflict is None and "taken" not in session.accepted and session.occupation.takes_time(books.now):
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


def _history(books: Books) -> Iterator[str]:
    """Whatever is stored of sessions, bookings and those who wait, history tells the same of it (law 9)."""
    for documents in (books.sessions, books.bookings, books.entries):
        for name, document in documents.items():
            told, stored = books.told.get(name, {}), state_of(document)
            if told != stored:
                fields = sorted(field for field in {*told, *stored} if told.get(field) != stored.get(field))
                yield f"history tells another story of {type(document).__name__} {name}: {', '.join(fields)}"
