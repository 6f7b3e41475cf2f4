"""Calendars, lists of calendars, access rules and roles of the Google stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]

Json = dict[str, Any]


def entries(someone: Someone, **parameters: Any) -> list[Json]:
    return list(someone.service.calendarList().list(**parameters).execute()["items"])


def share(owner: Someone, guest: Someone, role: str, calendar: str | None = None, *, listed: bool = True) -> None:
    body = {"email": guest.email, "role": role, "listed": listed}
    owner.google.control("PUT", f"calendars/{calendar or owner.email}/roles", body)


def test_a_new_person_has_a_primary_calendar(anna: Someone) -> None:
    # case 86
    (entry,) = entries(anna)
    assert (entry["id"], entry["primary"], entry["accessRole"]) == (anna.email, True, "owner")
    assert entry["timeZone"] == "Europe/Berlin"
    assert anna.service.calendars().get(calendarId="primary").execute()["id"] == anna.email


def test_a_second_calendar_is_made_changed_and_deleted(anna: Someone) -> None:
    # case 77
    made = anna.service.calendars().insert(body={"summary": "Room", "timeZone": "Asia/Tokyo"}).execute()
    token = anna.service.calendarList().list().execute()["nextSyncToken"]
    anna.service.calendars().patch(calendarId=made["id"], body={"summary": "Room 2"}).execute()
    # Properties of a calendar do not come through the list's feed.
    assert entries(anna, syncToken=token) == []
    assert anna.service.calendarList().get(calendarId=made["id"]).execute()["summary"] == "Room 2"
    anna.service.calendars().delete(calendarId=made["id"]).execute()
    (tombstone,) = entries(anna, syncToken=token)
    assert (tombstone["id"], tombstone["deleted"]) == (made["id"], True)
    assert not {"accessRole", "summary"} & set(tombstone)
    assert refusal(anna.service.calendars().get(calendarId=made["id"])) == (404, "notFound")
    primary = anna.service.calendars().delete(calendarId="primary")
    assert refusal(primary)[0] == 403


def test_the_list_has_pages_and_filters(anna: Someone, ben: Someone) -> None:
    for number in range(3):
        anna.service.calendars().insert(body={"summary": f"Room {number}"}).execute()
    share(ben, anna, "reader")
    first = anna.service.calendarList().list(maxResults=2).execute()
    assert "nextSyncToken" not in first
    rest = anna.service.calendarList().list(maxResults=10, pageToken=first["nextPageToken"]).execute()
    assert len(first["items"]) + len(rest["items"]) == 5
    assert len(entries(anna, minAccessRole="writer")) == 4
    anna.service.calendarList().patch(calendarId=ben.email, body={"hidden": True}).execute()
    assert len(entries(anna)) == 4
    assert len(entries(anna, showHidden=True)) == 5
    with_token = anna.service.calendarList().list(syncToken=rest["nextSyncToken"], minAccessRole="owner")
    assert refusal(with_token) == (400, "invalid")


def test_the_lists_tokens_expire_on_demand(anna: Someone) -> None:
    token = anna.service.calendarList().list().execute()["nextSyncToken"]
    anna.google.control("POST", f"calendar-lists/{anna.email}/expire-sync-tokens")
    assert refusal(anna.service.calendarList().list(syncToken=token)) == (410, "fullSyncRequired")
    fresh = anna.service.calendarList().list().execute()["nextSyncToken"]
    assert entries(anna, syncToken=fresh) == []


def test_an_unlisted_calendar_is_still_readable(anna: Someone, ben: Someone) -> None:
    # case 73
    share(ben, anna, "reader")
    event = ben.insert()
    anna.service.calendarList().delete(calendarId=ben.email).execute()
    assert [entry["id"] for entry in entries(anna)] == [anna.email]
    assert anna.list(ben.email).ids == [event["id"]]
    anna.service.calendarList().insert(body={"id": ben.email, "summaryOverride": "Ben"}).execute()
    assert anna.service.calendarList().get(calendarId=ben.email).execute()["summaryOverride"] == "Ben"


@pytest.mark.parametrize(
    ("role", "reads_details", "reads_private", "writes"),
    [
        pytest.param("freeBusyReader", False, False, False, id="freeBusyReader"),
        pytest.param("reader", True, False, False, id="reader"),
        pytest.param("writerWithoutPrivateAccess", True, False, True, id="writerWithoutPrivateAccess"),
        pytest.param("writer", True, True, True, id="writer"),
        pytest.param("owner", True, True, True, id="owner"),
    ],
)
def test_what_a_role_may(
    anna: Someone, ben: Someone, role: str, *, reads_details: bool, reads_private: bool, writes: bool
) -> None:
    # case 158
    public = ben.insert(summary="Open")
    private = ben.insert(summary="Hidden", visibility="private")
    share(ben, anna, role)
    shown = {event["id"]: event for event in anna.list(ben.email).items}
    assert (shown[public["id"]].get("summary") == "Open") is reads_details
    assert (shown[private["id"]].get("summary") == "Hidden") is reads_private
    # Hidden details, not hidden times.
    assert all("start" in event and "end" in event for event in shown.values())
    insert = anna.events.insert(calendarId=ben.email, body={"start": at(1), "end": at(2)})
    if writes:
        assert insert.execute()["creator"] == {"email": anna.email}
    else:
        assert refusal(insert) == (403, "requiredAccessLevel")
    if role == "writerWithoutPrivateAccess":
        patch = anna.events.patch(calendarId=ben.email, eventId=private["id"], body={"summary": "Mine"})
        assert refusal(patch) == (403, "forbidden")


def test_a_free_busy_reader_never_sees_a_master(anna: Someone, ben: Someone) -> None:
    master = ben.insert(recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    share(ben, anna, "freeBusyReader")
    listed = anna.list(ben.email)
    assert len(listed.ids) == 3
    assert master["id"] not in listed.ids


def test_an_invited_reader_sees_a_private_event(anna: Someone, ben: Someone) -> None:
    share(ben, anna, "reader")
    event = ben.insert(summary="Ours", visibility="private", attendees=[{"email": anna.email}])
    assert anna.get(event["id"], ben.email)["summary"] == "Ours"


def test_access_rules(anna: Someone, ben: Someone) -> None:
    acl = ben.service.acl()
    rule = {"role": "writer", "scope": {"type": "user", "value": anna.email}}
    made = acl.insert(calendarId="primary", body=rule).execute()
    assert made["id"] == f"user:{anna.email}"
    assert anna.events.list(calendarId=ben.email).execute()["accessRole"] == "writer"
    # Somebody else's rule does not put the calendar into one's list.
    assert [entry["id"] for entry in entries(anna)] == [anna.email]
    assert refusal(anna.service.acl().list(calendarId=ben.email)) == (403, "requiredAccessLevel")
    token = acl.list(calendarId="primary").execute()["nextSyncToken"]
    acl.patch(calendarId="primary", ruleId=made["id"], body={"role": "reader"}).execute()
    assert [rule["role"] for rule in acl.list(calendarId="primary", syncToken=token).execute()["items"]] == ["reader"]
    acl.delete(calendarId="primary", ruleId=made["id"]).execute()
    assert refusal(anna.events.list(calendarId=ben.email)) == (404, "notFound")


def test_losing_access_takes_the_calendar_off_the_list(anna: Someone, ben: Someone) -> None:
    share(ben, anna, "writer")
    token = anna.service.calendarList().list().execute()["nextSyncToken"]
    share(ben, anna, "none")
    (tombstone,) = entries(anna, syncToken=token)
    assert (tombstone["id"], tombstone["deleted"]) == (ben.email, True)


def test_a_stranger_finds_nothing(anna: Someone, ben: Someone) -> None:
    assert refusal(anna.events.list(calendarId=ben.email)) == (404, "notFound")
    assert refusal(anna.events.list(calendarId="nobody@example.com")) == (404, "notFound")


def test_settings_and_colors(anna: Someone) -> None:
    assert anna.service.settings().get(setting="timezone").execute()["value"] == "Europe/Berlin"
    # case 79
    anna.google.control("PATCH", f"users/{anna.email}", {"time_zone": "Asia/Tokyo"})
    assert anna.service.settings().get(setting="timezone").execute()["value"] == "Asia/Tokyo"
    assert anna.events.list(calendarId="primary").execute()["timeZone"] == "Europe/Berlin"
    assert "event" in anna.service.colors().get().execute()
    assert refusal(anna.service.settings().get(setting="nothing")) == (404, "notFound")
