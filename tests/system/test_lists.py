"""What operators list: each thing once, however many pages it takes and whatever happens meanwhile; and only what the filters say."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import combinations, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.adapters.store.pages import Position
from functions.adapters.store.store import Reader
from functions.booking.cursors import cursor_at
from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.session import Client
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from infra.local.platform import Platform
from tests.studio import DAY, Booked, Studio
from tests.system.test_bad_input import problem

LISTS = {"bookings": "bookings", "sessions": "sessions", "waitlist": "entries", "history": "history"}
NEXT_DAY = DAY + timedelta(days=1)


def pages(studio: Studio, name: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """One page after the other, as long as there is a cursor to the next."""
    answer = studio.look(name, **query)
    yield answer[LISTS[name]]
    while "next_cursor" in answer:
        answer = studio.look(name, **query, cursor=answer["next_cursor"])
        yield answer[LISTS[name]]


def whole(studio: Studio, name: str, **query: Any) -> list[dict[str, Any]]:
    return [each for page in pages(studio, name, **query) for each in page]


def ids(listed: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in listed]


class TestPages:
    def test_each_booking_is_seen_once_while_others_are_made_and_cancelled(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=20)
        nine, ten, eleven = (empty_studio.starts()[n] for n in (0, 2, 4))
        # Twenty at one time: no page ends where a time does.
        made = [empty_studio.book(start) for start in (nine, *[ten] * 20, *[eleven] * 9)]
        seen: list[str] = []
        later: list[Booked] = []
        for number, page in enumerate(pages(empty_studio, "bookings", limit=7)):
            assert len(page) <= 7
            seen += ids(page)
            made[number].cancel()  # seen already
            made[-1 - number].cancel()  # not seen yet
            later += [empty_studio.book(nine), empty_studio.book(eleven)]  # behind and ahead
        assert len(seen) == len(set(seen))
        assert {booking.id for booking in made} <= set(seen)
        assert set(seen) <= {booking.id for booking in (*made, *later)}
        assert set(ids(whole(empty_studio, "bookings", limit=7))) == {booking.id for booking in (*made, *later)}

    def test_they_come_by_time_and_the_last_page_says_so(self, empty_studio: Studio) -> None:
        starts = empty_studio.starts()[:6]
        for start in reversed(starts):
            empty_studio.book(start)
        found = list(pages(empty_studio, "bookings", limit=3))
        assert [[booking["start"] for booking in page] for page in found] == [starts[:3], starts[3:]]
        assert "next_cursor" not in empty_studio.look("bookings", limit=6)
        assert "next_cursor" in empty_studio.look("bookings", limit=5)

    def test_another_length_of_page_goes_on_where_the_last_ended(self, empty_studio: Studio) -> None:
        starts = empty_studio.starts()[:6]
        for start in starts:
            empty_studio.book(start)
        first = empty_studio.look("bookings", limit=2)
        rest = empty_studio.look("bookings", limit=100, cursor=first["next_cursor"])["bookings"]
        assert [booking["start"] for booking in rest] == starts[2:]

    def test_history_comes_newest_first_and_whole(self, empty_studio: Studio) -> None:
        booked = [empty_studio.book(start) for start in empty_studio.starts()[:5]]
        seen = []
        for page in pages(empty_studio, "history", limit=3):
            seen += page
            if booked:
                booked.pop().cancel()  # newer than all that is still to come
        told = [(entry["what"], entry.get("booking")) for entry in seen]
        assert len(told) == len(set(told)) == 9  # account, key, resource and service made, and five bookings
        assert told[-1][0] == "account.made"
        assert [entry["at"] for entry in seen] == sorted((entry["at"] for entry in seen), reverse=True)

    def test_entries_of_one_commit_stay_in_order_across_pages(self, empty_studio: Studio) -> None:
        author = Author(kind="operator", name="front desk")
        steps = tuple(HistoryEntry(what=f"step {n}", author=author, service="other") for n in range(12))
        empty_studio.store.run(empty_studio.account, lambda reader: Decision(answer=None, history=steps))
        told = [entry["what"] for entry in whole(empty_studio, "history", service="other", limit=5)]
        assert told == [f"step {n}" for n in reversed(range(12))]


def _told_apart(studio: Studio) -> list[Booked]:
    """Bookings that differ in everything that a filter asks about."""
    studio.open(resource="ben")
    studio.offer(resources=["anna", "ben"], assignment="choice")
    studio.offer("class", capacity=3, resources=["ben", "anna"], assignment="all")
    clients = [{"name": "Kim", "email": studio.client_email}, {"name": "Lee", "email": f"lee@{studio.account}.example"}]
    made = [
        studio.book(studio.starts(day, resource=resource)[n], resource=resource, client=client)
        for n, (day, resource, client) in enumerate(product((DAY, NEXT_DAY), ("anna", "ben"), clients))
    ]
    made += [
        studio.book(studio.starts(day, service="class")[-1], service="class", client=client)
        for day, client in product((DAY, NEXT_DAY), clients)
    ]
    for booking in made[::3]:
        booking.cancel()
    return made


def _matches(booking: dict[str, Any], resources: list[str], query: dict[str, Any]) -> bool:
    """The slow way to say what a filter means."""
    day = datetime.fromisoformat(booking["start"]).astimezone(ZoneInfo("Europe/Berlin")).date().isoformat()
    return (
        query.get("start", day) <= day
        and (day < query["end"] if "end" in query else True)
        and query.get("resource", resources[0]) in resources
        and query.get("service", booking["service"]) == booking["service"]
        and query.get("status", booking["status"]) == booking["status"]
        and query.get("session", booking["session"]) == booking["session"]
        and query.get("client", booking["client"]["email"]).casefold()
        in (booking["client"]["email"], booking["client_key"])
    )


class TestFilters:
    def test_bookings_by_every_combination(self, empty_studio: Studio) -> None:
        made = _told_apart(empty_studio)
        everything = whole(empty_studio, "bookings")
        assert set(ids(everything)) == {booking.id for booking in made}
        taken = {each["id"]: each["resources"] for each in whole(empty_studio, "sessions")}
        filters = {
            "start": NEXT_DAY.isoformat(),
            "end": NEXT_DAY.isoformat(),
            "resource": "ben",
            "service": "class",
            "client": empty_studio.client_email.upper(),
            "status": "confirmed",
            "session": made[-1].session,
        }
        counts = set()
        for number in range(len(filters) + 1):
            for chosen in combinations(filters, number):
                if {"start", "end"} <= set(chosen):
                    continue  # no day lies in both
                query = {name: filters[name] for name in chosen}
                expected = [b for b in everything if _matches(b, taken[b["session"]], query)]
                assert ids(whole(empty_studio, "bookings", limit=3, **query)) == ids(expected), query
                counts.add(len(expected))
        assert len(counts) > 4, "the filters told them apart"

    def test_dates_are_those_of_the_account(self, empty_studio: Studio) -> None:
        """An hour past midnight in Berlin is the day before in UTC."""
        empty_studio.open(start="00:00", end="24:00")
        first = empty_studio.starts()[0]
        assert first.startswith(str(DAY - timedelta(days=1)))
        booking = empty_studio.book(first)
        on_the_day = {"start": str(DAY), "end": str(NEXT_DAY)}
        assert ids(empty_studio.look("bookings", **on_the_day)["bookings"]) == [booking.id]
        assert ids(empty_studio.look("sessions", **on_the_day)["sessions"]) == [booking.session]
        assert empty_studio.look("bookings", end=str(DAY))["bookings"] == []

    def test_a_client_is_found_by_the_key_that_their_bookings_show(self, empty_studio: Studio) -> None:
        booking = empty_studio.book(empty_studio.starts()[0])
        (listed,) = empty_studio.look("bookings")["bookings"]
        assert ids(empty_studio.look("bookings", client=listed["client_key"])["bookings"]) == [booking.id]
        assert empty_studio.look("bookings", client="0" * 32)["bookings"] == []
        assert "client_key" not in booking.look(), "nothing that a client has use for"

    def test_who_a_client_is_comes_into_no_log(self, empty_studio: Studio, platform: Platform) -> None:
        empty_studio.look("bookings", client=empty_studio.client_email)
        refused = empty_studio.http.get(
            f"{empty_studio.base}/bookings",
            params={"client": f"{empty_studio.client_email} "},
            headers=empty_studio.operator,
        )
        assert empty_studio.client_email not in str(problem(refused, 422, "invalid-request"))
        log = platform.supervisor.log("booking").read_text(encoding="utf-8")
        assert empty_studio.client_email not in log
        assert empty_studio.client_email.replace("@", "%40") not in log

    def test_sessions_by_every_combination(self, empty_studio: Studio) -> None:
        made = _told_apart(empty_studio)
        everything = whole(empty_studio, "sessions")
        assert set(ids(everything)) == {booking.session for booking in made}
        filters = {"start": str(NEXT_DAY), "resource": "ben", "service": "class", "status": "open"}
        counts = set()
        for number in range(len(filters) + 1):
            for chosen in combinations(filters, number):
                query = {name: filters[name] for name in chosen}
                expected = [
                    each
                    for each in everything
                    if query.get("start", "") <= each["start"]
                    and query.get("resource", each["resources"][0]) in each["resources"]
                    and query.get("service", each["service"]) == each["service"]
                    and query.get("status", each["status"]) == each["status"]
                ]
                assert ids(whole(empty_studio, "sessions", limit=2, **query)) == ids(expected), query
                counts.add(len(expected))
        assert len(counts) > 4, "the filters told them apart"

    def test_a_session_says_how_full_it_is(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=6)
        nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
        empty_studio.book(nine, seats=2)
        empty_studio.post("holds", {"service": "consult", "start": nine, "seats": 3})
        empty_studio.book(ten).cancel()
        running, ended = empty_studio.look("sessions")["sessions"]
        assert (running["capacity"], running["seats_taken"], running["seats_left"]) == (6, 2, 1)
        assert (ended["status"], ended["seats_taken"], ended["seats_left"]) == ("cancelled", 0, 0)
        assert (running["start"], running["resources"], running["scheduled"]) == (nine, ["anna"], False)

    def test_who_waits_by_every_combination_in_the_order_they_came(self, empty_studio: Studio) -> None:
        studio = empty_studio
        entries = [
            _waits(studio, n, service=service, sessions=sessions, email=email, status=status)
            for n, (service, sessions, email, status) in enumerate(
                product(
                    ("class", "yoga"),
                    ((), ("one",), ("one", "two")),
                    ("kim@a.example", "lee@a.example"),
                    ("waiting", "left"),
                )
            )
        ]
        filters = {"service": "yoga", "session": "two", "client": "kim@a.example", "status": "waiting"}
        for number in range(len(filters) + 1):
            for chosen in combinations(filters, number):
                query = {name: filters[name] for name in chosen}
                expected = [
                    each.id
                    for each in entries
                    if query.get("service", each.service) == each.service
                    and query.get("client", each.client.email) == each.client.email
                    and query.get("status", each.status) == each.status
                    and ("session" not in query or "two" in each.place.wish.sessions)
                ]
                assert ids(whole(studio, "waitlist", limit=5, **query)) == expected, query
        last = studio.look("waitlist", limit=1, service="class", session="two", client="lee@a.example")["entries"][0]
        assert (last["client"]["email"], last["sessions"], last["seats"]) == ("lee@a.example", ["one", "two"], 2)
        assert (last["status"], last["joined_at"]) == ("waiting", "1970-01-01T00:00:00.010Z")

    def test_history_by_what_it_is_about(self, empty_studio: Studio) -> None:
        nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
        first, second = empty_studio.book(nine), empty_studio.book(ten)
        first.cancel()
        _waits(empty_studio, 1, service="consult", sessions=(), email="kim@a.example", status="waiting")

        def told(**about: str) -> list[str]:
            return [entry["what"] for entry in whole(empty_studio, "history", limit=1, **about)]

        assert told(booking=first.id) == ["booking.cancelled", "booking.confirmed"]
        assert told(session=second.session) == ["booking.confirmed"]
        assert told(service="consult") == ["entry.joined", "service.created"]
        assert told(entry="entry-01") == ["entry.joined"]
        assert told(resource="anna") == ["booking.cancelled", *["booking.confirmed"] * 2, "resource.created"]
        assert told(resource="anna", booking=second.id) == ["booking.confirmed"]
        assert told(resource="ben", booking=second.id) == []
        assert told(calendar="none") == []

    def test_history_is_for_people_and_says_nothing_of_how_it_is_kept(self, empty_studio: Studio) -> None:
        booking = empty_studio.book(empty_studio.starts()[0])
        (entry,) = empty_studio.look("history", booking=booking.id)["history"]
        assert entry.keys() == {
            "at", "what", "author_kind", "author_name", "session", "booking", "resource", "before", "after"
        }  # fmt: skip


def _waits(
    studio: Studio, number: int, *, service: str, sessions: tuple[str, ...], email: str, status: Any
) -> WaitlistEntry:
    """Somebody who waits, as the store would have them."""
    client = Client(name="Kim", email=email)
    wish = Wish(sessions=sessions, start=1, end=2)
    entry = WaitlistEntry(
        id=f"entry-{number:02}",
        service=service,
        client=client,
        place=Place(wish=wish, seats=2, client_key=client.key, joined_at=number),
        status=status,
        manage_hash="hash",
        created_at=number,
    )
    told = HistoryEntry(what="entry.joined", author=Author(kind="client"), service=service, entry=entry.id)

    def attempt(reader: Reader) -> Decision[None]:
        return Decision(answer=None, documents=(entry,), history=(told,))

    studio.store.run(studio.account, attempt)
    return entry


class TestRefused:
    @pytest.mark.parametrize("name", LISTS)
    @pytest.mark.parametrize(
        "query",
        [
            pytest.param({"colour": "red"}, id="an unknown filter"),
            pytest.param({"limit": 0}, id="no page at all"),
            pytest.param({"limit": 501}, id="too long a page"),
            pytest.param({"limit": "many"}, id="words for a number"),
            pytest.param({"limit": [1, 2]}, id="a limit twice"),
            pytest.param({"cursor": ""}, id="an empty cursor"),
            pytest.param({"cursor": "next"}, id="a word for a cursor"),
            pytest.param({"cursor": "ä"}, id="no base64"),
            pytest.param({"cursor": "x" * 400}, id="too long a cursor"),
        ],
    )
    def test_by_every_list(self, empty_studio: Studio, name: str, query: dict[str, Any]) -> None:
        problem(_asked(empty_studio, name, **query), 422, "invalid-request")

    @pytest.mark.parametrize(
        ("name", "query"),
        [
            pytest.param("bookings", {"start": str(DAY), "end": str(DAY)}, id="no day between start and end"),
            pytest.param("sessions", {"start": str(NEXT_DAY), "end": str(DAY)}, id="end before start"),
            pytest.param("bookings", {"start": "2027-02-30"}, id="a date that is not in the calendar"),
            pytest.param("bookings", {"start": "0001-01-01"}, id="the first day of all"),
            pytest.param("bookings", {"end": "9999-12-31"}, id="the last day of all"),
            pytest.param("bookings", {"status": "open"}, id="a session's status for a booking"),
            pytest.param("sessions", {"status": "held"}, id="a booking's status for a session"),
            pytest.param("waitlist", {"status": "confirmed"}, id="a booking's status for who waits"),
            pytest.param("bookings", {"client": "kim"}, id="a name for a client"),
            pytest.param("bookings", {"session": "a/b"}, id="a path for a session"),
            pytest.param("history", {"booking": "../x"}, id="a path for a booking"),
            pytest.param("bookings", {"resource": "__x__"}, id="a resource id that Firestore would refuse"),
            pytest.param("sessions", {"client": "kim@a.example"}, id="a filter of another list"),
        ],
    )
    def test_by_one_of_them(self, empty_studio: Studio, name: str, query: dict[str, Any]) -> None:
        problem(_asked(empty_studio, name, **query), 422, "invalid-request")

    @pytest.mark.parametrize(
        "forged",
        [
            pytest.param(lambda mark: [], id="nothing"),
            pytest.param(lambda mark: [mark, 1, "x", 2], id="too much"),
            pytest.param(lambda mark: [mark, "1", "x"], id="text for a number"),
            pytest.param(lambda mark: [mark, 1.5, "x"], id="a fraction"),
            pytest.param(lambda mark: [mark, 2**70, "x"], id="a number that Firestore has not"),
            pytest.param(lambda mark: [mark, 1, "a/b"], id="a path for an id"),
            pytest.param(lambda mark: [mark, 1, ""], id="no id"),
            pytest.param(lambda mark: [mark[1:], 1, "x"], id="the mark of no query"),
            pytest.param(lambda mark: {mark: 1}, id="another form"),
        ],
    )
    def test_a_cursor_that_somebody_made(self, empty_studio: Studio, forged: Callable[[str], Any]) -> None:
        mark, _, _ = json.loads(urlsafe_b64decode(_cursor(empty_studio, Position(1, "x")) + "=="))
        assert empty_studio.look("bookings", cursor=_encoded([mark, 1, "x"])) == {"bookings": []}
        problem(_asked(empty_studio, "bookings", cursor=_encoded(forged(mark))), 422, "invalid-request")

    @pytest.mark.parametrize(
        ("name", "query"),
        [
            pytest.param("bookings", {"service": "consult", "status": "confirmed"}, id="more filters"),
            pytest.param("bookings", {}, id="fewer filters"),
            pytest.param("bookings", {"service": "other"}, id="another value"),
            pytest.param("sessions", {"service": "consult"}, id="another list"),
        ],
    )
    def test_a_cursor_of_another_query_says_so(
        self, empty_studio: Studio, make_studio: Callable[[], Studio], name: str, query: dict[str, Any]
    ) -> None:
        for start in empty_studio.starts()[:2]:
            empty_studio.book(start)
        cursor = empty_studio.look("bookings", service="consult", limit=1)["next_cursor"]
        answer = problem(_asked(empty_studio, name, cursor=cursor, **query), 422, "invalid-request")
        assert "another query" in str(answer["detail"])
        other = problem(_asked(make_studio(), "bookings", cursor=cursor, service="consult"), 422, "invalid-request")
        assert "another query" in str(other["detail"])

    def test_a_position_beyond_the_end_is_an_empty_page(self, empty_studio: Studio) -> None:
        empty_studio.book(empty_studio.starts()[0])
        assert empty_studio.look("bookings", cursor=_cursor(empty_studio, Position(2**62, "z"))) == {"bookings": []}


def _cursor(studio: Studio, position: Position) -> str:
    """Of the bookings, without a filter."""
    return cursor_at(position, question=f"/v1/accounts/{studio.account}/bookings {{}}")


def _encoded(held: Any) -> str:
    return urlsafe_b64encode(json.dumps(held).encode()).decode()


def _asked(studio: Studio, name: str, **query: Any) -> Any:
    return studio.http.get(f"{studio.base}/{name}", params=query, headers=studio.operator)
