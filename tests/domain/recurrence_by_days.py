"""Recurrence rules by their definition (RFC 5545, 3.3.10; what it leaves open, RFC 8984, 4.3.3.1): every day is asked whether it fits. Slow on purpose.

Knows years to days, and one time of day.
"""

import calendar
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from itertools import groupby, takewhile

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def occurrences(rule: Mapping[str, str], first: datetime, *, until: datetime) -> Iterator[datetime]:
    """The wall times of a rule that begins at `first`, up to `until`."""
    rule = spelled_out(rule, first.date())
    end = min(until, last_allowed(rule)) if "UNTIL" in rule else until
    count = int(rule.get("COUNT", 10**9))
    for number, wall in enumerate(takewhile(lambda wall: wall <= end, unlimited(rule, first, until.year + 1))):
        if number == count:
            return
        yield wall


def last_allowed(rule: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(rule["UNTIL"])


def unlimited(rule: Mapping[str, str], first: datetime, last_year: int) -> Iterator[datetime]:
    days = (date(first.year, 1, 1) + timedelta(days=n) for n in range(-7, 366 * (last_year + 1 - first.year)))
    start = period(rule, first.date())
    for number, members in groupby(days, lambda day: period(rule, day)):
        if number < start or (number - start) % int(rule.get("INTERVAL", 1)):
            continue
        chosen = [day for day in members if fits(rule, day)]
        if "BYSETPOS" in rule:
            places = [int(text) for text in rule["BYSETPOS"].split(",")]
            chosen = [day for n, day in enumerate(chosen) if n + 1 in places or n - len(chosen) in places]
        yield from (wall for day in chosen if (wall := datetime.combine(day, first.time())) >= first)


def spelled_out(rule: Mapping[str, str], first: date) -> dict[str, str]:
    """With what the first occurrence says where the rule does not."""
    full = dict(rule)
    weekday = WEEKDAYS[first.weekday()]
    match rule["FREQ"]:
        case "YEARLY" if "BYYEARDAY" not in rule:
            if not {"BYMONTH", "BYWEEKNO"} & rule.keys() and ("BYMONTHDAY" in rule or "BYDAY" not in rule):
                full["BYMONTH"] = str(first.month)
            if not {"BYMONTHDAY", "BYWEEKNO", "BYDAY"} & rule.keys():
                full["BYMONTHDAY"] = str(first.day)
            if "BYWEEKNO" in rule and not {"BYMONTHDAY", "BYDAY"} & rule.keys():
                full["BYDAY"] = weekday
        case "MONTHLY" if not {"BYMONTHDAY", "BYDAY"} & rule.keys():
            full["BYMONTHDAY"] = str(first.day)
        case "WEEKLY" if "BYDAY" not in rule:
            full["BYDAY"] = weekday
    return full


def period(rule: Mapping[str, str], day: date) -> int:
    """The number of the year, month, week or day."""
    match rule["FREQ"]:
        case "YEARLY":
            return day.year
        case "MONTHLY":
            return day.year * 12 + day.month
        case "WEEKLY":
            return (day.toordinal() - 1 - WEEKDAYS.index(rule.get("WKST", "MO"))) // 7  # day 1 was a Monday
    return day.toordinal()


def fits(rule: Mapping[str, str], day: date) -> bool:
    in_month = calendar.monthrange(day.year, day.month)[1]
    in_year = 365 + calendar.isleap(day.year)
    day_of_year = day.timetuple().tm_yday
    if "BYMONTH" in rule and day.month not in numbers(rule["BYMONTH"]):
        return False
    if "BYMONTHDAY" in rule and not {day.day, day.day - in_month - 1} & numbers(rule["BYMONTHDAY"]):
        return False
    if "BYYEARDAY" in rule and not {day_of_year, day_of_year - in_year - 1} & numbers(rule["BYYEARDAY"]):
        return False
    if "BYWEEKNO" in rule and not week_numbers(day, rule.get("WKST", "MO")) & numbers(rule["BYWEEKNO"]):
        return False
    if "BYDAY" not in rule:
        return True
    monthly = rule["FREQ"] == "MONTHLY" or "BYMONTH" in rule
    place, length = (day.day, in_month) if monthly else (day_of_year, in_year)
    name = WEEKDAYS[day.weekday()]
    names = {name, f"{(place - 1) // 7 + 1}{name}", f"-{(length - place) // 7 + 1}{name}"}
    return not names.isdisjoint(rule["BYDAY"].split(","))


@cache
def numbers(text: str) -> frozenset[int]:
    return frozenset(int(each) for each in text.split(","))


def week_numbers(day: date, week_start: str) -> set[int]:
    """Of the week that the day is in, counted from either end of the year that holds most of it: so week 1 of next year may begin in December."""
    first_of_week = day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)
    year = (first_of_week + timedelta(days=3)).year
    around = (first_of_week + timedelta(weeks=n) for n in range(-53, 54))
    weeks = [first for first in around if (first + timedelta(days=3)).year == year]
    number = weeks.index(first_of_week)
    return {number + 1, number - len(weeks)}
