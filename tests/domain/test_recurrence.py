"""Series to busy time: over changes of clocks, with every form of exception and rule that calendars are known to hold."""

from datetime import date, timedelta

import pytest

from functions.domain.instants import rfc3339
from functions.domain.recurrence import starts_of_rule
from tests.domain.builders import BERLIN, all_day, minute, series, span, spans, timed
from tests.domain.series import MONDAYS, blocks, hours_from


def test_a_weekly_series_keeps_its_wall_time_when_the_clock_changes() -> None:  # case 134
    found = blocks(series("RRULE:FREQ=WEEKLY;COUNT=7"))
    assert found == hours_from(*(f"{day}T08:00Z" for day in MONDAYS[:4]), *(f"{day}T07:00Z" for day in MONDAYS[4:]))


def test_it_keeps_the_wall_time_of_its_own_zone_whatever_the_calendars_is() -> None:
    weekly = series("RRULE:FREQ=WEEKLY;COUNT=3", zone="America/New_York")
    weekly |= {
        "start": timed("2027-03-01T09:00:00-05:00", "America/New_York"),
        "end": timed("2027-03-01T10:00:00-05:00", "America/New_York"),
    }
    # New York changes on 14 March, Berlin two weeks later.
    assert blocks(weekly) == hours_from("2027-03-01T14:00Z", "2027-03-08T14:00Z", "2027-03-15T13:00Z")


def test_an_occurrence_over_the_change_of_clocks_lasts_as_long_as_the_others() -> None:
    nightly = series("RRULE:FREQ=DAILY;COUNT=3") | {
        "start": timed("2027-03-26T23:00:00+01:00", BERLIN),
        "end": timed("2027-03-27T05:00:00+01:00", BERLIN),
    }
    assert blocks(nightly) == spans(
        "2027-03-26T22:00Z/2027-03-27T04:00Z",
        "2027-03-27T22:00Z/2027-03-28T04:00Z",
        "2027-03-28T21:00Z/2027-03-29T03:00Z",
    )


def test_its_length_is_what_the_first_one_takes_also_over_a_change_of_clocks() -> None:
    """Written without offsets, from 23:00 to 05:00 in the night of the change: five hours, and so are the others."""
    nightly = series("RRULE:FREQ=DAILY;COUNT=2") | {
        "start": timed("2027-03-27T23:00:00", BERLIN),
        "end": timed("2027-03-28T05:00:00", BERLIN),
    }
    assert blocks(nightly) == spans("2027-03-27T22:00Z/2027-03-28T03:00Z", "2027-03-28T21:00Z/2027-03-29T02:00Z")


def test_an_occurrence_in_the_skipped_hour_is_read_with_the_offset_before_it() -> None:  # RFC 5545, 3.3.5
    daily = series("RRULE:FREQ=DAILY;COUNT=2") | {
        "start": timed("2027-03-27T02:30:00+01:00", BERLIN),
        "end": timed("2027-03-27T03:00:00+01:00", BERLIN),
    }
    assert blocks(daily) == spans("2027-03-27T01:30Z/2027-03-27T02:00Z", "2027-03-28T01:30Z/2027-03-28T02:00Z")


@pytest.mark.parametrize(
    ("offset", "first"),
    [
        pytest.param("+02:00", "2027-10-31T00:30Z/2027-10-31T01:00Z", id="in its first round"),
        pytest.param("+01:00", "2027-10-31T01:30Z/2027-10-31T02:00Z", id="in its second round"),
    ],
)
def test_a_series_that_begins_in_the_repeated_hour_begins_where_it_says(offset: str, first: str) -> None:
    weekly = series("RRULE:FREQ=WEEKLY;COUNT=2") | {
        "start": timed(f"2027-10-31T02:30:00{offset}", BERLIN),
        "end": timed(first.split("/")[1].replace("Z", ":00Z")),
    }
    autumn = span("2027-10-01T00:00Z", "2027-12-01T00:00Z")
    assert blocks(weekly, within=autumn) == spans(first, "2027-11-07T01:30Z/2027-11-07T02:00Z")


