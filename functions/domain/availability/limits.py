"""How many sessions or bookings there may be in a day, a week or a month: the periods that are full.

Periods are those of a zone: its days, its weeks from Monday (ISO 8601), its months. A start in a full period is closed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from functions.domain.availability.question import Candidate, ClientBooking, Question, ResourceState
from functions.domain.configuration import Limits
from functions.domain.instants import MINUTE_MS, Millis, Minute, months_between
from functions.domain.intervals import Interval
from functions.domain.zones import local_date, midnight, zone

Per = Literal["day", "week", "month"]
Counted = Literal["resource", "service", "client"]


@dataclass(frozen=True, kw_only=True)
class FullPeriod:
    """A period in which there are `count` already, and may be `most`. `of`: what is counted; `resource`: whose sessions, where those of one are."""

    interval: Interval
    of: Counted
    resource: str | None
    per: Per
    most: int
    count: int


@dataclass(frozen=True, kw_only=True)
class TooManyAtOnce:
    """The client has `count` bookings ahead, and may have `most`: every start is closed to them."""

    most: int
    count: int


def dates_around(per: Per, day: date) -> tuple[date, date]:
    """First date of the day, week or month that `day` lies in, and the date after its last."""
    if per == "day":
        return day, day + timedelta(days=1)
    if per == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def period_around(per: Per, minute: Minute, zone_name: str) -> Interval:
    """The local day, week or month that a minute lies in."""
    zone_ = zone(zone_name)
    first, after = dates_around(per, local_date(minute, zone_))
    return Interval(midnight(first, zone_), midnight(after, zone_))


def widest_period(limits: Iterable[Limits]) -> Per | None:
    """The longest period that any of these limits counts."""
    counted = {per for one in limits for per, _ in _set(one)}
    return next((per for per in ("month", "week", "day") if per in counted), None)


def months_counted(question: Question, resources: tuple[str, ...], start: Minute) -> frozenset[tuple[str, str]]:
    """Every ledger month (resource, month) whose sessions count when these resources take a new session at `start`."""
    states = {state.resource.id: state for state in question.states}
    found: set[tuple[str, str]] = set()
    for name in resources:
        resource = states[name].resource
        found |= _months((name,), resource.limits, start, resource.hours.time_zone)
    lead = states[resources[0]].resource
    return frozenset(found | _months(states, question.service.limits, start, lead.hours.time_zone))


def _months(resources: Iterable[str], limits: Limits, start: Minute, zone_name: str) -> set[tuple[str, str]]:
    per = widest_period((limits,))
    if per is None:
        return set()
    return {(name, month) for name in resources for month in months_between(*period_around(per, start, zone_name))}


def session_starts(
    states: Iterable[ResourceState], now: Millis, *, without: str | None, service: str | None = None
) -> list[Minute]:
    """When the sessions in these ledgers start, each once; those of one service, or of all."""
    found = {
        entry.session: entry.start
        for state in states
        for month in state.months
        for entry in month.sessions.values()
        if entry.session != without and service in (None, entry.service) and entry.takes_time(now)
    }
    return list(found.values())


def full_for_new_sessions(question: Question, candidate: Candidate) -> Iterator[FullPeriod]:
    """The periods in which no further session may begin, by the resources' limits and by the service's."""
    now, moving, service = question.now, question.moving, question.service
    for state in candidate.states:
        if state.resource.limits.any:
            starts = session_starts((state,), now, without=moving)
            zone_name = state.resource.hours.time_zone
            yield from _full(state.resource.limits, starts, zone_name, "resource", resource=state.resource.id)
    if service.limits.any:
        starts = session_starts(question.states, now, without=moving, service=service.id)
        yield from _full(service.limits, starts, candidate.lead.resource.hours.time_zone, "service")


def full_for_client(question: Question, candidate: Candidate) -> Iterator[FullPeriod]:
    """The periods in which this client may not book any more."""
    if question.client is not None and question.service.client_limits.any:
        starts = [booking.start for booking in _counted(question)]
        yield from _full(question.service.client_limits, starts, candidate.lead.resource.hours.time_zone, "client")


def too_many_at_once(question: Question) -> TooManyAtOnce | None:
    most = question.service.client_limits.at_once
    if most is None or question.client is None:
        return None
    count = sum(booking.end * MINUTE_MS > question.now for booking in _counted(question))
    return TooManyAtOnce(most=most, count=count) if count >= most else None


def closed_by_limits(question: Question, candidate: Candidate, start: Minute) -> bool:
    """Whether there is as much as there may be, around `start`, of the resources', the service's or the client's bookings."""
    full = (*full_for_new_sessions(question, candidate), *full_for_client(question, candidate))
    return too_many_at_once(question) is not None or any(p.interval.start <= start < p.interval.end for p in full)


def _counted(question: Question) -> list[ClientBooking]:
    return [booking for booking in question.client or () if booking.service == question.service.id]


def _full(
    limits: Limits, starts: list[Minute], zone_name: str, of: Counted, *, resource: str | None = None
) -> Iterator[FullPeriod]:
    zone_ = zone(zone_name)
    days = [local_date(start, zone_) for start in starts]
    for per, most in _set(limits):
        for (first, after), count in Counter(dates_around(per, day) for day in days).items():
            if count >= most:
                interval = Interval(midnight(first, zone_), midnight(after, zone_))
                yield FullPeriod(interval=interval, of=of, resource=resource, per=per, most=most, count=count)


def _set(limits: Limits) -> Iterator[tuple[Per, int]]:
    every: tuple[tuple[Per, int | None], ...] = (
        ("day", limits.per_day),
        ("week", limits.per_week),
        ("month", limits.per_month),
    )
    return ((per, most) for per, most in every if most is not None)
