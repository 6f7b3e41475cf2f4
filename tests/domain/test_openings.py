"""Openings: several a day, nights, journeys, and what closes a date. `test_clock_changes` has the days on which clocks change."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.domain.hours import ClosedPeriod, DateOverride, Holiday, Hours, Season, Travel
from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval
from functions.domain.openings import open_time, openings
from tests.domain.builders import BERLIN, EVERY_DAY, hours, override, span, spans, weekly
from tests.domain.zones import NEW_YORK

AUCKLAND, HONOLULU, TOKYO = "Pacific/Auckland", "Pacific/Honolulu", "Asia/Tokyo"


def on(day: str, zone_name: str) -> Interval:
    """A local date, by the standard library: from its first instant to the next one's."""
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone_name))
    after = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone_name))
    return Interval(int(first.timestamp()) // 60, int(after.timestamp()) // 60)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        pytest.param("2027-03-01", ["2027-03-01T08:00Z/2027-03-01T16:00Z"], id="a Monday has the weekly hours"),
        pytest.param("2027-03-02", ["2027-03-02T11:00Z/2027-03-02T13:00Z"], id="an override replaces them"),
        pytest.param("2027-03-03", [], id="an override without hours closes the day"),
        pytest.param(
            "2027-03-04",
            ["2027-03-04T08:00Z/2027-03-04T11:00Z", "2027-03-04T12:00Z/2027-03-04T19:00Z"],
            id="an override may have several",
        ),
        pytest.param("2027-03-05", ["2027-03-05T08:00Z/2027-03-05T16:00Z"], id="the day after is not touched"),
        pytest.param("2027-03-06", ["2027-03-06T09:00Z/2027-03-06T11:00Z"], id="an override opens a Saturday"),
        pytest.param("2027-03-07", [], id="a Sunday stays closed"),
    ],
)
def test_overrides_replace_close_and_add(day: str, open_: list[str]) -> None:
    kept = hours(
        overrides=(
            override("2027-03-02", ("12:00", "14:00")),
            override("2027-03-03"),
            override("2027-03-04", ("09:00", "12:00"), ("13:00", "20:00")),
            override("2027-03-06", ("10:00", "12:00")),
        )
    )
    assert openings(kept, on(day, BERLIN)) == spans(*open_)


def test_an_override_closes_the_night_that_begins_on_its_date_and_not_the_one_before() -> None:
    nights = hours(weekly("22:00", "06:00", EVERY_DAY), overrides=(override("2027-03-02"),))
    around = span("2027-03-01T12:00Z", "2027-03-03T12:00Z")
    assert open_time(nights, around) == spans("2027-03-01T21:00Z/2027-03-02T05:00Z")


def test_round_the_clock_is_open_without_a_gap_over_both_changes_of_clocks() -> None:
    always = hours(weekly("00:00", "24:00", EVERY_DAY))
    year = span("2027-01-01T00:00Z", "2028-01-01T00:00Z")
    assert open_time(always, year) == [year]


def test_hours_that_end_when_they_start_last_a_whole_day() -> None:
    shift = hours(weekly("08:00", "08:00", (1,)))
    assert openings(shift, on("2027-03-01", BERLIN)) == spans("2027-03-01T07:00Z/2027-03-02T07:00Z")


def test_intervals_that_touch_the_range_come_whole_and_open_time_is_cut() -> None:
    within = span("2027-03-01T10:00Z", "2027-03-02T10:00Z")
    assert openings(hours(), within) == spans(
        "2027-03-01T08:00Z/2027-03-01T16:00Z", "2027-03-02T08:00Z/2027-03-02T16:00Z"
    )
    assert open_time(hours(), within) == spans(
        "2027-03-01T10:00Z/2027-03-01T16:00Z", "2027-03-02T08:00Z/2027-03-02T10:00Z"
    )


