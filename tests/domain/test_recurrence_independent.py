"""Series against two other readings of the same rules: by their definition, day by day, and by another library.

The other library is libical. It is no Python package, and those there are compute with dateutil as we do, so its answers to 400 generated rules are
recorded. What it knows only in part (BYWEEKNO, BYYEARDAY) and exceptions, zones and forms of dates are held by days only, over rules drawn anew.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval, merge
from functions.domain.recurrence import series_blocks
from functions.domain.recurrence_rule import occurrences, read_rule
from tests.domain import recurrence_by_days as by_days
from tests.domain.builders import BERLIN, all_day, minute, row, series, timed
from tests.domain.recurrence_rules import Rule, rules, text_of

# Clocks that change by an hour and by half of one, in spring and in autumn of either half of the world, at midnight, and not at all.
ZONES = (BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "UTC")


class Made(NamedTuple):
    """A series: the event, and what it means."""

    event: dict[str, Any]
    zone: ZoneInfo
    walls: list[datetime]
    length: timedelta
    within: Interval


@st.composite
def made(draw: st.DrawFn) -> Made:
    zone, whole_days = ZoneInfo(draw(st.sampled_from(ZONES))), draw(st.booleans())
    clock = time() if whole_days else draw(st.sampled_from([time(9), time(0), time(2, 30), time(23, 30, 20)]))
    first = datetime.combine(draw(st.dates(datetime(2024, 1, 1).date(), datetime(2027, 12, 31).date())), clock)  # noqa: DTZ001
    assume(local(instant(first, zone), zone) == first)  # no event begins in a skipped hour
    length = timedelta(days=draw(st.integers(1, 4))) if whole_days else timedelta(minutes=draw(st.integers(1, 3000)))
    start = minute("2024-01-01T00:00Z") + draw(st.integers(0, 5 * 366)) * DAY_MINUTES
    within = Interval(start, start + draw(st.sampled_from([1, 30, 120])) * DAY_MINUTES)
    until = local(datetime.fromtimestamp(within.end * 60, UTC), zone) + timedelta(days=2)
    rule = draw(rules())
    end, last = draw(ends(first, until, zone, whole_days=whole_days))
    meant = rule | ({"UNTIL": last.isoformat()} if last else end)
    walls = {first, *by_days.occurrences(meant, first, until=until)}
    more = draw(st.lists(st.dates(first.date(), max(first, until).date()), max_size=2))
    walls |= (further := {datetime.combine(day, clock) for day in more})
    gone = draw(st.lists(st.sampled_from(sorted(walls)), max_size=3))
    lines = [f"RRULE:{text_of(rule | end)}"]
    lines += [f"EXDATE{named(each, zone, whole_days=whole_days, utc=draw(st.booleans()))}" for each in gone]
    lines += [f"RDATE{named(each, zone, whole_days=whole_days, utc=draw(st.booleans()))}" for each in sorted(further)]
    event = series(*draw(st.permutations(lines))) | times_of(first, length, zone, whole_days=whole_days)
    return Made(event, zone, sorted(walls - set(gone)), length, within)


@st.composite
def ends(
    draw: st.DrawFn, first: datetime, until: datetime, zone: ZoneInfo, *, whole_days: bool
) -> tuple[Rule, datetime | None]:
    """What a rule says of its end, and the last wall time where it is none of a number."""
    form = draw(st.sampled_from(["none", "count", "date", "wall", "utc"]))
    if form == "none":
        return {}, None
    if form == "count":
        return {"COUNT": str(draw(st.sampled_from([1, 2, 3, 10, 50])))}, None
    last = first + timedelta(days=draw(st.integers(0, max(0, (until - first).days))))
    whole = datetime.combine(last, time(23, 59, 59))
    if form == "date":
        return {"UNTIL": f"{last:%Y%m%d}"}, whole
    if form == "wall":
        return {"UNTIL": f"{last:%Y%m%dT%H%M%S}"}, whole if whole_days else last
    if whole_days:
        return {"UNTIL": f"{last:%Y%m%d}T000000Z"}, whole
    return {"UNTIL": f"{instant(last, zone):%Y%m%dT%H%M%SZ}"}, last


def named(wall: datetime, zone: ZoneInfo, *, whole_days: bool, utc: bool) -> str:
    """A line's parameters and value for that occurrence."""
    if whole_days:
        return f";VALUE=DATE:{wall:%Y%m%d}"
    return f":{instant(wall, zone):%Y%m%dT%H%M%SZ}" if utc else f";TZID={zone.key}:{wall:%Y%m%dT%H%M%S}"


