"""A recurrence rule (RFC 5545, 3.3.10) and where it occurs, in wall time and within a window.

dateutil computes the occurrences. It is given a rule that leaves nothing to be guessed, and a first period near the window: left alone it would count
from the first occurrence on, to the end of the calendar where a rule never occurs (cases 144, 145 and 147).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import prod
from typing import Literal, TypeAlias

from dateutil.rrule import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, YEARLY, rrule, weekday, weekdays

# What is computed at most for one rule: some milliseconds' worth.
MAX_OCCURRENCES = 2_000  # within the window
MAX_COUNTED = 5_000  # those of a COUNT that lie before the window too
MAX_TIMES_A_DAY = 48
MAX_LISTED = 2_000  # of a period
MAX_POSITIONS = 10
MAX_YEARS_OF_DAYS = 30
MAX_PERIODS = {YEARLY: 100, MONTHLY: 300, WEEKLY: 1_000, DAILY: 1_000, HOURLY: 1_000, MINUTELY: 1_000, SECONDLY: 1_000}

Frequency: TypeAlias = Literal[0, 1, 2, 3, 4, 5, 6]  # as dateutil numbers them: the finer, the higher
Parts: TypeAlias = Mapping[str, tuple[int, ...]]

_FREQUENCIES: Mapping[str, Frequency] = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
    "MINUTELY": MINUTELY,
    "SECONDLY": SECONDLY,
}
_UNITS = {
    WEEKLY: timedelta(weeks=1),
    DAILY: timedelta(days=1),
    HOURLY: timedelta(hours=1),
    MINUTELY: timedelta(minutes=1),
    SECONDLY: timedelta(seconds=1),
}
# What each part may hold, and whether it may also be counted from the end.
_VALUES = {
    "BYMONTH": (1, 12, False),
    "BYWEEKNO": (1, 53, True),
    "BYYEARDAY": (1, 366, True),
    "BYMONTHDAY": (1, 31, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 60, False),
    "BYSETPOS": (1, 366, True),
}
_ONCE = 12 * 10_000  # a step out of the calendar
_TIME_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")
_DAY_PARTS = ("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_DEFAULTS = frozenset({"RSCALE=GREGORIAN", "SKIP=OMIT"})  # RFC 7529: what holds without them


class TooDense(Exception):
    """The rule occurs more often, or would have to be counted for longer, than is worth computing."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that says everything: nothing of it is left to the first occurrence. `until` is a wall time, included.

    `weekdays` are the days of BYDAY, with their number where they have one; none means every day.
    """

    frequency: Frequency
    interval: int = 1
    week_start: int = 0
    count: int | None = None
    until: datetime | None = None
    parts: Parts
    weekdays: tuple[weekday, ...] = ()


def read_rule(value: str, first: datetime, *, until_of: Callable[[str], datetime]) -> Rule:
    """The rule of a series that begins at the wall time `first`. `until_of` reads the value of UNTIL. Raises ValueError where it can't be read."""
    named = dict(_named_parts(value))
    frequency = _FREQUENCIES.get(named.pop("FREQ", ""))
    interval, count = int(named.pop("INTERVAL", "1")), named.pop("COUNT", None)
    until, days = named.pop("UNTIL", None), named.pop("BYDAY", "")
    if frequency is None or interval < 1 or (count is not None and int(count) < 1):
        raise ValueError(f"{value} says nothing that could recur")
    rule = Rule(
        frequency=frequency,
        interval=interval,
        week_start=_WEEKDAYS.index(named.pop("WKST", "MO")),
        count=None if count is None else int(count),
        until=None if until is None else until_of(until),
        weekdays=_weekdays(days),
        parts={name: _values(name, text) for name, text in named.items()},
    )
    return _with_an_end(_by_the_week(_spelled_out(rule, first)), first)


def _named_parts(value: str) -> Iterator[tuple[str, str]]:
    for part in value.upper().split(";"):
        name, _, text = part.strip().partition("=")
        if name and not name.startswith("X-") and part.strip() not in _DEFAULTS:
            yield name, text


def _values(name: str, text: str) -> tuple[int, ...]:
    if name not in _VALUES:
        raise ValueError(f"{name} is no part of a rule")
    least, most, from_the_end = _VALUES[name]
    values = sorted({int(each) for each in text.split(",")})
    if not all(least <= (abs(each) if from_the_end else each) <= most for each in values):
        raise ValueError(f"{name}={text} is out of range")
    return tuple(sorted({min(each, 59) for each in values})) if name == "BYSECOND" else tuple(values)  # a leap second


