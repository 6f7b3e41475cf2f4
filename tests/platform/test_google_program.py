"""The stand-in as a program: state across restarts, signals, a taken port."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.transport.requests import Request

from infra.local.google.driver import CLIENT_SECRET, StandIn
from tests.platform.test_google_fixtures import Receiver, Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "data") as stand_in:
        yield stand_in


def test_a_restart_keeps_everything(own: StandIn, receiver: Receiver) -> None:
    own.create_user("anna@example.com")
    anna = Someone(own, "anna@example.com")
    kept, deleted = anna.insert(), anna.insert()
    master = anna.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    instance = anna.events.instances(calendarId="primary", eventId=master["id"]).execute()["items"][1]["id"]
    anna.delete(instance)
    token = anna.list().token
    anna.delete(deleted["id"])
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": receiver.url}
    anna.events.watch(calendarId="primary", body=body).execute()
    receiver.wait(1)
    keys = own.http.get("/oauth2/v1/certs").json()

    assert own.stop() == 0
    own.start()

    # The same client, with the access token it had.
    assert anna.get(kept["id"]) == kept
    assert anna.list(syncToken=token).items == [{"id": deleted["id"], "status": "cancelled"}]
    assert len(anna.list(singleEvents=True).ids) == 3
    assert own.http.get("/oauth2/v1/certs").json() == keys
    again = anna.events.insert(calendarId="primary", body={"id": deleted["id"], "start": at(1), "end": at(2)})
    assert refusal(again) == (409, "duplicate")
    changed = anna.patch(kept["id"], summary="After")
    assert changed["etag"] > kept["etag"]
    assert receiver.wait(2)[1]["x-goog-resource-state"] == "exists"
    assert own.control("GET", "mismatches") == {"mismatches": []}


def test_a_conference_that_was_pending_is_made_after_a_restart(own: StandIn) -> None:
    own.create_user("anna@example.com")
    anna = Someone(own, "anna@example.com")
    own.control("PUT", "conference", {"delay_ms": 600_000})
    body = {"start": at(10), "end": at(11), "conferenceData": {"createRequest": {"requestId": "r1"}}}
    event = anna.events.insert(calendarId="primary", body=body, conferenceDataVersion=1).execute()
    assert event["conferenceData"]["createRequest"]["status"]["statusCode"] == "pending"
    own.stop()
    own.start()
    deadline = time.monotonic() + 30
    while "hangoutLink" not in anna.get(event["id"]):
        assert time.monotonic() < deadline


def test_what_was_answered_survives_a_kill(own: StandIn) -> None:
    own.create_user("anna@example.com")
    anna = Someone(own, "anna@example.com")
    event = anna.insert()
    own.stop(signal.SIGKILL)
    own.start()
    assert anna.get(event["id"]) == event


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(own: StandIn, number: int) -> None:
    assert own.http.get("/healthz").json() == {"status": "ok"}
    assert own.stop(number) == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = StandIn(tmp_path / "data", port=port).command()
        environment = {"GOOGLE_CLIENT_SECRET": CLIENT_SECRET}
        root = Path(__file__).parents[2]
        ended = subprocess.run(
            command, env=environment, cwd=root, capture_output=True, text=True, timeout=30, check=False
        )
    assert ended.returncode == 3
    assert f"port {port} is in use (needed by google)" in ended.stderr


def test_no_secret_is_logged_or_kept_in_clear(own: StandIn) -> None:
    own.create_user("anna@example.com")
    credentials = own.credentials("anna@example.com")
    credentials.refresh(Request())
    own.http.get("/calendar/v3/users/me/calendarList", params={"access_token": credentials.token})
    own.stop()
    log = (own.data.parent / f"{own.data.name}.log").read_text()
    kept = b"".join(path.read_bytes() for path in own.data.iterdir())
    assert "calendarList" in log
    for secret in (str(credentials.token), str(credentials.refresh_token), CLIENT_SECRET):
        assert secret not in log
        assert secret.encode() not in kept


def test_one_person_or_everything_is_forgotten(own: StandIn) -> None:
    for email in ("anna@example.com", "ben@example.com"):
        own.create_user(email)
    anna, ben = Someone(own, "anna@example.com"), Someone(own, "ben@example.com")
    anna.insert()
    ben.insert()
    own.control("POST", "reset", {"email": anna.email})
    assert [user["email"] for user in own.control("GET", "users")["users"]] == [ben.email]
    assert len(ben.list().items) == 1
    own.create_user(anna.email)
    assert Someone(own, anna.email).list().items == []
    own.control("POST", "reset")
    assert own.control("GET", "users") == {"users": []}
    own.stop()
    own.start()
    assert own.control("GET", "users") == {"users": []}
