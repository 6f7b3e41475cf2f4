"""Whose turn it is, and what they get: the first in line that fits is booked, or gets an offer that really holds the seats.

Each turn is one commit; after it the line is looked at again. So however much comes free at once, it is given out in order.
"""

from dataclasses import dataclass
from typing import Any

from functions.domain.appointments import Booked, BookingRequest, book
from functions.domain.availability import preferred
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import IllegalMove, SlotTaken
from functions.domain.holding import offer
from functions.domain.instants import MINUTE_MS, Millis, Minute, rfc3339, rfc3339_millis
from functions.domain.seating import Seating
from functions.domain.session import Session
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.entry import InLine, Place, Queue, WaitlistEntry, in_order
from functions.domain.waitlist.fitting import Opening, openings_for
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.quiet import after_waking, quiet_until
from functions.domain.waitlist.snapshot import Waitlist

RULE = Author(kind="rule", name="waitlist")
MOST_NAMED = 50  # of those who were passed over, in one history entry

Seat = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Somebody who was before the one who is served, and would have wanted it too; and why it was not for them."""

    entry: str
    place: Place
    why: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose turn it is, what they get, and who was passed over. `as_offer`: they are asked first."""

    entry: str
    place: Place
    opening: Opening
    as_offer: bool
    passed: tuple[Passed, ...] = ()


def next_turn(waitlist: Waitlist) -> Turn | None:
    """The first in line for whom there is something, by the rules of its session; None where there is nobody."""
    refused: list[Passed] = []
    kept: set[Seat] = set()
    for one in in_order(waitlist.queue.places, waitlist.preset):
        if one.place.paused:
            continue
        found = [each for each in _automatic(waitlist, one) if each.seat not in kept]
        if found:
            opening = best_of(waitlist, one.place, found)
            as_offer = opening.preset.mode == "offer"
            passed = _passed(refused, opening)
            return Turn(entry=one.entry, place=one.place, opening=opening, as_offer=as_offer, passed=passed)
        too_small = openings_for(waitlist, one.place, seats=1) if one.place.seats > 1 else []
        kept |= {each.seat for each in too_small if each.preset.party == "strict"}
        refused.append(Passed(entry=one.entry, place=one.place, why=_why(one, too_small)))
    return None


def turn_of(
    waitlist: Waitlist, entry: WaitlistEntry, *, session: str | None, start: Minute | None, as_offer: bool
) -> Turn:
    """An operator serves this one now, whoever is before them, whatever the mode, the hour or the cut-off: but only with what is free.

    `session` or `start`: what they shall get of what they wait for; anything where neither is named. Raises `SlotTaken`, `IllegalMove`.
    """
    if entry.status != "waiting":
        raise IllegalMove(f"This one is {entry.status}, and can't be promoted.", current_status=entry.status)
    place = waitlist.queue.places[entry.id]
    found = [
        opening
        for opening in openings_for(waitlist, place)
        if session in (None, opening.choice.session) and start in (None, opening.start)
    ]
    if not found:
        raise SlotTaken("Nothing of what they wait for is free for so many. Free the seats first.", alternatives=[])
    return Turn(entry=entry.id, place=place, opening=best_of(waitlist, place, found), as_offer=as_offer)


def _automatic(waitlist: Waitlist, one: InLine) -> list[Opening]:
    """What this one may get without an operator, at this hour."""
    return [
        opening
        for opening in openings_for(waitlist, one.place)
        if opening.start not in one.place.declined
        and opening.preset.mode != "manual"
        and not opening.preset.paused
        and not waitlist.is_over(opening.start, opening.preset)
        and quiet_until(waitlist.now, opening.preset.quiet, waitlist.time_zone) is None
    ]


def best_of(waitlist: Waitlist, place: Place, found: list[Opening]) -> Opening:
    """Of several the earliest; where they are to fill evenly, or one after the other, the emptiest or the fullest."""
    first = found[0]
    if first.preset.mode == "splitter":
        sign = -1 if first.preset.spread == "emptiest" else 1
        return min(found, key=lambda opening: (sign * opening.choice.seats_left, opening.start))
    here = [opening for opening in found if opening.start == first.start]
    best = preferred(waitlist.question(place), first.start, [opening.choice for opening in here])
    return next(opening for opening in here if opening.choice == best)


