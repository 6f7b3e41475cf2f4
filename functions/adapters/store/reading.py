"""What availability and booking read: service, resources, ledger months and calendars, in one batched round trip.

The ids of all of them are only known from the documents themselves. So what a service needed last time is remembered as a hint of what to read; the
documents that come back say whether the hint still held, and what it missed is read after. A wrong hint costs a round trip, never a wrong answer.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Generic, TypeVar

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.store import Reader
from functions.domain.availability import ResourceState
from functions.domain.availability.limits import period_around, widest_period
from functions.domain.calendar import Calendar
from functions.domain.configuration import Resource, Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.errors import NotFound
from functions.domain.horizon import new_horizon
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerMonth, Occupation
from functions.domain.openings import open_time, openings
from functions.domain.staleness import Staleness, staleness

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Hint:
    """`first` and `last`: how far from the two ends of what was asked the time began and ended that sessions could take, in minutes."""

    resources: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    first: int = 0
    last: int = 0


@dataclass
class Recent(Generic[K, V]):
    """What was remembered last, for as many keys as there is room for; shared by the threads of an instance."""

    room: int
    _known: OrderedDict[K, V] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: K) -> V | None:
        with self._lock:
            return self._known.get(key)

    def remember(self, key: K, value: V) -> None:
        with self._lock:
            self._known[key] = value
            self._known.move_to_end(key)
            while len(self._known) > self.room:
                self._known.popitem(last=False)


# By account and service: what was needed. By account, service and start: the sessions that run there, one of which a booking may join.
hints: Recent[tuple[str, str], Hint] = Recent(room=2_000)
running: Recent[tuple[str, str, Minute], tuple[str, ...]] = Recent(room=20_000)


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
    """`stale_after`: the deployment's, where neither resource nor service has one of its own. Raises `NotFound`."""
    service_ref = Ref(Service, wanted.service)
    hint = hints.get((reader.account, wanted.service)) or Hint()
    asked = Interval(wanted.start + hint.first, wanted.end + hint.last)
    refs = _refs(hint.resources, months_between(*asked))
    reader.load(service_ref, *refs, *_calendar_refs(hint.calendars), *wanted.also)
    service = reader.get(service_ref)
    if service is None:
        raise NotFound(f"There is no service {wanted.service}.")
    reader.load(*(Ref(Resource, name) for name in service.resources))
    resources = [r for name in service.resources if (r := reader.get(Ref(Resource, name))) is not None]
    needed = _needed(service, resources, wanted)
    calendars = tuple(sorted({calendar for resource in resources for calendar in resource.blocked_by}))
    reader.load(*_refs(service.resources, months_between(*needed)), *_calendar_refs(calendars))
    needed = _with_sessions_to_join(needed, reader, service, wanted)
    months = months_between(*needed)
    reader.load(*_refs(service.resources, months))
    margins = needed.start - wanted.start, needed.end - wanted.end
    hints.remember((reader.account, wanted.service), Hint(service.resources, calendars, *margins))
    states = (
        _state(reader, each, months, now=now, staleness=staleness(each, service, usual=stale_after))
        for each in resources
    )
    return ServiceState(service, tuple(states))


def not_fresh(reader: Reader, service: Service, resources: Iterable[Resource], *, now: Millis) -> list[Calendar]:
    """The calendars that block these resources and were read longer ago than the service wants of what it sells."""
    names = sorted({name for resource in resources for name in resource.blocked_by})
    reader.load(*_calendar_refs(names))
    known = (reader.get(Ref(Calendar, name)) for name in names)
    fresh_for = service.fresh_for_minutes * MINUTE_MS
    return [each for each in known if each is not None and each.in_use and not each.fresh(now, fresh_for)]


def read_resources(
    reader: Reader, service: Service, names: Iterable[str], months: Iterable[str], *, now: Millis, stale_after: Millis
) -> tuple[ResourceState, ...]:
    """These resources, those that there are, for the service, with whole months of their ledgers: also the nights, which operators may use as they like."""
    names, months = tuple(names), tuple(months)
    reader.load(*_refs(names, months))
    resources = [r for name in names if (r := reader.get(Ref(Resource, name))) is not None]
    reader.load(*_calendar_refs(sorted({calendar for resource in resources for calendar in resource.blocked_by})))
    return tuple(
        _state(reader, each, months, now=now, staleness=staleness(each, service, usual=stale_after))
        for each in resources
    )


