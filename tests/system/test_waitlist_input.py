"""Whatever is sent to a waitlist, the answer is a problem that says what to do, and never a 500; nothing opens to who has no proof."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Studio
from tests.system.waiting import NOON, TEN, full_class

CLIENT = {"name": "Kim", "email": "kim@client.example"}
GOOD: dict[str, Any] = {"service": "consult", "start": TEN, "client": CLIENT}
A_HUNDRED_DAYS_LATER = f"{DAY + timedelta(days=100)}T10:00:00Z"


def problem(answer: requests.Response, status: int, slug: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    body = dict(answer.json())
    assert (body["type"], body["status"]) == (f"urn:booking:problem:{slug}", status)
    assert body["title"]
    assert body["detail"]
    return body


INVALID = (422, "invalid-request")
JOINS: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "a service that is not there": ({"service": "nothing"}, (404, "not-found")),
    "a service id that Firestore would refuse": ({"service": "__x__"}, INVALID),
    "nothing to wait for": ({"start": None}, INVALID),
    "sessions and a start": ({"sessions": ["s"]}, INVALID),
    "an end without a start": ({"start": None, "sessions": ["s"], "end": NOON}, INVALID),
    "an end before the start": ({"end": f"{DAY}T09:00:00Z"}, INVALID),
    "an end at the start": ({"end": TEN}, INVALID),
    "a session that is not there": ({"start": None, "sessions": ["nowhere"]}, INVALID),
    "a session id that Firestore would refuse": ({"start": None, "sessions": ["__x__"]}, INVALID),
    "sessions with a person": ({"start": None, "sessions": ["s"], "resource": "anna"}, INVALID),
    "sessions with a length": ({"start": None, "sessions": ["s"], "duration_minutes": 30}, INVALID),
    "eleven sessions": ({"start": None, "sessions": [f"s{number}" for number in range(11)]}, INVALID),
    "over three months": ({"end": A_HUNDRED_DAYS_LATER}, INVALID),
    "a time in two centuries": ({"start": "2199-01-01T10:00:00Z"}, INVALID),
    "a range to the end of time": ({"end": "2199-01-01T10:00:00Z"}, INVALID),
    "a time that is past": ({"start": "2020-01-01T10:00:00Z"}, (409, "illegal-state")),
    "a time at which it is closed": ({"start": f"{DAY}T02:00:00Z"}, (422, "start-closed")),
    "an instant with seconds": ({"start": f"{DAY}T10:00:30Z"}, INVALID),
    "an instant without an offset": ({"start": f"{DAY}T10:00:00"}, INVALID),
    "a number for an instant": ({"start": 1_900_000_000}, INVALID),
    "a person who does not serve it": ({"resource": "ben"}, INVALID),
    "a length that is not offered": ({"duration_minutes": 45}, INVALID),
    "no seats": ({"seats": 0}, INVALID),
    "more seats than there are": ({"seats": 2}, INVALID),
    "no client": ({"client": None}, INVALID),
    "a client without an address": ({"client": {"name": "Kim"}}, INVALID),
    "an answer that can't be stored": ({"answers": {"diet": "\x00"}}, INVALID),
    "an answer to no question that could be": ({"answers": {"": "x"}}, INVALID),
    "too many answers": ({"answers": {f"q{number}": "x" for number in range(21)}}, INVALID),
    "a field that there is not": ({"sesions": ["s"]}, INVALID),
    "a free time": ({}, (409, "seat-free")),
}


@pytest.mark.parametrize("what", JOINS)
def test_nobody_joins_with(empty_studio: Studio, what: str) -> None:
    change, expected = JOINS[what]
    body = {name: value for name, value in (GOOD | change).items() if value is not None}
    problem(empty_studio.post("waitlist", body), *expected)


DIET = {"id": "diet", "label": "What do you eat?", "kind": "choice", "choices": ["all", "plants"], "required": True}


def test_who_waits_answers_the_questions_of_the_service_as_who_books_does(empty_studio: Studio) -> None:
    empty_studio.offer(questions=[DIET])
    start = empty_studio.starts()[0]
    empty_studio.book(start, answers={"diet": "all"})
    for answers in ({}, {"diet": "stones"}, {"diet": "all", "shoes": "42"}):
        problem(empty_studio.try_to_wait(start=start, client="ann", answers=answers), *INVALID)
    assert empty_studio.try_to_wait(start=start, client="ann", answers={"diet": "plants"}).status_code == 201


def test_what_is_free_may_be_waited_for_by_whom_their_limits_keep_from_booking_it(empty_studio: Studio) -> None:
    empty_studio.offer(client_limits={"per_day": 1})
    first, second = empty_studio.starts()[:2]
    empty_studio.book(first, client=empty_studio.details("ann"))
    problem(empty_studio.try_to_book(second, client=empty_studio.details("ann")), 422, "start-closed")
    assert empty_studio.try_to_wait(start=second, client="ann").status_code == 201
    problem(empty_studio.try_to_wait(start=second, client="ben"), 409, "seat-free")


@pytest.mark.parametrize("what", ["priority", "level", "category"])
@pytest.mark.parametrize("value", [1001, -1001, "x" * 41, " ", "a\nb", {}])
def test_not_even_operators_join_somebody_with(empty_studio: Studio, what: str, value: object) -> None:
    if what == "priority" or not isinstance(value, int):
        answer = empty_studio.post("waitlist", GOOD | {what: value}, **empty_studio.operator)
        problem(answer, *INVALID)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_what_is_no_object_joins_nobody(empty_studio: Studio, body: bytes) -> None:
    answer = empty_studio.http.post(f"{empty_studio.base}/waitlist", data=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["type"].startswith("urn:booking:problem:invalid")


def test_what_is_sent_about_a_place_is_looked_at_as_closely(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    waiting = empty_studio.wait(start=start)
    for changes in ({"seats": 0}, {"seats": 3}, {"seats": "x"}, {"joined_at": 0}, {"place": {}}):
        problem(waiting.change(**changes), *INVALID)
    for changes in ({"priority": 10**6}, {"level": " "}, {"category": "x" * 41}, {"paused": "perhaps"}):
        problem(waiting.change(by=empty_studio.operator, **changes), *INVALID)
    for what in ({"session": "__x__"}, {"start": "noon"}, {"as_offer": "perhaps"}, {"seat": 1}):
        problem(waiting.promote(**what), *INVALID)
    on = empty_studio.post(f"bookings/{first.id}/waitlist", {"pause": True}, **empty_studio.operator)
    problem(on, *INVALID)
    assert waiting.change().json()["status"] == "waiting", "nothing to change is no mistake"


PRESETS: dict[str, dict[str, Any]] = {
    "no name": {"name": None},
    "a mode that there is not": {"mode": "lottery"},
    "a party policy that there is not": {"party": "split"},
    "an offer too short to answer": {"offer_minutes": 1},
    "an offer of a month": {"offer_minutes": 31 * 24 * 60},
    "a cut-off after the start": {"cutoff_minutes": -1},
    "no wall time": {"quiet": {"start": "25:00", "end": "07:00"}},
    "quiet hours without an end": {"quiet": {"start": "22:00"}},
    "quiet hours around the clock": {"quiet": {"start": "00:00", "end": "24:00"}},
    "a level without a name": {"levels": [""]},
    "a level with a name of two lines": {"levels": ["a\nb"]},
    "twenty-one levels": {"levels": [f"l{number}" for number in range(21)]},
    "a field that there is not": {"cutof_minutes": 5},
}


@pytest.mark.parametrize("what", PRESETS)
def test_no_preset_has(empty_studio: Studio, what: str) -> None:
    body = {name: value for name, value in ({"name": "Rules"} | PRESETS[what]).items() if value is not None}
    address = f"{empty_studio.base}/presets/rules"
    problem(empty_studio.http.put(address, json=body, headers=empty_studio.operator), *INVALID)
    assert empty_studio.look("presets")["presets"] == []


BY_CLIENTS = [("GET", ""), ("PATCH", ""), ("POST", "/accept"), ("POST", "/decline"), ("POST", "/leave")]
BY_OPERATORS = [("POST", "/promote"), ("POST", "/put-back")]


class TestProof:
    def test_a_place_opens_to_its_own_token_and_its_operator_only(self, empty_studio: Studio, make_studio: Any) -> None:
        start, (booking, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        stranger = make_studio()
        for method, what in BY_CLIENTS:
            address = f"{empty_studio.base}/waitlist/{ann.id}{what}"
            problem(requests.request(method, address, json={}, timeout=10), 401, "unauthorized")
            for wrong in (ben.token, booking.token, "x", ann.token + "x"):
                headers = {"Authorization": f"Bearer {wrong}"}
                problem(requests.request(method, address, json={}, headers=headers, timeout=10), 404, "not-found")
            for wrong in (stranger.api_key, "bok_wrong"):
                headers = {"Authorization": f"Bearer {wrong}"}
                problem(requests.request(method, address, json={}, headers=headers, timeout=10), 401, "unauthorized")
        assert ann.status() == "waiting"
        assert ann.seen_by_operator()["client"]["name"] == "Ann"

    def test_what_operators_do_opens_to_no_client(self, empty_studio: Studio) -> None:
        start, _ = full_class(empty_studio)
        ann = empty_studio.wait(client="ann", start=start)
        for method, what in BY_OPERATORS:
            for headers in ({}, dict(ann.proof)):
                address = f"{empty_studio.base}/waitlist/{ann.id}{what}"
                problem(requests.request(method, address, headers=headers, timeout=10), 401, "unauthorized")

    def test_a_place_opens_no_booking(self, empty_studio: Studio) -> None:
        start, (booking, _) = full_class(empty_studio)
        ann = empty_studio.wait(client="ann", start=start)
        answer = empty_studio.http.get(f"{empty_studio.base}/bookings/{booking.id}", headers=dict(ann.proof))
        problem(answer, 404, "not-found")

    def test_a_place_that_is_not_there_is_not_found(self, empty_studio: Studio) -> None:
        for method, what in BY_CLIENTS + BY_OPERATORS:
            address = f"{empty_studio.base}/waitlist/nowhere{what}"
            answer = empty_studio.http.request(method, address, json={}, headers=empty_studio.operator)
            problem(answer, 404, "not-found")
        answer = empty_studio.post("bookings/nowhere/waitlist", **empty_studio.operator)
        problem(answer, 404, "not-found")

    def test_a_key_of_somebody_else_joins_nobody(self, empty_studio: Studio) -> None:
        answer = empty_studio.post("waitlist", GOOD, Authorization="Bearer bok_wrong")
        problem(answer, 401, "unauthorized")
