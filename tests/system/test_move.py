"""An operator moves a booking: beyond the rules for clients, never onto time that is taken."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Booked, Studio, instants, until
from tests.system.asking import anna_and_ben
from tests.system.test_bad_input import problem


def move(studio: Studio, booked: Booked, start: str, **more: Any) -> requests.Response:
    return studio.post(f"bookings/{booked.id}/move", {"start": start, **more}, **studio.operator)


BINDING: dict[str, dict[str, Any]] = {
    "notice": {"notice_minutes": 20 * 24 * 60},
    "window": {"window": {"kind": "rolling_days", "days": 1}},
    "a limit of the service": {"limits": {"per_week": 1}},
    "a limit of the client": {"client_limits": {"per_month": 1}},
    "the cut-off": {"client_reschedule_until_minutes": 20 * 24 * 60},
}


@pytest.mark.parametrize("name", BINDING)
def test_what_binds_clients_does_not_bind_operators(empty_studio: Studio, name: str) -> None:
    nine, half_past, ten = empty_studio.starts()[:3]
    booked, _ = empty_studio.book(nine), empty_studio.book(half_past)
    empty_studio.offer(**BINDING[name])
    assert booked.reschedule(ten).status_code in (409, 422)
    answer = move(empty_studio, booked, ten)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["id"], answer.json()["start"]) == (booked.id, ten)
    assert booked.look()["start"] == ten


def test_its_event_moves_and_the_client_is_told_once(studio: Studio) -> None:
    nine, ten = studio.starts()[0], studio.starts()[2]
    booked = studio.book(nine)
    booked.written()
    assert move(studio, booked, ten).status_code == 200
    assert instants(booked.written())[0] == ten
    until(lambda: len(studio.mails()) == 2)
    assert studio.mails()[1].startswith("Your booking has a new time")
    assert nine in studio.starts()
    assert ten not in studio.starts()
    assert booked.history()[-1] == ("session.moved", "operator")


def test_taken_time_binds_everybody(studio: Studio) -> None:
    nine, half_past, ten, busy = (studio.starts()[n] for n in (0, 1, 2, 4))
    booked, _ = studio.book(nine), studio.book(half_past)
    studio.person.add(busy, studio.starts()[3])
    until(lambda: busy not in studio.starts())
    for taken in (half_past, busy):
        assert "alternatives" in problem(move(studio, booked, taken), 409, "slot-taken")
    problem(move(studio, booked, f"{DAY}T03:00:00Z"), 422, "start-closed")
    studio.lose_sight()
    problem(move(studio, booked, ten), 503, "calendar-unreachable")
    assert booked.look()["start"] == nine


class TestToAnother:
    def test_resource_of_the_service(self, empty_studio: Studio) -> None:
        pool = anna_and_ben(empty_studio)
        four = pool.starts(resource="ben")[0]
        booked = pool.book(four, resource="anna")
        answer = move(pool, booked, four, resource="ben")
        assert (answer.status_code, answer.json()["resource"]) == (200, "ben")
        assert booked.look()["start"] == four
        assert four in pool.starts(resource="anna")
        assert four not in pool.starts(resource="ben")

    def test_resource_who_does_not_serve_it_is_refused(self, empty_studio: Studio) -> None:
        empty_studio.open(resource="zoe")
        booked = empty_studio.book(empty_studio.starts()[0])
        problem(move(empty_studio, booked, empty_studio.starts()[2], resource="zoe"), 422, "invalid-request")

    def test_length_that_is_offered(self, empty_studio: Studio) -> None:
        empty_studio.offer(durations=[30, 60])
        nine, _, ten = empty_studio.starts()[:3]
        booked = empty_studio.book(nine)
        assert move(empty_studio, booked, nine, duration_minutes=60).status_code == 200
        assert (booked.look()["start"], booked.look()["end"]) == (nine, ten)

    def test_class_that_has_a_seat(self, empty_studio: Studio) -> None:
        empty_studio.offer("yoga", kind="event", duration_minutes=60, capacity=2)
        first, second = f"{DAY}T18:00:00Z", f"{DAY + timedelta(days=1)}T18:00:00Z"
        sessions = [empty_studio.schedule(start, service="yoga", minutes=60) for start in (first, second)]
        booked = empty_studio.book(first, service="yoga")
        assert move(empty_studio, booked, second).json()["session"] == sessions[1]
        assert empty_studio.look(f"sessions/{sessions[0]}")["status"] == "open"


def test_what_is_cancelled_can_not_be_moved_and_clients_move_nothing_this_way(empty_studio: Studio) -> None:
    nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
    booked = empty_studio.book(nine)
    proof = {"Authorization": f"Bearer {booked.token}"}
    assert empty_studio.post(f"bookings/{booked.id}/move", {"start": ten}, **proof).status_code == 401
    booked.cancel()
    problem(move(empty_studio, booked, ten), 409, "illegal-state")
