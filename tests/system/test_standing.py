"""Whether what was promised can still be kept: what a change of hours, seats, services or calendars does to bookings, and what its undo does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.studio import DAY, Booked, Studio, until

MORNING, WHOLE_DAY = {"end": "12:00"}, {"end": "17:00"}


def afternoon(studio: Studio) -> Booked:
    """Booked for two o'clock."""
    return studio.book(studio.starts()[10])


def flagged(studio: Studio, booking: Booked, reason: str) -> None:
    until(lambda: studio.conflicts() == {booking.id: reason})


def supported(studio: Studio, booking: Booked) -> None:
    until(lambda: studio.conflicts() == {})
    assert booking.look()["status"] == "confirmed"


class TestHours:
    def test_a_cut_is_flagged_and_what_comes_back_is_supported(self, empty_studio: Studio) -> None:
        booking = afternoon(empty_studio)
        empty_studio.open(**MORNING)
        flagged(empty_studio, booking, "outside_hours")
        assert booking.look()["status"] == "confirmed"
        assert "conflict" not in booking.look(), "that is the business's, not the client's"
        empty_studio.open(**WHOLE_DAY)
        supported(empty_studio, booking)
        history = empty_studio.history(session=booking.session)
        assert [(e["what"], e["author_kind"], e.get("why")) for e in history[1:]] == [
            ("session.conflicted", "rule", "outside_hours"),
            ("session.supported", "rule", "not outside_hours any more"),
        ]
        assert len(until(empty_studio.mails)) == 1, "nobody is told of what may yet be kept"

    def test_the_session_says_why_and_since_when(self, empty_studio: Studio) -> None:
        booking = afternoon(empty_studio)
        empty_studio.open(**MORNING)
        flagged(empty_studio, booking, "outside_hours")
        shown = empty_studio.look(f"sessions/{booking.session}")["conflict"]
        listed = empty_studio.look("bookings")["bookings"][0]["conflict"]
        (_, entry) = empty_studio.history(session=booking.session)
        assert shown == listed == {"reason": "outside_hours", "since": shown["since"]}
        assert abs(datetime.fromisoformat(shown["since"]) - datetime.fromisoformat(entry["at"])) < timedelta(seconds=10)

    def test_a_holiday_that_is_imported_counts(self, empty_studio: Studio) -> None:
        booking = afternoon(empty_studio)
        lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}", "SUMMARY:Feast"]
        file = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()
        assert empty_studio.import_holidays(file).status_code == 200
        flagged(empty_studio, booking, "outside_hours")


class TestCalendar:
    def test_an_event_over_a_booking_flags_it_until_it_is_gone(self, studio: Studio) -> None:
        nine, half_past = studio.starts()[:2]
        booking = studio.book(nine)
        booking.written()
        event = studio.person.add(nine, half_past)
        flagged(studio, booking, "taken")
        studio.person.delete(event["id"])
        supported(studio, booking)
        assert booking.history() == [("booking.confirmed", "client")]

    def test_a_calendar_that_blocks_no_more_is_in_nobody_s_way(self, studio: Studio) -> None:
        nine, half_past = studio.starts()[:2]
        booking = studio.book(nine)
        booking.written()
        studio.person.add(nine, half_past)
        flagged(studio, booking, "taken")
        studio.put(f"calendars/{studio.calendar}", {"destination_for": ["anna"]})
        supported(studio, booking)
        studio.put(f"calendars/{studio.calendar}", {"blocks": ["anna"], "destination_for": ["anna"]})
        flagged(studio, booking, "taken")

    def test_a_session_moved_onto_another_waits_for_that_one_to_go(self, studio: Studio) -> None:
        nine, ten = studio.starts()[0], studio.starts()[2]
        moved, there = studio.book(nine), studio.book(ten)
        event = moved.written()
        studio.person.move(event["id"], ten, studio.starts()[2])
        flagged(studio, moved, "taken")
        there.cancel()
        supported(studio, moved)
        assert moved.look()["start"] == ten

    def test_so_it_does_where_the_other_is_moved_away(self, studio: Studio) -> None:
        nine, ten = studio.starts()[0], studio.starts()[2]
        moved, there = studio.book(nine), studio.book(ten)
        studio.person.move(moved.written()["id"], ten, studio.starts()[2])
        flagged(studio, moved, "taken")
        assert there.reschedule(nine).status_code == 200
        supported(studio, moved)

    def test_or_deleted_in_google(self, studio: Studio) -> None:
        nine, ten = studio.starts()[0], studio.starts()[2]
        moved, there = studio.book(nine), studio.book(ten)
        other = there.written()
        studio.person.move(moved.written()["id"], ten, studio.starts()[2])
        flagged(studio, moved, "taken")
        studio.person.delete(other["id"])
        supported(studio, moved)