def times_of(first: datetime, length: timedelta, zone: ZoneInfo, *, whole_days: bool) -> dict[str, dict[str, str]]:
    if whole_days:
        return {"start": all_day(f"{first:%Y-%m-%d}"), "end": all_day(f"{first + length:%Y-%m-%d}")}
    start = instant(first, zone)
    return {"start": timed(start.astimezone(zone).isoformat(), zone.key), "end": timed((start + length).isoformat())}


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """By trial: the first instant at which the clock shows that time; where it never does, read with the offset of the day before."""
    offsets = [
        (wall.replace(tzinfo=UTC) + timedelta(days=n)).astimezone(zone).utcoffset() or timedelta() for n in (-1, 1)
    ]
    candidates = [(wall - offset).replace(tzinfo=UTC) for offset in offsets]
    return min((each for each in candidates if local(each, zone) == wall), default=candidates[0])


def meaning(one: Made) -> Iterator[Interval]:
    whole_days = "date" in one.event["start"]
    for wall in one.walls:
        start = instant(wall, one.zone)
        end = instant(wall + one.length, one.zone) if whole_days else start + one.length
        yield Interval(int(start.timestamp()) // 60, -int(-end.timestamp() // 60))


@given(made())
def test_a_series_is_its_days_one_by_one(one: Made) -> None:
    found = series_blocks(row(one.event), [], calendar_zone=one.zone.key, horizon=one.within)
    assert found == merge(interval for interval in meaning(one) if interval.overlaps(one.within))


class Recorded(NamedTuple):
    """A rule whose start is one of its occurrences, as RFC 5545 asks for, and the days after it on which libical 3.0.16 says that it occurs."""

    first: datetime
    rule: str
    last: datetime
    days: list[int]

    @property
    def parts(self) -> Rule:
        return dict(part.split("=") for part in self.rule.split(";"))


def recorded() -> list[Recorded]:
    """See `record_recurrence`."""
    listed = json.loads(Path(__file__).with_name("recurrence_recorded.json").read_text())
    at = {name: [datetime.fromisoformat(f"{one[name]}T09:30") for one in listed] for name in ("start", "last")}
    return [
        Recorded(first, one["rule"], last, one["days"])
        for one, first, last in zip(listed, at["start"], at["last"], strict=True)
    ]


def days_from_the_end_of_a_month_in_a_daily_rule(one: Recorded) -> bool:
    """libical leaves them out. RFC 5545 allows them in every frequency but the weekly one."""
    return one.parts["FREQ"] == "DAILY" and "-" in one.parts.get("BYMONTHDAY", "")


def positions_in_a_week(one: Recorded) -> bool:
    """libical gives the whole week. RFC 5545 allows BYSETPOS with every other part."""
    return one.parts["FREQ"] == "WEEKLY" and "BYSETPOS" in one.parts


def positions_among_days_of_a_month(one: Recorded) -> bool:
    """libical counts them in the order in which BYMONTHDAY names them. By RFC 5545 a set is in order of time."""
    return {"BYSETPOS", "BYMONTHDAY"} <= one.parts.keys()


def every_nth_week_that_begins_after_its_first_day(one: Recorded) -> bool:
    """libical may count from the week after the first, and leave that one out."""
    weeks = one.parts["FREQ"] == "WEEKLY" and "INTERVAL" in one.parts
    return weeks and by_days.WEEKDAYS.index(one.parts.get("WKST", "MO")) > one.first.weekday()


# Where libical is known to read a rule otherwise, and why we do not follow it.
OTHERWISE = (
    days_from_the_end_of_a_month_in_a_daily_rule,
    positions_in_a_week,
    positions_among_days_of_a_month,
    every_nth_week_that_begins_after_its_first_day,
)


def ours(one: Recorded) -> list[int]:
    rule = read_rule(one.rule, one.first, until_of=datetime.fromisoformat)
    return [(wall - one.first).days for wall in occurrences(rule, one.first, since=one.first, until=one.last)]


@pytest.mark.parametrize("frequency", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
def test_the_rules_that_libical_answered(frequency: str) -> None:
    asked = [one for one in recorded() if one.parts["FREQ"] == frequency]
    assert len(asked) == 100
    different = [one for one in asked if ours(one) != one.days]
    assert [one for one in different if not any(reads(one) for reads in OTHERWISE)] == []


def test_by_days_reads_all_of_them_as_we_do() -> None:
    for one in recorded():
        walls = by_days.occurrences(one.parts, one.first, until=one.last)
        assert [(wall - one.first).days for wall in walls] == ours(one), one.rule


@pytest.mark.parametrize("reads_otherwise", OTHERWISE)
def test_what_is_said_of_libical_is_still_so(reads_otherwise: Callable[[Recorded], bool]) -> None:
    assert any(ours(one) != one.days for one in recorded() if reads_otherwise(one))
