"""Every query within one account; those over all of them are in `across_accounts`. `tests/system/test_queries.py` holds them against the declared indexes."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from google.cloud.firestore_v1.base_query import FieldFilter, Or

from functions.adapters.store.documents import collection_of, decode, ledger_ref, mirror_ref, path_of
from functions.adapters.store.pages import (
    BookingFilter,
    EntryFilter,
    HistoryFilter,
    Page,
    Part,
    SessionFilter,
    read_page,
)
from functions.adapters.store.records import HistoryRecord, OutboxRecord, StoredAnswer
from functions.adapters.store.store import Reader, Store
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.erasing import Erasure
from functions.domain.google_event import MirrorEvent
from functions.domain.inbox_news import ABOUT_THE_INBOX
from functions.domain.instants import DAY_MINUTES, Millis, Minute
from functions.domain.ledger import LedgerMonth
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import WaitlistEntry

D = TypeVar("D")

LOOK_BACK = 30 * DAY_MINUTES
MOST_PENDING = 1_000


def _collection(store: Store, account: str, type_: type[Any]) -> Any:
    return store.client.collection(f"accounts/{account}/{collection_of(type_)}")


def all_of(store: Store, account: str, type_: type[Any]) -> list[Any]:
    """Every document of a kind that an account has few of: services, resources, connections, calendars."""
    return [decode(Ref(type_, s.id), s.to_dict()) for s in _collection(store, account, type_).stream()]


def services(store: Store, account: str) -> list[Service]:
    return all_of(store, account, Service)


def resources(store: Store, account: str) -> list[Resource]:
    return all_of(store, account, Resource)


def services_at(store: Store, account: str, resource: str) -> list[Service]:
    """The services that a resource serves."""
    query = _collection(store, account, Service).where(filter=FieldFilter("resources", "array_contains", resource))
    return [decode(Ref(Service, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def connections(store: Store, account: str) -> list[Connection]:
    return all_of(store, account, Connection)


def calendars_of(store: Store, account: str, connection: str) -> list[Calendar]:
    query = _collection(store, account, Calendar).where(filter=FieldFilter("connection", "==", connection))
    return [decode(Ref(Calendar, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def all_to_decide_on(reader: Reader, type_: type[D]) -> list[D]:
    """As `all_of`, for a decision that may write them."""
    found = reader.client.collection(f"accounts/{reader.account}/{collection_of(type_)}").stream()
    return [reader.adopt(Ref(type_, snapshot.id), snapshot) for snapshot in found]


def bookings_page(store: Store, account: str, wanted: BookingFilter, part: Part) -> Page[Booking]:
    """By start, the earliest first."""
    conditions = (
        ("start", ">=", wanted.start),
        ("start", "<", wanted.end),
        ("resources", "array_contains", wanted.resource),
        ("service", "==", wanted.service),
        ("client_key", "==", wanted.client_key),
        ("status", "==", wanted.status),
        ("session", "==", wanted.session),
    )
    return read_page(_collection(store, account, Booking), Booking, conditions, part, order="start")


def sessions_page(store: Store, account: str, wanted: SessionFilter, part: Part) -> Page[Session]:
    """By start, the earliest first."""
    conditions = (
        ("start", ">=", wanted.start),
        ("start", "<", wanted.end),
        ("resources", "array_contains", wanted.resource),
        ("service", "==", wanted.service),
        ("status", "==", wanted.status),
    )
    return read_page(_collection(store, account, Session), Session, conditions, part, order="start")


def sessions_from(store: Store, account: str, start: Minute, *, at_once: int = 100) -> Iterator[Session]:
    """All that start then or later, by start; read as they are gone through."""
    yield from _page_by_page(lambda part: sessions_page(store, account, SessionFilter(start=start), part), at_once)


def _page_by_page(page_of: Callable[[Part], Page[D]], at_once: int) -> Iterator[D]:
    part: Part | None = Part(limit=at_once)
    while part is not None:
        page = page_of(part)
        yield from page.documents
        part = None if page.last is None else Part(limit=at_once, after=page.last)


def sessions_with_pending_copies(store: Store, account: str, limit: int) -> list[Session]:
    """Sessions of which Google has not been told all yet; also those in which seats are only kept, of which it will not be."""
    query = _collection(store, account, Session).where(filter=FieldFilter("copy_pending", "==", True)).limit(limit)
    return [decode(Ref(Session, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def sessions_with_copies(store: Store, account: str, now: Minute) -> Iterator[Session]:
    """Those whose events are looked after. A calendar is also a record of what was; of what lies further back nobody misses the event, so only what it is
    still to be told counts: somebody may be forgotten by it.
    """
    since = now - LOOK_BACK
    yield from (s for s in sessions_with_pending_copies(store, account, MOST_PENDING) if s.start < since)
    yield from sessions_from(store, account, since)


def conflicts_page(store: Store, account: str, part: Part) -> Page[Session]:
    """Sessions in conflict, by when that began, the oldest first."""
    return read_page(_collection(store, account, Session), Session, (), part, order="conflict.since")


def entries_page(store: Store, account: str, wanted: EntryFilter, part: Part) -> Page[WaitlistEntry]:
    """In the order in which they first came, whatever became of them."""
    conditions = (
        ("service", "==", wanted.service),
        ("place.wish.sessions", "array_contains", wanted.session),
        ("place.client_key", "==", wanted.client_key),
        ("status", "==", wanted.status),
    )
    return read_page(_collection(store, account, WaitlistEntry), WaitlistEntry, conditions, part, order="created_at")


def history_page(store: Store, account: str, wanted: HistoryFilter, part: Part) -> Page[HistoryRecord]:
    """The newest first, by the clocks of those who wrote them."""
    conditions = [(name, "==", value) for name, value in vars(wanted).items()]
    history = _collection(store, account, HistoryRecord)
    return read_page(history, HistoryRecord, conditions, part, order="at", descending=True)


def bookings_of_series(store: Store, account: str, series: str) -> list[Booking]:
    """The bookings that were made together on several weeks, cancelled ones too, in the order of their starts."""
    query = _collection(store, account, Booking).where(filter=FieldFilter("series", "==", series))
    found = [decode(Ref(Booking, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]
    return sorted(found, key=lambda booking: (booking.start, booking.id))


def bookings_of_session(store: Store, account: str, session: str) -> list[Booking]:
    """All that are or were last in it, cancelled ones too, as they came."""
    query = _collection(store, account, Booking).where(filter=FieldFilter("session", "==", session))
    found = [decode(Ref(Booking, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]
    return sorted(found, key=lambda booking: (booking.created_at, booking.id))


def bookings_of_client(store: Store, account: str, key: str, service: str) -> list[Booking]:
    """A client's bookings of a service that are not cancelled."""
    found = (
        _collection(store, account, Booking)
        .where(filter=FieldFilter("client_key", "==", key))
        .where(filter=FieldFilter("service", "==", service))
        .stream()
    )
    bookings = (Booking.model_validate(snapshot.to_dict()) for snapshot in found)
    return [booking for booking in bookings if booking.status != "cancelled"]


