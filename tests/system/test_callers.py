"""Who may call what: manage tokens, API keys, tasks' OIDC tokens and channel tokens open one door each."""

import time
import uuid
from collections.abc import Mapping

import pytest
import requests

from functions.adapters.settings import read_settings
from functions.adapters.signing import ChannelClaim, channel_token
from infra.local.platform import Platform
from tests.studio import Booked, Studio, until


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def booking(empty_studio: Studio) -> Booked:
    return empty_studio.book(empty_studio.starts()[0])


OPERATOR_CALLS = [
    ("GET", "resources"),
    ("PUT", "resources/anna"),
    ("PUT", "services/consult"),
    ("PUT", "calendars/any"),
    ("POST", "calendars/any/pull"),
    ("GET", "bookings"),
    ("GET", "sessions"),
    ("POST", "preview"),
    ("GET", "sessions/any"),
    ("GET", "waitlist"),
    ("GET", "history?session=any"),
    ("GET", "health"),
    ("GET", "calendars/x"),
    ("POST", "calendars/x/audit"),
    ("GET", "connections"),
    ("POST", "connections"),
    ("POST", "connections/grants"),
    ("GET", "connections/any/calendars"),
]


@pytest.mark.parametrize(("method", "path"), OPERATOR_CALLS, ids=lambda value: value)
def test_operators_calls_open_to_no_other_proof(
    empty_studio: Studio, booking: Booked, make_studio: object, method: str, path: str
) -> None:
    stranger = make_studio()  # type: ignore[operator]
    for headers in (
        {},
        _bearer(booking.token),
        _bearer(stranger.api_key),
        _bearer("bok_wrong"),
        {"Authorization": "Basic eDp5"},
    ):
        answer = requests.request(method, f"{empty_studio.base}/{path}", headers=headers, json={}, timeout=10)
        assert answer.status_code == 401, headers
        assert answer.json()["type"] == "urn:booking:problem:unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("call", ["", "/cancel", "/reschedule"])
def test_a_booking_opens_to_its_own_token_and_to_its_operator_only(
    empty_studio: Studio, booking: Booked, call: str
) -> None:
    other = empty_studio.book(empty_studio.starts()[1])
    method = "POST" if call else "GET"
    url = f"{empty_studio.base}/bookings/{booking.id}{call}"
    assert requests.request(method, url, timeout=10).status_code == 401
    for wrong in (other.token, "x", booking.token + "x"):
        answer = requests.request(method, url, headers=_bearer(wrong), json={}, timeout=10)
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:booking:problem:not-found")
    assert booking.look()["status"] == "confirmed"
    assert requests.get(f"{empty_studio.base}/bookings/{booking.id}", headers=empty_studio.operator, timeout=10).ok


def test_what_an_operator_cancels_says_so(empty_studio: Studio, booking: Booked) -> None:
    url = f"{empty_studio.base}/bookings/{booking.id}/cancel"
    answer = requests.post(url, json={"reason": "Anna is ill"}, headers=empty_studio.operator, timeout=10)
    assert (answer.json()["cancelled_by"], answer.json()["reason"]) == ("operator", "Anna is ill")
    assert booking.history()[-1] == ("booking.cancelled", "operator")


def test_what_is_public_knows_an_operator_who_books_at_once_where_clients_ask(empty_studio: Studio) -> None:
    empty_studio.offer(confirmation="operator")
    start, later = empty_studio.starts()[:2]
    body = {"service": "consult", "client": empty_studio.details("kim")}
    asked = empty_studio.post("bookings", body | {"start": start})
    booked = empty_studio.post("bookings", body | {"start": later}, **empty_studio.operator)
    assert (asked.json()["status"], booked.json()["status"]) == ("held", "confirmed")
    wrong = empty_studio.post("bookings", body | {"start": later}, Authorization="Bearer bok_wrong")
    assert wrong.status_code == 401
    elsewhere = f"{empty_studio.addresses.booking}/oauth/callback"
    assert requests.get(elsewhere, headers=empty_studio.operator, timeout=10).status_code < 500


# The sync function


def _oidc(studio: Studio, **claims: object) -> Mapping[str, str]:
    answer = requests.post(f"{studio.addresses.tasks_http}/control/oidc", json=claims, timeout=10)
    return _bearer(answer.json()["token"])


@pytest.mark.parametrize("path", ["tasks/pull", "tasks/push", "tasks/notify", "schedule/minute", "schedule/daily"])
def test_the_sync_function_answers_tasks_only(studio: Studio, path: str) -> None:
    url = f"{studio.addresses.sync}/{path}"
    ours = studio.addresses.sync
    assert requests.post(url, json={}, timeout=10).status_code == 401
    for headers in (
        _bearer("nonsense"),
        _bearer(studio.api_key),
        _oidc(studio, audience="https://elsewhere.example"),
        _oidc(studio, audience=ours, lifetime=-3600),
    ):
        assert requests.post(url, json={}, headers=headers, timeout=10).status_code == 401
    stranger = _oidc(studio, audience=ours, email="someone@else.iam.gserviceaccount.com")
    assert requests.post(url, json={}, headers=stranger, timeout=10).status_code == 403
    assert requests.get(url, headers=_oidc(studio, audience=ours), timeout=10).status_code == 405


