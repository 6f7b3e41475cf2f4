"""Sessions that operators schedule, and change with everybody in them."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.reading import read_resources
from functions.adapters.store.store import Reader
from functions.booking.clients import start_of
from functions.booking.idempotency import answered_once
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_sessions import (
    ClonedSession,
    NewSessions,
    ScheduledSessions,
    SessionAnswer,
    SessionChange,
    SessionEnd,
    SessionTimes,
    SkippedStart,
)
from functions.domain.availability import Question
from functions.domain.capacity import set_capacity
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref, in_one_commit
from functions.domain.errors import (
    BelowSeatsSold,
    CalendarUnknown,
    IllegalMove,
    Invalid,
    NotFound,
    StartClosed,
    TimeTaken,
)
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute, months_between
from functions.domain.roster import Roster, cancel_roster, move_session, set_closed, set_waitlist
from functions.domain.scheduling import Plan, schedule, starts_by_rule
from functions.domain.session import Booking, Session
from functions.domain.waitlist.preset import Preset


@dataclass(frozen=True, kw_only=True)
class _Usual:
    """What holds where the request says nothing else."""

    length: int
    capacity: int
    resources: tuple[str, ...] = ()
    waitlist: str | None = None


def schedule_sessions(call: Call) -> Answer:
    """Schedules a session, or one at each start of a rule; all or none."""
    body = call.body(NewSessions)

    def attempt(reader: Reader) -> Decision[ScheduledSessions]:
        service = service_of(reader, body.service)
        usual = _Usual(length=service.duration_minutes, capacity=service.capacity)
        return _scheduled(reader, call, service, body, usual)

    return _answered_once(call, attempt)


def clone_session(call: Call) -> Answer:
    """Schedules the same as a session at another time, whatever has become of that one."""
    body = call.body(ClonedSession)

    def attempt(reader: Reader) -> Decision[ScheduledSessions]:
        session = _session(reader, call)
        usual = _Usual(
            length=session.end - session.start,
            capacity=session.capacity,
            resources=session.resources,
            waitlist=session.waitlist,
        )
        return _scheduled(reader, call, service_of(reader, session.service), body, usual)

    return _answered_once(call, attempt)


def _answered_once(call: Call, attempt: Callable[[Reader], Decision[ScheduledSessions]]) -> Answer:
    def keep(answer: ScheduledSessions) -> Mapping[str, Any]:
        return answer.model_dump(mode="json")

    made = answered_once(call, attempt, keep=keep, repeat=ScheduledSessions.model_validate)
    return Answer(body=made, status=201)


def _scheduled(
    reader: Reader, call: Call, service: Service, body: SessionTimes, usual: _Usual
) -> Decision[ScheduledSessions]:
    resources = usual.resources if body.resources is None else body.resources
    starts = _starts(reader, call, body, resources or service.resources)
    plan = Plan(
        starts=starts,
        ids=tuple(session_id(os.urandom(16)) for _ in starts),
        length=usual.length if body.length is None else body.length,
        capacity=usual.capacity if body.capacity is None else body.capacity,
        resources=resources,
        waitlist=body.waitlist if "waitlist" in body.model_fields_set else usual.waitlist,
        series=None if body.repeat is None else session_id(os.urandom(16)),
    )
    _must_be_a_preset(reader, plan.waitlist)
    months = {month for start in starts for month in _months(service, start, start + plan.length)}
    states = read_resources(
        reader, service, service.resources, sorted(months), now=call.now, stale_after=call.stale_after
    )
    question = Question(service=service, states=states, now=call.now)
    decision = schedule(plan, question, author=call.caller.author, skip_taken=body.skip_taken)
    made = decision.answer
    return decision.with_answer(
        ScheduledSessions(
            sessions=[SessionAnswer.of(session) for session in made.sessions],
            series=plan.series,
            skipped=[SkippedStart.model_validate(each.shown()) for each in made.skipped],
        )
    )


def _starts(reader: Reader, call: Call, body: SessionTimes, resources: tuple[str, ...]) -> tuple[Minute, ...]:
    first = start_of(body.start)
    if body.repeat is None:
        return (first,)
    resource = reader.get(Ref(Resource, resources[0]))
    if resource is None:
        raise Invalid(f"There is no resource {resources[0]}.")
    return starts_by_rule(body.repeat.rule, first, zone_name=resource.hours.time_zone, now=call.now)


def _months(service: Service, start: Minute, end: Minute) -> tuple[str, ...]:
    """Every ledger month that a session touches with its buffers."""
    return months_between(start - service.buffer_before_minutes, end + service.buffer_after_minutes)


def change_session(call: Call) -> Answer:
    """Changes a session: all that the request names, in one commit."""
    body = call.body(SessionChange)

    def attempt(reader: Reader) -> Decision[SessionAnswer]:
        roster, made = roster_of(reader, call), list[Decision[Roster]]()
        for step in _steps(reader, call, body):
            made.append(step(roster))
            roster = made[-1].answer
        return in_one_commit(made, SessionAnswer.of(roster.session))

    return Answer(body=call.application.store.run(call.account, attempt))


def _steps(reader: Reader, call: Call, body: SessionChange) -> Iterator[Callable[[Roster], Decision[Roster]]]:
    now, author = call.now, call.caller.author
    start, capacity, closed = body.start, body.capacity, body.closed
    if start is not None:
        yield lambda roster: _moved(reader, call, roster, start_of(start))
    if capacity is not None:
        yield lambda roster: set_capacity(roster, capacity, below=body.below, now=now, author=author)
    if closed is not None:
        yield lambda roster: set_closed(roster, closed=closed, now=now, author=author)
    if "waitlist" in body.model_fields_set:
        _must_be_a_preset(reader, body.waitlist)
        yield lambda roster: set_waitlist(roster, preset=body.waitlist, now=now, author=author)


def _moved(reader: Reader, call: Call, roster: Roster, start: Minute) -> Decision[Roster]:
    session = roster.session
    moved = session.moved_to(start, start + session.end - session.start, at=call.now)
    months = months_between(*moved.occupation.taken)
    service = service_of(reader, session.service)
    states = read_resources(reader, service, session.resources, months, now=call.now, stale_after=call.stale_after)
    question = Question(service=service, states=states, now=call.now)
    return move_session(roster, start, question, author=call.caller.author)


def end_session(call: Call) -> Answer:
    """Cancels a session, with all its bookings."""
    body = call.body(SessionEnd)

    def attempt(reader: Reader) -> Decision[SessionAnswer]:
        roster = roster_of(reader, call)
        decision = cancel_roster(roster, now=call.now, author=call.caller.author, reason=body.reason)
        return decision.with_answer(SessionAnswer.of(decision.answer.session))

    return Answer(body=call.application.store.run(call.account, attempt))


def roster_of(reader: Reader, call: Call) -> Roster:
    """The session that the address names, with all that are in it and the ledger months that it touches. Raises `NotFound`."""
    session = _session(reader, call)
    names = (*session.seats, *session.holds)
    reader.load(*ledger_refs_of(session), *(Ref(Booking, name) for name in names))
    bookings = [booking for name in names if (booking := reader.get(Ref(Booking, name))) is not None]
    # As they came; a map in the store has no order.
    return Roster(session=session, bookings=tuple(sorted(bookings, key=lambda each: (each.created_at, each.id))))


def _session(reader: Reader, call: Call) -> Session:
    session = reader.get(Ref(Session, call.ids["session"]))
    if session is None:
        raise NotFound("There is no such session.")
    return session


def service_of(reader: Reader, name: str) -> Service:
    """Raises `NotFound`."""
    service = reader.get(Ref(Service, name))
    if service is None:
        raise NotFound(f"There is no service {name}.")
    return service


def _must_be_a_preset(reader: Reader, name: str | None) -> None:
    if name is not None and reader.get(Ref(Preset, name)) is None:
        raise Invalid(f"There is no waitlist preset {name}. Create it first.")


_SESSION = "/v1/accounts/<id:account>/sessions"

ROUTES = (
    Route(
        method="POST",
        path=_SESSION,
        handler=schedule_sessions,
        access="operator",
        permission="bookings",
        body=NewSessions,
        answer=ScheduledSessions,
        status=201,
        refusals=(TimeTaken, StartClosed, CalendarUnknown),
        once=True,
    ),
    Route(
        method="PATCH",
        path=f"{_SESSION}/<id:session>",
        handler=change_session,
        access="operator",
        permission="bookings",
        body=SessionChange,
        answer=SessionAnswer,
        refusals=(TimeTaken, BelowSeatsSold, IllegalMove, StartClosed, CalendarUnknown),
    ),
    Route(
        method="POST",
        path=f"{_SESSION}/<id:session>/clone",
        handler=clone_session,
        access="operator",
        permission="bookings",
        body=ClonedSession,
        answer=ScheduledSessions,
        status=201,
        refusals=(TimeTaken, StartClosed, CalendarUnknown),
        once=True,
    ),
    Route(
        method="POST",
        path=f"{_SESSION}/<id:session>/cancel",
        handler=end_session,
        access="operator",
        permission="bookings",
        body=SessionEnd,
        body_optional=True,
        answer=SessionAnswer,
        refusals=(IllegalMove,),
    ),
)
