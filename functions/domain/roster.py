"""A session with everybody in it, and what an operator does to all of them at once: move it, open and close it, cancel it.

How many seats it has is another matter: see `capacity`.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from functions.domain.appointments import cancel
from functions.domain.availability import TAKEN, Question
from functions.domain.availability.explanation import against_time
from functions.domain.availability.question import Candidate
from functions.domain.cancelling import cancel_session
from functions.domain.decision import Author, Decision, Effect, HistoryEntry, in_one_commit
from functions.domain.destinations import once_decided
from functions.domain.errors import CalendarUnknown, IllegalMove, TimeTaken
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, enter, move
from functions.domain.scheduling import TakenStart, must_be_in_reach
from functions.domain.seating import freed_by, left_by_those_who_wait, push_of, settle_of, times_of
from functions.domain.session import Booking, Session
from functions.domain.standing import Obstacle


@dataclass(frozen=True, kw_only=True)
class Roster:
    """`bookings`: all that have seats in the session, or for which some are kept."""

    session: Session
    bookings: tuple[Booking, ...] = ()


def must_lie_ahead(session: Session, now: Millis) -> None:
    """Raises `IllegalMove` where the session is cancelled, has begun or is over."""
    if session.status != "open":
        raise IllegalMove("This session is cancelled. Schedule another.", current_status=session.status)
    if session.start * MINUTE_MS <= now:
        raise IllegalMove("This session has begun or is over; it can't be changed any more.")


def set_closed(roster: Roster, *, closed: bool, now: Millis, author: Author) -> Decision[Roster]:
    """Whether seats of it are sold; who has one keeps it. Raises `IllegalMove`."""
    what = "session.closed" if closed else "session.opened"
    return _set(roster, "closed", closed, what=what, now=now, author=author)


def set_waitlist(roster: Roster, *, preset: str | None, now: Millis, author: Author) -> Decision[Roster]:
    """The rules by which one waits for it, instead of the service's. Raises `IllegalMove`."""
    return _set(roster, "waitlist", preset, what="session.changed", now=now, author=author)


def _set(roster: Roster, field: str, value: Any, *, what: str, now: Millis, author: Author) -> Decision[Roster]:
    must_lie_ahead(roster.session, now)
    before = getattr(roster.session, field)
    if before == value:
        return Decision(answer=roster)
    changed = roster.session.model_copy(update={field: value})
    return Decision(
        answer=replace(roster, session=changed),
        documents=(changed,),
        changes=enter(changed.resources, changed.occupation),
        history=(noted(changed, what, author, before={field: before}, after={field: value}),),
        effects=freed_by(roster.session, changed),
    )


def move_session(
    roster: Roster, start: Minute, question: Question, *, author: Author, length: int | None = None
) -> Decision[Roster]:
    """Moves it with everybody in it: as long as before, or `length` minutes, with the same resources and buffers. Each client is told.

    `question`: the service at the session's own resources, over its new time. Raises `TimeTaken`, `CalendarUnknown`, `StartClosed`, `IllegalMove`.
    """
    session = roster.session
    must_lie_ahead(session, question.now)
    end = start + (session.end - session.start if length is None else length)
    if (start, end) == (session.start, session.end):
        return Decision(answer=roster)
    moved = left_by_those_who_wait(session.moved_to(start, end, at=question.now), question.service)
    must_be_in_reach(Interval(start, moved.taken_until), question.now)
    must_be_free(question, moved)
    bookings = tuple(_moved(booking, moved) for booking in roster.bookings)
    # What is wrong with its time is over with the time; with its seats or its event, not.
    stays = session.in_conflict(Obstacle.OVER_CAPACITY) or session.in_conflict(Obstacle.DELETED)
    conflict = session.conflict if stays else None
    moved = moved.model_copy(update={"conflict": conflict, "holds": _holds_after(moved, bookings)})
    before, after = times_of(session), times_of(moved)
    return Decision(
        answer=Roster(session=moved, bookings=bookings),
        documents=(moved, *bookings),
        changes=move(session.resources, session.occupation, moved.occupation),
        history=(
            noted(moved, "session.moved", author, before=before, after=after),
            *(noted(moved, "booking.moved", author, booking=b, before=before, after=after) for b in bookings),
        ),
        effects=(
            *push_of(moved),
            *settle_of(session, moved),
            *(Effect(kind="notify", subject=b.id, about="moved") for b in bookings if b.client.email),
            *(Effect(kind="lapse", subject=b.id, not_before=b.expires_at) for b in bookings if b.requested),
            *freed_by(session, moved),
            *once_decided(session, moved, (state.resource for state in question.states)),
        ),
    )