def test_the_booking_function_may_ask_for_a_pull_and_for_nothing_else(studio: Studio) -> None:
    project = studio.addresses.project
    booking = _oidc(studio, audience=studio.addresses.sync, email=f"booking@{project}.iam.gserviceaccount.com")
    body = {"account": studio.account, "subject": studio.calendar}
    answers = {
        path: requests.post(f"{studio.addresses.sync}/{path}", json=body, headers=booking, timeout=10).status_code
        for path in ("tasks/pull", "tasks/push", "tasks/audit", "schedule/minute")
    }
    assert answers == {"tasks/pull": 204, "tasks/push": 403, "tasks/audit": 403, "schedule/minute": 403}


def test_a_task_that_names_nothing_is_done_at_once(studio: Studio) -> None:
    headers = _oidc(studio, audience=studio.addresses.sync)
    for body in ({}, {"account": studio.account}, {"account": studio.account, "subject": "nothing-there"}, []):
        answer = requests.post(f"{studio.addresses.sync}/tasks/pull", json=body, headers=headers, timeout=10)
        assert answer.status_code == 204


# The webhook


class Channel:
    """A channel as Google would call on it, with a token made by the platform's own key."""

    def __init__(self, platform: Platform, studio: Studio) -> None:
        self.url = platform.addresses.webhook
        self.id = str(uuid.uuid4())
        self.key = read_settings(platform.configuration.functions_environment).signing_keys[0]
        self.claim = ChannelClaim(account=studio.account, calendar=studio.calendar, expires=int(time.time()) + 3600)

    def call(self, method: str = "POST", **changes: str) -> int:
        headers = {
            "X-Goog-Channel-ID": self.id,
            "X-Goog-Channel-Token": channel_token(self.key, self.id, self.claim),
            "X-Goog-Resource-State": "exists",
            "X-Goog-Resource-ID": "r",
            "X-Goog-Message-Number": "7",
        }
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        return requests.request(method, self.url, headers=headers | named, timeout=10).status_code


@pytest.fixture
def channel(platform: Platform, studio: Studio) -> Channel:
    return Channel(platform, studio)


def _pulls(studio: Studio) -> int:
    log = requests.get(f"{studio.addresses.tasks_http}/control/log", timeout=10).json()["deliveries"]
    return sum(1 for delivery in log if delivery["url"].endswith("/tasks/pull"))


def _quiet(studio: Studio) -> None:
    answer = requests.get(
        f"{studio.addresses.tasks_http}/control/idle", params={"timeout": 30, "within": 3}, timeout=40
    )
    assert answer.json() == {"idle": True}


def test_a_notification_leads_to_one_pull_however_often_it_comes(
    studio: Studio, channel: Channel
) -> None:  # cases 3, 10
    _quiet(studio)
    before = time.time()
    assert {channel.call(), channel.call(), channel.call(X_Goog_Resource_State="not_exists")} == {204}
    assert channel.call(X_Goog_Resource_State="something_new") == 204
    until(lambda: studio.fresh_since(before * 1000))


def test_what_is_not_ours_leads_to_nothing(studio: Studio, channel: Channel) -> None:  # cases 5, 6, 12
    _quiet(studio)
    pulls = _pulls(studio)
    good = channel_token(channel.key, channel.id, channel.claim)
    account_part = good.replace(studio.account, "other-account")
    assert channel.call(X_Goog_Channel_Token="") == 403
    assert channel.call(X_Goog_Channel_Token="a.b.c.1.e") == 403
    assert channel.call(X_Goog_Channel_Token=good + "x") == 403
    assert channel.call(X_Goog_Channel_Token=account_part) == 403
    assert channel.call(X_Goog_Channel_ID=str(uuid.uuid4())) == 403
    assert channel.call("GET") == 405
    assert channel.call("PUT") == 405
    assert channel.call(X_Goog_Resource_State="sync") == 204  # case 1
    channel.claim = ChannelClaim(account=studio.account, calendar=studio.calendar, expires=int(time.time()) - 3 * 86400)
    assert channel.call() == 403
    _quiet(studio)
    assert _pulls(studio) == pulls


def test_header_names_in_any_case_are_read(studio: Studio, channel: Channel) -> None:  # case 11
    before = time.time()
    token = channel_token(channel.key, channel.id, channel.claim)
    headers = {"x-goog-channel-id": channel.id, "X-GOOG-CHANNEL-TOKEN": token, "x-goog-resource-state": "exists"}
    assert requests.post(channel.url, headers=headers, data=b"unexpected body", timeout=10).status_code == 204
    until(lambda: studio.fresh_since(before * 1000))
