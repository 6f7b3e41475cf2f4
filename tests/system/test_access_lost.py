"""Access to a Google account that is lost and comes back: everything waits, and everything is caught up with."""

import json
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import requests
from google.cloud.tasks_v2 import CloudTasksClient, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from functions.adapters.oauth import SCOPES
from functions.domain.instants import MINUTE_MS
from infra.local.configuration import TASKS_LOCATION
from infra.local.platform import Platform
from tests.in_process import rediscover
from tests.studio import Studio, instants, until
from tests.system.waiting import all_done


def _grant(studio: Studio) -> dict[str, object]:
    body = {"email": studio.person.email, "refresh_token": studio.person.refresh_token}
    answer = studio.http.post(f"{studio.base}/connections/grants", json=body, headers=studio.operator)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _state(studio: Studio) -> str:
    (connection,) = studio.look("connections")["connections"]
    return str(connection["state"])


def test_a_grant_that_is_given_again_catches_up_with_both_sides(studio: Studio) -> None:  # cases 80 and 83
    nine, ten, eleven, noon, one = (studio.starts()[n] for n in (0, 2, 4, 6, 8))
    kept, ended = studio.book(nine), studio.book(ten)
    event = kept.written()
    ended.written()
    (before,) = studio.look("connections")["connections"]
    channels = studio.google_control("GET", "channels")["channels"]
    live = {each["id"] for each in channels if each["user"] == studio.person.email and each["live"]}

    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    booked = studio.book(eleven)
    ended.cancel()
    until(lambda: _state(studio) == "needs_reconnect")
    assert booked.look()["calendar_copy"] == "pending"

    granted = studio.google_control("POST", "grants", {"email": studio.person.email, "scopes": before["scopes"]})
    studio.person.refresh_token = granted["refresh_token"]
    # The person's own calendar program is let in again first, and moves what it finds.
    studio.person.move(event["id"], noon, studio.starts()[-1])
    assert _grant(studio)["id"] == before["id"]
    assert _state(studio) == "active"

    until(lambda: booked.look()["calendar_copy"] == "written")
    until(lambda: ended.event() is None)
    until(lambda: kept.look()["start"] == noon)
    studio.person.delete(studio.person.add(one, studio.starts()[-1])["id"])
    assert instants(booked.written())[0] == eleven
    channels = studio.google_control("GET", "channels")["channels"]
    assert {each["id"] for each in channels if each["user"] == studio.person.email and each["live"]} == live
    assert [e["what"] for e in studio.history() if e["what"].startswith("connection.") and "told" not in e["what"]] == [
        "connection.made",
        "connection.lost",
        "connection.regained",
    ]


def test_a_grant_for_a_connection_that_works_makes_no_second_one(studio: Studio) -> None:  # case 83
    before = studio.look("connections")["connections"]
    assert [_grant(studio)["id"]] == [each["id"] for each in before]
    assert len(studio.look("connections")["connections"]) == 1


def _lost(studio: Studio) -> str | None:
    """Why the connection is lost, in a word; None where it is not."""
    (connection,) = studio.look("connections")["connections"]
    return connection.get("loss") and str(connection["loss"]["reason"])


def _told(studio: Studio) -> list[str]:
    """Subjects of the mails to the person, oldest first."""
    return [mail["subject"] for mail in studio.messages(studio.person.email)]


def _days_pass(studio: Studio) -> None:
    """Tasks that are due in some days come now."""
    requests.post(f"{studio.addresses.tasks_http}/control/flush", json={}, timeout=10).raise_for_status()


def _waits_in_the_queue(studio: Studio, platform: Platform) -> list[timedelta]:
    """How long after the loss Cloud Tasks is to bring each message that waits there."""
    (connection,) = studio.look("connections")["connections"]
    lost = datetime.fromisoformat(connection["lost_at"])
    queue = f"projects/{platform.configuration.project}/locations/{TASKS_LOCATION}/queues/notify"
    with grpc.insecure_channel(platform.addresses.tasks) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        tasks = list(client.list_tasks(request={"parent": queue, "response_view": Task.View.FULL}))
    ours = [task for task in tasks if json.loads(task.http_request.body)["account"] == studio.account]
    return sorted(task.schedule_time - lost for task in ours)


def _have_joined(studio: Studio, roles: Iterable[str]) -> None:
    for role in roles:
        member = {"id": role, "email": f"{role}@{studio.account}.example", "name": role, "role": role, "joined_at": 1}
        studio.store.client.document(f"accounts/{studio.account}/members/{role}").set(member)


