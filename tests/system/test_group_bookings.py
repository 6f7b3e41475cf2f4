"""Several clients in one session, several people for one client: over HTTP, down to the event in Google."""

from datetime import datetime
from typing import Any

from tests.studio import Studio, until


def _attendees(studio: Studio, session: str) -> int:
    return sum(studio.look(f"sessions/{session}")["seats"].values())


def test_clients_join_a_class_at_its_start_and_it_stays_one_event(studio: Studio) -> None:
    studio.offer(capacity=4, duration_minutes=60, step_minutes=30)
    nine, half_past = studio.starts()[:2]
    first, second = studio.book(nine), studio.book(nine, seats=2)
    assert first.session == second.session
    assert _attendees(studio, first.session) == 3

    assert half_past not in studio.starts(), "a start inside the running class is not offered"
    assert nine in studio.starts(seats=1)
    assert nine not in studio.starts(seats=2)
    refused = studio.try_to_book(nine, seats=2)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:booking:problem:slot-taken"

    second.written()
    assert len(studio.person.events()) == 1


def test_who_leaves_a_class_frees_their_seats_and_the_last_one_the_time(studio: Studio) -> None:
    studio.offer(capacity=2)
    whole = studio.starts()
    first, second = studio.book(whole[0]), studio.book(whole[0])
    assert whole[0] not in studio.starts()
    first.cancel()
    assert whole[0] in studio.starts()
    assert second.look()["status"] == "confirmed"
    second.cancel()
    assert studio.starts() == whole
    until(lambda: studio.person.events() == [])


def test_one_of_a_class_moves_and_the_others_stay(studio: Studio) -> None:
    studio.offer(capacity=3)
    nine, ten = studio.starts()[0], studio.starts()[2]
    stays, moves = studio.book(nine), studio.book(nine, seats=2)
    assert moves.reschedule(ten).status_code == 200
    assert (stays.look()["start"], moves.look()["start"]) == (nine, ten)
    assert moves.look()["id"] == moves.id
    assert moves.look()["session"] != stays.session
    until(lambda: len(studio.person.events()) == 2)

    # And back: their own session ends, they sit with the other again.
    assert moves.reschedule(nine).status_code == 200
    assert moves.look()["session"] == stays.session
    assert _attendees(studio, stays.session) == 3
    until(lambda: len(studio.person.events()) == 1)


def test_a_pool_gives_a_booking_that_moves_to_whoever_is_free(empty_studio: Studio) -> None:
    empty_studio.open(resource="ben", start="13:00")
    empty_studio.offer(resources=["anna", "ben"])
    starts = empty_studio.starts()
    one, late = starts[8], starts[-1]
    with_anna = empty_studio.book(late)
    assert with_anna.look()["resource"] == "anna"
    other = empty_studio.book(one)
    assert other.look()["resource"] == "anna"
    assert other.reschedule(late).status_code == 200, "Anna has somebody then, Ben has not"
    assert other.look()["resource"] == "ben"
    assert ("booking.moved", "client") in other.history()


def test_a_set_takes_everybody_and_gives_them_all_back(empty_studio: Studio) -> None:
    empty_studio.open(resource="room", start="08:00", end="16:00")
    empty_studio.offer(resources=["anna", "room"], assignment="all")
    empty_studio.offer("solo", resources=["room"])
    whole = empty_studio.starts()
    assert whole[-1].endswith("30:00Z"), "the room closes at four"
    booked = empty_studio.book(whole[0])
    assert empty_studio.look(f"sessions/{booked.session}")["resources"] == ["anna", "room"]
    assert whole[0] not in empty_studio.starts(service="solo")
    booked.cancel()
    assert whole[0] in empty_studio.starts(service="solo")
    assert empty_studio.starts() == whole


def test_a_client_chooses_how_long(empty_studio: Studio) -> None:
    empty_studio.offer(durations=[30, 60, 90])
    nine = empty_studio.starts(duration=90)[0]
    booked = empty_studio.book(nine, duration_minutes=90)
    assert _minutes(booked.look()) == 90
    assert nine not in empty_studio.starts(duration=30)
    later = empty_studio.starts(duration=90)[-1]
    assert booked.reschedule(later).status_code == 200
    assert _minutes(booked.look()) == 90, "who moves keeps the length that they chose"
    assert empty_studio.try_to_book(nine, duration_minutes=45).json()["reasons"] == ["duration_not_offered"]


def test_a_client_has_to_choose_where_the_service_says_so(empty_studio: Studio) -> None:
    empty_studio.open(resource="ben")
    empty_studio.offer(resources=["anna", "ben"], assignment="choice")
    nine = empty_studio.starts()[0]
    assert empty_studio.try_to_book(nine).status_code == 422
    assert empty_studio.book(nine, resource="ben").look()["resource"] == "ben"


def test_limits_of_a_client_count_their_bookings_and_nobody_elses(empty_studio: Studio) -> None:
    empty_studio.offer(client_limits={"per_day": 1})
    nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
    mine = empty_studio.book(nine)
    refused = empty_studio.try_to_book(ten)
    assert (refused.status_code, refused.json()["reasons"]) == (422, ["limit"])
    assert mine.reschedule(ten).status_code == 200, "a booking that moves does not count against itself"
    mine.cancel()
    assert empty_studio.try_to_book(nine).status_code == 201


def _minutes(booking: dict[str, Any]) -> int:
    return int(
        (datetime.fromisoformat(booking["end"]) - datetime.fromisoformat(booking["start"])).total_seconds() // 60
    )
