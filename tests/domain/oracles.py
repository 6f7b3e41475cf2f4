"""Slow, obvious answers to what the domain answers fast: minute by minute, nothing clever. The properties compare the two."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from functions.domain.availability import Question
from functions.domain.hours import Hours
from functions.domain.instants import Minute
from functions.domain.intervals import Interval

DAY = 24 * 60


def wall_clock(within: Interval, zone: str) -> list[tuple[Minute, datetime]]:
    """What the clock on the wall shows at every minute."""
    zone_ = ZoneInfo(zone)
    return [(m, datetime.fromtimestamp(m * 60, zone_).replace(tzinfo=None)) for m in range(within.start, within.end)]


def working_intervals(hours: Hours, within: Interval) -> list[Interval]:
    """An opening lasts from the first to the last minute at which the wall clock shows a time of it, whatever the clock did between."""
    clock = wall_clock(Interval(within.start - 2 * DAY, within.end + 2 * DAY), hours.time_zone)
    found = set()
    first, last = clock[0][1].date(), clock[-1][1].date()
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        for daily in hours.on(day):
            start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (daily.start, daily.end))
            midnight = datetime.combine(day, time())
            opens = midnight + timedelta(minutes=start)
            closes = midnight + timedelta(minutes=end if end > start else end + DAY)
            open_minutes = [m for m, wall in clock if opens <= wall < closes]
            if open_minutes:
                found.add(Interval(open_minutes[0], open_minutes[-1] + 1))
    return sorted(interval for interval in found if interval.start < within.end and within.start < interval.end)


def covered(intervals: list[Interval] | tuple[Interval, ...]) -> set[Minute]:
    return {m for interval in intervals for m in range(interval.start, interval.end)}


def open_starts(question: Question, within: Interval) -> list[Minute]:
    """Every start of `within` that is on some opening's grid, fits it, and hits nothing taken."""
    service, resource = question.service, question.state.resource
    if not service.active:
        return []
    taken: set[Minute] = set()
    for month in question.state.months:
        taken |= covered([e.taken for e in month.sessions.values() if e.session != question.moving])
        for calendar, events in month.blocks.items():
            if calendar in resource.blocked_by:
                taken |= {m for intervals in events.values() for m in covered(intervals)}
    openings = working_intervals(resource.hours, within)
    now = datetime.fromtimestamp(question.now / 1000, UTC)
    found = []
    for start in range(within.start, within.end):
        end = start + service.duration_minutes
        needs = range(start - service.buffer_before_minutes, end + service.buffer_after_minutes)
        at = datetime.fromtimestamp(start * 60, UTC)
        if (
            any(o.start <= start and end <= o.end and (start - o.start) % service.step_minutes == 0 for o in openings)
            and at >= now + timedelta(minutes=service.notice_minutes)
            and at < _whole_minute_after(now) + timedelta(days=service.window_days)
            and needs.stop <= question.state.known_until
            and taken.isdisjoint(needs)
        ):
            found.append(start)
    return found


def _whole_minute_after(now: datetime) -> datetime:
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)
