"""Opening hours against the wall clock: changes of clocks, skipped days, overnight hours, overrides."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from functions.domain.hours import (
    DailyInterval,
    Hours,
    midnight,
    open_time,
    working_intervals,
    zone,
)
from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval
from tests.domain import oracles
from tests.domain.builders import BERLIN, EVERY_DAY, hours, minute, override, span, spans, weekly
from tests.domain.zones import APIA, BEIRUT, HAVANA, LORD_HOWE, NEW_YORK, SAO_PAULO


def on(day: str, zone_name: str) -> Interval:
    """A local date, by the standard library: from its first instant to the next one's."""
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone_name))
    after = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone_name))
    return Interval(int(first.timestamp()) // 60, int(after.timestamp()) // 60)


# zone, opening, date, what is open of it in UTC
CLOCK_CHANGES = [
    pytest.param(BERLIN, "09:00-17:00", "2027-03-01", "2027-03-01T08:00Z/2027-03-01T16:00Z", id="Berlin in winter"),
    pytest.param(BERLIN, "09:00-17:00", "2027-03-29", "2027-03-29T07:00Z/2027-03-29T15:00Z", id="Berlin in summer"),
    pytest.param(
        BERLIN,
        "00:00-24:00",
        "2027-03-28",
        "2027-03-27T23:00Z/2027-03-28T22:00Z",
        id="a whole day in spring has 23 hours",
    ),
    pytest.param(
        BERLIN,
        "00:00-24:00",
        "2027-10-31",
        "2027-10-30T22:00Z/2027-10-31T23:00Z",
        id="a whole day in autumn has 25 hours",
    ),
    pytest.param(BERLIN, "02:00-03:00", "2027-03-28", None, id="an opening that is the skipped hour is no opening"),
    pytest.param(BERLIN, "02:15-02:45", "2027-03-28", None, id="nor is one inside it"),
    pytest.param(
        BERLIN,
        "02:30-04:00",
        "2027-03-28",
        "2027-03-28T01:00Z/2027-03-28T02:00Z",
        id="opening in the skipped hour opens after it",
    ),
    pytest.param(
        BERLIN,
        "01:00-02:30",
        "2027-03-28",
        "2027-03-28T00:00Z/2027-03-28T01:00Z",
        id="closing in the skipped hour closes before it",
    ),
    pytest.param(
        BERLIN,
        "02:00-03:00",
        "2027-10-31",
        "2027-10-31T00:00Z/2027-10-31T02:00Z",
        id="the repeated hour is open twice",
    ),
    pytest.param(
        BERLIN,
        "02:30-04:00",
        "2027-10-31",
        "2027-10-31T00:30Z/2027-10-31T03:00Z",
        id="opening in the repeated hour opens in its first round",
    ),
    pytest.param(
        BERLIN,
        "01:00-02:30",
        "2027-10-31",
        "2027-10-30T23:00Z/2027-10-31T01:30Z",
        id="closing in the repeated hour closes in its second round",
    ),
    pytest.param(
        BERLIN,
        "01:00-02:00",
        "2027-10-31",
        "2027-10-30T23:00Z/2027-10-31T00:00Z",
        id="closing as the repeated hour begins leaves it closed",
    ),
    pytest.param(
        BERLIN,
        "22:00-06:00",
        "2027-03-27",
        "2027-03-27T21:00Z/2027-03-28T04:00Z",
        id="a night over the change in spring has 7 hours",
    ),
    pytest.param(
        BERLIN,
        "22:00-06:00",
        "2027-10-30",
        "2027-10-30T20:00Z/2027-10-31T05:00Z",
        id="a night over the change in autumn has 9 hours",
    ),
    pytest.param(NEW_YORK, "01:30-03:30", "2027-03-14", "2027-03-14T06:30Z/2027-03-14T07:30Z", id="New York in spring"),
    pytest.param(NEW_YORK, "00:30-01:30", "2027-11-07", "2027-11-07T04:30Z/2027-11-07T06:30Z", id="New York in autumn"),
    pytest.param(
        LORD_HOWE,
        "01:00-03:00",
        "2027-10-03",
        "2027-10-02T14:30Z/2027-10-02T16:00Z",
        id="Lord Howe Island skips half an hour",
    ),
    pytest.param(
        LORD_HOWE,
        "01:00-03:00",
        "2027-04-04",
        "2027-04-03T14:00Z/2027-04-03T16:30Z",
        id="Lord Howe Island repeats half an hour",
    ),
    pytest.param(
        LORD_HOWE,
        "01:00-02:15",
        "2027-10-03",
        "2027-10-02T14:30Z/2027-10-02T15:30Z",
        id="closing within the skipped half hour closes before it",
    ),
    pytest.param(
        SAO_PAULO,
        "00:00-24:00",
        "2018-11-04",
        "2018-11-04T03:00Z/2018-11-05T02:00Z",
        id="Sao Paulo's day without a midnight begins at one",
    ),
    pytest.param(
        SAO_PAULO,
        "00:00-24:00",
        "2018-02-17",
        "2018-02-17T02:00Z/2018-02-18T03:00Z",
        id="Sao Paulo's day with its last hour twice",
    ),
    pytest.param(
        SAO_PAULO,
        "20:00-24:00",
        "2018-11-03",
        "2018-11-03T23:00Z/2018-11-04T03:00Z",
        id="closing at the midnight that is skipped",
    ),
    pytest.param(
        BEIRUT,
        "00:00-24:00",
        "2022-03-27",
        "2022-03-26T22:00Z/2022-03-27T21:00Z",
        id="Beirut's day without a midnight",
    ),
    pytest.param(
        HAVANA,
        "00:00-24:00",
        "2027-11-06",
        "2027-11-06T04:00Z/2027-11-07T04:00Z",
        id="Havana repeats its first hour, which belongs to the new day only",
    ),
    pytest.param(
        HAVANA,
        "00:00-24:00",
        "2027-11-07",
        "2027-11-07T04:00Z/2027-11-08T05:00Z",
        id="Havana's day with its first hour twice",
    ),
    pytest.param(APIA, "09:00-17:00", "2011-12-30", None, id="Samoa's skipped day has no opening"),
    pytest.param(
        APIA, "09:00-17:00", "2011-12-31", "2011-12-30T19:00Z/2011-12-31T03:00Z", id="the day after it is normal"
    ),
    pytest.param(
        APIA,
        "22:00-06:00",
        "2011-12-29",
        "2011-12-30T08:00Z/2011-12-30T10:00Z",
        id="the night before it ends at midnight",
    ),
]


@pytest.mark.parametrize(("zone_name", "opening", "day", "open_"), CLOCK_CHANGES)
def test_an_opening_on_a_day_when_the_clock_changes(zone_name: str, opening: str, day: str, open_: str | None) -> None:
    start, end = opening.split("-")
    only_that_day = Hours(time_zone=zone_name, overrides=(override(day, (start, end)),))
    noon = minute(f"{day}T12:00Z")
    around = Interval(noon - 2 * DAY_MINUTES, noon + 2 * DAY_MINUTES)
    expected = spans(open_) if open_ else []
    assert working_intervals(only_that_day, around) == expected
    assert oracles.working_intervals(only_that_day, around) == expected


@pytest.mark.parametrize(
    ("day", "openings"),
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
def test_overrides_replace_close_and_add(day: str, openings: list[str]) -> None:
    kept = hours(
        overrides=(
            override("2027-03-02", ("12:00", "14:00")),
            override("2027-03-03"),
            override("2027-03-04", ("09:00", "12:00"), ("13:00", "20:00")),
            override("2027-03-06", ("10:00", "12:00")),
        )
    )
    assert working_intervals(kept, on(day, BERLIN)) == spans(*openings)


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
    assert working_intervals(shift, on("2027-03-01", BERLIN)) == spans("2027-03-01T07:00Z/2027-03-02T07:00Z")


def test_intervals_that_touch_the_range_come_whole_and_open_time_is_cut() -> None:
    within = span("2027-03-01T10:00Z", "2027-03-02T10:00Z")
    assert working_intervals(hours(), within) == spans(
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
    assert working_intervals(nights, span(*within.split("/"))) == spans("2027-03-01T21:00Z/2027-03-02T05:00Z")


@pytest.mark.parametrize(
    "within",
    [
        pytest.param("2027-03-01T16:00Z/2027-03-02T08:00Z", id="the night between two openings"),
        pytest.param("2027-03-01T10:00Z/2027-03-01T10:00Z", id="no time at all"),
    ],
)
def test_nothing_is_open(within: str) -> None:
    assert working_intervals(hours(), span(*within.split("/"))) == []


@pytest.mark.parametrize(
    ("zone_name", "day", "first"),
    [
        pytest.param(BERLIN, "2027-03-28", "2027-03-27T23:00Z", id="Berlin"),
        pytest.param(SAO_PAULO, "2018-11-04", "2018-11-04T03:00Z", id="Sao Paulo, where 00:00 is skipped"),
        pytest.param(HAVANA, "2027-11-07", "2027-11-07T04:00Z", id="Havana, where 00:00 comes twice"),
        pytest.param(APIA, "2011-12-30", "2011-12-30T10:00Z", id="Samoa, on the day that is skipped"),
        pytest.param(APIA, "2011-12-31", "2011-12-30T10:00Z", id="Samoa, on the day after it"),
    ],
)
def test_a_date_begins_at_its_first_instant(zone_name: str, day: str, first: str) -> None:
    assert midnight(date.fromisoformat(day), zone(zone_name)) == minute(first)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        pytest.param({"start": "9:00", "end": "17:00"}, "not a wall time", id="one digit"),
        pytest.param({"start": "09:00", "end": "17:60"}, "outside", id="a sixtieth minute"),
        pytest.param({"start": "09:00", "end": "24:01"}, "outside", id="past the end of the day"),
        pytest.param({"start": "-1:00", "end": "17:00"}, "not a wall time", id="a sign"),
        pytest.param({"start": "09:00", "end": "1700"}, "not a wall time", id="no colon"),
        pytest.param({"start": "09:00:00", "end": "17:00"}, "not a wall time", id="seconds"),
    ],
)
def test_wall_times_that_are_none_are_refused(fields: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        DailyInterval(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"time_zone": "Mars/Olympus"}, id="a zone that is not in the database"),
        pytest.param({"time_zone": ""}, id="no zone"),
        pytest.param({"time_zone": "../../etc/passwd"}, id="a path"),
        pytest.param({"time_zone": "Europe"}, id="half a zone"),
        pytest.param({"time_zone": "+01:00"}, id="an offset"),
        pytest.param(
            {"time_zone": BERLIN, "overrides": [{"date": "2027-03-01"}, {"date": "2027-03-01"}]},
            id="two overrides of one date",
        ),
        pytest.param(
            {"time_zone": BERLIN, "weekly": [{"days": [], "start": "09:00", "end": "17:00"}]}, id="no weekday"
        ),
        pytest.param(
            {"time_zone": BERLIN, "weekly": [{"days": [0], "start": "09:00", "end": "17:00"}]}, id="a zeroth weekday"
        ),
        pytest.param(
            {"time_zone": BERLIN, "weekly": [{"days": [8], "start": "09:00", "end": "17:00"}]}, id="an eighth weekday"
        ),
    ],
)
def test_hours_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate(fields)
