"""How far ahead a service can be booked: each kind of window at its edges, which are midnights of the resource's zone."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from functions.domain.availability import Closed, Question, explain, open_starts
from functions.domain.booking_window import (
    MAX_DAYS,
    BookableDays,
    FixedDates,
    RollingDays,
    Unlimited,
    Window,
    dates_of,
)
from functions.domain.configuration import Service
from functions.domain.hours import ClosedPeriod, DateOverride, Holiday, Hours, Season, Travel
from functions.domain.intervals import Interval
from tests.domain.builders import (
    BERLIN,
    EVERY_DAY,
    FAR,
    hours,
    millis,
    minute,
    override,
    question,
    resource,
    service,
    weekly,
)
from tests.domain.zones import APIA, BEIRUT, HAVANA, LORD_HOWE

MONDAY = date(2027, 3, 1)
SATURDAY = date(2027, 3, 6)
KIRITIMATI = "Pacific/Kiritimati"  # 14 hours ahead of UTC
LOS_ANGELES = "America/Los_Angeles"


def every_day(_: date) -> bool:
    return True


def never(_: date) -> bool:
    return False


def on_weekdays(day: date) -> bool:
    return day.isoweekday() < 6


def but_not(*closed: int) -> Callable[[date], bool]:
    """On every day but these ones of March."""
    return lambda day: day not in {date(2027, 3, number) for number in closed}


# ---- The dates of a window

DATES = [
    pytest.param(RollingDays(days=0), MONDAY, every_day, (None, "2027-03-01"), id="today only"),
    pytest.param(RollingDays(days=1), MONDAY, every_day, (None, "2027-03-02"), id="today and tomorrow"),
    pytest.param(RollingDays(days=31), MONDAY, every_day, (None, "2027-04-01"), id="over the end of a month"),
    pytest.param(RollingDays(days=3), SATURDAY, on_weekdays, (None, "2027-03-09"), id="closed days count too"),
    pytest.param(RollingDays(days=2), MONDAY, never, (None, "2027-03-03"), id="even where nothing ever opens"),
    pytest.param(RollingDays(days=MAX_DAYS), MONDAY, every_day, (None, "2028-02-29"), id="at most a year"),
    pytest.param(BookableDays(days=1), MONDAY, every_day, (None, "2027-03-01"), id="one bookable day is today"),
    pytest.param(BookableDays(days=1), SATURDAY, on_weekdays, (None, "2027-03-08"), id="or the next that opens"),
    pytest.param(BookableDays(days=5), MONDAY, on_weekdays, (None, "2027-03-05"), id="five from Monday to Friday"),
    pytest.param(BookableDays(days=6), MONDAY, on_weekdays, (None, "2027-03-08"), id="the sixth after the weekend"),
    pytest.param(BookableDays(days=3), MONDAY, but_not(1, 3), (None, "2027-03-05"), id="closed days do not count"),
    pytest.param(BookableDays(days=MAX_DAYS), MONDAY, every_day, (None, "2028-02-28"), id="as many as there may be"),
    pytest.param(BookableDays(days=MAX_DAYS), MONDAY, but_not(2), (None, "2028-02-29"), id="one of them is closed"),
    pytest.param(BookableDays(days=MAX_DAYS), MONDAY, but_not(2, 3), (None, "2028-02-29"), id="a year is not enough"),
    pytest.param(BookableDays(days=1), MONDAY, never, (None, "2028-02-29"), id="a year, and none of it opens"),
    pytest.param(
        FixedDates(first=MONDAY, last=SATURDAY), MONDAY, every_day, ("2027-03-01", "2027-03-06"), id="fixed dates"
    ),
    pytest.param(
        FixedDates(first=MONDAY, last=MONDAY), SATURDAY, never, ("2027-03-01", "2027-03-01"), id="whatever today is"
    ),
    pytest.param(Unlimited(), MONDAY, every_day, (None, None), id="no end at all"),
]


@pytest.mark.parametrize(("window", "today", "opens_on", "expected"), DATES)
def test_dates_of_a_window(
    window: Window, today: date, opens_on: Callable[[date], bool], expected: tuple[str | None, str | None]
) -> None:
    found = dates_of(window, today=today, opens_on=opens_on)
    assert (found.first and str(found.first), found.last and str(found.last)) == expected


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        pytest.param(RollingDays, {"days": -1}, id="rolling back"),
        pytest.param(RollingDays, {"days": MAX_DAYS + 1}, id="rolling over a year ahead"),
        pytest.param(BookableDays, {"days": 0}, id="no bookable day"),
        pytest.param(BookableDays, {"days": MAX_DAYS + 1}, id="more bookable days than a year has"),
        pytest.param(FixedDates, {"first": SATURDAY, "last": MONDAY}, id="fixed dates that end before they begin"),
    ],
)
def test_windows_that_make_no_sense_are_refused(kind: type[Window], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**fields)


@pytest.mark.parametrize(
    ("stored", "window"),
    [
        pytest.param({"kind": "rolling_days", "days": 14}, RollingDays(days=14), id="rolling days"),
        pytest.param({"kind": "bookable_days", "days": 5}, BookableDays(days=5), id="bookable days"),
        pytest.param(
            {"kind": "fixed_dates", "first": "2027-03-01", "last": "2027-03-06"},
            FixedDates(first=MONDAY, last=SATURDAY),
            id="fixed dates",
        ),
        pytest.param({"kind": "unlimited"}, Unlimited(), id="unlimited"),
    ],
)
def test_a_stored_window_is_known_by_its_kind(stored: dict[str, Any], window: Window) -> None:
    fields = service().model_dump(mode="json") | {"window": stored}
    assert Service.model_validate(fields).window == window


# ---- Where it ends on the clock


def round_the_clock(zone: str, **changes: Any) -> Hours:
    return hours(weekly("00:00", "24:00", EVERY_DAY), zone=zone).model_copy(update=changes)


def minutes_on_offer(window: Window, of: Hours, *, now: int, **changes: Any) -> Question:
    """A start every minute, for a minute."""
    rules = service(duration_minutes=1, step_minutes=1, window=window)
    return question(asked=rules, of=resource(hours=of), now=now, **changes)


TODAY, TWO_DAYS = RollingDays(days=0), RollingDays(days=1)

ENDS = [
    pytest.param(TODAY, "UTC", "2027-03-01T00:00:00Z", "2027-03-02T00:00Z", id="from midnight on it is today"),
    pytest.param(TODAY, "UTC", "2027-03-01T23:59:59.999Z", "2027-03-02T00:00Z", id="until the last moment"),
    pytest.param(TODAY, BERLIN, "2027-03-01T22:59:59.999Z", "2027-03-01T23:00Z", id="before midnight in Berlin"),
    pytest.param(TODAY, BERLIN, "2027-03-01T23:00:00Z", "2027-03-02T23:00Z", id="at midnight in Berlin"),
    pytest.param(TODAY, KIRITIMATI, "2027-03-01T09:59:00Z", "2027-03-01T10:00Z", id="before midnight far east"),
    pytest.param(TODAY, KIRITIMATI, "2027-03-01T10:00:00Z", "2027-03-02T10:00Z", id="at midnight far east"),
    pytest.param(TODAY, LOS_ANGELES, "2027-03-01T07:59:00Z", "2027-03-01T08:00Z", id="before midnight far west"),
    pytest.param(TODAY, BERLIN, "2027-03-28T12:00:00Z", "2027-03-28T22:00Z", id="a day of 23 hours"),
    pytest.param(TWO_DAYS, BERLIN, "2027-03-27T12:00:00Z", "2027-03-28T22:00Z", id="and the day before it"),
    pytest.param(TODAY, BERLIN, "2027-10-31T12:00:00Z", "2027-10-31T23:00Z", id="a day of 25 hours"),
    pytest.param(TODAY, LORD_HOWE, "2027-10-03T00:00:00Z", "2027-10-03T13:00Z", id="a day of 23 and a half"),
    pytest.param(TODAY, BEIRUT, "2027-03-27T12:00:00Z", "2027-03-27T22:00Z", id="tomorrow has no 00:00"),
    pytest.param(TODAY, HAVANA, "2027-11-06T12:00:00Z", "2027-11-07T04:00Z", id="tomorrow has 00:00 twice"),
    pytest.param(TODAY, HAVANA, "2027-11-07T04:30:00Z", "2027-11-08T05:00Z", id="in the first of the two"),
    pytest.param(TWO_DAYS, APIA, "2011-12-29T12:00:00Z", "2011-12-30T10:00Z", id="tomorrow does not exist"),
    pytest.param(
        FixedDates(first=MONDAY, last=MONDAY), BERLIN, "2027-02-28T12:00:00Z", "2027-03-01T23:00Z", id="the last date"
    ),
    pytest.param(BookableDays(days=2), BERLIN, "2027-03-27T12:00:00Z", "2027-03-28T22:00Z", id="bookable days"),
]


@pytest.mark.parametrize(("window", "zone", "now", "end"), ENDS)
def test_a_window_ends_with_a_local_day(window: Window, zone: str, now: str, end: str) -> None:
    asked = minutes_on_offer(window, round_the_clock(zone), now=millis(now))
    after = minute(end)
    assert list(open_starts(asked, Interval(after - 1, after + 90), ignoring={Closed.TOO_SOON})) == [after - 1]
    assert Closed.TOO_FAR not in {reason.rule for reason in explain(asked, after - 1)}
    assert [reason.rule for reason in explain(asked, after)] == [Closed.TOO_FAR]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        pytest.param("UTC", MONDAY, "2027-03-01T00:00Z", id="in UTC"),
        pytest.param(BERLIN, MONDAY, "2027-02-28T23:00Z", id="in Berlin"),
        pytest.param(KIRITIMATI, MONDAY, "2027-02-28T10:00Z", id="far east"),
        pytest.param(LOS_ANGELES, MONDAY, "2027-03-01T08:00Z", id="far west"),
        pytest.param(BEIRUT, date(2027, 3, 28), "2027-03-27T22:00Z", id="at 01:00 where there is no 00:00"),
        pytest.param(HAVANA, date(2027, 11, 7), "2027-11-07T04:00Z", id="at the first of two"),
    ],
)
def test_fixed_dates_begin_at_midnight(zone: str, day: date, begins: str) -> None:
    window = FixedDates(first=day, last=day + timedelta(days=9))
    asked = minutes_on_offer(window, round_the_clock(zone), now=0)
    first = minute(begins)
    assert list(open_starts(asked, Interval(first - 90, first + 2))) == [first, first + 1]
    assert [reason.rule for reason in explain(asked, first - 1)] == [Closed.TOO_SOON]


def test_without_a_window_what_is_known_is_the_end() -> None:
    asked = minutes_on_offer(Unlimited(), round_the_clock(BERLIN), now=0, known_until=minute("2029-03-01T10:00Z"))
    last = minute("2029-03-01T09:59Z")
    assert list(open_starts(asked, Interval(last - 1, FAR // 10))) == [last - 1, last]


def test_today_is_where_the_resource_lives_not_where_it_travels() -> None:
    trip = Travel(first=date(2027, 2, 20), last=date(2027, 3, 10), time_zone=KIRITIMATI)
    asked = minutes_on_offer(TODAY, round_the_clock(BERLIN, travel=(trip,)), now=millis("2027-03-01T12:00:00Z"))
    last = minute("2027-03-01T22:59Z")
    assert list(open_starts(asked, Interval(last, last + 2))) == [last]


# ---- Which days are bookable

WEEKDAYS = hours(weekly("09:00", "17:00"), zone="UTC")
FRIDAY_LATE = hours(weekly("09:00", "17:00", (1, 2, 3, 4)), weekly("22:00", "06:00", (5,)), zone="UTC")
WEDNESDAY = date(2027, 3, 3)

BOOKABLE = [
    pytest.param(3, WEEKDAYS, "2027-03-03", id="Monday to Wednesday"),
    pytest.param(
        3, WEEKDAYS.model_copy(update={"holidays": (Holiday(date=WEDNESDAY),)}), "2027-03-04", id="a holiday between"
    ),
    pytest.param(
        3,
        WEEKDAYS.model_copy(update={"overrides": (override("2027-03-03"),)}),
        "2027-03-04",
        id="a closed date between",
    ),
    pytest.param(
        3,
        WEEKDAYS.model_copy(update={"overrides": (DateOverride(date=WEDNESDAY, kind="close"),)}),
        "2027-03-04",
        id="another way to close it",
    ),
    pytest.param(
        3,
        WEEKDAYS.model_copy(update={"overrides": (override("2027-03-03", ("09:00", "09:01")),)}),
        "2027-03-03",
        id="a day that opens for a minute counts",
    ),
    pytest.param(
        6,
        WEEKDAYS.model_copy(update={"overrides": (override("2027-03-06", ("10:00", "12:00")),)}),
        "2027-03-06",
        id="a Saturday that is open",
    ),
    pytest.param(
        3,
        WEEKDAYS.model_copy(update={"closed": (ClosedPeriod(first=WEDNESDAY, last=date(2027, 3, 10)),)}),
        "2027-03-11",
        id="a closed week",
    ),
    pytest.param(
        3,
        WEEKDAYS.model_copy(update={"seasons": (Season(first=WEDNESDAY, last=date(2027, 3, 10)),)}),
        "2027-03-11",
        id="a season without hours",
    ),
    pytest.param(
        1,
        WEEKDAYS.model_copy(update={"holidays": (Holiday(date=MONDAY),)}),
        "2027-03-02",
        id="today is a holiday",
    ),
    pytest.param(5, FRIDAY_LATE, "2027-03-05", id="a night belongs to the day it begins on"),
    pytest.param(6, FRIDAY_LATE, "2027-03-08", id="and makes no bookable day of the next"),
]


@pytest.mark.parametrize(("days", "of", "last"), BOOKABLE)
def test_bookable_days_are_those_with_hours(days: int, of: Hours, last: str) -> None:
    asked = question(
        asked=service(window=BookableDays(days=days)), of=resource(hours=of), now=millis("2027-03-01T08:00:00Z")
    )
    (reason,) = (r for r in explain(asked, minute("2027-12-24T10:00Z")) if r.rule is Closed.TOO_FAR)
    assert reason.cause["ends"] == f"{date.fromisoformat(last) + timedelta(days=1)}T00:00:00Z"


def test_today_is_a_bookable_day_though_its_hours_are_over() -> None:
    late = question(
        asked=service(window=BookableDays(days=1)), of=resource(hours=WEEKDAYS), now=millis("2027-03-01T20:00:00Z")
    )
    assert list(open_starts(late, Interval(minute("2027-03-01T00:00Z"), minute("2027-03-09T00:00Z")))) == []


def test_what_of_an_opening_lies_beyond_midnight_lies_beyond_the_window() -> None:
    nights = resource(hours=hours(weekly("22:00", "02:00", EVERY_DAY), zone="UTC"))
    tonight = question(asked=service(window=TODAY), of=nights, now=millis("2027-03-01T12:00:00Z"))
    starts = open_starts(tonight, Interval(minute("2027-03-01T12:00Z"), minute("2027-03-03T00:00Z")))
    assert list(starts) == [minute(f"2027-03-01T{clock}Z") for clock in ("22:00", "22:30", "23:00", "23:30")]
