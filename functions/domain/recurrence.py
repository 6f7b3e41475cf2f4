"""Recurring events to busy minutes, within a horizon.

dateutil computes the occurrences in wall time, each is then resolved in the series' own zone: so a weekly 09:00 stays 09:00 over a clock change
(case 134). What a rule does not say clearly is busy for its whole first occurrence (case 57), a series denser than the cap is busy throughout
(case 145).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from functions.domain.google_event import (
    Malformed,
    MirrorEvent,
    date_of,
    instant_of,
    interval_of,
    start_minute,
    zone_or,
)
from functions.domain.hours import midnight, zone
from functions.domain.instants import Minute, datetime_of, minute_ceil, minute_floor
from functions.domain.intervals import Interval, merge

MAX_OCCURRENCES = 5_000  # within one horizon
MAX_COMPUTED = 50_000  # from the first one on: dateutil can't skip those before the horizon


class TooDense(Exception):
    """The series has more occurrences within the horizon than are worth computing."""


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
        if master.start.all_day:
            return _all_day_occurrences(master, replaced, calendar_zone, horizon)
        return _timed_occurrences(master, replaced, calendar_zone, horizon)
    except TooDense:
        return [Interval(max(horizon.start, start_minute(master.start, calendar_zone)), horizon.end)]
    except (Malformed, ValueError, TypeError, LookupError, OverflowError):
        # What dateutil raises on rules it can't read; the first occurrence is all that is known.
        return _single(master, calendar_zone)


def _timed_occurrences(
    master: MirrorEvent, replaced: set[Minute], calendar_zone: str, horizon: Interval
) -> list[Interval]:
    assert master.start is not None
    series_zone = zone_or(master.start.timeZone, calendar_zone)
    first = instant_of(master.start, calendar_zone).astimezone(series_zone)
    last = instant_of(master.end, calendar_zone) if master.end else first
    # Elapsed time, not wall time: an occurrence over a clock change is as long as the first one (law 10).
    length = max(timedelta(0), last.astimezone(UTC) - first.astimezone(UTC))
    first_wall = first.replace(tzinfo=None, fold=0)
    found = []
    for wall in _walls(master, first_wall, series_zone, horizon, length):
        # A wall time that comes twice is its first round (RFC 5545), but the first occurrence is where the event says.
        start = (first if wall == first_wall else wall.replace(tzinfo=series_zone)).astimezone(UTC)
        interval = Interval(minute_floor(start), minute_ceil(start + length) if length else minute_floor(start))
        if interval.start not in replaced:
            found.append(interval)
    return found


def _all_day_occurrences(
    master: MirrorEvent, replaced: set[Minute], calendar_zone: str, horizon: Interval
) -> list[Interval]:
    assert master.start is not None
    zone_ = zone(calendar_zone)
    first = date_of(master.start)
    last = date_of(master.end) if master.end is not None and master.end.all_day else first
    days = max(1, (last - first).days)
    found = []
    for wall in _walls(master, datetime.combine(first, time()), zone_, horizon, timedelta(days=days)):
        start = midnight(wall.date(), zone_)
        if start not in replaced:
            found.append(Interval(start, midnight(wall.date() + timedelta(days=days), zone_)))
    return found


def _walls(
    master: MirrorEvent, first: datetime, zone_: ZoneInfo, horizon: Interval, length: timedelta
) -> Iterable[datetime]:
    """The wall times at which occurrences start that may touch `horizon`. Raises ValueError where the rule can't be read, `TooDense`."""
    all_day = master.start is not None and master.start.all_day
    lines = [text for line in master.recurrence if (text := _in_wall_time(line, zone_, all_day=all_day))]
    since = _wall(horizon.start, zone_) - length - timedelta(days=1)
    until = _wall(horizon.end, zone_) + timedelta(days=1)
    rules = rrulestr("\n".join(_bounded(line, until) for line in lines), dtstart=first, forceset=True)
    if not any(line.startswith("RRULE") for line in lines):
        rules.rdate(first)  # of a rule it is part; to a list of further dates it has to be added
    count = 0
    for computed, wall in enumerate(rules):
        if wall > until:
            return
        if count >= MAX_OCCURRENCES or computed >= MAX_COMPUTED:
            raise TooDense
        if wall >= since:
            count += 1
            yield wall


def _bounded(line: str, until: datetime) -> str:
    """The line with a rule's own end brought forward to `until`: a rule that never occurs would be searched to the end of the calendar.

    A rule by the second, or one by the minute that leaves minutes out, costs seconds even so; it is as good as busy throughout. Raises `TooDense`.
    """
    if not line.startswith("RRULE:"):
        return line
    parts = dict(part.partition("=")[::2] for part in line.removeprefix("RRULE:").upper().split(";"))
    if parts.get("FREQ") == "SECONDLY" or (parts.get("FREQ") == "MINUTELY" and any(k.startswith("BY") for k in parts)):
        raise TooDense
    if "COUNT" not in parts:  # RFC 5545 wants one or the other
        ends = parts.get("UNTIL", "99999999")
        parts["UNTIL"] = min(ends, f"{until:%Y%m%dT%H%M%S}") if ends[:8].isdecimal() else ends
    return "RRULE:" + ";".join(f"{key}={value}" for key, value in parts.items())


def _wall(minute: Minute, zone_: ZoneInfo) -> datetime:
    return datetime_of(minute).astimezone(zone_).replace(tzinfo=None)


def _in_wall_time(line: str, zone_: ZoneInfo, *, all_day: bool) -> str:
    """An RFC 5545 recurrence line with every instant in it as wall time of the series' zone, which is what dateutil is given to compute in."""
    name, _, value = line.partition(":")
    name = name.split(";")[0].upper()
    if name in ("EXDATE", "RDATE"):
        walls = (_wall_of(text, line, zone_) for text in value.split(","))
        return f"{name}:{','.join(walls)}"
    if name in ("RRULE", "EXRULE"):
        parts = [part for part in value.split(";") if part and not part.upper().startswith("X-")]
        return f"{name}:{';'.join(_rule_part(part, zone_, all_day=all_day) for part in parts)}"
    return ""


def _rule_part(part: str, zone_: ZoneInfo, *, all_day: bool) -> str:
    key, _, value = part.partition("=")
    if key.upper() == "INTERVAL" and int(value) < 1:
        raise ValueError(f"{part} never comes to an end")
    if key.upper() != "UNTIL":
        return part
    if all_day or "T" not in value.upper():
        # A date: the whole of that day belongs to the series. Of an all-day one only the date counts, in whatever zone it was written (case 143).
        return f"UNTIL={value[:8]}T235959"
    return f"UNTIL={_wall_of(value, '', zone_)}"


def _wall_of(text: str, line: str, zone_: ZoneInfo) -> str:
    parameters = line.partition(":")[0]
    named = next((p[5:] for p in parameters.split(";") if p.upper().startswith("TZID=")), None)
    text = text.strip().split("/")[0]  # RDATE may be a period; its start counts
    if "T" not in text.upper():
        return f"{date.fromisoformat(text):%Y%m%d}T000000"
    moment = datetime.strptime(text.upper().rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  zone follows
    if text.upper().endswith("Z"):
        moment = moment.replace(tzinfo=UTC).astimezone(zone_)
    elif named:
        moment = moment.replace(tzinfo=zone_or(named, str(zone_))).astimezone(zone_)
    return f"{moment:%Y%m%dT%H%M%S}"
