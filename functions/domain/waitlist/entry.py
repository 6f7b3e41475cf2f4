"""Who waits: the entry with its person, and the queue in which it stands among others.

Everything that decides whose turn it is stands in the queue, one document a service, without personal data: so that one read tells the order and one
precondition guards it. The entry holds what is needed once it is somebody's turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from functions.domain.decision import AuthorKind
from functions.domain.instants import Millis, Minute
from functions.domain.model import Document, Personal
from functions.domain.session import ERASED_CLIENT, Client
from functions.domain.transitions import EntryStatus
from functions.domain.waitlist.preset import Preset

# In one queue, and sessions that one place may name: together so few that the queue fits into a document of 1 MiB.
MOST_WAITING = 1_000
MOST_SESSIONS = 10


class Wish(Document):
    """What is waited for. Of an event: any of these `sessions`, wherever they are moved. Of an appointment, whose sessions come and go with their
    bookings: any of these `starts`. Where nothing is named: any start in [start, end).

    `starts` of sessions are those that they had when they were named; all that is named lies in [start, end). `resource` and `duration`: if the client
    chose one.
    """

    sessions: tuple[str, ...] = ()
    starts: tuple[Minute, ...] = ()
    start: Minute
    end: Minute
    resource: str | None = None
    duration: int | None = None

    @model_validator(mode="after")
    def _holds_time(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self

    @property
    def is_range(self) -> bool:
        return not (self.sessions or self.starts)

    def accepts(self, start: Minute, session: str | None) -> bool:
        """Whether a seat in this session (None: a new one) that begins at `start` would do."""
        if self.sessions:
            return session in self.sessions
        if self.starts:
            return start in self.starts
        return self.start <= start < self.end

    def overlaps(self, other: "Wish") -> bool:
        """Whether one seat could be what both wait for."""
        if self.resource != other.resource and None not in (self.resource, other.resource):
            return False
        if self.sessions and other.sessions:
            return bool({*self.sessions} & {*other.sessions})
        if self.starts and other.starts:
            return bool({*self.starts} & {*other.starts})
        if self.starts or other.starts:
            within, starts = (self, other.starts) if self.is_range else (other, self.starts)
            return any(within.start <= start < within.end for start in starts)
        return self.start < other.end and other.start < self.end


class Place(Document):
    """A place in the queue. `declined`: starts that were offered and not wanted. `limited`: those that were free when the line was last looked at, and
    that a limit of the client's bookings keeps from them. `passed_over`: how often somebody behind was served first; `passed_because`: why
    what was free when the line was last looked at is not for this one, None where nothing was (what was said before, history tells).

    `paused`: an operator decides about this one by hand.
    """

    wish: Wish
    seats: int
    client_key: Annotated[str, Personal("")]
    priority: int = 0
    level: str | None = None
    category: str | None = None
    joined_at: Millis
    declined: tuple[Minute, ...] = ()
    limited: tuple[Minute, ...] = ()
    paused: bool = False
    passed_over: int = 0
    passed_because: str | None = None


class Offered(Document):
    """Somebody who has an offer: the held booking that it is, and the place they go back to if it comes to nothing."""

    booking: str
    place: Place


class Queue(Document):
    """Everybody who waits for a service, and who has an offer, by entry. `look_at`: when the sweep looks after it, None while nobody is in it."""

    id: str  # the service's
    places: Mapping[str, Place] = Field(default_factory=dict)
    offered: Mapping[str, Offered] = Field(default_factory=dict)
    look_at: Millis | None = None

    @property
    def size(self) -> int:
        return len(self.places) + len(self.offered)

    def waiting(self, entry: str, place: Place) -> "Queue":
        """With this entry waiting at that place."""
        offered = {other: offer for other, offer in self.offered.items() if other != entry}
        return self.model_copy(update={"places": {**self.places, entry: place}, "offered": offered})

    def offering(self, entry: str, booking: str) -> "Queue":
        """With an offer to somebody who waits."""
        offer = Offered(booking=booking, place=self.places[entry])
        places = {other: place for other, place in self.places.items() if other != entry}
        return self.model_copy(update={"places": places, "offered": {**self.offered, entry: offer}})

    def without(self, entry: str) -> "Queue":
        places = {other: place for other, place in self.places.items() if other != entry}
        offered = {other: offer for other, offer in self.offered.items() if other != entry}
        look_at = self.look_at if places or offered else None
        return self.model_copy(update={"places": places, "offered": offered, "look_at": look_at})


class WaitlistEntry(Document):
    """A client who waits. `place` is the one that they have in the queue, or had last.

    `booking`: the held one while it is `offered`, and what became of it once it is `booked`.
    """

    id: str
    service: str
    client: Annotated[Client, Personal(ERASED_CLIENT)]
    place: Place
    answers: Annotated[Mapping[str, str], Personal({})] = Field(default_factory=dict)
    notes: Annotated[str | None, Personal()] = None
    status: EntryStatus = "waiting"
    booking: str | None = None
    manage_hash: str
    ended_by: AuthorKind | None = None
    reason: Annotated[str | None, Personal()] = None
    created_at: Millis


@dataclass(frozen=True, kw_only=True)
class InLine:
    """One who waits, in their turn."""

    entry: str
    place: Place


def in_order(places: Mapping[str, Place], preset: Preset) -> list[InLine]:
    """Whose turn it is: by priority, membership level, category, then by the time joined."""
    waiting: Iterable[InLine] = (InLine(entry=entry, place=place) for entry, place in places.items())
    return sorted(waiting, key=lambda one: _turn(one, preset))


def position(queue: Queue, entry: str, preset: Preset) -> int | None:
    """How many are served before this one, of those who wait for what they wait for, plus one. None for who does not wait."""
    mine = queue.places.get(entry)
    if mine is None:
        return None
    turn = _turn(InLine(entry=entry, place=mine), preset)
    ahead = (InLine(entry=other, place=place) for other, place in queue.places.items() if not place.paused)
    return 1 + sum(_turn(one, preset) < turn and one.place.wish.overlaps(mine.wish) for one in ahead)


def _turn(one: InLine, preset: Preset) -> tuple[int, int, int, Millis, str]:
    place = one.place
    level, category = _rank(place.level, preset.levels), _rank(place.category, preset.categories)
    return -place.priority, level, category, place.joined_at, one.entry


def _rank(name: str | None, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
