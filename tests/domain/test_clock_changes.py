"""Openings on days when the clock changes, or a date does not come at all."""

from datetime import date

import pytest

from functions.domain.hours import Hours
from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval
from functions.domain.openings import openings
from functions.domain.zones import midnight, zone
from tests.domain.builders import BERLIN, minute, override, spans
from tests.domain.zones import (
    APIA,
    BEIRUT,
    CASABLANCA,
    HAVANA,
    KWAJALEIN,
    LORD_HOWE,
    NEW_YORK,
    SAO_PAULO,
    ST_JOHNS,
    TROLL,
)

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
        BEIRUT,
        "23:45-23:30",
        "2022-10-28",
        "2022-10-28T20:45Z/2022-10-29T21:30Z",
        id="Beirut repeats the last hour of the day after the opening",
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
    pytest.param(KWAJALEIN, "00:00-24:00", "1993-08-21", None, id="the Saturday that Kwajalein skipped has no opening"),
    pytest.param(
        KWAJALEIN,
        "18:00-04:00",
        "1993-08-20",
        "1993-08-21T06:00Z/1993-08-21T12:00Z",
        id="the night before it ends at midnight too",
    ),
    pytest.param(
        KWAJALEIN,
        "00:00-24:00",
        "1993-08-22",
        "1993-08-21T12:00Z/1993-08-22T12:00Z",
        id="the Sunday after it follows at once",
    ),
    pytest.param(
        CASABLANCA,
        "01:00-04:00",
        "2026-02-15",
        "2026-02-15T00:00Z/2026-02-15T04:00Z",
        id="Morocco repeats an hour as Ramadan begins",
    ),
    pytest.param(
        CASABLANCA,
        "01:00-04:00",
        "2026-03-22",
        "2026-03-22T01:00Z/2026-03-22T03:00Z",
        id="and skips one when it is over, a month later",
    ),
    pytest.param(
        TROLL,
        "00:00-24:00",
        "2027-03-28",
        "2027-03-28T00:00Z/2027-03-28T22:00Z",
        id="Troll's spring day has 22 hours",
    ),
    pytest.param(
        TROLL,
        "00:00-24:00",
        "2027-10-31",
        "2027-10-30T22:00Z/2027-11-01T00:00Z",
        id="Troll's autumn day has 26 hours",
    ),
    pytest.param(
        ST_JOHNS,
        "00:00-24:00",
        "2010-11-06",
        "2010-11-06T02:30Z/2010-11-07T03:30Z",
        id="Saint John's, where midnight came twice, is open until the second",
    ),
    pytest.param(
        ST_JOHNS,
        "00:00-24:00",
        "2010-11-07",
        "2010-11-07T02:30Z/2010-11-08T03:30Z",
        id="and the day after opens at the first",
    ),
    pytest.param(
        "Africa/Monrovia",
        "09:00-17:00",
        "1971-06-01",
        "1971-06-01T09:44Z/1971-06-01T17:44Z",
        id="Monrovia, 44 minutes and 30 seconds behind, opens within that minute",
    ),
    pytest.param(
        "Africa/Monrovia",
        "00:00-24:00",
        "1972-01-07",
        "1972-01-07T00:44Z/1972-01-08T00:00Z",
        id="Monrovia's day on which those seconds ended",
    ),
]


@pytest.mark.parametrize(("zone_name", "wall_times", "day", "open_"), CLOCK_CHANGES)
def test_an_opening_on_a_day_when_the_clock_changes(
    zone_name: str, wall_times: str, day: str, open_: str | None
) -> None:
    start, end = wall_times.split("-")
    only_that_day = Hours(time_zone=zone_name, overrides=(override(day, (start, end)),))
    noon = minute(f"{day}T12:00Z")
    around = Interval(noon - 3 * DAY_MINUTES, noon + 3 * DAY_MINUTES)
    assert openings(only_that_day, around) == (spans(open_) if open_ else [])


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
