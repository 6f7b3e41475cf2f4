"""The time of a resource that is taken: by sessions and holds, with their buffers, and by the events of the calendars that block it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import le

from functions.domain.availability.question import ResourceState
from functions.domain.instants import Millis, Minute
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation


def occupations(state: ResourceState, now: Millis, *, without: str | None = None) -> dict[str, Occupation]:
    """The sessions that take the resource's time at `now`, each once however many months it touches. `without` is left out, for moving it."""
    return {
        session: entry
        for month in state.months
        for session, entry in month.sessions.items()
        if session != without and entry.takes_time(now)
    }


def blocks(state: ResourceState) -> Iterator[Interval]:
    """Google's busy time, unsorted. An interval comes once for each month that it touches."""
    counted = [
        events
        for calendar in state.resource.blocked_by
        for month in state.months
        if (events := month.blocks.get(calendar)) is not None
    ]
    return chain.from_iterable(chain.from_iterable(events.values() for events in counted))


def taken_time(state: ResourceState, now: Millis, *, without: str | None = None) -> Iterator[Interval]:
    """All of it, unsorted; some of it more than once."""
    return chain((entry.taken for entry in occupations(state, now, without=without).values()), blocks(state))


@dataclass(frozen=True)
class TakenTime:
    """Taken time as its beginnings and its ends, each sorted by itself.

    That is enough to find the gaps: where as many intervals have ended as have begun, nothing is taken. So the k-th gap lies between the k-th end
    and the next beginning, whichever intervals they belong to, and nothing has to be merged.
    """

    begins: list[Minute]
    ends: list[Minute]

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> "TakenTime":
        flat = list(chain.from_iterable(intervals))
        begins, ends = flat[::2], flat[1::2]
        if any(map(le, ends, begins)):  # what is empty takes no time
            held = [(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end]
            begins, ends = [begin for begin, _ in held], [end for _, end in held]
        begins.sort()
        ends.sort()
        return cls(begins, ends)

    def gaps(self, within: Interval, *, at_least: int) -> list[tuple[Minute, Minute]]:
        """The free time inside `within`, sorted; only what is `at_least` so long."""
        first, last = within
        # Of the beginnings that matter the first is after `first`, of the ends the last is before `last`.
        low, high = bisect_right(self.begins, first), bisect_left(self.ends, last)
        ends = [max(first, self.ends[low - 1]) if low else first, *self.ends[low:high]]
        begins = [*self.begins[low:high], min(last, self.begins[high]) if high < len(self.begins) else last]
        return [(end, begin) for end, begin in zip(ends, begins, strict=True) if begin - end >= at_least]


def undisturbed(state: ResourceState, now: Millis, *, without: str | None = None) -> frozenset[str]:
    """The sessions whose time, buffers included, nothing else takes too."""
    entries = [(*entry.taken, session) for session, entry in occupations(state, now, without=without).items()]
    entries += ((start, end, "") for start, end in blocks(state) if start < end)
    entries.sort()
    found, latest = [], -1
    for place, (start, end, session) in enumerate(entries):
        followed = place + 1 < len(entries) and entries[place + 1][0] < end
        if session and latest <= start and not followed:
            found.append(session)
        latest = max(latest, end)
    return frozenset(found)
