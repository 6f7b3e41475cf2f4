"""Operators change sessions with everybody in them: over HTTP, down to the event in Google and the mail to each client."""

import time
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Booked, Studio, instants, until
from tests.system.asking import EVER
from tests.system.test_bad_input import problem

EVENING, LATER = f"{DAY}T18:00:00Z", f"{DAY}T20:00:00Z"


@pytest.fixture
def class_of_three(studio: Studio) -> tuple[Studio, str]:
    """Scheduled, after Anna's hours, with nobody in it."""
    studio.offer("yoga", name="Yoga", kind="event", duration_minutes=60, capacity=3, **EVER)
    return studio, studio.schedule(EVENING, service="yoga", minutes=60)


def books(studio: Studio, name: str, seats: int = 1) -> Booked:
    client = {"name": name.title(), "email": f"{name}@{studio.account}.example"}
    return studio.book(EVENING, service="yoga", seats=seats, client=client)


def subjects(studio: Studio, name: str) -> list[str]:
    """Of the mails to one of them, up to the colon."""
    query = {"to": f"{name}@{studio.account}.example"}
    found = requests.get(f"{studio.addresses.mail}/messages", params=query, timeout=10).json()["messages"]
    return [mail["subject"].partition(":")[0] for mail in sorted(found, key=lambda mail: mail["received"])]


