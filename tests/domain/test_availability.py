"""The one function that says what is free: examples of each rule. `test_availability_oracle.py` holds all of them together."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from functions.domain.availability import Closed, Question, explain, nearest_starts, open_starts
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays, Unlimited
from functions.domain.instants import DAY_MINUTES, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from tests.domain.builders import (
    CALENDAR,
    EVERY_DAY,
    hours,
    millis,
    minute,
    occupation,
    override,
    question,
    resource,
    service,
    span,
    spans,
    weekly,
)

MONDAY = span("2027-03-01T00:00Z", "2027-03-02T00:00Z")
# Hours in UTC make the examples easy to read; zones have their own tests.
UTC_9_TO_12 = resource(hours=hours(weekly("09:00", "12:00", EVERY_DAY), zone="UTC"))
WEEKDAYS_9_TO_12 = resource(hours=hours(weekly("09:00", "12:00"), zone="UTC"))
MARCH = FixedDates(first=date(2027, 3, 1), last=date(2027, 3, 31))
IN_TWO_CALENDARS = UTC_9_TO_12.model_copy(update={"blocked_by": (CALENDAR, "twin")})


def clock(starts: Sequence[int]) -> str:
    """`09:00 10:30`, of starts of one day."""
    return " ".join(rfc3339(start)[11:16] for start in starts)


def asked(*occupations: Occupation, **changes: Any) -> Question:
    """An hour, every half hour, of a resource that works from 9 to 12 UTC. `rules` change the service."""
    rules = changes.pop("rules", {})
    return question(*occupations, asked=service(**rules), **{"of": UTC_9_TO_12} | changes)


def at(start: str, end: str, **buffers: int) -> Occupation:
    return occupation(f"2027-03-01T{start}Z", f"2027-03-01T{end}Z", session=f"at {start}", **buffers)


def busy(*pairs: str, calendar: str = CALENDAR) -> dict[tuple[str, str], list[Interval]]:
    """External events of that Monday, `09:00-10:00`."""
    found = [span(*(f"2027-03-01T{text}Z" for text in pair.split("-"))) for pair in pairs]
    return {(calendar, f"ev{n}"): [interval] for n, interval in enumerate(found)}


EXAMPLES = [
    pytest.param(asked(), "09:00 09:30 10:00 10:30 11:00", id="an empty day has every start that fits"),
    pytest.param(
        asked(at("10:00", "11:00")), "09:00 11:00", id="neighbours may touch a session on both sides"
    ),  # case 153
    pytest.param(asked(blocks=busy("10:00-11:00")), "09:00 11:00", id="and an external event"),  # case 153
    pytest.param(asked(blocks=busy("10:59-11:00")), "09:00 09:30 11:00", id="a minute of busy time closes an hour"),
    pytest.param(
        asked(blocks=busy("10:00-11:00", calendar="hers")),
        "09:00 09:30 10:00 10:30 11:00",
        id="a calendar that does not block the resource closes nothing",
    ),
    pytest.param(
        asked(blocks=busy("10:00-11:00") | busy("10:00-11:00", calendar="twin"), of=IN_TWO_CALENDARS),
        "09:00 11:00",
        id="an event that is in two calendars of the resource closes no more than in one",
    ),  # case 90
    pytest.param(asked(at("10:00", "11:00", after=30)), "09:00", id="a neighbour's clean-up closes the next start"),
    pytest.param(
        asked(at("09:00", "10:00", after=15), rules={"buffer_before_minutes": 15}),
        "10:30 11:00",
        id="buffers of two neighbours add up",
    ),
    pytest.param(
        asked(at("09:00", "10:00", after=15), rules={"buffer_before_minutes": 16}),
        "11:00",
        id="a minute too little between them closes it",
    ),
    pytest.param(
        asked(at("09:00", "10:00", after=30), rules={"buffer_before_minutes": 30}),
        "11:00",
        id="half an hour each way between neighbours",
    ),
    pytest.param(
        asked(blocks=busy("10:00-10:30"), rules={"buffer_before_minutes": 30, "buffer_after_minutes": 30}),
        "11:00",
        id="buffers keep their distance from external events too",
    ),  # case 154
    pytest.param(
        asked(rules={"buffer_before_minutes": 60, "buffer_after_minutes": 60}),
        "09:00 09:30 10:00 10:30 11:00",
        id="buffers may lie outside the hours",
    ),
    pytest.param(
        asked(blocks=busy("08:00-08:30"), rules={"buffer_before_minutes": 45}),
        "09:30 10:00 10:30 11:00",
        id="but not in time that is taken there",
    ),
    pytest.param(asked(rules={"duration_minutes": 180}), "09:00", id="as long as the whole opening"),
    pytest.param(asked(rules={"duration_minutes": 181}), "", id="a minute longer than the opening"),
    pytest.param(asked(rules={"step_minutes": 50}), "09:00 09:50 10:40", id="the grid begins at the opening"),
    pytest.param(
        asked(of=resource(hours=hours(weekly("09:10", "10:50"), weekly("13:05", "15:00"), zone="UTC"))),
        "09:10 09:40 13:05 13:35",
        id="every opening has a grid of its own",
    ),
    pytest.param(
        asked(of=resource(hours=hours(weekly("09:00", "12:00"), weekly("09:15", "10:45"), zone="UTC"))),
        "09:00 09:15 09:30 09:45 10:00 10:15 10:30 11:00",
        id="overlapping openings offer both grids",
    ),
    pytest.param(
        asked(of=resource(hours=hours(weekly("09:00", "10:30"), weekly("10:30", "12:00"), zone="UTC"))),
        "09:00 09:30 10:00 10:30 11:00",
        id="a session runs over from one opening into the next that touches it",
    ),
    pytest.param(
        asked(now=millis("2027-03-01T09:30:00Z")), "09:30 10:00 10:30 11:00", id="from this very minute without notice"
    ),
    pytest.param(
        asked(now=millis("2027-03-01T09:30:00.001Z")), "10:00 10:30 11:00", id="a moment later that start is gone"
    ),
    pytest.param(
        asked(now=millis("2027-03-01T08:00:00Z"), rules={"notice_minutes": 120}),
        "10:00 10:30 11:00",
        id="notice of two hours",
    ),
    pytest.param(
        asked(now=millis("2027-02-28T10:00:00Z"), rules={"window": RollingDays(days=1)}),
        "09:00 09:30 10:00 10:30 11:00",
        id="a window of one day has the whole of tomorrow",
    ),
    pytest.param(
        asked(known_until=minute("2027-03-01T11:00Z")), "09:00 09:30 10:00", id="nothing beyond what is known"
    ),  # case 156
    pytest.param(
        asked(known_until=minute("2027-03-01T11:00Z"), rules={"buffer_after_minutes": 1}),
        "09:00 09:30",
        id="not even a buffer",
    ),
    pytest.param(asked(known_until=0), "", id="a calendar that is not known closes everything"),  # case 156
    pytest.param(asked(rules={"active": False}), "", id="a service that is not active"),
    pytest.param(
        asked(at("10:00", "11:00"), moving="at 10:00"),
        "09:00 09:30 10:00 10:30 11:00",
        id="a session that moves gives up its own time",
    ),  # case 159
    pytest.param(
        asked(at("10:00", "11:00"), moving="at 10:00", blocks=busy("10:30-11:00")),
        "09:00 09:30 11:00",
        id="but not what others take of it",
    ),
    pytest.param(
        asked(of=resource(hours=hours(weekly("09:00", "12:00"), zone="UTC", overrides=[override("2027-03-01")]))),
        "",
        id="a closed date",
    ),
]


@pytest.mark.parametrize(("asked_", "starts"), EXAMPLES)
def test_open_starts_of_a_day(asked_: Question, starts: str) -> None:
    assert clock(open_starts(asked_, MONDAY)) == starts


CLOSED = [
    pytest.param(asked(), "2027-03-01T09:00Z", set(), id="an open start has no reason"),
    pytest.param(asked(), "2027-03-01T08:30Z", {Closed.OUTSIDE_HOURS}, id="before the opening"),
    pytest.param(asked(), "2027-03-01T11:30Z", {Closed.OUTSIDE_HOURS}, id="too late to end before closing"),
    pytest.param(asked(), "2027-03-01T09:15Z", {Closed.OFF_GRID}, id="between two starts of the grid"),
    pytest.param(asked(at("10:00", "11:00")), "2027-03-01T09:30Z", {Closed.SESSION}, id="somebody has part of it"),
    pytest.param(asked(blocks=busy("10:00-11:00")), "2027-03-01T10:00Z", {Closed.BUSY}, id="an event is in the way"),
    pytest.param(
        asked(known_until=minute("2027-03-01T09:59Z")), "2027-03-01T09:00Z", {Closed.CALENDAR_UNKNOWN}, id="not known"
    ),  # case 156
    pytest.param(asked(), "2027-02-21T09:00Z", {Closed.TOO_SOON}, id="in the past"),
    pytest.param(
        asked(rules={"window": RollingDays(days=6)}), "2027-03-01T09:00Z", {Closed.TOO_FAR}, id="beyond the window"
    ),
    pytest.param(asked(rules={"active": False}), "2027-03-01T09:00Z", {Closed.INACTIVE}, id="a service put away"),
    pytest.param(
        asked(now=millis("2027-02-21T23:59:59.999Z"), rules={"window": RollingDays(days=7)}),
        "2027-03-01T09:00Z",
        {Closed.TOO_FAR},
        id="just before its day comes within the window",
    ),
    pytest.param(
        asked(now=millis("2027-02-22T00:00:00Z"), rules={"window": RollingDays(days=7)}),
        "2027-03-01T09:00Z",
        set(),
        id="as soon as it does",
    ),
    pytest.param(
        asked(now=millis("2027-02-22T09:00:00Z"), rules={"window": RollingDays(days=6), "notice_minutes": 24 * 60}),
        "2027-03-01T09:00Z",
        {Closed.TOO_FAR},
        id="notice does not make the window longer",
    ),
    pytest.param(
        asked(of=WEEKDAYS_9_TO_12, rules={"window": BookableDays(days=5)}),
        "2027-03-01T09:00Z",
        {Closed.TOO_FAR},
        id="five bookable days from a Monday end on Friday",
    ),
    pytest.param(
        asked(of=WEEKDAYS_9_TO_12, rules={"window": BookableDays(days=6)}),
        "2027-03-01T09:00Z",
        set(),
        id="the sixth is the next Monday",
    ),
    pytest.param(asked(rules={"window": MARCH}), "2027-03-01T09:00Z", set(), id="the first of fixed dates"),
    pytest.param(asked(rules={"window": MARCH}), "2027-03-31T09:00Z", set(), id="the last of fixed dates"),
    pytest.param(asked(rules={"window": MARCH}), "2027-04-01T09:00Z", {Closed.TOO_FAR}, id="the day after them"),
    pytest.param(asked(rules={"window": MARCH}), "2027-02-28T09:00Z", {Closed.TOO_SOON}, id="the day before them"),
    pytest.param(asked(rules={"window": Unlimited()}), "2030-03-01T09:00Z", set(), id="no window at all"),
    pytest.param(
        asked(now=millis("2027-03-01T08:00:00Z"), rules={"notice_minutes": 60}),
        "2027-03-01T09:00Z",
        set(),
        id="just as the notice asks",
    ),
    pytest.param(
        asked(at("08:00", "09:00"), rules={"active": False, "window": RollingDays(days=1)}, known_until=0),
        "2027-03-01T08:10Z",
        {Closed.INACTIVE, Closed.TOO_FAR, Closed.OUTSIDE_HOURS, Closed.CALENDAR_UNKNOWN, Closed.SESSION},
        id="every rule that closes it is named",
    ),
]


@pytest.mark.parametrize(("asked_", "start", "reasons"), CLOSED)
def test_why_a_start_is_closed(asked_: Question, start: str, reasons: set[Closed]) -> None:
    found = [reason.rule for reason in explain(asked_, minute(start))]
    assert set(found) == reasons
    assert len(found) == len(reasons)


def test_only_starts_of_the_range_are_listed_whatever_their_end() -> None:
    within = span("2027-03-01T09:30Z", "2027-03-01T10:01Z")
    assert clock(open_starts(asked(), within)) == "09:30 10:00"
    assert list(open_starts(asked(), Interval(within.start, within.start))) == []


def test_a_range_that_begins_between_two_starts_does_not_move_the_grid() -> None:
    assert clock(open_starts(asked(), span("2027-03-01T09:01Z", "2027-03-02T00:00Z"))) == "09:30 10:00 10:30 11:00"


def test_a_buffer_reaches_over_the_end_of_a_month() -> None:
    nights = resource(hours=hours(weekly("22:00", "02:00", EVERY_DAY), zone="UTC"))
    clean_up = occupation("2027-03-31T22:00Z", "2027-03-31T23:30Z", session="evening", after=60)
    starts = open_starts(question(clean_up, of=nights), span("2027-03-31T22:00Z", "2027-04-01T02:00Z"))
    assert [rfc3339(start) for start in starts] == ["2027-04-01T00:30:00Z", "2027-04-01T01:00:00Z"]


def test_an_event_of_the_month_before_that_lasts_into_this_one_blocks() -> None:
    retreat = {(CALENDAR, "retreat"): spans("2027-02-26T00:00Z/2027-03-01T10:00Z")}
    assert clock(open_starts(asked(blocks=retreat), MONDAY)) == "10:00 10:30 11:00"


class TestNearestStarts:
    def test_the_nearest_come_first_and_of_two_the_earlier(self) -> None:
        busy_day = asked(at("10:00", "11:00"))
        found = nearest_starts(busy_day, minute("2027-03-01T10:00Z"), count=2)
        assert clock(found) == "09:00 11:00"

    def test_they_go_over_to_other_days_within_reach(self) -> None:
        full = asked(at("09:00", "12:00"))
        found = nearest_starts(full, minute("2027-03-01T09:30Z"), count=4, reach_minutes=DAY_MINUTES)
        assert [rfc3339(start) for start in found] == [
            "2027-02-28T11:00:00Z",
            "2027-02-28T10:30:00Z",
            "2027-02-28T10:00:00Z",
            "2027-03-02T09:00:00Z",
        ]

    def test_there_may_be_none(self) -> None:
        assert nearest_starts(asked(known_until=0), minute("2027-03-01T09:30Z"), count=3) == []
