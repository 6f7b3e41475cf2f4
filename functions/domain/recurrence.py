"""Recurring events to busy minutes, within a horizon.

Occurrences are computed in wall time, each is then resolved in the series' own zone: so a weekly 09:00 stays 09:00 over a clock change (case 134).
A series denser than is worth computing is busy on all of its days (case 145).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from functions.domain.google_event import (
    Malformed,
    MirrorEvent,
    date_of,
    instant_of,
    interval_of,
    start_minute,
    zone_or,
)
from functions.domain.instants import Minute, datetime_of
from functions.domain.intervals import Interval, merge
from functions.domain.recurrence_rule import TooDense, occurrences, read_rule
from functions.domain.recurrence_set import Clock, Occurrence, read_lines
from functions.domain.zones import midnight, zone

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  UTC, as all that is resolved


def series_blocks(
    master: MirrorEvent | None, exceptions: Iterable[MirrorEvent], *, calendar_zone: str, horizon: Interval
) -> list[Interval]:
    """The busy intervals of a series that touch `horizon`, merged.

    Exceptions replace or remove the occurrence of their original start. An exception without a master stands for itself (cases 137 and 140); with a
    cancelled master nothing of the series is left (case 139).
    """
    exceptions = tuple(exceptions)
    if master is not None and master.cancelled:
        return []
    replaced = {key for exception in exceptions if (key := _original_start(exception, calendar_zone)) is not None}
    found = [] if master is None else _occurrences(master, replaced, calendar_zone, horizon)
    for exception in exceptions:
        if exception.busy and not exception.cancelled:
            found += _single(exception, calendar_zone)
    return merge(interval for interval in found if interval.overlaps(horizon))


def single_blocks(event: MirrorEvent, *, calendar_zone: str, horizon: Interval) -> list[Interval]:
    """The busy interval of an event that stands alone, if it touches `horizon`."""
    if event.cancelled or not event.busy:
        return []
    return [interval for interval in _single(event, calendar_zone) if interval.overlaps(horizon)]


def is_blocked_for_more(rows: Iterable[MirrorEvent], *, calendar_zone: str, horizon: Interval) -> bool:
    """Whether a series among these rows is busy for longer than it really takes, because its occurrences are not worth telling apart or can't be read."""
    for master in rows:
        if master.kind != "master" or master.start is None:
            continue
        try:
            series = _series(master, calendar_zone)
            since, until = series.window(horizon)
            found = read_lines(master.recurrence, series.first, series.clock).between(since, until)
            if any(each.start < each.latest for each in found):
                return True
        except (TooDense, Malformed, OverflowError):
            return True
    return False


def unreadable(row: MirrorEvent) -> str | None:
    """What of an event's times and recurrence can't be read, if there is anything. In which zone its calendar is makes no difference."""
    try:
        if row.original_start is not None:
            start_minute(row.original_start, "UTC")
        if row.cancelled:
            return None  # has no times of its own, mostly
        interval_of(row.start, row.end, "UTC")
        if row.kind != "master":
            return None
        series = _series(row, "UTC")
        unread = read_lines(row.recurrence, series.first, series.clock).unread
    except Malformed as error:
        return str(error)
    except (TooDense, OverflowError):
        return None  # is blocked for more
    return f"{unread[0][:80]!r} does not say when it occurs" if unread else None


def starts_of_rule(rule: str, first: Minute, *, zone_name: str, until: Minute) -> list[Minute]:
    """The starts, sorted, of something of ours that begins at `first` and recurs by an RFC 5545 rule at that wall time of the zone; up to `until`.

    `first` is among them only where the rule says so. Raises ValueError where the rule can't be read or never occurs, `TooDense`.
    """
    zone_, in_utc = zone(zone_name), datetime_of(first)
    wall = in_utc.astimezone(zone_).replace(tzinfo=None, fold=0)
    clock = Clock(zone=zone_, all_day=False)
    series = _Series(first=wall, first_in_utc=in_utc.replace(tzinfo=None), length=timedelta(0), clock=clock)
    last = datetime_of(until).astimezone(zone_).replace(tzinfo=None)
    found = occurrences(read_rule(rule, wall, until_of=clock.until), wall, since=wall, until=last, exact=True)
    return sorted({series.busy(Occurrence(each, each)).start for each in found})


def _single(event: MirrorEvent, calendar_zone: str) -> list[Interval]:
    try:
        return [interval_of(event.start, event.end, calendar_zone)]
    except Malformed:
        return _start_only(event, calendar_zone)


