"""What the owner of a calendar does to events of ours, where a person or a policy has to decide; and the inbox in which they decide."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Booked, Studio, instants, until
from tests.system.waiting import all_mails


def inbox(studio: Studio) -> dict[str, dict[str, Any]]:
    """What is in it, by session."""
    return {one["session"]: one for one in studio.look("conflicts")["conflicts"]}


def asked(studio: Studio, session: str, reason: str) -> dict[str, Any]:
    """The question, once it is asked."""
    return until(lambda: (one := inbox(studio).get(session)) is not None and one["reason"] == reason and one)


def choose(studio: Studio, session: str, choice: str, **more: Any) -> requests.Response:
    return studio.post(f"conflicts/{session}/resolve", {"choice": choice, **more}, **studio.operator)


def resolve(studio: Studio, session: str, choice: str, **more: Any) -> None:
    answer = choose(studio, session, choice, **more)
    assert answer.ok, answer.text
    assert session not in inbox(studio)


def told(studio: Studio, session: str) -> list[tuple[str, str]]:
    return [(entry["what"], entry["author_kind"]) for entry in studio.history(session=session)]


def bring_back(studio: Studio, event: Mapping[str, Any]) -> None:
    """From the bin, as it was."""
    kept = {name: event[name] for name in ("id", "start", "end", "attendees", "extendedProperties")}
    body = {"event": {**kept, "status": "confirmed"}, "as": "event"}
    studio.google_control("POST", f"calendars/{studio.person.email}/events", body)


class TestMovedToAnotherCalendar:  # case 113
    @pytest.fixture
    def second(self, empty_studio: Studio) -> str:
        """Another calendar of the same person, which is kept in step."""
        _, google_id = empty_studio.connect_two()
        return google_id

    def move_over(self, studio: Studio, booking: Booked, second: str) -> str:
        event = str(booking.written()["id"])
        studio.person.move_over(event, second)
        until(lambda: ("session.moved_calendar", "google") in told(studio, booking.session))
        return event

    def test_the_booking_lives_on_and_follows_there(self, empty_studio: Studio, second: str) -> None:
        studio = empty_studio
        nine, ten, half_past_ten = (studio.starts()[n] for n in (0, 2, 3))
        booking = studio.book(nine)
        event = self.move_over(studio, booking, second)
        assert booking.look()["status"] == "confirmed"
        assert booking.reschedule(ten).status_code == 200
        calendar = studio.person.calendar
        until(lambda: instants(calendar.events().get(calendarId=second, eventId=event).execute())[0] == ten)
        times = {"start": {"dateTime": nine}, "end": {"dateTime": studio.starts()[1]}}
        calendar.events().patch(calendarId=second, eventId=event, body=times).execute()
        until(lambda: booking.look()["start"] == nine)
        assert {ten, half_past_ten} <= set(studio.starts())
        assert nine not in studio.starts()
        assert studio.conflicts() == {}
        calendar.events().delete(calendarId=second, eventId=event).execute()
        until(lambda: booking.look()["status"] == "cancelled")
        until(lambda: nine in studio.starts())
        assert len(all_mails(studio)) == 4  # booked, moved, moved, cancelled

    def test_the_client_can_still_cancel(self, empty_studio: Studio, second: str) -> None:
        booking = empty_studio.book(empty_studio.starts()[0])
        event = self.move_over(empty_studio, booking, second)
        booking.cancel()
        events = empty_studio.person.calendar.events()
        until(lambda: events.get(calendarId=second, eventId=event).execute()["status"] == "cancelled")


class TestDeleted:  # case 100
    def class_of_two(self, studio: Studio) -> tuple[Booked, dict[str, Any]]:
        studio.offer(capacity=2)
        nine = studio.starts()[0]
        first = studio.book(nine)
        studio.book(nine)
        event = first.written()
        studio.person.delete(event["id"])
        one = asked(studio, first.session, "deleted_in_calendar")
        assert [choice["choice"] for choice in one["choices"]] == ["restore", "keep", "cancel"]
        assert len(one["bookings"]) == 2
        return first, event

    def test_where_several_sit_in_it_a_person_is_asked_and_has_it_made_again(self, studio: Studio) -> None:
        first, event = self.class_of_two(studio)
        assert first.look()["status"] == "confirmed"
        resolve(studio, first.session, "restore")
        again = first.written()
        assert again["id"] != event["id"]
        assert instants(again) == instants(event)
        assert told(studio, first.session)[-2:] == [("session.conflicted", "google"), ("session.restored", "operator")]
        assert len(all_mails(studio)) == 2

    def test_or_cancels_it_and_everybody_is_told_once(self, studio: Studio) -> None:
        first, _ = self.class_of_two(studio)
        resolve(studio, first.session, "cancel", reason="Anna is ill")
        assert len(all_mails(studio)) == 4
        assert first.look()["reason"] == "Anna is ill"
        again = choose(studio, first.session, "cancel")
        assert (again.status_code, again.json()["choices"]) == (409, [])

    def test_or_it_goes_on_without_an_event(self, studio: Studio) -> None:
        first, _ = self.class_of_two(studio)
        resolve(studio, first.session, "keep")
        first.cancel()  # the class goes on, with one
        assert studio.event_of(first.session) is None
        assert studio.starts(seats=1)[0] == first.look()["start"]

    def test_the_question_is_gone_when_the_event_is_back(self, studio: Studio) -> None:  # case 102
        first, event = self.class_of_two(studio)
        bring_back(studio, event)
        until(lambda: inbox(studio) == {})
        assert first.look()["status"] == "confirmed"
        assert len(all_mails(studio)) == 2

    def test_the_policy_may_be_to_make_it_again_at_once(self, studio: Studio) -> None:
        studio.offer(on_calendar_delete="restore")
        booking = studio.book(studio.starts()[0])
        event = booking.written()
        studio.person.delete(event["id"])
        again = until(lambda: booking.event())
        assert again["id"] != event["id"]
        assert told(studio, booking.session)[-1] == ("session.restored", "rule")
        assert (inbox(studio), len(all_mails(studio))) == ({}, 1)


class TestBroughtBack:  # case 102
    def back(self, studio: Studio) -> tuple[Booked, str]:
        nine = studio.starts()[0]
        booking = studio.book(nine)
        event = booking.written()
        studio.person.delete(event["id"])
        until(lambda: booking.look()["status"] == "cancelled")
        bring_back(studio, event)
        asked(studio, booking.session, "brought_back")
        until(lambda: nine not in studio.starts())
        return booking, nine

    def test_it_is_booked_again_and_the_client_told_once(self, studio: Studio) -> None:
        booking, nine = self.back(studio)
        resolve(studio, booking.session, "rebook")
        assert (booking.look()["status"], booking.look()["start"]) == ("confirmed", nine)
        assert len(all_mails(studio)) == 3
        assert studio.mails()[-1].startswith("Your booking is confirmed")
        booking.written()
        assert nine not in studio.starts()
        booking.cancel()
        until(lambda: booking.event() is None and nine in studio.starts())

    def test_or_left_to_its_owner(self, studio: Studio) -> None:
        booking, nine = self.back(studio)
        resolve(studio, booking.session, "leave")
        event = booking.event()
        assert event is not None
        studio.person.change(event["id"], summary="mine")
        studio.person.add(studio.starts()[2], studio.starts()[3])
        until(lambda: len(studio.starts()) == 14)  # so the pull has seen both
        assert (booking.look()["status"], inbox(studio)) == ("cancelled", {})
        assert nine not in studio.starts()

    def test_or_deleted(self, studio: Studio) -> None:
        booking, nine = self.back(studio)
        resolve(studio, booking.session, "delete")
        until(lambda: booking.event() is None and nine in studio.starts())
        assert booking.look()["status"] == "cancelled"


class TestMoved:
    def moved(self, studio: Studio, policy: str) -> tuple[Booked, str, str]:
        studio.offer(on_calendar_move=policy)
        nine, ten, half_past_ten = (studio.starts()[n] for n in (0, 2, 3))
        booking = studio.book(nine)
        studio.person.move(booking.written()["id"], ten, half_past_ten)
        return booking, nine, ten

    def test_both_times_are_taken_until_somebody_has_decided(self, studio: Studio) -> None:
        booking, nine, ten = self.moved(studio, "ask")
        one = asked(studio, booking.session, "moved_in_calendar")
        assert (one["start"], one["event"]["start"]) == (nine, ten)
        assert not {nine, ten} & set(studio.starts())
        refused = choose(studio, booking.session, "keep")
        assert (refused.status_code, refused.json()["choices"]) == (409, ["follow", "restore", "cancel"])
        resolve(studio, booking.session, "follow")
        assert booking.look()["start"] == ten
        assert nine in studio.starts()
        assert ten not in studio.starts()
        assert studio.conflicts() == {}
        assert told(studio, booking.session)[-2:] == [("session.conflicted", "google"), ("session.moved", "operator")]
        assert len(all_mails(studio)) == 2

    def test_or_the_event_is_put_back(self, studio: Studio) -> None:
        booking, nine, ten = self.moved(studio, "ask")
        asked(studio, booking.session, "moved_in_calendar")
        resolve(studio, booking.session, "restore")
        assert ten in studio.starts()
        until(lambda: instants(booking.event() or {})[0] == nine)
        assert (booking.look()["start"], len(all_mails(studio))) == (nine, 1)

    def test_whose_time_it_took_as_long_as_it_was_asked_about_keeps_it_when_it_is_put_back(
        self, studio: Studio
    ) -> None:
        there = studio.book(studio.starts()[2], client=studio.details("lou"))
        nine, ten = studio.starts()[0], there.look()["start"]
        studio.offer(on_calendar_move="ask")
        booking = studio.book(nine)
        studio.person.move(booking.written()["id"], ten, studio.starts()[1])
        asked(studio, booking.session, "moved_in_calendar")
        asked(studio, there.session, "taken")
        resolve(studio, booking.session, "restore")
        until(lambda: inbox(studio) == {})
        assert told(studio, there.session)[-1] == ("session.supported", "rule")

    def test_who_waits_for_the_time_that_it_leaves_gets_it_when_it_is_followed(self, studio: Studio) -> None:
        booking, nine, _ = self.moved(studio, "ask")
        asked(studio, booking.session, "moved_in_calendar")
        waiting = studio.wait(client="lou", start=nine)
        resolve(studio, booking.session, "follow")
        until(lambda: waiting.look()["status"] == "offered")
        assert nine not in studio.starts()

    def test_or_its_owner_thinks_better_of_it(self, studio: Studio) -> None:
        booking, nine, ten = self.moved(studio, "ask")
        asked(studio, booking.session, "moved_in_calendar")
        studio.person.move((booking.event() or {})["id"], nine, studio.starts()[0])
        until(lambda: inbox(studio) == {} and ten in studio.starts())
        assert (booking.look()["start"], len(all_mails(studio))) == (nine, 1)

    def test_the_policy_may_be_to_put_it_back_each_time(self, studio: Studio) -> None:
        booking, nine, ten = self.moved(studio, "restore")
        event = str(booking.written()["id"])
        for times in (1, 2):
            until(lambda: told(studio, booking.session).count(("session.restored", "rule")) == times)  # noqa: B023
            until(lambda: instants(booking.event() or {})[0] == nine)
            if times == 1:
                studio.person.move(event, ten, studio.starts()[3])
        tomorrow = (DAY + timedelta(days=1)).isoformat()
        day = {"start": {"date": DAY.isoformat(), "dateTime": None}, "end": {"date": tomorrow, "dateTime": None}}
        studio.person.change(event, **day)  # case 107
        until(lambda: "dateTime" in (booking.event() or {})["start"])
        assert instants(booking.event() or {})[0] == nine
        assert (booking.look()["start"], len(all_mails(studio)), inbox(studio)) == (nine, 1, {})


class TestDeclined:
    def test_by_the_host_it_is_flagged_until_somebody_lives_with_it(self, studio: Studio) -> None:  # case 110
        nine = studio.starts()[0]
        booking = studio.book(nine)
        event = booking.written()
        no = {"email": studio.person.email, "responseStatus": "declined"}
        studio.person.change(event["id"], attendees=[*event["attendees"], no])
        asked(studio, booking.session, "declined_by_host")
        assert nine not in studio.starts()
        resolve(studio, booking.session, "keep")
        studio.person.change(event["id"], summary="not me")
        studio.person.add(studio.starts()[2], studio.starts()[3])
        until(lambda: len(studio.starts()) == 14)  # so the pull has seen both
        assert (inbox(studio), len(all_mails(studio))) == ({}, 1)

    def test_by_the_host_it_is_cancelled_where_that_is_the_policy(self, studio: Studio) -> None:  # case 110
        studio.offer(on_host_decline="cancel")
        nine = studio.starts()[0]
        booking = studio.book(nine)
        event = booking.written()
        no = {"email": studio.person.email, "responseStatus": "declined"}
        studio.person.change(event["id"], attendees=[*event["attendees"], no])
        until(lambda: booking.look()["status"] == "cancelled")
        assert booking.look()["reason"] == "declined in Google Calendar"
        until(lambda: booking.event() is None and nine in studio.starts())
        assert len(all_mails(studio)) == 2

    def test_by_one_of_several_clients_it_is_noted_and_frees_nothing(self, studio: Studio) -> None:  # case 111
        studio.offer(capacity=2)
        nine = studio.starts()[0]
        kim = studio.book(nine)
        lee = studio.book(nine, client=studio.details("lee"))
        event = kim.written()
        answers = {f"kim@{studio.account}.example": "declined", f"lee@{studio.account}.example": "accepted"}
        guests = [{"email": email, "responseStatus": answer} for email, answer in answers.items()]
        studio.person.change(event["id"], attendees=guests)

        def declined() -> dict[str, bool]:
            return {one["id"]: "declined_at" in one for one in studio.look("bookings")["bookings"]}

        until(lambda: declined() == {kim.id: True, lee.id: False})
        assert kim.look()["status"] == "confirmed"
        assert "declined_at" not in kim.look()
        assert nine not in studio.starts()
        assert kim.history()[-1] == ("booking.declined", "google")


class TestInbox:
    def test_a_conflict_that_is_accepted_is_not_flagged_again_until_it_is_over(self, studio: Studio) -> None:
        nine, half_past = studio.starts()[:2]
        booking = studio.book(nine)
        booking.written()
        dentist = studio.person.add(nine, half_past)
        asked(studio, booking.session, "taken")
        resolve(studio, booking.session, "keep")
        studio.open(limits={"per_day": 50})  # so that all of them are looked at once more
        studio.person.delete(dentist["id"])
        until(lambda: told(studio, booking.session)[-1] == ("session.supported", "rule"))
        studio.person.add(nine, half_past)
        asked(studio, booking.session, "taken")

    def test_one_is_moved_out_of_its_conflict(self, studio: Studio) -> None:
        nine, half_past, ten = studio.starts()[:3]
        booking = studio.book(nine)
        booking.written()
        studio.person.add(nine, half_past)
        asked(studio, booking.session, "taken")
        assert choose(studio, booking.session, "move").status_code == 422
        assert choose(studio, booking.session, "move", start=studio.book(half_past).look()["start"]).status_code == 409
        resolve(studio, booking.session, "move", start=ten)
        until(lambda: instants(booking.event() or {})[0] == ten)
        assert len(all_mails(studio)) == 3

    def test_it_is_read_page_by_page_the_oldest_first(self, empty_studio: Studio) -> None:
        sessions = [empty_studio.book(start).session for start in empty_studio.starts()[-3:]]
        for closing in ("16:45", "16:15", "15:45"):
            empty_studio.open(end=closing)
            count = {"16:45": 1, "16:15": 2, "15:45": 3}[closing]
            until(lambda: len(inbox(empty_studio)) == count)  # noqa: B023
        first = empty_studio.look("conflicts", limit=2)
        rest = empty_studio.look("conflicts", limit=2, cursor=first["next_cursor"])
        found = [one["session"] for one in (*first["conflicts"], *rest["conflicts"])]
        assert found == sessions[::-1]
        assert "next_cursor" not in rest

    @pytest.mark.parametrize(
        ("ask", "status"),
        [
            pytest.param(lambda s, b: choose(s, "nobody", "keep"), 404, id="no such session"),
            pytest.param(lambda s, b: choose(s, b.session, "keep"), 409, id="nothing to decide"),
            pytest.param(lambda s, b: choose(s, b.session, "shrug"), 422, id="no such choice"),
            pytest.param(lambda s, b: s.post(f"conflicts/{b.session}/resolve", {"choice": "keep"}), 401, id="a client"),
        ],
    )
    def test_bad_requests(
        self, empty_studio: Studio, ask: Callable[[Studio, Booked], requests.Response], status: int
    ) -> None:
        booking = empty_studio.book(empty_studio.starts()[0])
        assert ask(empty_studio, booking).status_code == status
