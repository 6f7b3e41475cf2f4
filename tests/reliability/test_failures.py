"""Things that break, at any point, and nothing is lost or doubled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests

from functions.adapters.store.store import Store
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.in_process import application_of, booking_client
from tests.studio import DAY, Studio, instants, until


@contextmanager
def fault(studio: Studio, **order: Any) -> Iterator[None]:
    """Google's next calls of this kind fail so; a fault that nothing ran into is a test that showed nothing."""
    studio.google_control("POST", "faults", {"user": studio.person.email, **order})
    yield
    left = [f for f in studio.google_control("GET", "faults")["faults"] if f["user"] == studio.person.email]
    assert [f for f in left if f["times"]] == []


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"status": 503, "times": 2}, id="refused twice before it took effect"),
        pytest.param({"status": 503, "when": "after"}, id="took effect, then a 503"),
        pytest.param({"drop": True, "when": "after"}, id="took effect, then the line broke"),
        pytest.param({"drop": True}, id="the line broke before"),
        pytest.param({"status": 403, "reason": "rateLimitExceeded"}, id="too fast"),
    ],
)
def test_an_insert_that_fails_ends_as_one_event(studio: Studio, order: dict[str, Any]) -> None:  # cases 68, 92, 122
    nine, half_past = studio.starts()[:2]
    with fault(studio, method="POST", path="/events", **order):
        booking = studio.book(nine)
        assert nine not in studio.starts()  # whatever Google says, the slot is ours
        assert instants(booking.written()) == (nine, half_past)
    assert len(studio.person.events()) == 1
    assert booking.history() == [("booking.confirmed", "client")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_patch_that_fails_ends_at_the_new_time(studio: Studio, when: str) -> None:
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    booking.written()
    with fault(studio, method="PATCH", path="/events/", status=500, when=when):
        assert booking.reschedule(ten).status_code == 200
        assert instants(booking.written())[0] == ten
    assert booking.history() == [("booking.confirmed", "client"), ("session.moved", "client")]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delete_that_fails_ends_with_no_event(studio: Studio, when: str) -> None:  # case 115
    booking = studio.book(studio.starts()[0])
    booking.written()
    with fault(studio, method="DELETE", path="/events/", status=500, when=when):
        booking.cancel()
        until(lambda: booking.event() is None and booking.look()["calendar_copy"] == "written")


def test_a_client_and_the_owner_move_it_at_once_and_one_time_wins_on_both_sides(studio: Studio) -> None:  # cases 96, 98
    nine, ten, noon, half_past_noon = (studio.starts()[n] for n in (0, 2, 6, 7))
    booking = studio.book(nine)
    event = booking.written()
    with studio.pushes(drop=1.0):
        studio.person.move(event["id"], noon, half_past_noon)
        assert booking.reschedule(ten).status_code == 200  # our patch meets another etag: 412

    def agree() -> bool:
        found = booking.event()
        return (
            found is not None
            and instants(found)[0] == booking.look()["start"]
            and booking.look()["calendar_copy"] == "written"
        )

    until(agree)
    assert booking.look()["start"] == noon  # Google is the truth for the owner's calendar
    assert [what for what, _ in booking.history()] == ["booking.confirmed", "session.moved", "session.moved"]
    assert ten in studio.starts()


def test_a_token_that_expired_with_changes_behind_it_loses_none(studio: Studio) -> None:  # cases 45, 50
    nine, ten, eleven, noon = (studio.starts()[n] for n in (0, 2, 4, 6))
    booking, kept = studio.book(nine), studio.book(noon)
    event = booking.written()
    kept.written()
    private = studio.person.add(ten, studio.starts()[2])
    until(lambda: ten not in studio.starts())
    with studio.pushes(drop=1.0):
        studio.person.delete(private["id"])
        studio.person.delete(event["id"])
        studio.person.add(eleven, f"{DAY}T10:30:00Z" if eleven < f"{DAY}T10:30:00Z" else noon)
        studio.google_control("POST", f"calendars/{studio.person.email}/expire-sync-tokens", {})
    until(lambda: booking.look()["status"] == "cancelled", nudge=studio.poll)
    until(lambda: ten in studio.starts() and eleven not in studio.starts())
    assert kept.look()["status"] == "confirmed"
    assert nine in studio.starts()


def test_a_full_list_that_breaks_off_keeps_what_was_known_busy(studio: Studio) -> None:  # case 47
    nine, late = studio.starts()[0], f"{DAY}T15:00:00Z"
    studio.person.add(nine, studio.starts()[1])
    until(lambda: nine not in studio.starts())

    def seen_after_all() -> bool:
        starts = studio.starts()
        assert nine not in starts  # at whichever look
        return late not in starts

    lists = {"method": "GET", "path": "/events"}
    with (
        fault(studio, **lists, status=410, reason="fullSyncRequired"),
        fault(studio, **lists, status=500, times=3),  # each time that it is begun anew
    ):
        studio.person.add(late, f"{DAY}T15:30:00Z")
        until(seen_after_all)


def test_pages_of_any_size_and_empty_ones_bring_everything(empty_studio: Studio) -> None:  # cases 40, 52, 66
    studio = empty_studio
    studio.google_control("PUT", "paging", {"calendar": studio.person.email, "max_page": 2, "empty_every": 2})
    tomorrow = DAY + timedelta(days=1)
    for hour in range(8, 15):
        studio.person.add(f"{DAY}T{hour:02}:00:00Z", f"{DAY}T{hour + 1:02}:00:00Z")
    studio.connect_and_wait()
    assert all(f"T{hour:02}:" not in start for start in studio.starts() for hour in range(8, 15))
    for hour in range(8, 15):
        studio.person.add(f"{tomorrow}T{hour:02}:00:00Z", f"{tomorrow}T{hour + 1:02}:00:00Z")
    until(lambda: not [start for start in studio.starts(tomorrow) for hour in range(8, 15) if f"T{hour:02}:" in start])


def test_a_revoked_grant_is_told_and_the_booking_waits_for_its_event(studio: Studio) -> None:  # case 80
    nine = studio.starts()[0]
    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
    booking = studio.book(nine)
    until(lambda: studio.look("health")["connections"][0]["state"] == "needs_reconnect")
    assert studio.look("health")["well"] is False
    until(lambda: studio.look("bookings")["bookings"][0].get("calendar_error") == "invalid_grant")
    assert booking.look()["status"] == "confirmed"
    assert booking.look()["calendar_copy"] == "pending"
    changes = [entry["what"] for entry in studio.history(calendar=studio.calendar)]
    assert changes == ["calendar.linked"]


def test_a_crash_after_the_commit_loses_no_effect(studio: Studio, platform: Platform, store: Store) -> None:
    """The process dies between the commit and the enqueuing: the state is there, the outbox knows what is owed, the sweep does it."""
    nine = studio.starts()[0]
    without_tasks = application_of(platform, CLOUD_TASKS_EMULATOR_HOST=f"127.0.0.1:{Ports.free().tasks}")
    body = {"service": "consult", "start": nine, "client": {"name": "Kim", "email": studio.client_email}}
    answer = booking_client(without_tasks).post(f"/v1/accounts/{studio.account}/bookings", json=body)
    assert answer.status_code == 201
    assert nine not in studio.starts()
    assert studio.person.events() == []

    outbox = store.client.collection(f"accounts/{studio.account}/outbox")
    for record in outbox.stream():
        record.reference.update({"due_at": 0})  # as if two minutes had passed
    studio.fire("minute")
    until(lambda: len(studio.person.events()) == 1)
    until(lambda: len(studio.mails()) == 1)
    until(lambda: not list(outbox.stream()))
    studio.fire("minute")
    assert len(studio.person.events()) == 1


def _flush(studio: Studio) -> None:
    """What waits in backoff comes now: the queue's waits are not what is tested."""
    requests.post(f"{studio.addresses.tasks_http}/control/flush", json={}, timeout=10).raise_for_status()


@pytest.fixture
def hostile_tasks(platform: Platform) -> Iterator[None]:
    """Every task is delivered up to three times, late and out of order, and some answers are lost."""
    control = f"{platform.addresses.tasks_http}/control/delivery"
    order = {
        "seed": 7,
        "duplicate_probability": 0.7,
        "duplicate_count": 2,
        "delay_seconds": [0, 0.3],
        "reorder": True,
        "lose_first_answer_probability": 0.4,
    }
    requests.post(control, json=order, timeout=10).raise_for_status()
    yield
    requests.delete(control, timeout=10).raise_for_status()


def test_the_story_holds_with_every_task_twice_late_and_out_of_order(studio: Studio, hostile_tasks: None) -> None:
    nine, ten, noon, half_past_noon = (studio.starts()[n] for n in (0, 2, 6, 7))
    booking, other = studio.book(nine), studio.book(ten)
    event = booking.written()
    other.written()
    # A mail that a later change has made untrue is rightly not sent any more: so each is waited for.
    until(lambda: len(studio.mails()) == 2, nudge=lambda: _flush(studio))
    studio.person.move(event["id"], noon, half_past_noon)
    until(lambda: booking.look()["start"] == noon)
    until(lambda: len(studio.mails()) == 3, nudge=lambda: _flush(studio))
    other.cancel()
    until(lambda: other.event() is None and other.look()["calendar_copy"] == "written")
    studio.person.delete(event["id"])
    until(lambda: booking.look()["status"] == "cancelled")
    until(lambda: {nine, ten, noon} <= set(studio.starts()))
    until(lambda: len(studio.mails()) >= 5, nudge=lambda: _flush(studio))
    idle = requests.get(f"{studio.addresses.tasks_http}/control/idle", params={"timeout": 60, "within": 2}, timeout=70)
    assert idle.json() == {"idle": True}
    assert len(studio.mails()) == 5
    assert studio.person.events() == []
    assert booking.history() == [
        ("booking.confirmed", "client"),
        ("session.moved", "google"),
        ("booking.cancelled", "google"),
    ]


def test_a_mail_server_that_refuses_gets_each_mail_once_later(studio: Studio) -> None:
    requests.post(
        f"{studio.addresses.mail}/control/refuse", json={"count": 2, "code": 451}, timeout=10
    ).raise_for_status()
    studio.book(studio.starts()[0])
    until(lambda: len(studio.mails()) == 1, nudge=lambda: _flush(studio))
    idle = requests.get(f"{studio.addresses.tasks_http}/control/idle", params={"timeout": 60, "within": 2}, timeout=70)
    assert idle.json() == {"idle": True}
    assert len(studio.mails()) == 1
