"""Recurring events: RRULE, EXRULE, RDATE and EXDATE lines, and the instances they make (RFC 5545).

A series is expanded on the wall clock of its start's zone, so a weekly 10:00 stays 10:00 across a change of clocks.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from dateutil.rrule import rrule, rruleset, rrulestr

from infra.local.google import errors
from infra.local.google.event_times import EventTime, at_wall, is_all_day, wall, zone

# Without a window, an endless series has to end somewhere. Others have seen a weekly one reach some 700 instances into
# the 2040s; here as many are counted from its start, or from now where it started earlier.
UNBOUNDED_INSTANCES = 730
LAST_YEAR = 2099

_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[A-Z0-9-]+=[^:;]+)*):(.+)$", re.IGNORECASE)
_UNTIL = re.compile(r"UNTIL=([0-9]{8})(T[0-9]{6})?(Z)?", re.IGNORECASE)


@dataclass(frozen=True)
class Instance:
    """One occurrence: its id's last part, and its times. `original` is what it is known by for ever."""

    suffix: str
    original: EventTime
    start: EventTime
    end: EventTime


class Series:
    """The occurrences of one recurring event, found on demand and remembered."""

    def __init__(self, *, start: EventTime, end: EventTime, recurrence: Iterable[str]) -> None:
        self._start = start
        self._end = end
        self._length = wall(end) - wall(start)
        self._source = iter(_rules(start, recurrence))
        self._found: list[datetime] = []
        self._complete = False

    @property
    def length(self) -> timedelta:
        return self._length

    def walls(self, *, since: datetime | None = None) -> Iterator[datetime]:
        """Local starts in order, from the first at or after `since`, to the end of the century."""
        if since is not None:
            self._find_until(since)
        index = 0 if since is None else bisect_left(self._found, since)
        while True:
            while index < len(self._found):
                yield self._found[index]
                index += 1
            if not self._find_next():
                return

    def instance(self, local: datetime) -> Instance:
        original = at_wall(self._start, local)
        return Instance(self.suffix(local), original, original, at_wall(self._end, local + self._length))

    def suffix(self, local: datetime) -> str:
        """`YYYYMMDD` for all-day series, else the UTC start as `YYYYMMDDTHHMMSSZ`."""
        if is_all_day(self._start):
            return local.strftime("%Y%m%d")
        instant = local.replace(tzinfo=zone(self._start["timeZone"])).astimezone(UTC)
        return instant.strftime("%Y%m%dT%H%M%SZ")

    def find(self, suffix: str) -> Instance | None:
        """The occurrence with this suffix, if the series has it."""
        local = self._local(suffix)
        if local is None:
            return None
        # A start that a change of clocks skips comes back from UTC as another local time: look around it.
        for found in self.walls(since=local - timedelta(hours=2)):
            if found > local + timedelta(hours=2):
                return None
            if self.suffix(found) == suffix:
                return self.instance(found)
        return None

    def unbounded(self, now: datetime) -> Iterator[Instance]:
        """What is listed of a series when no window is given."""
        return (self.instance(local) for local in self.unbounded_walls(now))

    def unbounded_walls(self, now: datetime) -> Iterator[datetime]:
        left = UNBOUNDED_INSTANCES
        for local in self.walls():
            if local >= now.replace(tzinfo=None):
                left -= 1
            if left < 0:
                return
            yield local

    def _local(self, suffix: str) -> datetime | None:
        try:
            if is_all_day(self._start):
                return datetime.strptime(suffix, "%Y%m%d")  # noqa: DTZ007 - a date of the calendar, no instant
            instant = datetime.strptime(suffix, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None
        return instant.astimezone(zone(self._start["timeZone"])).replace(tzinfo=None)

    def _find_until(self, local: datetime) -> None:
        while not self._found or self._found[-1] < local:
            if not self._find_next():
                return

    def _find_next(self) -> bool:
        if self._complete:
            return False
        found = next(self._source, None)
        if found is None or found.year > LAST_YEAR:
            self._complete = True
            return False
        self._found.append(found)
        return True


def check_recurrence(start: EventTime, end: EventTime, recurrence: Any) -> None:
    """Refuse (400 `invalid`) lines that are not RFC 5545, or a series without an occurrence."""
    if not isinstance(recurrence, list) or not all(isinstance(line, str) for line in recurrence):
        raise errors.invalid("Invalid recurrence rule.")
    try:
        first = next(Series(start=start, end=end, recurrence=recurrence).walls(), None)
    except (ValueError, KeyError, TypeError, ZoneInfoNotFoundError) as error:
        raise errors.invalid("Invalid recurrence rule.") from error
    if first is None:
        raise errors.invalid("Recurrence rule has no occurrence.")


def _rules(start: EventTime, lines: Iterable[str]) -> rruleset:
    first = wall(start)
    rules = rruleset()
    has_rule = False
    for line in lines:
        match = _LINE.match(line.strip())
        if match is None:
            raise ValueError(f"not a recurrence line: {line[:40]}")
        name, parameters, value = match[1].upper(), match[2].upper(), match[3]
        if name in ("RRULE", "EXRULE"):
            rule = rrulestr(_local_until(value, start), dtstart=first)
            if not isinstance(rule, rrule):
                raise ValueError("more than one rule in a line")
            (rules.rrule if name == "RRULE" else rules.exrule)(rule)
            has_rule = has_rule or name == "RRULE"
            continue
        if "VALUE=PERIOD" in parameters:
            raise ValueError("periods are not supported")
        zone_name = re.search(r";TZID=([^;]+)", match[2], re.IGNORECASE)
        for text in value.split(","):
            local = _local_date(text.strip(), zone_name[1] if zone_name else None, start)
            (rules.rdate if name == "RDATE" else rules.exdate)(local)
    if not has_rule:
        rules.rdate(first)
    return rules


def _local_until(rule: str, start: EventTime) -> str:
    """UNTIL on the series' own wall clock; a bare date in a timed series means the whole of that day."""

    def replace(match: re.Match[str]) -> str:
        day, clock, utc = match[1], match[2], match[3]
        if is_all_day(start):
            return f"UNTIL={day}T000000"
        if clock is None:
            return f"UNTIL={day}T235959"
        if utc is None:
            return f"UNTIL={day}{clock}"
        return "UNTIL=" + _local_date(f"{day}{clock}Z", None, start).strftime("%Y%m%dT%H%M%S")

    return _UNTIL.sub(replace, rule)


def _local_date(text: str, zone_name: str | None, start: EventTime) -> datetime:
    day = datetime.strptime(text[:8], "%Y%m%d")  # noqa: DTZ007 - made aware below where it is an instant
    if is_all_day(start):
        return day
    if len(text) == 8:
        return datetime.combine(day.date(), wall(start).time())
    clock = datetime.strptime(text[8:].rstrip("Zz"), "T%H%M%S").time()  # noqa: DTZ007
    local = datetime.combine(day.date(), clock)
    if text[-1] in "Zz":
        source = UTC
    elif zone_name is not None:
        source = zone(zone_name)  # type: ignore[assignment]
    else:
        return local
    return local.replace(tzinfo=source).astimezone(zone(start["timeZone"])).replace(tzinfo=None)


def split_instance_id(event_id: str) -> tuple[str, str] | None:
    """Master id and suffix of an instance id. Read from the right: a master's own id may hold an underscore."""
    master, _, suffix = event_id.rpartition("_")
    return (master, suffix) if master and suffix[:8].isdigit() else None
