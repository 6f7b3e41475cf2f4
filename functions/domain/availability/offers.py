"""Open starts with who could serve them and how many seats are left; and which of them serves, when a booking names nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from functions.domain.availability.engine import fresh_starts, open_starts, sessions_to_join
from functions.domain.availability.joining import seats_open
from functions.domain.availability.limits import period_around, session_starts
from functions.domain.availability.question import Candidate, Question, ResourceState, candidates
from functions.domain.instants import DAY_MINUTES, Minute
from functions.domain.intervals import Interval

# How far from a taken start alternatives are looked for.
ALTERNATIVES_REACH = 7 * DAY_MINUTES


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way to serve a start: resources together, in a running session or (None) in a new one."""

    resources: tuple[str, ...]
    session: str | None
    end: Minute
    seats_left: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An open start, and every way to serve it, in the service's order."""

    start: Minute
    choices: tuple[Choice, ...]

    @property
    def seats_left(self) -> int:
        """The largest party that could be served."""
        return max(choice.seats_left for choice in self.choices)


def offers(question: Question, within: Interval) -> list[Offer]:
    """Every open start in `within`, sorted."""
    found: dict[Minute, list[Choice]] = {}
    for candidate in candidates(question):
        for start, choice in _choices(question, candidate, within):
            found.setdefault(start, []).append(choice)
    return [Offer(start=start, choices=tuple(found[start])) for start in sorted(found)]


def _choices(question: Question, candidate: Candidate, within: Interval) -> Iterable[tuple[Minute, Choice]]:
    fresh = partial(Choice, resources=candidate.ids, session=None, seats_left=question.service.capacity)
    for start in fresh_starts(question, candidate, within):
        yield start, fresh(end=start + question.length)
    for entry in sessions_to_join(question, candidate, within):
        left = seats_open(question, entry)
        if question.service.kind == "appointment":
            # Nobody may ask for more than the service has, also where a session is larger from an earlier time.
            left = min(left, question.service.capacity)
        yield entry.start, Choice(resources=candidate.ids, session=entry.session, end=entry.end, seats_left=left)


def choose(question: Question, start: Minute) -> Choice | None:
    """The choice that serves `start`: a running session before a new one, then as the service's `pick` says. None where it is closed.

    To be asked inside the commit, of the ledgers that the commit holds.
    """
    here = offers(question, Interval(start, start + 1))
    return preferred(question, start, here[0].choices) if here else None


def preferred(question: Question, start: Minute, choices: Iterable[Choice]) -> Choice:
    """Of several ways to serve a start the one that the service prefers."""
    by_resource = {state.resource.id: state for state in question.states}
    order = {name: place for place, name in enumerate(question.service.resources)}

    def rank(choice: Choice) -> tuple[float, ...]:
        first = choice.resources[0]
        return (choice.session is None, *_preference(question, by_resource[first], start), order[first])

    return min(choices, key=rank)


def _preference(question: Question, state: ResourceState, start: Minute) -> tuple[float, ...]:
    """Smaller is better."""
    service, name = question.service, state.resource.id
    if service.pick == "order":
        return ()
    day = period_around("day", start, state.resource.hours.time_zone)
    sessions = session_starts((state,), question.now, without=question.moving)
    load = sum(day.start <= other < day.end for other in sessions) / service.weights.get(name, 1)
    priority = -service.priorities.get(name, 0)
    return (load, priority) if service.pick == "least_busy" else (priority, load)


def nearest_starts(
    question: Question, start: Minute, *, count: int, reach_minutes: int = ALTERNATIVES_REACH
) -> list[Minute]:
    """The open starts nearest to `start`, nearest first, within `reach_minutes` of it and within the months that the question holds."""
    starts = open_starts(question, Interval(start - reach_minutes, start + reach_minutes))
    return sorted(starts, key=lambda other: (abs(other - start), other))[:count]
