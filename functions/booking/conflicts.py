"""The operator's inbox: sessions that a person has to decide about, and the deciding."""

from collections.abc import Callable, Mapping
from typing import Self, TypeVar

from functions.adapters.store import queries
from functions.adapters.store.documents import ledger_ref, mirror_ref
from functions.adapters.store.own_events import read_inbound, with_row
from functions.adapters.store.reading import read_resources
from functions.adapters.store.scenes import places_of, read_resources_of, read_scene
from functions.adapters.store.store import Reader
from functions.booking.clients import booking_answer, start_of
from functions.booking.fields import Instant, Request, Start, Text
from functions.booking.lists import ListQuery, next_of, part_of
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import BookingAnswer
from functions.booking.schemas_sessions import SessionAnswer
from functions.booking.sessions import roster_of, service_of
from functions.domain import brought_back, moved_event
from functions.domain.availability import Question
from functions.domain.brought_back import BROUGHT_BACK
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Ref, in_one_commit
from functions.domain.destinations import once_decided
from functions.domain.errors import (
    CalendarUnknown,
    ChoiceNotOffered,
    IllegalMove,
    Invalid,
    StartClosed,
    TimeTaken,
)
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import months_between, rfc3339, rfc3339_millis
from functions.domain.linking import recalculations
from functions.domain.mirroring import project_alone
from functions.domain.missing_event import make_again
from functions.domain.model import Model
from functions.domain.own_event import new_times
from functions.domain.recalculation import recalculate
from functions.domain.resolving import IN_WORDS, WHAT_IT_DOES, Choice, choices_for, keep, must_be_offered
from functions.domain.roster import Roster, cancel_roster, move_session
from functions.domain.session import Booking, Conflict, Session, Times
from functions.domain.standing import Obstacle
from functions.domain.transitions import SessionStatus
from functions.domain.waitlist.entry import WaitlistEntry

A = TypeVar("A")


class OfferedChoice(Model):
    choice: Choice
    does: str


class EventTimes(Model):
    """When the event in Google is, where that is not the session's time."""

    start: Instant
    end: Instant

    @classmethod
    def of(cls, times: Times) -> Self:
        return cls(start=rfc3339(times.start), end=rfc3339(times.end))


class ListedConflict(Model):
    """`because`: the reason in plain words. `bookings`: those it is about; where the session was cancelled, those who can be booked again."""

    session: str
    service: str
    resources: tuple[str, ...]
    start: Instant
    end: Instant
    status: SessionStatus
    reason: str
    because: str
    since: Instant
    calendar: str | None = None
    event: EventTimes | None = None
    bookings: list[BookingAnswer]
    choices: list[OfferedChoice]


class ConflictList(Model):
    conflicts: list[ListedConflict]
    next_cursor: str | None = None


class Resolution(Request):
    """`start`: where to, for `move`. `reason`: what the clients are told, for `cancel`."""

    choice: Choice
    start: Start | None = None
    reason: Text | None = None


def list_conflicts(call: Call) -> Answer:
    """What a person has to decide about, the oldest first. What is resolved, here or in Google, is not in it any more."""
    query = call.query(ListQuery)
    page = queries.conflicts_page(call.application.store, call.account, part_of(call, query))
    listed = [_listed(call, session, session.conflict) for session in page.documents if session.conflict is not None]
    return Answer(body=ConflictList(conflicts=listed, next_cursor=next_of(call, query, page)))


def _listed(call: Call, session: Session, conflict: Conflict) -> ListedConflict:
    return ListedConflict(
        session=session.id,
        service=session.service,
        resources=session.resources,
        start=rfc3339(session.start),
        end=rfc3339(session.end),
        status=session.status,
        reason=conflict.reason,
        because=IN_WORDS.get(conflict.reason, conflict.reason),
        since=rfc3339_millis(conflict.since),
        calendar=conflict.calendar,
        event=None if conflict.times is None else EventTimes.of(conflict.times),
        bookings=_bookings(call, session),
        choices=[OfferedChoice(choice=each, does=WHAT_IT_DOES[each]) for each in choices_for(session, call.now)],
    )


