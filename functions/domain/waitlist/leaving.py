"""Leaving a waitlist, coming back to it, and changing what one waits with: by the client, by an operator, or because what was waited for is over."""

from dataclasses import dataclass, replace

from functions.domain import holding
from functions.domain.appointments import Booked, cancel
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import IllegalMove, Invalid
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.session import Booking, Session
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.answering import ends
from functions.domain.waitlist.entry import Place, Queue, WaitlistEntry, Wish
from functions.domain.waitlist.joining import waits
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.serving import RULE
from functions.domain.waitlist.snapshot import Waitlist

OVER = "nothing came free in time"
LEFT = "the client waits no longer"
PUT_ON = "put back on the waitlist"


def leave(entry: WaitlistEntry, offer: Booked | None, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """The client waits no longer, and an offer that they had is free. Leaving twice is once. Raises `IllegalMove`."""
    if entry.status == "left":
        return Decision(answer=entry)
    step(ENTRY, entry.status, "leave")
    if offer is not None and entry.status == "offered":
        freed = holding.let_go(offer.booking, offer.session, author=author, reason=LEFT)
        return ends(freed, entry, waitlist, verb="leave", author=author, reason=LEFT)
    return _ends_waiting(entry, waitlist, verb="leave", author=author, reason=LEFT)


def give_up(entry: WaitlistEntry, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """What was waited for has begun, or is cancelled: the client is told that it came to nothing."""
    if entry.status != "waiting" or not is_hopeless(entry.place, waitlist):
        return Decision(answer=entry)
    told = _told(entry.id, "in_vain")
    return _ends_waiting(entry, waitlist, verb="expire", author=RULE, reason=OVER).also(effects=(told,))


def is_hopeless(place: Place, waitlist: Waitlist) -> bool:
    """Whether nothing of what is waited for can begin any more."""
    span = waitlist.span_of(place.wish)
    return span is None or (span.end - 1) * MINUTE_MS <= waitlist.now


def _ends_waiting(
    entry: WaitlistEntry, waitlist: Waitlist, *, verb: str, author: Author, reason: str
) -> Decision[WaitlistEntry]:
    after = entry.model_copy(
        update={
            "status": step(ENTRY, entry.status, verb),
            "place": waitlist.queue.places.get(entry.id, entry.place),
            "ended_by": author.kind,
            "reason": reason,
        }
    )
    queue = waitlist.queue.without(entry.id)
    ended = HistoryEntry(
        what=f"waitlist.{after.status}",
        author=author,
        entry=entry.id,
        service=entry.service,
        why=reason,
        before={"status": entry.status},
        after={"status": after.status},
    )
    # Where everybody waited for a party that is larger than what is left, it is the next one's turn.
    next_one = Effect(kind="promote", subject=entry.service)
    decision = Decision(answer=after, documents=(after, queue), history=(ended,), effects=(next_one,))
    return keeping(decision, waitlist.with_queue(queue), entry.place.wish.sessions)


def put_on(
    booked: Booked, entry: WaitlistEntry, waitlist: Waitlist, *, author: Author, paused: bool
) -> Decision[WaitlistEntry]:
    """Takes a booking back and lets its client wait instead, for the same session or, where it ended with them, for the same start.

    `entry`: theirs if they came from the waitlist, or a new one (see `entry_of`). `paused`: so that the seat they leave is the next one's, and not at
    once their own again. Raises `IllegalMove` once the session has begun.
    """
    freed = cancel(booked.booking, booked.session, now=waitlist.now, author=author, reason=PUT_ON)
    effects = (*(each for each in freed.effects if each.kind != "notify"), _told(entry.id, "put_on"))
    before = entry.status
    wish = _wish_after(booked.session, freed.answer.session)
    place = entry.place.model_copy(update={"wish": wish, "seats": booked.booking.seats, "paused": paused})
    status = step(ENTRY, before, "put_back") if before != "waiting" else before
    after = entry.model_copy(update={"status": status, "place": place, "booking": None})
    decision = replace(freed, effects=effects).with_answer(after)
    return waits(decision, waitlist, after, what="waitlist.put_back", author=author, before=before, why=PUT_ON)


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


def _wish_after(before: Session, after: Session) -> Wish:
    start = before.start
    if after.status != "open":
        return Wish(start=start, end=start + 1, duration=None)
    return Wish(sessions=(after.id,), starts=() if after.scheduled else (start,), start=start, end=start + 1)


def _told(entry: str, about: str) -> Effect:
    return Effect(kind="notify", subject=entry, about=about)


def put_back(entry: WaitlistEntry, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """Who left, or waited in vain, waits again at the place they had. Raises `IllegalMove`."""
    status = step(ENTRY, entry.status, "put_back")
    if is_hopeless(entry.place, waitlist):
        raise IllegalMove("What was waited for has begun or is cancelled.", current_status=entry.status)
    after = entry.model_copy(update={"status": status, "booking": None, "ended_by": None, "reason": None})
    return waits(Decision(answer=after), waitlist, after, what="waitlist.put_back", author=author, before=entry.status)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changes of a place; None where it stays. Only operators change more than the seats."""

    seats: int | None = None
    priority: int | None = None
    level: str | None = None
    category: str | None = None
    paused: bool | None = None


def change(entry: WaitlistEntry, wanted: Change, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """A smaller party keeps its place; for a larger one a client goes to the end of the line. Raises `IllegalMove`, `Invalid`."""
    if entry.status != "waiting":
        raise IllegalMove(
            "Only who waits can change that. Answer the offer first, or join again.", current_status=entry.status
        )
    place = waitlist.queue.places[entry.id]
    named = [session for name in place.wish.sessions if (session := waitlist.sessions.get(name)) is not None]
    largest = max([session.capacity for session in named] or [waitlist.service.capacity])
    counts = bool(named) or waitlist.service.kind == "appointment"
    if wanted.seats is not None and counts and wanted.seats > largest:
        raise Invalid(f"There is room for {largest} at a time. Wait for so many seats at most.")
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    changed = place.model_copy(update=given)
    if wanted.seats is not None and wanted.seats > place.seats and author.kind == "client":
        changed = changed.model_copy(update={"joined_at": waitlist.now})
    if changed == place:
        return Decision(answer=entry)
    after = entry.model_copy(update={"place": changed})
    queue: Queue = waitlist.queue.waiting(entry.id, changed)
    noted = HistoryEntry(
        what="waitlist.changed",
        author=author,
        entry=entry.id,
        service=entry.service,
        before={name: getattr(place, name) for name in given},
        after=given,
    )
    next_one = Effect(kind="promote", subject=entry.service)
    decision = Decision(answer=after, documents=(after, queue), history=(noted,), effects=(next_one,))
    return keeping(decision, waitlist.with_queue(queue), place.wish.sessions)
