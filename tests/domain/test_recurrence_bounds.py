"""What no series may cost, and what it means all the same: endless ones, dense ones, those of long ago, those that never occur."""

import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.intervals import Interval, clip
from functions.domain.recurrence import series_blocks
from functions.domain.recurrence_rule import occurrences, read_rule
from tests.domain import recurrence_by_days as by_days
from tests.domain.builders import BERLIN, exception, row, series, span, spans, timed
from tests.domain.recurrence_rules import Rule, rules, text_of

WEEK = span("2027-03-01T00:00+01:00", "2027-03-08T00:00+01:00")
YEAR = span("2027-02-01T00:00Z", "2028-03-10T00:00Z")  # as far as a calendar is projected


def blocks(*lines: str, start: str = "2027-03-01T09:00", minutes: int = 60, within: Interval = WEEK) -> list[Interval]:
    return clip(
        series_blocks(row(event(*lines, start=start, minutes=minutes)), [], calendar_zone=BERLIN, horizon=within),
        within,
    )


def event(*lines: str, start: str, minutes: int = 60) -> dict[str, Any]:
    first = datetime.fromisoformat(start)
    times = (timed(f"{each:%Y-%m-%dT%H:%M:%S}", BERLIN) for each in (first, first + timedelta(minutes=minutes)))
    return series(*lines) | dict(zip(("start", "end"), times, strict=True))


def parts_of(rule: str) -> Rule:
    return dict(part.split("=") for part in rule.split(";"))


class TestDenseSeries:  # case 145
    def test_one_a_minute_is_busy_from_its_first_on(self) -> None:
        assert blocks("RRULE:FREQ=MINUTELY") == spans("2027-03-01T08:00Z/2027-03-07T23:00Z")

    @pytest.mark.parametrize("frequency", ["MINUTELY", "SECONDLY"])
    def test_also_where_it_began_ten_years_ago(self, frequency: str) -> None:
        assert blocks(f"RRULE:FREQ={frequency}", start="2017-03-01T09:00", minutes=1) == [WEEK]

    def test_it_is_busy_on_its_days_only(self) -> None:
        assert blocks("RRULE:FREQ=MINUTELY;BYDAY=TU,TH,FR") == spans(
            "2027-03-01T08:00Z/2027-03-01T09:00Z",  # the first, a Monday
            "2027-03-01T23:00Z/2027-03-03T00:00Z",
            "2027-03-03T23:00Z/2027-03-06T00:00Z",
        )

    @pytest.mark.parametrize("rule", ["FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY;BYMONTH=4"])
    def test_where_it_has_no_day_it_is_its_first_occurrence(self, rule: str) -> None:
        assert blocks(f"RRULE:{rule}") == spans("2027-03-01T08:00Z/2027-03-01T09:00Z")

    @pytest.mark.parametrize(
        "end", [pytest.param("COUNT=4000", id="a number"), pytest.param("UNTIL=20270304T023900Z", id="a last one")]
    )
    def test_it_is_busy_until_its_last_one_is_over(self, end: str) -> None:
        assert blocks(f"RRULE:FREQ=MINUTELY;{end}") == spans("2027-03-01T08:00Z/2027-03-04T03:39Z")

    def test_a_short_one_is_exact(self) -> None:
        assert blocks("RRULE:FREQ=MINUTELY;INTERVAL=30;COUNT=3", minutes=10) == spans(
            "2027-03-01T08:00Z/2027-03-01T08:10Z",
            "2027-03-01T08:30Z/2027-03-01T08:40Z",
            "2027-03-01T09:00Z/2027-03-01T09:10Z",
        )

    def test_five_minutes_of_every_hour_are_exact_for_a_week_and_whole_days_for_a_year(self) -> None:
        assert len(blocks("RRULE:FREQ=HOURLY", minutes=5)) == 7 * 24 - 9
        assert len(blocks("RRULE:FREQ=HOURLY", minutes=5, within=YEAR)) == 1

    def test_what_takes_no_time_takes_none_however_often(self) -> None:  # case 127
        assert blocks("RRULE:FREQ=SECONDLY", minutes=0) == []

    @pytest.mark.parametrize("cancelled", ["2027-03-01T09:00:00+01:00", "2027-03-01T10:00:00+01:00"])
    def test_its_instances_can_not_be_told_apart(self, cancelled: str) -> None:
        """So one that is cancelled stays busy: unknown is busy."""
        minutely = row(series("RRULE:FREQ=MINUTELY"))
        found = series_blocks(minutely, [row(exception(cancelled))], calendar_zone=BERLIN, horizon=WEEK)
        assert clip(found, WEEK) == spans("2027-03-01T08:00Z/2027-03-07T23:00Z")

    def test_positions_in_weeks_that_lack_days_are_all_days_of_them(self) -> None:
        assert blocks("RRULE:FREQ=WEEKLY;BYMONTH=3;BYDAY=TU,FR;BYSETPOS=1") == spans(
            "2027-03-01T08:00Z/2027-03-01T09:00Z",
            "2027-03-01T23:00Z/2027-03-03T00:00Z",
            "2027-03-04T23:00Z/2027-03-06T00:00Z",
        )

    def test_days_that_reach_far_over_each_other_are_one_block(self) -> None:
        assert blocks("RRULE:FREQ=DAILY", start="1990-01-01T09:00", minutes=12 * 365 * 24 * 60) == [WEEK]

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param(["RDATE:" + ",".join(["20270301T080000Z"] * 2_001)], id="dates over dates"),
            pytest.param(["RRULE:FREQ=DAILY"] * 5, id="rules over rules"),
        ],
    )
    def test_more_lines_than_are_worth_reading_are_busy_throughout(self, lines: list[str]) -> None:
        assert blocks(*lines, start="2027-03-02T09:00") == spans("2027-03-02T08:00Z/2027-03-07T23:00Z")