def test_all_day_occurrences_are_as_long_as_their_days() -> None:  # case 125
    weekly = series("RRULE:FREQ=WEEKLY;COUNT=3") | {"start": all_day("2027-03-21"), "end": all_day("2027-03-22")}
    assert blocks(weekly) == spans(
        "2027-03-20T23:00Z/2027-03-21T23:00Z",
        "2027-03-27T23:00Z/2027-03-28T22:00Z",
        "2027-04-03T22:00Z/2027-04-04T22:00Z",
    )


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        pytest.param(BERLIN, "2027-03-28", "2027-03-27T23:00Z/2027-03-28T22:00Z", id="of 23 hours"),
        pytest.param(BERLIN, "2027-10-31", "2027-10-30T22:00Z/2027-10-31T23:00Z", id="of 25 hours"),
        pytest.param("Africa/Cairo", "2027-04-30", "2027-04-29T22:00Z/2027-04-30T21:00Z", id="without a midnight"),
        pytest.param("Australia/Lord_Howe", "2027-04-04", "2027-04-03T13:00Z/2027-04-04T13:30Z", id="of 24½ hours"),
        pytest.param("Pacific/Apia", "2011-12-30", None, id="that was left out"),
    ],
)
def test_days_of_other_lengths(zone: str, day: str, expected: str | None) -> None:  # case 125
    first, after = (f"{date.fromisoformat(day) + timedelta(days=days)}" for days in (-7, -6))
    weekly = series("RRULE:FREQ=WEEKLY;COUNT=2") | {"start": all_day(first), "end": all_day(after)}
    within = span(f"{after}T18:00Z", f"{date.fromisoformat(day) + timedelta(days=9)}T00:00Z")
    assert blocks(weekly, within=within, zone=zone) == (spans(expected) if expected else [])


def test_occurrences_of_several_days_are_as_long_as_those_days() -> None:  # case 125
    weekends = series("RRULE:FREQ=WEEKLY;COUNT=2") | {"start": all_day("2027-03-20"), "end": all_day("2027-03-22")}
    assert blocks(weekends) == spans("2027-03-19T23:00Z/2027-03-21T23:00Z", "2027-03-26T23:00Z/2027-03-28T22:00Z")


DAILY_RULES = [
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3"], 3, id="a number of occurrences"),
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303T080000Z"], 3, id="until the last one's start, in UTC"),
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303T075959Z"], 2, id="until a second before it"),
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303T090000"], 3, id="until a wall time"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303"], 3, id="until a date, which is a whole day"),  # case 143
    pytest.param(["rrule:freq=daily;count=3"], 3, id="in small letters"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3;X-OTHER=1;WKST=SU"], 3, id="with a private part"),  # case 143
    pytest.param(["RRULE;X-OTHER=1:FREQ=DAILY;COUNT=3"], 3, id="with a private parameter"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270302"], 2, id="a number and an end: here the end"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270309"], 3, id="a number and an end: the number"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20260301"], 1, id="an end before its start, which is busy"),  # case 143
    pytest.param(["RRULE:RSCALE=GREGORIAN;FREQ=DAILY;SKIP=OMIT;COUNT=3"], 3, id="with what holds anyway"),  # RFC 7529
    pytest.param(["RRULE:FREQ=DAILY;INTERVAL=2;COUNT=2", "RRULE:FREQ=DAILY;COUNT=2"], 3, id="two rules together"),
    pytest.param(["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE;COUNT=3"], 3, id="on weekdays"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20270304T090000"], 3, id="without one"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20270304T080000Z"], 3, id="without one named in UTC"),
    pytest.param(
        ["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=America/New_York:20270304T030000"], 3, id="in another zone"
    ),  # case 143
    pytest.param(
        ["RRULE:FREQ=DAILY;COUNT=4", 'EXDATE;TZID="America/New_York":20270304T030000'], 3, id="a zone in quotes"
    ),  # case 143
    pytest.param(
        ["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=America/New_York:20270304T080000Z"], 3, id="in UTC after all"
    ),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20270304T090000"], 3, id="without one named by wall time"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20270302"], 3, id="a date excludes no time"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:soon"], 3, id="without what can not be read"),  # case 57
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE:soon,20270304T080000Z"], 3, id="and what can"),  # case 57
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXRULE:NONSENSE", "RDATE:soon"], 3, id="other nonsense"),  # case 57
    pytest.param(["RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20270304T080000Z,20270305T080000Z"], 3, id="without two"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270309T080000Z"], 3, id="without one it never had"),
    pytest.param(
        ["RRULE:FREQ=DAILY;COUNT=2", "RDATE;TZID=Europe/Berlin:20270303T090000"], 3, id="and a date more"
    ),  # case 143
    pytest.param(["RDATE:20270302T080000Z,20270303T080000Z"], 3, id="only dates, and its own start"),  # case 143
    pytest.param(
        ["RDATE:20270302T080000Z,20270303T080000Z,20270304T080000Z", "EXDATE:20270304T080000Z"], 3, id="but for one"
    ),  # case 143
    pytest.param(
        ["RDATE;VALUE=PERIOD:20270302T080000Z/20270302T090000Z,20270303T080000Z/PT1H"], 3, id="dates as periods"
    ),  # case 143
    pytest.param(
        ["RRULE:FREQ=DAILY;COUNT=5", "EXRULE:FREQ=DAILY;COUNT=2;BYMONTHDAY=4,5"], 3, id="without a rule's"
    ),  # case 143
]