def must_be_free(question: Question, moved: Session) -> None:
    """The time that the session would take. Raises `TimeTaken`, `CalendarUnknown`."""
    asked = replace(question, moving=moved.id)
    core = Interval(moved.start, moved.end)
    reasons = against_time(asked, Candidate(states=question.states), core=core, taken=moved.occupation.taken)
    if not {reason.rule for reason in reasons} <= TAKEN:
        raise CalendarUnknown("Nobody can see whether that time is free at the moment. Try again in a few minutes.")
    if reasons:
        taken = TakenStart(start=moved.start, reasons=reasons)
        raise TimeTaken("The session stays where it is. Choose another time.", taken=[taken.shown()])


def _moved(booking: Booking, session: Session) -> Booking:
    """A request may be answered until the session begins, whenever that is."""
    waits = booking.requested and booking.status == "held"
    expires_at = session.start * MINUTE_MS if waits else booking.expires_at
    return booking.model_copy(update={"start": session.start, "expires_at": expires_at})


def _holds_after(session: Session, bookings: tuple[Booking, ...]) -> dict[str, Hold]:
    until = {booking.id: booking.expires_at for booking in bookings}
    return {key: replace(hold, expires_at=until.get(key) or hold.expires_at) for key, hold in session.holds.items()}


def cancel_roster(roster: Roster, *, now: Millis, author: Author, reason: str | None) -> Decision[Roster]:
    """Ends the session with all its bookings, and tells each client. Twice is once. Raises `IllegalMove`.

    Who waits for nothing else is told by the task that looks after the queue (`promote`).
    """
    session = roster.session
    if session.status == "cancelled":
        return Decision(answer=roster)
    must_lie_ahead(session, now)
    decision = cancel_session(session, roster.bookings, author=author, reason=reason)
    ended = {booking.id: booking for booking in decision.answer.bookings}
    bookings = tuple(ended.get(booking.id, booking) for booking in roster.bookings)
    after = Roster(session=decision.answer.session, bookings=bookings)
    waited_for = (*freed_by(session, after.session), Effect(kind="promote", subject=session.service))
    return decision.with_answer(after).also(effects=waited_for)


def cancel_some(
    roster: Roster, bookings: Collection[str], *, now: Millis, author: Author, reason: str | None
) -> Decision[Roster]:
    """Cancels these of its bookings. An unscheduled session ends with the last one. Raises `IllegalMove`."""
    session, made = roster.session, []
    for booking in roster.bookings:
        if booking.id in bookings:
            made.append(cancel(booking, session, now=now, author=author, reason=reason))
            session = made[-1].answer.session
    ended = {decision.answer.booking.id: decision.answer.booking for decision in made}
    after = Roster(session=session, bookings=tuple(ended.get(booking.id, booking) for booking in roster.bookings))
    return in_one_commit(made, after)


def noted(session: Session, what: str, author: Author, *, booking: Booking | None = None, **more: Any) -> HistoryEntry:
    """An entry about a session, or about one booking in it."""
    return HistoryEntry(
        what=what,
        author=author,
        session=session.id,
        booking=None if booking is None else booking.id,
        resource=session.resources[0],
        service=session.service,
        **more,
    )
