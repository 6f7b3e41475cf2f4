"""What clients and operators do with bookings: book, cancel, reschedule. Pure decisions from a snapshot (laws 1 to 3).

Each takes what was read and answers with a `Decision`, or raises a `Refusal`. The store makes the decision again when what was read has changed.
Where a booking goes is decided before, by `placing.place`; what it means for the sessions, here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.destinations import once_decided
from functions.domain.errors import IllegalMove
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.ledger import merge_changes, move
from functions.domain.seating import (
    Seating,
    free_seats,
    freed_by,
    gives_up_time,
    guards_of,
    push_of,
    seated,
    settle_of,
    take_seats,
    times_of,
)
from functions.domain.session import Booking, Client, Session
from functions.domain.standing import Obstacle
from functions.domain.transitions import BOOKING, step

MOVED_AWAY = "moved to another session"


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A client's wish, with the ids that its records get if it comes true: `session` where a new one has to be made."""

    booking: str
    session: str
    manage_hash: str
    start: Minute
    client: Client
    notes: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    entry: str | None = None  # of the waitlist, whose turn it is
    series: str | None = None


@dataclass(frozen=True)
class Booked:
    booking: Booking
    session: Session


def book(request: BookingRequest, seating: Seating, *, author: Author) -> Decision[Booked]:
    """Takes the seats: in the running session, or in a new one."""
    question = seating.question
    taken = take_seats(seating, session_id=request.session, booking=request.booking, seats=question.seats)
    session = taken.session
    booking = Booking(
        id=request.booking,
        session=session.id,
        service=question.service.id,
        start=session.start,
        resources=session.resources,
        client=request.client,
        client_key=request.client.key,
        seats=question.seats,
        notes=request.notes,
        answers=request.answers,
        entry=request.entry,
        series=request.series,
        manage_hash=request.manage_hash,
        created_at=question.now,
    )
    return Decision(
        answer=Booked(booking, session),
        documents=(session, booking),
        changes=taken.ledger,
        guards=guards_of(seating, booking.client),
        history=(
            HistoryEntry(
                what="booking.confirmed",
                author=author,
                session=session.id,
                booking=booking.id,
                resource=session.resources[0],
                after=times_of(session)
                | {"status": booking.status, "service": booking.service, "seats": booking.seats},
            ),
        ),
        effects=(*push_of(session), Effect(kind="notify", subject=booking.id, about="confirmed")),
    )


def cancel(
    booking: Booking, session: Session, *, now: Millis, author: Author, reason: str | None, until_minutes: int = 0
) -> Decision[Booked]:
    """Frees the booking's seats, and the session's time where nobody is left in it.

    Raises `IllegalMove`, also when there are less than `until_minutes` to the start, or it has begun.
    """
    if booking.status == "cancelled":
        return Decision(answer=Booked(booking, session))
    _must_lie_ahead(session, now, until_minutes)
    cancelled = booking.model_copy(
        update={
            "status": step(BOOKING, booking.status, "cancel"),
            "conflict": None,
            "cancelled_by": author.kind,
            "reason": reason,
            "expires_at": None,
        }
    )
    freed = free_seats(session, booking, {"cancelled_by": author.kind, "reason": reason})
    # Who had only an offer is told by the waitlist, on which they are again.
    told = () if booking.is_offer else (Effect(kind="notify", subject=booking.id, about="cancelled"),)
    return Decision(
        answer=Booked(cancelled, freed.session),
        documents=(cancelled, freed.session),
        changes=freed.ledger,
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
        effects=(
            *push_of(freed.session),
            *told,
            *freed_by(session, freed.session),
        ),
    )


def may_move(booking: Booking, session: Session, *, now: Millis, until_minutes: int = 0) -> None:
    """Raises `IllegalMove` where the booking can't be rescheduled any more, `until_minutes` before its start at the latest."""
    if booking.status != "confirmed" or session.status != "open":
        raise IllegalMove(f"This booking is {booking.status}; book a new time instead.", current_status=booking.status)
    _must_lie_ahead(session, now, until_minutes)