def _weekdays(text: str) -> tuple[weekday, ...]:
    found = []
    for each in text.split(",") if text else ():
        match = _BYDAY.fullmatch(each.strip())
        if match is None or not -53 <= int(match[1] or 1) <= 53:
            raise ValueError(f"{each} is not a weekday")
        day = weekdays[_WEEKDAYS.index(match[2])]
        found.append(day(int(match[1])) if match[1] else day)
    return tuple(found)


def _spelled_out(rule: Rule, first: datetime) -> Rule:
    """With what a rule leaves to its first occurrence, as RFC 8984 (4.3.3.1) lists it: RFC 5545 does not say it of every rule, and dateutil takes a
    yearly day of the month for one in every month, which Google does not (case 143).
    """
    parts, days = dict(rule.parts), rule.weekdays
    if rule.frequency == YEARLY and "BYYEARDAY" not in parts:
        weeks, month_days = "BYWEEKNO" in parts, "BYMONTHDAY" in parts
        if not weeks and "BYMONTH" not in parts and (month_days or not days):
            parts["BYMONTH"] = (first.month,)
        if not weeks and not month_days and not days:
            parts["BYMONTHDAY"] = (first.day,)
        if weeks and not month_days and not days:
            days = (weekdays[first.weekday()],)
    if rule.frequency == MONTHLY and not days and "BYMONTHDAY" not in parts:
        parts["BYMONTHDAY"] = (first.day,)
    if rule.frequency == WEEKLY and not days:
        days = (weekdays[first.weekday()],)
    for name, of_the_first, from_frequency in (
        ("BYHOUR", first.hour, HOURLY),
        ("BYMINUTE", first.minute, MINUTELY),
        ("BYSECOND", first.second, SECONDLY),
    ):
        if rule.frequency < from_frequency:
            parts.setdefault(name, (of_the_first,))
    return replace(rule, parts=parts, weekdays=_of_one_kind(rule.frequency, days, by_month="BYMONTH" in parts))


def _of_one_kind(frequency: Frequency, days: tuple[weekday, ...], *, by_month: bool) -> tuple[weekday, ...]:
    """dateutil asks for a day that is both a Monday and the second Tuesday, where BYDAY=MO,2TU means either. Numbers that a month or a year does not
    have are left out; in other frequencies there are none.
    """
    if frequency > MONTHLY:
        return tuple(weekdays[day.weekday] for day in days)
    if not any(day.n for day in days):
        return days
    most = 5 if frequency == MONTHLY or by_month else 53
    numbers = {(day.weekday, n) for day in days for n in ([day.n] if day.n else range(1, most + 1)) if abs(n) <= most}
    if not numbers:
        raise ValueError("no month has so many weeks")
    return tuple(weekdays[of_week](n) for of_week, n in sorted(numbers))


def _by_the_week(rule: Rule) -> Rule:
    """A rule for every day, some weekdays left out or none, is one for every week."""
    if rule.frequency == DAILY and rule.interval == 1 and "BYSETPOS" not in rule.parts:
        return replace(rule, frequency=WEEKLY, weekdays=rule.weekdays or weekdays)
    return rule


def _with_an_end(rule: Rule, first: datetime) -> Rule:
    """With UNTIL instead of COUNT where every period has as many occurrences as the next: then the last one can be told without counting."""
    if rule.count is None or not _steady(rule):
        return rule
    start = _period_start(rule, first)
    in_a_period = _one_period(rule, start)
    before = sum(wall < first for wall in in_a_period)
    periods, index = divmod(before + rule.count - 1, len(in_a_period))
    try:
        last = _one_period(rule, _advanced(rule, start, periods * rule.interval))[index]
    except (OverflowError, ValueError):
        return replace(rule, count=None)  # beyond the end of the calendar
    return replace(rule, count=None, until=min(last, rule.until or last))


def _steady(rule: Rule) -> bool:
    """Whether every period surely has as many occurrences as the next, and a number that can be listed."""
    named, times = set(rule.parts), set(_TIME_PARTS[: max(0, rule.frequency - DAILY)])
    if named & {"BYSETPOS", "BYWEEKNO", "BYYEARDAY", *times} or _times_a_day(rule) > MAX_LISTED // 7:
        return False
    if rule.frequency >= WEEKLY:
        return not named & {"BYMONTH", "BYMONTHDAY"} and (rule.frequency == WEEKLY or not rule.weekdays)
    if ("BYMONTH" in named) != (rule.frequency == YEARLY):
        return False
    # The 29th is not in every month, nor is the fifth Monday; and some days may be named twice, once from either end.
    numbers = [(day.n or 9) * 7 for day in rule.weekdays] or list(rule.parts["BYMONTHDAY"])
    both = bool(rule.weekdays) and "BYMONTHDAY" in named
    return not both and (all(0 < each <= 28 for each in numbers) or all(-28 <= each < 0 for each in numbers))


