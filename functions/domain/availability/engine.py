"""What is free (law 2): every open start of a service in a range.

Days meet zones once, when openings are resolved; from there on all is integers. For each candidate the starts on the grid of its openings are laid
out, and each rule strikes out what it closes. Running sessions with seats left are added. A pool offers the union of its candidates' starts.
"""

from collections.abc import Iterator, Set
from itertools import chain, pairwise

from functions.domain.availability.bounds import bounds_of
from functions.domain.availability.joining import joinable
from functions.domain.availability.limits import full_for_client, full_for_new_sessions, too_many_at_once
from functions.domain.availability.question import TAKEN, Candidate, Closed, Needs, Question, ResourceState, candidates
from functions.domain.availability.start_map import Grid, Run, StartMap, Starts, starts_of
from functions.domain.availability.taken import taken_edges
from functions.domain.hours import Hours
from functions.domain.instants import Minute
from functions.domain.intervals import Edges, Interval, merge
from functions.domain.ledger import Occupation
from functions.domain.openings import openings

NOTHING: frozenset[Closed] = frozenset()


def open_starts(question: Question, within: Interval, *, ignoring: Set[Closed] = NOTHING) -> Starts:
    """Every open start in `within`, sorted. `ignoring` rules shows what they close: `TAKEN`, `CLOSED`, `LIMIT`, `CALENDAR_UNKNOWN`, `TOO_SOON`, `TOO_FAR`."""
    maps: list[StartMap] = []
    joined: set[Minute] = set()
    for candidate, grid in _with_grids(question, within, ignoring):
        joined.update(entry.start for entry in sessions_to_join(question, candidate, within, ignoring=ignoring))
        if grid is None:
            continue
        if not maps or maps[-1].grid != grid:
            maps.append(_open_map(question, candidate, grid, ignoring))
        elif not maps[-1].all_open():
            # Who keeps the same hours adds to the same map, until everything in it is open: the rest of a large pool is not looked at.
            maps[-1].open_too(_open_map(question, candidate, grid, ignoring))
    if len(maps) == 1 and not joined:
        return maps[0].starts()
    return starts_of(sorted(joined.union(*(each.starts() for each in maps))))


def fresh_starts(question: Question, candidate: Candidate, within: Interval) -> Starts:
    """The starts at which one candidate may begin a new session, sorted."""
    ((_, grid),) = _with_grids(question, within, NOTHING, (candidate,))
    return starts_of(()) if grid is None else _open_map(question, candidate, grid, NOTHING).starts()


def _open_map(question: Question, candidate: Candidate, grid: Grid, ignoring: Set[Closed]) -> StartMap:
    """What is left of a grid when every rule has struck out what it closes."""
    starts, needs = StartMap(grid), Needs.of(question)
    # A set is free where none of its resources is taken.
    ignored = ignoring >= TAKEN
    every = () if ignored else [taken_edges(s, question.now, without=question.moving) for s in candidate.states]
    starts.open_between(Edges.united(chain.from_iterable(every)), before=needs.before, reach=needs.reach)
    for state in candidate.states[1:]:
        span = Interval(grid.base, grid.end + needs.length)
        starts.close_within(_too_late_to_open(state.resource.hours, span, needs.length))
    if Closed.LIMIT not in ignoring:
        starts.close_within(full.interval for full in full_for_new_sessions(question, candidate))
        starts.close_within(full.interval for full in full_for_client(question, candidate))
    return starts


def sessions_to_join(
    question: Question, candidate: Candidate, within: Interval, *, ignoring: Set[Closed] = NOTHING
) -> list[Occupation]:
    """The running sessions that have the seats asked for and that no rule keeps this client out of."""
    if (question.service.kind == "appointment" and question.service.capacity == 1) or not _can_be_asked(
        question, ignoring
    ):
        return []
    bounds = bounds_of(question, candidate, ignoring=ignoring)
    found = joinable(question, candidate, bounds, within=within, ignoring=ignoring)
    if found and Closed.LIMIT not in ignoring:
        full = [period.interval for period in full_for_client(question, candidate)]
        found = [entry for entry in found if not any(start <= entry.start < end for start, end in full)]
    return found


def _can_be_asked(question: Question, ignoring: Set[Closed]) -> bool:
    """Whether any start can be open: what closes all of them at once."""
    service = question.service
    return (
        service.active
        and (question.duration is None or service.offers_duration(question.duration))
        and question.seats >= 1
        and (service.kind == "event" or question.seats <= service.capacity)
        and (Closed.LIMIT in ignoring or too_many_at_once(question) is None)
    )


def _with_grids(
    question: Question, within: Interval, ignoring: Set[Closed], among: tuple[Candidate, ...] | None = None
) -> Iterator[tuple[Candidate, Grid | None]]:
    """Each candidate with the grid of its new sessions. Those of a pool often keep the same hours, which are then resolved once."""
    before: ResourceState | None = None
    grid: Grid | None = None
    for candidate in candidates(question) if among is None else among:
        lead = candidate.lead
        if len(candidate.states) > 1 or before is None or not _alike(lead, before):
            starts = _starts_in_question(question, candidate, within, ignoring)
            before, grid = lead, _grid(question, lead.resource.hours, starts)
        yield candidate, grid


def _alike(one: ResourceState, other: ResourceState) -> bool:
    return one.known_until == other.known_until and one.resource.hours == other.resource.hours


def _starts_in_question(question: Question, candidate: Candidate, within: Interval, ignoring: Set[Closed]) -> Interval:
    if question.service.kind == "event" or not _can_be_asked(question, ignoring):
        return Interval(0, 0)
    bounds = bounds_of(question, candidate, ignoring=ignoring)
    known = bounds.known_until - Needs.of(question).reach + 1
    return Interval(max(within.start, bounds.starts.start), min(within.end, bounds.starts.end, known))


def _grid(question: Question, hours: Hours, starts: Interval) -> Grid | None:
    """From each opening's start plus the offset, every step, as long as the session ends before the time is closed again."""
    if starts.end <= starts.start:
        return None
    step, offset, length = question.service.step_minutes, question.service.offset_minutes, question.length
    opened = openings(hours, Interval(starts.start, starts.end - 1 + length))
    runs = []
    for (start, end), stretch_end in zip(opened, _ends_of_stretches(opened), strict=True):
        first, after = start + offset, stretch_end - length + 1
        if first < starts.start:
            first += -((first - starts.start) // step) * step
        if end < after:
            after = end
        if starts.end < after:
            after = starts.end
        if first < after:
            runs.append(Run(first, after - 1))
    return Grid.of(runs, step) if runs else None


def _ends_of_stretches(opened: list[Interval]) -> list[Minute]:
    """For each opening (sorted), when the time closes that it is part of: openings that touch are open without a break."""
    if not any(later.start <= earlier.end for earlier, later in pairwise(opened)):
        return [opening.end for opening in opened]
    stretches = merge(opened)
    ends, place = [], 0
    for opening in opened:
        while stretches[place].end < opening.end:
            place += 1
        ends.append(stretches[place].end)
    return ends


def _too_late_to_open(hours: Hours, span: Interval, length: int) -> Iterator[Interval]:
    """The periods of starts at which a resource is closed, or closes before a session of that length is over."""
    closed_from = span.start
    for opened in merge(openings(hours, span)):
        yield Interval(closed_from, opened.start)
        closed_from = max(closed_from, opened.end - length + 1)
    yield Interval(closed_from, span.end)