@pytest.mark.parametrize(("lines", "count"), DAILY_RULES)
def test_rules_of_every_form(lines: list[str], count: int) -> None:
    """Each means the first days of March, 09:00 in Berlin."""
    assert blocks(series(*lines)) == hours_from(*(f"2027-03-0{n}T08:00Z" for n in range(1, count + 1)))


ALL_DAY_RULES = [
    pytest.param(["RRULE:FREQ=DAILY;COUNT=3"], id="a number of occurrences"),
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303"], id="until a date"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303T000000Z"], id="until an instant that means its date"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;UNTIL=20270303T235959Z"], id="until the end of a date"),  # case 143
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE:20270304"], id="without a date"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE;VALUE=DATE-TIME:20270304T000000"], id="without its midnight"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20270304T000000Z"], id="without an instant that means its date"),
    pytest.param(["RRULE:FREQ=DAILY;COUNT=2", "RDATE;VALUE=PERIOD:20270303T000000Z/PT1H"], id="and a period"),
    pytest.param(["RDATE;VALUE=DATE:20270302,20270303"], id="only dates, and its own start"),
]


@pytest.mark.parametrize("lines", ALL_DAY_RULES)
@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        pytest.param(BERLIN, "2027-02-28T23:00Z/2027-03-03T23:00Z", id="east of Greenwich"),
        pytest.param("America/New_York", "2027-03-01T05:00Z/2027-03-04T05:00Z", id="west of Greenwich"),
    ],
)
def test_all_day_rules_of_every_form(lines: list[str], zone: str, expected: str) -> None:
    """Each means 1 to 3 March, wherever the calendar is."""
    master = series(*lines) | {"start": all_day("2027-03-01"), "end": all_day("2027-03-02")}
    assert blocks(master, zone=zone) == spans(expected)


def test_a_yearly_series_by_day_of_month() -> None:  # case 143
    yearly = series("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29") | {
        "start": all_day("2024-02-29"),
        "end": all_day("2024-03-01"),
    }
    ten_years = span("2024-01-01T00:00Z", "2034-01-01T00:00Z")
    assert len(blocks(yearly, within=ten_years)) == 3


def test_a_yearly_day_of_a_month_is_in_the_month_that_it_began_in() -> None:  # case 143
    birthday = series("RRULE:FREQ=YEARLY;BYMONTHDAY=7;COUNT=3") | {
        "start": all_day("2026-09-07"),
        "end": all_day("2026-09-08"),
    }
    assert blocks(birthday, within=span("2026-01-01T00:00Z", "2034-01-01T00:00Z")) == spans(
        "2026-09-06T22:00Z/2026-09-07T22:00Z",
        "2027-09-06T22:00Z/2027-09-07T22:00Z",
        "2028-09-06T22:00Z/2028-09-07T22:00Z",
    )