class TestTheSameByOtherFrequencies:
    """What is said of hours, minutes and seconds may be days in the end, and is as exact as they are."""

    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=HOURLY;BYHOUR=9",
            "FREQ=HOURLY;INTERVAL=24",
            "FREQ=HOURLY;INTERVAL=3;BYHOUR=8,9,10",
            "FREQ=MINUTELY;BYHOUR=9;BYMINUTE=0",
            "FREQ=MINUTELY;INTERVAL=15;BYHOUR=9;BYMINUTE=0,20,50",
            "FREQ=MINUTELY;INTERVAL=1440",
            "FREQ=SECONDLY;INTERVAL=86400",
            "FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
            "FREQ=HOURLY;BYHOUR=9;BYMINUTE=0;BYSETPOS=-1",
            "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
            "FREQ=DAILY;BYSETPOS=1",
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
            "FREQ=WEEKLY;BYDAY=1MO,-1TU,WE,TH,FR,SA,SU",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        ],
    )
    @pytest.mark.parametrize("count", ["", ";COUNT=5"])
    def test_every_day_at_nine(self, rule: str, count: str) -> None:
        assert blocks(f"RRULE:{rule}{count}") == blocks(f"RRULE:FREQ=DAILY{count}")

    def test_positions_in_an_hour_are_not_positions_in_a_day(self) -> None:
        hourly = "RRULE:FREQ=HOURLY;BYHOUR=9,11;BYMINUTE=0,30;BYSETPOS=1"
        assert blocks(hourly) == blocks("RRULE:FREQ=DAILY;BYHOUR=9,11")

    def test_every_second_day(self) -> None:
        assert blocks("RRULE:FREQ=HOURLY;INTERVAL=48") == blocks("RRULE:FREQ=DAILY;INTERVAL=2")

    @pytest.mark.parametrize(
        "rule", ["FREQ=HOURLY;INTERVAL=5", "FREQ=MINUTELY;INTERVAL=300", "FREQ=MINUTELY;INTERVAL=300;BYMONTH=3"]
    )
    def test_hours_that_come_at_other_times_every_day(self, rule: str) -> None:
        found = blocks(f"RRULE:{rule}", start="2027-01-01T09:00")
        first, hour = span("2027-01-01T08:00Z", "2027-01-01T09:00Z"), 60
        within = range(first.start, WEEK.end, 5 * hour)
        assert found == clip((Interval(start, start + hour) for start in within), WEEK)

    def test_such_hours_of_some_days(self) -> None:
        every = blocks("RRULE:FREQ=HOURLY;INTERVAL=5", start="2027-01-01T09:00")
        wednesday = span("2027-03-02T23:00Z", "2027-03-03T23:00Z")
        found = blocks("RRULE:FREQ=HOURLY;INTERVAL=5;BYDAY=WE", start="2027-01-01T09:00")
        assert found == [block for block in every if wednesday.start <= block.start < wednesday.end]

    @pytest.mark.parametrize(
        "rule", ["FREQ=HOURLY;INTERVAL=2;BYHOUR=10", "FREQ=HOURLY;INTERVAL=10;BYHOUR=8", "FREQ=DAILY;BYSETPOS=2"]
    )
    def test_one_that_can_never_occur_is_its_first_occurrence(self, rule: str) -> None:
        assert blocks(f"RRULE:{rule}") == spans("2027-03-01T08:00Z/2027-03-01T09:00Z")


