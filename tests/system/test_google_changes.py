"""What people do in Google Calendar, and what it does to availability and to bookings."""

from datetime import timedelta

import pytest

from tests.studio import DAY, Studio, instants, until
from tests.system.waiting import all_mails


def _next_day(days: int) -> str:
    return (DAY + timedelta(days=days)).isoformat()


def test_a_weekly_series_closes_its_hour_every_week_and_a_moved_instance_moves(
    studio: Studio,
) -> None:  # cases 135, 147
    studio.offer(window={"kind": "rolling_days", "days": 60})
    weeks = [DAY + timedelta(days=7 * n) for n in range(4)]
    nine = [studio.starts(day)[0] for day in weeks]
    series = studio.person.add_event(
        start={"dateTime": nine[0], "timeZone": "Europe/Berlin"},
        end={"dateTime": studio.starts()[2], "timeZone": "Europe/Berlin"},
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"],
    )
    until(
        lambda: (
            [start in studio.starts(day) for start, day in zip(nine, weeks, strict=True)] == [False, False, False, True]
        )
    )

    instances = (
        studio.person.calendar.events().instances(calendarId=studio.person.email, eventId=series["id"]).execute()
    )
    second = instances["items"][1]["id"]
    noon, one = studio.starts(weeks[1])[4], studio.starts(weeks[1])[6]
    studio.person.move(second, noon, one)
    until(lambda: nine[1] in studio.starts(weeks[1]) and noon not in studio.starts(weeks[1]))
    assert nine[0] not in studio.starts(weeks[0])

    third = instances["items"][2]["id"]
    studio.person.delete(third)  # case 136
    until(lambda: nine[2] in studio.starts(weeks[2]))

    studio.person.delete(series["id"])  # case 139
    until(lambda: nine[0] in studio.starts(weeks[0]) and noon in studio.starts(weeks[1]))


def test_an_all_day_event_closes_its_day_and_only_that(studio: Studio) -> None:  # case 124
    whole, next_whole = studio.starts(), studio.starts(DAY + timedelta(days=1))
    event = studio.person.add_event(start={"date": _next_day(0)}, end={"date": _next_day(1)})
    until(lambda: studio.starts() == [])
    assert studio.starts(DAY + timedelta(days=1)) == next_whole
    studio.person.delete(event["id"])
    until(lambda: studio.starts() == whole)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"transparency": "transparent"}, id="marked as free"),
        pytest.param({"attendees": [{"email": "SELF", "self": True, "responseStatus": "declined"}]}, id="declined"),
    ],
)
def test_an_event_that_stops_taking_time_opens_its_slot_again(studio: Studio, fields: dict[str, object]) -> None:
    nine, half_past = studio.starts()[:2]
    event = studio.person.add(nine, half_past)
    until(lambda: nine not in studio.starts())
    if "attendees" in fields:
        fields = {"attendees": [{"email": studio.person.email, "responseStatus": "declined"}]}
    studio.person.change(event["id"], **fields)
    until(lambda: nine in studio.starts())


def test_an_event_moved_to_another_day_frees_the_old_one_and_takes_the_new(
    studio: Studio,
) -> None:  # cases 62, 132, 150
    nine, half_past = studio.starts()[:2]
    tomorrow = DAY + timedelta(days=1)
    other, other_end = studio.starts(tomorrow)[:2]
    event = studio.person.add(nine, half_past)
    until(lambda: nine not in studio.starts())
    studio.person.move(event["id"], other, other_end)
    until(lambda: nine in studio.starts() and other not in studio.starts(tomorrow))


def test_a_booking_moved_onto_other_time_follows_and_is_flagged(studio: Studio) -> None:  # case 104
    nine, half_past, ten, eleven = (studio.starts()[n] for n in (0, 1, 2, 4))
    booking = studio.book(nine)
    event = booking.written()
    studio.person.add(ten, eleven)
    until(lambda: ten not in studio.starts())
    studio.person.move(event["id"], ten, eleven)
    until(lambda: booking.look()["start"] == ten)
    listed = studio.look("bookings")["bookings"][0]
    assert (listed["status"], listed["conflict"]["reason"]) == ("confirmed", "taken")
    assert {nine, half_past} <= set(studio.starts())
    assert ten not in studio.starts()


def test_a_reschedule_that_is_sent_again_does_not_undo_what_the_owner_did_since(studio: Studio) -> None:  # case 99
    nine, ten, noon, half_past_noon = (studio.starts()[n] for n in (0, 2, 6, 7))
    booking = studio.book(nine)
    booking.written()
    first = booking.reschedule(ten, key="once")
    studio.person.move(booking.written()["id"], noon, half_past_noon)
    until(lambda: booking.look()["start"] == noon)
    again = booking.reschedule(ten, key="once")
    assert (again.status_code, again.json()) == (200, first.json())
    assert booking.look()["start"] == noon
    assert booking.reschedule(nine, key="once").status_code == 422


def test_a_booking_moved_outside_the_hours_follows_and_is_flagged(studio: Studio) -> None:  # case 105
    nine = studio.starts()[0]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.move(event["id"], f"{DAY}T19:00:00Z", f"{DAY}T20:15:00Z")
    until(lambda: booking.look()["start"] == f"{DAY}T19:00:00Z")
    assert booking.look()["end"] == f"{DAY}T20:15:00Z"
    assert studio.conflicts() == {booking.id: "outside_hours"}
    assert nine in studio.starts()


