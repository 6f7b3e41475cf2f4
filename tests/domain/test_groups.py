"""Several seats at the same start: who joins what runs already, and what is offered beside it. Appointments first, then scheduled events."""

from typing import Any

import pytest

from functions.domain.availability import ClientBooking, Closed, Question, choose, offers, open_starts
from functions.domain.booking_window import FixedDates, RollingDays
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.instants import MINUTE_MS
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation, Waiting
from tests.domain.builders import NOW, among, question, service, state
from tests.domain.monday import MONDAY, at, busy, clock, held, monday_now, on_monday, open_on_monday, why, works

ALL = "09:00 09:30 10:00 10:30 11:00"
AROUND_TEN = "09:00 11:00"  # what an hour at 10:00 leaves to others
WITH_TEN = "09:00 10:00 11:00"
TWO_BREAKS = works("09:00-10:30", "10:30-12:00")
THEIRS = (ClientBooking(service="cut", start=on_monday("09:00"), end=on_monday("10:00")),)
LAST_WEEK = FixedDates(first="2027-02-22", last="2027-02-28")


def yoga(*occupations: Occupation, rules: dict[str, Any] | None = None, **asked: Any) -> Question:
    """Three seats, an hour, every half hour, from 9 to 12. `rules` change the service."""
    return question(*occupations, asked=service(**{"capacity": 3} | (rules or {})), **{"of": works()} | asked)


def ten(seats: int = 1, **changes: Any) -> Occupation:
    """The session at ten, with three seats of which one is sold."""
    return at("10:00", "11:00", **{"capacity": 3, "seats": seats} | changes)