def _bookings(call: Call, session: Session) -> list[BookingAnswer]:
    reader = call.application.store.reader(call.account)
    names = (*session.seats, *session.holds)
    reader.load(Ref(Resource, session.resources[0]), *(Ref(Booking, name) for name in names))
    resource = reader.get(Ref(Resource, session.resources[0]))
    found = [booking for name in names if (booking := reader.get(Ref(Booking, name))) is not None]
    if session.in_conflict(BROUGHT_BACK):
        found = list(_who_left(reader, call, session))
    return [] if resource is None else [booking_answer(each, session, resource, operator=True) for each in found]


def _who_left(reader: Reader, call: Call, session: Session) -> tuple[Booking, ...]:
    """Those who were cancelled because of the delete, less those who were in it by an offer that they had not accepted."""
    known = queries.bookings_of_session(call.application.store, call.account, session.id)
    reader.load(*(Ref(Booking, booking.id) for booking in known))
    read = [booking for each in known if (booking := reader.get(Ref(Booking, each.id))) is not None]
    left = brought_back.cancelled_by_the_delete(read)
    entries = {booking.id: reader.get(Ref(WaitlistEntry, booking.entry)) for booking in left if booking.entry}
    return tuple(b for b in left if (entry := entries.get(b.id)) is None or entry.status == "booked")


def resolve_conflict(call: Call) -> Answer:
    """Resolves a conflict by one of the choices that it was listed with."""
    body = call.body(Resolution)
    if (body.choice is Choice.MOVE) != (body.start is not None):
        raise Invalid("Give start with move, and only with it.")

    def attempt(reader: Reader) -> Decision[SessionAnswer]:
        roster = roster_of(reader, call)
        must_be_offered(roster.session, body.choice, call.now)
        decision = _RESOLVED[body.choice](reader, call, roster, body)
        after = next((each for each in decision.documents if isinstance(each, Session)), roster.session)
        waited = once_decided(roster.session, after, read_resources_of(reader, after))
        return in_one_commit((decision, Decision(answer=None, effects=waited)), SessionAnswer.of(after))

    return Answer(body=call.application.store.run(call.account, attempt))


Resolved = Decision[Roster] | Decision[None]