def test_what_an_administrator_mends_is_back_without_granting_anything(
    studio: Studio, platform: Platform
) -> None:  # case 85
    booked = studio.book(studio.starts()[0])
    for trouble, mended, reason, words in (
        ({"calendar_service": False}, {"calendar_service": True}, "calendar_off", "Google Calendar is switched off"),
        ({"suspended": True}, {"suspended": False}, "account_off", "The Google account is suspended or deleted"),
    ):
        mails = len(_told(studio))
        studio.google_control("PATCH", f"users/{studio.person.email}", trouble)
        until(lambda: _state(studio) == "needs_reconnect", nudge=studio.poll)
        assert _lost(studio) == reason
        assert words in studio.look("health")["reasons"][0]["text"]
        until(lambda known=mails: len(_told(studio)) > known)
        mail = studio.messages(studio.person.email)[-1]
        assert mail["subject"] == f"Your Google account is not connected any more: {studio.person.email}"
        assert words in mail["text"]
        assert "Have its administrator" in mail["text"]
        before = studio.look("health")["connections"][0]["probed_at"]
        rediscover(platform, studio)
        assert _state(studio) == "needs_reconnect"
        assert studio.look("health")["connections"][0]["probed_at"] > before

        studio.google_control("PATCH", f"users/{studio.person.email}", mended)
        until(lambda: _state(studio) == "active", nudge=lambda: rediscover(platform, studio))
        assert _lost(studio) is None
    until(lambda: booked.look()["calendar_copy"] == "written")
    _days_pass(studio)
    all_done(studio)
    assert len(_told(studio)) == 2


def test_a_permission_that_was_taken_back_is_found_by_the_nightly_probe(
    studio: Studio, platform: Platform
) -> None:  # case 81
    scopes = [scope for scope in SCOPES if not scope.endswith("calendar.events")]
    studio.google_control("POST", "grants/narrow", {"email": studio.person.email, "scopes": scopes})
    rediscover(platform, studio)
    assert _lost(studio) == "permission_missing"
    seen = studio.look(f"connections/{studio.look('connections')['connections'][0]['id']}")
    assert [each["scope"].rpartition("/")[2] for each in seen["missing_permissions"]] == ["calendar.events"]
    assert seen["scopes"] == scopes
    rediscover(platform, studio)
    assert _state(studio) == "needs_reconnect"
    (mail,) = until(lambda: studio.messages(studio.person.email))
    assert "Connect the account again, and leave all boxes ticked." in mail["text"]


def test_who_looks_after_it_is_told_four_times_and_then_no_more(studio: Studio, platform: Platform) -> None:  # case 80
    _have_joined(studio, ("owner", "manager", "viewer"))
    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    until(lambda: _lost(studio) == "revoked", nudge=studio.poll)
    (first,) = until(lambda: studio.messages(studio.person.email))
    assert "The permission was withdrawn in the Google account" in first["text"]
    assert f"This concerns: {studio.person.email}." in first["text"]
    days = [timedelta(days=day) for day in (1, 3, 7)]
    assert until(lambda: len(waits := _waits_in_the_queue(studio, platform)) == 3 and waits) == days
    _days_pass(studio)
    until(lambda: len(_told(studio)) == 4)
    assert _told(studio)[1:] == [f"Still not connected: {studio.person.email}"] * 3
    assert ["last message" in mail["text"] for mail in studio.messages(studio.person.email)].count(True) == 1
    all_done(studio)
    told = [entry["after"] for entry in studio.history() if entry["what"] == "connection.told"]
    assert sorted(each["day"] for each in told) == [0, 1, 3, 7]
    trusted = [studio.person.email, *(f"{role}@{studio.account}.example" for role in ("owner", "manager"))]
    assert [sorted(each["to"]) for each in told] == [sorted(trusted)] * 4
    assert [len(studio.letters(role)) for role in ("owner", "manager", "viewer")] == [4, 4, 0]

    granted = studio.google_control("POST", "grants", {"email": studio.person.email, "scopes": list(SCOPES)})
    studio.person.refresh_token = granted["refresh_token"]
    _grant(studio)
    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    until(lambda: _lost(studio) == "revoked", nudge=studio.poll)
    until(lambda: len(_told(studio)) == 5)  # another loss
    granted = studio.google_control("POST", "grants", {"email": studio.person.email, "scopes": list(SCOPES)})
    studio.person.refresh_token = granted["refresh_token"]
    _grant(studio)
    _days_pass(studio)
    all_done(studio)
    assert len(_told(studio)) == 5  # mended: the messages of its later days say nothing


