"""What availability and booking read: service, resources, ledger months and calendars, in one batched round trip.

The ids of all of them are only known from the documents themselves. So what a service needed last time is remembered as a hint of what to read; the
documents that come back say whether the hint still held, and what it missed is read after. A wrong hint costs a round trip, never a wrong answer.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.store import Reader
from functions.domain.availability import ResourceState
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.errors import NotFound
from functions.domain.hours import working_intervals
from functions.domain.instants import DAY_MINUTES, Millis, Minute, months_between
from functions.domain.intervals import Interval
from functions.domain.mirroring import new_horizon

MAX_HINTS = 2_000


@dataclass(frozen=True)
class Hint:
    """`first` and `last`: how far from the two ends of what was asked the time began and ended that sessions could take, in minutes."""

    resources: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    first: int = 0
    last: int = 0


@dataclass
class Hints:
    """The last known needs of each service; the least used go first."""

    _known: OrderedDict[tuple[str, str], Hint] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, account: str, service: str) -> Hint:
        with self._lock:
            return self._known.get((account, service), Hint())

    def remember(self, account: str, service: str, hint: Hint) -> None:
        with self._lock:
            self._known[account, service] = hint
            self._known.move_to_end((account, service))
            while len(self._known) > MAX_HINTS:
                self._known.popitem(last=False)


hints = Hints()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which part of a service is asked about: starts in [start, end), and other documents that are read along."""

    service: str
    start: Minute
    end: Minute
    also: tuple[AnyRef, ...] = ()


@dataclass(frozen=True)
class ServiceState:
    service: Service
    states: tuple[ResourceState, ...]


def read_service(reader: Reader, wanted: Wanted, *, now: Millis, stale_after: Millis) -> ServiceState:
    """Raises `NotFound`."""
    service_ref = Ref(Service, wanted.service)
    hint = hints.of(reader.account, wanted.service)
    asked = Interval(wanted.start + hint.first, wanted.end + hint.last)
    refs = _refs(hint.resources, months_between(*asked))
    reader.load(service_ref, *refs, *_calendar_refs(hint.calendars), *wanted.also)
    service = reader.get(service_ref)
    if service is None:
        raise NotFound(f"There is no service {wanted.service}.")
    reader.load(*(Ref(Resource, name) for name in service.resources))
    resources = [r for name in service.resources if (r := reader.get(Ref(Resource, name))) is not None]
    needed = _needed(service, resources, wanted)
    months = months_between(*needed)
    calendars = tuple(sorted({calendar for resource in resources for calendar in resource.blocked_by}))
    reader.load(*_refs(service.resources, months), *_calendar_refs(calendars))
    margins = needed.start - wanted.start, needed.end - wanted.end
    hints.remember(reader.account, wanted.service, Hint(service.resources, calendars, *margins))
    states = tuple(
        ResourceState(
            resource=resource,
            months=tuple(month for name in months if (month := reader.get(ledger_ref(resource.id, name))) is not None),
            known_until=known_until(reader, resource, now=now, stale_after=stale_after),
        )
        for resource in resources
    )
    return ServiceState(service, states)


def known_until(reader: Reader, resource: Resource, *, now: Millis, stale_after: Millis) -> Minute:
    """Up to when the resource's time is known: as far as the least known of its calendars (law 6)."""
    ends = [new_horizon(now)]
    for name in resource.blocked_by:
        calendar = reader.get(Ref(Calendar, name))
        ends.append(calendar.known_until(resource.id, now=now, stale_after=stale_after) if calendar else 0)
    return min(ends)


def _needed(service: Service, resources: list[Resource], wanted: Wanted) -> Interval:
    """The time that sessions starting in what is wanted can take, buffers included.

    Sessions lie within the opening hours, so the nights at both ends, which often belong to another month, need not be read.
    """
    first_day = Interval(wanted.start, min(wanted.end, wanted.start + DAY_MINUTES))
    last_day = Interval(max(wanted.start, wanted.end - DAY_MINUTES), wanted.end)
    starts = [max(i.start, wanted.start) for r in resources for i in working_intervals(r.hours, first_day)]
    latest = wanted.end - 1 + service.duration_minutes
    ends = [min(i.end, latest) for r in resources for i in working_intervals(r.hours, last_day)]
    first = min(starts, default=first_day.end) - service.buffer_before_minutes
    return Interval(first, max(first + 1, max(ends, default=last_day.start) + service.buffer_after_minutes))


def _refs(resources: tuple[str, ...], months: tuple[str, ...]) -> list[AnyRef]:
    found: list[AnyRef] = [Ref(Resource, name) for name in resources]
    ledgers: list[AnyRef] = [ledger_ref(name, month) for name in resources for month in months]
    return found + ledgers


def _calendar_refs(calendars: tuple[str, ...]) -> list[AnyRef]:
    return [Ref(Calendar, name) for name in calendars]
