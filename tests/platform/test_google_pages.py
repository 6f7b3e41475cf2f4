"""The pages for a person: add, move and delete events by plain forms."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from tests.platform.test_google_fixtures import Receiver, Someone
from tests.platform.test_google_push import watch

pytest_plugins = ["tests.platform.test_google_fixtures"]

START, END = "2027-03-01T10:00", "2027-03-01T11:30"


def post(someone: Someone, action: str, calendar: str | None = None, **fields: str) -> httpx.Response:
    address = f"/calendar/{quote(calendar or someone.email, safe='')}/{action}"
    return someone.google.http.post(address, data=fields)


def page(someone: Someone, week: str = "2027-03-01") -> str:
    return someone.google.http.get(f"/calendar/{quote(someone.email, safe='')}", params={"week": week}).text


def test_the_first_page_lists_people_and_calendars(anna: Someone) -> None:
    text = anna.google.http.get("/").text
    assert anna.email in text
    assert f"/calendar/{quote(anna.email, safe='')}" in text


def test_an_event_is_added_moved_and_deleted(anna: Someone, receiver: Receiver) -> None:
    watch(anna, receiver)
    token = anna.list().token
    added = post(anna, "add", summary="Lunch <b>", start=START, end=END)
    assert added.status_code == 303
    assert "Lunch &lt;b&gt;" in page(anna)
    (event,) = anna.list(syncToken=token).items
    assert event["start"]["dateTime"] == "2027-03-01T10:00:00+01:00"
    assert post(anna, "move", event=event["id"], start="2027-03-02T12:00", end="2027-03-02T13:00").status_code == 303
    moved = anna.get(event["id"])
    assert moved["start"]["dateTime"] == "2027-03-02T12:00:00+01:00"
    assert moved["etag"] != event["etag"]
    assert post(anna, "delete", event=event["id"]).status_code == 303
    assert anna.list(syncToken=token).items == [{"id": event["id"], "status": "cancelled"}]
    assert len(receiver.wait(4)) == 4


def test_an_all_day_event_covers_its_last_day(anna: Someone) -> None:
    post(anna, "add", summary="Fair", start=START, end="2027-03-02T00:00", all_day="1")
    (event,) = anna.list().items
    assert (event["start"], event["end"]) == ({"date": "2027-03-01"}, {"date": "2027-03-03"})
    assert page(anna).count("Fair</strong>") == 2
    post(anna, "move", event=event["id"], start="2027-03-04", end="2027-03-04")
    assert anna.get(event["id"])["end"] == {"date": "2027-03-05"}


def test_a_weekly_event_is_moved_and_deleted_instance_by_instance(anna: Someone) -> None:
    post(anna, "add", summary="Team", start=START, end=END, weekly="1")
    (master,) = anna.list().items
    assert master["recurrence"] == ["RRULE:FREQ=WEEKLY"]
    second, third = anna.events.instances(calendarId="primary", eventId=master["id"]).execute()["items"][1:3]
    post(anna, "move", event=second["id"], start="2027-03-09T10:00", end="2027-03-09T11:30")
    post(anna, "delete", event=third["id"])
    assert "Team" in page(anna, "2027-03-08")
    assert "Team" not in page(anna, "2027-03-15")
    post(anna, "delete", event=master["id"])
    assert anna.list().items == []


def test_what_can_not_be_done_is_said_on_the_page(anna: Someone) -> None:
    backwards = post(anna, "add", summary="Cut", start=END, end=START)
    assert backwards.status_code == 400
    assert 'role="alert"' in backwards.text
    assert post(anna, "add", summary="Cut", start="soon", end=END).status_code == 400
    assert post(anna, "delete", event="nosuchevent").status_code == 404
    assert anna.google.http.get("/calendar/nobody%40example.com").status_code == 404


def test_another_sites_form_is_refused(anna: Someone) -> None:
    address = f"/calendar/{quote(anna.email, safe='')}/add"
    fields = {"summary": "Spam", "start": START, "end": END}
    answer = anna.google.http.post(address, data=fields, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    own = anna.google.http.post(address, data=fields, headers={"Origin": anna.google.url})
    assert own.status_code == 303


def test_every_field_has_a_label(anna: Someone) -> None:
    post(anna, "add", summary="Cut", start=START, end=END)
    text = page(anna)
    fields = text.count("<input") - text.count('type="hidden"')
    assert text.count("<label") == fields
