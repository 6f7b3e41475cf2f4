"""Who waits: the entry with its person, and the queue in which it stands among others.

Everything that decides whose turn it is stands in the queue, one document a service, without personal data: so that one read tells the order and one
precondition guards it. The entry holds what is needed once it is somebody's turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from functions.domain.instants import Millis, Minute
from functions.domain.model import Document
from functions.domain.session import AuthorKind, Client
from functions.domain.transitions import EntryStatus
from functions.domain.waitlist.preset import Preset

MOST_WAITING = 1_000  # in one queue, so that it stays far below what a document may hold


class Wish(Document):
    """What is waited for: any of these `sessions`; or, where none is named, a start in [start, end), at `resource` if one is chosen."""

    sessions: tuple[str, ...] = ()
    start: Minute
    end: Minute
    resource: str | None = None
    duration: int | None = None


class Place(Document):
    """A place in the queue. `declined`: starts that were offered and not wanted. `passed_over`: how often somebody behind was served first, and why last.

    `last_start`: after which nothing that is waited for can begin any more.
    """

    wish: Wish
    seats: int
    client_key: str
    priority: int = 0
    level: str | None = None
    category: str | None = None
    joined_at: Millis
    declined: tuple[Minute, ...] = ()
    passed_over: int = 0
    passed_because: str | None = None


class Queue(Document):
    """Everybody who waits for a service, by entry. `look_at`: when the sweep looks after it, None while nobody waits."""

    id: str  # the service's
    places: Mapping[str, Place] = Field(default_factory=dict)
    look_at: Millis | None = None

    def with_place(self, entry: str, place: Place) -> "Queue":
        return self.model_copy(update={"places": {**self.places, entry: place}})

    def without(self, *entries: str) -> "Queue":
        left = {entry: place for entry, place in self.places.items() if entry not in entries}
        return self.model_copy(update={"places": left, "look_at": self.look_at if left else None})


class WaitlistEntry(Document):
    """A client who waits. `place` is what the queue says of it, kept here too for when it is put back.

    `offer`: the held booking while it is `offered`; `booking`: what became of it.
    """

    id: str
    service: str
    client: Client
    place: Place
    answers: Mapping[str, str] = Field(default_factory=dict)
    notes: str | None = None
    status: EntryStatus = "waiting"
    offer: str | None = None
    booking: str | None = None
    manage_hash: str
    ended_by: AuthorKind | None = None
    reason: str | None = None
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


def _turn(one: InLine, preset: Preset) -> tuple[int, int, int, Millis, str]:
    place = one.place
    level, category = _rank(place.level, preset.levels), _rank(place.category, preset.categories)
    return -place.priority, level, category, place.joined_at, one.entry


def _rank(name: str | None, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
