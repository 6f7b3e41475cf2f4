"""Joining a waitlist: for those who find nothing open of what they want. Who could simply book is told so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from functions.domain.availability import TAKEN, Closed, open_starts
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import AlreadyWaiting, IllegalMove, Invalid, NoWaitlist, SeatFree, StartClosed
from functions.domain.horizon import new_horizon
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, rfc3339
from functions.domain.intervals import Interval
from functions.domain.session import Client, Session
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


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client says they want: `sessions` by their ids; or one `start`; or any start from `start` on, before `end`. The rest if they chose it."""

    sessions: tuple[str, ...] = ()
    start: Minute | None = None
    end: Minute | None = None
    resource: str | None = None
    duration: int | None = None

    def time(self, now: Millis) -> Wish | None:
        """The start or the range that is asked about; None where sessions are. Raises `Invalid` for more than anybody should have to read."""
        if self.start is None:
            return None
        end, starts = (self.start + 1, (self.start,)) if self.end is None else (self.end, ())
        _within_reach(Interval(self.start, end), now)
        return Wish(starts=starts, start=self.start, end=end, resource=self.resource, duration=self.duration)


def wish_of(asked: Asked, waitlist: Waitlist) -> Wish:
    """What is waited for, of a waitlist that holds the sessions and the time asked about. Raises `Invalid`, `IllegalMove`."""
    time = asked.time(waitlist.now)
    if time is None:
        return _of_sessions(asked.sessions, waitlist)
    # Of an event who waits for a start waits for the sessions that begin then.
    running = () if time.is_range or waitlist.service.kind == "appointment" else _running_at(time, waitlist)
    return _of_sessions(running, waitlist) if running else time


def _running_at(time: Wish, waitlist: Waitlist) -> tuple[str, ...]:
    sessions = (session for session in waitlist.sessions.values() if session.status == "open")
    return tuple(sorted(s.id for s in sessions if s.start in time.starts and time.resource in (None, *s.resources)))


def _of_sessions(names: Sequence[str], waitlist: Waitlist) -> Wish:
    found = [session for name in dict.fromkeys(names) if (session := waitlist.sessions.get(name)) is not None]
    if len(found) < len({*names}):
        raise Invalid(f"One of these sessions is not of {waitlist.service.id}. Ask for its sessions again.")
    if gone := [rfc3339(session.start) for session in found if session.status != "open"]:
        raise IllegalMove(f"Cancelled: {', '.join(gone)}. Choose another session.", current_status="cancelled")
    starts = tuple(sorted({session.start for session in found}))
    wish = Wish(starts=starts, start=starts[0], end=starts[-1] + 1)
    if waitlist.service.kind == "event":
        return wish.model_copy(update={"sessions": tuple(session.id for session in found)})
    return wish.model_copy(update=what_was_chosen(found, waitlist.service))


def what_was_chosen(sessions: Sequence[Session], service: Service) -> dict[str, str | int | None]:
    """The resource and the duration that those who want these sessions of an appointment ask for. Raises `Invalid` where they differ."""
    chosen = service.assignment == "choice"
    kinds = {(s.resources[0] if chosen else None, s.end - s.start) for s in sessions}
    if len(kinds) > 1:
        raise Invalid("These sessions are with different people, or differ in length. Wait for each by itself.")
    ((resource, length),) = kinds
    return {"resource": resource, "duration": None if length == service.duration_minutes else length}


def _within_reach(time: Interval, now: Millis) -> None:
    if time.end - time.start > LONGEST_RANGE_DAYS * DAY_MINUTES or time.end > new_horizon(now):
        raise Invalid(
            f"Wait for {LONGEST_RANGE_DAYS} days at a time at most, and for nothing that lies over a year ahead."
        )


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
            "starts": [rfc3339(start) for start in wish.starts],
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
    return keeping(more, waitlist.with_queue(queue))


def _may_wait(waitlist: Waitlist, place: Place) -> None:
    service, wish = waitlist.service, place.wish
    named = [session for name in wish.sessions if (session := waitlist.sessions.get(name)) is not None]
    if not service.active or service.on_full == "close":
        raise NoWaitlist(f"{service.name} has no waitlist. Ask for availability and choose an open start.")
    if named and all(session.closed for session in named):
        raise NoWaitlist("The business sells no more of this session. Choose another one.")
    _within_reach(Interval(wish.start, wish.end), waitlist.now)
    if (wish.end - 1) * MINUTE_MS <= waitlist.now:
        raise IllegalMove("What you want to wait for has begun or is over.")
    if waitlist.is_hopeless(place):
        raise StartClosed("It is too late to book that; call the business.", reasons=[Closed.TOO_SOON.value])
    if wish.resource is not None and wish.resource not in service.resources:
        raise Invalid(f"{wish.resource} does not serve {service.id}.")
    if wish.duration is not None and not service.offers_duration(wish.duration):
        raise Invalid(f"{wish.duration} minutes are not offered.")
    may_be_so_many(waitlist, wish, place.seats)
    may_enter(waitlist, place)
    _something_offered(waitlist, place)
    _nothing_open(waitlist, place)


def may_be_so_many(waitlist: Waitlist, wish: Wish, seats: int) -> None:
    """Raises `Invalid` for a party that nothing of what they wait for has room for. Of the sessions of a range nobody knows yet how large they are."""
    named = [session for name in wish.sessions if (session := waitlist.sessions.get(name)) is not None]
    if not named and waitlist.service.kind == "event":
        return
    largest = max((waitlist.room_in(session) for session in named), default=waitlist.room_in(None))
    if seats > largest:
        raise Invalid(f"There is room for {largest} at a time. Wait for so many seats at most.")


def may_enter(waitlist: Waitlist, place: Place) -> None:
    """Raises `AlreadyWaiting` for who waits for the same by another entry, `NoWaitlist` where there is no more room in the queue."""
    queue = waitlist.queue
    others = (*queue.places.values(), *(offer.place for offer in queue.offered.values()))
    if any(other.client_key == place.client_key and other.wish.overlaps(place.wish) for other in others):
        raise AlreadyWaiting(
            "This client waits for it already; the mail that confirmed it has the link to their place."
        )
    if queue.size >= MOST_WAITING:
        raise NoWaitlist(f"{MOST_WAITING} are waiting for {waitlist.service.name} already, and no more can.")


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
    offered = open_starts(waitlist.question(place), within, ignoring=MAY_OPEN)
    if not any(place.wish.accepts(start, None) for start in offered):
        raise StartClosed("Nothing is offered then, however long you wait.", reasons=["nothing_offered"])
