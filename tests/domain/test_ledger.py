"""The ledger's changes: every month that the time touches, buffers included, and never a month both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.ledger import LedgerChange, Occupation, enter, leave, ledger_id, move
from tests.domain.builders import (
    CALENDAR,
    SESSION,
    apply,
    contents,
    ledger,
    minute,
    months_touched,
    occupation,
    question,
    spans,
)

NEW_YEAR = minute("2028-01-01T00:00Z")


def occupations(session: str = SESSION) -> st.SearchStrategy[Occupation]:
    """Around a turn of year, so that months and years are crossed, with buffers up to two days."""
    return st.builds(
        lambda start, length, before, after: Occupation(
            session=session,
            service="cut",
            start=NEW_YEAR + start,
            end=NEW_YEAR + start + length,
            taken_from=NEW_YEAR + start - before,
            taken_until=NEW_YEAR + start + length + after,
        ),
        st.integers(-40 * 1440, 40 * 1440),
        st.integers(1, 7 * 1440),
        st.sampled_from([0, 5, 60, 2 * 1440]),
        st.sampled_from([0, 5, 60, 2 * 1440]),
    )


@pytest.mark.parametrize(
    ("taken", "months"),
    [
        pytest.param(occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z"), ["2027-03"], id="an hour within a month"),
        pytest.param(occupation("2027-03-31T23:00Z", "2027-04-01T00:00Z"), ["2027-03"], id="ending as the month ends"),
        pytest.param(
            occupation("2027-03-31T23:30Z", "2027-04-01T00:30Z"), ["2027-03", "2027-04"], id="over the end of a month"
        ),
        pytest.param(
            occupation("2027-03-31T23:00Z", "2027-04-01T00:00Z", after=1),
            ["2027-03", "2027-04"],
            id="only its clean-up in the next month",
        ),
        pytest.param(
            occupation("2027-04-01T00:00Z", "2027-04-01T01:00Z", before=1),
            ["2027-03", "2027-04"],
            id="only its preparation in the month before",
        ),
        pytest.param(occupation("2027-12-31T23:30Z", "2028-01-01T00:30Z"), ["2027-12", "2028-01"], id="over New Year"),
    ],
)
def test_a_session_stands_in_every_month_it_takes_time_of_at_every_resource(
    taken: Occupation, months: list[str]
) -> None:
    places = [(resource, month) for resource in ("anna", "room") for month in months]
    entered = enter(["anna", "room"], taken)
    assert [(change.resource, change.month) for change in entered] == places
    assert all(change.sessions == {SESSION: taken} for change in entered)
    left = leave(["anna", "room"], taken)
    assert [(change.resource, change.month) for change in left] == places
    assert all(change.sessions == {SESSION: None} for change in left)


@pytest.mark.parametrize(
    ("before", "after", "entries"),
    [
        pytest.param(
            ("2027-03-01T09:00Z", "2027-03-01T10:00Z"),
            ("2027-03-02T09:00Z", "2027-03-02T10:00Z"),
            {"2027-03": True},
            id="within a month, that month holds it",
        ),
        pytest.param(
            ("2027-03-01T09:00Z", "2027-03-01T10:00Z"),
            ("2027-05-02T09:00Z", "2027-05-02T10:00Z"),
            {"2027-03": False, "2027-05": True},
            id="to another month, the old one loses it",
        ),
        pytest.param(
            ("2027-03-31T23:30Z", "2027-04-01T00:30Z"),
            ("2027-04-01T00:00Z", "2027-04-01T01:00Z"),
            {"2027-03": False, "2027-04": True},
            id="off the end of a month",
        ),
        pytest.param(
            ("2027-03-31T22:00Z", "2027-03-31T23:00Z"),
            ("2027-03-31T23:30Z", "2027-04-01T00:30Z"),
            {"2027-03": True, "2027-04": True},
            id="onto the end of a month",
        ),
    ],
)
def test_a_move_makes_one_change_a_month(
    before: tuple[str, str], after: tuple[str, str], entries: dict[str, bool]
) -> None:
    old, new = occupation(*before), occupation(*after)
    changes = move(iter(["anna"]), old, new)
    assert {change.month: change.sessions[SESSION] for change in changes} == {
        month: new if holds else None for month, holds in entries.items()
    }


@given(occupations())
def test_entering_covers_exactly_the_months_of_its_minutes(taken: Occupation) -> None:
    assert [change.month for change in enter(["anna"], taken)] == months_touched(taken.taken)


@given(occupations())
def test_leaving_undoes_entering(taken: Occupation) -> None:
    other = occupation("2027-12-31T23:00Z", "2028-01-01T01:00Z", session="other")
    before = ledger(other)
    assert contents(apply(apply(before, enter(["anna"], taken)), leave(["anna"], taken))) == before


@given(occupations(), occupations())
def test_a_move_is_leaving_and_entering_and_names_no_month_twice(old: Occupation, new: Occupation) -> None:
    changes = move(["anna", "room"], old, new)
    places = [(change.resource, change.month) for change in changes]
    assert len(places) == len(set(places))
    before = apply({}, enter(["anna", "room"], old))
    assert contents(apply(before, changes)) == contents(apply({}, enter(["anna", "room"], new)))


@given(occupations("one"), occupations("other"))
def test_two_that_overlap_always_share_a_month(one: Occupation, other: Occupation) -> None:
    shared = {c.month for c in enter(["anna"], one)} & {c.month for c in enter(["anna"], other)}
    if one.taken.overlaps(other.taken):
        assert shared


def test_a_cleared_calendar_loses_its_blocks_and_nothing_else() -> None:
    entry = occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z")
    hour = spans("2027-03-01T12:00Z/2027-03-01T13:00Z")
    before = ledger(entry, blocks={(CALENDAR, "ev1"): hour, (CALENDAR, "ev2"): hour, ("hers", "ev3"): hour})
    cleared = apply(before, [LedgerChange(resource="anna", month="2027-03", cleared=frozenset({CALENDAR}))])
    assert cleared == ledger(entry, blocks={("hers", "ev3"): hour})


def test_a_months_id_names_resource_and_month() -> None:
    assert ledger_id("anna", "2027-03") == "anna/2027-03"


def test_a_question_is_asked_of_what_changes_leave() -> None:
    """Also in months that nothing stood in before, and without losing what stands in others."""
    there = occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z", session="there")
    new = occupation("2027-03-31T23:30Z", "2027-04-01T00:30Z", session="new")
    before = question(there)
    after = before.after(enter(["anna"], new))
    (state,) = after.states
    assert {(month.month, *month.sessions) for month in state.months} == {
        ("2027-03", "there", "new"),
        ("2027-04", "new"),
    }
    assert after.after(leave(["anna"], new)).states[0].months[0] == before.states[0].months[0]


def test_a_change_at_another_resource_is_no_matter() -> None:
    before = question(occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z"))
    changes = enter(["ben"], occupation("2027-03-01T11:00Z", "2027-03-01T12:00Z", session="bens"))
    assert before.after(changes) == before
