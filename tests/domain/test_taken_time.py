"""What takes a resource's time: sessions and holds with their buffers, and the events of the calendars that block it."""

from dataclasses import replace

import pytest

from functions.domain.availability.taken import blocks, occupations, taken_time, undisturbed
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold
from tests.domain.builders import CALENDAR, NOW, SESSION, occupation, resource, span, state

ENTRY = occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z", before=15, after=30)
NOON = span("2027-03-01T12:00Z", "2027-03-01T13:00Z")
HERS = span("2027-03-01T15:00Z", "2027-03-01T16:00Z")
ANNA = state(ENTRY, blocks={(CALENDAR, "ev1"): [NOON], ("hers", "ev2"): [HERS]})


def test_sessions_take_their_buffers_too_and_blocks_only_themselves() -> None:
    assert sorted(taken_time(ANNA, NOW)) == [span("2027-03-01T08:45Z", "2027-03-01T10:30Z"), NOON]


def test_calendars_that_do_not_block_the_resource_do_not_count() -> None:
    assert list(blocks(state(of=resource(blocked_by=()), blocks={(CALENDAR, "ev1"): [NOON]}))) == []


def test_a_session_that_moves_gives_up_its_time() -> None:
    assert list(taken_time(ANNA, NOW, without=SESSION)) == [NOON]


def test_a_hold_takes_time_until_it_lapses() -> None:
    held = state(replace(ENTRY, seats=0, holds={"form": Hold(seats=1, expires_at=NOW)}))
    assert list(occupations(held, NOW - 1)) == [SESSION]
    assert list(occupations(held, NOW)) == []


def test_a_scheduled_session_takes_time_though_nobody_has_booked_it() -> None:
    assert occupations(state(replace(ENTRY, seats=0)), NOW) == {}
    assert list(occupations(state(replace(ENTRY, seats=0, scheduled=True)), NOW)) == [SESSION]


def test_a_session_over_the_end_of_a_month_is_one() -> None:
    over_midnight = occupation("2027-03-31T23:00Z", "2027-04-01T01:00Z")
    assert list(taken_time(state(over_midnight), NOW)) == [over_midnight.taken]


@pytest.mark.parametrize(
    ("other", "disturbed"),
    [
        pytest.param("2027-03-01T10:30Z/2027-03-01T11:00Z", False, id="touching its clean-up"),
        pytest.param("2027-03-01T10:29Z/2027-03-01T11:00Z", True, id="into its clean-up"),
        pytest.param("2027-03-01T08:00Z/2027-03-01T08:45Z", False, id="until its preparation"),
        pytest.param("2027-03-01T08:00Z/2027-03-01T08:46Z", True, id="into its preparation"),
        pytest.param("2027-02-27T08:00Z/2027-03-03T08:46Z", True, id="over all of it"),
        pytest.param("2027-03-01T09:30Z/2027-03-01T09:31Z", True, id="inside it"),
        pytest.param("2027-03-01T09:30Z/2027-03-01T09:30Z", False, id="nothing at all inside it"),
    ],
)
def test_what_else_takes_a_sessions_time_disturbs_it(other: str, disturbed: bool) -> None:
    event = Interval(*span(*other.split("/")))
    early = span("2027-03-01T01:00Z", "2027-03-01T02:00Z")
    found = undisturbed(state(ENTRY, blocks={(CALENDAR, "ev1"): [event], (CALENDAR, "ev2"): [early]}), NOW)
    assert found == (frozenset() if disturbed else {SESSION})


def test_two_sessions_that_overlap_disturb_each_other() -> None:
    other = occupation("2027-03-01T10:15Z", "2027-03-01T11:00Z", session="other")
    apart = occupation("2027-03-01T11:00Z", "2027-03-01T12:00Z", session="apart")
    assert undisturbed(state(ENTRY, other, apart), NOW) == {"apart"}
    assert undisturbed(state(ENTRY, other, apart), NOW, without="other") == {SESSION, "apart"}