def all_bookings_of_client(store: Store, account: str, key: str) -> list[Booking]:
    """By start, whatever became of them."""
    query = _collection(store, account, Booking).where(filter=FieldFilter("client_key", "==", key)).order_by("start")
    return [decode(Ref(Booking, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def all_entries_of_client(store: Store, account: str, key: str) -> list[WaitlistEntry]:
    query = _collection(store, account, WaitlistEntry).where(filter=FieldFilter("place.client_key", "==", key))
    return [decode(Ref(WaitlistEntry, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def has_client(store: Store, account: str, key: str) -> bool:
    """Whether any booking is still known to be this client's."""
    query = _collection(store, account, Booking).where(filter=FieldFilter("client_key", "==", key)).limit(1)
    return any(True for _ in query.stream())


def bookings_to_forget(store: Store, account: str, before: Minute, *, at_once: int) -> Iterator[Booking]:
    """Those that began before and still say whose they are, the oldest first; read as they are gone through."""
    conditions = (("names_client", "==", True), ("start", "<", before))
    named = _collection(store, account, Booking)
    yield from _page_by_page(lambda part: read_page(named, Booking, conditions, part, order="start"), at_once)


def entries_to_forget(store: Store, account: str, before: Minute, *, at_once: int) -> Iterator[WaitlistEntry]:
    """The same of places on waitlists for what began before."""
    conditions, order = (("names_client", "==", True), ("place.wish.end", "<=", before)), "place.wish.end"
    named = _collection(store, account, WaitlistEntry)
    yield from _page_by_page(lambda part: read_page(named, WaitlistEntry, conditions, part, order=order), at_once)


def not_found_by_client(store: Store, account: str, type_: type[D]) -> list[Ref[D]]:
    """Those that were stored before they said whether they name a client, whom the two queries above would never find. Reads everything."""
    names = _collection(store, account, type_).select(["names_client"])
    return [Ref(type_, snapshot.id) for snapshot in names.stream() if "names_client" not in snapshot.to_dict()]


def erasures_under_way(store: Store, account: str, key: str) -> list[Erasure]:
    """Of this client: one that is through knows them no longer."""
    query = _collection(store, account, Erasure).where(filter=FieldFilter("client_key", "==", key))
    return [decode(Ref(Erasure, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def answers_about(reader: Reader, subject: str) -> list[StoredAnswer]:
    """What is kept of answers that told of a booking or a place on a waitlist."""
    answers = reader.client.collection(f"accounts/{reader.account}/{collection_of(StoredAnswer)}")
    query = answers.where(filter=FieldFilter("about", "array_contains", subject))
    return [reader.adopt(Ref(StoredAnswer, snapshot.id), snapshot) for snapshot in query.stream()]


def history_about(reader: Reader, field: str, value: str) -> list[HistoryRecord]:
    """All that history says about a session, booking or waitlist entry, to be written; in no order."""
    history = reader.client.collection(f"accounts/{reader.account}/{collection_of(HistoryRecord)}")
    query = history.where(filter=FieldFilter(field, "==", value))
    return [reader.adopt(Ref(HistoryRecord, snapshot.id), snapshot) for snapshot in query.stream()]


def effects_about(store: Store, account: str, subject: str) -> list[OutboxRecord]:
    """What is still to be done about it."""
    query = _collection(store, account, OutboxRecord).where(filter=FieldFilter("subject", "==", subject))
    return [decode(Ref(OutboxRecord, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def inbox_outbox(store: Store, account: str, limit: int) -> list[OutboxRecord]:
    """What operators have not been told of yet: that something waits for them to decide, or that somebody has declined. The oldest of each first."""
    about = _collection(store, account, OutboxRecord).where(filter=FieldFilter("about", ">=", ABOUT_THE_INBOX))
    query = about.where(filter=FieldFilter("about", "<", f"{ABOUT_THE_INBOX}~")).order_by("about").limit(limit)
    return [decode(Ref(OutboxRecord, snapshot.id), snapshot.to_dict()) for snapshot in query.stream()]


def history_in_order(store: Store, account: str, field: str, value: str) -> list[HistoryRecord]:
    """All that history says about a session, booking or waitlist entry, in the order of the commits: by Firestore's clock, because machines' differ."""
    query = _collection(store, account, HistoryRecord).where(filter=FieldFilter(field, "==", value))
    found = sorted(query.stream(), key=lambda snapshot: (snapshot.create_time, snapshot.get("place")))
    return [decode(Ref(HistoryRecord, snapshot.id), snapshot.to_dict()) for snapshot in found]


def family_rows(reader: Reader, calendar: str, key: str) -> list[MirrorEvent]:
    """The rows of a mirror that belong to one key: the event or master itself, and every exception of that series."""
    events = reader.client.collection(f"accounts/{reader.account}/calendars/{calendar}/events")
    query = events.where(filter=Or([FieldFilter("id", "==", key), FieldFilter("series", "==", key)]))
    return [_adopted(reader, calendar, snapshot) for snapshot in query.stream()]


def rows_of_other_generations(reader: Reader, calendar: str, generation: int, limit: int) -> list[MirrorEvent]:
    """Rows that a full list of `generation` did not bring: their events are gone, or about to be found gone."""
    events = reader.client.collection(f"accounts/{reader.account}/calendars/{calendar}/events")
    query = events.where(filter=FieldFilter("generation", "<", generation)).limit(limit)
    return [_adopted(reader, calendar, snapshot) for snapshot in query.stream()]


def spared_rows(reader: Reader, calendar: str, resource: str) -> Iterator[MirrorEvent]:
    """Events that block nothing at a resource, because a session of its own takes their time."""
    events = reader.client.collection(f"accounts/{reader.account}/calendars/{calendar}/events")
    for snapshot in events.where(filter=FieldFilter("spared", "array_contains", resource)).stream():
        yield MirrorEvent.model_validate(snapshot.to_dict())


def malformed_rows(store: Store, account: str, calendar: str, limit: int) -> list[MirrorEvent]:
    """Events whose times can't be read: they are kept apart, and block what can be read of them."""
    events = store.client.collection(f"accounts/{account}/calendars/{calendar}/events")
    query = events.where(filter=FieldFilter("malformed", ">", "")).limit(limit)
    return [MirrorEvent.model_validate(snapshot.to_dict()) for snapshot in query.stream()]


def rows_after(reader: Reader, calendar: str, after: str | None, limit: int) -> list[MirrorEvent]:
    """The next rows of a mirror, in the order of their places; `after` is the id of the last that came before them."""
    events = reader.client.collection(f"accounts/{reader.account}/calendars/{calendar}/events")
    query = events.order_by("__name__").limit(limit)
    if after is not None:
        query = query.start_after({"__name__": path_of(reader.account, mirror_ref(calendar, after)).rpartition("/")[2]})
    return [_adopted(reader, calendar, snapshot) for snapshot in query.stream()]


def ledger_months(reader: Reader, resource: str) -> list[LedgerMonth]:
    """All months of a resource's ledger, also long past ones."""
    months = reader.client.collection(f"accounts/{reader.account}/{collection_of(Resource)}/{resource}/months")
    return [reader.adopt(ledger_ref(resource, snapshot.id), snapshot) for snapshot in months.stream()]


def _adopted(reader: Reader, calendar: str, snapshot: Any) -> MirrorEvent:
    return reader.adopt(mirror_ref(calendar, snapshot.get("id")), snapshot)


def overdue_outbox(store: Store, account: str, now: Millis, limit: int) -> list[OutboxRecord]:
    """Effects of one account that should have been done by now, those that are due the longest first."""
    query = _collection(store, account, OutboxRecord).where(filter=FieldFilter("due_at", "<=", now))
    found = query.order_by("due_at").limit(limit).stream()
    return [decode(Ref(OutboxRecord, snapshot.id), snapshot.to_dict()) for snapshot in found]


def forget_outbox(store: Store, account: str, outbox: str) -> None:
    """The effect is done. Twice is harmless."""
    store.client.document(path_of(account, Ref(OutboxRecord, outbox))).delete()
