"""The ledger: everything that takes one resource's time, one document a resource and UTC month. The only truth about what is free.

Law: a commit that takes or frees time changes every month that the time touches, buffers included, each with a precondition on the state that the
decision read. Two spans that overlap share an instant, that instant lies in one month, and both spans stand in that month's document: so two
commits can't both take it. A change of configuration touches the months too (`LedgerTouch`), so that a decision made on old rules fails.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from functions.domain.instants import Minute, months_between
from functions.domain.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Occupation:
    """A session's place in the ledger: its own time and, around it, the time it takes with its buffers."""

    session: str
    service: str
    start: Minute
    end: Minute
    taken_from: Minute
    taken_until: Minute

    @property
    def taken(self) -> Interval:
        return Interval(self.taken_from, self.taken_until)


@dataclass(frozen=True, kw_only=True)
class LedgerMonth:
    """`blocks`: calendar id → event (or series) id → its busy intervals that touch this month. Google's time, never ours."""

    resource: str
    month: str
    sessions: Mapping[str, Occupation] = field(default_factory=dict)
    blocks: Mapping[str, Mapping[str, tuple[Interval, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LedgerChange:
    """What a decision does to one month: entries set, or removed where the value is None; `cleared` calendars lose all their blocks. Everything else
    in the month stays.
    """

    resource: str
    month: str
    sessions: Mapping[str, Occupation | None] = field(default_factory=dict)
    blocks: Mapping[tuple[str, str], tuple[Interval, ...] | None] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class LedgerTouch:
    """Marks a month as changed without changing what it says, so that every decision that read it is made again."""

    resource: str
    month: str


def ledger_id(resource: str, month: str) -> str:
    return f"{resource}/{month}"


def enter(resources: Iterable[str], occupation: Occupation) -> tuple[LedgerChange, ...]:
    """The changes that put a session into every month of every resource that it touches."""
    return _changes(resources, occupation, occupation)


def leave(resources: Iterable[str], occupation: Occupation) -> tuple[LedgerChange, ...]:
    """The changes that take a session out again."""
    return _changes(resources, occupation, None)


def move(resources: Iterable[str], before: Occupation, after: Occupation) -> tuple[LedgerChange, ...]:
    """One change a month: months that only the old time touched lose the session, those of the new time hold it."""
    resources = tuple(resources)
    new = {(change.resource, change.month): change for change in enter(resources, after)}
    old = {(change.resource, change.month): change for change in leave(resources, before)}
    return tuple((old | new).values())


def _changes(resources: Iterable[str], occupation: Occupation, value: Occupation | None) -> tuple[LedgerChange, ...]:
    months = months_between(*occupation.taken)
    return tuple(
        LedgerChange(resource=resource, month=month, sessions={occupation.session: value})
        for resource in resources
        for month in months
    )


def taken_time(
    months: Iterable[LedgerMonth], *, calendars: Iterable[str], without_session: str | None = None
) -> list[Interval]:
    """All the intervals that are taken in these months of one resource, unsorted.

    Only blocks of `calendars` (those that the resource is blocked by) count. `without_session` leaves out one session, for moving it.
    """
    counted = frozenset(calendars)
    taken: list[Interval] = []
    for month in months:
        taken += [entry.taken for entry in month.sessions.values() if entry.session != without_session]
        for calendar, events in month.blocks.items():
            if calendar in counted:
                for intervals in events.values():
                    taken += intervals
    return taken
