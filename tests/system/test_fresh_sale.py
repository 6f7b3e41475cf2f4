"""Fresh at the moment of sale: a lost push can show a slot too long, but can't sell it; and what a calendar that can't be read means, by service."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from functions.adapters.clock import now_millis
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.studio import DAY, Studio, until
from tests.system.waiting import all_done

MINUTE_MS = 60_000
NOBODY = "http://127.0.0.1:1"  # no server has this port


@pytest.fixture
def studio(studio: Studio) -> Studio:
    """Its person's events are pushed by nobody."""
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    return studio


def last_read(studio: Studio, *, minutes_ago: float) -> None:
    """The calendar was pulled then, and nobody is at it, nor will be."""
    all_done(studio)
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}")
    until(lambda: document.get(["lease"]).get("lease")["holder"] is None)
    document.update({"last_success_at": now_millis() - int(minutes_ago * MINUTE_MS)})


def seen(studio: Studio) -> str:
    """When the calendar was read last."""
    return str(studio.look("health")["calendars"][0]["last_success_at"])


SALES: dict[str, Callable[[Studio, str], requests.Response]] = {
    "bookings": lambda studio, start: studio.try_to_book(start),
    "holds": lambda studio, start: studio.post("holds", {"service": "consult", "start": start}),
    "series": lambda studio, start: studio.try_to_book_series(start, weeks=2),
    "reschedule": lambda studio, start: studio.book(studio.starts()[-1]).reschedule(start),
}


@pytest.mark.parametrize("sale", SALES.values(), ids=SALES)
def test_nobody_is_sold_what_only_google_knows_to_be_busy(
    studio: Studio, sale: Callable[[Studio, str], requests.Response]
) -> None:  # cases 19 and 151
    nine, half_past = studio.starts()[:2]
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=6)
    assert nine in studio.starts()

    answer = sale(studio, nine)
    assert answer.status_code == 409
    assert half_past in answer.text
    assert nine not in studio.starts()


def test_what_is_kept_while_a_form_is_filled_in_is_not_sold_over_what_only_google_knows(studio: Studio) -> None:
    nine, half_past = studio.starts()[:2]
    hold = studio.post("holds", {"service": "consult", "start": nine}).json()
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=6)
    proof = {"Authorization": f"Bearer {hold['manage_token']}"}
    answer = studio.post(f"bookings/{hold['id']}/confirm", {"client": studio.details("kim")}, **proof)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:booking:problem:hold-lapsed")


def test_a_calendar_that_was_read_a_moment_ago_is_believed(studio: Studio) -> None:
    nine, half_past = studio.starts()[:2]
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=4)
    assert studio.try_to_book(nine).status_code == 201


def test_a_service_may_want_to_know_each_time(studio: Studio) -> None:
    nine, half_past = studio.starts()[:2]
    studio.offer(fresh_for_minutes=0)
    studio.person.add(nine, half_past)
    assert studio.try_to_book(nine).status_code == 409


def test_what_is_refused_anyway_asks_nobody(studio: Studio) -> None:
    last_read(studio, minutes_ago=6)
    moment = seen(studio)
    assert studio.try_to_book(f"{DAY}T03:00:00Z").status_code == 422
    assert seen(studio) == moment


def test_those_who_book_at_once_wait_for_one_pull(studio: Studio) -> None:
    nine, half_past, *more = studio.starts()[:6]
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=6)
    with ThreadPoolExecutor(5) as pool:
        answers = [*pool.map(lambda start: studio.try_to_book(start).status_code, [nine, *more])]
    assert answers == [409, 201, 201, 201, 201]


def test_who_waits_is_not_offered_what_only_google_knows_to_be_busy(studio: Studio) -> None:
    nine, half_past = studio.starts()[:2]
    booking = studio.book(nine)
    waiting = studio.wait(start=nine)
    studio.person.add(nine, half_past)
    last_read(studio, minutes_ago=6)
    long_ago = seen(studio)
    assert nine not in studio.starts()
    booking.cancel()
    until(lambda: seen(studio) != long_ago)
    all_done(studio)
    assert waiting.status() == "waiting"
    assert nine not in studio.starts()