def _state(
    reader: Reader, resource: Resource, months: Iterable[str], *, now: Millis, staleness: Staleness
) -> ResourceState:
    """The resource's time is known as far as the least known of its calendars (law 6)."""
    known_until, least_known, last_read = new_horizon(now), None, None
    for name in resource.blocked_by:
        calendar = reader.get(Ref(Calendar, name))
        until = calendar.known_until(resource.id, now=now, stale_after=staleness.known_for) if calendar else 0
        if until < known_until:
            known_until, least_known = until, name
            last_read = calendar.last_success_at if calendar else None
    return ResourceState(
        resource=resource,
        months=tuple(month for name in months if (month := reader.get(ledger_ref(resource.id, name))) is not None),
        known_until=known_until,
        least_known=least_known,
        last_read=last_read,
        staleness=staleness,
    )


def _needed(service: Service, resources: list[Resource], wanted: Wanted) -> Interval:
    """The time whose ledgers have a say on the starts in what is wanted.

    New sessions lie within the opening hours, so the nights at both ends, which often belong to another month, need not be read. Limits count
    whole days, weeks or months of the resources' zones.
    """
    first_day = Interval(wanted.start, min(wanted.end, wanted.start + DAY_MINUTES))
    latest_end = wanted.end - 1 + max(service.duration_minutes, *service.durations, 0)
    last_day = Interval(max(wanted.start, wanted.end - DAY_MINUTES), latest_end)
    starts = [max(i.start, wanted.start) for r in resources for i in openings(r.hours, first_day)]
    ends = [i.end for r in resources for i in open_time(r.hours, last_day) if i.start < wanted.end]
    first = min(starts, default=first_day.end) - service.buffer_before_minutes
    last = max(ends, default=last_day.start) + service.buffer_after_minutes
    per = widest_period((service.limits, *(resource.limits for resource in resources)))
    if per is not None:
        zones = {resource.hours.time_zone for resource in resources}
        first = min([first, *(period_around(per, wanted.start, zone_name).start for zone_name in zones)])
        last = max([last, *(period_around(per, wanted.end - 1, zone_name).end for zone_name in zones)])
    return Interval(first, max(first + 1, last))


def _with_sessions_to_join(needed: Interval, reader: Reader, service: Service, wanted: Wanted) -> Interval:
    """Sessions that run already may lie outside the hours, and be longer and have other buffers than what is sold now."""
    if service.kind == "appointment" and service.capacity == 1:
        return needed
    asked = Interval(min(needed.start, wanted.start), max(needed.end, wanted.end))
    refs = [ledger_ref(name, month) for name in service.resources for month in months_between(*asked)]
    reader.load(*refs)
    months = [month for ref in refs if (month := reader.get(ref)) is not None]
    own = [entry for entry in _sessions(months) if entry.service == service.id]
    here = [entry for entry in own if wanted.start <= entry.start < wanted.end]
    for start, entries in groupby(sorted(here, key=attrgetter("start", "session")), key=attrgetter("start")):
        sessions = tuple(dict.fromkeys(entry.session for entry in entries))
        running.remember((reader.account, service.id, start), sessions)
    return Interval(
        min([asked.start, *(entry.taken_from for entry in here)]),
        max([asked.end, *(entry.taken_until for entry in here)]),
    )


def _sessions(months: Iterable[LedgerMonth]) -> Iterator[Occupation]:
    return (entry for month in months for entry in month.sessions.values())


def _refs(resources: tuple[str, ...], months: tuple[str, ...]) -> list[AnyRef]:
    found: list[AnyRef] = [Ref(Resource, name) for name in resources]
    ledgers: list[AnyRef] = [ledger_ref(name, month) for name in resources for month in months]
    return found + ledgers


def _calendar_refs(calendars: Iterable[str]) -> list[AnyRef]:
    return [Ref(Calendar, name) for name in calendars]