@pytest.mark.parametrize(
    "within",
    [
        pytest.param("2027-03-02T02:00Z/2027-03-02T03:00Z", id="deep in it"),
        pytest.param("2027-03-02T04:59Z/2027-03-02T12:00Z", id="its last minute"),
        pytest.param("2027-03-01T12:00Z/2027-03-01T21:01Z", id="its first minute"),
    ],
)
def test_a_night_is_found_from_any_part_of_it(within: str) -> None:
    nights = hours(weekly("22:00", "06:00", (1,)))
    assert openings(nights, span(*within.split("/"))) == spans("2027-03-01T21:00Z/2027-03-02T05:00Z")


@pytest.mark.parametrize(
    ("zone_name", "within", "open_"),
    [
        pytest.param(
            HONOLULU,
            "2027-03-03T09:29Z/2027-03-03T09:30Z",
            "2027-03-02T09:45Z/2027-03-03T09:30Z",
            id="its last minute, two dates later in UTC",
        ),
        pytest.param(
            "Pacific/Kiritimati",
            "2027-03-01T09:45Z/2027-03-01T09:46Z",
            "2027-03-01T09:45Z/2027-03-02T09:30Z",
            id="its first minute, in the furthest east",
        ),
    ],
)
def test_a_long_opening_far_from_utc_is_found_at_either_end(zone_name: str, within: str, open_: str) -> None:
    long = hours(weekly("23:45", "23:30", (1,)), zone=zone_name)
    assert openings(long, span(*within.split("/"))) == spans(open_)


@pytest.mark.parametrize(
    "within",
    [
        pytest.param("2027-03-01T16:00Z/2027-03-02T08:00Z", id="the night between two openings"),
        pytest.param("2027-03-01T10:00Z/2027-03-01T10:00Z", id="no time at all"),
    ],
)
def test_nothing_is_open(within: str) -> None:
    assert openings(hours(), span(*within.split("/"))) == []


def test_round_the_clock_has_an_opening_a_date_and_each_touches_the_next() -> None:
    found = openings(hours(weekly("00:00", "24:00", EVERY_DAY)), span("2027-01-01T00:00Z", "2028-01-01T00:00Z"))
    assert len(found) == 366  # the year in UTC touches one more date in Berlin
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert sorted(interval.end - interval.start for interval in found) == [23 * 60] + 364 * [24 * 60] + [25 * 60]


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        pytest.param(
            [("09:00", "12:00"), ("13:00", "17:00")],
            ["2027-03-01T08:00Z/2027-03-01T11:00Z", "2027-03-01T12:00Z/2027-03-01T16:00Z"],
            id="two with a break",
        ),
        pytest.param(
            [("09:00", "12:00"), ("12:00", "17:00")],
            ["2027-03-01T08:00Z/2027-03-01T11:00Z", "2027-03-01T11:00Z/2027-03-01T16:00Z"],
            id="two that touch stay two",
        ),
        pytest.param(
            [("09:00", "12:00"), ("10:15", "17:00")],
            ["2027-03-01T08:00Z/2027-03-01T11:00Z", "2027-03-01T09:15Z/2027-03-01T16:00Z"],
            id="two that overlap stay two",
        ),
        pytest.param(
            [("09:00", "12:00"), ("09:00", "17:00")],
            ["2027-03-01T08:00Z/2027-03-01T11:00Z", "2027-03-01T08:00Z/2027-03-01T16:00Z"],
            id="so do two that begin together",
        ),
        pytest.param([("09:00", "12:00"), ("09:00", "12:00")], ["2027-03-01T08:00Z/2027-03-01T11:00Z"], id="the same"),
        pytest.param(
            [("22:00", "02:00"), ("08:00", "09:00")],
            ["2027-03-01T07:00Z/2027-03-01T08:00Z", "2027-03-01T21:00Z/2027-03-02T01:00Z"],
            id="in whatever order they are set, also over midnight",
        ),
        pytest.param([("24:00", "02:00")], ["2027-03-01T23:00Z/2027-03-02T01:00Z"], id="from the end of the day on"),
    ],
)
def test_several_intervals_of_one_date(day: list[tuple[str, str]], open_: list[str]) -> None:
    only = Hours(time_zone=BERLIN, overrides=(override("2027-03-01", *day),))
    assert openings(only, span("2027-02-27T00:00Z", "2027-03-04T00:00Z")) == spans(*open_)


