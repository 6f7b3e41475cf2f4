"""Wall time of a zone to UTC minutes, and back. The only place where the two meet.

A wall time is counted in minutes after the local midnight of a date, as if no clock ever changed. Each edge of an interval is resolved by itself:
it opens when the clock first shows that time or a later one, and closes when the clock has last shown an earlier one. So an interval over a clock
change is as long as the day really is, and nothing lies inside a skipped hour. Seconds in an offset, which zones had before standard time, are cut
off from the result.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from functions.domain.instants import Minute, datetime_of

Day: TypeAlias = int  # days since 1970-01-01, of whatever zone
Second: TypeAlias = int  # since 1970-01-01T00:00Z

FARTHEST = 16 * 60  # minutes; no zone is or was further away from UTC

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 24 * 60 * 60
_SAMPLED = 3 * _DAY  # clocks that change keep their new offset for longer than this, in every zone at all times
_MARGIN = 4 * _DAY  # what a wall time of the year, or of the day after it, can lie outside of the UTC year
_BEFORE_ALL, _AFTER_ALL = -(2**62), 2**62
_FIRST, _LAST = (day * _DAY for day in (date.min.toordinal() + 2 - _EPOCH, date.max.toordinal() - 2 - _EPOCH))


def _known_zone(name: str) -> str:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a zone of the IANA database, such as Europe/Berlin") from None
    return name


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class DayRun(NamedTuple):
    """Dates in a row, `first` to `last`. `offset`: minutes that the wall clock is ahead of UTC, all through these dates and the ones after them;
    None where a change of clocks is near, so that each edge must be resolved by itself.
    """

    first: Day
    last: Day
    offset: Minute | None


class _Span(NamedTuple):
    """From `start` until `end` the wall clock is `offset` seconds ahead of UTC."""

    start: Second
    end: Second
    offset: Second


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; raises `ZoneInfoNotFoundError`."""
    return ZoneInfo(name)


def opening(day: date, minutes: int, zone_: ZoneInfo) -> Minute:
    """The instant of a wall time (0 to 48 hours after midnight, in minutes) as the start of something: the earlier of two, the end of a gap."""
    wall = day_number(day) * _DAY + minutes * 60
    for start, end, offset in _spans(zone_, day.year):
        if wall - offset < end:
            return max(start, wall - offset) // 60
    raise AssertionError("the last span has no end")


def closing(day: date, minutes: int, zone_: ZoneInfo) -> Minute:
    """The instant of a wall time as the end of something: the end of a gap (so nothing lies inside it), the later of two. But where the clock
    goes back to just this wall time, all that comes before it ends at the earlier one: a day is over when the next begins.
    """
    wall = day_number(day) * _DAY + minutes * 60
    for start, end, offset in reversed(_spans(zone_, day.year)):
        if wall - offset > start:
            return min(end, wall - offset) // 60
    raise AssertionError("the first span has no start")


def midnight(day: date, zone_: ZoneInfo) -> Minute:
    """The instant at which a local date begins, which is not 00:00 where the clock skips that hour."""
    return opening(day, 0, zone_)


def local_date(minute: Minute, zone_: ZoneInfo) -> date:
    return datetime_of(minute).astimezone(zone_).date()


def day_number(day: date) -> Day:
    return day.toordinal() - _EPOCH


def date_of_day(day: Day) -> date:
    return date.fromordinal(day + _EPOCH)


def day_runs(zone_: ZoneInfo, first: Day, last: Day) -> list[DayRun]:
    """The runs, whole, that hold some date from `first` to `last`. Each lies within one year."""
    years = range(date_of_day(first).year, date_of_day(last).year + 1)
    return [run for year in years for run in _year_of_runs(zone_, year) if run.first <= last and first <= run.last]


@lru_cache(maxsize=2048)
def _year_of_runs(zone_: ZoneInfo, year: int) -> tuple[DayRun, ...]:
    day, last = day_number(date(year, 1, 1)), day_number(date(year, 12, 31))
    spans = _spans(zone_, year)
    runs = []
    for before, span, after in zip(spans[:1] + spans[:-1], spans, spans[1:] + spans[-1:], strict=True):
        # The wall times from here to there are shown under this offset, and under no other.
        unambiguous_from = span.start + max(before.offset, span.offset)
        unambiguous_until = span.end + min(span.offset, after.offset)
        steady, unsteady = -(-unambiguous_from // _DAY), unambiguous_until // _DAY - 1
        for until, offset in ((steady, None), (unsteady, -(-span.offset // 60))):
            until = min(until, last + 1)
            if day < until:
                runs.append(DayRun(day, until - 1, offset))
                day = until
    return tuple(runs)


@lru_cache(maxsize=2048)
def _spans(zone_: ZoneInfo, year: int) -> tuple[_Span, ...]:
    """The offsets of a UTC year and some days on either side. The first span has no start and the last no end, as far as the year is concerned.

    A zone does not tell when its offset changes, so it is sampled, and each change searched for between two samples.
    """
    first = max(_FIRST, day_number(date(year, 1, 1)) * _DAY - _MARGIN)
    last = min(_LAST, day_number(date(year, 12, 31)) * _DAY + _DAY + _MARGIN)
    samples = [(second, _offset(zone_, second)) for second in (*range(first, last, _SAMPLED), last)]
    starts = [(_BEFORE_ALL, samples[0][1])]
    for (before, old), (after, new) in pairwise(samples):
        if new != old:
            starts.append((_first_second(zone_, before, after, new), new))
    ends = [*(start for start, _ in starts[1:]), _AFTER_ALL]
    return tuple(_Span(start, end, offset) for (start, offset), end in zip(starts, ends, strict=True))


def _first_second(zone_: ZoneInfo, before: Second, after: Second, offset: Second) -> Second:
    """Where `offset` begins: later than `before`, at the latest at `after`."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone_, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(zone_: ZoneInfo, second: Second) -> Second:
    ahead = datetime.fromtimestamp(second, zone_).utcoffset() or timedelta()
    return ahead.days * _DAY + ahead.seconds
