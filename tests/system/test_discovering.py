"""Which calendars an account reaches: what Google lists, and what of it is ours to decide."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.adapters.google_calendar import GoogleCalendar
from functions.domain.google_event import zone_or
from functions.sync import discover as discovering
from functions.sync.discover import calendar_id
from infra.local.platform import Platform
from tests.in_process import rediscover
from tests.studio import DAY, Studio, until

Listed = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def listed(studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Listed:
    """The connection's calendars by Google's id, after it was looked at again; with entries of one's own, Google says exactly those."""

    def look(*entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
        if entries:
            monkeypatch.setattr(GoogleCalendar, "calendar_list", lambda google: list(entries))
        rediscover(platform, studio)
        (connection,) = studio.look("connections")["connections"]
        found = studio.look(f"connections/{connection['id']}/calendars")["calendars"]
        return {each["google_id"]: each for each in found}

    return look


def test_a_new_calendar_is_listed_and_blocks_nothing_before_it_is_chosen(studio: Studio, listed: Listed) -> None:
    # case 87
    body = {"owner": studio.person.email, "summary": "Choir"}
    choir = studio.google_control("POST", "calendars", body)["id"]
    event = {"start": {"dateTime": f"{DAY}T08:00:00Z"}, "end": {"dateTime": f"{DAY}T09:00:00Z"}}
    studio.google_control("POST", f"calendars/{choir}/events", {"event": event, "as": "event"})
    seen = listed()[choir]
    assert (seen["summary"], seen["blocks"], seen.get("last_success_at")) == ("Choir", [], None)
    assert f"{DAY}T08:00:00Z" in studio.starts()
    studio.put(f"calendars/{seen['id']}", {"blocks": ["anna"]})
    until(lambda: studio.starts() and f"{DAY}T08:00:00Z" not in studio.starts())


def test_an_entry_that_says_only_that_it_was_removed_is_no_calendar(studio: Studio, listed: Listed) -> None:  # case 77
    before = listed()
    after = listed({"kind": "calendar#calendarListEntry", "id": "removed@group", "deleted": True})
    assert after == before


def test_an_entry_with_a_role_and_a_zone_that_nobody_knows_is_one_to_read(listed: Listed) -> None:  # case 76
    strange = listed({"id": "odd@group", "summary": "Odd", "accessRole": "conductor", "timeZone": "Mars/Olympus_Mons"})
    assert (strange["odd@group"]["role"], strange["odd@group"]["can_write"]) == ("conductor", False)
    assert strange["odd@group"]["time_zone"] == "UTC"


def test_the_primary_calendar_is_the_one_that_google_calls_so(studio: Studio, listed: Listed) -> None:  # case 86
    own, alias = {"id": studio.person.email}, {"id": "anna@former-name.example", "primary": True}
    seen = listed(*({**each, "summary": "Anna", "accessRole": "owner"} for each in (own, alias)))
    assert [google_id for google_id, each in seen.items() if each["primary"]] == ["anna@former-name.example"]


def test_a_connection_that_is_ended_while_it_is_looked_at_leaves_no_calendar_behind(
    studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    (connection,) = studio.look("connections")["connections"]

    def ended(name: str | None, fallback: str) -> ZoneInfo:
        """What is called between the look at the connection and the commit of a new calendar."""
        if studio.look("connections")["connections"]:
            studio.http.delete(f"{studio.base}/connections/{connection['id']}", headers=studio.operator)
            until(lambda: studio.look("connections")["connections"] == [])
        return zone_or(name, fallback)

    entry = {"id": "new@group", "summary": "New", "accessRole": "owner", "timeZone": "Europe/Berlin"}
    monkeypatch.setattr(GoogleCalendar, "calendar_list", lambda google: [entry])
    monkeypatch.setattr(discovering, "zone_or", ended)
    rediscover(platform, studio)
    assert studio.look("connections")["connections"] == [], "it was ended in between"
    assert studio.look(f"connections/{connection['id']}/calendars")["calendars"] == []


def test_one_calendar_that_two_accounts_reach_is_two_here() -> None:  # case 56
    ids = {calendar_id(connection, google) for connection in ("a", "b") for google in ("room@group", "hall@group")}
    assert len(ids) == 4
    assert calendar_id("a", "room@group") == calendar_id("a", "room@group")


def test_a_person_who_travels_moves_no_event(studio: Studio, listed: Listed) -> None:  # case 79
    studio.person.add_event(start={"date": DAY.isoformat()}, end={"date": (DAY + timedelta(days=1)).isoformat()})
    until(lambda: studio.starts() == [])
    studio.google_control("PATCH", f"users/{studio.person.email}", {"time_zone": "Africa/Nairobi"})
    studio.poll()
    listed()
    before = studio.look("health")["calendars"][0]["last_success_at"]
    until(lambda: studio.look("health")["calendars"][0]["last_success_at"] > before, nudge=studio.poll)
    assert studio.starts() == []
    assert studio.look("health")["calendars"][0]["time_zone"] == "Europe/Berlin"


def test_what_is_watched_is_what_is_listed(studio: Studio) -> None:  # case 36
    calls = studio.google_control("GET", "calls")["calls"]
    asked = {
        call["id"]: call["query"].get("eventTypes")
        for call in calls
        if call["user"] == studio.person.email and call["id"] in ("events.list", "events.watch")
    }
    assert asked == {"events.list": None, "events.watch": None}