class TestSeriesOfLongAgo:  # cases 144 and 147
    @pytest.mark.parametrize(
        "rule",
        [
            "FREQ=DAILY",
            "FREQ=DAILY;COUNT=100000",
            "FREQ=DAILY;UNTIL=20280101",
            "FREQ=HOURLY;INTERVAL=24",
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=100000",
        ],
    )
    def test_a_daily_one_since_1970_is_here_and_now(self, rule: str) -> None:
        found = blocks(f"RRULE:{rule}", start="1970-01-01T09:00")
        assert found == blocks("RRULE:FREQ=DAILY")

    @pytest.mark.parametrize(
        ("rule", "first", "last"),
        [
            pytest.param("FREQ=DAILY", "1970-01-01", "2027-03-04", id="days"),
            pytest.param("FREQ=DAILY;INTERVAL=3", "1970-01-02", "2027-03-04", id="every third day"),
            pytest.param("FREQ=WEEKLY", "1970-01-01", "2027-03-04", id="weeks"),
            pytest.param("FREQ=WEEKLY;BYDAY=MO,WE,TH", "1970-01-01", "2027-03-04", id="days of weeks"),
            pytest.param(
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TH;WKST=SU", "1970-01-08", "2027-03-04", id="of every second"
            ),
            pytest.param("FREQ=MONTHLY", "1970-01-04", "2027-03-04", id="months"),
            pytest.param("FREQ=MONTHLY;BYDAY=1TH", "1970-01-01", "2027-03-04", id="weekdays of months"),
            pytest.param("FREQ=MONTHLY;BYDAY=-4TH", "1970-01-08", "2027-03-04", id="weekdays from their ends"),
            pytest.param("FREQ=MONTHLY;BYMONTHDAY=4,-1", "2007-01-04", "2027-03-04", id="days from both ends"),
            pytest.param("FREQ=MONTHLY;BYMONTHDAY=4,31", "2007-01-04", "2027-03-04", id="days not every month has"),
            pytest.param("FREQ=MONTHLY;BYMONTHDAY=-28,-30", "2007-01-04", "2027-03-04", id="nor has from its end"),
            pytest.param("FREQ=MONTHLY;BYDAY=TH", "2007-01-04", "2027-03-04", id="all Thursdays of months"),
            pytest.param("FREQ=MONTHLY;BYDAY=1TH,5TH", "2007-01-04", "2027-03-04", id="the fifth one if there is"),
            pytest.param("FREQ=YEARLY", "1970-03-04", "2027-03-04", id="years"),
            pytest.param("FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=4", "1970-03-04", "2027-03-04", id="months of years"),
            pytest.param("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYMONTH=3", "2007-03-01", "2027-03-04", id="days of a month"),
        ],
    )
    def test_of_a_number_of_times_the_last_is_exact(self, rule: str, first: str, last: str) -> None:
        start, end = (datetime.fromisoformat(f"{day}T09:00") for day in (first, last))
        number = sum(1 for _ in by_days.occurrences(parts_of(rule), start, until=end))
        counted = blocks(f"RRULE:{rule};COUNT={number}", start=f"{first}T09:00", within=YEAR)
        endless = blocks(f"RRULE:{rule}", start=f"{first}T09:00", within=YEAR)
        assert counted[-1] == span("2027-03-04T08:00Z", "2027-03-04T09:00Z")
        assert counted == endless[: len(counted)]
        assert len(counted) < len(endless)

    def test_one_too_old_and_odd_to_be_counted_is_taken_to_go_on(self) -> None:
        """Every second weekday since 1950, long over: better busy than taken twice."""
        rule = "RRULE:FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;COUNT=100"
        assert len(blocks(rule, start="1950-01-02T09:00")) > 0
        assert blocks(rule, start="2000-01-03T09:00") == []

    def test_such_a_one_excludes_nothing(self) -> None:
        rule = "FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR"
        counted = blocks("RRULE:FREQ=DAILY", f"EXRULE:{rule};COUNT=100", start="1950-01-02T09:00")
        assert counted == blocks("RRULE:FREQ=DAILY", start="1950-01-02T09:00")
        assert counted != blocks("RRULE:FREQ=DAILY", f"EXRULE:{rule}", start="1950-01-02T09:00")


