"""Many at once for seats, for the last member of a pool, and for what a limit leaves: never one too many."""

from collections import Counter
from typing import Any

import pytest

from tests.reliability.race import Answer, race
from tests.studio import Studio

CLIENTS = 12


def _wishes(studio: Studio, starts: list[str], **more: Any) -> list[dict[str, Any]]:
    """Each client wants one of the starts; `more` is part of every wish."""
    return [
        {
            "method": "POST",
            "url": f"{studio.base}/bookings",
            "headers": {},
            "body": {
                "service": "consult",
                "start": starts[number % len(starts)],
                "client": {"name": f"Client {number}", "email": f"client{number}@{studio.account}.example"},
                **more,
            },
        }
        for number in range(CLIENTS)
    ]


def _won(answers: list[Answer]) -> list[Answer]:
    assert {answer.status for answer in answers} <= {201, 409, 422}, sorted({answer.status for answer in answers})
    return [answer for answer in answers if answer.status == 201]


def _seats(studio: Studio) -> dict[str, int]:
    """Seats sold, by session, as the sessions themselves say."""
    sessions = {booking["session"] for booking in studio.look("bookings")["bookings"]}
    return {session: sum(studio.look(f"sessions/{session}")["seats"].values()) for session in sessions}


@pytest.mark.parametrize(("capacity", "seats", "fits"), [(5, 1, 5), (5, 2, 2), (1, 1, 1)])
def test_a_class_sells_its_seats_and_no_more_from_the_first_on(
    empty_studio: Studio, capacity: int, seats: int, fits: int
) -> None:
    empty_studio.offer(capacity=capacity)
    nine = empty_studio.starts()[0]
    won = _won(race(_wishes(empty_studio, [nine], seats=seats), processes=4))
    assert len(won) == fits
    assert len({answer.body["session"] for answer in won}) == 1
    assert _seats(empty_studio) == {won[0].body["session"]: fits * seats}
    assert nine not in empty_studio.starts(seats=seats)


def test_a_pool_serves_as_many_as_it_has_members(empty_studio: Studio) -> None:
    for name in ("ben", "eve"):
        empty_studio.open(resource=name)
    empty_studio.offer(resources=["anna", "ben", "eve"], pick="least_busy")
    nine = empty_studio.starts()[0]
    won = _won(race(_wishes(empty_studio, [nine]), processes=4))
    assert Counter(answer.body["resource"] for answer in won) == {"anna": 1, "ben": 1, "eve": 1}


def test_a_set_is_taken_whole_or_not_at_all(empty_studio: Studio) -> None:
    empty_studio.open(resource="room")
    empty_studio.offer(resources=["anna", "room"], assignment="all")
    empty_studio.offer("solo", resources=["room"])
    nine = empty_studio.starts()[0]
    both = _wishes(empty_studio, [nine])
    alone = [wish | {"body": wish["body"] | {"service": "solo"}} for wish in both]
    assert len(_won(race([call for pair in zip(both, alone, strict=True) for call in pair], processes=4))) == 1


@pytest.mark.parametrize("counted", ["resource", "service"])
def test_a_limit_of_two_a_day_holds_for_everybody_together(empty_studio: Studio, counted: str) -> None:
    if counted == "resource":
        empty_studio.open(limits={"per_day": 2})
        empty_studio.offer()
    else:
        empty_studio.open(resource="ben")
        empty_studio.offer(limits={"per_day": 2}, resources=["anna", "ben"], pick="least_busy")
    starts = empty_studio.starts()
    won = _won(race(_wishes(empty_studio, starts), processes=4))
    assert len(won) == 2
    assert empty_studio.starts() == []


def test_one_client_with_two_windows_open_gets_no_more_than_the_limit(empty_studio: Studio) -> None:
    empty_studio.open(resource="ben")
    empty_studio.offer(client_limits={"at_once": 1}, resources=["anna", "ben"], pick="least_busy")
    wishes = _wishes(empty_studio, empty_studio.starts())
    for wish in wishes:
        wish["body"]["client"]["email"] = empty_studio.client_email.upper()
    assert len(_won(race(wishes, processes=4))) == 1
    assert len(empty_studio.look("bookings")["bookings"]) == 1
