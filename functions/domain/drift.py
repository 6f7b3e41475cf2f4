"""Drift: the difference between what Google says is busy in a calendar and what we think is busy there. The number that must be zero.

What we think: the blocks that the ledgers of the calendar's resources hold of it, and the events that our own sessions have in it. Both sides are busy
minutes, rounded outward (law 10). What is on its way is no drift: a session whose event Google is about to be told of says nothing about its
times, and only what differs twice, with a pull in between, counts (see `sync.audit`). Neither does time that is blocked on purpose for more than it
is: an event that can't be read, a series too dense to be told apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from functions.domain.calendar import Difference
from functions.domain.google_event import Malformed, MirrorEvent, interval_of
from functions.domain.instants import DAY_MINUTES, Millis
from functions.domain.intervals import Interval, clip, common, merge, subtract
from functions.domain.ledger import LedgerMonth
from functions.domain.recurrence import is_blocked_for_more
from functions.domain.session import Session
from functions.domain.standing import Obstacle

# Google refuses ranges past roughly three months (`timeRangeTooLong`, section 1.3 of the contract notes).
LONGEST_QUESTION = 60 * DAY_MINUTES
MOST_EXAMPLES = 5
# What the event of a session may have become, and an operator lives with: it takes more time in Google than the session does.
LONGER = frozenset({Obstacle.ALL_DAY, Obstacle.RECURRING})


@dataclass(frozen=True, kw_only=True)
class OwnEvents:
    """The events of our sessions in one calendar. `busy`: as Google should hold them. `unsettled`: when they are, were or will be, where a write of ours is
    pending or a person has to decide; nothing follows from these times.
    """

    busy: tuple[Interval, ...] = ()
    unsettled: tuple[Interval, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A resource's time, as its ledger has it: the `blocks` of the calendar in question, and what its own sessions take. `spared`: when other copies of its
    sessions' events are in this calendar, which block nothing there (see `MirrorEvent`).
    """

    blocks: tuple[Interval, ...] = ()
    sold: tuple[Interval, ...] = ()
    spared: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, months: Iterable[LedgerMonth], calendar: str, now: Millis) -> "Taken":
        months = tuple(months)
        entries = (entry for month in months for entry in month.sessions.values() if entry.takes_time(now))
        events = (busy for month in months for busy in month.blocks.get(calendar, {}).values())
        return cls(blocks=tuple(chain.from_iterable(events)), sold=tuple(entry.taken for entry in entries))


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Sorted, disjoint intervals. `only_in_google`: busy there and free here, so it might be sold twice. `only_here`: the reverse, so it can't be sold."""

    only_in_google: tuple[Interval, ...] = ()
    only_here: tuple[Interval, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only_in_google or self.only_here)

    @property
    def minutes(self) -> int:
        return sum(end - start for start, end in chain(self.only_in_google, self.only_here))

    @property
    def examples(self) -> tuple[Difference, ...]:
        """The first few, those that might be sold twice before the others."""
        found = [
            *(Difference(busy="only_in_google", start=start, end=end) for start, end in self.only_in_google),
            *(Difference(busy="only_here", start=start, end=end) for start, end in self.only_here),
        ]
        return tuple(found[:MOST_EXAMPLES])

    def still(self, later: "Drift") -> "Drift":
        """What differed before and differs now, in the same minutes."""
        return Drift(
            only_in_google=tuple(common(self.only_in_google, later.only_in_google)),
            only_here=tuple(common(self.only_here, later.only_here)),
        )

    def without(self, blocked_for_more: Iterable[Interval]) -> "Drift":
        """The same where this much is taken here on purpose."""
        return Drift(
            only_in_google=self.only_in_google, only_here=tuple(subtract(self.only_here, tuple(blocked_for_more)))
        )


def compare(google: Iterable[Interval], resources: Iterable[Taken], own: OwnEvents, *, within: Interval) -> Drift:
    """`google`: what is busy there. `resources`: those that the calendar blocks. One that blocks none is held against our own events alone, because
    what else is in it is nobody's business. That a time is sold explains nothing: what Google says is busy then may be what it must not be sold for.
    """
    google, resources = merge(google), tuple(resources)
    missing: list[Interval] = []
    extra = [] if resources else subtract(own.busy, google)
    for taken in resources:
        missing += subtract(google, chain(taken.blocks, common(taken.spared, taken.sold), own.busy))
        extra += subtract(chain(taken.blocks, own.busy), google)
    judged = subtract([within], own.unsettled)
    return Drift(only_in_google=tuple(common(missing, judged)), only_here=tuple(common(extra, judged)))


def own_events(
    calendar: str, sessions: Iterable[Session], rows: Mapping[str, MirrorEvent], *, calendar_zone: str
) -> OwnEvents:
    """The events of these sessions in one calendar. `rows`: of its mirror, by event; one that Google has not told us of yet may be missing."""
    busy: list[Interval] = []
    unsettled: list[Interval] = []
    for session in sessions:
        copy = session.copies.get(calendar)
        if copy is None:
            continue
        row = rows.get(copy.event)
        seen = _time_of(row, calendar_zone)
        now = Interval(session.start, session.end)
        known = [*(Interval(time.start, time.end) for time in (copy.base, *copy.asked) if time), *seen, now]
        as_sold = seen == [now] and row is not None and row.kind == "single"
        decided = as_sold or (session.conflict is None and LONGER.isdisjoint(session.accepted))
        pending = session.is_behind(copy) or copy.missing_since is not None or copy.out_of_reach
        if pending or (session.status == "open" and not copy.gone and not decided):
            unsettled += known
        elif session.status == "open" and not copy.gone and (row is None or row.busy):
            # Not where its owner marked it as free: it takes our resource's time, and nobody's in Google (case 109).
            busy.append(now)
    return OwnEvents(busy=tuple(busy), unsettled=tuple(unsettled))


def spared_time(rows: Iterable[MirrorEvent], *, calendar_zone: str) -> tuple[Interval, ...]:
    """When the events of these rows are busy, of which a resource is spared the blocks (case 123)."""
    return tuple(time for row in rows if row.busy for time in _time_of(row, calendar_zone))


def keys_behind(drift: Drift, months: Iterable[LedgerMonth], calendar: str) -> list[str]:
    """The events (or series) whose blocks are where the ledger alone is busy."""
    return sorted(
        {
            key
            for month in months
            for key, blocks in month.blocks.get(calendar, {}).items()
            if common(blocks, drift.only_here)
        }
    )


def blocked_for_more(
    family: Iterable[MirrorEvent], blocks: Iterable[Interval], *, calendar_zone: str, within: Interval
) -> list[Interval]:
    """The blocks of an event or series, where they take more than its time on purpose, because that can't be told exactly (cases 57 and 145)."""
    rows = tuple(family)
    wide = any(row.malformed is not None for row in rows) or is_blocked_for_more(
        rows, calendar_zone=calendar_zone, horizon=within
    )
    return clip(blocks, within) if wide else []


def questions(within: Interval) -> list[Interval]:
    """The time cut into parts that Google answers about at once."""
    starts = range(within.start, within.end, LONGEST_QUESTION)
    return [Interval(start, min(start + LONGEST_QUESTION, within.end)) for start in starts]


def _time_of(row: MirrorEvent | None, calendar_zone: str) -> list[Interval]:
    if row is None:
        return []
    try:
        return [interval_of(row.start, row.end, calendar_zone)]
    except Malformed:
        return []