def test_open_time_joins_openings_that_touch_or_overlap() -> None:
    day = override("2027-03-01", ("09:00", "12:00"), ("12:00", "14:00"), ("13:00", "15:00"), ("16:00", "17:00"))
    only = Hours(time_zone=BERLIN, overrides=(day,))
    assert open_time(only, on("2027-03-01", BERLIN)) == spans(
        "2027-03-01T08:00Z/2027-03-01T14:00Z", "2027-03-01T15:00Z/2027-03-01T16:00Z"
    )


def test_two_openings_that_a_skipped_hour_makes_one_come_once() -> None:
    """Both would open within it, so both open after it."""
    day = override("2027-03-28", ("02:00", "05:00"), ("02:30", "05:00"))
    only = Hours(time_zone=BERLIN, overrides=(day,))
    assert openings(only, on("2027-03-28", BERLIN)) == spans("2027-03-28T01:00Z/2027-03-28T03:00Z")


def closing(day: str, *intervals: tuple[str, str]) -> DateOverride:
    return override(day, *intervals).model_copy(update={"kind": "close"})


# What closes a date closes what begins on it, and nothing else: nights 22:00-06:00, in UTC 21:00-05:00.
NIGHTS = [
    pytest.param({}, ["2027-03-01T21:00Z/2027-03-02T05:00Z", "2027-03-02T21:00Z/2027-03-03T05:00Z"], id="nothing"),
    pytest.param({"overrides": (override("2027-03-02"),)}, ["2027-03-01T21:00Z/2027-03-02T05:00Z"], id="an override"),
    pytest.param({"overrides": (closing("2027-03-02"),)}, ["2027-03-01T21:00Z/2027-03-02T05:00Z"], id="a closing"),
    pytest.param(
        {"overrides": (closing("2027-03-02", ("00:00", "06:00")),)},
        ["2027-03-01T21:00Z/2027-03-02T05:00Z", "2027-03-02T21:00Z/2027-03-03T05:00Z"],
        id="a closing of its early hours, which belong to the night before",
    ),
    pytest.param(
        {"overrides": (closing("2027-03-01", ("23:00", "01:00")),)},
        [
            "2027-03-01T21:00Z/2027-03-01T22:00Z",
            "2027-03-02T00:00Z/2027-03-02T05:00Z",
            "2027-03-02T21:00Z/2027-03-03T05:00Z",
        ],
        id="a closing over midnight",
    ),
    pytest.param(
        {"holidays": (Holiday(date=date(2027, 3, 2)),)}, ["2027-03-01T21:00Z/2027-03-02T05:00Z"], id="a holiday"
    ),
    pytest.param(
        {"closed": (ClosedPeriod(first=date(2027, 3, 2), last=date(2027, 3, 2)),)},
        ["2027-03-01T21:00Z/2027-03-02T05:00Z"],
        id="a closed period of one date",
    ),
    pytest.param(
        {"seasons": (Season(first=date(2027, 3, 2), last=date(2027, 3, 2), weekly=(weekly("08:00", "09:00"),)),)},
        ["2027-03-01T21:00Z/2027-03-02T05:00Z", "2027-03-02T07:00Z/2027-03-02T08:00Z"],
        id="a season",
    ),
]


@pytest.mark.parametrize(("rules", "open_"), NIGHTS)
def test_what_closes_a_date_leaves_the_night_before(rules: dict[str, Any], open_: list[str]) -> None:
    kept = Hours(time_zone=BERLIN, weekly=(weekly("22:00", "06:00", (1, 2)),), **rules)
    assert openings(kept, span("2027-03-01T12:00Z", "2027-03-04T12:00Z")) == spans(*open_)


