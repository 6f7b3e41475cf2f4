"""Joining a waitlist: for those who find nothing open of what they want. Who could simply book is told so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from functions.domain.availability import TAKEN, Closed, open_starts
from functions.domain.availability.taken import occupations
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import AlreadyWaiting, IllegalMove, Invalid, NoWaitlist, SeatFree, StartClosed
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Minute, rfc3339
from functions.domain.intervals import Interval
from functions.domain.mirroring import new_horizon
from functions.domain.session import Client
from functions.domain.waitlist.entry import MOST_WAITING, Place, WaitlistEntry, Wish
from functions.domain.waitlist.fitting import open_to_everybody
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.snapshot import Waitlist

LONGEST_RANGE_DAYS = 92
ALTERNATIVES = 5
# What closes a start now and may not by the time somebody else has left.
MAY_OPEN = TAKEN | {Closed.LIMIT, Closed.CALENDAR_UNKNOWN, Closed.TOO_FAR}


@dataclass(frozen=True, kw_only=True)
class Join:
    """A client's wish to wait, with the id that their entry gets."""

    entry: str
    manage_hash: str
    client: Client
    wish: Wish
    seats: int
    priority: int = 0
    level: str | None = None
    category: str | None = None
    notes: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


def wish_for_sessions(waitlist: Waitlist, names: Sequence[str]) -> Wish:
    """Any of these sessions, which `waitlist.sessions` holds. Raises `Invalid`, `IllegalMove`."""
    sessions = [waitlist.sessions.get(name) for name in dict.fromkeys(names)]
    found = [session for session in sessions if session is not None and session.service == waitlist.service.id]
    if len(found) != len(sessions):
        raise Invalid(f"One of these sessions is not of {waitlist.service.id}. Ask for its sessions again.")
    if gone := [rfc3339(session.start) for session in found if session.status != "open"]:
        raise IllegalMove(f"Cancelled: {', '.join(gone)}. Choose another session.", current_status="cancelled")
    return Wish(
        sessions=tuple(session.id for session in found),
        starts=tuple(sorted({session.start for session in found if not session.scheduled})),
        start=min(session.start for session in found),
        end=max(session.start for session in found) + 1,
    )


def running_at(waitlist: Waitlist, start: Minute, resource: str | None) -> tuple[str, ...]:
    """The sessions of this service that begin at `start` and have more than one seat: who waits for that start waits for them."""
    if waitlist.service.kind == "appointment" and waitlist.service.capacity == 1:
        return ()
    states = [state for state in waitlist.states if resource in (None, state.resource.id)]
    found = (entry for state in states for entry in occupations(state, waitlist.now).values())
    return tuple(sorted({e.session for e in found if e.service == waitlist.service.id and e.start == start}))


