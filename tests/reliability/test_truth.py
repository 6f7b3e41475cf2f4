"""The checker of an account's truth finds each lie that is planted, and no other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.store.encoding import encode_occupation
from functions.adapters.store.store import Store
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, LedgerMonth, Waiting, enter, ledger_id
from functions.domain.model import Document
from functions.domain.session import Conflict, Session
from functions.domain.state_changes import State, state_of
from functions.domain.waitlist.entry import Offered, Place, Queue, WaitlistEntry, Wish
from tests.domain.builders import (
    CALENDAR,
    CLIENT,
    EVERY_DAY,
    NOW,
    apply,
    booking,
    calendar,
    google_event,
    hours,
    ledger,
    minute,
    resource,
    row,
    service,
    session,
    span,
    weekly,
)
from tests.reliability.truth import Books, check_truth, lies, read_books, sold_over_google, sold_twice
from tests.studio import Studio

SOON = NOW + 600_000
TEN = minute("2027-03-31T22:00Z")
MARCH, APRIL = ledger_id("anna", "2027-03"), ledger_id("anna", "2027-04")


DENTIST = google_event()  # on the first of March, from nine to ten
Blocks = Mapping[tuple[str, str], list[Interval]]
MEETING = span("2027-03-01T09:30Z", "2027-03-01T10:30Z")
BLOCKS: Blocks = {(CALENDAR, "ev1"): [span("2027-03-01T09:00Z", "2027-03-01T10:00Z")]}


def waits(**changes: Any) -> WaitlistEntry:
    wish = Wish(starts=(TEN,), start=TEN, end=TEN + 1)
    place = Place(wish=wish, seats=1, client_key="key", joined_at=NOW)
    fields: dict[str, Any] = {"id": "waiting1", "service": "cut", "client": CLIENT, "place": place}
    return WaitlistEntry(**fields | {"manage_hash": "hash", "created_at": NOW} | changes)


def ledger_of(*sessions: Session, blocks: Blocks | None = None) -> Mapping[str, LedgerMonth]:
    changes = [change for each in sessions for change in enter(each.resources, each.occupation)]
    return {ledger_id(*place): month for place, month in apply(ledger(blocks=blocks), changes).items()}


def told_of(*documents: Document) -> Mapping[str, State]:
    """History that is complete."""
    return {str(document.id): state_of(document) for document in documents}  # type: ignore[attr-defined]


def true_books() -> Books:
    """A class that ends as its clean-up reaches into April, with a booking and an offer, one who waits for it, and a session on the day before."""
    group = session(
        "2027-03-31T22:00Z",
        "2027-03-31T23:30Z",
        capacity=3,
        taken_until=minute("2027-04-01T00:30Z"),
        seats={"booking1": 2},
        holds={"offer1": Hold(seats=1, expires_at=SOON)},
        waiting=Waiting(smallest=1, until=TEN - 60),
    )
    alone = session("2027-03-30T22:00Z", "2027-03-30T23:00Z", id="alone", seats={"booking2": 1})
    over = session("2027-03-29T22:00Z", "2027-03-29T23:00Z", id="over", seats={}, status="cancelled")
    bookings = [
        booking(start=group.start, seats=2),
        booking(id="offer1", start=group.start, status="held", expires_at=SOON, entry="offered1"),
        booking(id="booking2", session="alone", start=alone.start, status="completed"),
        booking(id="booking3", session="over", start=0, status="cancelled"),
    ]
    entries = [waits(), waits(id="offered1", status="offered", booking="offer1")]
    place = entries[0].place
    queue = Queue(id="cut", places={"waiting1": place}, offered={"offered1": Offered(booking="offer1", place=place)})
    return Books(
        now=NOW,
        sessions={each.id: each for each in (group, alone, over)},
        bookings={each.id: each for each in bookings},
        months=ledger_of(group, alone, blocks=BLOCKS),
        entries={each.id: each for each in entries},
        queues={"cut": queue},
        services={"cut": service(duration_minutes=90, capacity=3)},
        resources={"anna": resource(hours=hours(weekly("22:00", "02:00", EVERY_DAY)))},
        calendars={
            CALENDAR: calendar(projected={"anna": minute("2027-06-01T00:00Z")}, horizon=minute("2027-06-01T00:00Z"))
        },
        rows=(row(DENTIST),),
        told=told_of(group, alone, over, *bookings, *entries),
    )


def planted(books: Books, where: str, key: str, **changes: Any) -> Books:
    """One document of `where` changed; or gone, where nothing is said of it."""
    documents = dict(getattr(books, where))
    document: Document = documents.pop(key)
    return replace(books, **{where: documents | ({key: document.model_copy(update=changes)} if changes else {})})


def in_month(books: Books, month: str, **occupations: Any) -> Books:
    """A month says something else of these sessions; nothing, where None is said."""
    before = books.months.get(month) or LedgerMonth(resource="ben", month="2027-03")
    entries = {key: entry for key, entry in {**before.sessions, **occupations}.items() if entry is not None}
    return replace(books, months={**books.months, month: replace(before, sessions=entries)})


def standing_as(books: Books, key: str, **changes: Any) -> Books:
    """A session changed everywhere at once: nothing else than its standing is wrong with it."""
    changed = books.sessions[key].model_copy(update=changes)
    sessions = {**books.sessions, key: changed}
    months = ledger_of(*(each for each in sessions.values() if each.status == "open"), blocks=BLOCKS)
    return replace(books, sessions=sessions, months={**books.months, **months}, told={**books.told, **told_of(changed)})


def under_a_block(books: Books) -> Books:
    """Somebody has scheduled `alone` for half past nine on the first of March, when Anna has an event until ten."""
    at = {"start": MEETING.start, "end": MEETING.end, "taken_from": MEETING.start, "taken_until": MEETING.end}
    return standing_as(books, "alone", scheduled=True, **at)


def group_of(books: Books) -> Session:
    return next(each for each in books.sessions.values() if each.capacity == 3)


GROUP = group_of(true_books())
IN_CONFLICT = Conflict(reason="taken", since=NOW)

LIES: Mapping[str, tuple[Callable[[Books], Books], str]] = {
    "an event blocks nothing": (
        lambda books: replace(books, rows=(*books.rows, row(google_event("ev2", end="2027-03-01T11:00:00Z")))),
        "ledger anna/2027-03 holds [] of cal/ev2",
    ),
    "a block is of no event": (
        lambda books: replace(books, rows=()),
        "of cal/ev1, its mirror []",
    ),
    "an event blocks another time than its own": (
        lambda books: replace(books, rows=(row(google_event(end="2027-03-01T11:00:00Z")),)),
        "of cal/ev1, its mirror",
    ),
    "a seat more is held than there is": (
        lambda books: planted(books, "sessions", GROUP.id, capacity=2),
        "has 2 seats; 2 are sold and 1 held",
    ),
    "a seat is sold to nobody": (
        lambda books: planted(books, "bookings", "booking1"),
        "booking1, which does not exist",
    ),
    "a seat is sold to somebody in another session": (
        lambda books: planted(books, "bookings", "booking1", session="alone"),
        "booking1, which is in session alone",
    ),
    "a session and a booking differ on how many seats": (
        lambda books: planted(books, "bookings", "booking1", seats=1),
        "2 seats of booking booking1, which has 1",
    ),
    "a seat is sold to who cancelled": (
        lambda books: planted(books, "bookings", "booking1", status="cancelled"),
        "booking1, which is cancelled",
    ),
    "a seat is held for who has booked": (
        lambda books: planted(books, "bookings", "offer1", status="confirmed"),
        "offer1, which is confirmed",
    ),
    "a session and a hold differ on its end": (
        lambda books: planted(books, "bookings", "offer1", expires_at=SOON + 1),
        f"keeps seats until {SOON}, booking offer1 until {SOON + 1}",
    ),
    "seats are sold and held at once": (
        lambda books: planted(books, "sessions", GROUP.id, capacity=9, seats={"booking1": 2, "offer1": 1}),
        "offer1 has its seats twice",
    ),
    "somebody sits in a cancelled session": (
        lambda books: planted(books, "sessions", "over", seats={"booking3": 1}),
        "is cancelled, and somebody sits in it",
    ),
    "a booking has no seat": (
        lambda books: planted(books, "sessions", GROUP.id, seats={}),
        "booking booking1 (confirmed) has no seat",
    ),
    "a hold has no seat": (
        lambda books: planted(books, "sessions", GROUP.id, holds={}),
        "booking offer1 (held) has no seat",
    ),
    "a booking sits in two sessions": (
        lambda books: planted(books, "sessions", "alone", capacity=3, seats={"booking1": 2, "booking2": 1}),
        "booking1 (confirmed) sits in 2 places",
    ),
    "a booking is in a session that does not exist": (
        lambda books: planted(books, "sessions", "alone"),
        "booking2 (completed) is in session alone, which does not exist",
    ),
    "a booking has another time than its session": (
        lambda books: planted(books, "bookings", "booking2", start=GROUP.start),
        "booking2 (completed) starts at 2027-03-31T22:00:00Z, its session at 2027-03-30T22:00:00Z",
    ),
    "a booking is with others than its session": (
        lambda books: planted(books, "bookings", "booking2", resources=("ben",)),
        "booking2 (completed) is with ('ben',), its session with ('anna',)",
    ),
    "a booking is of another service than its session": (
        lambda books: planted(books, "bookings", "booking2", service="shave"),
        "booking2 (completed) is of service shave, its session of cut",
    ),
    "an offer was made and nothing is held": (
        lambda books: planted(books, "entries", "offered1", booking="nothing"),
        "offered1 (offered) has the offer nothing, which does not exist",
    ),
    "an offer is held for another entry": (
        lambda books: planted(books, "bookings", "offer1", entry="waiting1"),
        "offer1, which is held, for entry waiting1",
    ),
    "who waits has a booking already": (
        lambda books: planted(books, "entries", "waiting1", booking="offer1"),
        "waiting1 (waiting) has the booking offer1",
    ),
    "an offer is held for nobody": (
        lambda books: planted(books, "entries", "offered1"),
        "held as an offer for entry offered1, which does not exist",
    ),
    "an entry was booked and there is no booking": (
        lambda books: planted(books, "entries", "waiting1", status="booked", booking="nothing"),
        "waiting1 (booked) was booked as nothing, which does not exist",
    ),
    "who waits is not in the queue": (
        lambda books: planted(books, "queues", "cut"),
        "waiting1 is waiting, and does not stand so in the queue of cut",
    ),
    "who has an offer is not in the queue": (
        lambda books: planted(books, "queues", "cut", offered={}),
        "offered1 is offered, and does not stand so in the queue of cut",
    ),
    "the queue holds who left": (
        lambda books: planted(books, "entries", "waiting1", status="left"),
        "in the queue of cut entry waiting1 stands as waiting, which is left, for cut",
    ),
    "the queue and an entry differ on the seats": (
        lambda books: planted(
            books, "entries", "waiting1", place=books.entries["waiting1"].place.model_copy(update={"seats": 2})
        ),
        "the queue of cut and entry waiting1 differ",
    ),
    "the queue knows of another offer": (
        lambda books: planted(books, "entries", "offered1", booking="booking1"),
        "entry offered1 has the offer offer1, not booking1",
    ),
    "a seat is kept for nobody": (
        lambda books: planted(books, "sessions", "alone", capacity=2, waiting=Waiting(smallest=1, until=0)),
        "session alone keeps seats for a party of 1; the smallest that waits for it is of None",
    ),
    "no seat is kept for who waits": (
        lambda books: planted(books, "sessions", GROUP.id, waiting=None),
        "keeps seats for a party of None; the smallest that waits for it is of 1",
    ),
    "a session runs over an event": (under_a_block, "is said to be as promised, and is taken"),
    "a session runs outside its resource's hours": (
        lambda books: replace(books, resources={"anna": resource()}),
        "is said to be as promised, and is outside_hours",
    ),
    "a session closes a minute too late": (
        lambda books: replace(books, resources={"anna": resource(hours=hours(weekly("22:00", "01:29", EVERY_DAY)))}),
        "is said to be as promised, and is outside_hours",
    ),
    "a session is of a service that its resource does not serve": (
        lambda books: planted(books, "services", "cut", resources=("ben",), capacity=3),
        "is said to be as promised, and is not_served",
    ),
    "a session has more seats than its service": (
        lambda books: planted(books, "services", "cut", capacity=2),
        "is said to be as promised, and is over_capacity",
    ),
    "a session is in conflict with nothing": (
        lambda books: standing_as(books, "alone", conflict=IN_CONFLICT),
        "is said to be taken, and is as promised",
    ),
    "an operator lives with something else": (
        lambda books: standing_as(under_a_block(books), "alone", accepted=("outside_hours",)),
        "is said to be as promised, and is taken",
    ),
    "a session runs that its rule would have ended": (
        lambda books: planted(
            standing_as(under_a_block(books), "alone", conflict=IN_CONFLICT), "services", "cut", on_conflict="cancel"
        ),
        "is taken, and its rule says that it is cancelled then",
    ),
    "history forgot a change": (
        lambda books: planted(books, "bookings", "booking2", status="no_show"),
        "history tells another story of Booking booking2: status",
    ),
    "history knows nothing of it": (
        lambda books: replace(books, told={}),
        "history tells another story of WaitlistEntry waiting1",
    ),
    "the time of a session is free in one of its months": (
        lambda books: in_month(books, APRIL, **{GROUP.id: None}),
        f"ledger {APRIL} lacks session {GROUP.id}, which is open",
    ),
    "a month that a session touches does not exist": (
        lambda books: replace(books, months={MARCH: books.months[MARCH]}),
        f"ledger {APRIL} lacks session {GROUP.id}, which is open",
    ),
    "time is taken by a session that is cancelled": (
        lambda books: in_month(books, MARCH, over=books.sessions["over"].occupation),
        f"ledger {MARCH} holds session over, which is cancelled",
    ),
    "time is taken by a session that does not exist": (
        lambda books: in_month(books, MARCH, ghost=GROUP.occupation),
        f"ledger {MARCH} holds session ghost, which does not exist",
    ),
    "time is taken at a resource that does not serve": (
        lambda books: in_month(books, "ben/2027-03", alone=books.sessions["alone"].occupation),
        "ledger ben/2027-03 holds session alone, which is open and has no place there",
    ),
    "the ledger has a seat less than the session": (
        lambda books: in_month(books, MARCH, **{GROUP.id: replace(GROUP.occupation, seats=1)}),
        f"ledger {MARCH} and session {GROUP.id} differ on seats",
    ),
}


def test_nothing_is_found_where_all_is_true() -> None:
    assert lies(true_books()) == []


@pytest.mark.parametrize(("plant", "found"), LIES.values(), ids=LIES)
def test_a_lie_is_found(plant: Callable[[Books], Books], found: str) -> None:
    assert any(found in lie for lie in lies(plant(true_books()))), lies(plant(true_books()))


def overlapping(**changes: Any) -> Books:
    """A session with a booking until 10:00, and another from 09:30, each as its ledger says."""
    first = session("2027-03-01T09:00Z", "2027-03-01T10:00Z")
    second = session("2027-03-01T09:30Z", "2027-03-01T10:30Z", id="second", seats={"booking2": 1})
    second = second.model_copy(update=changes)
    owner = booking(id="booking2", session="second", start=second.start)
    if second.holds:
        owner = owner.model_copy(update={"status": "held", "expires_at": second.holds["booking2"].expires_at})
    return Books(
        now=NOW,
        services={"cut": service(resources=("anna", "ben"))},
        resources={"anna": resource(), "ben": resource("ben")},
        sessions={first.id: first, second.id: second},
        bookings={"booking1": booking(), "booking2": owner},
        months=ledger_of(first, second),
        told=told_of(first, second, booking(), owner),
    )


def held_until(moment: int) -> dict[str, Any]:
    return {"seats": {}, "holds": {"booking2": Hold(seats=1, expires_at=moment)}}


@pytest.mark.parametrize("changes", [{}, held_until(SOON)], ids=["sold", "held"])
def test_time_that_is_taken_twice_is_found(changes: dict[str, Any]) -> None:
    assert list(sold_twice(overlapping(**changes))) == [
        f"anna has session {GROUP.id} until 2027-03-01T10:00:00Z and session second from 2027-03-01T09:30:00Z"
    ]


def test_a_long_session_hides_no_overlap_behind_a_short_one() -> None:
    long, short, late = (
        session("2027-03-01T09:00Z", "2027-03-01T12:00Z", id="long", seats={}, scheduled=True),
        session("2027-03-01T08:00Z", "2027-03-01T08:30Z", id="short", seats={}, scheduled=True),
        session("2027-03-01T11:00Z", "2027-03-01T11:30Z", id="late", seats={}, scheduled=True),
    )
    books = Books(
        now=NOW, sessions={each.id: each for each in (long, short, late)}, months=ledger_of(long, short, late)
    )
    assert [lie for lie in lies(books) if "late" in lie and "long" in lie]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conflict": Conflict(reason="taken", since=NOW)}, id="of which one is known to be in conflict"),
        pytest.param(held_until(NOW), id="of which one was held until now"),
        pytest.param({"resources": ("ben",)}, id="of two resources"),
    ],
)
def test_sessions_may_overlap(changes: dict[str, Any]) -> None:
    books = overlapping(**changes)
    second = books.sessions["second"]
    owner = books.bookings["booking2"].model_copy(update={"resources": second.resources})
    told = {**books.told, **told_of(owner)}
    assert lies(replace(books, bookings={**books.bookings, "booking2": owner}, told=told)) == []


def test_more_may_be_sold_than_there_is_where_that_is_known() -> None:
    conflict = Conflict(reason="over_capacity", since=NOW)
    true, group = true_books(), GROUP.model_copy(update={"capacity": 1, "scheduled": True, "conflict": conflict})
    books = replace(true, sessions={**true.sessions, GROUP.id: group}, told={**true.told, **told_of(group)})
    assert lies(replace(books, months=ledger_of(group, books.sessions["alone"], blocks=BLOCKS))) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"conflict": IN_CONFLICT}, id="which is said"),
        pytest.param({"accepted": ("taken",)}, id="which an operator lives with"),
        pytest.param({"conflict": Conflict(reason="moved_in_calendar", since=NOW)}, id="behind what its event shows"),
    ],
)
def test_a_session_may_run_over_an_event(changes: dict[str, Any]) -> None:
    books = under_a_block(true_books())
    alone = books.sessions["alone"]
    assert list(sold_over_google(books, alone)) == [
        "session alone (2027-03-01T09:30:00Z) is sold at anna over [('cal', 'ev1')]"
    ]
    books = standing_as(books, "alone", **changes)
    assert [lie for lie in lies(books) if "session alone (cut" in lie] == []
    assert list(sold_over_google(books, books.sessions["alone"])) == []


def test_nothing_is_known_to_have_come_free_while_a_calendar_is_laid_out_anew() -> None:
    books = standing_as(true_books(), "alone", conflict=IN_CONFLICT)
    books = planted(books, "calendars", CALENDAR, projected={})
    assert lies(books) == []


def test_what_is_stored_is_read(empty_studio: Studio, store: Store) -> None:
    empty_studio.offer(capacity=3)
    nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
    kept, gone = empty_studio.book(nine), empty_studio.book(ten)
    gone.cancel()
    books = check_truth(store, empty_studio.account)
    assert {kept.session, gone.session} == books.sessions.keys()
    assert {kept.id, gone.id} == books.bookings.keys()
    assert [list(month.sessions) for month in books.months.values() if month.sessions] == [[kept.session]]

    ghost = {"sessions": {"ghost": encode_occupation(books.sessions[kept.session].occupation)}}
    account = store.client.document(f"accounts/{empty_studio.account}")
    account.collection("sessions").document(kept.session).update({"capacity": 0})
    account.collection("resources/nobody/months").document("2027-01").set(ghost)
    with pytest.raises(
        AssertionError, match=r"(?s)4 untrue in.*0 seats; 1 are sold.*nobody/2027-01 holds session ghost"
    ):
        check_truth(store, empty_studio.account)


def test_who_waits_is_read(empty_studio: Studio, store: Store) -> None:
    account = store.client.document(f"accounts/{empty_studio.account}")
    account.collection("waitlist").document("waiting1").set(waits().model_dump(mode="json"))
    queue = Queue(id="cut", places={"waiting2": waits().place})
    account.collection("queues").document("cut").set(queue.model_dump(mode="json"))
    found = lies(read_books(store, empty_studio.account))
    assert [lie.partition(":")[0] for lie in found] == [
        "waitlist entry waiting1 is waiting, and does not stand so in the queue of cut",
        "in the queue of cut entry waiting2 stands as waiting, which does not exist",
        "history tells another story of WaitlistEntry waiting1",
    ]
