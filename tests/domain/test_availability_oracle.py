"""The engine against an oracle that goes minute by minute: for generated questions, every rule, every kind of answer."""

from collections import Counter
from dataclasses import replace

from hypothesis import Phase, given, settings

from functions.domain.availability import Choice, Question, explain, offers, open_starts
from functions.domain.instants import Minute
from functions.domain.intervals import Interval
from tests.domain import oracles
from tests.domain.questions import questions

Asked = tuple[Question, Interval]
# What lines of code a failure has in common says little of an engine, and takes minutes to find out.
WITHOUT_EXPLANATION = settings(phases=set(Phase) - {Phase.explain})
EXPLAINED = 100  # minutes of an example, enough to see starts, and what lies between and around them


@WITHOUT_EXPLANATION
@given(questions())
def test_what_is_open_is_what_the_oracle_says_minute_by_minute(asked: Asked) -> None:
    question, within = asked
    expected = oracles.open_starts(question, within)
    assert list(open_starts(question, within)) == expected
    assert [offer.start for offer in offers(question, within)] == expected


@WITHOUT_EXPLANATION
@given(questions())
def test_a_start_is_open_just_where_nothing_explains_why_not(asked: Asked) -> None:
    question, within = asked
    starts = oracles.open_starts(question, within)
    first = max(within.start, starts[0] - EXPLAINED // 2) if starts else within.start
    for start in range(first, min(within.end, first + EXPLAINED)):
        assert (explain(question, start) == ()) == (start in starts), start


@WITHOUT_EXPLANATION
@given(questions())
def test_an_offer_names_everyone_who_could_serve_it_with_the_seats_that_are_left(asked: Asked) -> None:
    question, within = asked
    for offer in offers(question, within)[:8]:
        served = [choice.resources for choice in offer.choices]
        assert len(set(served)) == len(served)
        assert set(served) == _who_is_open(question, offer.start)
        for choice in offer.choices:
            assert _runs(question, choice, offer.start)
            chosen = _chosen(question, choice.resources)
            assert not oracles.closed(replace(chosen, seats=choice.seats_left), offer.start)
            assert oracles.closed(replace(chosen, seats=choice.seats_left + 1), offer.start)


def _chosen(question: Question, resources: tuple[str, ...]) -> Question:
    return question if question.service.assignment == "all" else replace(question, resource=resources[0])


def _who_is_open(question: Question, start: Minute) -> set[tuple[str, ...]]:
    names = tuple(state.resource.id for state in question.states)
    if question.service.assignment == "all":
        return {names}
    asked = [(name,) for name in names if question.resource in (None, name)]
    return {each for each in asked if not oracles.closed(_chosen(question, each), start)}


def _runs(question: Question, choice: Choice, start: Minute) -> bool:
    """A session that is to be joined stands just there in every ledger; a new one is as long as was asked."""
    if choice.session is None:
        return choice.end == start + question.length
    ledgers = [state.months for state in question.states if state.resource.id in choice.resources]
    sessions = [{(s.session, s.start, s.end) for month in each for s in month.sessions.values()} for each in ledgers]
    return all((choice.session, start, choice.end) in each for each in sessions)


def test_the_questions_are_worth_asking() -> None:
    """Many have an answer, and rules of all kinds are at times the only one that closes a start."""
    seen: Counter[str] = Counter()

    @settings(max_examples=100, derandomize=True)
    @given(questions())
    def count(asked: Asked) -> None:
        question, within = asked
        found = [choice for offer in offers(question, within) for choice in offer.choices]
        seen.update(
            oracles.rules_that_close_alone(question, range(within.start, min(within.end, within.start + 480), 15))
        )
        seen.update(
            {"asked", *(["open"] if found else []), *(["joined"] if any(each.session for each in found) else [])}
        )

    count()
    assert seen["open"] > seen["asked"] / 4
    assert seen["joined"] > seen["asked"] / 40
    assert sum(seen[rule] > 0 for rule in oracles.RULES) > len(oracles.RULES) / 4, seen