# Openings 09:00-17:00 of Monday to Wednesday, 1 to 3 March 2027. Home, where the Tuesday is spent, what is open.
JOURNEYS = [
    pytest.param(
        BERLIN,
        NEW_YORK,
        [
            "2027-03-01T08:00Z/2027-03-01T16:00Z",
            "2027-03-02T14:00Z/2027-03-02T22:00Z",
            "2027-03-03T08:00Z/2027-03-03T16:00Z",
        ],
        id="west",
    ),
    pytest.param(
        BERLIN,
        TOKYO,
        [
            "2027-03-01T08:00Z/2027-03-01T16:00Z",
            "2027-03-02T00:00Z/2027-03-02T08:00Z",
            "2027-03-03T08:00Z/2027-03-03T16:00Z",
        ],
        id="east",
    ),
    pytest.param(
        AUCKLAND,
        HONOLULU,
        [
            "2027-02-28T20:00Z/2027-03-01T04:00Z",
            "2027-03-02T19:00Z/2027-03-03T03:00Z",
            "2027-03-02T20:00Z/2027-03-03T04:00Z",
        ],
        id="east over the date line: the Tuesday comes again, and overlaps the Wednesday at home",
    ),
    pytest.param(
        HONOLULU,
        AUCKLAND,
        [
            "2027-03-01T19:00Z/2027-03-02T03:00Z",
            "2027-03-01T20:00Z/2027-03-02T04:00Z",
            "2027-03-03T19:00Z/2027-03-04T03:00Z",
        ],
        id="west over the date line: the Tuesday there overlaps the Monday at home",
    ),
    pytest.param(
        AUCKLAND,
        "Antarctica/McMurdo",
        [
            "2027-02-28T20:00Z/2027-03-01T04:00Z",
            "2027-03-01T20:00Z/2027-03-02T04:00Z",
            "2027-03-02T20:00Z/2027-03-03T04:00Z",
        ],
        id="to another zone with the same clock",
    ),
]


def away(zone_name: str, first: str, last: str | None = None) -> Travel:
    return Travel(first=date.fromisoformat(first), last=date.fromisoformat(last or first), time_zone=zone_name)


@pytest.mark.parametrize(("home", "there", "open_"), JOURNEYS)
def test_the_dates_of_a_journey_are_wall_time_there(home: str, there: str, open_: list[str]) -> None:
    kept = Hours(
        time_zone=home,
        weekly=(weekly("09:00", "17:00", (1, 2, 3)),),
        travel=(away(there, "2027-03-02"),),
    )
    assert openings(kept, span("2027-02-28T12:00Z", "2027-03-05T00:00Z")) == spans(*open_)


@pytest.mark.parametrize(
    ("within", "open_"),
    [
        pytest.param("2027-03-02T19:30Z/2027-03-02T19:31Z", ["2027-03-02T19:00Z/2027-03-03T03:00Z"], id="before it"),
        pytest.param("2027-03-03T03:00Z/2027-03-03T03:01Z", ["2027-03-02T20:00Z/2027-03-03T04:00Z"], id="after it"),
    ],
)
def test_each_of_two_overlapping_openings_is_found_from_what_it_has_alone(within: str, open_: list[str]) -> None:
    kept = Hours(time_zone=AUCKLAND, weekly=(weekly("09:00", "17:00"),), travel=(away(HONOLULU, "2027-03-02"),))
    assert openings(kept, span(*within.split("/"))) == spans(*open_)


