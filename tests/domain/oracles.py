"""Slow, obvious answers to what the domain answers fast: minute by minute, nothing clever. The properties compare the two.

Only the domain's models are shared. What they mean is read here a second time: the clock of a zone is asked for every minute, time is a set of
minutes, limits are counted one session at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from functions.domain.availability.question import Question, ResourceState
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays
from functions.domain.configuration import Limits
from functions.domain.hours import DailyInterval, Hours
from functions.domain.instants import Millis, Minute
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation

DAY = 24 * 60
# An opening may last for nearly two days, and the date in a zone may be another one than in UTC.
REACH = timedelta(days=3)
YEAR_AHEAD = 365
RULES = (
    *("kind", "grid", "duration", "capacity", "hours", "taken", "known until", "resource limits", "service limits"),
    *("inactive", "no seats", "notice", "window", "client limits", "client at once"),
)


# ---- The clock on the wall


@lru_cache(maxsize=4_000)
def _clock_of(zone: str, utc_day: date) -> tuple[tuple[Minute, datetime], ...]:
    zone_ = ZoneInfo(zone)
    first = (utc_day - date(1970, 1, 1)).days * DAY
    return tuple((m, datetime.fromtimestamp(m * 60, zone_).replace(tzinfo=None)) for m in range(first, first + DAY))


def wall_clock(within: Interval, zone: str) -> list[tuple[Minute, datetime]]:
    """What the clock on the wall shows at every minute."""
    days = range(within.start // DAY, max(within.start, within.end - 1) // DAY + 1)
    clock = (shown for day in days for shown in _clock_of(zone, date(1970, 1, 1) + timedelta(days=day)))
    return [(m, wall) for m, wall in clock if within.start <= m < within.end]


def _local_date(minute: Minute, zone: str) -> date:
    return _clock_of(zone, date(1970, 1, 1) + timedelta(days=minute // DAY))[minute % DAY][1].date()


def covered(intervals: Iterable[tuple[Minute, Minute]]) -> set[Minute]:
    return {m for start, end in intervals for m in range(start, end)}


# ---- Hours


def day_plan(hours: Hours, day: date) -> tuple[str, list[tuple[int, int]]]:
    """The zone of a date, and its intervals in minutes after its 00:00: the override, else what the date would be without."""
    zone = next((each.time_zone for each in hours.travel if each.first <= day <= each.last), hours.time_zone)
    override = next((each for each in hours.overrides if each.date == day), None)
    usual = _without_override(hours, day)
    if override is None:
        return zone, usual
    named = [_minutes(each) for each in override.intervals]
    if override.kind == "replace":
        return zone, named
    if override.kind == "add":
        return zone, usual + named
    return zone, [part for each in usual for part in _runs(covered([each]) - covered(named))] if named else []


def _without_override(hours: Hours, day: date) -> list[tuple[int, int]]:
    if any(each.date == day for each in hours.holidays) or any(each.first <= day <= each.last for each in hours.closed):
        return []
    weekly = next((each.weekly for each in hours.seasons if each.first <= day <= each.last), hours.weekly)
    return [_minutes(each) for each in weekly if day.isoweekday() in each.days]


def _minutes(daily: DailyInterval) -> tuple[int, int]:
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (daily.start, daily.end))
    return start, end if end > start else end + DAY


def _runs(minutes: set[int]) -> list[tuple[int, int]]:
    """Sets of minutes as intervals again."""
    starts = sorted(m for m in minutes if m - 1 not in minutes)
    ends = sorted(m + 1 for m in minutes if m + 1 not in minutes)
    return list(zip(starts, ends, strict=True))


@lru_cache(maxsize=10_000)
def _opening(zone: str, opens: datetime, closes: datetime) -> Interval | None:
    utc_days = [opens.date() + timedelta(days=n) for n in range(-1, (closes.date() - opens.date()).days + 2)]
    shown = [m for day in utc_days for m, wall in _clock_of(zone, day) if opens <= wall < closes]
    return Interval(shown[0], shown[-1] + 1) if shown else None


def working_intervals(hours: Hours, within: Interval) -> list[Interval]:
    """An opening lasts from the first to the last minute at which the wall clock shows a time of it, whatever the clock did between."""
    first, last = (_local_date(m, "UTC") for m in within)
    found = set()
    for day in ((first - REACH) + timedelta(days=n) for n in range((last - first + 2 * REACH).days + 1)):
        zone, plan = day_plan(hours, day)
        for start, end in plan:
            midnight = datetime.combine(day, time())
            opening = _opening(zone, midnight + timedelta(minutes=start), midnight + timedelta(minutes=end))
            if opening and opening.start < within.end and within.start < opening.end:
                found.add(opening)
    return sorted(found)


# ---- What is open


@dataclass(frozen=True)
class _Place:
    """One resource at the moment of the question: what of its time is open, and who takes it."""

    state: ResourceState
    openings: list[Interval]
    open: set[Minute]
    sessions: dict[str, Occupation]
    busy: set[Minute]
    taken: set[Minute]

    @property
    def zone(self) -> str:
        return self.state.resource.hours.time_zone

    def taken_by_others(self, session: str) -> set[Minute]:
        return self.busy | _taken_by(each for id_, each in self.sessions.items() if id_ != session)


def open_starts(question: Question, within: Interval) -> list[Minute]:
    """Every minute of `within` that is a start at one of the candidates: a fresh session's, or a running one's that can be joined."""
    candidates = _candidates(question, within)
    return [
        start
        for start in range(within.start, within.end)
        if any(_is_fresh(question, each, start) or _is_joinable(question, each, start) for each in candidates)
    ]


def closed(question: Question, start: Minute) -> bool:
    return not open_starts(question, Interval(start, start + 1))


def rules_that_close_alone(question: Question, starts: range) -> set[str]:
    """Those of `RULES` without which a fresh session could begin at one of `starts`."""
    found = set()
    for places in _candidates(question, Interval(starts.start, starts.stop)):
        against = [set(_against_fresh(question, places, start)) for start in starts]
        found |= {rule for rules in against if len(rules) == 1 for rule in rules}
    return found


def _candidates(question: Question, within: Interval) -> list[list[_Place]]:
    places = [
        _place(question, state, Interval(within.start, within.end + question.length)) for state in question.states
    ]
    if question.service.assignment == "all":
        return [places] if len(places) == len(question.service.resources) else []
    return [[place] for place in places if question.resource in (None, place.state.resource.id)]


def _place(question: Question, state: ResourceState, near: Interval) -> _Place:
    openings = working_intervals(state.resource.hours, near)
    blocks = [
        interval
        for month in state.months
        for calendar, events in month.blocks.items()
        if calendar in state.resource.blocked_by
        for intervals in events.values()
        for interval in intervals
    ]
    sessions, busy = _sessions(question, [state]), covered(blocks)
    return _Place(state, openings, covered(openings), sessions, busy, busy | _taken_by(sessions.values()))


def _taken_by(sessions: Iterable[Occupation]) -> set[Minute]:
    return covered((each.taken_from, each.taken_until) for each in sessions)


def _sessions(question: Question, states: Iterable[ResourceState]) -> dict[str, Occupation]:
    """Who takes time at `now`, by session. The one that moves gives up its time."""
    return {
        each.session: each
        for state in states
        for month in state.months
        for each in month.sessions.values()
        if each.session != question.moving and _takes_time(each, question.now)
    }


def _takes_time(each: Occupation, now: Millis) -> bool:
    return each.scheduled or each.seats > 0 or any(hold.expires_at > now for hold in each.holds.values())


def _is_fresh(question: Question, places: list[_Place], start: Minute) -> bool:
    return next(_against_fresh(question, places, start), None) is None


def _against_fresh(question: Question, places: list[_Place], start: Minute) -> Iterator[str]:
    """The rules by name, the cheap ones first: whoever only asks whether there is one need not wait for the others."""
    service, lead = question.service, places[0]
    session = range(start, start + question.length)
    needed = range(session.start - service.buffer_before_minutes, session.stop + service.buffer_after_minutes)
    if service.kind != "appointment":
        yield "kind"
    if not any(_on_grid(question, opening, start) for opening in lead.openings):
        yield "grid"
    if question.length not in (service.duration_minutes, *service.durations):
        yield "duration"
    if question.seats > service.capacity:
        yield "capacity"
    for place in places:
        if not place.open.issuperset(session):
            yield "hours"
        if not place.taken.isdisjoint(needed):
            yield "taken"
        if needed.stop > place.state.known_until:
            yield "known until"
        if _reached(place.state.resource.limits, [s.start for s in place.sessions.values()], start, place.zone):
            yield "resource limits"
    ours = [each.start for each in _sessions(question, question.states).values() if each.service == service.id]
    if _reached(service.limits, ours, start, lead.zone):
        yield "service limits"
    yield from _against_anyone(question, lead, start)


def _on_grid(question: Question, opening: Interval, start: Minute) -> bool:
    service = question.service
    return start in range(opening.start + service.offset_minutes, opening.end, service.step_minutes)


def _against_anyone(question: Question, lead: _Place, start: Minute) -> Iterator[str]:
    """What closes a fresh session and a running one alike."""
    service = question.service
    if not service.active:
        yield "inactive"
    if question.seats < 1:
        yield "no seats"
    if start * 60_000 < question.now + service.notice_minutes * 60_000:
        yield "notice"
    if not _in_window(question, lead, _local_date(start, lead.zone)):
        yield "window"
    if question.client is not None:
        theirs = [each for each in question.client if each.service == service.id]
        ahead = [each for each in theirs if each.end * 60_000 > question.now]
        at_once = service.client_limits.at_once
        if _reached(service.client_limits, [each.start for each in theirs], start, lead.zone):
            yield "client limits"
        if at_once is not None and len(ahead) >= at_once:
            yield "client at once"


def _in_window(question: Question, lead: _Place, day: date) -> bool:
    window, today = question.service.window, _local_date(question.now // 60_000, lead.zone)
    if isinstance(window, RollingDays):
        return day <= today + timedelta(days=window.days)
    if isinstance(window, FixedDates):
        return window.first <= day <= window.last
    if isinstance(window, BookableDays):
        year = [today + timedelta(days=n) for n in range(YEAR_AHEAD + 1)]
        opens = [each for each in year if day_plan(lead.state.resource.hours, each)[1]]
        return day <= (opens[window.days - 1] if len(opens) >= window.days else year[-1])
    return True


def _reached(limits: Limits, starts: list[Minute], start: Minute, zone: str) -> bool:
    """Whether so many of the starts lie in the same local day, ISO week or month that one more is too many."""
    most = (limits.per_day, limits.per_week, limits.per_month)
    if most == (None, None, None):
        return False
    there = _calendar_units(_local_date(start, zone))
    counted: dict[tuple[int, ...], int] = defaultdict(int)
    for each in starts:
        for unit in _calendar_units(_local_date(each, zone)):
            counted[unit] += 1
    return any(limit is not None and counted[unit] >= limit for limit, unit in zip(most, there, strict=True))


def _calendar_units(day: date) -> list[tuple[int, ...]]:
    """Day, week and month of a date; of different lengths, so that one is never taken for another."""
    year, week, _ = day.isocalendar()
    return [(day.year, day.month, day.day), (0, 0, year, week), (day.year, day.month)]


def _is_joinable(question: Question, places: list[_Place], start: Minute) -> bool:
    return any(
        each.start == start
        and _can_be_joined(question, places, each)
        and next(_against_anyone(question, places[0], start), None) is None
        for each in places[0].sessions.values()
    )


def _can_be_joined(question: Question, places: list[_Place], running: Occupation) -> bool:
    service, length = question.service, running.end - running.start
    held = sum(hold.seats for hold in running.holds.values() if hold.expires_at > question.now)
    if running.service != service.id or running.capacity - running.seats - held < question.seats:
        return False
    if question.length not in (service.duration_minutes, *service.durations):
        return False
    if service.kind == "event":
        if not running.scheduled or question.duration not in (None, length):
            return False
    elif service.capacity == 1 or question.seats > service.capacity or question.length != length:
        return False
    return all(
        running.session in place.sessions
        and running.taken_until <= place.state.known_until
        and place.taken_by_others(running.session).isdisjoint(range(running.taken_from, running.taken_until))
        and (service.kind == "event" or place.open.issuperset(range(running.start, running.end)))
        for place in places
    )
