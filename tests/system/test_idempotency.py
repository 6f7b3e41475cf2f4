"""Idempotency-Key: one request that is sent many times is answered once, and told the same each time; for 24 hours and not longer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from flask import Flask, Response, request

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.adapters.store import reading
from functions.adapters.store.store import Store
from functions.booking import clients
from functions.booking.idempotency import Key, answer_given, answer_to_store
from functions.booking.routing import Router, map_of
from functions.domain.errors import IdempotencyMismatch
from infra.local.platform import Platform
from tests.domain.builders import NOW
from tests.studio import Studio, until
from tests.system.test_bad_input import problem

DAY_MS = 24 * 3600 * 1000


class TestHowLongItIsKept:
    KEY = Key(id="id", request_hash="hash")
    STORED = answer_to_store(KEY, 201, {"id": "booking1"}, NOW)

    @pytest.mark.parametrize(
        ("later", "kept"),
        [(0, True), (DAY_MS - 1, True), (DAY_MS, False), (DAY_MS + 1, False)],
        ids=["at once", "just before a day is over", "after a day", "later"],
    )
    def test_an_answer_is_given_again_for_a_day(self, later: int, kept: bool) -> None:
        assert answer_given(self.STORED, self.KEY, NOW + later) == (self.STORED if kept else None)

    def test_another_request_is_told_so_while_it_is_kept(self) -> None:
        other = Key(id="id", request_hash="another")
        with pytest.raises(IdempotencyMismatch):
            answer_given(self.STORED, other, NOW + DAY_MS - 1)
        assert answer_given(self.STORED, other, NOW + DAY_MS) is None

    def test_of_a_new_request_there_is_none(self) -> None:
        assert answer_given(None, self.KEY, NOW) is None


def _expire(studio: Studio, in_ms: int) -> None:
    """The kept answers of this studio are kept for so much longer; nobody waits a day."""
    for kept in studio.store.client.collection(f"accounts/{studio.account}/idempotency").stream():
        kept.reference.update({"expires_at": now_millis() + in_ms})


def test_a_request_that_is_repeated_is_answered_the_same_and_a_day_later_it_is_a_new_one(empty_studio: Studio) -> None:
    empty_studio.offer(capacity=2)
    nine = empty_studio.starts()[0]
    first = empty_studio.try_to_book(nine, key="k")
    _expire(empty_studio, in_ms=60_000)
    again = empty_studio.try_to_book(nine, key="k")
    assert (again.status_code, again.json()) == (201, first.json())

    _expire(empty_studio, in_ms=0)
    anew = empty_studio.try_to_book(nine, key="k")
    assert (anew.status_code, anew.json()["session"]) == (201, first.json()["session"])
    assert anew.json()["id"] != first.json()["id"]
    assert empty_studio.try_to_book(nine, key="k").json() == anew.json(), "and that one is kept in its turn"


def test_a_repeated_request_is_answered_though_the_rules_would_refuse_it_now(empty_studio: Studio) -> None:
    nine = empty_studio.starts()[0]
    first = empty_studio.try_to_book(nine, key="k")
    empty_studio.offer(active=False)
    assert empty_studio.try_to_book(nine, key="k").json() == first.json()


def test_what_was_refused_may_be_tried_again_with_its_key(empty_studio: Studio) -> None:
    nine = empty_studio.starts()[0]
    other = empty_studio.book(nine)
    problem(empty_studio.try_to_book(nine, key="k"), 409, "slot-taken")
    other.cancel()
    assert empty_studio.try_to_book(nine, key="k").status_code == 201


@dataclass
class Here:
    """The booking function in this process. `meanwhile`: what others do at a moment that a test has chosen, once."""

    application: Application
    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def book(self, studio: Studio, start: str, *, key: str) -> Response:
        body = {"service": "consult", "start": start, "client": {"name": "Kim Doe", "email": studio.client_email}}
        path, headers = f"/v1/accounts/{studio.account}/bookings", {"Idempotency-Key": key}
        with Flask("here").test_request_context(path, method="POST", json=body, headers=headers):
            return Router(lambda _: map_of(clients.ROUTES)).answer(request, self.application, now_millis())

    def others_act(self) -> None:
        while self.meanwhile:
            self.meanwhile.pop()()

    @contextmanager
    def before(self, monkeypatch: pytest.MonkeyPatch, of: Any, name: str, *, skip: int = 0) -> Iterator[None]:
        """Others act right before a call of this method, after `skip` others."""
        method, calls = getattr(of, name), iter(range(10**6))

        def overtaken(*parts: Any, **named: Any) -> Any:
            if next(calls) >= skip:
                self.others_act()
            return method(*parts, **named)

        with monkeypatch.context() as patched:
            patched.setattr(of, name, overtaken)
            yield


@pytest.fixture
def here(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)
    return Here(Application(read_settings(platform.configuration.functions_environment)))


def _in_flight(answer: Response) -> None:
    assert (answer.status_code, answer.json["type"]) == (409, "urn:booking:problem:request-in-flight")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("capacity", [1, 8], ids=["where one is as many as fit", "where both would fit"])
class TestInFlight:
    def test_whose_commit_comes_second_is_told_that_it_was_in_flight(
        self, empty_studio: Studio, here: Here, monkeypatch: pytest.MonkeyPatch, capacity: int
    ) -> None:
        empty_studio.offer(capacity=capacity)
        nine = empty_studio.starts()[0]
        first: list[requests.Response] = []
        here.meanwhile.append(lambda: first.append(empty_studio.try_to_book(nine, key="k")))
        with here.before(monkeypatch, Store, "_commit"):
            _in_flight(here.book(empty_studio, nine, key="k"))
        again = here.book(empty_studio, nine, key="k")
        assert (again.status_code, again.json["id"]) == (201, first[0].json()["id"])
        assert len(empty_studio.look("bookings")["bookings"]) == 1

    def test_who_sees_the_others_booking_before_the_answer_is_told_the_same(
        self, empty_studio: Studio, here: Here, monkeypatch: pytest.MonkeyPatch, capacity: int
    ) -> None:
        """An instance that knows nothing of the service yet reads in several round trips: the answer was not there in the first of them."""
        empty_studio.offer(capacity=capacity)
        nine = empty_studio.starts()[0]
        first: list[requests.Response] = []
        here.meanwhile.append(lambda: first.append(empty_studio.try_to_book(nine, key="k")))
        assert reading.hints.get((empty_studio.account, "consult")) is None
        with here.before(monkeypatch, here.application.store.client._firestore_api, "batch_get_documents", skip=1):
            _in_flight(here.book(empty_studio, nine, key="k"))
        assert len(first) == 1
        assert here.book(empty_studio, nine, key="k").json["id"] == first[0].json()["id"]

    def test_another_request_with_the_key_is_told_that_it_is_another(
        self, empty_studio: Studio, here: Here, monkeypatch: pytest.MonkeyPatch, capacity: int
    ) -> None:
        empty_studio.offer(capacity=capacity)
        nine, half_past = empty_studio.starts()[:2]
        here.meanwhile.append(lambda: empty_studio.try_to_book(half_past, key="k"))
        with here.before(monkeypatch, Store, "_commit"):
            answer = here.book(empty_studio, nine, key="k")
        assert (answer.status_code, answer.json["type"]) == (422, "urn:booking:problem:idempotency-key-reused")


def test_a_change_of_time_that_is_sent_again_does_not_undo_what_the_owner_did_since(studio: Studio) -> None:  # case 99
    nine, ten, noon, half_past = (studio.starts()[place] for place in (0, 2, 6, 7))
    booking = studio.book(nine)
    first = booking.reschedule(ten, key="k")
    studio.person.move(booking.written()["id"], noon, half_past)
    until(lambda: booking.look()["start"] == noon)
    again = booking.reschedule(ten, key="k")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert booking.look()["start"] == noon
    assert booking.reschedule(nine, key="k").json()["type"] == "urn:booking:problem:idempotency-key-reused"
    assert booking.reschedule(ten, key="another").ok
    assert booking.look()["start"] == ten
