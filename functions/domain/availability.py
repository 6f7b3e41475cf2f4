"""The one function that says what is free (law 2). Listing, booking, moving and explaining all ask it.

A start is open where no rule closes it. `open_starts` lists them, `why_closed` names the rules; they agree by property test.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from functions.domain.configuration import Resource, Service
from functions.domain.hours import working_intervals
from functions.domain.instants import DAY_MINUTES, Millis, Minute, minute_of_millis
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import LedgerMonth, taken_time

# How far from a taken start alternatives are looked for.
ALTERNATIVES_REACH = 7 * DAY_MINUTES


class Closed(StrEnum):
    """The rules that can close a start."""

    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    TAKEN = "taken"
    CALENDAR_UNKNOWN = "calendar_unknown"
    INACTIVE = "inactive"


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """What the decision knows of one resource: its rules, its ledger months, and up to which minute its calendars are known.

    `months` must hold every ledger month that a start in question touches with its buffers.
    """

    resource: Resource
    months: tuple[LedgerMonth, ...]
    known_until: Minute


@dataclass(frozen=True, kw_only=True)
class Question:
    """A service at one resource, asked at `now`. `moving` is a session that gives up its time if the answer is used."""

    service: Service
    state: ResourceState
    now: Millis
    moving: str | None = None


@dataclass(frozen=True)
class _TakenTime:
    """Merged taken time with its starts apart, for looking up by bisection."""

    intervals: Sequence[Interval]
    starts: Sequence[Minute]

    @classmethod
    def of(cls, question: Question) -> "_TakenTime":
        state = question.state
        merged = merge(taken_time(state.months, calendars=state.resource.blocked_by, without_session=question.moving))
        return cls(merged, [interval.start for interval in merged])

    def hits(self, start: Minute, end: Minute) -> bool:
        after = bisect_right(self.starts, start)
        if after and self.intervals[after - 1].end > start:
            return True
        return after < len(self.starts) and self.starts[after] < end


def bookable_range(service: Service, now: Millis) -> Interval:
    """The starts that notice and booking window allow."""
    first = minute_of_millis(now)
    return Interval(first + service.notice_minutes, first + service.window_days * DAY_MINUTES)


def open_starts(question: Question, within: Interval) -> list[Minute]:
    """Every open start in `within`, sorted. The grid is anchored at the opening of each working interval."""
    service, state = question.service, question.state
    allowed = bookable_range(service, question.now)
    first, last = max(within.start, allowed.start), min(within.end, allowed.end)
    if not service.active or first >= last:
        return []
    before, length, after = service.buffer_before_minutes, service.duration_minutes, service.buffer_after_minutes
    taken = _TakenTime.of(question)
    found: set[Minute] = set()
    for opening, closing in working_intervals(state.resource.hours, Interval(first, last)):
        steps = max(0, -((opening - first) // service.step_minutes))
        latest = min(last - 1, closing - length, state.known_until - length - after)
        for start in range(opening + steps * service.step_minutes, latest + 1, service.step_minutes):
            if not taken.hits(start - before, start + length + after):
                found.add(start)
    return sorted(found)


def why_closed(question: Question, start: Minute) -> tuple[Closed, ...]:
    """The rules that close `start`; empty where it is open."""
    service, state = question.service, question.state
    taken = Interval(
        start - service.buffer_before_minutes, start + service.duration_minutes + service.buffer_after_minutes
    )
    allowed = bookable_range(service, question.now)
    reasons = []
    if not service.active:
        reasons.append(Closed.INACTIVE)
    if start < allowed.start:
        reasons.append(Closed.TOO_SOON)
    if start >= allowed.end:
        reasons.append(Closed.TOO_FAR)
    reasons += _closed_by_hours(service, state.resource, start)
    if taken.end > state.known_until:
        reasons.append(Closed.CALENDAR_UNKNOWN)
    if _TakenTime.of(question).hits(*taken):
        reasons.append(Closed.TAKEN)
    return tuple(reasons)


def _closed_by_hours(service: Service, resource: Resource, start: Minute) -> list[Closed]:
    session = Interval(start, start + service.duration_minutes)
    around = [hours for hours in working_intervals(resource.hours, session) if session.within(hours)]
    if not around:
        return [Closed.OUTSIDE_HOURS]
    if all((start - hours.start) % service.step_minutes for hours in around):
        return [Closed.OFF_GRID]
    return []


def pooled_starts(questions: Iterable[Question], within: Interval) -> dict[Minute, tuple[str, ...]]:
    """Open starts of a pool: start → the resources that can serve it, in the service's order. Sorted by start."""
    pool: dict[Minute, list[str]] = {}
    for question in questions:
        for start in open_starts(question, within):
            pool.setdefault(start, []).append(question.state.resource.id)
    return {start: tuple(pool[start]) for start in sorted(pool)}


def nearest_starts(
    questions: Iterable[Question], start: Minute, *, count: int, reach_minutes: int = ALTERNATIVES_REACH
) -> list[Minute]:
    """The open starts nearest to `start`, nearest first, within `reach_minutes` of it and within the months that the questions hold."""
    starts = pooled_starts(questions, Interval(start - reach_minutes, start + reach_minutes))
    return sorted(starts, key=lambda other: (abs(other - start), other))[:count]
