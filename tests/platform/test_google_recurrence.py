"""Recurring events of the Google stand-in: masters, instances, exceptions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=4"]


def starts(items: list[dict[str, Any]]) -> list[str]:
    return [item["start"].get("dateTime", item["start"].get("date")) for item in items]


def instances(someone: Someone, event_id: str, **parameters: Any) -> list[dict[str, Any]]:
    return list(someone.events.instances(calendarId="primary", eventId=event_id, **parameters).execute()["items"])


def test_a_series_keeps_its_clock_across_a_change_of_clocks(anna: Someone) -> None:
    # case 134
    master = anna.insert(start=at(10, day=22), end=at(11, day=22), recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
    shown = instances(anna, master["id"])
    assert starts(shown) == ["2027-03-22T10:00:00+01:00", "2027-03-29T10:00:00+02:00"]
    assert [item["id"] for item in shown] == [f"{master['id']}_20270322T090000Z", f"{master['id']}_20270329T080000Z"]
    assert all(item["recurringEventId"] == master["id"] and "recurrence" not in item for item in shown)
    assert shown[1]["originalStartTime"]["dateTime"] == "2027-03-29T10:00:00+02:00"


def test_a_list_shows_masters_or_instances(anna: Someone) -> None:
    master = anna.insert(recurrence=WEEKLY)
    assert anna.list().ids == [master["id"]]
    single = anna.list(singleEvents=True)
    assert len(single.ids) == 4
    assert master["id"] not in single.ids
    paged = anna.list(singleEvents=True, maxResults=3)
    assert (paged.ids, paged.pages) == (single.ids, 2)


def test_a_master_from_before_the_window_counts(anna: Someone) -> None:
    # case 147
    master = anna.insert(recurrence=["RRULE:FREQ=WEEKLY"])
    window = {"timeMin": "2029-01-01T00:00:00Z", "timeMax": "2029-01-15T00:00:00Z"}
    assert anna.list(**window).ids == [master["id"]]
    assert starts(anna.list(**window, singleEvents=True).items) == [
        "2029-01-01T10:00:00+01:00",
        "2029-01-08T10:00:00+01:00",
    ]


def test_a_moved_instance_is_an_exception(anna: Someone) -> None:
    # case 135
    master = anna.insert(recurrence=WEEKLY)
    token = anna.list().token
    second = instances(anna, master["id"])[1]
    moved = anna.patch(second["id"], start=at(15, day=8), end=at(16, day=8))
    assert moved["id"] == second["id"]
    assert moved["originalStartTime"] == second["originalStartTime"]
    shown = instances(anna, master["id"])
    assert starts(shown)[1] == "2027-03-08T15:00:00+01:00"
    assert len(shown) == 4
    news = anna.list(syncToken=token)
    assert news.ids == [second["id"]]
    assert set(anna.list().ids) == {master["id"], second["id"]}


def test_a_cancelled_instance_is_told_with_its_original_start(anna: Someone) -> None:
    # case 136
    master = anna.insert(recurrence=WEEKLY)
    token = anna.list().token
    second = instances(anna, master["id"])[1]
    anna.delete(second["id"])
    told = {
        "id": second["id"],
        "status": "cancelled",
        "recurringEventId": master["id"],
        "originalStartTime": second["originalStartTime"],
    }
    assert anna.list(syncToken=token).items == [told]
    # Cancelled instances are in a full list also without showDeleted.
    assert told in anna.list().items
    assert len(instances(anna, master["id"])) == 3
    assert len(instances(anna, master["id"], showDeleted=True)) == 4
    assert refusal(anna.events.delete(calendarId="primary", eventId=second["id"])) == (410, "deleted")
    anna.patch(master["id"], summary="Later edit")
    assert len(instances(anna, master["id"])) == 3


def test_a_deleted_master_takes_everything_with_it(anna: Someone) -> None:
    # case 139
    master = anna.insert(recurrence=WEEKLY)
    anna.patch(instances(anna, master["id"])[1]["id"], start=at(15, day=8), end=at(16, day=8))
    token, single_token = anna.list().token, anna.list(singleEvents=True).token
    anna.delete(master["id"])
    # Only the master is told of.
    assert anna.list(syncToken=token).items == [{"id": master["id"], "status": "cancelled"}]
    assert anna.list().items == []
    assert anna.list(singleEvents=True).items == []
    gone = anna.list(singleEvents=True, syncToken=single_token).items
    assert len(gone) == 4
    assert {item["status"] for item in gone} == {"cancelled"}


def test_a_shortened_series_loses_instances_for_readers_of_instances(anna: Someone) -> None:
    # case 141
    master = anna.insert(recurrence=WEEKLY)
    before = anna.list(singleEvents=True)
    anna.patch(master["id"], recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20270309T000000Z"])
    news = anna.list(singleEvents=True, syncToken=before.token).items
    gone = {item["id"] for item in news if item["status"] == "cancelled"}
    assert gone == set(before.ids[2:])
    assert {item["id"] for item in news if item["status"] == "confirmed"} == set(before.ids[:2])


def test_a_single_event_becomes_a_series_and_back(anna: Someone) -> None:
    # case 142
    event = anna.insert()
    token = anna.list(singleEvents=True).token
    anna.patch(event["id"], recurrence=WEEKLY)
    news = anna.list(singleEvents=True, syncToken=token)
    assert {"id": event["id"], "status": "cancelled"} in news.items
    assert len([item for item in news.items if item["status"] == "confirmed"]) == 4
    anna.patch(event["id"], recurrence=None)
    back = anna.list(singleEvents=True, syncToken=news.token).items
    assert [item["id"] for item in back if item["status"] == "confirmed"] == [event["id"]]


def test_exceptions_follow_their_master_in_what_they_do_not_override(anna: Someone) -> None:
    master = anna.insert(recurrence=WEEKLY)
    second, third = instances(anna, master["id"])[1:3]
    anna.patch(second["id"], summary="Mine")
    anna.patch(third["id"], location="Elsewhere")
    anna.patch(master["id"], summary="Renamed")
    assert [item["summary"] for item in instances(anna, master["id"])] == ["Renamed", "Mine", "Renamed", "Renamed"]


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        pytest.param(
            ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20270302T100000"],
            ["01", "03"],
            id="EXDATE in a zone",
        ),
        pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270302T090000Z"], ["01", "03"], id="EXDATE in UTC"),
        pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270302T090000Z"], ["01", "02"], id="UNTIL is included"),
        pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270302"], ["01", "02"], id="UNTIL as a date"),
        pytest.param(["RDATE;TZID=Europe/Berlin:20270305T100000,20270307T100000"], ["01", "05", "07"], id="only RDATE"),
        pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXRULE:FREQ=DAILY;INTERVAL=2"], ["02"], id="EXRULE"),
    ],
)
def test_recurrence_lines(anna: Someone, recurrence: list[str], expected: list[str]) -> None:
    # case 143
    master = anna.insert(recurrence=recurrence)
    assert starts(instances(anna, master["id"])) == [f"2027-03-{day}T10:00:00+01:00" for day in expected]


def test_an_all_day_series(anna: Someone) -> None:
    # case 125
    master = anna.insert(
        start={"date": "2027-03-27"}, end={"date": "2027-03-28"}, recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    shown = instances(anna, master["id"])
    assert starts(shown) == ["2027-03-27", "2027-03-28", "2027-03-29"]
    assert shown[1]["id"] == f"{master['id']}_20270328"
    assert shown[1]["end"] == {"date": "2027-03-29"}
    assert anna.get(shown[1]["id"]) == shown[1]


def test_an_instance_that_is_not_in_the_series_is_not_found(anna: Someone) -> None:
    master = anna.insert(recurrence=WEEKLY)
    call = anna.events.get(calendarId="primary", eventId=f"{master['id']}_20270302T090000Z")
    assert refusal(call) == (404, "notFound")
    assert refusal(anna.events.instances(calendarId="primary", eventId="nosuchevent")) == (404, "notFound")


def test_instances_by_window_and_original_start(anna: Someone) -> None:
    master = anna.insert(recurrence=WEEKLY)
    window = {"timeMin": "2027-03-08T00:00:00Z", "timeMax": "2027-03-16T00:00:00Z"}
    assert len(instances(anna, master["id"], **window)) == 2
    (only,) = instances(anna, master["id"], originalStart="2027-03-15T10:00:00+01:00")
    assert only["start"]["dateTime"] == "2027-03-15T10:00:00+01:00"


def test_an_endless_series_without_a_window_ends_somewhere(anna: Someone) -> None:
    # case 144
    anna.insert(recurrence=["RRULE:FREQ=WEEKLY"])
    listed = anna.list(singleEvents=True, maxResults=500)
    assert (len(listed.ids), listed.pages) == (730, 2)
    assert listed.items[-1]["start"]["dateTime"].startswith("2041-")


def test_an_instance_can_not_become_a_series(anna: Someone) -> None:
    master = anna.insert(recurrence=WEEKLY)
    first = instances(anna, master["id"])[0]["id"]
    call = anna.events.patch(calendarId="primary", eventId=first, body={"recurrence": WEEKLY})
    assert refusal(call) == (400, "invalid")
