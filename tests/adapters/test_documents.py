"""Documents as Firestore fields and back, and where each of them lives."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.store.documents import (
    ACCOUNT,
    COLLECTIONS,
    NO_ACCOUNT,
    decode,
    ledger_ref,
    ledger_refs_of,
    mirror_ref,
    path_of,
)
from functions.adapters.store.encoding import change_fields, differences, encode, new_month_fields, ref_of
from functions.adapters.store.records import HistoryRecord, OutboxRecord, PendingConsent, StoredAnswer
from functions.adapters.store.wire import GONE
from functions.domain.calendar import Bounds, Channel, Cursor, Difference, Lease, Projecting
from functions.domain.configuration import Account, FormQuestion, OperatorKey, Resource, Service
from functions.domain.decision import Ref
from functions.domain.erasing import Erasure
from functions.domain.hours import DailyInterval
from functions.domain.intervals import Interval
from functions.domain.invitation import Invitation
from functions.domain.ledger import LedgerChange, LedgerMonth, Occupation, Waiting
from functions.domain.loss import Loss
from functions.domain.membership import Member
from functions.domain.model import Document
from functions.domain.pacing import WritePause
from functions.domain.person import Person
from functions.domain.rate_limits import Usage
from functions.domain.session import ClientGuard, Conflict, Session
from functions.domain.waitlist.entry import (
    MOST_SESSIONS,
    MOST_WAITING,
    Offered,
    Place,
    Queue,
    WaitlistEntry,
    Wish,
)
from functions.domain.waitlist.preset import Preset
from tests.domain.builders import (
    CALENDAR,
    CLIENT,
    NOW,
    SESSION,
    all_day,
    booking,
    calendar,
    connection,
    copy,
    exception,
    google_event,
    hours,
    minute,
    occupation,
    override,
    resource,
    row,
    series,
    service,
    session,
    spans,
    times,
    tombstone,
    weekly,
)

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
TEN = "2027-03-01T10:00Z/2027-03-01T11:00Z"
HOUR = tuple(spans(NINE))

WISH = Wish(sessions=(SESSION,), starts=(1,), start=1, end=2)
PLACE = Place(wish=WISH, seats=2, client_key="key", joined_at=NOW)
# As much as one may hold; the labels are an operator's, and were all of them emoji.
LARGEST_PLACE = Place(
    wish=Wish(sessions=(SESSION,) * MOST_SESSIONS, starts=(1,) * MOST_SESSIONS, start=1, end=2, duration=60),
    seats=1_000,
    client_key=CLIENT.key,
    level="\U0001f600" * 40,
    category="\U0001f600" * 40,
    joined_at=NOW,
    declined=(1,) * 3,
    limited=(1,) * 3,
    passed_over=1_000,
    passed_because="needs 1000 seats together, and 1000 are free",
)

DOCUMENTS: dict[str, Document] = {
    "account": Account(id="demo", name="Studio Nord", time_zone="Europe/Berlin", created_at=NOW),
    "account with web pages": Account(
        id="demo",
        name="Studio Nord",
        time_zone="Europe/Berlin",
        created_at=NOW,
        allowed_origins=("https://www.studio.example", "http://localhost:3000"),
    ),
    "key": OperatorKey(id="hash", name="bootstrap", created_at=NOW),
    "member": Member(id="a" * 32, email="anna@example.org", name="Anna", role="owner", joined_at=NOW),
    "invitation": Invitation(
        id="b1", email="b@x.example", role="viewer", invited_by="a", token_hash="h", created_at=1, expires_at=NOW
    ),
    "person": Person(
        id="a" * 32,
        email="anna@example.org",
        browsers={"b" * 32: NOW},
        founded=("demo",),
        created_at=NOW,
        signed_in_at=NOW,
    ),
    "resource": resource(
        hours=hours(
            weekly("22:00", "06:00", (6, 7)),
            weekly("09:00", "24:00"),
            overrides=[override("2027-03-01"), override("2027-03-02", ("09:00", "12:00"), ("13:00", "17:00"))],
        ),
        blocked_by=("cal", "other"),
        destination="cal",
    ),
    "resource without hours": resource(hours=hours(overrides=[]), blocked_by=()),
    "service": service(buffer_before_minutes=5, notice_minutes=60, resources=("anna", "ben"), active=False),
    "service with questions": service(
        kind="event",
        questions=(
            FormQuestion(id="mat", label="Which mat?", kind="choice", choices=("thin", "thick"), required=True),
            FormQuestion(id="allergies", label="Any allergies?", kind="text"),
        ),
    ),
    "new session": session(),
    "scheduled session": session(scheduled=True, seats={}, series="tuesdays", waitlist="evenings", capacity=12),
    "session with everything": session(
        resources=("anna", "room"),
        seats={"booking1": 1, "booking2": 2},
        copies={
            CALENDAR: copy(
                NINE,
                [NINE, TEN],
                etag='"1"',
                wrote=("guest:1",),
                writing=("guest:1", "guest:2"),
                left='"1"',
                updated="2027-02-22T08:00:00.000Z",
                written=3,
                error="usage limit",
                error_since=NOW,
            ),
            "second": copy(calendar="second", gone=True),
            "third": copy(calendar="third", missing_since=NOW),
        },
        conflict=Conflict(reason="moved_in_calendar", since=NOW, calendar=CALENDAR, times=times(TEN)),
        accepted=("taken", "declined_by_host"),
        status="cancelled",
        cancelled_by="google",
        reason="deleted in Google Calendar",
        version=4,
        closed=True,
        waitlist="evenings",
        waiting=Waiting(smallest=2, until=minute("2027-03-01T08:00Z"), strict=True),
        moved_at=NOW,
    ),
    "a waitlist's rules": Preset(id="evenings", name="Evenings", quiet=DailyInterval(start="22:00", end="07:00")),
    "a queue": Queue(
        id="cut",
        places={"entry1": PLACE, "entry2": LARGEST_PLACE},
        offered={"entry3": Offered(booking="booking1", place=PLACE)},
        look_at=NOW,
    ),
    "a waitlist entry": WaitlistEntry(
        id="entry1", service="cut", client=CLIENT, place=PLACE, manage_hash="hash", created_at=NOW
    ),
    "booking": booking(notes="by the window\nplease", status="cancelled", cancelled_by="client", reason="ill"),
    "booking of a series, with answers, and no seat any more": booking(
        answers={"mat": "thick", "allergies": "nuts,\nlatex"},
        series="mondays",
        conflict=Conflict(reason="over_capacity", since=NOW),
    ),
    "booking of a client who declined": booking(declined_at=NOW),
    "connection": connection(lost_at=NOW, loss=Loss.REVOKED, last_error="invalid_grant", status="needs_reconnect"),
    "new calendar": calendar(resources=()),
    "calendar with everything": calendar(
        primary=True,
        destination_for=("anna",),
        cursor=Cursor(
            sync_token="tok=",
            page_token="page",
            begun_at=NOW,
            generation=7,
            fingerprint="v1",
            bounds=Bounds(start=minute("2027-03-01T00:00Z"), end=minute("2028-03-01T00:00Z")),
        ),
        lease=Lease(holder="worker", fence=12, expires_at=NOW),
        dirty=2,
        channel=Channel(id="ch", address="https://hook.example.com", resource="res", created_at=NOW, expires_at=NOW),
        next_channel=Channel(id="ch2", address="https://hook.example.com", created_at=NOW),
        watchable=False,
        horizon=minute("2028-03-01T00:00Z"),
        projected={"anna": minute("2028-03-01T00:00Z")},
        projecting=Projecting(resources=("anna",), horizon=minute("2028-04-01T00:00Z"), after="ev1"),
        changed=("anna", "ben"),
        last_success_at=NOW,
        last_error="Unavailable: backendError",
        last_change_at=NOW,
        lag_ms=812,
        missing_since=NOW,
        missed=2,
        next_poll_at=NOW,
        renew_at=NOW,
        relist=True,
        audited_at=NOW,
        drift_minutes=30,
        drift=(Difference(busy="only_in_google", start=minute("2027-03-01T09:00Z"), end=minute("2027-03-01T09:30Z")),),
        audit_error="Google could not be asked.",
        state="gone",
    ),
    "an event": row(google_event()).model_copy(update={"months": ("2027-03", "2027-04")}),
    "an event of ours": row(google_event(), session=SESSION, generation=4),
    "an event of ours that was moved": row(google_event(), session=SESSION).model_copy(update={"disputed": True}),
    "an invitation to one of ours": row(google_event()).model_copy(update={"spared": ("anna", "room")}),
    "a declined event": row(google_event(attendees=[{"self": True, "responseStatus": "declined"}])),
    "a series": row(series("RRULE:FREQ=WEEKLY", "EXDATE:20270308T080000Z")),
    "a moved instance": row(exception("2027-03-08T09:00:00+01:00", "2027-03-09T09:00:00Z", "2027-03-09T10:00:00Z")),
    "a cancelled instance": row(exception("2027-03-08T09:00:00+01:00")),
    "an all-day event": row(google_event("ev1", "2027-03-01", "2027-03-02")),
    "a tombstone": row(tombstone()),
    "a malformed event": row(google_event() | {"start": 7, "end": all_day("2027-03-02")}),
    "a client's guard": ClientGuard(id="0123456789abcdef"),
    "a history entry": HistoryRecord(
        id="c0",
        at=NOW,
        place=0,
        what="session.moved",
        author_kind="operator",
        author_name="front desk",
        session=SESSION,
        why="taken",
        before={"start": "2027-03-01T09:00:00Z", "resources": ["anna"], "deep": {"list": [1, None, True]}},
        after={},
        state={
            "session": {"start": 1, "seats": {"booking1": None, "booking2": 1}, "resources": ["anna"]},
            "booking": {"reason": None},
        },
    ),
    "an effect": OutboxRecord(id="c1", kind="notify", subject="booking1", about="moved", created_at=NOW, due_at=NOW),
    "an answer": StoredAnswer(
        id="key", request_hash="h", status=201, body={"id": "booking1", "seats": 1, "tags": []}, expires_at=NOW
    ),
    "a pause": WritePause(
        id=CALENDAR, begun_at=NOW, until=NOW + 1, reason="quotaExceeded", refusals=2, usage_limit=True
    ),
    "a caller's usage": Usage(
        id="0123456789abcdef", counts={"bookings_60000_29384": 2}, holds={"booking1": NOW}, expires_at=NOW
    ),
    "an erasure": Erasure(
        id="erasure1",
        client="keyed hash",
        client_key="0123456789abcdef",
        by="front desk",
        cancel_future=True,
        requested_at=NOW,
        kept=("booking1",),
        sessions=(SESSION,),
    ),
    "a consent": PendingConsent(
        id="hash",
        verifier="v",
        connection="conn",
        refreshes=True,
        begun_by="kim",
        person="id",
        browser="hash",
        begun_at=NOW,
        expires_at=NOW,
    ),
}


def stored_size(value: object) -> int:
    """Bytes, as Firestore counts them: https://firebase.google.com/docs/firestore/storage-size"""
    if isinstance(value, dict):
        return sum(len(key.encode()) + 1 + stored_size(inner) for key, inner in value.items())
    if isinstance(value, list):
        return sum(map(stored_size, value))
    return len(value.encode()) + 1 if isinstance(value, str) else 8


