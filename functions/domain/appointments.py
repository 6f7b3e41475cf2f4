"""What clients and operators do with appointments: book, cancel, reschedule. Pure decisions from a snapshot (laws 1 to 3).

Each takes what was read and answers with a `Decision`, or raises a `Refusal`. The store makes the decision again when what was read has changed.
"""

from dataclasses import dataclass
from typing import Any

from functions.domain.availability import Closed, Question, ResourceState, nearest_starts, why_closed
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import CalendarUnknown, IllegalMove, Refusal, SlotTaken, StartClosed
from functions.domain.event_ids import event_id
from functions.domain.instants import MINUTE_MS, Millis, Minute, rfc3339
from functions.domain.ledger import enter, leave, move
from functions.domain.session import Booking, Client, GoogleCopy, Session, new_session
from functions.domain.transitions import BOOKING, SESSION, step

ALTERNATIVES = 5


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A client's wish, with the ids that its records get if it comes true. `resource` None: any that can serve."""

    booking: str
    session: str
    manage_hash: str
    start: Minute
    client: Client
    resource: str | None = None
    notes: str | None = None


@dataclass(frozen=True)
class Booked:
    booking: Booking
    session: Session


def book(
    request: BookingRequest, *, service: Service, states: tuple[ResourceState, ...], now: Millis, author: Author
) -> Decision[Booked]:
    """Takes the first resource of the service that is free at that start. Raises `SlotTaken`, `StartClosed` or `CalendarUnknown`."""
    candidates = tuple(s for s in states if request.resource in (None, s.resource.id))
    questions = tuple(Question(service=service, state=state, now=now) for state in candidates)
    chosen = _open_state(questions, request.start)
    session = new_session(
        session_id=request.session,
        service=service,
        resource=chosen.resource.id,
        start=request.start,
        booking=request.booking,
        now=now,
    )
    session = session.model_copy(update={"copies": _copies(session, chosen.resource.destination)})
    booking = Booking(
        id=request.booking,
        session=session.id,
        service=service.id,
        client=request.client,
        notes=request.notes,
        manage_hash=request.manage_hash,
        created_at=now,
    )
    return Decision(
        answer=Booked(booking, session),
        documents=(session, booking),
        changes=enter(session.resources, session.occupation),
        history=(
            HistoryEntry(
                what="booking.confirmed",
                author=author,
                session=session.id,
                booking=booking.id,
                resource=chosen.resource.id,
                after=_times(session) | {"status": booking.status, "service": service.id},
            ),
        ),
        effects=(*_push(session), Effect(kind="notify", subject=booking.id, about="confirmed")),
    )


def cancel(booking: Booking, session: Session, *, now: Millis, author: Author, reason: str | None) -> Decision[Booked]:
    """Frees the booking's seat, and the session's time where nobody is left in it. Raises `IllegalMove`, also once the session has begun."""
    if booking.status == "cancelled":
        return Decision(answer=Booked(booking, session))
    _must_lie_ahead(session, now)
    seats = {other: count for other, count in session.seats.items() if other != booking.id}
    cancelled = booking.model_copy(
        update={
            "status": step(BOOKING, booking.status, "cancel"),
            "cancelled_by": author.kind,
            "reason": reason,
        }
    )
    update: dict[str, Any] = {"seats": seats, "version": session.version + 1}
    if not seats:
        update |= {
            "status": step(SESSION, session.status, "cancel"),
            "cancelled_by": author.kind,
            "reason": reason,
        }
    after = session.model_copy(update=update)
    return Decision(
        answer=Booked(cancelled, after),
        documents=(cancelled, after),
        changes=() if seats else leave(session.resources, session.occupation),
        history=(
            HistoryEntry(
                what="booking.cancelled",
                author=author,
                session=session.id,
                booking=booking.id,
                resource=session.resources[0],
                why=reason,
                before={"status": booking.status},
                after={"status": cancelled.status},
            ),
        ),
        effects=(*_push(after), Effect(kind="notify", subject=booking.id, about="cancelled")),
    )


def reschedule(
    booking: Booking,
    session: Session,
    *,
    start: Minute,
    service: Service,
    state: ResourceState,
    now: Millis,
    author: Author,
) -> Decision[Booked]:
    """Moves the appointment in place: the same booking and session, at the same resource. The old time is free in the same commit."""
    if booking.status != "confirmed" or session.status != "open":
        raise IllegalMove(f"This booking is {booking.status}; book a new time instead.", current_status=booking.status)
    if start == session.start:
        return Decision(answer=Booked(booking, session))
    _must_lie_ahead(session, now)
    _open_state((Question(service=service, state=state, now=now, moving=session.id),), start)
    # What is sold now is the service as it is now: its length and buffers may have changed since the first booking.
    moved = session.moved_to(start, start + service.duration_minutes).model_copy(
        update={
            "taken_from": start - service.buffer_before_minutes,
            "taken_until": start + service.duration_minutes + service.buffer_after_minutes,
            "conflict": None,
        }
    )
    return Decision(
        answer=Booked(booking, moved),
        documents=(moved,),
        changes=move(session.resources, session.occupation, moved.occupation),
        history=(
            HistoryEntry(
                what="session.moved",
                author=author,
                session=session.id,
                booking=booking.id,
                resource=session.resources[0],
                before=_times(session),
                after=_times(moved),
            ),
        ),
        effects=(*_push(moved), Effect(kind="notify", subject=booking.id, about="moved")),
    )


def _open_state(questions: tuple[Question, ...], start: Minute) -> ResourceState:
    """The first state that has `start` open; where none has, the refusal that says the most useful thing."""
    closed = []
    for question in questions:
        reasons = why_closed(question, start)
        if not reasons:
            return question.state
        closed.append(reasons)
    raise _refusal(questions, start, closed)


def _refusal(questions: tuple[Question, ...], start: Minute, closed: list[tuple[Closed, ...]]) -> Refusal:
    if any(reasons == (Closed.TAKEN,) for reasons in closed):
        alternatives = [rfc3339(other) for other in nearest_starts(questions, start, count=ALTERNATIVES)]
        return SlotTaken("Somebody has that time. Choose one of the alternatives.", alternatives=alternatives)
    if any(set(reasons) <= {Closed.TAKEN, Closed.CALENDAR_UNKNOWN} for reasons in closed):
        return CalendarUnknown("We can't see whether that time is free at the moment. Try again in a few minutes.")
    reasons = sorted({reason.value for one in closed for reason in one})
    return StartClosed(
        f"That start is closed: {', '.join(reasons)}. Ask for availability and take one of its starts.", reasons=reasons
    )


def _must_lie_ahead(session: Session, now: Millis) -> None:
    if session.start * MINUTE_MS <= now:
        raise IllegalMove("This appointment has begun or is over; it can't be changed any more.")


def _copies(session: Session, destination: str | None) -> dict[str, GoogleCopy]:
    if destination is None:
        return {}
    return {destination: GoogleCopy(calendar=destination, event=event_id(session.id, destination, 0))}


def _push(session: Session) -> tuple[Effect, ...]:
    return (Effect(kind="push", subject=session.id),) if session.copies else ()


def _times(session: Session) -> dict[str, str]:
    return {"start": rfc3339(session.start), "end": rfc3339(session.end)}
