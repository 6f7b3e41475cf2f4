"""Events of the Google stand-in: creating, reading, changing, deleting, through the real client."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]


def own_id() -> str:
    return uuid.uuid4().hex


def test_an_event_comes_back_with_what_google_adds(anna: Someone) -> None:
    event = anna.insert(description="Short", location="Shop")
    read = anna.get(event["id"])
    assert read == event
    assert read["status"] == "confirmed"
    assert read["start"] == {"dateTime": "2027-03-01T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert read["creator"] == read["organizer"] == {"email": anna.email, "self": True}
    assert read["iCalUID"] == f"{event['id']}@google.com"
    assert read["sequence"] == 0
    assert read["htmlLink"].startswith(anna.google.url)
    # The default is left out: most opaque events carry no transparency at all.
    assert "transparency" not in read


def test_an_own_id_is_taken_once(anna: Someone) -> None:
    event_id = own_id()
    assert anna.insert(id=event_id)["id"] == event_id
    again = anna.events.insert(calendarId="primary", body={"id": event_id, "start": at(9), "end": at(10)})
    assert refusal(again) == (409, "duplicate")
    assert anna.get(event_id)["start"]["dateTime"].startswith("2027-03-01T10")


def test_an_own_id_stays_taken_after_the_delete(anna: Someone) -> None:
    # case 94
    event_id = own_id()
    anna.insert(id=event_id)
    anna.delete(event_id)
    again = anna.events.insert(calendarId="primary", body={"id": event_id, "start": at(9), "end": at(10)})
    assert refusal(again) == (409, "duplicate")
    assert anna.get(event_id)["status"] == "cancelled"


@pytest.mark.parametrize("event_id", ["abcd", "with-dash", "wxyz123", "under_score", "UPPERCASE"])
def test_an_id_outside_base32hex_is_refused(anna: Someone, event_id: str) -> None:
    body = {"id": event_id, "start": at(9), "end": at(10)}
    assert refusal(anna.events.insert(calendarId="primary", body=body)) == (400, "invalid")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"start": None}, "required", id="no start"),
        pytest.param({"end": None}, "required", id="no end"),
        pytest.param({"end": at(9)}, "timeRangeEmpty", id="end before start"),
        pytest.param({"start": {"date": "2027-03-01"}}, "invalid", id="date with dateTime"),
        pytest.param(
            {"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-01"}}, "timeRangeEmpty", id="all-day of no day"
        ),
        pytest.param({"start": at(10, zone="Mars/Olympus")}, "invalid", id="unknown zone"),
        pytest.param({"start": {"dateTime": "2027-03-01T10:00:00"}}, "required", id="no offset and no zone"),
        pytest.param({"recurrence": ["RRULE:FREQ=SOMETIMES"]}, "invalid", id="bogus rule"),
        pytest.param({"recurrence": ["DTSTART:20270301T100000"]}, "invalid", id="DTSTART in recurrence"),
        pytest.param({"attendees": [{"displayName": "Nobody"}]}, "required", id="attendee without address"),
        pytest.param({"visibility": "secret"}, "invalid", id="unknown visibility"),
        pytest.param({"eventType": "fromGmail"}, "eventTypeRestriction", id="a type only Google makes"),
        pytest.param({"iCalUID": "x@y", "id": "abcde12345"}, "invalid", id="id and iCalUID"),
    ],
)
def test_an_unsound_event_is_refused(anna: Someone, fields: dict[str, object], reason: str) -> None:
    body = {"summary": "Cut", "start": at(10), "end": at(11), **fields}
    body = {name: value for name, value in body.items() if value is not None}
    assert refusal(anna.events.insert(calendarId="primary", body=body)) == (400, reason)


def test_a_recurring_event_needs_a_zone(anna: Someone) -> None:
    times = {"start": {"dateTime": "2027-03-01T10:00:00+01:00"}, "end": {"dateTime": "2027-03-01T11:00:00+01:00"}}
    body = {**times, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}
    assert refusal(anna.events.insert(calendarId="primary", body=body)) == (400, "required")


def test_a_patch_changes_what_it_names_and_null_deletes(anna: Someone) -> None:
    event = anna.insert(
        description="Short", attendees=[{"email": "x@else.example"}, {"email": "y@else.example"}], colorId="3"
    )
    patched = anna.patch(event["id"], description=None, attendees=[{"email": "z@else.example"}])
    assert "description" not in patched
    # Arrays are replaced wholesale.
    assert [entry["email"] for entry in patched["attendees"]] == ["z@else.example"]
    assert (patched["colorId"], patched["summary"]) == ("3", "Cut")
    assert patched["etag"] != event["etag"]


def test_an_update_clears_what_it_does_not_name(anna: Someone) -> None:
    # case 97
    event = anna.insert(description="Short", extendedProperties={"private": {"bookingId": "b1"}})
    body = {"summary": "New", "start": at(12), "end": at(13)}
    updated = anna.events.update(calendarId="primary", eventId=event["id"], body=body).execute()
    assert "description" not in updated
    assert "extendedProperties" not in updated
    assert updated["start"]["dateTime"] == "2027-03-01T12:00:00+01:00"
    assert updated["sequence"] == event["sequence"] + 1
    assert updated["created"] == event["created"]


def test_a_timed_event_becomes_all_day_and_back(anna: Someone) -> None:
    # case 107
    event = anna.insert()
    all_day = anna.patch(
        event["id"],
        start={"date": "2027-03-02", "dateTime": None, "timeZone": None},
        end={"date": "2027-03-03", "dateTime": None, "timeZone": None},
    )
    assert (all_day["start"], all_day["end"]) == ({"date": "2027-03-02"}, {"date": "2027-03-03"})
    mixed = anna.events.patch(calendarId="primary", eventId=event["id"], body={"start": at(10)})
    assert refusal(mixed) == (400, "invalid")


def test_the_second_delete_and_a_patch_of_a_deleted_event_are_gone(anna: Someone) -> None:
    # case 115
    event = anna.insert()
    anna.delete(event["id"])
    assert refusal(anna.events.delete(calendarId="primary", eventId=event["id"])) == (410, "deleted")
    patch = anna.events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Back"})
    assert refusal(patch) == (410, "deleted")


def test_an_update_can_restore_a_deleted_event(anna: Someone) -> None:
    # case 102
    event = anna.insert()
    anna.delete(event["id"])
    body = {"summary": "Back", "status": "confirmed", "start": at(10), "end": at(11)}
    anna.events.update(calendarId="primary", eventId=event["id"], body=body).execute()
    assert anna.get(event["id"])["status"] == "confirmed"
    assert event["id"] in anna.list().ids


def test_an_event_that_never_was_is_not_found(anna: Someone) -> None:
    assert refusal(anna.events.get(calendarId="primary", eventId=own_id())) == (404, "notFound")
    assert refusal(anna.events.delete(calendarId="primary", eventId=own_id())) == (404, "notFound")


def test_tombstones_disappear_in_the_end(anna: Someone) -> None:
    event = anna.insert()
    anna.delete(event["id"])
    anna.google.control("POST", f"calendars/{anna.email}/forget-deleted")
    assert refusal(anna.events.get(calendarId="primary", eventId=event["id"])) == (404, "notFound")
    assert anna.insert(id=event["id"])["status"] == "confirmed"


@pytest.mark.parametrize("method", ["patch", "update", "delete"])
def test_a_stale_etag_is_refused(anna: Someone, method: str) -> None:
    # case 96
    event = anna.insert()
    anna.patch(event["id"], summary="Changed elsewhere")
    body = {} if method == "delete" else {"body": {"summary": "Mine", "start": at(9), "end": at(10)}}
    call = getattr(anna.events, method)(calendarId="primary", eventId=event["id"], **body)
    call.headers["If-Match"] = event["etag"]
    assert refusal(call) == (412, "conditionNotMet")
    assert anna.get(event["id"])["summary"] == "Changed elsewhere"


def test_the_present_etag_is_accepted(anna: Someone) -> None:
    event = anna.insert()
    call = anna.events.patch(calendarId="primary", eventId=event["id"], body={"summary": "Mine"})
    call.headers["If-Match"] = event["etag"]
    assert call.execute()["summary"] == "Mine"


def test_reading_what_one_has_is_not_modified(anna: Someone) -> None:
    event = anna.insert()
    call = anna.events.get(calendarId="primary", eventId=event["id"])
    call.headers["If-None-Match"] = event["etag"]
    with pytest.raises(HttpError) as caught:
        call.execute()
    assert caught.value.status_code == 304
    anna.patch(event["id"], summary="New")
    assert call.execute()["summary"] == "New"


def test_changing_reminders_gives_a_new_etag_but_not_a_new_updated(anna: Someone) -> None:
    event = anna.insert()
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    patched = anna.patch(event["id"], reminders=reminders)
    assert patched["reminders"] == reminders
    assert patched["etag"] != event["etag"]
    assert patched["updated"] == event["updated"]


def test_extended_properties_have_googles_limits(anna: Someone) -> None:
    properties = {"k" * 44: "fits", "k" * 45: "dropped", "long": "v" * 1100}
    event = anna.insert(extendedProperties={"private": properties, "shared": {"all": "see"}})
    kept = event["extendedProperties"]
    assert kept["private"] == {"k" * 44: "fits", "long": "v" * 1024}
    assert kept["shared"] == {"all": "see"}
    patched = anna.patch(event["id"], extendedProperties={"private": {"long": None, "bookingId": "b1"}})
    assert patched["extendedProperties"]["private"] == {"k" * 44: "fits", "bookingId": "b1"}


def test_times_are_shown_in_the_zone_that_is_asked_for(anna: Someone) -> None:
    event = anna.insert()
    shown = anna.events.get(calendarId="primary", eventId=event["id"], timeZone="America/New_York").execute()
    assert shown["start"]["dateTime"] == "2027-03-01T04:00:00-05:00"


def test_an_event_from_another_zone_is_shown_in_the_calendars(anna: Someone) -> None:
    # case 129
    event = anna.insert(start=at(10, zone="America/New_York"), end=at(20, zone="Europe/London"))
    assert event["start"] == {"dateTime": "2027-03-01T16:00:00+01:00", "timeZone": "America/New_York"}
    assert event["end"] == {"dateTime": "2027-03-01T21:00:00+01:00", "timeZone": "Europe/London"}


def test_special_events_have_their_rules(anna: Someone) -> None:
    away = anna.insert(eventType="outOfOffice", outOfOfficeProperties={"autoDeclineMode": "declineNone"})
    assert away["eventType"] == "outOfOffice"
    change = anna.events.patch(calendarId="primary", eventId=away["id"], body={"eventType": "default"})
    assert refusal(change) == (400, "eventTypeRestriction")
    home = anna.insert(eventType="workingLocation", workingLocationProperties={"type": "homeOffice", "homeOffice": {}})
    assert (home["transparency"], home["visibility"]) == ("transparent", "public")
    all_day = {"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-02"}}
    focus = {**all_day, "eventType": "focusTime", "focusTimeProperties": {}}
    assert refusal(anna.events.insert(calendarId="primary", body=focus)) == (400, "eventTypeRestriction")
    second = anna.service.calendars().insert(body={"summary": "Second"}).execute()["id"]
    elsewhere = {"eventType": "outOfOffice", "outOfOfficeProperties": {}, "start": at(1), "end": at(2)}
    assert refusal(anna.events.insert(calendarId=second, body=elsewhere)) == (400, "eventTypeRestriction")


def test_a_birthday_is_yearly_and_blocks_nothing(anna: Someone) -> None:
    # case 149
    day = {"start": {"date": "2028-02-29"}, "end": {"date": "2028-03-01"}}
    body = {**day, "eventType": "birthday", "birthdayProperties": {"type": "birthday"}}
    assert refusal(anna.events.insert(calendarId="primary", body=body)) == (400, "eventTypeRestriction")
    yearly = {**body, "recurrence": ["RRULE:FREQ=YEARLY"]}
    birthday = anna.events.insert(calendarId="primary", body=yearly).execute()
    assert (birthday["transparency"], birthday["visibility"]) == ("transparent", "private")
    assert birthday["birthdayProperties"] == {"type": "birthday"}


def test_a_conference_is_pending_and_then_there(anna: Someone) -> None:
    # case 118
    anna.google.control("PUT", "conference", {"delay_ms": 50})
    token = anna.list().token
    request = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = {"start": at(10), "end": at(11), "conferenceData": request}
    ignored = anna.events.insert(calendarId="primary", body=body).execute()
    assert "conferenceData" not in ignored
    event = anna.events.insert(calendarId="primary", body=body, conferenceDataVersion=1).execute()
    assert event["conferenceData"]["createRequest"]["status"] == {"statusCode": "pending"}
    ready = wait_for_conference(anna, event["id"])
    assert ready["hangoutLink"] == ready["conferenceData"]["entryPoints"][0]["uri"]
    assert ready["etag"] != event["etag"]
    assert event["id"] in anna.list(syncToken=token).ids
    # Without the version the client knows nothing of conferences, and the data stays.
    assert "hangoutLink" in anna.patch(event["id"], summary="New")
    anna.google.control("PUT", "conference", {})


def wait_for_conference(anna: Someone, event_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        event = anna.get(event_id)
        if event["conferenceData"]["createRequest"]["status"]["statusCode"] == "success":
            return event
    raise AssertionError("the conference never came")


def test_an_import_is_known_by_its_ical_uid(anna: Someone) -> None:
    body = {"iCalUID": "meeting@elsewhere.example", "organizer": {"email": "boss@elsewhere.example"}}
    first = anna.events.import_(calendarId="primary", body={**body, "start": at(9), "end": at(10)}).execute()
    again = anna.events.import_(calendarId="primary", body={**body, "start": at(11), "end": at(12)}).execute()
    assert again["id"] == first["id"]
    assert again["organizer"] == {"email": "boss@elsewhere.example"}
    assert [event["id"] for event in anna.list(iCalUID=body["iCalUID"]).items] == [first["id"]]


def test_moving_to_another_calendar_leaves_a_stub(anna: Someone) -> None:
    # case 113
    second = anna.service.calendars().insert(body={"summary": "Second"}).execute()["id"]
    event = anna.insert(extendedProperties={"private": {"bookingId": "b1"}})
    token = anna.list().token
    moved = anna.events.move(calendarId="primary", eventId=event["id"], destination=second).execute()
    assert (moved["id"], moved["iCalUID"]) == (event["id"], event["iCalUID"])
    assert moved["organizer"]["email"] == second
    assert anna.list(syncToken=token).items == [{"id": event["id"], "status": "cancelled"}]
    assert anna.get(event["id"], second)["extendedProperties"] == {"private": {"bookingId": "b1"}}
    back = anna.events.move(calendarId=second, eventId=event["id"], destination="primary").execute()
    assert back["id"] in anna.list().ids


def test_what_is_not_done_says_so(anna: Someone) -> None:
    call = anna.events.quickAdd(calendarId="primary", text="Lunch at noon")
    assert refusal(call) == (501, "notImplemented")


def test_a_partial_answer_has_only_the_named_fields(anna: Someone) -> None:
    anna.insert()
    listed = anna.events.list(calendarId="primary", fields="items(id,start/dateTime),nextSyncToken").execute()
    assert set(listed) == {"items", "nextSyncToken"}
    assert {name for item in listed["items"] for name in item} == {"id", "start"}
    assert listed["items"][0]["start"] == {"dateTime": "2027-03-01T10:00:00+01:00"}


def test_a_malformed_event_can_be_planted(anna: Someone) -> None:
    # case 57
    bogus = {"id": "bogus", "start": {"dateTime": "0000-01-01T00:00:00Z"}, "recurrence": ["RRULE:FREQ=NEVER"]}
    anna.google.control("POST", f"calendars/{anna.email}/events", {"event": bogus})
    listed = anna.list().items
    assert [item["start"] for item in listed if item["id"] == "bogus"] == [{"dateTime": "0000-01-01T00:00:00Z"}]