def _start_only(event: MirrorEvent, calendar_zone: str) -> list[Interval]:
    """Where only the start can be read, the whole day it starts on is taken: unknown is busy, and a day is what a person would check."""
    for value in (event.start, event.original_start):
        if value is not None:
            try:
                start = start_minute(value, calendar_zone)
            except Malformed:
                continue
            return [Interval(start, start + 24 * 60)]
    return []


def _original_start(exception: MirrorEvent, calendar_zone: str) -> Minute | None:
    if exception.original_start is None:
        return None
    try:
        return start_minute(exception.original_start, calendar_zone)
    except Malformed:
        return None


def _occurrences(master: MirrorEvent, replaced: set[Minute], calendar_zone: str, horizon: Interval) -> list[Interval]:
    if not master.busy or master.start is None:
        return []
    try:
        series = _series(master, calendar_zone)
        since, until = series.window(horizon)
        found = read_lines(master.recurrence, series.first, series.clock).between(since, until)
        # However often it occurs, without length it takes no time (case 127).
        busy = ((each, series.busy(each)) for each in found if each.length or series.length)
        # What is too dense to be told apart can't be replaced in part.
        return [block for each, block in busy if block.start not in replaced or each.start < each.latest]
    except TooDense:  # more lines than are worth reading
        return [Interval(start_minute(master.start, calendar_zone), horizon.end)]
    except (Malformed, OverflowError):  # times that can't be read, or at the ends of the calendar
        return _single(master, calendar_zone)


@dataclass(frozen=True, kw_only=True)
class _Series:
    """When the first occurrence begins, in wall time and in UTC, and how long each is."""

    first: datetime
    first_in_utc: datetime
    length: timedelta
    clock: Clock

    def window(self, horizon: Interval) -> tuple[datetime, datetime]:
        """Between which wall times an occurrence must begin to touch the horizon, with some slack."""
        start, end = (self._wall(minute) for minute in horizon)
        reach = self.length + _DAY
        return (start - reach if start - self.first > reach else self.first), end + _DAY

    def busy(self, occurrence: Occurrence) -> Interval:
        """The minutes it takes, rounded outward. All-day ones go from midnight to midnight, however long those days are (case 125)."""
        start, latest, length = occurrence
        if self.clock.all_day:
            after = latest.date() + max(_DAY, length or self.length)
            return Interval(midnight(start.date(), self.clock.zone), midnight(after, self.clock.zone))
        end = self._in_utc(latest) + (length or self.length)
        return Interval((self._in_utc(start) - _EPOCH) // _MINUTE, -((_EPOCH - end) // _MINUTE))

    def _in_utc(self, wall: datetime) -> datetime:
        """A wall time that comes twice is its first round, a skipped one is read with the offset before it (RFC 5545, 3.3.5). But the first
        occurrence is where the event says.
        """
        if wall == self.first:
            return self.first_in_utc
        return wall - (self.clock.zone.utcoffset(wall) or timedelta(0))

    def _wall(self, minute: Minute) -> datetime:
        return datetime_of(minute).astimezone(self.clock.zone).replace(tzinfo=None)


def _series(master: MirrorEvent, calendar_zone: str) -> _Series:
    """Raises `Malformed` where the start can't be read."""
    assert master.start is not None
    if master.start.all_day:
        first = datetime.combine(date_of(master.start), time())
        clock = Clock(zone=zone(calendar_zone), all_day=True)
        return _Series(first=first, first_in_utc=first, length=_length(master, calendar_zone), clock=clock)
    zone_ = zone_or(master.start.timeZone, calendar_zone)
    start = instant_of(master.start, calendar_zone).astimezone(UTC)
    first, first_in_utc = (
        each.replace(microsecond=0, tzinfo=None, fold=0) for each in (start.astimezone(zone_), start)
    )
    clock = Clock(zone=zone_, all_day=False)
    return _Series(first=first, first_in_utc=first_in_utc, length=_length(master, calendar_zone), clock=clock)


def _length(master: MirrorEvent, calendar_zone: str) -> timedelta:
    """Elapsed time, not wall time: an occurrence over a clock change is as long as the first one (law 10). Where the end can't be read, a day."""
    start, end = master.start, master.end
    assert start is not None
    try:
        if start.all_day:
            days = date_of(end) - date_of(start) if end is not None and end.all_day else _DAY
            return max(_DAY, days)
        if end is None:
            return timedelta(0)
        first, last = (instant_of(each, calendar_zone).astimezone(UTC) for each in (start, end))
        return max(timedelta(0), last - first)
    except Malformed:
        return _DAY