class TestService:
    def test_one_that_somebody_serves_no_more(self, empty_studio: Studio) -> None:
        empty_studio.open(resource="ben")
        booking = afternoon(empty_studio)
        empty_studio.offer(resources=["ben"])
        flagged(empty_studio, booking, "not_served")
        empty_studio.offer(resources=["ben", "anna"])
        supported(empty_studio, booking)

    def test_too_few_seats_are_those_of_who_came_last(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=3)
        nine = empty_studio.starts()[0]
        first, second, third = (empty_studio.book(nine) for _ in range(3))
        empty_studio.offer(capacity=1)
        until(lambda: empty_studio.conflicts() == {second.id: "over_capacity", third.id: "over_capacity"})
        session = empty_studio.look(f"sessions/{first.session}")
        assert (session["capacity"], session["conflict"]["reason"], len(session["seats"])) == (1, "over_capacity", 3)
        first.cancel()
        until(lambda: empty_studio.conflicts() == {third.id: "over_capacity"})
        empty_studio.offer(capacity=4)
        supported(empty_studio, third)
        assert nine in empty_studio.starts(seats=2)
        assert nine not in empty_studio.starts(seats=3)

    def test_seats_that_are_not_there_are_not_sold_again(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=3)
        nine = empty_studio.starts()[0]
        first, _, third = (empty_studio.book(nine) for _ in range(3))
        empty_studio.offer(capacity=2)
        flagged(empty_studio, third, "over_capacity")
        first.cancel()
        supported(empty_studio, third)
        assert empty_studio.try_to_book(nine).status_code == 409


class TestCancelledByRule:
    def test_each_client_is_told_once_and_the_time_is_free(self, studio: Studio) -> None:
        studio.offer(capacity=2, on_conflict="cancel")
        nine, half_past = studio.starts()[:2]
        bookings, late = [studio.book(nine) for _ in range(2)], afternoon(studio)
        bookings[0].written()
        studio.person.add(nine, half_past)
        until(lambda: {booking.look()["status"] for booking in bookings} == {"cancelled"})
        assert {booking.look()["reason"] for booking in bookings} == {"something else takes this time"}
        until(lambda: bookings[0].event() is None)
        studio.open(**MORNING)  # so that all of them are looked at once more
        until(lambda: late.look()["status"] == "cancelled" and len(studio.mails()) == 6)
        history = studio.history(session=bookings[0].session)
        ended = [(e["what"], e["author_kind"], e["author_name"]) for e in history if e["author_kind"] == "rule"]
        assert ended == [("session.cancelled", "rule", "standing"), *[("booking.cancelled", "rule", "standing")] * 2]
        assert sum(mail.startswith("Your booking is cancelled") for mail in studio.mails()) == 3
        assert studio.conflicts() == {}

    def test_its_time_can_be_sold_when_the_hours_come_back(self, empty_studio: Studio) -> None:
        empty_studio.offer(on_conflict="cancel")
        booking = afternoon(empty_studio)
        start = booking.look()["start"]
        empty_studio.open(**MORNING)
        until(lambda: booking.look()["status"] == "cancelled")
        assert booking.look()["cancelled_by"] == "rule"
        empty_studio.open(**WHOLE_DAY)
        assert start in empty_studio.starts()

    def test_of_too_few_seats_only_who_has_none_is_cancelled(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=2, on_conflict="cancel")
        nine = empty_studio.starts()[0]
        first, second = empty_studio.book(nine), empty_studio.book(nine)
        empty_studio.offer(capacity=1, on_conflict="cancel")
        until(lambda: second.look()["status"] == "cancelled")
        assert second.look()["reason"] == "there are fewer seats than before"
        assert (first.look()["status"], empty_studio.conflicts()) == ("confirmed", {})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param(lambda s: s.offer(on_conflict="shrug"), "on_conflict", id="a rule that there is not"),
        pytest.param(lambda s: s.offer(on_conflict=7), "on_conflict", id="no rule at all"),
    ],
)
def test_a_rule_that_nobody_knows_is_refused(empty_studio: Studio, change: Callable[[Studio], Any], field: str) -> None:
    with pytest.raises(AssertionError, match=field):
        change(empty_studio)
