"""How many seats a session has, and whose they are where it has fewer than are sold.

First come first served, with two limits: nobody is without seats that there are, so a smaller party that came later may sit where a larger one doesn't
fit; and who sits there keeps that when seats come free, also where the larger one would fit then. Which of them sits can't follow from the numbers alone,
therefore: of parties of 1, 2 and 1, in this order, two seats are for the first and the third, who both keep them when there are three; of three that
were never fewer the third has none. What remembers it is the `conflict` of those who were passed over.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, TypeVar

from functions.domain.decision import Author, Decision, Effect, in_one_commit
from functions.domain.errors import BelowSeatsSold, Invalid
from functions.domain.instants import Millis
from functions.domain.ledger import enter
from functions.domain.roster import Roster, cancel_some, must_lie_ahead, noted
from functions.domain.session import Booking, Conflict, Session
from functions.domain.standing import Obstacle

Below = Literal["orphan", "cancel"]
Flagged = TypeVar("Flagged", Session, Booking)
FEWER_SEATS = "there are fewer seats than were sold"


def over_capacity(session: Session, bookings: Iterable[Booking]) -> tuple[Booking, ...]:
    """The bookings for which the session has no seats, the latest first. Whole bookings only: each has its seats where they are still there, those that
    have had them until now before those that have been without, the earliest first. What is only kept comes after all that is sold.

    `bookings`: those that count, so without holds that have lapsed.
    """
    left, without = session.capacity, list[Booking]()
    for booking in sorted(bookings, key=_turn):
        if booking.seats <= left:
            left -= booking.seats
        else:
            without.append(booking)
    return tuple(sorted(without, key=_came, reverse=True))


def _turn(booking: Booking) -> tuple[bool, bool, Millis, str]:
    held, created_at, id_ = _came(booking)
    return held, _orphaned(booking), created_at, id_


def _came(booking: Booking) -> tuple[bool, Millis, str]:
    return booking.status == "held", booking.created_at, booking.id


def set_capacity(
    roster: Roster, capacity: int, *, below: Below | None = None, now: Millis, author: Author
) -> Decision[Roster]:
    """Gives the session so many seats. Where more are sold or kept, `below` says what becomes of those that lose theirs: they are orphaned, which keeps
    the booking and flags it, or cancelled. Those that have a seat again are not flagged any more.

    Raises `BelowSeatsSold` where somebody would lose their seats and nobody has said what becomes of them; `IllegalMove`; `Invalid` for a session that
    nobody scheduled, which has as many seats as its service.
    """
    must_lie_ahead(roster.session, now)
    if not roster.session.scheduled:
        raise Invalid("This session has as many seats as its service says. Change the service's capacity.")
    changed = replace(roster, session=roster.session.model_copy(update={"capacity": capacity}))
    losing = over_capacity(changed.session, _counted(roster, now))
    if below is None:
        _nobody_must_lose(losing)
    flagged = _flagged(changed, () if below == "cancel" else losing, now)
    steps = [_change(roster, flagged, author)]
    if below == "cancel":
        leaving = [booking.id for booking in losing]
        steps.append(cancel_some(flagged, leaving, now=now, author=author, reason=FEWER_SEATS))
    return in_one_commit(steps, steps[-1].answer)


def _counted(roster: Roster, now: Millis) -> tuple[Booking, ...]:
    holds = roster.session.holds
    return tuple(b for b in roster.bookings if b.id not in holds or now < holds[b.id].expires_at)


def _nobody_must_lose(losing: tuple[Booking, ...]) -> None:
    """Raises `BelowSeatsSold`, but for those that are orphaned already."""
    if asked := [booking for booking in losing if not _orphaned(booking)]:
        seats = sum(booking.seats for booking in asked)
        raise BelowSeatsSold(
            f"{seats} seats that are sold or kept would not be there. Say with below what becomes of these bookings: orphan or cancel.",
            seats=seats,
            bookings=[{"id": b.id, "seats": b.seats, "status": b.status, "name": b.client.name} for b in asked],
        )


def _orphaned(thing: Session | Booking) -> bool:
    return thing.conflict is not None and thing.conflict.reason == Obstacle.OVER_CAPACITY


def _flagged(roster: Roster, losing: tuple[Booking, ...], now: Millis) -> Roster:
    """Who has no seats says so, and the session too; who has theirs again does not any more. Other reasons stay as they are."""
    conflict, without = Conflict(reason=Obstacle.OVER_CAPACITY.value, since=now), {booking.id for booking in losing}

    def flag(thing: Flagged, *, loses: bool) -> Flagged:
        after = thing.conflict or conflict if loses else None if _orphaned(thing) else thing.conflict
        return thing.model_copy(update={"conflict": after})

    bookings = tuple(flag(booking, loses=booking.id in without) for booking in roster.bookings)
    return Roster(session=flag(roster.session, loses=bool(without)), bookings=bookings)


def _change(before: Roster, after: Roster, author: Author) -> Decision[Roster]:
    session, was = after.session, before.session
    changed = tuple(new for old, new in zip(before.bookings, after.bookings, strict=True) if old != new)
    if session == was and not changed:
        return Decision(answer=after)
    # More seats may be somebody's who waits; and of fewer none is kept any more for a party that they are too few for.
    resized = session.capacity != was.capacity
    return Decision(
        answer=after,
        documents=(session, *changed),
        changes=enter(session.resources, session.occupation),
        history=(
            noted(session, "session.changed", author, before=_said(was, session), after=_said(session, was)),
            *(noted(session, _said_of(new), author, booking=new, why=Obstacle.OVER_CAPACITY.value) for new in changed),
        ),
        effects=(Effect(kind="promote", subject=session.service),) if resized else (),
    )


def _said(session: Session, other: Session) -> dict[str, Any]:
    """What of it is different in the other."""
    facts, others = (
        {"capacity": each.capacity, "conflict": None if each.conflict is None else each.conflict.reason}
        for each in (session, other)
    )
    return {name: value for name, value in facts.items() if value != others[name]}


def _said_of(booking: Booking) -> str:
    return "booking.supported" if booking.conflict is None else "booking.conflicted"
