"""Openings of generated hours near changes of clocks, minute by minute against the clock on the wall."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.hours import (
    ClosedPeriod,
    DailyInterval,
    DateOverride,
    Holiday,
    Hours,
    Season,
    Travel,
    WeeklyHours,
)
from functions.domain.instants import DAY_MINUTES, Minute
from functions.domain.intervals import Interval, merge
from functions.domain.openings import open_time, openings
from tests.domain import oracles
from tests.domain.builders import EVERY_DAY, minute
from tests.domain.zones import APIA, BEIRUT, HAVANA, KWAJALEIN, SAO_PAULO, ST_JOHNS, transitions

# Every change of clocks of these years once, in whatever zone; what clocks did before and may do again; and none.
CHANGES = {change[1:]: (change.zone, change.at) for change in transitions(2025, 2030)}.values()
PLACES = st.sampled_from(
    [
        ("UTC", minute("2027-02-28T12:00Z")),
        ("Asia/Kathmandu", minute("2027-01-01T00:00Z")),
        (SAO_PAULO, minute("2018-11-04T03:00Z")),
        (SAO_PAULO, minute("2018-02-18T02:00Z")),
        (BEIRUT, minute("2022-03-26T22:00Z")),
        (HAVANA, minute("2011-11-13T05:00Z")),
        (ST_JOHNS, minute("2010-11-07T02:31Z")),
        (APIA, minute("2011-12-30T10:00Z")),
        (KWAJALEIN, minute("1993-08-21T12:00Z")),
        *CHANGES,
    ]
)
WALL_TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 0, 1, 15, 30, 59]))
TIMES = st.sampled_from([("00:00", "24:00"), ("22:00", "06:00"), ("00:30", "05:15")]) | st.tuples(
    WALL_TIMES, WALL_TIMES | st.just("24:00")
)
DAILY = st.builds(lambda times: DailyInterval(start=times[0], end=times[1]), TIMES)
WEEKDAYS = st.just(EVERY_DAY) | st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days)))
WEEKLY = st.lists(
    st.builds(lambda times, days: WeeklyHours(start=times[0], end=times[1], days=days), TIMES, WEEKDAYS), max_size=3
).map(tuple)
DISTANCES = st.lists(st.integers(-4, 4), max_size=4, unique=True).map(sorted)
KINDS = st.sampled_from(["replace", "add", "close"])


def _apart(draw: st.DrawFn, day: date) -> list[dict[str, date]]:
    """Up to two periods around `day` that share no date."""
    dates = [day + timedelta(days=away) for away in draw(DISTANCES)]
    return [{"first": first, "last": last} for first, last in zip(dates[::2], dates[1::2], strict=False)]


@st.composite
def places_with_hours(draw: st.DrawFn) -> tuple[Hours, Interval]:
    """Hours with every rule there is, and a range near a change of clocks."""
    zone, at = draw(PLACES)
    day = _date_of(at)
    near = st.integers(-3, 3).map(lambda away: day + timedelta(days=away))
    overrides = st.builds(DateOverride, date=near, kind=KINDS, intervals=st.lists(DAILY, max_size=3).map(tuple))
    periods = st.tuples(near, near).map(lambda dates: {"first": min(dates), "last": max(dates)})
    fields: dict[str, Any] = {
        "weekly": draw(WEEKLY),
        "overrides": draw(st.lists(overrides, max_size=3, unique_by=lambda each: each.date)),
        "holidays": draw(st.lists(st.builds(Holiday, date=near), max_size=1)),
        "closed": [ClosedPeriod(**dates) for dates in draw(st.lists(periods, max_size=2))],
        "seasons": [Season(**dates, weekly=draw(WEEKLY)) for dates in _apart(draw, day)],
        "travel": [Travel(**dates, time_zone=draw(PLACES)[0]) for dates in _apart(draw, day)],
    }
    first = at + draw(st.integers(-36 * 60, 36 * 60))
    return Hours(time_zone=zone, **fields), Interval(first, first + draw(st.integers(1, 36 * 60)))


@given(places_with_hours())
def test_openings_are_what_the_wall_clock_says_minute_by_minute(place: tuple[Hours, Interval]) -> None:
    kept, within = place
    assert openings(kept, within) == oracles.working_intervals(kept, within)


@given(places_with_hours())
def test_open_time_is_the_merged_openings_inside_the_range(place: tuple[Hours, Interval]) -> None:
    kept, within = place
    found = open_time(kept, within)
    assert found == merge(found)
    assert oracles.covered(found) == oracles.covered(openings(kept, within)) & oracles.covered([within])


@given(places_with_hours())
def test_a_range_asked_in_parts_has_the_same_openings(place: tuple[Hours, Interval]) -> None:
    kept, (start, end) = place
    parts = [Interval(*part) for part in pairwise([*range(start, end, 7 * 60), end])]
    assert sorted({each for part in parts for each in openings(kept, part)}) == openings(kept, Interval(start, end))


@given(places_with_hours())
def test_nothing_ever_opens_inside_a_skipped_hour(place: tuple[Hours, Interval]) -> None:
    """An opening is an instant at which the wall clock shows its wall time, or the first one after a gap that swallowed it."""
    kept, within = place
    plans = [kept.on(_date_of(within.start) + timedelta(days=n)) for n in range(-3, 6)]
    of_zones = {
        zone: {start for plan in plans if plan.zone == zone for start, _ in plan.intervals}
        for zone in {plan.zone for plan in plans}
    }
    for interval in openings(kept, within):
        assert any(_opens_at_one_of(starts, interval.start, zone) for zone, starts in of_zones.items())


def _opens_at_one_of(wall_minutes: set[int], opening: Minute, zone: str) -> bool:
    (_, before), (_, shown) = oracles.wall_clock(Interval(opening - 1, opening + 1), zone)
    is_planned = shown.hour * 60 + shown.minute in {minutes % DAY_MINUTES for minutes in wall_minutes}
    return is_planned or shown - before > timedelta(minutes=1)


@given(places_with_hours())
def test_what_holds_on_a_date_is_what_its_rules_say_one_after_the_other(place: tuple[Hours, Interval]) -> None:
    kept, within = place
    for day in (_date_of(within.start) + timedelta(days=n) for n in range(-5, 6)):
        zone, intervals = oracles.day_plan(kept, day)
        plan = kept.on(day)
        assert (plan.zone, plan.intervals) == (zone, tuple(sorted(set(intervals))))


def _date_of(instant: Minute) -> date:
    return datetime.fromtimestamp(instant * 60, UTC).date()
