"""Why a start is closed: every rule that closes it, by name, with what caused it. No reason at all means that it is open.

Asked for one start at a time, and written to be read: it walks through everything that the engine strikes out in bulk. That the two agree is held
by property (`tests/domain/test_availability_oracle.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from functions.domain.availability.bounds import bounds_of
from functions.domain.availability.joining import running, seats_open
from functions.domain.availability.limits import FullPeriod, full_for_client, full_for_new_sessions, too_many_at_once
from functions.domain.availability.question import Candidate, Closed, Needs, Question, ResourceState, candidates
from functions.domain.availability.taken import occupations
from functions.domain.instants import MINUTE_MS, Minute, rfc3339, rfc3339_millis
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from functions.domain.openings import open_time, openings
from functions.domain.zones import local_date, zone

Cause: TypeAlias = dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A rule that closes a start, at which resource (None: at all of them), and what caused it: ids, instants, numbers."""

    rule: Closed
    resource: str | None = None
    cause: Mapping[str, str | int] = field(default_factory=dict)


def explain(question: Question, start: Minute) -> tuple[Reason, ...]:
    """The reasons why `start` is closed; empty where anyone could serve it."""
    closed: list[Reason] = list(_for_all(question))
    found = candidates(question)
    if not found:
        closed.append(Reason(rule=Closed.NOBODY))
    for candidate in found:
        reasons = explain_candidate(question, candidate, start)
        if not reasons:
            return ()
        closed += (reason for reason in reasons if reason not in closed)
    return tuple(closed)


def explain_candidate(question: Question, candidate: Candidate, start: Minute) -> tuple[Reason, ...]:
    """The same for one candidate."""
    reasons = [*_for_all(question), *_by_bounds(question, candidate, start), *_by_client(question, candidate, start)]
    session = _session_at(question, candidate, start)
    if session is not None:
        reasons += _against_joining(question, candidate, session)
    elif question.service.kind == "event":
        reasons.append(Reason(rule=Closed.NOT_SCHEDULED))
    else:
        reasons += _against_beginning(question, candidate, start)
    return tuple(reasons)


def against_time(question: Question, candidate: Candidate, *, core: Interval, taken: Interval) -> tuple[Reason, ...]:
    """Only what else takes the time of a candidate's resources, or may take it for all that is known; whatever their hours and every other rule say.

    `core` is the session itself, `taken` includes its buffers.
    """
    every = (_by_taken(question, state, core=core, taken=taken, joining=None) for state in candidate.states)
    return tuple(chain.from_iterable(every))


def _session_at(question: Question, candidate: Candidate, start: Minute) -> Occupation | None:
    """The running session that a client would join there. In one-to-one services nobody joins: the session is just in the way."""
    if question.service.kind == "appointment" and question.service.capacity == 1:
        return None
    return next((entry for entry in running(question, candidate).values() if entry.start == start), None)


def _for_all(question: Question) -> Iterator[Reason]:
    service = question.service
    if not service.active:
        yield Reason(rule=Closed.INACTIVE)
    if question.duration is not None and not service.offers_duration(question.duration):
        yield Reason(rule=Closed.DURATION, cause={"duration_minutes": question.duration})
    if question.seats < 1 or (service.kind == "appointment" and question.seats > service.capacity):
        yield Reason(rule=Closed.TOO_MANY_SEATS, cause={"seats": question.seats, "capacity": service.capacity})
    if (many := too_many_at_once(question)) is not None:
        yield Reason(
            rule=Closed.LIMIT, cause={"of": "client", "per": "at_once", "most": many.most, "count": many.count}
        )


def _by_bounds(question: Question, candidate: Candidate, start: Minute) -> Iterator[Reason]:
    bounds, window = bounds_of(question, candidate), question.service.window.kind
    cause: Cause
    if start < bounds.earliest:
        cause = {"earliest": rfc3339(bounds.earliest), "notice_minutes": question.service.notice_minutes}
        yield Reason(rule=Closed.TOO_SOON, cause=cause)
    if start < bounds.window.start:
        cause = {"window": window, "opens": rfc3339(bounds.window.start)}
        yield Reason(rule=Closed.TOO_SOON, cause=cause)
    if start >= bounds.window.end:
        cause = {"window": window, "ends": rfc3339(bounds.window.end)}
        yield Reason(rule=Closed.TOO_FAR, cause=cause)


def _by_client(question: Question, candidate: Candidate, start: Minute) -> Iterator[Reason]:
    yield from (_limit(full) for full in full_for_client(question, candidate) if _holds(full.interval, start))


