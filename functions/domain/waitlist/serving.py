"""Whose turn it is, and what they get: the first in line that fits is booked, or gets an offer that really holds the seats.

Each turn is one commit; after it the line is looked at again. So however much comes free at once, it is given out in order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.domain.appointments import Booked, BookingRequest, book
from functions.domain.availability import ClientBooking, preferred
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import SlotTaken
from functions.domain.holding import offer
from functions.domain.instants import MINUTE_MS, Millis, Minute, rfc3339, rfc3339_millis
from functions.domain.seating import Seating
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.entry import InLine, Place, WaitlistEntry, in_order
from functions.domain.waitlist.fitting import Opening, Seat, given_by, openings_for, waited_for
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.passing import Passed, noted, passed_over, told_of
from functions.domain.waitlist.preset import RULE, Preset
from functions.domain.waitlist.quiet import after_waking, quiet_until
from functions.domain.waitlist.snapshot import Waitlist

MOST_NAMED = 50  # of those who were passed over, in one history entry


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose turn it is, what they get, and who was passed over. `as_offer`: they are asked first."""

    entry: str
    place: Place
    opening: Opening
    as_offer: bool
    passed: tuple[Passed, ...] = ()


def next_turn(waitlist: Waitlist) -> Turn | None:
    """The first in line for whom there is something; None where there is nobody.

    Sessions may have rules of their own, and so a line of their own: of several turns the one that begins first is taken first.
    """
    turns = [turn for rules in waitlist.rules if (turn := _turn_by(waitlist, rules)) is not None]
    return min(turns, key=lambda turn: turn.opening.start, default=None)


def next_turn_within_limits(
    waitlist: Waitlist, bookings_of: Callable[[str], tuple[ClientBooking, ...]]
) -> tuple[Turn | None, Waitlist]:
    """The same where clients may have so many bookings: of whoever's turn it seems to be theirs are read, and then it is asked again.

    With the waitlist as it is known then. `bookings_of`: what counts against the limits of a client, by their key.
    """
    while (turn := next_turn(waitlist)) is not None:
        key = turn.place.client_key
        if not waitlist.service.client_limits.any or key in waitlist.clients:
            break
        waitlist = waitlist.with_client(key, bookings_of(key))
    return turn, waitlist


def _turn_by(waitlist: Waitlist, rules: Preset) -> Turn | None:
    """The first in the line of these rules for whom there is something under them, at this hour and without an operator."""
    quiet = quiet_until(waitlist.now, rules.quiet, waitlist.time_zone) is not None
    if rules.mode == "manual" or rules.paused or quiet:
        return None
    before: list[InLine] = []
    kept: set[Seat] = set()
    for one in in_order(waitlist.queue.places, rules):
        found = [each for each in given_by(waitlist, one.place, rules) if each.seat not in kept]
        if found:
            opening = best_of(waitlist, one.place, found)
            passed = passed_over(waitlist, before, opening)
            return Turn(
                entry=one.entry, place=one.place, opening=opening, as_offer=rules.mode == "offer", passed=passed
            )
        before.append(one)
        if rules.party == "strict":
            kept |= waited_for(waitlist, one.place, rules)
    return None


def turn_of(
    waitlist: Waitlist, entry: WaitlistEntry, *, session: str | None, start: Minute | None, as_offer: bool
) -> Turn:
    """An operator serves this one now, whoever is before them, whatever the mode, the hour or the cut-off: but only with what is free.

    `session` or `start`: what they shall get of what they wait for; anything where neither is named. Raises `SlotTaken`, `IllegalMove`.
    """
    place = waitlist.place_of(entry)
    found = [
        opening
        for opening in openings_for(waitlist, place)
        if session in (None, opening.choice.session) and start in (None, opening.start)
    ]
    if not found:
        raise SlotTaken(
            "Nothing of what they wait for can be booked for so many. Free the seats first.", alternatives=[]
        )
    return Turn(entry=entry.id, place=place, opening=best_of(waitlist, place, found), as_offer=as_offer)


def best_of(waitlist: Waitlist, place: Place, found: list[Opening]) -> Opening:
    """Of several the earliest; where they are to fill evenly, or one after the other, the emptiest or the fullest."""
    first = found[0]
    if first.preset.mode == "splitter":
        sign = -1 if first.preset.spread == "emptiest" else 1
        return min(found, key=lambda opening: (sign * opening.choice.seats_left, opening.start))
    here = [opening for opening in found if opening.start == first.start]
    best = preferred(waitlist.question(place), first.start, [opening.choice for opening in here])
    return next(opening for opening in here if opening.choice == best)


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
    author: Author = RULE,
) -> Decision[Booked]:
    """Gives the opening to whose turn it is: a booking, or an offer of it. Raises `IllegalMove`."""
    seated = _seated(waitlist, turn, entry, ids=ids, author=author)
    queue = waitlist.queue.offering(entry.id, ids.booking) if turn.as_offer else waitlist.queue.without(entry.id)
    queue = noted(queue, turn.passed)
    verb = "offer" if turn.as_offer else "book"
    place = turn.place.model_copy(update={"passed_because": None})
    served = {"status": step(ENTRY, entry.status, verb), "place": place, "booking": ids.booking}
    after = entry.model_copy(update=served)
    told = (Effect(kind="notify", subject=ids.booking, about="offered"),) if turn.as_offer else ()
    history = (_entry(turn, after, seated.answer, author), *told_of(waitlist, turn.passed, turn.opening, author))
    return keeping(seated.also(documents=(queue, after), history=history, effects=told), waitlist.with_queue(queue))


def _seated(waitlist: Waitlist, turn: Turn, entry: WaitlistEntry, *, ids: NewIds, author: Author) -> Decision[Booked]:
    opening = turn.opening
    question, running = waitlist.question(turn.place), waitlist.sessions.get(opening.choice.session or "")
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


def _entry(turn: Turn, entry: WaitlistEntry, booked: Booked, author: Author) -> HistoryEntry:
    booking, session = booked.booking, booked.session
    after: dict[str, Any] = {"status": entry.status, "seats": booking.seats, "start": rfc3339(session.start)}
    if booking.expires_at is not None:
        after["expires_at"] = rfc3339_millis(booking.expires_at)
    if turn.passed:
        after["passed_over"] = [{"entry": one.entry, "why": one.why} for one in turn.passed[:MOST_NAMED]]
    if len(turn.passed) > MOST_NAMED:
        after["and_more"] = len(turn.passed) - MOST_NAMED  # of each of them there is an entry of its own
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