def test_a_start_that_its_rule_leaves_out_belongs_to_the_series() -> None:  # case 143
    """RFC 5545 does not say; Google shows it, and counts COUNT without it."""
    wednesdays = "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2"
    assert blocks(series(wednesdays)) == hours_from("2027-03-01T08:00Z", "2027-03-03T08:00Z", "2027-03-10T08:00Z")
    without = series(wednesdays, "EXDATE;TZID=Europe/Berlin:20270301T090000")
    assert blocks(without) == hours_from("2027-03-03T08:00Z", "2027-03-10T08:00Z")


def test_a_week_of_the_year_means_the_weekday_that_it_began_on() -> None:  # case 143
    assert blocks(series("RRULE:FREQ=YEARLY;BYWEEKNO=9,11")) == hours_from("2027-03-01T08:00Z", "2027-03-15T08:00Z")


def test_a_leap_second_is_the_last_of_its_minute() -> None:  # case 143
    found = blocks(series("RRULE:FREQ=DAILY;BYMINUTE=59;BYSECOND=60;COUNT=2"))
    assert found == spans("2027-03-01T08:00Z/2027-03-01T10:00Z", "2027-03-02T08:59Z/2027-03-02T10:00Z")


def test_fractions_of_a_second_are_none_of_a_rule() -> None:
    daily = series("RRULE:FREQ=DAILY;COUNT=2") | {"start": timed("2027-03-01T09:00:00.500+01:00", BERLIN)}
    assert blocks(daily) == hours_from("2027-03-01T08:00Z", "2027-03-02T08:00Z")


@pytest.mark.parametrize("end", ["2027-03-01", "2027-02-20"])
def test_all_day_occurrences_that_end_as_they_start_or_before_are_a_day_long(end: str) -> None:  # case 126
    weekly = series("RRULE:FREQ=WEEKLY;COUNT=2") | {"start": all_day("2027-03-01"), "end": all_day(end)}
    assert blocks(weekly) == spans("2027-02-28T23:00Z/2027-03-01T23:00Z", "2027-03-07T23:00Z/2027-03-08T23:00Z")


def test_what_begins_before_the_horizon_ends_is_there_also_where_the_clock_goes_back() -> None:
    """The horizon ends at 02:10 by the second round of that hour, and 02:30 was in the first."""
    daily = series("RRULE:FREQ=DAILY") | {
        "start": timed("2027-10-01T02:30:00+02:00", BERLIN),
        "end": timed("2027-10-01T02:40:00+02:00", BERLIN),
    }
    found = blocks(daily, within=span("2027-10-31T00:00Z", "2027-10-31T01:10Z"))
    assert found == spans("2027-10-31T00:30Z/2027-10-31T00:40Z")


def test_weekdays_with_and_without_a_number_are_all_meant() -> None:  # case 143
    monthly = series("RRULE:FREQ=MONTHLY;BYDAY=MO,2TU;UNTIL=20270325")
    assert blocks(monthly) == hours_from(*(f"2027-03-{day}T08:00Z" for day in ("01", "08", "09", "15", "22")))


def test_a_period_of_its_own_has_its_own_length() -> None:  # case 143
    periods = "RDATE;VALUE=PERIOD:20270302T080000Z/PT1H30M,20270303T080000Z/20270303T100000Z,20270304T080000Z/P1D"
    assert blocks(series(periods)) == spans(
        "2027-03-01T08:00Z/2027-03-01T09:00Z",
        "2027-03-02T08:00Z/2027-03-02T09:30Z",
        "2027-03-03T08:00Z/2027-03-03T10:00Z",
        "2027-03-04T08:00Z/2027-03-05T08:00Z",
    )


def test_where_the_end_can_not_be_read_every_occurrence_takes_a_day() -> None:  # case 57
    broken = series("RRULE:FREQ=WEEKLY;COUNT=2") | {"end": {"dateTime": "later"}}
    assert blocks(broken) == spans("2027-03-01T08:00Z/2027-03-02T08:00Z", "2027-03-08T08:00Z/2027-03-09T08:00Z")


