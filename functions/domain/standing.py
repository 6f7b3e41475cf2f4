"""Standing: what stands in the way of a session that was promised. It is judged here and nowhere else (law 2).

It follows from the state alone: from the hours and ledgers of the session's resources, its service, and who came first. Of two sessions that overlap the
one that came to its time later gives way, whatever else stands in the way of the other. So time that comes free never brings anybody into a conflict,
and it goes to whoever was there first. A calendar that can't be read is no obstacle: nothing is known to be wrong.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from functions.domain.availability import Closed, ResourceState
from functions.domain.availability.taken import blocks, occupations
from functions.domain.configuration import Resource, Service
from functions.domain.instants import Millis, Minute
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import LedgerChange, LedgerMonth, Occupation, apply_changes
from functions.domain.openings import open_time

NOBODY: frozenset[str] = frozenset()

_begins = attrgetter("taken_from")


class Obstacle(StrEnum):
    """What can stand in the way of a session, in the order in which it counts: the first is what the session is flagged with."""

    DELETED = "deleted_in_calendar"
    MOVED = "moved_in_calendar"
    ALL_DAY = "all_day"
    RECURRING = "recurring"
    DECLINED = "declined_by_host"
    NOT_SERVED = "not_served"
    TAKEN = "taken"
    OUTSIDE_HOURS = Closed.OUTSIDE_HOURS.value
    OVER_CAPACITY = "over_capacity"


# What only its event in Google shows: `inbound`, `moved_event` and `missing_event` flag it, and take the flag away.
SEEN_IN_GOOGLE: frozenset[str] = frozenset(
    {Obstacle.DELETED, Obstacle.MOVED, Obstacle.ALL_DAY, Obstacle.RECURRING, Obstacle.DECLINED}
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What sessions are judged by: the resources and services that there are, by id, and the ledger months by resource.

    `months` must hold every month that a session in question touches with its buffers. `known_until`: up to which minute the ledger of each resource
    holds the events of all calendars that block it.
    """

    resources: Mapping[str, Resource]
    services: Mapping[str, Service]
    months: Mapping[str, tuple[LedgerMonth, ...]]
    now: Millis
    known_until: Mapping[str, Minute] = field(default_factory=dict)

    def after(self, changes: Iterable[LedgerChange]) -> "Scene":
        """The same with these changes in the ledgers."""
        before = {(month.resource, month.month): month for known in self.months.values() for month in known}
        months = apply_changes(before, changes)
        by_resource: dict[str, tuple[LedgerMonth, ...]] = dict.fromkeys(self.months, ())
        for (resource, _), month in sorted(months.items()):
            by_resource[resource] = (*by_resource.get(resource, ()), month)
        return replace(self, months=by_resource)

    @cached_property
    def grounds(self) -> Mapping[str, "Ground"]:
        """The time of every resource that there is."""
        return {name: Ground.of(self, resource) for name, resource in self.resources.items()}


@dataclass(frozen=True)
class Ground:
    """One resource's time, laid out for asking often. `blocked` is merged; `sessions` are sorted by the beginning of what they take, at most `longest`."""

    resource: Resource
    blocked: list[Interval]
    sessions: list[Occupation]
    longest: int

    @classmethod
    def of(cls, scene: Scene, resource: Resource) -> "Ground":
        state = ResourceState(resource=resource, months=scene.months.get(resource.id, ()), known_until=0)
        sessions = sorted(occupations(state, scene.now).values(), key=lambda entry: entry.taken)
        longest = max((entry.taken_until - entry.taken_from for entry in sessions), default=0)
        return cls(resource, merge(blocks(state)), sessions, longest)

    def is_open(self, time: Interval) -> bool:
        return open_time(self.resource.hours, time) == [time]

    def is_blocked(self, time: Interval) -> bool:
        """By an event of a calendar that blocks the resource."""
        place = bisect_left(self.blocked, time.end, key=lambda block: block.start)
        return place > 0 and time.overlaps(self.blocked[place - 1])

    def there_before(self, entry: Occupation) -> Iterator[str]:
        """The other sessions that take some of the same time and came to it first."""
        first = bisect_left(self.sessions, entry.taken_from - self.longest, key=_begins)
        after = bisect_left(self.sessions, entry.taken_until, key=_begins)
        for other in self.sessions[first:after]:
            same = other.session == entry.session
            if not same and other.taken.overlaps(entry.taken) and precedence(other) < precedence(entry):
                yield other.session


def precedence(entry: Occupation) -> tuple[Millis, str]:
    """First come first: by when a session came to its time, and by its id where that was the same moment."""
    return entry.placed_at, entry.session


def obstacles(
    scene: Scene, entry: Occupation, resources: Iterable[str], *, gone: Set[str] = NOBODY
) -> tuple[Obstacle, ...]:
    """What stands in the way of a session at these resources, the first first; nothing, where it can be kept. Also what an operator has accepted.

    `gone`: sessions that give up their time meanwhile.
    """
    found = {obstacle for name in resources for obstacle in _at(scene, name, entry, gone)}
    if entry.seats_promised(scene.now) > entry.capacity:
        found.add(Obstacle.OVER_CAPACITY)
    return tuple(obstacle for obstacle in Obstacle if obstacle in found)


def _at(scene: Scene, name: str, entry: Occupation, gone: Set[str]) -> Iterator[Obstacle]:
    ground, service = scene.grounds.get(name), scene.services.get(entry.service)
    if ground is None or service is None or name not in service.resources:
        yield Obstacle.NOT_SERVED
    if ground is None:
        return
    if ground.is_blocked(entry.taken) or any(other not in gone for other in ground.there_before(entry)):
        yield Obstacle.TAKEN
    # An event is scheduled by an operator as they like.
    if not entry.scheduled and not ground.is_open(Interval(entry.start, entry.end)):
        yield Obstacle.OUTSIDE_HOURS
