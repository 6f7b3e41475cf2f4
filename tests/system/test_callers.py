"""Who may call what: manage tokens, API keys and tasks' OIDC tokens open one door each; channel tokens in `test_notifications`.

Who may not, route by route: `test_wrong_identities`.
"""

from collections.abc import Mapping

import pytest
import requests

from functions.sync.main import SCHEDULES, TASKS
from tests.studio import Booked, Studio


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def booking(empty_studio: Studio) -> Booked:
    return empty_studio.book(empty_studio.starts()[0])


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


EVERYTHING = (*(f"tasks/{name}" for name in TASKS), *(f"schedule/{name}" for name in SCHEDULES))


@pytest.mark.parametrize("path", EVERYTHING)
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
    nobody_vouches = _oidc(studio, audience=ours, email_verified=False)
    assert requests.post(url, json={}, headers=nobody_vouches, timeout=10).status_code == 403
    stranger = _oidc(studio, audience=ours, email="someone@else.iam.gserviceaccount.com")
    assert requests.post(url, json={}, headers=stranger, timeout=10).status_code == 403
    assert requests.get(url, headers=_oidc(studio, audience=ours), timeout=10).status_code == 405


def test_the_booking_function_may_ask_for_a_pull_and_for_nothing_else(studio: Studio) -> None:
    project = studio.addresses.project
    booking = _oidc(studio, audience=studio.addresses.sync, email=f"booking@{project}.iam.gserviceaccount.com")
    body = {"account": studio.account, "subject": studio.calendar}
    answers = {
        path: requests.post(f"{studio.addresses.sync}/{path}", json=body, headers=booking, timeout=10).status_code
        for path in EVERYTHING
    }
    assert answers == {path: 204 if path == "tasks/pull" else 403 for path in EVERYTHING}


def test_a_task_that_names_nothing_is_done_at_once(studio: Studio) -> None:
    headers = _oidc(studio, audience=studio.addresses.sync)
    for body in ({}, {"account": studio.account}, {"account": studio.account, "subject": "nothing-there"}, []):
        answer = requests.post(f"{studio.addresses.sync}/tasks/pull", json=body, headers=headers, timeout=10)
        assert answer.status_code == 204