def _against_joining(question: Question, candidate: Candidate, session: Occupation) -> Iterator[Reason]:
    left = session.seats_left(question.now)
    if session.closed:
        yield Reason(rule=Closed.CLOSED, cause={"session": session.session})
    if left < question.seats:
        cause: Cause = {"session": session.session, "seats_left": left, "capacity": session.capacity}
        yield Reason(rule=Closed.FULL, cause=cause)
    elif not session.closed and seats_open(question, session) < question.seats:
        yield Reason(rule=Closed.WAITLIST, cause={"session": session.session, "seats_left": left})
    time = Interval(session.start, session.end)
    for state in candidate.states:
        if question.service.kind == "appointment" and open_time(state.resource.hours, time) != [time]:
            yield _outside_hours(state, session.start)
        yield from _by_taken(question, state, core=time, taken=session.taken, joining=session.session)


def _against_beginning(question: Question, candidate: Candidate, start: Minute) -> Iterator[Reason]:
    needs = Needs.of(question)
    core, taken = Interval(start, start + needs.length), Interval(start - needs.before, start + needs.reach)
    for state in candidate.states:
        if open_time(state.resource.hours, core) != [core]:
            yield _outside_hours(state, start)
        elif state is candidate.lead and not _on_grid(question, state, start):
            yield Reason(
                rule=Closed.OFF_GRID, resource=state.resource.id, cause={"step_minutes": question.service.step_minutes}
            )
        yield from _by_taken(question, state, core=core, taken=taken, joining=None)
    for full in full_for_new_sessions(question, candidate):
        if _holds(full.interval, start):
            yield _limit(full)


def _outside_hours(state: ResourceState, start: Minute) -> Reason:
    """With the rule that the hours of that date come from: an override, say, or a holiday by its name."""
    hours = state.resource.hours
    day = local_date(start, zone(hours.on(local_date(start, zone(hours.time_zone))).zone))
    plan = hours.on(day)
    cause: Cause = {"date": day.isoformat(), "hours": plan.rule}
    return Reason(
        rule=Closed.OUTSIDE_HOURS, resource=state.resource.id, cause=cause | ({"name": plan.name} if plan.name else {})
    )


def _on_grid(question: Question, state: ResourceState, start: Minute) -> bool:
    service = question.service
    return any(
        start >= first and (start - first) % service.step_minutes == 0
        for opening in openings(state.resource.hours, Interval(start, start + 1))
        for first in (opening.start + service.offset_minutes,)
    )


def _by_taken(
    question: Question, state: ResourceState, *, core: Interval, taken: Interval, joining: str | None
) -> Iterator[Reason]:
    """What else takes the resource's time. `core` is the session itself, `taken` includes its buffers."""
    resource = state.resource.id
    if taken.end > state.known_until:
        cause: Cause = {"known_until": rfc3339(state.known_until)} if state.known_until else {}
        if state.least_known is not None:
            cause["calendar"] = state.least_known
        if state.last_read is not None:
            cause["not_read_since"] = rfc3339_millis(state.last_read)
        if state.last_read is not None and state.staleness is not None and not state.known_until:
            cause |= {"stale_after_minutes": state.staleness.limit // MINUTE_MS, "by_rule_of": state.staleness.limit_of}
        yield Reason(rule=Closed.CALENDAR_UNKNOWN, resource=resource, cause=cause)
    for session, entry in occupations(state, question.now, without=question.moving).items():
        if session != joining and entry.taken.overlaps(taken):
            rule = Closed.SESSION if Interval(entry.start, entry.end).overlaps(core) else Closed.BUFFER
            cause = {"session": session, "start": rfc3339(entry.start), "end": rfc3339(entry.end)}
            yield Reason(rule=rule, resource=resource, cause=cause)
    for calendar, event, block in sorted(_blocks_that_overlap(state, taken)):
        cause = {"calendar": calendar, "event": event, "start": rfc3339(block.start), "end": rfc3339(block.end)}
        rule = Closed.BUSY if block.overlaps(core) else Closed.BUFFER
        yield Reason(rule=rule, resource=resource, cause=cause)


def _blocks_that_overlap(state: ResourceState, taken: Interval) -> set[tuple[str, str, Interval]]:
    return {
        (calendar, event, block)
        for month in state.months
        for calendar in state.resource.blocked_by
        for event, intervals in month.blocks.get(calendar, {}).items()
        for block in intervals
        if block.overlaps(taken)
    }


def _limit(full: FullPeriod) -> Reason:
    cause: Cause = {"of": full.of, "per": full.per, "most": full.most, "count": full.count}
    return Reason(rule=Closed.LIMIT, resource=full.resource, cause=cause)


def _holds(period: Interval, start: Minute) -> bool:
    return period.start <= start < period.end
