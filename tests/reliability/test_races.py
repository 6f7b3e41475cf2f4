"""Many at once, from several processes to two instances: whatever the order, a seat is sold once (law 1), and the account's documents tell one story.

Each race is run fifty times, each time for another start, day or booking, so that no round disturbs another.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from functions.adapters.clock import now_millis
from functions.adapters.store.store import Store
from tests.reliability.race import Answer, Call, Racers, to_booking, to_entry, to_session, wish
from tests.reliability.truth import check_truth
from tests.studio import DAY, Studio, Waiting, until

ROUNDS = 50
CLIENTS = 8
NEARLY_MS = 5


@pytest.fixture
def arena(empty_studio: Studio, store: Store) -> Iterator[Studio]:
    """Open day and night. After the race everything that is stored is true."""
    empty_studio.open(start="00:00", end="24:00")
    yield empty_studio
    check_truth(store, empty_studio.account)


def starts_of(studio: Studio, count: int, *, every: int = 1, **asked: Any) -> list[str]:
    """So many open starts, from the first on; `every` so manieth."""
    found = [start["start"] for day in studio.days(days=14, **asked).values() for start in day["starts"]]
    assert len(found) >= count * every
    return found[: count * every : every]


def won(answers: Sequence[Answer], *, otherwise: str) -> list[Answer]:
    """Those that got what they wanted; the others were refused for one of the reasons that are named, parted by spaces."""
    assert {answer.problem for answer in answers} <= {"", *otherwise.split()}
    return [answer for answer in answers if not answer.problem]


def test_same_slot(arena: Studio, racers: Racers) -> None:
    starts = starts_of(arena, ROUNDS)
    rounds = [[wish(arena, start, client) for client in range(CLIENTS)] for start in starts]
    for start, answers in zip(starts, racers.race("same slot", rounds), strict=True):
        assert len(won(answers, otherwise="slot-taken")) == 1
        for lost in (answer for answer in answers if answer.problem):
            assert start not in lost.body["alternatives"]


def test_overlapping_but_not_identical_slots(arena: Studio, racers: Racers) -> None:
    arena.offer(duration_minutes=60, step_minutes=15)
    starts = starts_of(arena, ROUNDS * 12)
    # Eight starts within two hours; those of the next round begin an hour after the last of these can end.
    wanted = [starts[number * 12 : number * 12 + CLIENTS] for number in range(ROUNDS)]
    rounds = [[wish(arena, start, client) for client, start in enumerate(round_)] for round_ in wanted]
    for asked, answers in zip(rounds, racers.race("overlapping slots", rounds), strict=True):
        taken = sorted(instant(answer.body["start"]) for answer in won(answers, otherwise="slot-taken"))
        assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(taken))
        # Nobody was refused for nothing: every start that was asked for is in the way of one that was sold.
        for call in asked:
            assert any(abs(instant(call.body["start"]) - start) < timedelta(hours=1) for start in taken)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("capacity", "seats"), [(3, 1), (5, 2)])
def test_first_seat_of_a_group(arena: Studio, racers: Racers, capacity: int, seats: int) -> None:
    arena.offer(capacity=capacity)
    starts = starts_of(arena, ROUNDS)
    rounds = [[wish(arena, start, client, seats=seats) for client in range(CLIENTS)] for start in starts]
    for answers in racers.race(f"first seat of {capacity}, {seats} at a time", rounds):
        seated = won(answers, otherwise="slot-taken")
        assert len(seated) == capacity // seats
        assert len({answer.body["session"] for answer in seated}) == 1


def test_last_seat(arena: Studio, racers: Racers) -> None:
    arena.offer(capacity=3)
    starts = starts_of(arena, ROUNDS)
    first = [arena.book(start, seats=2) for start in starts]
    rounds = [[wish(arena, start, client) for client in range(CLIENTS)] for start in starts]
    for there, answers in zip(first, racers.race("last seat", rounds), strict=True):
        assert [answer.body["session"] for answer in won(answers, otherwise="slot-taken")] == [there.session]


def test_two_pending_requests(arena: Studio, racers: Racers) -> None:
    """A request holds its seats: there is never a second one for an operator to confirm. Two operators who confirm one at once do so once."""
    arena.offer(confirmation="operator")
    starts = starts_of(arena, ROUNDS)
    rounds = [[wish(arena, start, client) for client in range(CLIENTS)] for start in starts]
    asked = [won(answers, otherwise="slot-taken") for answers in racers.race("requests for one slot", rounds)]
    assert [[answer.body["status"] for answer in answers] for answers in asked] == [["held"]] * ROUNDS

    requests = [answer.body["id"] for (answer,) in asked]
    rounds = [[to_booking(arena, booking, "confirm", arena.api_key)] * 4 for booking in requests]
    for answers in racers.race("one request confirmed by four", rounds):
        assert [answer.body["status"] for answer in won(answers, otherwise="")] == ["confirmed"] * 4
    for booking in requests:
        what = [entry["what"] for entry in arena.history(booking=booking)]
        assert what == ["booking.requested", "booking.confirmed"]


def test_one_booking_rescheduled_from_two_places(arena: Studio, racers: Racers) -> None:
    whole = starts_of(arena, ROUNDS * 5)
    from_, *to = (whole[number::5] for number in range(5))
    bookings = [arena.book(start) for start in from_]
    wanted = list(zip(*to, strict=True))
    rounds = [
        [to_booking(arena, booking.id, "reschedule", booking.token, start=start) for start in starts]
        for booking, starts in zip(bookings, wanted, strict=True)
    ]
    for answers in racers.race("one booking rescheduled from four places", rounds):
        won(answers, otherwise="")
    ended = [booking.look()["start"] for booking in bookings]
    assert all(end in starts for end, starts in zip(ended, wanted, strict=True))
    assert starts_of(arena, ROUNDS * 4) == [start for start in whole if start not in ended]


def test_cancel_against_reschedule(arena: Studio, racers: Racers) -> None:
    whole = starts_of(arena, ROUNDS * 2)
    bookings = [arena.book(start) for start in whole[::2]]
    rounds = [
        [
            to_booking(arena, booking.id, verb, booking.token, **body)
            for verb, body in [("cancel", {}), ("reschedule", {"start": start})] * 2
        ]
        for booking, start in zip(bookings, whole[1::2], strict=True)
    ]
    for answers in racers.race("cancel against reschedule", rounds):
        assert [answer.body["status"] for answer in won(answers[::2], otherwise="")] == ["cancelled"] * 2
        won(answers[1::2], otherwise="illegal-state")
    assert {booking.look()["status"] for booking in bookings} == {"cancelled"}
    assert starts_of(arena, ROUNDS * 2) == whole


@pytest.mark.parametrize("counted", ["resource", "service", "client"])
def test_limit_of_one_a_day(arena: Studio, racers: Racers, counted: str) -> None:
    """Other starts of one day, and other resources where the limit is not one resource's: what is limited is no slot that a commit takes."""
    one = {"per_day": 1}
    arena.open(start="08:00", end="12:00", limits=one if counted == "resource" else {})
    arena.open(start="08:00", end="12:00", resource="ben")
    limits = {"service": {"limits": one}, "client": {"client_limits": one}, "resource": {}}[counted]
    resources = ["anna"] if counted == "resource" else ["anna", "ben"]
    arena.offer(resources=resources, pick="least_busy", window={"kind": "rolling_days", "days": 90}, **limits)
    days = [day["starts"] for day in arena.days(days=ROUNDS).values()]
    rounds = [
        [wish(arena, start["start"], 0 if counted == "client" else client) for client, start in enumerate(starts)]
        for starts in days
    ]
    assert {len(round_) for round_ in rounds} == {8}
    for answers in racers.race(f"limit of one a day, of a {counted}", rounds):
        assert len(won(answers, otherwise="start-closed")) == 1
        assert all(answer.body["reasons"] == ["limit"] for answer in answers if answer.problem)