def _keep(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    decision = keep(roster, author=call.caller.author)
    if roster.session.in_conflict(Obstacle.MOVED):
        calendar, event = _event_of(reader, roster.session)
        decision = _with_row(reader, call, decision, event, calendar, roster.session)
    return _judged(reader, call, decision, roster)


def _with_row(
    reader: Reader, call: Call, decision: Decision[A], event: MirrorEvent, calendar: Calendar, session: Session
) -> Decision[A]:
    """With the event's row. Time that the session has left or taken, or that its event took as long as it was asked about, is time that another one, or whoever
    waits, has or lacks.
    """
    return _looked_at_again(with_row(reader, decision, event, session, calendar, now=call.now))


def _looked_at_again(decision: Decision[A]) -> Decision[A]:
    """Whatever else is at the resources whose time has changed."""
    return decision.also(effects=recalculations(dict.fromkeys(change.resource for change in decision.changes)))


def _judged(reader: Reader, call: Call, decision: Decision[A], roster: Roster) -> Decision[A]:
    """With what else stands in its way, which could not show behind what is decided now: so it is not taken for one in order for a moment."""
    after = next((each for each in decision.documents if isinstance(each, Session)), roster.session)
    bookings = {booking.id: booking for booking in roster.bookings}
    bookings |= {each.id: each for each in decision.documents if isinstance(each, Booking)}
    scene = read_scene(reader, places_of([after]), now=call.now).after(decision.changes)
    return in_one_commit((decision, recalculate(scene, [after], bookings.values())), decision.answer)


def _move(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    session, start = roster.session, start_of(body.start)
    service = service_of(reader, session.service)
    # An all-day event's length is nobody's wish.
    length = service.duration_minutes if session.in_conflict(Obstacle.ALL_DAY) else session.end - session.start
    question = _question(reader, call, session, Times(start=start, end=start + length))
    return move_session(roster, start, question, author=call.caller.author, length=length)


def _question(reader: Reader, call: Call, session: Session, times: Times) -> Question:
    """The session's service at its own resources, over what it would take there with its buffers."""
    moved = session.moved_to(times.start, times.end, at=call.now)
    months = months_between(*moved.occupation.taken)
    service = service_of(reader, session.service)
    states = read_resources(reader, service, session.resources, months, now=call.now, stale_after=call.stale_after)
    return Question(service=service, states=states, now=call.now)


def _cancel(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    return cancel_roster(roster, now=call.now, author=call.caller.author, reason=body.reason)


def _restore(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    session = roster.session
    if session.in_conflict(Obstacle.DELETED) and session.conflict is not None and session.conflict.calendar is not None:
        again = make_again(session, session.conflict.calendar, author=call.caller.author)
        return _judged(reader, call, again, roster)
    calendar, event = _event_of(reader, session)
    found = read_inbound(reader, event, session, calendar.time_zone, now=call.now)
    decision = moved_event.put_back(found, author=call.caller.author)
    return _with_row(reader, call, decision, event, calendar, session)


def _follow(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    session = roster.session
    calendar, event = _event_of(reader, session)
    found = read_inbound(reader, event, session, calendar.time_zone, now=call.now)
    decision = moved_event.follow(found, author=call.caller.author)
    return _with_row(reader, call, decision, event, calendar, session)


def _rebook(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    session = roster.session
    calendar, event = _event_of(reader, session)
    times = new_times(event, calendar.time_zone)
    if times is None or event.kind != "single":
        raise IllegalMove("A session can't be what the event is now. Make it a single event with a time, or leave it.")
    ours = event.model_copy(update={"session": session.id, "disputed": False, "spared": ()})
    projection = project_alone(ours, event, calendar, call.now)
    reader.load(*(ledger_ref(change.resource, change.month) for change in projection.changes))
    decision = brought_back.book_again(
        Roster(session=session, bookings=_who_left(reader, call, session)),
        times,
        event,
        _question(reader, call, session, times),
        own=projection.changes,
        author=call.caller.author,
    )
    return _looked_at_again(decision.also(documents=projection.rows))


def _leave(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    return keep(roster, author=call.caller.author)


def _delete(reader: Reader, call: Call, roster: Roster, body: Resolution) -> Resolved:
    calendar, _ = _event_of(reader, roster.session)
    return brought_back.delete_again(roster.session, calendar.id, author=call.caller.author)


def _event_of(reader: Reader, session: Session) -> tuple[Calendar, MirrorEvent]:
    """The calendar and the event that the conflict is about, as they were last seen. Raises `IllegalMove`."""
    name = session.conflict.calendar if session.conflict is not None else None
    copy = session.copies.get(name or "")
    if name is None or copy is None:
        raise IllegalMove("The event that this is about is not known any more. Choose something else.")
    reader.load(Ref(Calendar, name), mirror_ref(name, copy.event))
    calendar, event = reader.get(Ref(Calendar, name)), reader.get(mirror_ref(name, copy.event))
    if calendar is None or event is None:
        raise IllegalMove(
            "The event is not in its calendar at the moment. Wait for the next pull, or choose something else."
        )
    return calendar, event


_RESOLVED: Mapping[Choice, Callable[[Reader, Call, Roster, Resolution], Resolved]] = {
    Choice.KEEP: _keep,
    Choice.MOVE: _move,
    Choice.CANCEL: _cancel,
    Choice.RESTORE: _restore,
    Choice.FOLLOW: _follow,
    Choice.REBOOK: _rebook,
    Choice.LEAVE: _leave,
    Choice.DELETE: _delete,
}

_CONFLICTS = "/v1/accounts/<id:account>/conflicts"

ROUTES = (
    Route(
        method="GET",
        path=_CONFLICTS,
        handler=list_conflicts,
        access="operator",
        query=ListQuery,
        answer=ConflictList,
    ),
    Route(
        method="POST",
        path=f"{_CONFLICTS}/<id:session>/resolve",
        handler=resolve_conflict,
        access="operator",
        permission="bookings",
        body=Resolution,
        answer=SessionAnswer,
        refusals=(ChoiceNotOffered, IllegalMove, TimeTaken, StartClosed, CalendarUnknown),
    ),
)
