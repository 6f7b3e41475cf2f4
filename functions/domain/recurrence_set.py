"""The recurrence lines of an event (RFC 5545, 3.8.5): rules and dates, what they leave out, and when it all occurs in wall time.

A line, or a date of a list, that can't be read adds nothing and leaves nothing out (case 57).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from functions.domain.google_event import zone_or
from functions.domain.recurrence_rule import Rule, TooDense, days_touched, occurrences, read_rule

T = TypeVar("T")

MAX_RULES = 4  # of one event
MAX_DATES = 2_000  # of its lists

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_DURATION = re.compile(r"\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class Occurrence(NamedTuple):
    """It begins at the wall time `start`; where `latest` is later, again and again from the one to the other. `length` where it has its own."""

    start: datetime
    latest: datetime
    length: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How the dates and times in the lines of a series are read: in its zone, or as dates."""

    zone: ZoneInfo
    all_day: bool

    def until(self, text: str) -> datetime:
        """The last wall time that UNTIL allows. A date is meant whole; in an all-day series only the date counts, in whatever zone it was written."""
        if self.all_day or "T" not in text:
            return datetime.combine(datetime.fromisoformat(text[:8]), time(23, 59, 59))
        return self.wall(text, None)

    def wall(self, text: str, zone_name: str | None) -> datetime:
        """A value of EXDATE or RDATE. In an all-day series midnight means its date, in whatever zone it was written."""
        moment = datetime.fromisoformat(text)
        if self.all_day and moment.time() == time():
            return moment.replace(tzinfo=None)
        if moment.tzinfo is None and zone_name:
            moment = moment.replace(tzinfo=zone_or(zone_name, self.zone.key))
        return moment if moment.tzinfo is None else moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def period(self, text: str, zone_name: str | None) -> tuple[datetime, timedelta | None]:
        """A value of RDATE: a start, and its length where it is a period."""
        start_text, _, end_text = text.partition("/")
        start = self.wall(start_text, zone_name)
        if not end_text:
            return start, None
        if match := _DURATION.fullmatch(end_text):
            weeks, days, hours, minutes, seconds = (int(each or 0) for each in match.groups())
            return start, timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        start_at, end_at = (self.wall(each, zone_name).replace(tzinfo=self.zone) for each in (start_text, end_text))
        return start, end_at.astimezone(UTC) - start_at.astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class RecurrenceSet:
    """All that the lines say. `first` is the wall time of the event itself, which belongs to the set whatever its rules say: so Google does it.

    `unread`: lines, and dates of lists, that can't be read.
    """

    first: datetime
    rules: tuple[Rule, ...]
    excluded_rules: tuple[Rule, ...]
    dates: frozenset[tuple[datetime, timedelta | None]]
    excluded: frozenset[datetime]
    unread: tuple[str, ...] = ()

    def between(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Occurrences that begin from `since` to `until`; the first one, and single dates, also where they lie outside."""
        walls, dense = {self.first}, list[Occurrence]()
        for rule in self.rules:
            with suppress(ValueError):  # dateutil finds no way for it to occur
                try:
                    walls.update(occurrences(rule, self.first, since=since, until=until))
                except TooDense:
                    dense += self._dense(rule, since, until)
        excluded = set(self.excluded)
        for rule in self.excluded_rules:
            with suppress(ValueError, TooDense):  # better busy than taken twice
                excluded.update(occurrences(rule, self.first, since=since, until=until, exact=True))
        yield from dense
        yield from (Occurrence(wall, wall) for wall in walls - excluded)
        yield from (Occurrence(wall, wall, length) for wall, length in self.dates if wall not in excluded)

    def _dense(self, rule: Rule, since: datetime, until: datetime) -> list[Occurrence]:
        """The days of a rule that is not worth computing, those in a row as one."""
        since, until = max(since, self.first), min(until, rule.until or until)
        try:
            days = [datetime.combine(day, time()) for day in days_touched(rule, since=since, until=until)]
        except TooDense:
            return [Occurrence(since, until)]
        found: list[Occurrence] = []
        for day in days:
            start, latest = max(since, day), min(until, day + _DAY - _SECOND)
            if found and start - found[-1].latest <= _SECOND:
                start = found.pop().start
            found.append(Occurrence(start, latest))
        return found


def read_lines(lines: Iterable[str], first: datetime, clock: Clock) -> RecurrenceSet:
    """The set of an event that begins at the wall time `first`. Raises `TooDense` where there is more of it than is worth reading."""
    rules: dict[str, list[Rule]] = {"RRULE": [], "EXRULE": []}
    listed: dict[str, list[tuple[str, str | None]]] = {"RDATE": [], "EXDATE": []}
    unread: list[str] = []
    for line in lines:
        head, _, value = line.strip().partition(":")
        name, *parameters = head.split(";")
        name, value = name.upper(), value.upper()
        if name in rules:
            try:
                rules[name].append(read_rule(value, first, until_of=clock.until))
            except (ValueError, OverflowError):
                unread.append(line)
        elif name in listed:
            zone_name = next((each[5:].strip('"') for each in parameters if each.upper().startswith("TZID=")), None)
            listed[name] += ((text.strip(), zone_name) for text in value.split(","))
        elif line.strip():
            unread.append(line)
    if len(listed["RDATE"]) > MAX_DATES or len(rules["RRULE"]) > MAX_RULES:
        raise TooDense
    dates = frozenset(_readable(clock.period, listed["RDATE"], unread))
    excluded = frozenset(_readable(clock.wall, listed["EXDATE"][:MAX_DATES], unread))
    return RecurrenceSet(
        first=first,
        rules=tuple(rules["RRULE"]),
        excluded_rules=tuple(rules["EXRULE"][:MAX_RULES]),
        dates=dates,
        excluded=excluded,
        unread=tuple(unread),
    )


def _readable(
    read: Callable[[str, str | None], T], listed: Iterable[tuple[str, str | None]], unread: list[str]
) -> Iterator[T]:
    for text, zone_name in listed:
        try:
            yield read(text, zone_name)
        except (ValueError, OverflowError):
            unread.append(text)