def test_any_of_a_pool_with_the_last_member(arena: Studio, racers: Racers) -> None:
    arena.open(start="00:00", end="24:00", resource="ben")
    arena.offer(resources=["anna", "ben"], pick="least_busy")
    starts = starts_of(arena, ROUNDS)
    taken = [arena.look(f"sessions/{arena.book(start).session}")["resources"] for start in starts]
    rounds = [[wish(arena, start, client) for client in range(CLIENTS)] for start in starts]
    for there, answers in zip(taken, racers.race("last member of a pool", rounds), strict=True):
        (last,) = won(answers, otherwise="slot-taken")
        assert {*there, last.body["resource"]} == {"anna", "ben"}


def test_accept_an_offer_as_it_expires(arena: Studio, racers: Racers) -> None:
    """Kim accepts at the moment at which the offer runs out. Somebody else wants to book it then, and an operator to give it to Lee, who is next in line:
    one of them has it in the end, and never two.
    """
    lines = []
    for start in starts_of(arena, ROUNDS):
        there = arena.book(start)
        kim, lee = arena.wait(client="kim", start=start), arena.wait(client="lee", start=start)
        there.cancel()
        lines.append((start, kim, lee))
    for _, kim, _ in lines:
        until(lambda kim=kim: kim.status() == "offered")  # type: ignore[misc]

    in_time: list[bool] = []

    def rounds() -> Iterator[list[Call]]:
        left_ms = 0
        for start, kim, lee in lines:
            arena.run_out(kim, at_ms=now_millis() + left_ms)
            accept = to_entry(arena, kim.id, "accept", kim.token)
            promote = to_entry(arena, lee.id, "promote", arena.api_key)
            yield [accept, wish(arena, start), promote] * 2
            in_time.append(kim.status() == "booked")
            # However fast the machine is: to where Kim makes it, and from there on to and fro around the moment that matters.
            step = NEARLY_MS if any(in_time) else max(NEARLY_MS, left_ms)
            left_ms = max(0, left_ms - step) if in_time[-1] else left_ms + step

    answers = racers.race("accept an offer as it runs out", rounds())
    assert {*in_time} == {True, False}
    for (_, kim, lee), given in zip(lines, answers, strict=True):
        granted = won(given, otherwise="hold-lapsed illegal-state slot-taken")
        booked = [answer for answer in granted if "service" in answer.body and answer.body["status"] == "confirmed"]

        def owners(kim: Waiting = kim, lee: Waiting = lee, others: int = len(booked)) -> list[str]:
            mine = [kim.status() == "booked", lee.status() in ("booked", "offered")]
            return ["somebody"] * (sum(mine) + others)

        until(owners, nudge=lambda: arena.fire("minute"))
        assert len(owners()) == 1, (kim.status(), lee.status(), given)
        # An offer whose end this test has set is settled before the whole is looked at.
        until(lambda kim=kim: kim.status() != "offered", nudge=lambda: arena.fire("minute"))  # type: ignore[misc]