def _why(one: InLine, too_small: list[Opening]) -> str:
    if too_small:
        most = max(each.choice.seats_left for each in too_small)
        return f"needs {one.place.seats} seats together, and {most} are free"
    return "did not want that time" if one.place.declined else "a limit or another rule keeps them out"


def _passed(refused: list[Passed], opening: Opening) -> tuple[Passed, ...]:
    """Those of whom one can say that somebody behind them was served first: they wanted this very thing."""
    return tuple(
        one
        for one in refused
        if one.place.wish.accepts(opening.start, opening.choice.session)
        and one.place.wish.resource in (None, *opening.choice.resources)
    )


@dataclass(frozen=True, kw_only=True)
class NewIds:
    """For the records that a turn makes; `session` where none runs there yet."""

    booking: str
    session: str
    manage_hash: str


def serve(
    waitlist: Waitlist,
    turn: Turn,
    entry: WaitlistEntry,
    *,
    ids: NewIds,
    running: Session | None,
    author: Author = RULE,
) -> Decision[Booked]:
    """Gives the opening to whose turn it is: a booking, or an offer of it. `running`: the session that was chosen, if one runs there."""
    seated = _seated(waitlist, turn, entry, ids=ids, running=running, author=author)
    queue = waitlist.queue.offering(entry.id, ids.booking) if turn.as_offer else waitlist.queue.without(entry.id)
    queue = _noted(queue, turn.passed)
    verb = "offer" if turn.as_offer else "book"
    served = {"status": step(ENTRY, entry.status, verb), "place": turn.place, "booking": ids.booking}
    after = entry.model_copy(update=served)
    told = (Effect(kind="notify", subject=ids.booking, about="offered"),) if turn.as_offer else ()
    history = (_entry(turn, after, seated.answer, author),)
    touched = {*turn.place.wish.sessions, seated.answer.session.id}
    return keeping(
        seated.also(documents=(queue, after), history=history, effects=told), waitlist.with_queue(queue), touched
    )


def _seated(
    waitlist: Waitlist,
    turn: Turn,
    entry: WaitlistEntry,
    *,
    ids: NewIds,
    running: Session | None,
    author: Author,
) -> Decision[Booked]:
    opening = turn.opening
    question = waitlist.question(turn.place)
    seating = Seating(question=question, choice=opening.choice, start=opening.start, running=running)
    request = BookingRequest(
        booking=ids.booking,
        session=ids.session,
        manage_hash=ids.manage_hash,
        start=opening.start,
        client=entry.client,
        notes=entry.notes,
        answers=entry.answers,
        entry=entry.id,
    )
    if turn.as_offer:
        return offer(request, seating, expires_at=offer_ends(waitlist, opening), author=author)
    return book(request, seating, author=author)


def offer_ends(waitlist: Waitlist, opening: Opening) -> Millis:
    """Quiet hours do not count. Where automation ends for a session its offers do, or those that an operator makes later when it begins."""
    preset = opening.preset
    until = after_waking(waitlist.now, preset.offer_minutes, preset.quiet, waitlist.time_zone)
    last = opening.start if waitlist.is_over(opening.start, preset) else opening.start - preset.cutoff_minutes
    return min(until, last * MINUTE_MS)


def _noted(queue: Queue, passed: tuple[Passed, ...]) -> Queue:
    """With those who were passed over knowing it."""
    places = dict(queue.places)
    for one in passed:
        again = places[one.entry].passed_over + 1
        places[one.entry] = places[one.entry].model_copy(update={"passed_over": again, "passed_because": one.why})
    return queue.model_copy(update={"places": places})


def _entry(turn: Turn, entry: WaitlistEntry, booked: Booked, author: Author) -> HistoryEntry:
    booking, session = booked.booking, booked.session
    after: dict[str, Any] = {"status": entry.status, "seats": booking.seats, "start": rfc3339(session.start)}
    if booking.expires_at is not None:
        after["expires_at"] = rfc3339_millis(booking.expires_at)
    if turn.passed:
        after["passed_over"] = [{"entry": one.entry, "why": one.why} for one in turn.passed[:MOST_NAMED]]
    return HistoryEntry(
        what=f"waitlist.{entry.status}",
        author=author,
        entry=entry.id,
        service=entry.service,
        session=session.id,
        booking=booking.id,
        before={"status": "waiting"},
        after=after,
    )
