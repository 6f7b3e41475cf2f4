"""Who of those that wait would be served, one after the other, if things were as a snapshot says. Nothing is decided by it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from functions.domain.availability import ClientBooking
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import Hold
from functions.domain.seating import Seating, hold_seats
from functions.domain.waitlist.serving import Turn, next_turn_within_limits, offer_ends
from functions.domain.waitlist.snapshot import Waitlist


@dataclass(frozen=True, kw_only=True)
class Served:
    """`until`: how long they would have to answer; None where they would be booked without being asked."""

    turn: Turn
    until: Millis | None


def foreseen(waitlist: Waitlist, bookings_of: Callable[[str], tuple[ClientBooking, ...]]) -> Iterator[Served]:
    """By the rules of the waitlist, in its order, and by the limits of its clients (see `next_turn_within_limits`)."""
    while True:
        turn, waitlist = next_turn_within_limits(waitlist, bookings_of)
        if turn is None:
            return
        until = offer_ends(waitlist, turn.opening) if turn.as_offer else None
        yield Served(turn=turn, until=until)
        waitlist = _after(waitlist, turn)


def _after(waitlist: Waitlist, turn: Turn) -> Waitlist:
    """What would be left for those behind: the seats are kept, as in an offer."""
    opening = turn.opening
    question, running = waitlist.question(turn.place), waitlist.sessions.get(opening.choice.session or "")
    seating = Seating(question=question, choice=opening.choice, start=opening.start, running=running)
    hold = Hold(seats=turn.place.seats, expires_at=opening.start * MINUTE_MS)
    taken = hold_seats(seating, session_id=f"of {turn.entry}", key=turn.entry, hold=hold)
    key = turn.place.client_key
    theirs = ClientBooking(service=waitlist.service.id, start=taken.session.start, end=taken.session.end)
    return replace(
        waitlist,
        clients={other: (*had, theirs) if other == key else had for other, had in waitlist.clients.items()},
        states=question.after(taken.ledger).states,
        queue=waitlist.queue.without(turn.entry),
        sessions={**waitlist.sessions, taken.session.id: taken.session},
        answered={},
    )
