"""The time of a resource that is taken: by sessions and holds, with their buffers, and by the events of the calendars that block it."""

from collections.abc import Iterator
from itertools import chain

from functions.domain.availability.question import ResourceState
from functions.domain.instants import Millis
from functions.domain.intervals import Edges, Interval
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


def taken_edges(state: ResourceState, now: Millis, *, without: str | None = None) -> Iterator[Edges]:
    """The same as edges: those of the blocks as the ledger holds them, sorted already."""
    yield Edges.of(entry.taken for entry in occupations(state, now, without=without).values())
    for calendar in state.resource.blocked_by:
        for month in state.months:
            if (edges := month.edges.get(calendar)) is not None:
                yield edges


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
