"""What the booking function reads for a question is enough: with every ledger month there is, the answer would be the same."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hypothesis import given

from functions.adapters.store.documents import ledger_ref
from functions.adapters.store.reading import Wanted, read_service
from functions.domain.availability import Question, open_starts
from functions.domain.configuration import Resource, Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.intervals import Interval
from tests.domain.questions import questions


@dataclass
class Memory:
    """What a reader reads, without a database. `round_trips` counts how often it had to go and look."""

    documents: dict[AnyRef, Any]
    account: str
    seen: set[AnyRef] = field(default_factory=set)
    round_trips: int = 0

    def load(self, *refs: AnyRef) -> None:
        wanted = set(refs) - self.seen
        self.round_trips += bool(wanted)
        self.seen |= wanted

    def get(self, ref: AnyRef) -> Any:
        self.load(ref)
        return self.documents.get(ref)


def everything(question: Question) -> dict[AnyRef, Any]:
    months = {ledger_ref(s.resource.id, m.month): m for s in question.states for m in s.months}
    resources = {Ref(Resource, s.resource.id): s.resource for s in question.states}
    return {Ref(Service, question.service.id): question.service, **resources, **months}


ACCOUNTS = (f"studio{number}" for number in count())  # of which nothing is remembered


def read(question: Question, within: Interval, account: str) -> tuple[Question, int]:
    """The question as the booking function would ask it, and how many round trips that took."""
    memory = Memory(everything(question), account)
    wanted = Wanted(service=question.service.id, start=within.start, end=within.end)
    found = read_service(memory, wanted, now=question.now, stale_after=1)  # type: ignore[arg-type]
    known = {state.resource.id: state.known_until for state in question.states}
    states = tuple(replace(state, known_until=known[state.resource.id]) for state in found.states)
    return replace(question, states=states), memory.round_trips


@given(questions())
def test_what_is_read_is_enough(asked: tuple[Question, Interval]) -> None:
    question, within = asked
    as_read, _ = read(question, within, next(ACCOUNTS))
    assert open_starts(as_read, within) == open_starts(question, within)


@given(questions())
def test_the_second_time_one_round_trip_is_enough(asked: tuple[Question, Interval]) -> None:
    question, within = asked
    account = next(ACCOUNTS)
    read(question, within, account)
    again, round_trips = read(question, within, account)
    assert round_trips == 1
    assert open_starts(again, within) == open_starts(question, within)
