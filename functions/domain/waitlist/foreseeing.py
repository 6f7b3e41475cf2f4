"""Who of those that wait would be served, one after the other, if things were as a snapshot says. Nothing is decided by it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import Hold
from functions.domain.seating import Seating, hold_seats
from functions.domain.waitlist.serving import Turn, next_turn, offer_ends
from functions.domain.waitlist.snapshot import Waitlist


@dataclass(frozen=True, kw_only=True)
class Served:
    """`until`: how long they would have to answer; None where they would be booked without being asked."""

    turn: Turn
    until: Millis | None


def foreseen(waitlist: Waitlist) -> Iterator[Served]:
    """By the rules of the waitlist, in its order. Limits for one client are left out: they are only read when it is somebody's turn."""
    while (turn := next_turn(waitlist)) is not None:
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
    return replace(
        waitlist,
        states=question.after(taken.ledger).states,
        queue=waitlist.queue.without(turn.entry),
        sessions={**waitlist.sessions, taken.session.id: taken.session},
        answered={},
    )
