"""An event of ours that its calendar says is deleted: what a pull makes of it is a note and a question, never more."""

import pytest

from functions.domain.decision import Effect
from functions.domain.inbound import decide_inbound
from functions.domain.session import Conflict, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import CALENDAR, NOW, SESSION, copy, millis, row, times, tombstone
from tests.domain.inbound_situations import (
    EVENT,
    NINE,
    PAST,
    TEN,
    again,
    bookings_after,
    inbound,
    ours,
    session_after,
    theirs,
)

GONE = row(tombstone(EVENT), session=SESSION)
MISSING = ours(copies={CALENDAR: copy(NINE, written=1, missing_since=NOW - 1)})


class TestDeleted:
    @pytest.mark.parametrize("at", ["2027-02-28T09:00:00Z", "2027-03-01T09:59:59Z"])
    def test_a_session_that_is_not_over_is_asked_about(self, at: str) -> None:  # case 113
        decision = decide_inbound(inbound(GONE, ours(), now=millis(at)))
        after = session_after(decision, ours())
        assert (after.status, after.seats, after.version) == ("open", {"booking1": 1}, 1)
        assert after.copies[CALENDAR].missing_since == millis(at)
        assert decision.effects == (Effect(kind="settle", subject=SESSION),)
        assert (decision.changes, decision.history, bookings_after(decision)) == ((), (), [])

    def test_a_session_that_is_over_keeps_its_history_and_nobody_is_told(self) -> None:  # case 101
        decision = decide_inbound(inbound(GONE, ours(PAST)))
        after = session_after(decision, ours(PAST))
        assert (after.status, after.seats) == ("open", {"booking1": 1})
        assert after.copies[CALENDAR].gone
        assert (decision.changes, decision.history, decision.effects, bookings_after(decision)) == ((), (), (), [])

    def test_what_was_to_be_deleted_is_only_noted_and_looked_for_elsewhere(self) -> None:  # cases 113 and 115
        kept = ours(status="cancelled", seats={}, version=2)
        decision = decide_inbound(inbound(GONE, kept))
        assert session_after(decision, kept).copies[CALENDAR].gone
        assert session_after(decision, kept).copy_pending
        assert (decision.changes, decision.history) == ((), ())
        assert decision.effects == (Effect(kind="push", subject=SESSION),)

    @pytest.mark.parametrize(
        "kept",
        [
            pytest.param(ours(), id="to come"),
            pytest.param(ours(PAST), id="over"),
            pytest.param(ours(status="cancelled", seats={}), id="cancelled"),
            pytest.param(MISSING, id="missing already"),
        ],
    )
    def test_the_same_tombstone_again_changes_nothing(self, kept: Session) -> None:  # case 42
        assert again(inbound(GONE, kept)).writes_nothing


class TestBackBeforeAnythingWasDecided:  # case 102
    def test_it_is_missing_no_more_and_nobody_is_told(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE), MISSING))
        after = session_after(decision, MISSING)
        assert after.copies[CALENDAR].missing_since is None
        assert (decision.changes, decision.history, decision.effects, bookings_after(decision)) == ((), (), (), [])

    def test_what_waited_to_be_written_is_written_now(self) -> None:
        kept = MISSING.model_copy(update={"version": 2})
        assert decide_inbound(inbound(theirs(NINE), kept)).effects == (Effect(kind="push", subject=SESSION),)

    def test_the_question_is_not_asked_any_more(self) -> None:
        asked = MISSING.model_copy(update={"conflict": Conflict(reason=Obstacle.DELETED, since=1, calendar=CALENDAR)})
        decision = decide_inbound(inbound(theirs(NINE), asked))
        assert session_after(decision, asked).conflict is None
        assert [entry.what for entry in decision.history] == ["session.supported"]
        assert decision.effects == ()

    def test_at_another_time_it_has_moved(self) -> None:  # case 103
        decision = decide_inbound(inbound(theirs(TEN), MISSING))
        after = session_after(decision, MISSING)
        assert (after.times, after.copies[CALENDAR].missing_since) == (ours(TEN).times, None)


def test_that_another_event_of_it_is_missing_is_still_asked_where_it_follows_this_one() -> None:  # cases 103 and 113
    second = copy(NINE, calendar="second", event="elsewhere", missing_since=NOW - 1)
    asked = Conflict(reason="deleted_in_calendar", since=NOW - 1, calendar="second")
    kept = ours(copies={**ours().copies, "second": second}, conflict=asked)
    after = session_after(decide_inbound(inbound(theirs(TEN), kept)), kept)
    assert (after.times, after.conflict) == (times(TEN), asked)
