"""Sessions that run already and have seats left: others join them, at their very start. An event's sessions are offered in no other way."""

from bisect import bisect_right
from collections.abc import Iterable, Set
from dataclasses import dataclass

from functions.domain.availability.bounds import Bounds
from functions.domain.availability.question import Candidate, Closed, Question
from functions.domain.availability.taken import occupations, undisturbed
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import Occupation
from functions.domain.openings import openings


@dataclass(frozen=True)
class Stretches:
    """The time in which a resource is open without a break, for asking often."""

    intervals: list[Interval]

    @classmethod
    def of(cls, candidate_openings: Iterable[Interval]) -> "Stretches":
        return cls(merge(candidate_openings))

    def hold(self, session: Interval) -> bool:
        place = bisect_right(self.intervals, session.start, key=lambda interval: interval.start)
        return place > 0 and session.end <= self.intervals[place - 1].end


def seats_open(question: Question, entry: Occupation) -> int:
    return entry.seats_open(question.now, from_waitlist=question.from_waitlist)


def running(question: Question, candidate: Candidate) -> dict[str, Occupation]:
    """The sessions that could be joined if they had seats: this service's, of the length asked for, at all the candidate's resources."""
    service, everywhere = (
        question.service,
        [occupations(s, question.now, without=question.moving) for s in candidate.states],
    )
    lead, others = everywhere[0], everywhere[1:]
    return {
        session: entry
        for session, entry in lead.items()
        if entry.service == service.id
        and all(session in other for other in others)
        and (
            (entry.scheduled and question.duration in (None, entry.end - entry.start))
            if service.kind == "event"
            else entry.end - entry.start == question.length
        )
    }


def joinable(
    question: Question, candidate: Candidate, bounds: Bounds, *, within: Interval, ignoring: Set[Closed]
) -> list[Occupation]:
    """Those that have the seats asked for and that nothing stands in the way of."""
    starts = Interval(max(bounds.starts.start, within.start), min(bounds.starts.end, within.end))
    found = [
        entry
        for entry in running(question, candidate).values()
        if starts.start <= entry.start < starts.end
        and entry.taken_until <= bounds.known_until
        and (Closed.CLOSED in ignoring or not entry.closed)
        and (Closed.FULL in ignoring or seats_open(question, entry) >= question.seats)
    ]
    if found and Closed.BUSY not in ignoring:
        for state in candidate.states:
            clear = undisturbed(state, question.now, without=question.moving)
            found = [entry for entry in found if entry.session in clear]
    if found and question.service.kind == "appointment":
        reach = Interval(min(e.start for e in found), max(e.end for e in found))
        for state in candidate.states:
            stretches = Stretches.of(openings(state.resource.hours, reach))
            found = [entry for entry in found if stretches.hold(Interval(entry.start, entry.end))]
    return found
