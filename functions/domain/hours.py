"""Opening hours: wall time in a zone, resolved to UTC minutes.

The only place where a working hour meets a zone. Each edge of an interval is resolved by itself, so an interval over a clock change is as long
as the day really is: an opening inside a skipped hour starts when that hour's gap ends, a closing inside a repeated hour is the second one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from functions.domain.instants import DAY_MINUTES, Minute, datetime_of, minute_floor
from functions.domain.intervals import Interval, clip, merge


def _known_zone(name: str) -> str:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a zone of the IANA database, such as Europe/Berlin") from None
    return name


def _wall_time(text: str) -> str:
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and hour.isdecimal() and minute.isdecimal()):
        raise ValueError(f"{text!r} is not a wall time such as 09:00")
    if int(minute) > 59 or int(hour) * 60 + int(minute) > DAY_MINUTES:
        raise ValueError(f"{text!r} lies outside 00:00 to 24:00")
    return text


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
WallTime = Annotated[str, AfterValidator(_wall_time)]
IsoWeekday = Annotated[int, Field(ge=1, le=7)]


class DailyInterval(BaseModel):
    """Wall times of one opening. An `end` at or before `start` is on the next day; 00:00 to 24:00 is the whole day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: WallTime
    end: WallTime

    def minutes(self) -> tuple[int, int]:
        """Minutes after the local midnight of the day it starts on: (start, end), end after start."""
        start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (self.start, self.end))
        return start, end if end > start else end + DAY_MINUTES


class WeeklyHours(DailyInterval):
    """An opening that comes again on every one of `days` (1 is Monday)."""

    days: tuple[IsoWeekday, ...] = Field(min_length=1)


class DateOverride(BaseModel):
    """What holds on one date instead of the weekly hours. No intervals: closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    intervals: tuple[DailyInterval, ...] = ()


class Hours(BaseModel):
    """When a resource works: weekly hours in its zone, replaced on some dates."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    time_zone: ZoneName
    weekly: tuple[WeeklyHours, ...] = ()
    overrides: tuple[DateOverride, ...] = ()

    @model_validator(mode="after")
    def _one_override_a_date(self) -> Self:
        dates = [override.date for override in self.overrides]
        if len(dates) != len(set(dates)):
            raise ValueError("two overrides name the same date; put their intervals into one")
        return self

    def on(self, day: date) -> tuple[DailyInterval, ...]:
        for override in self.overrides:
            if override.date == day:
                return override.intervals
        return tuple(hours for hours in self.weekly if day.isoweekday() in hours.days)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; raises `ZoneInfoNotFoundError`."""
    return ZoneInfo(name)


def opening(day: date, minutes: int, zone_: ZoneInfo) -> Minute:
    """The instant of a wall time as the start of something: the earlier of two, the end of a gap."""
    return _instants(day, minutes, zone_)[0]


def closing(day: date, minutes: int, zone_: ZoneInfo) -> Minute:
    """The instant of a wall time as the end of something: the end of a gap (so nothing lies inside it), the later of two. But where the clock
    goes back to just this wall time, all that comes before it ends at the earlier one: a day is over when the next begins.
    """
    earlier, later = _instants(day, minutes, zone_)
    if earlier == later or _instants(day, minutes - 1, zone_)[1] < earlier:
        return earlier
    return later


def midnight(day: date, zone_: ZoneInfo) -> Minute:
    """The instant at which a local date begins, which is not 00:00 where the clock skips that hour."""
    return opening(day, 0, zone_)


def _instants(day: date, minutes: int, zone_: ZoneInfo) -> tuple[Minute, Minute]:
    """The earlier and the later instant of a wall time: the same one, unless the clock shows it twice. The end of a gap where it skips it."""
    local = datetime.combine(
        day + timedelta(days=minutes // DAY_MINUTES), time(*divmod(minutes % DAY_MINUTES, 60)), zone_
    )
    first = minute_floor(local.astimezone(UTC))
    second = minute_floor(local.replace(fold=1).astimezone(UTC))
    if second >= first:
        return first, second
    after_gap = _end_of_gap(second, first, zone_)
    return after_gap, after_gap


def _end_of_gap(before: Minute, after: Minute, zone_: ZoneInfo) -> Minute:
    """The minute at which the offset changes, between two instants on either side of a skipped wall time (PEP 495)."""
    offset_after = datetime_of(after).astimezone(zone_).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime_of(middle).astimezone(zone_).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after


def local_date(minute: Minute, zone_: ZoneInfo) -> date:
    return datetime_of(minute).astimezone(zone_).date()


def working_intervals(hours: Hours, within: Interval) -> list[Interval]:
    """The open intervals that touch `within`, whole (not cut), sorted. Each keeps its own opening, which anchors the grid of starts."""
    zone_ = zone(hours.time_zone)
    # An interval may begin on the day before and cross midnight; overlapping ones of one day are the operator's to keep apart.
    day = local_date(within.start, zone_) - timedelta(days=1)
    last = local_date(max(within.start, within.end - 1), zone_)
    found = []
    while day <= last:
        found += [interval for interval in _day_intervals(hours, day, zone_) if interval.overlaps(within)]
        day += timedelta(days=1)
    return sorted(set(found))


def _day_intervals(hours: Hours, day: date, zone_: ZoneInfo) -> Iterator[Interval]:
    for daily in hours.on(day):
        start, end = daily.minutes()
        interval = Interval(opening(day, start, zone_), closing(day, end, zone_))
        if interval.start < interval.end:
            yield interval


def open_time(hours: Hours, within: Interval) -> list[Interval]:
    """The open time inside `within`: merged and cut."""
    return clip(merge(working_intervals(hours, within)), within)
