"""What people write instead of an engine, to compare it with on the same work. Both give the same starts; a test and the bench itself hold that.

They are written as one would at first, in datetimes, by somebody who knows that zone-aware ones are no good for arithmetic. They do less than the
engine: intervals that touch are not one stretch, nor is anything that a workload can't say. What they get is what the engine gets: busy time
that is parsed already, in no order.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import portion

from functions.domain.availability.workload import Workload

Span = tuple[datetime, datetime]


def portion_starts(workload: Workload) -> list[datetime]:
    """With `portion`, the interval library: opening hours less busy time are free; what fits into a piece of that is offered."""
    before, length, after, step = _lengths(workload)
    openings = list(_openings(workload))
    # Busy time grown by the buffers: then it is the session alone that must fit. In one go, not block by block, which takes twenty times as long.
    busy = portion.Interval(*(portion.closedopen(start - after, end + before) for start, end in workload.busy))
    free = portion.Interval(*(portion.closedopen(opens, closes) for opens, closes in openings)) - busy
    return [
        start
        for opens, closes in openings
        for start in _grid(opens, closes - length, step)
        if _is_asked_for(workload, start) and portion.closedopen(start, start + length) in free
    ]


def loop_starts(workload: Workload) -> list[datetime]:
    """The plain loop: every day, every slot, compared with every busy block until one is in its way."""
    before, length, after, step = _lengths(workload)
    found = []
    for opens, closes in _openings(workload):
        for start in _grid(opens, closes - length, step):
            taken_from, taken_until = start - before, start + length + after
            if _is_asked_for(workload, start) and not any(
                taken_from < busy_until and busy_from < taken_until for busy_from, busy_until in workload.busy
            ):
                found.append(start)
    return found


def daily_loop_starts(workload: Workload) -> list[datetime]:
    """The same loop by somebody who has seen it be slow: the busy time of each opening is picked out first."""
    before, length, after, step = _lengths(workload)
    found = []
    for opens, closes in _openings(workload):
        near = [(start, end) for start, end in workload.busy if start < closes + after and opens - before < end]
        for start in _grid(opens, closes - length, step):
            taken_from, taken_until = start - before, start + length + after
            if _is_asked_for(workload, start) and not any(
                taken_from < busy_until and busy_from < taken_until for busy_from, busy_until in near
            ):
                found.append(start)
    return found


def _openings(workload: Workload) -> Iterator[Span]:
    """When each day opens and closes, in UTC."""
    zone = ZoneInfo(workload.timezone)
    overrides = {override.date: override.intervals for override in workload.date_overrides}
    day = workload.range[0].astimezone(zone).date() - timedelta(days=1)
    while day <= workload.range[1].astimezone(zone).date():
        weekly = [(one.start, one.end) for one in workload.weekly_hours if day.isoweekday() in one.days]
        for opens, closes in overrides.get(day, weekly):
            yield _utc(day, opens, zone), _utc(day if opens < closes else day + timedelta(days=1), closes, zone)
        day += timedelta(days=1)


def _utc(day: date, wall: str, zone: ZoneInfo) -> datetime:
    if wall == "24:00":
        day, wall = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(wall), zone).astimezone(UTC)


def _grid(first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    start = first
    while start <= last:
        yield start
        start += step


def _is_asked_for(workload: Workload, start: datetime) -> bool:
    notice = timedelta(minutes=workload.min_notice_min)
    return workload.range[0] <= start < workload.range[1] and workload.now + notice <= start


def _lengths(workload: Workload) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Buffer before, duration, buffer after, step."""
    minutes = (workload.buffer_before_min, workload.duration_min, workload.buffer_after_min, workload.slot_step_min)
    before, length, after, step = (timedelta(minutes=one) for one in minutes)
    return before, length, after, step
