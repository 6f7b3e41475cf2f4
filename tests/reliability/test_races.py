"""Many at once, from several processes: a seat is sold once (law 1)."""

from itertools import pairwise
from typing import Any

from tests.reliability.race import race
from tests.studio import Studio, until


def _booking(studio: Studio, start: str, number: int, **headers: str) -> dict[str, Any]:
    client = {"name": f"Client {number}", "email": f"client{number}@{studio.account}.example"}
    body = {"service": "consult", "start": start, "client": client}
    return {"method": "POST", "url": f"{studio.base}/bookings", "body": body, "headers": headers}


def test_forty_clients_of_four_processes_want_one_slot_and_one_gets_it(studio: Studio) -> None:  # case 152
    nine = studio.starts()[0]
    answers = race([_booking(studio, nine, number) for number in range(40)], processes=4)

    won = [answer for answer in answers if answer.status == 201]
    lost = [answer for answer in answers if answer.status == 409]
    assert (len(won), len(lost)) == (1, 39), sorted({answer.status for answer in answers})
    assert {answer.body["type"] for answer in lost} == {"urn:booking:problem:slot-taken"}
    assert all(answer.body["alternatives"] and nine not in answer.body["alternatives"] for answer in lost)

    until(lambda: [b["calendar_copy"] for b in studio.look("bookings")["bookings"]] == ["written"])
    assert len(studio.person.events()) == 1
    assert [entry["what"] for entry in studio.history(resource="anna") if entry.get("booking")] == ["booking.confirmed"]


def test_overlapping_but_not_identical_starts_never_both_win(empty_studio: Studio) -> None:
    empty_studio.offer(duration_minutes=60, step_minutes=15)
    starts = empty_studio.starts()[:8]
    answers = race([_booking(empty_studio, start, n) for n, start in enumerate(starts * 3)], processes=4)
    assert {answer.status for answer in answers} <= {201, 409}

    taken = sorted((answer.body["start"], answer.body["end"]) for answer in answers if answer.status == 201)
    assert taken
    assert all(before[1] <= after[0] for before, after in pairwise(taken))
    assert len(empty_studio.look("bookings")["bookings"]) == len(taken)


def test_one_request_sent_many_times_with_its_key_makes_one_booking(empty_studio: Studio) -> None:
    nine = empty_studio.starts()[0]
    call = _booking(empty_studio, nine, 1, **{"Idempotency-Key": "the same"})
    answers = race([call] * 12, processes=3)
    made = [answer for answer in answers if answer.status == 201]
    in_flight = [answer for answer in answers if answer.status != 201]
    assert made
    assert {answer.status for answer in in_flight} <= {409}
    assert {answer.body["type"] for answer in in_flight} <= {"urn:booking:problem:request-in-flight"}
    assert len({answer.body["id"] for answer in made}) == 1
    assert len({answer.body["manage_token"] for answer in made}) == 1
    assert len(empty_studio.look("bookings")["bookings"]) == 1
    (again,) = race([call], processes=1)
    assert (again.status, again.body["id"]) == (201, made[0].body["id"])


def test_one_booking_moved_from_two_places_ends_in_one_of_them(empty_studio: Studio) -> None:
    whole = empty_studio.starts()
    nine, *others = whole[:9]
    booking = empty_studio.book(nine)
    proof = {"Authorization": f"Bearer {booking.token}"}
    url = f"{empty_studio.base}/bookings/{booking.id}/reschedule"
    calls = [{"method": "POST", "url": url, "body": {"start": start}, "headers": proof} for start in others]
    answers = race(calls, processes=4)
    assert {answer.status for answer in answers} == {200}

    end = booking.look()["start"]
    assert end in others
    assert empty_studio.starts() == [start for start in whole if start != end]


def test_cancel_against_reschedule_leaves_no_time_taken_by_nobody(empty_studio: Studio) -> None:
    nine, ten = empty_studio.starts()[0], empty_studio.starts()[2]
    for _ in range(5):
        booking = empty_studio.book(nine)
        proof = {"Authorization": f"Bearer {booking.token}"}
        url = f"{empty_studio.base}/bookings/{booking.id}"
        move = {"method": "POST", "url": f"{url}/reschedule", "body": {"start": ten}, "headers": proof}
        cancel = {"method": "POST", "url": f"{url}/cancel", "body": {}, "headers": proof}
        statuses = {answer.status for answer in race([move, cancel], processes=2)}
        assert statuses <= {200, 409}
        assert booking.look()["status"] == "cancelled"
        assert {nine, ten} <= set(empty_studio.starts())