@pytest.mark.parametrize(("below", "rounds"), [("cancel", ROUNDS), ("orphan", 10), (None, 10)])
def test_operator_lowers_capacity_while_clients_book(
    arena: Studio, racers: Racers, below: str | None, rounds: int
) -> None:
    """From six seats to two: nobody lost a seat by it, or those who lost theirs were cancelled and told, or they keep the booking and an operator sees it,
    or nothing was changed because nobody had said what becomes of them. Never more are seated than seats are.
    """
    arena.offer(kind="event", capacity=6)
    starts = starts_of_free_time(rounds)
    sessions = [arena.schedule(start, service="consult", minutes=30) for start in starts]
    said = {} if below is None else {"below": below}
    calls = [
        [
            *(wish(arena, start, client) for client in range(CLIENTS - 1)),
            to_session(arena, session, capacity=2, **said),
        ]
        for start, session in zip(starts, sessions, strict=True)
    ]
    raced = racers.race(f"capacity lowered while clients book, {below or 'and nobody said what then'}", calls)
    conflicts = arena.conflicts()
    for session, answers in zip(sessions, raced, strict=True):
        booked = {answer.body["id"] for answer in won(answers[:-1], otherwise="slot-taken")}
        there = arena.look(f"sessions/{session}")
        without = {booking for booking in there["seats"] if booking in conflicts}
        assert {*there["seats"]} <= booked
        assert there["capacity"] == (
            2 if won(answers[-1:], otherwise="below-seats-sold" if below is None else "") else 6
        )
        assert len(there["seats"]) - len(without) <= there["capacity"]
        if below == "cancel":
            assert len(there["seats"]) == 2
        else:
            assert {*there["seats"]} == booked, "nobody lost a booking"
        if without:
            assert (below, len(there["seats"]) - len(without)) == ("orphan", 2)


