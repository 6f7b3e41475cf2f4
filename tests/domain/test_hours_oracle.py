"""Opening hours of generated zones and days, minute by minute against the clock on the wall."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.hours import (
    DailyInterval,
    DateOverride,
    Hours,
    WeeklyHours,
    local_date,
    open_time,
    working_intervals,
    zone,
)
from functions.domain.intervals import Interval, merge
from tests.domain import oracles
from tests.domain.builders import BERLIN, EVERY_DAY, minute
from tests.domain.zones import APIA, BEIRUT, HAVANA, LORD_HOWE, NEW_YORK, SAO_PAULO

# Zones and dates at which their clocks change, and some at which nothing happens.
PLACES = st.sampled_from(
    [
        (BERLIN, "2027-03-28"),
        (BERLIN, "2027-10-31"),
        (NEW_YORK, "2027-03-14"),
        (NEW_YORK, "2027-11-07"),
        (LORD_HOWE, "2027-10-03"),
        (LORD_HOWE, "2027-04-04"),
        (SAO_PAULO, "2018-11-04"),
        (SAO_PAULO, "2018-02-18"),
        (BEIRUT, "2022-03-27"),
        (BEIRUT, "2022-10-30"),
        (HAVANA, "2027-11-07"),
        (APIA, "2011-12-30"),
        ("Asia/Kathmandu", "2027-06-15"),
        ("UTC", "2027-02-28"),
    ]
)
WALL_TIMES = st.builds(
    lambda hour, minutes: f"{hour:02d}:{minutes:02d}", st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59])
)
CLOSINGS = WALL_TIMES | st.just("24:00")


@st.composite
def places_with_hours(draw: st.DrawFn) -> tuple[Hours, Interval]:
    """Hours of a zone, and a range near one of its changes of clocks."""
    zone_name, day = draw(PLACES)
    noon = minute(f"{day}T12:00Z")
    near = [date.fromisoformat(day) + timedelta(days=n) for n in (-1, 0, 1)]
    openings = draw(
        st.lists(
            st.builds(
                WeeklyHours,
                start=WALL_TIMES,
                end=CLOSINGS,
                days=st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days))),
            ),
            max_size=3,
        )
    )
    daily = st.builds(DailyInterval, start=WALL_TIMES, end=CLOSINGS)
    overrides = draw(
        st.lists(
            st.builds(DateOverride, date=st.sampled_from(near), intervals=st.lists(daily, max_size=2).map(tuple)),
            max_size=2,
            unique_by=lambda each: each.date,
        )
    )
    first = noon + draw(st.integers(-36 * 60, 36 * 60))
    made = Hours(time_zone=zone_name, weekly=tuple(openings), overrides=tuple(overrides))
    return made, Interval(first, first + draw(st.integers(1, 36 * 60)))


@given(places_with_hours())
def test_working_intervals_are_what_the_wall_clock_says_minute_by_minute(place: tuple[Hours, Interval]) -> None:
    kept, within = place
    assert working_intervals(kept, within) == oracles.working_intervals(kept, within)


@given(places_with_hours())
def test_open_time_is_the_merged_working_time_inside_the_range(place: tuple[Hours, Interval]) -> None:
    kept, within = place
    found = open_time(kept, within)
    assert found == merge(found)
    expected = oracles.covered(working_intervals(kept, within)) & oracles.covered([within])
    assert oracles.covered(found) == expected


@given(places_with_hours())
def test_nothing_ever_opens_inside_a_skipped_hour(place: tuple[Hours, Interval]) -> None:
    """An opening is an instant at which the wall clock shows its wall time, or the first one after a gap that swallowed it."""
    kept, within = place
    zone_ = zone(kept.time_zone)
    for interval in working_intervals(kept, within):
        (_, before), (_, shown) = oracles.wall_clock(Interval(interval.start - 1, interval.start + 1), kept.time_zone)
        openings = {daily.start for daily in kept.on(local_date(interval.start, zone_))}
        assert f"{shown:%H:%M}" in openings or shown - before > timedelta(minutes=1)