def occurrences(
    rule: Rule, first: datetime, *, since: datetime, until: datetime, exact: bool = False
) -> list[datetime]:
    """Every wall time from `since` to `until`, both included, at which the rule of a series that begins at `first` occurs, in order.

    Where those before `since` are too many to be counted, COUNT is taken as not yet reached, but if `exact` is asked for. Raises `TooDense`, and
    ValueError where the rule can never occur.
    """
    rule = _coarser(rule, first)
    if len(rule.parts.get("BYSETPOS", ())) > MAX_POSITIONS or _times_a_day(rule) > MAX_TIMES_A_DAY:
        raise TooDense
    until, count = min(until, rule.until or until), rule.count
    start = _period_start(rule, first)
    if count is not None and (count > MAX_COUNTED or not _affordable(rule, start, until)):
        if exact:
            raise TooDense
        count = None
    if count is None:
        start = _advanced(rule, start, max(0, _units(rule, start, since) // rule.interval * rule.interval))
    found: list[datetime] = []
    for number, wall in enumerate(wall for wall in _computed(rule, start, until) if wall >= first):
        if number == count:
            break
        if wall >= since:
            if len(found) == MAX_OCCURRENCES:
                raise TooDense
            found.append(wall)
    return found


def days_touched(rule: Rule, *, since: datetime, until: datetime) -> list[date]:
    """In order, the days from `since` to `until` on which the rule may occur at all: those that its months and weekdays do not rule out.

    Raises `TooDense`.
    """
    parts = {name: values for name, values in rule.parts.items() if name in _DAY_PARTS}
    days = {weekdays[day.weekday] for day in rule.weekdays} or weekdays
    yearly = replace(rule, frequency=YEARLY, interval=1, parts=parts, weekdays=tuple(days))
    found = _computed(yearly, _period_start(yearly, since), until)
    return [wall.date() for wall in found if since.date() <= wall.date()]


def _coarser(rule: Rule, first: datetime) -> Rule:
    """The same occurrences in fewer steps: every second hour is a day with twelve of them."""
    if "BYSETPOS" in rule.parts:
        return rule  # a place in a set means another one in a larger set
    steps: tuple[tuple[Frequency, Frequency, str, int, int], ...] = (
        (SECONDLY, MINUTELY, "BYSECOND", 60, first.second),
        (MINUTELY, HOURLY, "BYMINUTE", 60, first.minute),
        (HOURLY, DAILY, "BYHOUR", 24, first.hour),
    )
    for finer, coarser, part, base, of_the_first in steps:
        if rule.frequency == finer and (base % rule.interval == 0 or rule.interval % base == 0):
            step = min(rule.interval, base)
            values = tuple(each for each in rule.parts.get(part, range(base)) if (each - of_the_first) % step == 0)
            if not values:
                raise ValueError("the rule never occurs")
            parts = {**rule.parts, part: values}
            rule = replace(rule, frequency=coarser, interval=max(1, rule.interval // base), parts=parts)
    return rule


def _times_a_day(rule: Rule) -> int:
    return prod(len(rule.parts.get(name, (0,))) for name in _TIME_PARTS)


def _computed(rule: Rule, start: datetime, until: datetime) -> Iterator[datetime]:
    """What occurs from the beginning of the period at `start` to `until`, in order.

    dateutil looks whether it is past `until` only when it finds something: a rule that never occurs is searched to the end of the calendar. So years
    and months are asked for one by one, weeks and days as days of a year. What comes more often is computed as if no day were left out, which surely
    occurs, and then held against the days.
    """
    if not _affordable(rule, start, until):
        raise TooDense
    if rule.frequency <= MONTHLY:
        for number in range(_periods(rule, start, until) + 1):
            yield from _rrule(rule, _advanced(rule, start, number * rule.interval), _ONCE, until)
    elif _by_days(rule):
        yearly = replace(rule, frequency=YEARLY, interval=1, weekdays=rule.weekdays or weekdays)
        found = _computed(yearly, _period_start(yearly, start), until)
        yield from (wall for wall in found if wall >= start and _units(rule, start, wall) % rule.interval == 0)
    elif start <= until:
        always = _without_days(rule)
        days = None if always == rule else set(days_touched(rule, since=start, until=until))
        steps = _periods(rule, start, until)
        found = iter(_rrule(always, start, rule.interval, until) if steps else _one_period(always, start))
        yield from (wall for wall in found if wall <= until and (days is None or wall.date() in days))


def _by_days(rule: Rule) -> bool:
    return rule.frequency in (WEEKLY, DAILY) and "BYSETPOS" not in rule.parts


def _affordable(rule: Rule, start: datetime, until: datetime) -> bool:
    if _by_days(rule):
        return until.year - start.year <= MAX_YEARS_OF_DAYS
    positions = len(rule.parts.get("BYSETPOS", (0,))) if rule.frequency == YEARLY else 1  # all of the year for each
    return _periods(rule, start, until) * positions <= MAX_PERIODS[rule.frequency]


def _without_days(rule: Rule) -> Rule:
    """A rule that leaves out no days, and so surely occurs. Raises ValueError where it never does, `TooDense`."""
    parts = {name: values for name, values in rule.parts.items() if name not in _DAY_PARTS}
    days = rule.weekdays if rule.frequency == WEEKLY else ()
    if positions := parts.get("BYSETPOS"):
        if rule.frequency == WEEKLY and parts != rule.parts:
            raise TooDense  # positions in weeks of which some days are left out: nobody means that
        finer = _TIME_PARTS[max(0, rule.frequency - DAILY) :]
        size = max(1, len(days)) * prod(len(parts[name]) for name in finer)
        parts["BYSETPOS"] = tuple(each for each in positions if abs(each) <= size)
        if not parts["BYSETPOS"]:
            raise ValueError("the rule never occurs")
    return replace(rule, parts=parts, weekdays=days)


def _one_period(rule: Rule, start: datetime) -> list[datetime]:
    """The occurrences of the period that begins at `start`, of a rule that has some in every one. Not by its interval: dateutil walks through the
    days of a step, however long it is.
    """
    if rule.frequency <= MONTHLY:
        return list(_rrule(rule, start, _ONCE, None))
    return list(_rrule(rule, start, 1, start + _UNITS[rule.frequency] - timedelta(seconds=1)))


def _rrule(rule: Rule, start: datetime, interval: int, until: datetime | None) -> Iterable[datetime]:
    return rrule(
        rule.frequency,
        dtstart=start,
        interval=interval,
        wkst=rule.week_start,
        until=until,
        byweekday=rule.weekdays or None,
        bymonth=rule.parts.get("BYMONTH"),
        byweekno=rule.parts.get("BYWEEKNO"),
        byyearday=rule.parts.get("BYYEARDAY"),
        bymonthday=rule.parts.get("BYMONTHDAY"),
        byhour=rule.parts.get("BYHOUR"),
        byminute=rule.parts.get("BYMINUTE"),
        bysecond=rule.parts.get("BYSECOND"),
        bysetpos=rule.parts.get("BYSETPOS"),
    )


def _period_start(rule: Rule, moment: datetime) -> datetime:
    """The beginning of the year, month, week … that `moment` lies in."""
    midnight = datetime.combine(moment, time())
    if rule.frequency == YEARLY:
        return midnight.replace(month=1, day=1)
    if rule.frequency == MONTHLY:
        return midnight.replace(day=1)
    if rule.frequency == WEEKLY:
        return midnight - timedelta(days=(moment.weekday() - rule.week_start) % 7)
    return midnight + (moment - midnight) // _UNITS[rule.frequency] * _UNITS[rule.frequency]


def _units(rule: Rule, start: datetime, moment: datetime) -> int:
    """How many years, months, weeks … there are from the beginning of the one at `start` to the one that holds `moment`."""
    if rule.frequency == YEARLY:
        return moment.year - start.year
    if rule.frequency == MONTHLY:
        return 12 * (moment.year - start.year) + moment.month - start.month
    return (moment - start) // _UNITS[rule.frequency]


def _periods(rule: Rule, start: datetime, until: datetime) -> int:
    return _units(rule, start, until) // rule.interval


def _advanced(rule: Rule, start: datetime, units: int) -> datetime:
    if rule.frequency > MONTHLY:
        return start + units * _UNITS[rule.frequency]
    months = start.month - 1 + units * (12 if rule.frequency == YEARLY else 1)
    return start.replace(year=start.year + months // 12, month=months % 12 + 1)