def test_limit_of_one_a_week_across_the_end_of_a_month(arena: Studio, racers: Racers) -> None:
    """One week, two documents of the ledger: who books in one month and who books in the next see each other."""
    first = (DAY.replace(day=1) + timedelta(days=32)).replace(day=1)
    while first.weekday() == 0:
        first = (first + timedelta(days=32)).replace(day=1)
    names = [f"one{number}" for number in range(10)]
    for name in names:
        arena.open(start="08:00", end="12:00", resource=name, limits={"per_week": 1})
    arena.offer(resources=names, assignment="choice", window={"kind": "rolling_days", "days": 120})
    days = arena.days(first - timedelta(days=1), days=2, resource=names[0])
    half = [[start["start"] for start in day["starts"][: CLIENTS // 2]] for day in days.values()]
    rounds = [
        [wish(arena, start, client, resource=name) for client, start in enumerate(half[0] + half[1])] for name in names
    ]
    assert {len(calls) for calls in rounds} == {CLIENTS}
    for answers in racers.race("limit of one a week, at the end of a month", rounds):
        assert len(won(answers, otherwise="start-closed")) == 1
        assert all(answer.body["reasons"] == ["limit"] for answer in answers if answer.problem)


def starts_of_free_time(count: int) -> list[str]:
    """Half hours from the test's day on."""
    first = datetime.combine(DAY, datetime.min.time(), UTC)
    return [f"{first + timedelta(minutes=30 * number):%Y-%m-%dT%H:%M:%SZ}" for number in range(count)]


# Once each, with more to look at.


def test_forty_clients_of_four_processes_want_one_slot_and_one_gets_it(
    studio: Studio, racers: Racers, store: Store
) -> None:  # case 152
    nine = studio.starts()[0]
    answers = racers.once("forty for one slot", [wish(studio, nine, client) for client in range(40)])
    assert len(won(answers, otherwise="slot-taken")) == 1
    lost = [answer for answer in answers if answer.problem]
    assert all(answer.body["alternatives"] and nine not in answer.body["alternatives"] for answer in lost)

    until(lambda: [b["calendar_copy"] for b in studio.look("bookings")["bookings"]] == ["written"])
    assert len(studio.person.events()) == 1
    assert [entry["what"] for entry in studio.history(resource="anna") if entry.get("booking")] == ["booking.confirmed"]
    check_truth(store, studio.account)


def test_one_request_sent_many_times_with_its_key_makes_one_booking(arena: Studio, racers: Racers) -> None:
    answers = racers.once("one request, twelve times", [wish(arena, starts_of(arena, 1)[0], key="the same")] * 12)
    made = [answer for answer in answers if answer.status == 201]
    in_flight = [answer for answer in answers if answer.status != 201]
    assert made
    assert {answer.body["type"] for answer in in_flight} <= {"urn:booking:problem:request-in-flight"}
    assert len({answer.body["id"] for answer in made}) == 1
    assert len({answer.body["manage_token"] for answer in made}) == 1
    assert len(arena.look("bookings")["bookings"]) == 1


def test_a_pool_serves_as_many_as_it_has_members(arena: Studio, racers: Racers) -> None:
    for name in ("ben", "eve"):
        arena.open(start="00:00", end="24:00", resource=name)
    arena.offer(resources=["anna", "ben", "eve"], pick="least_busy")
    nine = starts_of(arena, 1)[0]
    answers = racers.once("a whole pool", [wish(arena, nine, client) for client in range(12)])
    served = Counter(answer.body["resource"] for answer in won(answers, otherwise="slot-taken"))
    assert served == {"anna": 1, "ben": 1, "eve": 1}


def test_a_set_is_taken_whole_or_not_at_all(arena: Studio, racers: Racers) -> None:
    arena.open(start="00:00", end="24:00", resource="room")
    arena.offer(resources=["anna", "room"], assignment="all")
    arena.offer("solo", resources=["room"])
    nine = starts_of(arena, 1)[0]
    calls = [wish(arena, nine, client, service=service) for client in range(6) for service in ("consult", "solo")]
    assert len(won(racers.once("a set against a part of it", calls), otherwise="slot-taken")) == 1


def test_a_limit_of_two_a_day_holds_for_everybody_together(arena: Studio, racers: Racers) -> None:
    arena.open(limits={"per_day": 2})
    calls = [wish(arena, start, client) for client, start in enumerate(arena.starts()[:12])]
    assert len(won(racers.once("two a day", calls), otherwise="start-closed")) == 2
    assert arena.starts(DAY) == []


def test_one_client_with_many_windows_open_gets_no_more_than_the_limit(arena: Studio, racers: Racers) -> None:
    arena.open(start="00:00", end="24:00", resource="ben")
    arena.offer(client_limits={"at_once": 1}, resources=["anna", "ben"], pick="least_busy")
    who = {"name": "Kim", "email": arena.client_email.upper()}
    calls = [wish(arena, start, client=who) for start in starts_of(arena, 12)]
    assert len(won(racers.once("one client at once", calls), otherwise="start-closed")) == 1
    assert len(arena.look("bookings")["bookings"]) == 1
