"""Trouble on demand from the Google stand-in, and its log of calls."""

from __future__ import annotations

import uuid
from typing import Any

import httplib2
import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]


def order(someone: Someone, **fault: Any) -> None:
    someone.google.control("POST", "faults", {"user": someone.email, **fault})


def insertion(someone: Someone, event_id: str) -> Any:
    body = {"id": event_id, "start": at(10), "end": at(11)}
    return someone.events.insert(calendarId="primary", body=body)


def test_a_call_fails_before_its_effect(anna: Someone) -> None:
    event_id = uuid.uuid4().hex
    order(anna, method="events.insert", status=503, reason="backendError")
    assert refusal(insertion(anna, event_id)) == (503, "backendError")
    assert refusal(anna.events.get(calendarId="primary", eventId=event_id)) == (404, "notFound")
    assert insertion(anna, event_id).execute()["id"] == event_id


def test_a_call_fails_after_its_effect(anna: Someone) -> None:
    # case 92
    event_id = uuid.uuid4().hex
    order(anna, method="POST", path=r"/events$", when="after", status=500)
    assert refusal(insertion(anna, event_id)) == (500, "backendError")
    assert refusal(insertion(anna, event_id)) == (409, "duplicate")
    assert anna.get(event_id)["status"] == "confirmed"


def test_an_answer_is_lost_with_the_connection(anna: Someone) -> None:
    event_id = uuid.uuid4().hex
    # The real client sends a request again when the connection breaks, so both answers are lost.
    order(anna, method="events.insert", when="after", drop=True, times=2)
    with pytest.raises((ConnectionError, httplib2.HttpLib2Error, OSError)):
        insertion(anna, event_id).execute()
    assert anna.get(event_id)["status"] == "confirmed"


def test_the_real_client_sends_a_broken_insert_twice(anna: Someone) -> None:
    event_id = uuid.uuid4().hex
    order(anna, method="events.insert", when="after", drop=True)
    assert refusal(insertion(anna, event_id)) == (409, "duplicate")


def test_a_fault_can_name_its_retry_time_and_reason(anna: Someone) -> None:
    order(anna, status=403, reason="userRateLimitExceeded", retry_after=7, times=1)
    with pytest.raises(HttpError) as caught:
        anna.events.list(calendarId="primary").execute()
    assert caught.value.resp["retry-after"] == "7"
    assert caught.value.error_details[0]["domain"] == "usageLimits"


def test_a_fault_is_for_its_person_and_path_only(anna: Someone, ben: Someone) -> None:
    order(anna, path=r"^freeBusy", times=5)
    assert ben.list().items == []
    assert anna.list().items == []
    left = anna.google.control("GET", "faults")["faults"]
    assert [fault["times"] for fault in left if fault["user"] == anna.email] == [5]


def test_usage_limits_stop_writing_not_reading(anna: Someone) -> None:
    # case 69
    anna.google.control("PUT", "usage-limit", {"user": anna.email, "on": True})
    assert refusal(insertion(anna, uuid.uuid4().hex)) == (403, "quotaExceeded")
    assert anna.list().items == []
    anna.google.control("PUT", "usage-limit", {"user": anna.email, "on": False})
    assert insertion(anna, uuid.uuid4().hex).execute()["status"] == "confirmed"


def test_rate_limits_are_per_person(anna: Someone, ben: Someone) -> None:
    # case 68
    anna.google.control("PUT", "limits", {"user": anna.email, "per_minute": 2, "status": 429})
    anna.list()
    anna.list()
    assert refusal(anna.events.list(calendarId="primary")) == (429, "rateLimitExceeded")
    assert ben.list().items == []
    anna.google.control("PUT", "limits", {"user": anna.email, "per_minute": None})
    assert anna.list().items == []


def test_the_log_tells_who_called_what(anna: Someone) -> None:
    last = anna.google.control("GET", "calls")["last"]
    event = anna.insert()
    refusal(anna.events.get(calendarId="primary", eventId="nosuchevent"))
    log = anna.google.control("GET", "calls", since=last)
    mine = [call for call in log["calls"] if call["user"] == anna.email and call["id"].startswith("events.")]
    assert [(call["id"], call["status"], call["note"]) for call in mine] == [
        ("events.insert", 200, ""),
        ("events.get", 404, "notFound"),
    ]
    assert mine[0]["path"] == "/calendar/v3/calendars/primary/events"
    assert log["counts"]["events.insert"] == 1
    assert event["summary"] not in str(log)


def test_a_batch_is_answered_call_by_call(anna: Someone) -> None:
    event = anna.insert()
    answers: dict[str, Any] = {}

    def take(request_id: str, answer: Any, error: Any) -> None:
        answers[request_id] = error.error_details[0]["reason"] if error else answer["id"]

    batch = BatchHttpRequest(batch_uri=f"{anna.google.url}/batch/calendar/v3", callback=take)
    batch.add(anna.events.get(calendarId="primary", eventId=event["id"]), request_id="good")
    batch.add(anna.events.get(calendarId="primary", eventId="nosuchevent"), request_id="bad")
    batch.execute(http=anna.service._http)
    assert answers == {"good": event["id"], "bad": "notFound"}