def reschedule(
    booking: Booking, session: Session, seating: Seating, *, new_session: str, author: Author
) -> Decision[Booked]:
    """Moves the booking: the same booking, and the old time or seats are free in the same commit.

    A session of its own moves with it where the same resources serve the new time, so that its event moves too. Else the booking leaves its session
    and takes seats in another, a running one or one that is made with the id `new_session`.
    """
    choice = seating.choice
    if choice.session == session.id:
        return Decision(answer=Booked(booking, session))
    if gives_up_time(booking, session) and choice.session is None and choice.resources == session.resources:
        return _move_session(booking, session, seating, author=author)
    taken = take_seats(seating, session_id=new_session, booking=booking.id, seats=booking.seats)
    freed = free_seats(session, booking, {"cancelled_by": author.kind, "reason": MOVED_AWAY})
    moved = seated(booking, taken.session)
    return Decision(
        answer=Booked(moved, taken.session),
        documents=(moved, freed.session, taken.session),
        changes=merge_changes((*freed.ledger, *taken.ledger)),
        guards=guards_of(seating, booking.client),
        history=(
            HistoryEntry(
                what="booking.moved",
                author=author,
                session=taken.session.id,
                booking=booking.id,
                resource=taken.session.resources[0],
                before=times_of(session) | {"session": session.id},
                after=times_of(taken.session) | {"session": taken.session.id},
            ),
            _left(booking, freed.session, taken.session, author=author),
        ),
        effects=(
            *push_of(freed.session),
            *push_of(taken.session),
            Effect(kind="notify", subject=booking.id, about="moved"),
            *freed_by(session, freed.session),
        ),
    )


def _left(booking: Booking, session: Session, other: Session, *, author: Author) -> HistoryEntry:
    """What the session that a booking has left says of it. The booking's own history has its move already."""
    return HistoryEntry(
        what="session.left",
        author=author,
        session=session.id,
        resource=session.resources[0],
        why=MOVED_AWAY,
        before={"booking": booking.id, "seats": booking.seats},
        after=times_of(other) | {"session": other.id, "status": session.status},
    )


def _move_session(booking: Booking, session: Session, seating: Seating, *, author: Author) -> Decision[Booked]:
    # What is sold now is the service as it is now: its buffers and capacity may have changed since the first booking.
    service, start, end = seating.question.service, seating.start, seating.choice.end
    moved = session.moved_to(start, end, at=seating.question.now).model_copy(
        update={
            "taken_from": start - service.buffer_before_minutes,
            "taken_until": end + service.buffer_after_minutes,
            "capacity": service.capacity,
            "conflict": session.conflict if session.in_conflict(Obstacle.DELETED) else None,
        }
    )
    placed = seated(booking, moved)
    return Decision(
        answer=Booked(placed, moved),
        documents=(moved, placed),
        changes=move(session.resources, session.occupation, moved.occupation),
        guards=guards_of(seating, booking.client),
        history=(
            HistoryEntry(
                what="session.moved",
                author=author,
                session=session.id,
                booking=booking.id,
                resource=session.resources[0],
                before=times_of(session),
                after=times_of(moved),
            ),
        ),
        effects=(
            *push_of(moved),
            *settle_of(session, moved),
            Effect(kind="notify", subject=booking.id, about="moved"),
            *freed_by(session, moved),
            *once_decided(
                session, moved, (s.resource for s in seating.question.states if s.resource.id in moved.resources)
            ),
        ),
    )


def _must_lie_ahead(session: Session, now: Millis, until_minutes: int) -> None:
    if session.start * MINUTE_MS <= now:
        raise IllegalMove("This appointment has begun or is over; it can't be changed any more.")
    if (session.start - until_minutes) * MINUTE_MS <= now:
        raise IllegalMove(
            "It is too late to change this online. Please call the business.", until_minutes=until_minutes
        )