def test_openings_are_sorted_where_the_next_date_at_home_begins_before_the_evening_abroad() -> None:
    kept = Hours(
        time_zone=AUCKLAND,
        overrides=(override("2027-03-02", ("20:00", "22:00")), override("2027-03-03", ("01:00", "02:00"))),
        travel=(away(HONOLULU, "2027-03-02"),),
    )
    found = openings(kept, span("2027-03-01T00:00Z", "2027-03-05T00:00Z"))
    assert found == [span("2027-03-02T12:00Z", "2027-03-02T13:00Z"), span("2027-03-03T06:00Z", "2027-03-03T08:00Z")]


def test_openings_are_sorted_where_a_night_is_cut_until_after_the_next_date_begins() -> None:
    kept = hours(
        weekly("22:00", "06:00", (1,)),
        zone="Etc/UTC",
        overrides=(closing("2027-03-01", ("22:00", "03:00")), override("2027-03-02", ("01:00", "02:00"))),
    )
    found = openings(kept, span("2027-03-01T00:00Z", "2027-03-05T00:00Z"))
    assert found == [span("2027-03-02T01:00Z", "2027-03-02T02:00Z"), span("2027-03-02T03:00Z", "2027-03-02T06:00Z")]


def test_a_round_the_clock_traveller_gains_and_loses_the_difference() -> None:
    """West by six hours: closed for six when leaving, and open for six twice when back."""
    kept = Hours(
        time_zone=BERLIN,
        weekly=(weekly("00:00", "24:00", EVERY_DAY),),
        travel=(away(NEW_YORK, "2027-03-02", "2027-03-03"),),
    )
    assert openings(kept, span("2027-03-01T12:00Z", "2027-03-04T12:00Z")) == spans(
        "2027-02-28T23:00Z/2027-03-01T23:00Z",
        "2027-03-02T05:00Z/2027-03-03T05:00Z",
        "2027-03-03T05:00Z/2027-03-04T05:00Z",
        "2027-03-03T23:00Z/2027-03-04T23:00Z",
    )


def test_the_rules_of_a_date_hold_abroad_in_the_zone_there() -> None:
    kept = Hours(
        time_zone=BERLIN,
        weekly=(weekly("09:00", "17:00"),),
        overrides=(closing("2027-03-02", ("12:00", "13:00")), override("2027-03-03", ("10:00", "11:00"))),
        holidays=(Holiday(date=date(2027, 3, 4)),),
        travel=(away(NEW_YORK, "2027-03-02", "2027-03-05"),),
    )
    assert openings(kept, span("2027-03-02T05:00Z", "2027-03-06T05:00Z")) == spans(
        "2027-03-02T14:00Z/2027-03-02T17:00Z",
        "2027-03-02T18:00Z/2027-03-02T22:00Z",
        "2027-03-03T15:00Z/2027-03-03T16:00Z",
        "2027-03-05T14:00Z/2027-03-05T22:00Z",
    )


def test_a_year_end_is_a_date_like_any_other() -> None:
    """The offsets of a zone are kept by the year."""
    always = hours(weekly("18:00", "17:00", EVERY_DAY), zone="Pacific/Kiritimati")
    found = openings(always, span("2026-12-29T00:00Z", "2027-01-03T00:00Z"))
    assert found == [Interval(first, first + 23 * 60) for first in range(found[0].start, found[-1].end, DAY_MINUTES)]
    assert found[0] == span("2026-12-28T04:00Z", "2026-12-29T03:00Z")
    assert len(found) == 6


@pytest.mark.parametrize(
    "within",
    [
        pytest.param(span("9999-12-28T00:00Z", "9999-12-31T23:59Z"), id="the last dates"),
        pytest.param(span("0001-01-01T00:00Z", "0001-01-04T00:00Z"), id="the first dates"),
    ],
)
def test_the_dates_at_either_end_of_the_calendar_can_be_asked_about(within: Interval) -> None:
    always = hours(weekly("00:00", "24:00", EVERY_DAY), zone="Etc/UTC")
    some_day_closed = {"closed": (ClosedPeriod(first=date(2027, 3, 1), last=date(2027, 3, 1)),)}
    assert open_time(always.model_copy(update=some_day_closed), within) == [within]