def test_what_befalls_one_persons_account_closes_their_time_alone_and_is_told_of_theirs_alone(studio: Studio) -> None:
    studio.open(resource="ben")
    studio.offer(resources=["anna", "ben"])
    _have_joined(studio, ["owner"])
    ben = studio.join_in("ben")
    connections = {each["email"]: each["id"] for each in studio.look("connections")["connections"]}
    (calendar,) = studio.look(f"connections/{connections[ben.email]}/calendars")["calendars"]
    bens = replace(studio, calendar=calendar["id"])

    def seen(email: str) -> dict[str, Any]:
        return studio.look(f"connections/{connections[email]}")

    studio.google_control("POST", "grants/revoke", {"email": ben.email})
    until(lambda: seen(ben.email)["state"] == "needs_reconnect", nudge=bens.poll)
    bens.hold_off_pulls(last_success_at=int(time.time() * 1000) - 361 * MINUTE_MS)  # nobody renews it for six hours
    assert [each["what"] for each in seen(ben.email)["for_clients"]] == ["closed", "not_written"]
    assert (seen(studio.person.email)["state"], seen(studio.person.email)["for_clients"]) == ("active", [])
    assert studio.starts(resource="ben") == []
    nine, *others = studio.starts(resource="anna")
    assert studio.starts() == [nine, *others]
    assert studio.book(nine).written()["organizer"]["email"] == studio.person.email
    assert studio.starts() == others, "the other one of the two would have had nine"

    all_done(studio)
    subject = f"Your Google account is not connected any more: {ben.email}"
    assert [mail["subject"] for mail in studio.messages(ben.email)] == [subject]
    assert studio.mails("owner") == [subject]
    assert f"This concerns: {ben.email}." in studio.letters("owner")[0]["text"]
    assert _told(studio) == []
    about = [each.get("connection") or each["calendar"] for each in studio.look("health")["reasons"]]
    assert {connections[ben.email]} <= {*about} <= {connections[ben.email], bens.calendar}


def test_an_app_in_testing_is_named_as_such(studio: Studio) -> None:
    me = studio.person.email
    studio.google_control("PUT", "testing", {"email": me, "on": True})
    granted = studio.google_control("POST", "grants", {"email": me, "scopes": list(SCOPES)})
    studio.person.refresh_token = granted["refresh_token"]
    connection = str(_grant(studio)["id"])
    ends = datetime.fromisoformat(studio.look("health")["connections"][0]["grant_expires_at"])
    assert timedelta(days=6) < ends - datetime.now(UTC) <= timedelta(days=7)
    assert studio.look("health")["well"]

    document = studio.store.client.document(f"accounts/{studio.account}/connections/{connection}")
    document.update({"grant_expires_at": int(time.time() * 1000) + 86_400_000})
    (reason,) = studio.look("health")["reasons"]
    assert reason["connection"] == connection
    assert "Google ends such grants after 7 days. Connect the account again before that." in reason["text"]

    document.update({"grant_expires_at": int(time.time() * 1000)})
    studio.google_control("POST", "grants/run-out", {"email": me})
    until(lambda: _lost(studio) == "testing_ended", nudge=studio.poll)
    (mail,) = until(lambda: studio.messages(me))
    assert "The app is still in testing mode: Google ends such grants after 7 days." in mail["text"]
    assert "unless the app is published" in mail["text"]


def test_what_passes_is_no_loss(studio: Studio) -> None:
    me = studio.person.email
    booked = studio.book(studio.starts()[0])
    booked.written()
    studio.google_control("PATCH", f"users/{me}", {"password": "another one"})
    for fault in (
        {"method": "oauth.token", "status": 401, "reason": "invalid_client"},
        {"method": "oauth.token", "status": 503, "reason": "backendError"},
        {"method": "oauth.token", "status": 429, "reason": "rate_limit_exceeded"},
        {"method": "events.list", "drop": True},
        {"method": "events.list", "status": 500},
        {"method": "events.list", "status": 403, "reason": "accessNotConfigured"},
    ):
        studio.google_control("POST", "grants/expire", {"email": me})
        studio.google_control("POST", "faults", {"user": me, **fault})
        until(lambda: not studio.google_control("GET", "faults")["faults"], nudge=studio.poll)
    before = time.time() * 1000
    until(lambda: studio.fresh_since(before), nudge=studio.poll)
    assert _state(studio) == "active"
    assert [entry["what"] for entry in studio.history() if entry["what"].startswith("connection.")] == [
        "connection.made"
    ]
    assert _told(studio) == []