class TestMove:
    def test_it_moves_with_everybody_and_its_event_and_each_is_told_once(
        self, class_of_three: tuple[Studio, str]
    ) -> None:
        studio, session = class_of_three
        ann, ben = books(studio, "ann"), books(studio, "ben", 2)
        ann.written()
        answer = studio.change_session(session, start=LATER)
        assert answer.status_code == 200
        assert answer.json()["start"] == LATER
        assert (ann.look()["start"], ben.look()["start"]) == (LATER, LATER)
        assert studio.starts(service="yoga") == []
        until(lambda: [instants(event)[0] for event in studio.person.events()] == [LATER])
        for name in ("ann", "ben"):
            until(lambda name=name: len(subjects(studio, name)) == 2)
            assert subjects(studio, name) == ["Your booking is confirmed", "Your booking has a new time"]
        assert ("booking.moved", "operator") in ann.history()

        # The old time is free, and the new one is not.
        other = studio.schedule(EVENING, service="yoga", minutes=60)
        problem(studio.change_session(other, start=f"{DAY}T19:30:00Z"), 409, "time-taken")

    def test_over_its_own_time_it_can_move_onto_anothers_it_can_not(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        half_past = f"{DAY}T18:30:00Z"
        assert studio.change_session(session, start=half_past).status_code == 200
        studio.person.add(LATER, f"{DAY}T21:00:00Z")
        until(lambda: "busy" in [reason["rule"] for reason in studio.explain(LATER)["reasons"]])
        refused = problem(studio.change_session(session, start=f"{DAY}T19:30:00Z"), 409, "time-taken")
        assert [reason["rule"] for reason in refused["taken"][0]["reasons"]] == ["busy"]  # type: ignore[index]
        assert studio.look(f"sessions/{session}")["start"] == half_past

    def test_a_calendar_that_can_not_be_read_keeps_it_where_it_is(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        studio.lose_sight()
        problem(studio.change_session(session, start=LATER), 503, "calendar-unreachable")


class TestOpenAndClosed:
    def test_closed_it_is_offered_no_more_and_who_is_in_it_stays(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        ann = books(studio, "ann")
        assert studio.change_session(session, closed=True).json()["closed"] is True
        assert studio.starts(service="yoga") == []
        assert studio.try_to_book(EVENING, service="yoga").json()["reasons"] == ["closed"]
        assert ann.look()["status"] == "confirmed"
        assert studio.change_session(session, closed=False).json()["closed"] is False
        assert studio.starts(service="yoga") == [EVENING]
        assert [entry["what"] for entry in studio.history(session=session)][-2:] == [
            "session.closed",
            "session.opened",
        ]


class TestCapacity:
    def test_more_seats_are_sold_at_once(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        books(studio, "ann", 3)
        assert studio.starts(service="yoga") == []
        assert studio.change_session(session, capacity=5).json()["capacity"] == 5
        assert studio.starts(service="yoga", seats=2) == [EVENING]
        assert studio.starts(service="yoga", seats=3) == []

    def test_below_what_is_sold_the_operator_is_asked_and_nothing_changes(
        self, class_of_three: tuple[Studio, str]
    ) -> None:
        studio, session = class_of_three
        ann, ben = books(studio, "ann", 2), books(studio, "ben")
        assert studio.change_session(session, capacity=3).status_code == 200, "as many as are sold"
        refused = problem(studio.change_session(session, capacity=2), 409, "below-seats-sold")
        assert refused["seats"] == 1
        assert refused["bookings"] == [{"id": ben.id, "seats": 1, "status": "confirmed", "name": "Ben"}]
        assert studio.look(f"sessions/{session}")["capacity"] == 3
        assert ann.look()["status"] == ben.look()["status"] == "confirmed"

    def test_orphaned_they_keep_their_booking_and_are_flagged_until_the_seats_return(
        self, class_of_three: tuple[Studio, str]
    ) -> None:
        studio, session = class_of_three
        _, ben = books(studio, "ann", 2), books(studio, "ben")
        assert studio.change_session(session, capacity=2, below="orphan").status_code == 200
        assert ben.look()["status"] == "confirmed"
        assert _flagged(studio) == {ben.id}
        assert studio.look(f"sessions/{session}")["conflict"]["reason"] == "over_capacity"
        assert ("booking.conflicted", "operator") in ben.history()
        assert studio.change_session(session, capacity=3).status_code == 200
        assert _flagged(studio) == set()
        until(lambda: subjects(studio, "ben") == ["Your booking is confirmed"])

    def test_cancelled_they_are_told_why(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        ann, ben = books(studio, "ann", 2), books(studio, "ben")
        assert studio.change_session(session, capacity=2, below="cancel").status_code == 200
        assert ann.look()["status"] == "confirmed"
        seen = ben.look()
        assert (seen["status"], seen["cancelled_by"]) == ("cancelled", "operator")
        assert seen["reason"] == "there are fewer seats than were sold"
        until(lambda: subjects(studio, "ben")[-1:] == ["Your booking is cancelled"])
        assert sum(studio.look(f"sessions/{session}")["seats"].values()) == 2

    def test_a_hold_goes_before_what_is_sold(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        held = studio.post("holds", {"service": "yoga", "start": EVENING}).json()
        ann = books(studio, "ann", 2)
        refused = problem(studio.change_session(session, capacity=2), 409, "below-seats-sold")
        assert [each["id"] for each in refused["bookings"]] == [held["id"]]  # type: ignore[attr-defined]
        studio.change_session(session, capacity=2, below="cancel")
        assert ann.look()["status"] == "confirmed"
        proof = {"Authorization": f"Bearer {held['manage_token']}"}
        late = studio.post(f"bookings/{held['id']}/confirm", {"client": {"name": "K", "email": "k@x.example"}}, **proof)
        assert late.status_code == 409

    def test_a_session_that_came_of_a_booking_has_as_many_seats_as_its_service(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=3)
        booked = empty_studio.book(empty_studio.starts()[0])
        problem(empty_studio.change_session(booked.session, capacity=5), 422, "invalid-request")


def _flagged(studio: Studio) -> set[str]:
    """The bookings of which the operator sees that they can't be kept."""
    return {booking["id"] for booking in studio.look("bookings")["bookings"] if booking.get("conflict")}


class TestCancel:
    def test_it_ends_with_all_its_bookings_and_its_event_goes(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        ann, ben = books(studio, "ann"), books(studio, "ben")
        held = studio.post("holds", {"service": "yoga", "start": EVENING}).json()
        ann.written()
        until(lambda: len(subjects(studio, "ben")) == 1)
        answer = studio.post(f"sessions/{session}/cancel", {"reason": "Anna is ill"}, **studio.operator)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        for booked in (ann, ben):
            seen = booked.look()
            assert (seen["status"], seen["cancelled_by"], seen["reason"]) == ("cancelled", "operator", "Anna is ill")
        proof = {"Authorization": f"Bearer {held['manage_token']}"}
        gone = studio.http.get(f"{studio.base}/bookings/{held['id']}", headers=proof).json()
        assert gone["status"] == "cancelled"
        until(lambda: studio.person.events() == [])
        for name in ("ann", "ben"):
            until(lambda name=name: len(subjects(studio, name)) == 2)
            assert subjects(studio, name)[-1] == "Your booking is cancelled"

        assert studio.starts(service="yoga") == []
        studio.schedule(EVENING, service="yoga", minutes=60)
        again = studio.post(f"sessions/{session}/cancel", {}, **studio.operator)
        assert (again.status_code, again.json()["reason"]) == (200, "Anna is ill"), "twice is once"
        assert len([entry for entry in studio.history(session=session) if entry["what"] == "session.cancelled"]) == 1

    def test_deleted_in_google_it_is_cancelled_too_with_nobody_in_it(self, class_of_three: tuple[Studio, str]) -> None:
        studio, session = class_of_three
        event = until(lambda: studio.event_of(session))
        studio.person.delete(event["id"])
        until(lambda: studio.look(f"sessions/{session}")["status"] == "cancelled")
        assert studio.starts(service="yoga") == []


def test_moved_in_google_it_follows(class_of_three: tuple[Studio, str]) -> None:
    studio, session = class_of_three
    event = until(lambda: studio.event_of(session))
    studio.person.move(event["id"], LATER, f"{DAY}T21:00:00Z")
    until(lambda: studio.look(f"sessions/{session}")["start"] == LATER)
    assert studio.starts(service="yoga") == [LATER]


def test_all_that_one_request_names_is_one_commit(class_of_three: tuple[Studio, str]) -> None:
    studio, session = class_of_three
    ann = books(studio, "ann", 3)
    answer = studio.change_session(session, start=LATER, capacity=5, closed=True)
    assert answer.status_code == 200
    seen = studio.look(f"sessions/{session}")
    assert (seen["start"], seen["capacity"], seen["closed"]) == (LATER, 5, True)
    problem(studio.change_session(session, start=EVENING, capacity=1), 409, "below-seats-sold")
    assert ann.look()["start"] == LATER, "nothing of it happened"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"below": "cancel"}, id="below what"),
        pytest.param({"capacity": 2, "below": "ignore"}, id="something else for below"),
        pytest.param({"capacity": 0}, id="no seats"),
        pytest.param({"waitlist": "nothing"}, id="a preset that is not there"),
        pytest.param({"seats": 3}, id="an unknown field"),
    ],
)
def test_what_is_no_change(empty_studio: Studio, changes: dict[str, Any]) -> None:
    empty_studio.offer("yoga", kind="event", capacity=3)
    session = empty_studio.schedule(EVENING, service="yoga", minutes=60)
    problem(empty_studio.change_session(session, **changes), 422, "invalid-request")


def test_what_has_begun_is_left_alone_and_what_is_not_there_is_not_found(empty_studio: Studio) -> None:
    empty_studio.offer("yoga", kind="event", capacity=3)
    session = empty_studio.schedule(EVENING, service="yoga", minutes=60)
    # It began a minute ago: in its document, nobody waits a week.
    begun = int(time.time()) // 60 - 1
    empty_studio.store.client.document(f"accounts/{empty_studio.account}/sessions/{session}").update({"start": begun})
    tomorrow = f"{DAY + timedelta(days=1)}T18:00:00Z"
    changes: list[dict[str, Any]] = [{"closed": True}, {"capacity": 9}, {"start": tomorrow}, {"waitlist": None}]
    for change in changes:
        problem(empty_studio.change_session(session, **change), 409, "illegal-state")
    problem(empty_studio.post(f"sessions/{session}/cancel", {}, **empty_studio.operator), 409, "illegal-state")
    problem(empty_studio.change_session("nothing", closed=True), 404, "not-found")
    problem(empty_studio.post("sessions/nothing/cancel", {}, **empty_studio.operator), 404, "not-found")