def test_a_series_of_no_length_takes_no_time() -> None:  # case 127
    moments = series("RRULE:FREQ=DAILY") | {"end": timed("2027-03-01T09:00:00+01:00", BERLIN)}
    assert blocks(moments) == blocks(moments | {"end": None}) == []


def test_a_series_from_long_before_is_expanded_within_the_horizon() -> None:  # cases 144 and 147
    old = series("RRULE:FREQ=WEEKLY") | {
        "start": timed("2009-03-02T09:00:00+01:00", BERLIN),
        "end": timed("2009-03-02T10:00:00+01:00", BERLIN),
    }
    assert blocks(old, within=span("2027-03-01T00:00Z", "2027-03-16T00:00Z")) == hours_from(
        *(f"{day}T08:00Z" for day in MONDAYS[:3])
    )


def test_what_began_before_the_horizon_and_lasts_into_it_is_there() -> None:  # case 65
    weekends = series("RRULE:FREQ=WEEKLY") | {
        "start": timed("2027-01-08T18:00:00+01:00", BERLIN),
        "end": timed("2027-01-11T06:00:00+01:00", BERLIN),
    }
    assert blocks(weekends, within=span("2027-03-07T00:00Z", "2027-03-08T04:00Z")) == spans(
        "2027-03-05T17:00Z/2027-03-08T05:00Z"
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("RRULE:FREQ=FORTNIGHTLY", id="a frequency that does not exist"),
        pytest.param("RRULE:FREQ=DAILY;INTERVAL=0", id="an interval of nothing"),
        pytest.param("RRULE:FREQ=DAILY;INTERVAL=many", id="an interval that is no number"),
        pytest.param("RRULE:FREQ=DAILY;UNTIL=soon", id="an end that is no date"),
        pytest.param("RRULE:FREQ=MONTHLY;BYDAY=XX", id="a weekday that does not exist"),
        pytest.param("RRULE:FREQ=DAILY;BYHOUR=25", id="an hour that does not exist"),
        pytest.param("RRULE:FREQ=YEARLY;BYMONTH=-3;COUNT=2", id="a month from the end"),
        pytest.param("RRULE:FREQ=MONTHLY;BYDAY=6MO", id="a week that no month has"),
        pytest.param("RRULE:FREQ=YEARLY;BYEASTER=1000", id="more days after Easter than there are"),
        pytest.param("RRULE:", id="a rule of nothing"),
        pytest.param("RRULE", id="half a line"),
        pytest.param("NONSENSE:1", id="a line of another kind"),
        pytest.param("EXDATE;TZID=Europe/Berlin:garbage", id="an exception that is no date"),
        pytest.param("RRULE:FREQ=DAILY;INTERVAL=99999999999999999999", id="beyond the end of time"),
    ],
)
def test_of_a_rule_that_can_not_be_read_the_first_occurrence_is_busy(line: str) -> None:  # case 57
    assert blocks(series(line)) == hours_from("2027-03-01T08:00Z")


def test_a_series_that_takes_no_time_has_none() -> None:
    assert blocks(series(transparency="transparent")) == []
    assert blocks(series(start=None)) == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("FREQ=WEEKLY", ["03-01T08:00", "03-08T08:00", "03-15T08:00"], id="as far as was asked"),
        pytest.param("FREQ=WEEKLY;COUNT=2", ["03-01T08:00", "03-08T08:00"], id="as far as it goes"),
        pytest.param("FREQ=WEEKLY;BYDAY=TU", ["03-02T08:00", "03-09T08:00", "03-16T08:00"], id="without the first"),
    ],
)
def test_a_rule_of_our_own_names_its_starts(rule: str, expected: list[str]) -> None:
    found = starts_of_rule(rule, minute("2027-03-01T09:00+01:00"), zone_name=BERLIN, until=minute("2027-03-17T00:00Z"))
    assert [rfc3339(start)[5:16] for start in found] == expected


def test_a_start_in_the_second_round_of_an_hour_is_where_it_is_and_the_next_in_the_only_one() -> None:
    first = minute("2027-10-31T02:30+01:00")
    found = starts_of_rule("FREQ=DAILY;COUNT=2", first, zone_name=BERLIN, until=first + 3 * 1440)
    assert found == [first, first + 1440]