PAIR_WAITS = Waiting(smallest=2, until=on_monday("09:00"))
STRICT = Waiting(smallest=2, until=on_monday("09:00"), strict=True)
TOO_LATE = Waiting(smallest=1, until=NOW // MINUTE_MS)

# ---- Appointments

GROUPS = [
    pytest.param(yoga(), ALL, id="where nothing runs every start begins a session"),
    pytest.param(yoga(ten()), WITH_TEN, id="what runs is joined at its very start, and nothing overlaps it"),
    pytest.param(yoga(ten(3)), AROUND_TEN, id="until it is full"),
    pytest.param(yoga(ten(), seats=2), WITH_TEN, id="two seats where two are left"),
    pytest.param(yoga(ten(), seats=3), AROUND_TEN, id="three where two are left begin a session of their own"),
    pytest.param(yoga(seats=3), ALL, id="as many seats as a session has"),
    pytest.param(yoga(seats=4), "", id="more seats than a session has"),
    pytest.param(yoga(seats=0), "", id="no seats at all"),
    pytest.param(yoga(seats=-1), "", id="fewer than none"),
    pytest.param(yoga(ten(holds=held(2, until=NOW + 1))), AROUND_TEN, id="seats that are held are not left"),
    pytest.param(yoga(ten(holds=held(2, until=NOW))), WITH_TEN, id="they are, once the hold has lapsed"),
    pytest.param(yoga(ten(0, holds=held(1, until=NOW + 1)), seats=2), WITH_TEN, id="a session that is only held"),
    pytest.param(yoga(ten(0, holds=held(1, until=NOW))), ALL, id="is gone when its holds have lapsed"),
    pytest.param(yoga(ten(closed=True)), AROUND_TEN, id="a session that is closed by an operator"),
    pytest.param(yoga(ten(waiting=PAIR_WAITS)), AROUND_TEN, id="seats that somebody waits for are theirs first"),
    pytest.param(yoga(ten(waiting=PAIR_WAITS), from_waitlist=True), WITH_TEN, id="and open to who has waited"),
    pytest.param(yoga(ten(2, waiting=PAIR_WAITS)), WITH_TEN, id="one seat is no use to a pair that waits"),
    pytest.param(yoga(ten(2, waiting=STRICT)), AROUND_TEN, id="unless it is kept until they fit"),
    pytest.param(yoga(ten(waiting=TOO_LATE)), WITH_TEN, id="after the cut-off seats are anybody's"),
    pytest.param(yoga(ten(4)), AROUND_TEN, id="more sold than there are seats now"),
    pytest.param(
        yoga(ten(3), rules={"capacity": 5}), AROUND_TEN, id="a session keeps its seats when the service gets more"
    ),
    pytest.param(yoga(ten(1), rules={"capacity": 2}, seats=2), WITH_TEN, id="and when it gets fewer"),
    pytest.param(yoga(ten(service="pilates")), AROUND_TEN, id="the session of another service is only in the way"),
    pytest.param(yoga(at("10:00", "11:30", capacity=3)), "09:00", id="so is one that lasts longer"),
    pytest.param(yoga(at("10:00", "10:30", capacity=3)), "09:00 10:30 11:00", id="or shorter"),
    pytest.param(
        yoga(at("10:00", "11:30", capacity=3), rules={"durations": (60, 90)}, duration=90),
        "10:00",
        id="unless its length is asked for",
    ),
    pytest.param(yoga(ten(), rules={"capacity": 1}), AROUND_TEN, id="nobody joins where the service is one-to-one"),
    pytest.param(yoga(at("10:10", "11:10", capacity=3)), "09:00 10:10", id="a session off the grid"),
    pytest.param(
        yoga(ten(), rules={"offset_minutes": 15}), "10:00", id="a session off the grid that the offset makes now"
    ),
    pytest.param(
        yoga(at("08:00", "09:00", capacity=3)), ALL, id="nobody joins a session outside the hours as they are now"
    ),
    pytest.param(yoga(at("11:30", "12:30", capacity=3)), "09:00 09:30 10:00 10:30", id="or partly outside"),
    pytest.param(yoga(ten(), of=TWO_BREAKS), WITH_TEN, id="openings that touch hold a session between them"),
    pytest.param(yoga(ten(), of=works("09:00-10:30", "10:31-12:01")), "09:00 11:01", id="a minute apart they do not"),
    pytest.param(yoga(ten(), blocks=busy("10:30-10:31")), AROUND_TEN, id="an event inside it keeps others out"),
    pytest.param(yoga(ten(after=15), blocks=busy("11:14-12:00")), "09:00", id="an event in its clean-up too"),
    pytest.param(yoga(ten(after=15), blocks=busy("11:15-12:00")), "09:00 10:00", id="one that touches it does not"),
    pytest.param(yoga(ten(before=15), blocks=busy("09:00-09:46")), "11:00", id="an event in its preparation too"),
    pytest.param(yoga(ten(before=15), blocks=busy("09:00-09:45")), "10:00 11:00", id="one before it does not"),
    pytest.param(
        yoga(ten(), at("10:30", "11:30", service="pilates")), "09:00", id="another session inside it keeps others out"
    ),
    pytest.param(
        yoga(ten(), blocks=busy("11:00-12:00"), rules={"buffer_after_minutes": 30}),
        "10:00",
        id="a session keeps the buffers that it began with",
    ),
    pytest.param(
        yoga(ten(), now=monday_now("09:30"), rules={"notice_minutes": 30}), "10:00 11:00", id="just in time to join"
    ),
    pytest.param(
        yoga(ten(), now=monday_now("09:30") + 1, rules={"notice_minutes": 30}), "11:00", id="too late to join"
    ),
    pytest.param(yoga(ten(), rules={"window": RollingDays(days=7)}), WITH_TEN, id="the last day of the window"),
    pytest.param(yoga(ten(), rules={"window": RollingDays(days=6)}), "", id="a day beyond the window"),
    pytest.param(yoga(ten(), rules={"window": LAST_WEEK}), "", id="a day after the dates of the service"),
    pytest.param(yoga(ten(after=15), known_until=on_monday("11:15")), "09:00 10:00", id="known to the end of clean-up"),
    pytest.param(yoga(ten(after=15), known_until=on_monday("11:14")), "09:00", id="not quite known"),
    pytest.param(yoga(ten(), rules={"active": False}), "", id="a service that is put away"),
    pytest.param(
        yoga(ten(), of=works(limits=Limits(per_day=1))), "10:00", id="who joins adds no session to the resource's day"
    ),
    pytest.param(yoga(ten(), rules={"limits": Limits(per_day=1)}), "10:00", id="nor to the service's"),
    pytest.param(
        yoga(ten(), rules={"client_limits": ClientLimits(per_day=1)}, client=THEIRS), "", id="but to the client's own"
    ),
    pytest.param(yoga(ten(), moving="at 10:00"), ALL, id="a session that moves gives up its time, and is not joined"),
    pytest.param(
        yoga(ten(), at("11:00", "12:00", capacity=3), moving="at 11:00"),
        WITH_TEN,
        id="who sat alone may join others, and their own time is free",
    ),
]


@pytest.mark.parametrize(("asked", "starts"), GROUPS)
def test_what_a_group_is_offered(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


WHY_NOT = [
    pytest.param(yoga(ten(3)), "10:00", {Closed.FULL}, id="no seat left"),
    pytest.param(yoga(ten(), seats=3), "10:00", {Closed.FULL}, id="not so many left"),
    pytest.param(yoga(ten()), "10:30", {Closed.SESSION}, id="half an hour into it"),
    pytest.param(yoga(seats=4), "10:00", {Closed.TOO_MANY_SEATS}, id="more than there are"),
    pytest.param(yoga(seats=0), "10:00", {Closed.TOO_MANY_SEATS}, id="none"),
    pytest.param(yoga(at("10:00", "10:30", capacity=3)), "10:00", {Closed.SESSION}, id="another length"),
    pytest.param(yoga(ten(), rules={"capacity": 1}), "10:00", {Closed.SESSION}, id="one-to-one"),
    pytest.param(yoga(at("08:00", "09:00", capacity=3)), "08:00", {Closed.OUTSIDE_HOURS}, id="outside the hours"),
    pytest.param(yoga(ten(), blocks=busy("10:30-10:31")), "10:00", {Closed.BUSY}, id="an event inside it"),
    pytest.param(yoga(ten(after=15), blocks=busy("11:14-12:00")), "10:00", {Closed.BUFFER}, id="one in its clean-up"),
    pytest.param(
        yoga(ten(3), blocks=busy("10:30-10:31"), known_until=on_monday("10:59")),
        "10:00",
        {Closed.FULL, Closed.BUSY, Closed.CALENDAR_UNKNOWN},
        id="all that keeps one out",
    ),
]


@pytest.mark.parametrize(("asked", "start", "reasons"), WHY_NOT)
def test_why_a_group_can_not_be_joined(asked: Question, start: str, reasons: set[Closed]) -> None:
    assert why(asked, start) == reasons


def test_one_may_stay_where_one_moves_from_though_the_session_is_full() -> None:
    assert why(yoga(ten(3), moving="at 10:00"), "10:00") == set()


def test_what_begins_when_a_range_or_the_window_ends_is_not_in_it() -> None:
    midnight = at("00:00", "01:00", capacity=3)
    around_midnight = {"of": works("00:00-24:00"), "rules": {"capacity": 3, "window": RollingDays(days=6)}}
    assert clock(open_starts(yoga(ten()), Interval(on_monday("09:00"), on_monday("10:00")))) == "09:00"
    assert Closed.TOO_FAR in why(yoga(midnight, **around_midnight), "00:00")
    assert open_on_monday(yoga(midnight, **around_midnight)) == ""


SEATS_LEFT = [
    pytest.param(yoga(), {"09:00": 3, "10:00": 3, "11:00": 3}, id="all of a new session"),
    pytest.param(yoga(ten()), {"09:00": 3, "10:00": 2, "11:00": 3}, id="what is not sold of a running one"),
    pytest.param(yoga(ten(holds=held(1, until=NOW + 1))), {"10:00": 1}, id="and not held"),
    pytest.param(yoga(ten(holds=held(1, until=NOW))), {"10:00": 2}, id="by a hold that still lives"),
    pytest.param(yoga(ten(), rules={"capacity": 8}), {"09:00": 8, "10:00": 2}, id="of its own seats"),
    pytest.param(yoga(ten(2, capacity=2)), {"09:00": 3, "10:00": None}, id="no offer with none left"),
    pytest.param(yoga(ten(5)), {"10:00": None}, id="nor where more are sold than there are"),
    pytest.param(
        among(
            state(ten(), of=works()), state(of=works(name="ben")), asked=service(resources=("anna", "ben"), capacity=3)
        ),
        {"10:00": 3},
        id="of a pool the most that one of it has",
    ),
]


@pytest.mark.parametrize(("asked", "left"), SEATS_LEFT)
def test_seats_left(asked: Question, left: dict[str, int | None]) -> None:
    found = {offer.start: offer.seats_left for offer in offers(asked, MONDAY)}
    assert {start: found.get(on_monday(start)) for start in left} == left


@pytest.mark.parametrize(
    ("asked", "joined"),
    [
        pytest.param(yoga(ten()), "at 10:00", id="what runs"),
        pytest.param(yoga(), None, id="nothing runs"),
        pytest.param(yoga(ten(0, holds=held(1, until=NOW))), None, id="what ran is gone with its last hold"),
        pytest.param(yoga(ten(), moving="at 10:00"), None, id="one's own session moves"),
    ],
)
def test_who_books_joins_what_runs_or_begins_a_session(asked: Question, joined: str | None) -> None:
    choice = choose(asked, on_monday("10:00"))
    assert choice is not None
    assert (choice.session, choice.end) == (joined, on_monday("11:00"))


# ---- Events


def concert(*occupations: Occupation, rules: dict[str, Any] | None = None, **asked: Any) -> Question:
    """An event whose sessions an operator schedules, in a hall that is open from 9 to 12."""
    return question(*occupations, asked=service(**{"kind": "event"} | (rules or {})), **{"of": works()} | asked)


def scheduled(start: str, end: str, **changes: Any) -> Occupation:
    """Twenty seats, none sold."""
    return at(start, end, **{"capacity": 20, "seats": 0, "scheduled": True} | changes)


AT_7, AT_20 = scheduled("07:00", "08:10"), scheduled("20:00", "21:00")
HOUR_OR_TWO = {"durations": (60, 120)}
MATINEE = scheduled("14:00", "16:00")

EVENTS = [
    pytest.param(concert(), "", id="nothing where nothing is scheduled"),
    pytest.param(concert(AT_7, AT_20), "07:00 20:00", id="what is scheduled, whatever the hours and the grid"),
    pytest.param(concert(at("20:00", "21:00", capacity=20)), "", id="not what nobody scheduled"),
    pytest.param(concert(scheduled("20:00", "21:00", service="play")), "", id="not what belongs to another service"),
    pytest.param(concert(AT_20, seats=20), "20:00", id="all the seats of the session"),
    pytest.param(concert(AT_20, seats=21), "", id="not one more"),
    pytest.param(concert(AT_20, seats=2, rules={"capacity": 1}), "20:00", id="the service's seats do not count"),
    pytest.param(concert(AT_20, seats=0), "", id="no seats at all"),
    pytest.param(concert(scheduled("20:00", "21:00", seats=20)), "", id="sold out"),
    pytest.param(
        concert(scheduled("20:00", "21:00", seats=18, holds=held(2, until=NOW + 1))), "", id="sold out for now"
    ),
    pytest.param(
        concert(scheduled("20:00", "21:00", seats=18, holds=held(2, until=NOW))), "20:00", id="a hold has lapsed"
    ),
    pytest.param(concert(AT_7, MATINEE, AT_20), "07:00 14:00 20:00", id="of any length where none is asked for"),
    pytest.param(concert(AT_7, MATINEE, AT_20, rules=HOUR_OR_TWO, duration=120), "14:00", id="of the length asked for"),
    pytest.param(concert(AT_7, MATINEE, AT_20, duration=60), "20:00", id="also of the service's own"),
    pytest.param(concert(AT_7, duration=70), "", id="a length that the service does not have is not asked for"),
    pytest.param(concert(AT_20, blocks=busy("20:30-20:31")), "", id="an event in the calendar is in the way"),
    pytest.param(
        concert(scheduled("20:00", "21:00", after=30), blocks=busy("21:29-22:00")), "", id="also after it, in its time"
    ),
    pytest.param(
        concert(AT_20, now=monday_now("19:00"), rules={"notice_minutes": 60}), "20:00", id="notice is just kept"
    ),
    pytest.param(concert(AT_20, now=monday_now("19:00") + 1, rules={"notice_minutes": 60}), "", id="or not any more"),
    pytest.param(concert(AT_20, rules={"window": RollingDays(days=6)}), "", id="beyond the window"),
    pytest.param(concert(AT_20, known_until=on_monday("20:59")), "", id="not known to its end"),
    pytest.param(concert(AT_20, rules={"active": False}), "", id="put away"),
    pytest.param(concert(AT_20, of=works(limits=Limits(per_day=1))), "20:00", id="limits on sessions mean new ones"),
    pytest.param(
        concert(AT_20, rules={"client_limits": ClientLimits(at_once=1)}, client=THEIRS), "", id="a client's limits hold"
    ),
    pytest.param(concert(AT_20, moving="at 20:00"), "", id="a session that moves"),
]


@pytest.mark.parametrize(("asked", "starts"), EVENTS)
def test_what_is_offered_of_an_event(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


@pytest.mark.parametrize(
    ("asked", "start", "reasons"),
    [
        pytest.param(concert(AT_20), "19:00", {Closed.NOT_SCHEDULED}, id="another time"),
        pytest.param(concert(AT_20, rules=HOUR_OR_TWO, duration=120), "20:00", {Closed.NOT_SCHEDULED}, id="length"),
        pytest.param(concert(AT_20, seats=21), "20:00", {Closed.FULL}, id="too many for what is left"),
        pytest.param(concert(AT_20, seats=0), "20:00", {Closed.TOO_MANY_SEATS}, id="no seats"),
        pytest.param(concert(AT_7, duration=70), "07:00", {Closed.DURATION}, id="a length nobody offers"),
    ],
)
def test_why_an_event_is_not_offered(asked: Question, start: str, reasons: set[Closed]) -> None:
    assert why(asked, start) == reasons


def test_the_session_of_an_event_has_its_own_end_and_seats() -> None:
    choice = choose(concert(scheduled("07:00", "08:10", seats=5)), on_monday("07:00"))
    assert choice is not None
    assert (choice.resources, choice.session, choice.end) == (("anna",), "at 07:00", on_monday("08:10"))
    assert choice.seats_left == 15
