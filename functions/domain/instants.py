"""Time inside the system is integers (law 10).

`Minute`: minutes since 1970-01-01T00:00Z. The grid of everything that takes time: hours, sessions, blocks, starts.
`Millis`: milliseconds since 1970-01-01T00:00Z. Moments at which something happened or lapses: now, expiries, freshness.
Wall time and zones exist only at the edge and in `hours` and `recurrence`, which resolve them.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

Minute: TypeAlias = int
Millis: TypeAlias = int

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def minute_floor(instant: datetime) -> Minute:
    """The minute that `instant` (aware) lies in."""
    return (instant - _EPOCH) // timedelta(minutes=1)


def minute_ceil(instant: datetime) -> Minute:
    """The first minute that begins at or after `instant` (aware)."""
    return -((_EPOCH - instant) // timedelta(minutes=1))


def millis_of(instant: datetime) -> Millis:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def datetime_of(minute: Minute) -> datetime:
    """The UTC datetime at which `minute` begins."""
    return _EPOCH + timedelta(minutes=minute)


def datetime_of_millis(millis: Millis) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)


def rfc3339(minute: Minute) -> str:
    """`2027-03-01T08:00:00Z`, the form every answer and every Google write uses."""
    day, minutes = divmod(minute, DAY_MINUTES)
    return _iso_date(day) + _iso_time(minutes)


# An answer holds thousands of instants, on a few dates and at the same times of day.
@lru_cache(maxsize=1024)
def _iso_date(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


@lru_cache(maxsize=DAY_MINUTES)
def _iso_time(minutes: int) -> str:
    return f"T{minutes // 60:02}:{minutes % 60:02}:00Z"


def rfc3339_millis(millis: Millis) -> str:
    return datetime_of_millis(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minute_of_millis(millis: Millis) -> Minute:
    """The first minute that begins at or after `millis`: what is allowed "from now" starts there."""
    return -(-millis // MINUTE_MS)


def month_of(minute: Minute) -> str:
    """The UTC month a minute lies in, as `yyyy-mm`: the key of a ledger document."""
    return datetime_of(minute).strftime("%Y-%m")


def month_bounds(month: str) -> tuple[Minute, Minute]:
    """First minute of `yyyy-mm` and first minute of the month after."""
    year, number = int(month[:4]), int(month[5:])
    start = datetime(year, number, 1, tzinfo=UTC)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return minute_floor(start), minute_floor(after)


def months_between(start: Minute, end: Minute) -> tuple[str, ...]:
    """Every UTC month that the half-open [start, end) touches, in order. An empty interval touches the month of its start."""
    last = month_of(max(start, end - 1))
    months = [month_of(start)]
    while months[-1] < last:
        months.append(month_of(month_bounds(months[-1])[1]))
    return tuple(months)
