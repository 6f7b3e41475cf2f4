"""freebusy.query of the Google stand-in."""

from __future__ import annotations

from typing import Any

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]

Json = dict[str, Any]


def ask(someone: Someone, *calendars: str, day: int = 1, **fields: Any) -> Json:
    body = {
        "timeMin": f"2027-03-{day:02d}T00:00:00+01:00",
        "timeMax": f"2027-03-{day + 1:02d}T00:00:00+01:00",
        "timeZone": "Europe/Berlin",
        "items": [{"id": calendar} for calendar in calendars or ("primary",)],
        **fields,
    }
    return dict(someone.service.freebusy().query(body=body).execute())


def busy(someone: Someone, calendar: str = "primary", **fields: Any) -> list[tuple[str, str]]:
    found = ask(someone, calendar, **fields)["calendars"][calendar]["busy"]
    return [(span["start"][11:16], span["end"][11:16]) for span in found]


def test_busy_times_are_merged(anna: Someone) -> None:
    for start, end in ((9, 10), (10, 11), (13, 15), (14, 16)):
        anna.insert(start=at(start), end=at(end))
    assert busy(anna) == [("09:00", "11:00"), ("13:00", "16:00")]


def test_busy_times_are_cut_to_the_window(anna: Someone) -> None:
    anna.insert(start=at(22, day=1), end=at(3, day=2))
    assert busy(anna) == [("22:00", "00:00")]
    assert busy(anna, day=2) == [("00:00", "03:00")]


def test_what_does_not_block(anna: Someone, ben: Someone) -> None:
    anna.insert(hour=8, transparency="transparent")
    anna.delete(anna.insert(hour=10)["id"])
    invitation = ben.insert(hour=12, attendees=[{"email": anna.email}])
    anna.patch(invitation["id"], attendees=[{"email": anna.email, "responseStatus": "declined"}])
    anna.insert(start=at(14), end=at(14))
    anna.insert(hour=16, status="tentative")
    assert busy(anna) == [("16:00", "17:00")]


def test_series_and_their_exceptions_count(anna: Someone) -> None:
    master = anna.insert(recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    second, third = anna.events.instances(calendarId="primary", eventId=master["id"]).execute()["items"][1:]
    anna.patch(second["id"], start=at(15, day=2), end=at(16, day=2))
    anna.delete(third["id"])
    assert busy(anna, day=1) == [("10:00", "11:00")]
    assert busy(anna, day=2) == [("15:00", "16:00")]
    assert busy(anna, day=3) == []


def test_an_all_day_event_takes_the_calendars_day(anna: Someone) -> None:
    # case 124
    anna.insert(start={"date": "2027-03-28"}, end={"date": "2027-03-29"})
    # case 125
    window: Json = {"timeMin": "2027-03-27T00:00:00Z", "timeMax": "2027-03-30T00:00:00Z", "timeZone": "UTC"}
    found = ask(anna, **window)["calendars"]["primary"]["busy"]
    assert found == [{"start": "2027-03-27T23:00:00Z", "end": "2027-03-28T22:00:00Z"}]


def test_errors_are_inside_the_answer(anna: Someone, ben: Someone) -> None:
    # case 157
    anna.insert()
    anna.google.control("PUT", "freebusy", {"calendar": f"{anna.email}", "reason": "internalError"})
    calendars = ask(anna, "primary", anna.email, ben.email, "nobody@example.com")["calendars"]
    assert len(calendars["primary"]["busy"]) == 1
    assert calendars[anna.email] == {"errors": [{"domain": "global", "reason": "internalError"}]}
    assert calendars[ben.email] == {"errors": [{"domain": "global", "reason": "notFound"}]}
    assert calendars["nobody@example.com"] == {"errors": [{"domain": "global", "reason": "notFound"}]}
    anna.google.control("PUT", "freebusy", {"calendar": f"{anna.email}"})


def test_at_most_fifty_calendars(anna: Someone) -> None:
    names = [f"nobody{number}@example.com" for number in range(51)]
    calendars = ask(anna, *names)["calendars"]
    reasons = [calendars[name]["errors"][0]["reason"] for name in names]
    assert reasons == ["notFound"] * 50 + ["tooManyCalendarsRequested"]


def test_unsound_windows_are_refused(anna: Someone) -> None:
    query = anna.service.freebusy().query
    items = [{"id": "primary"}]
    backwards = {"timeMin": "2027-03-02T00:00:00Z", "timeMax": "2027-03-01T00:00:00Z", "items": items}
    assert refusal(query(body=backwards)) == (400, "timeRangeEmpty")
    long = {"timeMin": "2027-01-01T00:00:00Z", "timeMax": "2027-06-01T00:00:00Z", "items": items}
    assert refusal(query(body=long)) == (400, "timeRangeTooLong")
    assert refusal(query(body={"items": items})) == (400, "required")


def test_a_free_busy_reader_may_ask(anna: Someone, ben: Someone) -> None:
    ben.insert()
    ben.google.control("PUT", f"calendars/{ben.email}/roles", {"email": anna.email, "role": "freeBusyReader"})
    assert busy(anna, ben.email) == [("10:00", "11:00")]