START = st.dates(date(2018, 1, 1), date(2022, 12, 31)).map(lambda day: datetime.combine(day, time(9)))


def found(rule: str, first: datetime, *, since: int, until: int) -> list[datetime]:
    """Between so many days after the first one."""
    try:
        read = read_rule(rule, first, until_of=datetime.fromisoformat)
        window = (first + timedelta(days=days) for days in (since, until))
        return occurrences(read, first, **dict(zip(("since", "until"), window, strict=True)))
    except ValueError:
        return []  # it can never occur


class TestWhatIsNotComputed:
    """What lies before the window, and what a number of times is: neither is counted through where that can be helped, and nothing follows from it."""

    @given(rules(), START, st.integers(0, 800))
    def test_it_makes_no_difference_where_the_window_begins(self, rule: Rule, first: datetime, later: int) -> None:
        since = first + timedelta(days=later)
        whole = found(text_of(rule), first, since=0, until=900)
        assert found(text_of(rule), first, since=later, until=900) == [wall for wall in whole if wall >= since]

    @given(rules(), START, st.integers(0, 800), st.integers(1, 300))
    def test_so_many_times_are_the_first_so_many(self, rule: Rule, first: datetime, later: int, count: int) -> None:
        since = first + timedelta(days=later)
        first_ones = found(text_of(rule), first, since=0, until=900)[:count]
        counted = found(f"{text_of(rule)};COUNT={count}", first, since=later, until=900)
        assert counted == [wall for wall in first_ones if wall >= since]


# A few milliseconds, told in a way that no slow machine changes.
MOST_STEPS = 250_000
EVERY_DAY = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
WORST = [
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=20000",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=14000",
    "FREQ=DAILY;INTERVAL=99999999999999999999",
    "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2",
    "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
    "FREQ=DAILY;INTERVAL=3;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
    "FREQ=DAILY;BYHOUR=0,4,8,12,16,20",
    "FREQ=WEEKLY;COUNT=3000",
    "FREQ=WEEKLY;INTERVAL=3;BYMONTHDAY=31;BYMONTH=2;COUNT=5",
    "FREQ=MONTHLY;COUNT=690",
    "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=900",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=5",
    f"FREQ=YEARLY;{EVERY_DAY};BYSETPOS=1,2,3,4,5,6,7,8,9,10;COUNT=4000",
    f"FREQ=YEARLY;{EVERY_DAY};BYSETPOS={','.join(map(str, range(1, 367)))}",
    f"FREQ=MONTHLY;{EVERY_DAY};BYSETPOS={','.join(map(str, range(1, 367)))};COUNT=4000",
    f"FREQ=WEEKLY;{EVERY_DAY};BYSETPOS=9;COUNT=5",
    "FREQ=HOURLY",
    "FREQ=HOURLY;COUNT=400000",
    "FREQ=HOURLY;INTERVAL=11;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=HOURLY;INTERVAL=99999999999999999999",
    "FREQ=DAILY;INTERVAL=99999999999999999999;BYSETPOS=1",
    "FREQ=HOURLY;INTERVAL=11;BYHOUR=9;COUNT=9",
    "FREQ=MINUTELY",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
    "FREQ=MINUTELY;INTERVAL=1001;BYHOUR=5;BYMINUTE=3",
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;BYSECOND=60;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;INTERVAL=86401",
]


@pytest.mark.parametrize("rule", WORST)
@pytest.mark.parametrize("start", ["1970-01-01T09:00", "2027-02-28T09:00"])
def test_no_rule_costs_more_than_a_little(rule: str, start: str) -> None:  # case 145
    assert 0 < steps(lambda: blocks(f"RRULE:{rule}", start=start, minutes=5, within=YEAR)) < MOST_STEPS


@pytest.mark.parametrize(
    "line", ["EXRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "EXDATE:" + "20270301T080000Z," * 50_000]
)
def test_nor_does_what_is_left_out(line: str) -> None:
    assert 0 < steps(lambda: blocks("RRULE:FREQ=DAILY", line, start="1970-01-01T09:00", within=YEAR)) < MOST_STEPS


def steps(run: Callable[[], object]) -> int:
    """How many lines of Python are executed; too many are not waited for."""
    taken = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal taken
        taken += event == "line"
        assert taken < MOST_STEPS
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return taken
