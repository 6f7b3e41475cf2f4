"""Leaving a waitlist, coming back to it, and changing what one waits with: by the client, by an operator, or because what was waited for is over."""

from dataclasses import replace
from typing import Any, TypedDict

from functions.domain import holding
from functions.domain.appointments import Booked, cancel
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import IllegalMove
from functions.domain.instants import Millis
from functions.domain.session import Booking, Session
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.answering import ends, tells
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from functions.domain.waitlist.joining import may_be_so_many, may_enter, waits, what_was_chosen
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.preset import RULE
from functions.domain.waitlist.snapshot import Waitlist

OVER = "nothing came free in time"
CANCELLED = "it was cancelled"
LEFT = "the client waits no longer"
TAKEN_OFF = "the business took the client off the waitlist"
PUT_ON = "put back on the waitlist"


def leave(entry: WaitlistEntry, offer: Booked | None, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """The client waits no longer, and an offer that they had is free. Leaving twice is once. Raises `IllegalMove`."""
    if entry.status == "left":
        return Decision(answer=entry)
    step(ENTRY, entry.status, "leave")
    reason = LEFT if author.kind == "client" else TAKEN_OFF
    freed, offer = _next_one(entry), offer if entry.status == "offered" else None
    # What somebody else has cancelled a moment ago is free already.
    if offer is not None and offer.booking.status != "cancelled":
        freed = holding.let_go(offer.booking, offer.session, author=author, reason=reason)
    told = () if author.kind == "client" else (_told(entry.id, "taken_off"),)
    return ends(freed.also(effects=told), entry, waitlist, verb="leave", author=author, reason=reason, offer=offer)


def give_up(entry: WaitlistEntry, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """What was waited for has begun, or is cancelled: the client is told that it came to nothing."""
    place = waitlist.queue.places.get(entry.id)
    if entry.status != "waiting" or place is None or not waitlist.is_hopeless(place):
        return Decision(answer=entry)
    reason = CANCELLED if waitlist.span_of(place.wish) is None else OVER
    told = _next_one(entry).also(effects=(tells(entry, waitlist, "in_vain"),))
    return ends(told, entry, waitlist, verb="expire", author=RULE, reason=reason)


def _next_one(entry: WaitlistEntry) -> Decision[Any]:
    """Where everybody waited for a party that is larger than what is left, it is the next one's turn."""
    return Decision(answer=None, effects=(Effect(kind="promote", subject=entry.service),))


def put_on(
    booked: Booked, entry: WaitlistEntry, waitlist: Waitlist, *, author: Author, paused: bool
) -> Decision[WaitlistEntry]:
    """Takes a booking or a request back and lets its client wait instead, for the same session of an event, or for the same start.

    `entry`: theirs if they came from the waitlist, or a new one (see `entry_of`). `paused`: so that the seat they leave is the next one's, and not at
    once their own again. Raises `IllegalMove` for what is no booking or has begun, `AlreadyWaiting`, `NoWaitlist`.
    """
    booking, session = booked.booking, booked.session
    if booking.status != "confirmed" and not (booking.status == "held" and booking.requested):
        standing = "offered" if booking.is_offer else booking.status
        raise IllegalMove(f"This is {standing}, and no booking that could be put back.", current_status=standing)
    wanted = {"wish": _wish_for(session, waitlist), "seats": booking.seats, "declined": (), "limited": ()}
    place = entry.place.model_copy(update=wanted | {"paused": paused})
    if waitlist.is_hopeless(place):
        raise IllegalMove("It is too late to wait for it.", current_status=booking.status)
    may_enter(waitlist, place)
    freed = cancel(booking, session, now=waitlist.now, author=author, reason=PUT_ON)
    effects = (*(each for each in freed.effects if each.kind != "notify"), _told(entry.id, "put_on"))
    before = entry.status if entry.status != "waiting" else None
    status = "waiting" if before is None else step(ENTRY, before, "put_back")
    after = entry.model_copy(update={"status": status, "place": place, "booking": None})
    decision = replace(freed, effects=effects).with_answer(after)
    return waits(decision, waitlist, after, what="waitlist.put_on", author=author, before=before, why=PUT_ON)


def entry_of(booking: Booking, *, entry: str, manage_hash: str, now: Millis) -> WaitlistEntry:
    """For a client who booked and never waited: they are in line as long as they have had their booking."""
    wish = Wish(start=booking.start, end=booking.start + 1)
    place = Place(wish=wish, seats=booking.seats, client_key=booking.client.key, joined_at=booking.created_at)
    return WaitlistEntry(
        id=entry,
        service=booking.service,
        client=booking.client,
        place=place,
        answers=booking.answers,
        notes=booking.notes,
        manage_hash=manage_hash,
        created_at=now,
    )


def _wish_for(session: Session, waitlist: Waitlist) -> Wish:
    start, service = session.start, waitlist.service
    wish = Wish(starts=(start,), start=start, end=start + 1)
    chosen = {"sessions": (session.id,)} if service.kind == "event" else what_was_chosen((session,), service)
    return wish.model_copy(update=chosen)


def _told(entry: str, about: str) -> Effect:
    return Effect(kind="notify", subject=entry, about=about)


def put_back(entry: WaitlistEntry, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """Who left, or waited in vain, waits again at the place they had, and is told so. Raises `IllegalMove`, `AlreadyWaiting`, `NoWaitlist`."""
    status = step(ENTRY, entry.status, "put_back")
    if entry.status == "booked":
        raise IllegalMove("They have a booking; put that back on the waitlist.", current_status=entry.status)
    if waitlist.is_hopeless(entry.place):
        raise IllegalMove("What was waited for has begun or is cancelled.", current_status=entry.status)
    may_enter(waitlist, entry.place)
    after = entry.model_copy(update={"status": status, "booking": None, "ended_by": None, "reason": None})
    told = (_told(entry.id, "waiting"),)
    decision = Decision(answer=after, effects=told)
    return waits(decision, waitlist, after, what="waitlist.put_back", author=author, before=entry.status)


class Change(TypedDict, total=False):
    """What changes of a place; what is not named stays. Only operators change more than the seats."""

    seats: int
    priority: int
    level: str | None
    category: str | None
    paused: bool


def change(entry: WaitlistEntry, wanted: Change, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """A smaller party keeps its place; for a larger one a client goes to the end of the line. Raises `IllegalMove`, `Invalid`."""
    if entry.status == "offered":
        raise IllegalMove("Answer the offer first; who waits can change that.", current_status=entry.status)
    place = waitlist.place_of(entry)
    changed = place.model_copy(update={**wanted})
    if changed.seats != place.seats:
        may_be_so_many(waitlist, place.wish, changed.seats)
    if changed.seats > place.seats and author.kind == "client":
        changed = changed.model_copy(update={"joined_at": waitlist.now})
    if changed == place:
        return Decision(answer=entry)
    after = entry.model_copy(update={"place": changed})
    queue = waitlist.queue.waiting(entry.id, changed)
    noted = HistoryEntry(
        what="waitlist.changed",
        author=author,
        entry=entry.id,
        service=entry.service,
        before=_differences(place, changed),
        after=_differences(changed, place),
    )
    decision = _next_one(entry).with_answer(after).also(documents=(after, queue), history=(noted,))
    return keeping(decision, waitlist.with_queue(queue))


def _differences(one: Place, other: Place) -> dict[str, Any]:
    """What the first says otherwise than the second."""
    said, otherwise = one.model_dump(mode="json"), other.model_dump(mode="json")
    return {name: value for name, value in said.items() if value != otherwise[name]}
