"""An event of ours that somebody deleted in Google: its session is cancelled, once, and only what was still to come."""

import pytest

from functions.domain.decision import Effect
from functions.domain.inbound import CALENDAR_DELETE, GOOGLE, decide_inbound
from functions.domain.session import Session
from tests.domain.builders import CALENDAR, SESSION, apply, booking, contents, millis, rebuilt, row, together, tombstone
from tests.domain.inbound_situations import (
    EVENT,
    OTHER_AT_TEN,
    PAST,
    again,
    bookings_after,
    inbound,
    ours,
    session_after,
)


class TestDeleted:
    GONE = row(tombstone(EVENT), session=SESSION)

    def test_a_session_to_come_is_cancelled_with_that_reason(self) -> None:  # case 100
        decision = decide_inbound(inbound(self.GONE, ours()))
        after = session_after(decision, ours())
        assert (after.status, after.cancelled_by, after.reason) == ("cancelled", "google", CALENDAR_DELETE)
        assert (after.seats, after.version) == ({}, 2)
        (sold,) = bookings_after(decision)
        assert (sold.status, sold.cancelled_by, sold.reason) == ("cancelled", "google", CALENDAR_DELETE)
        assert decision.effects == (
            Effect(kind="notify", subject="booking1", about="cancelled"),
            Effect(kind="freed", subject="anna"),
        )

    def test_its_time_is_free_and_only_its(self) -> None:  # case 100
        decision = decide_inbound(inbound(self.GONE, ours(), others=OTHER_AT_TEN))
        before = together(OTHER_AT_TEN, rebuilt(ours()))
        assert contents(apply(before, decision.changes)) == OTHER_AT_TEN

    def test_google_is_the_author_of_every_cancelled_booking(self) -> None:
        kept = ours(seats={"booking1": 1, "booking2": 2})
        decision = decide_inbound(inbound(self.GONE, kept))
        assert [(e.what, e.author, e.booking, e.why) for e in decision.history] == [
            ("booking.cancelled", GOOGLE, each, CALENDAR_DELETE) for each in ("booking1", "booking2")
        ]
        assert [(e.before, e.after) for e in decision.history] == [
            ({"status": "confirmed"}, {"status": "cancelled"})
        ] * 2

    def test_the_history_says_what_a_booking_was_before(self) -> None:
        held = inbound(self.GONE, ours(), bookings=(booking(status="held"),))
        (entry,) = decide_inbound(held).history
        assert (entry.before, entry.after) == ({"status": "held"}, {"status": "cancelled"})

    def test_it_is_not_made_again_and_there_is_nothing_to_write(self) -> None:
        after = session_after(decide_inbound(inbound(self.GONE, ours())), ours())
        assert after.copies[CALENDAR].gone
        assert not after.copy_pending

    def test_a_session_that_is_over_keeps_its_history_and_nobody_is_told(self) -> None:  # case 101
        decision = decide_inbound(inbound(self.GONE, ours(PAST)))
        after = session_after(decision, ours(PAST))
        assert (after.status, after.seats) == ("open", {"booking1": 1})
        assert after.copies[CALENDAR].gone
        assert (decision.changes, decision.history, decision.effects, bookings_after(decision)) == ((), (), (), [])

    def test_a_session_that_goes_on_is_cancelled(self) -> None:
        running = inbound(self.GONE, ours(), now=millis("2027-03-01T09:59:59Z"))
        assert session_after(decide_inbound(running), ours()).status == "cancelled"

    def test_what_we_deleted_ourselves_is_only_noted(self) -> None:  # case 115
        kept = ours(status="cancelled", seats={}, version=2)
        decision = decide_inbound(inbound(self.GONE, kept))
        assert session_after(decision, kept).copies[CALENDAR].gone
        assert not session_after(decision, kept).copy_pending
        assert (decision.changes, decision.history, decision.effects) == ((), (), ())

    @pytest.mark.parametrize(
        "kept",
        [
            pytest.param(ours(), id="to come"),
            pytest.param(ours(PAST), id="over"),
            pytest.param(ours(status="cancelled", seats={}), id="cancelled"),
        ],
    )
    def test_the_same_tombstone_again_changes_nothing(self, kept: Session) -> None:  # case 42
        assert again(inbound(self.GONE, kept)).writes_nothing