def join(wanted: Join, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """Raises `NoWaitlist`, `SeatFree` (book it instead), `AlreadyWaiting`, `Invalid`, `IllegalMove`."""
    place = Place(
        wish=wanted.wish,
        seats=wanted.seats,
        client_key=wanted.client.key,
        priority=wanted.priority,
        level=wanted.level,
        category=wanted.category,
        joined_at=waitlist.now,
    )
    _may_wait(waitlist, place)
    entry = WaitlistEntry(
        id=wanted.entry,
        service=waitlist.service.id,
        client=wanted.client,
        place=place,
        answers=wanted.answers,
        notes=wanted.notes,
        manage_hash=wanted.manage_hash,
        created_at=waitlist.now,
    )
    return waits(
        Decision(answer=entry, effects=(Effect(kind="notify", subject=entry.id, about="waiting"),)),
        waitlist,
        entry,
        what="waitlist.joined",
        author=author,
    )


def waits(
    decision: Decision[WaitlistEntry],
    waitlist: Waitlist,
    entry: WaitlistEntry,
    *,
    what: str,
    author: Author,
    before: str | None = None,
    why: str | None = None,
) -> Decision[WaitlistEntry]:
    """The decision, in which this entry waits at its place from now on. What may have come free meanwhile is given out right after."""
    queue = waitlist.queue.waiting(entry.id, entry.place)
    wish = entry.place.wish
    entered = HistoryEntry(
        what=what,
        author=author,
        entry=entry.id,
        service=entry.service,
        session=wish.sessions[0] if len(wish.sessions) == 1 else None,
        why=why,
        before={} if before is None else {"status": before},
        after={
            "status": "waiting",
            "seats": entry.place.seats,
            "sessions": list(wish.sessions),
            "start": rfc3339(wish.start),
            "end": rfc3339(wish.end),
        },
    )
    more = decision.also(
        documents=(entry, queue),
        history=(entered,),
        # The seat that came free while this was decided, and everybody whose turn it would be by a new order.
        effects=(Effect(kind="promote", subject=entry.service),),
    )
    return keeping(more, waitlist.with_queue(queue), wish.sessions)


def _may_wait(waitlist: Waitlist, place: Place) -> None:
    service, wish, now = waitlist.service, place.wish, waitlist.now // MINUTE_MS
    named = [session for name in wish.sessions if (session := waitlist.sessions.get(name)) is not None]
    if not service.active or service.on_full == "close":
        raise NoWaitlist(f"{service.name} has no waitlist. Ask for availability and choose an open start.")
    if named and all(session.closed for session in named):
        raise NoWaitlist("The business sells no more of this session. Choose another one.")
    if wish.end - 1 <= now:
        raise IllegalMove("What you want to wait for has begun or is over.")
    if wish.end - wish.start > LONGEST_RANGE_DAYS * DAY_MINUTES or wish.end > new_horizon(waitlist.now):
        raise Invalid(
            f"Wait for {LONGEST_RANGE_DAYS} days at a time at most, and for nothing that lies over a year ahead."
        )
    if wish.resource is not None and wish.resource not in service.resources:
        raise Invalid(f"{wish.resource} does not serve {service.id}.")
    if wish.duration is not None and not service.offers_duration(wish.duration):
        raise Invalid(f"{wish.duration} minutes are not offered.")
    largest = max([session.capacity for session in named] or [service.capacity])
    if place.seats > largest and (named or service.kind == "appointment"):
        raise Invalid(f"There is room for {largest} at a time. Wait for so many seats at most.")
    _not_twice(waitlist, place)
    if len(waitlist.queue.places) >= MOST_WAITING:
        raise NoWaitlist(f"{MOST_WAITING} are waiting for {service.name} already, and no more can.")
    _something_offered(waitlist, place)
    _nothing_open(waitlist, place)


def _not_twice(waitlist: Waitlist, place: Place) -> None:
    queue = waitlist.queue
    others = (*queue.places.values(), *(offer.place for offer in queue.offered.values()))
    if any(other.client_key == place.client_key and other.wish.overlaps(place.wish) for other in others):
        raise AlreadyWaiting("You are waiting for this already; the mail that confirmed it has the link to your place.")


def _nothing_open(waitlist: Waitlist, place: Place) -> None:
    """But where a splitter spreads those who come, everybody comes by way of the list."""
    found = (opening for opening in open_to_everybody(waitlist, place) if opening.preset.mode != "splitter")
    starts: list[Minute] = sorted({opening.start for opening in found})
    if starts:
        raise SeatFree(
            "What you want is free at the moment. Book it, nobody has to wait.",
            alternatives=[rfc3339(start) for start in starts[:ALTERNATIVES]],
        )


def _something_offered(waitlist: Waitlist, place: Place) -> None:
    """Of dates on which nothing would be offered if nobody had booked, there is nothing to wait for."""
    if place.wish.sessions:
        return
    within = Interval(place.wish.start, place.wish.end)
    if not open_starts(waitlist.question(place), within, ignoring=MAY_OPEN):
        raise StartClosed("Nothing is offered then, however long you wait.", reasons=["nothing_offered"])