def test_the_longest_line_fits_into_a_document() -> None:
    longest = Queue(id="cut", places={f"{number:026}": LARGEST_PLACE for number in range(MOST_WAITING)}, look_at=NOW)
    assert stored_size(encode(longest)) < 1_048_576


def stored_forms(value: object) -> bool:
    """Whether Firestore can hold the value: no arrays in arrays, only text as keys."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and stored_forms(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(not isinstance(inner, list) and stored_forms(inner) for inner in value)
    return value is None or isinstance(value, str | int | float | bool | datetime)


@pytest.mark.parametrize("name", DOCUMENTS)
class TestRoundTrip:
    def test_what_is_read_back_is_what_was_written(self, name: str) -> None:
        document = DOCUMENTS[name]
        again: Any = decode(Ref(type(document), ref_of(document).id), encode(document))
        assert again == document
        assert type(again) is type(document)

    def test_firestore_can_hold_it(self, name: str) -> None:
        assert stored_forms(encode(DOCUMENTS[name]))

    def test_a_field_that_a_later_version_wrote_is_passed_over(self, name: str) -> None:
        document = DOCUMENTS[name]
        fields = encode(document) | {"from_the_future": {"a": [1]}}
        assert decode(Ref(type(document), ref_of(document).id), fields) == document


def test_every_kind_of_document_is_among_the_examples() -> None:
    kinds = {type(document) for document in DOCUMENTS.values()}
    assert sorted(kind.__name__ for kind in kinds) == sorted([*COLLECTIONS, "Account", "MirrorEvent", "Person"])


@pytest.mark.parametrize("name", ["an answer", "a consent", "a caller's usage", "invitation"])
def test_what_lapses_names_its_end_for_firestore_to_sweep(name: str) -> None:
    assert encode(DOCUMENTS[name])["ttl"] == datetime.fromtimestamp(NOW / 1000, UTC)


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        (ACCOUNT, "accounts/demo"),
        (ref_of(DOCUMENTS["account"]), "accounts/demo"),
        (Ref(Person, "abc"), "people/abc"),
        (Ref(Resource, "anna"), "accounts/demo/resources/anna"),
        (Ref(Service, "cut"), "accounts/demo/services/cut"),
        (Ref(Session, SESSION), f"accounts/demo/sessions/{SESSION}"),
        (ledger_ref("anna", "2027-03"), "accounts/demo/resources/anna/months/2027-03"),
        (mirror_ref("cal", "ev1"), "accounts/demo/calendars/cal/events/ev1"),
        (mirror_ref("cal", "ser1_20270308T080000Z"), "accounts/demo/calendars/cal/events/ser1_20270308T080000Z"),
        (ref_of(DOCUMENTS["an event"]), "accounts/demo/calendars/cal/events/ev1"),
        (ref_of(DOCUMENTS["booking"]), "accounts/demo/bookings/booking1"),
    ],
    ids=str,
)
def test_where_a_document_lives(ref: Ref[Any], path: str) -> None:
    assert path_of("demo", ref) == path


def test_the_usage_of_whoever_signs_in_is_no_account_s() -> None:
    assert path_of(NO_ACCOUNT, Ref(Usage, "abc")) == "usage/abc"
    assert path_of("demo", Ref(Usage, "abc")) == "accounts/demo/usage/abc"


@pytest.mark.parametrize("event", ["a/b", "a/../b", "en.usa#holiday@group", "a%2Fb", "ä b"])
def test_no_event_id_leads_out_of_its_collection(event: str) -> None:  # case 89
    path = path_of("demo", mirror_ref("cal", event))
    prefix = "accounts/demo/calendars/cal/events/"
    assert path.startswith(prefix)
    assert "/" not in path.removeprefix(prefix)
    assert path != path_of("demo", mirror_ref("cal", event.replace("/", "%2F") + "x"))


def test_different_event_ids_have_different_places() -> None:
    ids = ["a/b", "a%2Fb", "a b", "a+b", "a%20b", "A/B"]
    assert len({path_of("demo", mirror_ref("cal", event)) for event in ids}) == len(ids)


def test_the_months_of_a_session_are_those_its_buffers_touch_at_every_resource() -> None:
    held = session(taken_from=minute("2027-02-28T23:59Z"), resources=("anna", "room"))
    assert [ref.id for ref in ledger_refs_of(held)] == [
        "anna/2027-02",
        "anna/2027-03",
        "room/2027-02",
        "room/2027-03",
    ]


class TestLedgerMonth:
    def test_a_month_that_begins_with_a_change_reads_as_that_change(self) -> None:
        times = ("2027-03-01T09:00Z", "2027-03-01T10:00Z")
        entry = occupation(*times, before=5, after=10, placed_at=NOW, conflict="taken")
        change = LedgerChange(
            resource="anna",
            month="2027-03",
            sessions={SESSION: entry, "gone": None},
            blocks={(CALENDAR, "ev1"): (*HOUR, Interval(1, 2)), (CALENDAR, "ev2"): None, ("other", "ev1"): HOUR},
            cleared=frozenset({"former"}),
        )
        fields = new_month_fields(change)
        assert stored_forms(fields)
        assert decode(ledger_ref("anna", "2027-03"), fields) == LedgerMonth(
            resource="anna",
            month="2027-03",
            sessions={SESSION: entry},
            blocks={CALENDAR: {"ev1": (*HOUR, Interval(1, 2))}, "other": {"ev1": HOUR}},
        )

    def test_a_change_of_a_month_names_only_its_own_fields(self) -> None:
        entry = occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z")
        change = LedgerChange(
            resource="anna",
            month="2027-03",
            sessions={SESSION: entry, "gone": None},
            blocks={(CALENDAR, "ev1"): HOUR, (CALENDAR, "ev2"): (), (CALENDAR, "ev3"): None},
            cleared=frozenset({"former"}),
        )
        assert change_fields(change) == {
            ("sessions", SESSION): {
                "service": "cut",
                "start": entry.start,
                "end": entry.end,
                "taken_from": entry.taken_from,
                "taken_until": entry.taken_until,
                "capacity": 1,
                "seats": 1,
                "scheduled": False,
                "closed": False,
                "placed_at": 0,
                "conflict": None,
                "accepted": [],
                "holds": {},
                "waiting": None,
            },
            ("sessions", "gone"): GONE,
            ("blocks", CALENDAR, "ev1"): [HOUR[0].start, HOUR[0].end],
            ("blocks", CALENDAR, "ev2"): GONE,
            ("blocks", CALENDAR, "ev3"): GONE,
            ("blocks", "former"): GONE,
        }

    def test_a_month_that_was_only_touched_is_empty(self) -> None:
        read = decode(ledger_ref("anna", "2027-03"), {"configured": 3})
        assert read == LedgerMonth(resource="anna", month="2027-03")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="nothing"),
        pytest.param({"a": 1}, {"a": 2}, {("a",): 2}, id="a value"),
        pytest.param({}, {"a": None}, {("a",): None}, id="a field that is new, and empty"),
        pytest.param({"newer": 1, "a": 1}, {"a": 2}, {("a",): 2}, id="not what a newer version of the code wrote"),
        pytest.param(
            {"seats": {"b1": 1, "b2": 1}},
            {"seats": {"b1": 1, "b3": 2}},
            {("seats", "b3"): 2, ("seats", "b2"): GONE},
            id="one who joined a class, and one who left it",
        ),
        pytest.param({"seats": {"b1": 1}}, {"seats": {}}, {("seats", "b1"): GONE}, id="the last who left"),
        pytest.param({"conflict": None}, {"conflict": {"reason": "x"}}, {("conflict",): {"reason": "x"}}, id="a map"),
        pytest.param({"conflict": {"reason": "x"}}, {"conflict": None}, {("conflict",): None}, id="no map any more"),
        pytest.param({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {("a",): [{"b": 2}]}, id="a list, as a whole"),
    ],
)
def test_what_differs(before: dict[str, Any], after: dict[str, Any], found: dict[Any, Any]) -> None:
    assert differences(before, after) == found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
FIELDS = st.fixed_dictionaries(dict.fromkeys("xyz", VALUES))


@given(FIELDS, FIELDS)
def test_a_document_with_its_differences_is_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    made = deepcopy(before)
    for path, value in differences(before, after).items():
        place = made
        for name in path[:-1]:
            place = place[name]  # only maps that were there are written into
        if value is GONE:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    assert made == after


NAMES = st.text(min_size=1, max_size=8)
MINUTES = st.integers(-(10**8), 10**9)
INTERVALS = st.lists(st.builds(Interval, MINUTES, MINUTES), min_size=1, max_size=3).map(tuple)


@given(
    st.lists(st.tuples(NAMES, MINUTES, MINUTES), max_size=3, unique_by=lambda each: each[0]),
    st.dictionaries(st.tuples(NAMES, NAMES), INTERVALS, max_size=4),
)
def test_every_ledger_month_comes_back(
    sessions: list[tuple[str, int, int]], blocks: dict[tuple[str, str], tuple[Interval, ...]]
) -> None:
    entries = {
        name: Occupation(session=name, service="cut", start=start, end=end, taken_from=start - 5, taken_until=end + 5)
        for name, start, end in sessions
    }
    fields = new_month_fields(LedgerChange(resource="anna", month="2027-03", sessions=entries, blocks=blocks))
    read = decode(ledger_ref("anna", "2027-03"), fields)
    assert read.sessions == entries
    assert {(name, event): held for name, events in read.blocks.items() for event, held in events.items()} == blocks
