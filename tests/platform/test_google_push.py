"""Channels and notifications of the Google stand-in, received by a small HTTP server."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from tests.platform.test_google_fixtures import Receiver, Someone, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]

Json = dict[str, Any]


def watch(someone: Someone, receiver: Receiver, calendar: str = "primary", **fields: Any) -> Json:
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url, "token": "per-channel", **fields}
    return dict(someone.events.watch(calendarId=calendar, body=body).execute())


def idle(someone: Someone) -> None:
    assert someone.google.control("GET", "pushes/idle", timeout=30, calendar=someone.email)["idle"]


def behave(someone: Someone, **behaviour: Any) -> None:
    someone.google.control("PUT", "push", {"calendar": someone.email, **behaviour})


def numbers(received: list[dict[str, str]]) -> list[int]:
    return [int(headers["x-goog-message-number"]) for headers in received]


def test_the_sync_message_comes_first_and_may_precede_the_answer(anna: Someone, receiver: Receiver) -> None:
    # case 1
    behave(anna, sync_before_answer=True)
    channel = watch(anna, receiver)
    (sync,) = receiver.received
    assert sync["x-goog-resource-state"] == "sync"
    assert sync["x-goog-message-number"] == "1"
    assert sync["x-goog-channel-id"] == channel["id"]
    assert sync["x-goog-resource-id"] == channel["resourceId"]
    assert sync["x-goog-resource-uri"] == channel["resourceUri"]
    assert sync["x-goog-channel-token"] == "per-channel"
    assert sync["x-goog-channel-expiration"].endswith(" GMT")
    assert sync["content-length"] == "0"
    assert "APIs-Google" in sync["user-agent"]


def test_every_kind_of_change_is_told(anna: Someone, receiver: Receiver) -> None:
    watch(anna, receiver)
    event = anna.insert()
    receiver.wait(2)
    anna.patch(event["id"], summary="New")
    receiver.wait(3)
    anna.delete(event["id"])
    received = receiver.wait(4)
    assert [headers["x-goog-resource-state"] for headers in received] == ["sync", "exists", "exists", "exists"]


def test_message_numbers_grow_with_gaps(anna: Someone, receiver: Receiver) -> None:
    watch(anna, receiver)
    for _ in range(12):
        anna.insert()
    idle(anna)
    found = numbers(receiver.wait(13))
    assert found == sorted(set(found))
    assert found[-1] > 13


def test_channels_on_one_calendar_share_the_resource(anna: Someone, receiver: Receiver) -> None:
    # case 4
    first, second = watch(anna, receiver), watch(anna, receiver)
    assert first["resourceId"] == second["resourceId"]
    receiver.wait(2)
    anna.insert()
    received = receiver.wait(4)
    assert {headers["x-goog-channel-id"] for headers in received[2:]} == {first["id"], second["id"]}


def test_an_invitation_is_told_on_the_guests_calendar(anna: Someone, ben: Someone, receiver: Receiver) -> None:
    watch(ben, receiver)
    receiver.wait(1)
    anna.insert(attendees=[{"email": ben.email}])
    assert receiver.wait(2)[1]["x-goog-resource-state"] == "exists"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"address": "http://booking.example/hook"}, "push.webhookUrlNotHttps", id="plain http"),
        pytest.param({"type": "email"}, "invalid", id="unknown type"),
        pytest.param({"id": "x" * 65}, "invalid", id="long id"),
        pytest.param({"token": "x" * 257}, "invalid", id="long token"),
        pytest.param({"expiration": "1"}, "invalid", id="expired at birth"),
    ],
)
def test_an_unsound_channel_is_refused(anna: Someone, receiver: Receiver, fields: Json, reason: str) -> None:
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url, **fields}
    assert refusal(anna.events.watch(calendarId="primary", body=body)) == (400, reason)


def test_a_channel_id_is_used_once(anna: Someone, receiver: Receiver) -> None:
    # case 25
    channel = watch(anna, receiver)
    body = {"id": channel["id"], "type": "web_hook", "address": receiver.url}
    assert refusal(anna.events.watch(calendarId="primary", body=body)) == (400, "channelIdNotUnique")


def test_generated_calendars_can_not_be_watched(anna: Someone, receiver: Receiver) -> None:
    # case 24
    # case 89
    holidays = f"en.german-{uuid.uuid4().hex[:6]}#holiday@group.v.calendar.google.com"
    calendar = {"owner": anna.email, "summary": "Holidays", "id": holidays, "kind": "generated", "role": "reader"}
    anna.google.control("POST", "calendars", calendar)
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url}
    call = anna.events.watch(calendarId=holidays, body=body)
    assert refusal(call) == (400, "pushNotSupportedForRequestedResource")
    assert anna.events.list(calendarId=holidays).execute()["accessRole"] == "reader"


def test_the_expiration_is_the_servers(anna: Someone, receiver: Receiver) -> None:
    now = time.time() * 1000
    week = 604_800_000
    default = int(watch(anna, receiver)["expiration"])
    assert now + week - 60_000 < default < now + week + 60_000
    month = int(watch(anna, receiver, params={"ttl": str(30 * 86400)})["expiration"])
    assert month < now + week + 60_000
    short = int(watch(anna, receiver, expiration=str(int(now) + 120_000))["expiration"])
    assert short == int(now) + 120_000


def test_an_expired_channel_is_silent(anna: Someone, receiver: Receiver) -> None:
    # case 29
    channel = watch(anna, receiver)
    receiver.wait(1)
    assert anna.google.control("POST", "channels/expire", {"calendar": anna.email}) == {"expired": 1}
    anna.insert()
    idle(anna)
    assert len(receiver.received) == 1
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert refusal(anna.service.channels().stop(body=body)) == (404, "notFound")


def test_a_stopped_channel_is_silent(anna: Someone, ben: Someone, receiver: Receiver) -> None:
    # case 33
    channel = watch(anna, receiver)
    receiver.wait(1)
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert refusal(ben.service.channels().stop(body=body)) == (404, "notFound")
    wrong = {"id": channel["id"], "resourceId": "another"}
    assert refusal(anna.service.channels().stop(body=wrong)) == (404, "notFound")
    anna.service.channels().stop(body=body).execute()
    anna.insert()
    idle(anna)
    assert len(receiver.received) == 1
    assert refusal(anna.service.channels().stop(body=body)) == (404, "notFound")


def test_server_errors_are_tried_again(anna: Someone, receiver: Receiver) -> None:
    # case 13
    behave(anna, retry_base_ms=10)
    watch(anna, receiver)
    receiver.wait(1)
    receiver.answers = [500, 503, 204]
    anna.insert()
    received = receiver.wait(4)
    idle(anna)
    assert len(set(numbers(received)[1:])) == 1
    assert outcome(anna) == ("delivered", 3)


@pytest.mark.parametrize("status", [400, 401, 404, 429])
def test_other_errors_lose_the_notification(anna: Someone, receiver: Receiver, status: int) -> None:
    behave(anna, retry_base_ms=10)
    watch(anna, receiver)
    receiver.wait(1)
    receiver.answers = [status]
    anna.insert()
    idle(anna)
    assert len(receiver.received) == 2
    assert outcome(anna) == ("failed", 1)


def outcome(someone: Someone) -> tuple[str, int]:
    log = someone.google.control("GET", "pushes")["pushes"]
    last = [message for message in log if message["target"] == someone.email][-1]
    return last["outcome"], last["attempts"]


def test_pushes_can_be_dropped(anna: Someone, receiver: Receiver) -> None:
    # case 19
    behave(anna, drop=1)
    watch(anna, receiver)
    receiver.wait(1)
    anna.insert()
    idle(anna)
    assert len(receiver.received) == 1
    assert outcome(anna) == ("dropped", 0)


def test_pushes_can_be_doubled(anna: Someone, receiver: Receiver) -> None:
    # case 3
    behave(anna, duplicate=1)
    watch(anna, receiver)
    anna.insert()
    received = receiver.wait(3)
    assert numbers(received)[1] == numbers(received)[2]


def test_pushes_can_overtake_each_other(anna: Someone, receiver: Receiver) -> None:
    watch(anna, receiver)
    idle(anna)  # the answer to the first message is in too: it would let go of the one that is held
    behave(anna, reorder=1, hold_ms=20_000)
    anna.insert()
    anna.insert()
    received = receiver.wait(3)
    assert numbers(received)[1] > numbers(received)[2]


def test_pushes_can_be_late(anna: Someone, receiver: Receiver) -> None:
    # case 20
    watch(anna, receiver)
    receiver.wait(1)
    behave(anna, delay_ms=[300, 300])
    before = time.monotonic()
    anna.insert()
    receiver.wait(2)
    assert time.monotonic() - before >= 0.3


def test_only_the_watched_kinds_are_told(anna: Someone, receiver: Receiver) -> None:
    # case 36
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url}
    anna.events.watch(calendarId="primary", body=body, eventTypes=["focusTime"]).execute()
    receiver.wait(1)
    anna.insert()
    idle(anna)
    assert len(receiver.received) == 1
    anna.insert(eventType="focusTime", focusTimeProperties={})
    assert len(receiver.wait(2)) == 2


def test_a_persons_list_of_calendars_can_be_watched(anna: Someone, receiver: Receiver) -> None:
    # case 87
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url}
    anna.service.calendarList().watch(body=body).execute()
    receiver.wait(1)
    anna.service.calendars().insert(body={"summary": "Second"}).execute()
    assert receiver.wait(2)[1]["x-goog-resource-state"] == "exists"
