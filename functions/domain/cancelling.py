"""A session that ends before its time, with everybody in it: by Google, by a rule, or by an operator."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.ledger import leave
from functions.domain.session import Booking, Session
from functions.domain.transitions import BOOKING, SESSION, step


@dataclass(frozen=True)
class Ended:
    """A session that was cancelled, and the bookings that ended with it."""

    session: Session
    bookings: tuple[Booking, ...]


def cancel_session(
    session: Session, bookings: Iterable[Booking], *, author: Author, reason: str | None, calendar: str | None = None
) -> Decision[Ended]:
    """Frees its time, and tells each client once. Raises `IllegalMove`.

    `bookings`: all that have or hold seats in it. `calendar`: where it was deleted, if it was.
    """
    cancelled = session.model_copy(
        update={
            "status": step(SESSION, session.status, "cancel"),
            "version": session.version + 1,
            "seats": {},
            "holds": {},
            "conflict": None,
            "cancelled_by": author.kind,
            "reason": reason,
        }
    )
    alive = tuple(booking for booking in bookings if (booking.status, "cancel") in BOOKING)
    ended = tuple(
        booking.model_copy(
            update={
                "status": step(BOOKING, booking.status, "cancel"),
                "conflict": None,
                "cancelled_by": author.kind,
                "reason": reason,
                "expires_at": None,
            }
        )
        for booking in alive
    )
    statuses = ((None, session.status), *((booking.id, booking.status) for booking in alive))
    history = tuple(
        HistoryEntry(
            what="session.cancelled" if booking is None else "booking.cancelled",
            author=author,
            session=session.id,
            booking=booking,
            resource=session.resources[0],
            calendar=calendar,
            why=reason,
            before={"status": status},
            after={"status": "cancelled"},
        )
        for booking, status in statuses
    )
    push = (Effect(kind="push", subject=session.id),) if cancelled.copy_pending else ()
    # Who only had an offer is told by the waitlist, to which they go back.
    told = [booking.id for booking in alive if not booking.is_offer]
    return Decision(
        answer=Ended(cancelled, ended),
        documents=(cancelled, *ended),
        changes=leave(session.resources, session.occupation),
        history=history,
        effects=(*push, *(Effect(kind="notify", subject=booking, about="cancelled") for booking in told)),
    )
