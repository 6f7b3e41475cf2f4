"""Access to a Google account that is lost and comes back: everything waits, and everything is caught up with."""

from infra.local.platform import Platform
from tests.in_process import rediscover
from tests.studio import Studio, instants, until


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
    assert [e["what"] for e in studio.history() if e["what"].startswith("connection.")] == [
        "connection.made",
        "connection.lost",
        "connection.regained",
    ]


def test_a_grant_for_a_connection_that_works_makes_no_second_one(studio: Studio) -> None:  # case 83
    before = studio.look("connections")["connections"]
    assert [_grant(studio)["id"]] == [each["id"] for each in before]
    assert len(studio.look("connections")["connections"]) == 1


def test_who_was_suspended_is_back_without_granting_anything(studio: Studio, platform: Platform) -> None:  # case 85
    nine = studio.starts()[0]
    service = f"users/{studio.person.email}"
    studio.google_control("PATCH", service, {"calendar_service": False})
    booked = studio.book(nine)
    until(lambda: _state(studio) == "needs_reconnect")
    assert studio.look("health")["connections"][0]["last_error"] == "notACalendarUser"
    until(lambda: studio.look("bookings")["bookings"][0].get("calendar_error") == "notACalendarUser")
    rediscover(platform, studio)
    assert _state(studio) == "needs_reconnect"

    studio.google_control("PATCH", service, {"calendar_service": True})
    until(lambda: _state(studio) == "active", nudge=lambda: rediscover(platform, studio))
    until(lambda: booked.look()["calendar_copy"] == "written")


def test_a_permission_that_was_taken_back_is_no_reason_to_try_again(
    studio: Studio, platform: Platform
) -> None:  # case 81
    fault = {"user": studio.person.email, "method": "events.list", "status": 403, "reason": "insufficientPermissions"}
    studio.google_control("POST", "faults", fault)
    studio.poll()
    until(lambda: _state(studio) == "needs_reconnect")
    rediscover(platform, studio)
    assert _state(studio) == "needs_reconnect"