class Asked:
    """A sync function that notes what it is asked for, and does nothing."""

    def __init__(self) -> None:
        self.pulls: list[list[str]] = []

    def pull(self, account: str, calendars: list[str], **_: object) -> None:
        self.pulls.append(calendars)


def test_a_calendar_that_is_being_read_already_is_waited_for(studio: Studio, platform: Platform) -> None:
    nine = studio.starts()[0]
    application, asked = application_of(platform), Asked()
    vars(application)["sync_function"] = asked
    client = booking_client(application)
    last_read(studio, minutes_ago=6)
    document = studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}")
    document.update({"lease": {"holder": "another", "fence": 1_000_000, "expires_at": now_millis() + MINUTE_MS}})
    with ThreadPoolExecutor(1) as pool:
        sale = pool.submit(book, client, studio, nine)
        until(lambda: asked.pulls)
        document.update({"last_success_at": now_millis()})
        assert sale.result().status_code == 201
    assert asked.pulls == [[]]


def book(client: FlaskClient, studio: Studio, start: str) -> Any:
    body = {"service": "consult", "start": start, "client": {"name": "Kim", "email": studio.client_email}}
    return client.post(f"/v1/accounts/{studio.account}/bookings", json=body)


class TestWhereNothingCanBePulled:
    """The sync function is not there: what then counts is the policy of the service, or of the resource where it has one (case 156)."""

    @pytest.fixture
    def client(self, platform: Platform) -> FlaskClient:
        return booking_client(application_of(platform, SYNC_URL=NOBODY))

    @pytest.mark.parametrize(
        ("minutes_ago", "policy", "expected"),
        [
            pytest.param(6, {}, 201, id="read not long ago: sold by what is known"),
            pytest.param(361, {}, 503, id="read too long ago: closed"),
            pytest.param(361, {"stale_after_minutes": 600}, 201, id="not too long for this service"),
            pytest.param(31, {"stale_after_minutes": 30}, 503, id="too long for this service"),
            pytest.param(361, {"on_stale": "keep"}, 201, id="kept, by what was known last"),
        ],
    )
    def test_the_policy_decides(
        self, client: FlaskClient, studio: Studio, minutes_ago: float, policy: dict[str, Any], expected: int
    ) -> None:
        nine = studio.starts()[0]
        studio.offer(**policy)
        last_read(studio, minutes_ago=minutes_ago)
        assert book(client, studio, nine).status_code == expected

    def test_a_resource_that_has_a_policy_goes_before_the_service(self, client: FlaskClient, studio: Studio) -> None:
        nine = studio.starts()[0]
        studio.offer(on_stale="keep")
        studio.open(stale_after_minutes=30, on_stale="close")
        last_read(studio, minutes_ago=31)
        assert studio.starts() == []
        (reason,) = studio.explain(nine)["reasons"]
        assert (reason["cause"]["stale_after_minutes"], reason["cause"]["by_rule_of"]) == (30, "resource")
        assert book(client, studio, nine).status_code == 503
        assert "Consultation can't be booked at anna" in studio.look("health")["reasons"][0]["text"]
        studio.open(on_stale="keep")
        assert book(client, studio, nine).status_code == 201

    def test_operators_are_told_why_and_what_it_means(self, studio: Studio) -> None:
        nine = studio.starts()[0]
        last_read(studio, minutes_ago=361)
        since = seen(studio)
        assert studio.starts() == []
        (reason,) = studio.explain(nine)["reasons"]
        assert (reason["rule"], reason["cause"]["not_read_since"]) == ("calendar_unknown", since)
        health = studio.look("health")
        assert health["status"] == "attention"
        assert health["reasons"] == [
            {
                "calendar": studio.calendar,
                "text": f"{studio.person.email} has not been read since {since}. "
                "Consultation can't be booked at anna until it is.",
            }
        ]
        # Whoever books brings it back.
        assert studio.try_to_book(nine).status_code == 201
        assert studio.look("health")["status"] == "ok"