def test_a_new_title_is_the_owner_s_and_stays_through_a_reschedule(studio: Studio) -> None:  # cases 97, 108
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.change(event["id"], summary="Kim, bring the papers", colorId="5")
    assert booking.reschedule(ten).status_code == 200
    until(lambda: instants(booking.event() or event)[0] == ten)
    moved = booking.written()
    assert (moved["summary"], moved["colorId"]) == ("Kim, bring the papers", "5")
    assert [what for what, _ in booking.history()] == ["booking.confirmed", "session.moved"]
    assert len(all_mails(studio)) == 2


def test_a_booking_marked_as_free_still_takes_its_time(studio: Studio) -> None:  # case 109
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.change(event["id"], transparency="transparent")
    studio.person.add(ten, studio.starts()[3])
    until(lambda: ten not in studio.starts())  # so the pull has seen both
    assert nine not in studio.starts()


def test_a_duplicated_event_of_ours_is_a_block_and_no_booking(studio: Studio) -> None:  # case 114
    nine, ten, half_past_ten = (studio.starts()[n] for n in (0, 2, 3))
    booking = studio.book(nine)
    event = booking.written()
    copy = studio.person.add(ten, half_past_ten, extendedProperties=event["extendedProperties"])
    until(lambda: ten not in studio.starts())
    assert booking.look()["start"] == nine
    studio.person.delete(copy["id"])
    until(lambda: ten in studio.starts())
    assert booking.look()["status"] == "confirmed"


def test_an_event_brought_back_after_its_booking_was_cancelled_takes_time(studio: Studio) -> None:  # case 102
    nine = studio.starts()[0]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.delete(event["id"])
    until(lambda: booking.look()["status"] == "cancelled")
    assert nine in studio.starts()
    restored = {name: event[name] for name in ("id", "start", "end", "extendedProperties")}
    body = {"event": {**restored, "status": "confirmed"}, "as": "event"}
    studio.google_control("POST", f"calendars/{studio.person.email}/events", body)
    until(lambda: nine not in studio.starts())
    assert booking.look()["status"] == "cancelled"


def test_a_booking_made_all_day_follows_and_is_flagged(studio: Studio) -> None:  # case 107
    nine = studio.starts()[0]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.change(
        event["id"],
        start={"date": _next_day(0), "dateTime": None, "timeZone": None},
        end={"date": _next_day(1), "dateTime": None, "timeZone": None},
    )
    until(lambda: studio.conflicts() == {booking.id: "all_day"})
    assert studio.starts() == []


def test_a_booking_made_a_series_is_flagged_and_every_occurrence_takes_time(studio: Studio) -> None:  # case 107
    nine = studio.starts()[0]
    tomorrow = DAY + timedelta(days=1)
    other = studio.starts(tomorrow)[0]
    booking = studio.book(nine)
    event = booking.written()
    studio.person.change(event["id"], recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    until(lambda: studio.conflicts() == {booking.id: "recurring"})
    until(lambda: other not in studio.starts(tomorrow))
    assert booking.look()["status"] == "confirmed"


@pytest.mark.parametrize("became", ["a day", "a series"])
def test_what_a_session_says_is_written_also_into_what_its_event_has_become(  # case 107
    studio: Studio, became: str
) -> None:
    studio.offer(capacity=2)
    stays, leaves = (studio.book(studio.starts()[0], client=studio.details(name)) for name in ("kim", "lou"))
    event = stays.written()
    assert "Lou" in event["description"]
    day = {name: {"date": _next_day(n), "dateTime": None, "timeZone": None} for n, name in enumerate(("start", "end"))}
    change = day if became == "a day" else {"recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}
    changed = studio.person.change(event["id"], **change)
    until(lambda: len(studio.conflicts()) == 2)
    leaves.cancel()
    event = until(lambda: "Lou" not in (now := stays.written())["description"] and now)
    assert [event.get(name) for name in ("start", "recurrence")] == [changed.get(n) for n in ("start", "recurrence")]
    assert studio.look("health")["pending_copies"] == 0


def test_a_broken_event_blocks_where_it_can_and_stops_nothing(studio: Studio) -> None:  # case 57
    nine, ten, half_past_ten = (studio.starts()[n] for n in (0, 2, 3))
    bad = {
        "summary": "odd",
        "start": {"dateTime": nine, "timeZone": "Europe/Berlin"},
        "end": {"dateTime": studio.starts()[1], "timeZone": "Europe/Berlin"},
        "recurrence": ["RRULE:FREQ=SOMETIMES;BYDAY=XX"],
    }
    lost = {"summary": "lost", "start": {"dateTime": "0000-00-00T00:00:00Z"}, "end": {}}
    with studio.pushes(drop=1.0):
        for event in (bad, lost):
            studio.google_control("POST", f"calendars/{studio.person.email}/events", {"event": event})
    studio.person.add(ten, half_past_ten)
    until(lambda: ten not in studio.starts())
    assert nine not in studio.starts()
    health = studio.look("health")
    assert (health["calendars"][0].get("last_error"), health["calendars"][0]["unreadable_events"]) == (None, 2)
    assert "has 2 events that can't be read" in "".join(reason["text"] for reason in health["reasons"])


def test_a_calendar_that_changes_its_zone_moves_its_all_day_events(studio: Studio) -> None:  # case 78
    studio.person.add_event(start={"date": _next_day(0)}, end={"date": _next_day(1)})
    until(lambda: studio.starts() == [])
    studio.google_control("PATCH", f"calendars/{studio.person.email}", {"time_zone": "Africa/Nairobi"})
    # No event has changed, so nothing is pushed; the poll reads the zone with its page.
    studio.open(start="09:00", end="23:30", zone="UTC")
    # Nairobi's midnight is nine in the evening, UTC, all year: from then on the event leaves its day free.
    until(lambda: len(studio.starts()) == 5, nudge=studio.poll)
