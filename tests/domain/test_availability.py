"""The one function that says what is free: examples of each rule, and a minute-by-minute oracle for all of them together."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.availability import Closed, Question, nearest_starts, open_starts, pooled_starts, why_closed
from functions.domain.hours import WeeklyHours
from functions.domain.instants import DAY_MINUTES, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from tests.domain import oracles
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
        "09:00 09:15 09:30 09:45 10:00 10:30 11:00",
        id="overlapping openings offer both grids",
    ),
    pytest.param(
        asked(of=resource(hours=hours(weekly("09:00", "10:30"), weekly("10:30", "12:00"), zone="UTC"))),
        "09:00 09:30 10:30 11:00",
        id="a session does not run over from one opening into the next",
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
        asked(now=millis("2027-02-28T10:00:00Z"), rules={"window_days": 1}), "09:00 09:30", id="a window of one day"
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
    pytest.param(asked(at("10:00", "11:00")), "2027-03-01T09:30Z", {Closed.TAKEN}, id="somebody has part of it"),
    pytest.param(asked(blocks=busy("10:00-11:00")), "2027-03-01T10:00Z", {Closed.TAKEN}, id="an event is in the way"),
    pytest.param(
        asked(known_until=minute("2027-03-01T09:59Z")), "2027-03-01T09:00Z", {Closed.CALENDAR_UNKNOWN}, id="not known"
    ),  # case 156
    pytest.param(asked(), "2027-02-21T09:00Z", {Closed.TOO_SOON}, id="in the past"),
    pytest.param(asked(rules={"window_days": 7}), "2027-03-01T09:00Z", {Closed.TOO_FAR}, id="beyond the window"),
    pytest.param(asked(rules={"active": False}), "2027-03-01T09:00Z", {Closed.INACTIVE}, id="a service put away"),
    pytest.param(
        asked(now=millis("2027-02-22T09:00:00Z"), rules={"window_days": 7}),
        "2027-03-01T09:00Z",
        {Closed.TOO_FAR},
        id="just as the window ends",
    ),
    pytest.param(
        asked(now=millis("2027-02-22T09:00:00.001Z"), rules={"window_days": 7}),
        "2027-03-01T09:00Z",
        set(),
        id="just before it ends",
    ),
    pytest.param(
        asked(now=millis("2027-02-22T09:00:00Z"), rules={"window_days": 7, "notice_minutes": 24 * 60}),
        "2027-03-01T09:00Z",
        {Closed.TOO_FAR},
        id="notice does not make the window longer",
    ),
    pytest.param(
        asked(now=millis("2027-03-01T08:00:00Z"), rules={"notice_minutes": 60}),
        "2027-03-01T09:00Z",
        set(),
        id="just as the notice asks",
    ),
    pytest.param(
        asked(at("08:00", "09:00"), rules={"active": False, "window_days": 1}, known_until=0),
        "2027-03-01T08:10Z",
        {Closed.INACTIVE, Closed.TOO_FAR, Closed.OUTSIDE_HOURS, Closed.CALENDAR_UNKNOWN, Closed.TAKEN},
        id="every rule that closes it is named",
    ),
]


@pytest.mark.parametrize(("asked_", "start", "reasons"), CLOSED)
def test_why_a_start_is_closed(asked_: Question, start: str, reasons: set[Closed]) -> None:
    found = why_closed(asked_, minute(start))
    assert set(found) == reasons
    assert len(found) == len(reasons)


def test_only_starts_of_the_range_are_listed_whatever_their_end() -> None:
    within = span("2027-03-01T09:30Z", "2027-03-01T10:01Z")
    assert clock(open_starts(asked(), within)) == "09:30 10:00"
    assert open_starts(asked(), Interval(within.start, within.start)) == []


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
        found = nearest_starts([busy_day], minute("2027-03-01T10:00Z"), count=2)
        assert clock(found) == "09:00 11:00"

    def test_they_go_over_to_other_days_within_reach(self) -> None:
        full = asked(at("09:00", "12:00"))
        found = nearest_starts([full], minute("2027-03-01T09:30Z"), count=4, reach_minutes=DAY_MINUTES)
        assert [rfc3339(start) for start in found] == [
            "2027-02-28T11:00:00Z",
            "2027-02-28T10:30:00Z",
            "2027-02-28T10:00:00Z",
            "2027-03-02T09:00:00Z",
        ]

    def test_there_may_be_none(self) -> None:
        assert nearest_starts([asked(known_until=0)], minute("2027-03-01T09:30Z"), count=3) == []


# Places whose clocks change on that date, or do not.
PLACES = [
    ("UTC", "2027-02-28"),
    ("Europe/Berlin", "2027-03-28"),
    ("Europe/Berlin", "2027-10-31"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("America/Sao_Paulo", "2018-11-04"),
]
WALL_TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 10, 30]))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Question, Interval]:
    """A question about a day and a half around a date, with sessions and events strewn over it."""
    zone_name, day = draw(st.sampled_from(PLACES))
    noon = minute(f"{day}T12:00Z")
    within = Interval(noon - draw(st.integers(0, 18 * 60)), noon + draw(st.integers(0, 18 * 60)))
    weekly_ = st.builds(WeeklyHours, start=WALL_TIMES, end=WALL_TIMES | st.just("24:00"), days=st.just(EVERY_DAY))
    openings = draw(st.lists(weekly_, min_size=1, max_size=2))
    closed = [override(str(date.fromisoformat(day) + timedelta(days=draw(st.integers(-1, 1)))))]
    of = resource(
        hours=hours(*openings, zone=zone_name, overrides=closed if draw(st.booleans()) else ()),
        blocked_by=("cal", "other"),
    )
    times = st.tuples(st.integers(noon - 24 * 60, noon + 24 * 60), st.integers(1, 180))
    buffers = st.sampled_from([0, 5, 20])
    sessions = [
        Occupation(
            session=f"s{n}",
            service="cut",
            start=start,
            end=start + length,
            taken_from=start - draw(buffers),
            taken_until=start + length + draw(buffers),
        )
        for n, (start, length) in enumerate(draw(st.lists(times, max_size=4)))
    ]
    blocks = {
        (draw(st.sampled_from(["cal", "other", "hers"])), f"ev{n}"): [Interval(start, start + length)]
        for n, (start, length) in enumerate(draw(st.lists(times, max_size=4)))
    }
    rules = service(
        duration_minutes=draw(st.sampled_from([1, 15, 50, 120])),
        step_minutes=draw(st.sampled_from([5, 15, 45, 60])),
        buffer_before_minutes=draw(buffers),
        buffer_after_minutes=draw(buffers),
        notice_minutes=draw(st.sampled_from([0, 30, 24 * 60])),
        window_days=draw(st.integers(1, 3)),
        active=draw(st.integers(0, 9)) > 0,
    )
    asked_ = question(
        *sessions,
        asked=rules,
        of=of,
        blocks=blocks,
        now=(noon - draw(st.integers(-6 * 60, 48 * 60))) * 60_000 + draw(st.sampled_from([0, 1, 59_999])),
        known_until=noon + draw(st.sampled_from([-60, 400, 10 * DAY_MINUTES])),
        moving=draw(st.sampled_from([None, "s0"])),
    )
    return asked_, within


@given(questions())
def test_open_starts_are_what_trying_every_minute_finds(asked_: tuple[Question, Interval]) -> None:
    found = open_starts(*asked_)
    assert found == oracles.open_starts(*asked_)


@given(questions())
def test_a_start_is_listed_exactly_where_nothing_closes_it(asked_: tuple[Question, Interval]) -> None:
    question_, within = asked_
    unclosed = [start for start in range(within.start, within.end, 5) if not why_closed(question_, start)]
    listed = open_starts(question_, within)
    assert [start for start in listed if (start - within.start) % 5 == 0] == unclosed
    assert all(why_closed(question_, start) == () for start in listed)


@given(st.lists(questions(), min_size=1, max_size=3))
def test_a_pool_offers_the_union_of_what_its_resources_offer(asked_: list[tuple[Question, Interval]]) -> None:
    within = asked_[0][1]
    pool = [renamed(question_, f"r{n}") for n, (question_, _) in enumerate(asked_)]
    pooled = pooled_starts(pool, within)
    alone = {one.state.resource.id: set(open_starts(one, within)) for one in pool}
    assert list(pooled) == sorted(set().union(*alone.values()))
    for start, resources in pooled.items():
        assert list(resources) == [name for name, starts in alone.items() if start in starts]


def renamed(asked_: Question, name: str) -> Question:
    """The same question about a resource of another name."""
    of = asked_.state.resource.model_copy(update={"id": name})
    changed = type(asked_.state)(resource=of, months=asked_.state.months, known_until=asked_.state.known_until)
    return Question(service=asked_.service, state=changed, now=asked_.now, moving=asked_.moving)
