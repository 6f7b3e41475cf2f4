"""The ledger: everything that takes one resource's time, one document a resource and UTC month. The only truth about what is free.

Law: a commit that takes or frees time changes every month that the time touches, buffers included, each with a precondition on the state that the
decision read. Two spans that overlap share an instant, that instant lies in one month, and both spans stand in that month's document: so two
commits can't both take it. A change of configuration touches the months too (`LedgerTouch`), so that a decision made on old rules fails.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from functions.domain.instants import MINUTE_MS, Millis, Minute, months_between
from functions.domain.intervals import Edges, Interval


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Seats that are kept until `expires_at`, while a client fills in a form or makes up their mind about an offer."""

    seats: int
    expires_at: Millis


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Who waits for a session, as far as it matters to those who do not: until `until`, its free seats are for the queue first.

    `smallest`: the seats of the smallest party that waits, which is what the queue can use. `strict`: it waits for its turn however few are free.
    """

    smallest: int
    until: Minute
    strict: bool = False

    def keeps(self, seats_left: int, now: Millis) -> bool:
        """Whether the seats that are left are for those who wait."""
        return now < self.until * MINUTE_MS and seats_left > 0 and (self.strict or seats_left >= self.smallest)


@dataclass(frozen=True, kw_only=True)
class Occupation:
    """A session's place in the ledger: its own time and, around it, the time it takes with its buffers; and how full it is.

    `seats` are sold, `holds` by key kept. A session that was `scheduled` takes its time even when nobody has booked it. One that is `closed` sells no
    more. `placed_at`: when it came to this time; of two that overlap the first keeps it. `conflict`: why it can't be kept as promised, if it can't.
    `accepted`: what stands in its way and is to be no conflict, because an operator said so.
    """

    session: str
    service: str
    start: Minute
    end: Minute
    taken_from: Minute
    taken_until: Minute
    capacity: int = 1
    seats: int = 1
    holds: Mapping[str, Hold] = field(default_factory=dict)
    scheduled: bool = False
    closed: bool = False
    waiting: Waiting | None = None
    placed_at: Millis = 0
    conflict: str | None = None
    accepted: tuple[str, ...] = ()

    @property
    def taken(self) -> Interval:
        return Interval(self.taken_from, self.taken_until)

    def takes_time(self, now: Millis) -> bool:
        """Not once all that it was made for were holds, and they have lapsed."""
        return self.scheduled or self.seats > 0 or any(now < hold.expires_at for hold in self.holds.values())

    def seats_promised(self, now: Millis) -> int:
        """Sold, or kept for somebody at the moment."""
        return self.seats + sum(hold.seats for hold in self.holds.values() if now < hold.expires_at)

    def seats_left(self, now: Millis) -> int:
        """Never below 0, also where a capacity was lowered below what is sold."""
        return max(0, self.capacity - self.seats_promised(now))

    def seats_open(self, now: Millis, *, from_waitlist: bool = False) -> int:
        """The seats that are left for who asks: those who wait come before everybody else."""
        left = self.seats_left(now)
        if not from_waitlist and self.waiting is not None and self.waiting.keeps(left, now):
            return 0
        return left


@dataclass(frozen=True, kw_only=True)
class LedgerMonth:
    """`blocks`: calendar id → event (or series) id → its busy intervals that touch this month. Google's time, never ours.

    `edges`: the same by calendar, sorted once as the month is read, because one request asks for what is free more than once.
    """

    resource: str
    month: str
    sessions: Mapping[str, Occupation] = field(default_factory=dict)
    blocks: Mapping[str, Mapping[str, tuple[Interval, ...]]] = field(default_factory=dict)
    edges: Mapping[str, Edges] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edges = {name: Edges.of(chain.from_iterable(events.values())) for name, events in self.blocks.items()}
        object.__setattr__(self, "edges", edges)


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


def apply_changes(
    months: Mapping[tuple[str, str], LedgerMonth], changes: Iterable[LedgerChange]
) -> dict[tuple[str, str], LedgerMonth]:
    """The months, by resource and month, as these changes leave them: for whoever decides on what is not committed yet."""
    after = dict(months)
    for change in changes:
        place = (change.resource, change.month)
        before = after.get(place) or LedgerMonth(resource=change.resource, month=change.month)
        after[place] = _changed(before, change)
    return after


def _changed(before: LedgerMonth, change: LedgerChange) -> LedgerMonth:
    sessions = {**before.sessions, **change.sessions}
    blocks = {name: dict(events) for name, events in before.blocks.items() if name not in change.cleared}
    for (name, event), intervals in change.blocks.items():
        blocks.setdefault(name, {})[event] = intervals or ()
    kept = {name: {event: busy for event, busy in events.items() if busy} for name, events in blocks.items()}
    return LedgerMonth(
        resource=change.resource,
        month=change.month,
        sessions={key: value for key, value in sessions.items() if value is not None},
        blocks={name: events for name, events in kept.items() if events},
    )


def merge_changes(changes: Iterable[LedgerChange]) -> tuple[LedgerChange, ...]:
    """One change a resource and month; the store writes each document once."""
    merged: dict[tuple[str, str], LedgerChange] = {}
    for change in changes:
        place = (change.resource, change.month)
        before = merged.get(place)
        merged[place] = (
            change
            if before is None
            else LedgerChange(
                resource=change.resource,
                month=change.month,
                sessions={**before.sessions, **change.sessions},
                blocks={**before.blocks, **change.blocks},
                cleared=before.cleared | change.cleared,
            )
        )
    return tuple(merged.values())
