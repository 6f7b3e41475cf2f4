"""A move in Google where the service's policy is not to follow it; what the host and the guests answered."""

from typing import Any

import pytest

from functions.domain.decision import Effect
from functions.domain.inbound import HOST_DECLINED, decide_inbound
from functions.domain.moved_event import MOVE_RULE, follow, put_back
from functions.domain.own_event import GOOGLE, Inbound, is_disputed
from functions.domain.session import Conflict, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import (
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    NOW,
    SESSION,
    apply,
    booking,
    contents,
    copy,
    ledger,
    rebuilt,
    service,
    spans,
    times,
    to_operators,
    together,
)
from tests.domain.inbound_situations import (
    ELEVEN,
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

ALL_DAY = {"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-02"}}
SERIES = {"recurrence": ["RRULE:FREQ=DAILY"]}
NO = {"attendees": [{"email": "anna@example.com", "self": True, "responseStatus": "declined"}]}
ASK, RESTORE = service(on_calendar_move="ask"), service(on_calendar_move="restore")
CANCEL = service(on_host_decline="cancel")
ASKED = ours(conflict=Conflict(reason=Obstacle.MOVED, since=1, calendar=CALENDAR, times=times(TEN)))


class TestRestore:
    def moved(self, **changes: Any) -> Inbound:
        return inbound(theirs(TEN, **changes), ours(), service=RESTORE)

    def test_the_session_stays_and_its_event_is_written_back(self) -> None:
        decision = decide_inbound(self.moved())
        after = session_after(decision, ours())
        assert (after.times, after.conflict, after.version) == (ours().times, None, 2)
        assert after.copies[CALENDAR] == copy(TEN, etag='"2"', written=1)
        assert decision.effects == (Effect(kind="push", subject=SESSION),)
        assert (decision.changes, bookings_after(decision)) == ((), [])

    def test_the_history_says_each_time_what_was_undone(self) -> None:
        (entry,) = decide_inbound(self.moved()).history
        assert (entry.what, entry.author) == ("session.restored", MOVE_RULE)
        assert (entry.before["start"], entry.after["start"]) == ("2027-03-01T10:00:00Z", "2027-03-01T09:00:00Z")

    def test_before_it_is_written_the_same_page_again_is_nothing(self) -> None:
        assert again(self.moved()).writes_nothing

    def test_a_day_is_put_back_too(self) -> None:  # case 107
        day = inbound(theirs(NINE, **ALL_DAY), ours(), service=RESTORE)
        assert [entry.what for entry in decide_inbound(day).history] == ["session.restored"]
        assert again(day).writes_nothing

    @pytest.mark.parametrize(
        ("event", "kept"),
        [
            pytest.param(theirs(TEN, **SERIES), ours(), id="a series, which no patch makes single"),  # case 107
            pytest.param(theirs(TEN), ours(PAST), id="a session that is over"),
        ],
    )
    @pytest.mark.parametrize("rules", [ASK, RESTORE])
    def test_what_it_can_not_undo_is_followed(self, event: Any, kept: Session, rules: Any) -> None:
        decision = decide_inbound(inbound(event, kept, service=rules))
        assert session_after(decision, kept).times == times(TEN)


class TestAsk:
    def test_the_session_stays_and_is_flagged(self) -> None:
        decision = decide_inbound(inbound(theirs(TEN), ours(), service=ASK))
        after = session_after(decision, ours())
        assert after.conflict == Conflict(reason="moved_in_calendar", since=NOW, calendar=CALENDAR, times=times(TEN))
        assert is_disputed(after, CALENDAR)
        assert (after.times, after.version, after.copies[CALENDAR].base) == (ours().times, 1, times(NINE))
        assert apply(rebuilt(ours()), decision.changes) == rebuilt(after)
        assert decision.effects == (to_operators(),)
        assert [(e.what, e.author) for e in decision.history] == [("session.conflicted", GOOGLE)]

    def test_once(self) -> None:
        assert again(inbound(theirs(TEN), ours(), service=ASK)).writes_nothing

    def test_moved_once_more_it_is_the_same_question_about_another_time(self) -> None:
        decision = decide_inbound(inbound(theirs(ELEVEN), ASKED, service=ASK))
        conflict = session_after(decision, ASKED).conflict
        assert conflict == Conflict(reason="moved_in_calendar", since=1, calendar=CALENDAR, times=times(ELEVEN))
        assert (len(decision.history), decision.effects) == (1, ())

    def test_moved_back_there_is_nothing_to_decide(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE), ASKED, service=ASK))
        assert session_after(decision, ASKED).conflict is None
        assert [entry.what for entry in decision.history] == ["session.supported"]
        assert decision.effects == ()

    @pytest.mark.parametrize("rules", [ASK, RESTORE, service()], ids=["moved back", "put back", "followed"])
    def test_what_is_missing_elsewhere_is_asked_once_this_is_decided(self, rules: Any) -> None:  # case 113
        second = copy(NINE, calendar="second", event="elsewhere", missing_since=1)
        kept = ASKED.model_copy(update={"copies": {**ASKED.copies, "second": second}})
        decision = decide_inbound(inbound(theirs(NINE if rules is ASK else TEN), kept, service=rules))
        assert session_after(decision, kept).conflict is None
        assert Effect(kind="settle", subject=SESSION) in decision.effects

    def test_its_own_disputed_block_stands_not_in_its_way(self) -> None:
        own = ledger(blocks={(CALENDAR, EVENT): spans(TEN)})
        decision = follow(inbound(theirs(TEN), ASKED, others=own), author=BY_OPERATOR)
        after = session_after(decision, ASKED)
        assert (after.times, after.conflict) == (times(TEN), None)
        assert contents(apply(together(own, rebuilt(ASKED)), decision.changes)) == together(own, rebuilt(after))
        assert {entry.author for entry in decision.history} == {BY_OPERATOR}
        assert Effect(kind="notify", subject="booking1", about="moved") in decision.effects

    def test_an_operator_may_have_it_put_back(self) -> None:
        decision = put_back(inbound(theirs(TEN), ASKED), author=BY_OPERATOR)
        after = session_after(decision, ASKED)
        assert (after.times, after.conflict, after.copies[CALENDAR].base) == (times(NINE), None, times(TEN))
        assert apply(rebuilt(ASKED), decision.changes) == rebuilt(after)
        assert [(e.what, e.author) for e in decision.history] == [("session.restored", BY_OPERATOR)]


class TestDeclinedByHost:  # case 110
    FLAGGED = ours(conflict=Conflict(reason=Obstacle.DECLINED, since=1, calendar=CALENDAR))

    def test_it_is_flagged_and_takes_its_time(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE, **NO), ours()))
        after = session_after(decision, ours())
        assert after.conflict == Conflict(reason="declined_by_host", since=NOW, calendar=CALENDAR)
        assert apply(rebuilt(ours()), decision.changes) == rebuilt(after)
        assert [(e.what, e.author, e.why) for e in decision.history] == [
            ("session.conflicted", GOOGLE, "declined_by_host")
        ]
        assert decision.effects == (to_operators(),)

    def test_once(self) -> None:
        assert again(inbound(theirs(NINE, **NO), ours())).writes_nothing

    def test_accepted_again_it_can_be_kept(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE), self.FLAGGED))
        assert session_after(decision, self.FLAGGED).conflict is None

    def test_the_policy_may_be_to_cancel_it(self) -> None:
        decision = decide_inbound(inbound(theirs(NINE, **NO), ours(), service=CANCEL))
        after = session_after(decision, ours())
        assert (after.status, after.reason, after.cancelled_by) == ("cancelled", HOST_DECLINED, "google")
        assert after.copy_pending  # its event is still to be deleted
        assert [(e.kind, e.about) for e in decision.effects] == [("push", None), ("notify", "cancelled")]
        assert again(inbound(theirs(NINE, **NO), ours(), service=CANCEL)).writes_nothing

    @pytest.mark.parametrize("rules", [service(), CANCEL])
    def test_what_an_operator_lives_with_is_neither_flagged_nor_cancelled(self, rules: Any) -> None:
        kept = ours(accepted=("declined_by_host",))
        decision = decide_inbound(inbound(theirs(NINE, **NO), kept, service=rules))
        after = session_after(decision, kept)
        assert (after.status, after.conflict, after.accepted) == ("open", None, ("declined_by_host",))
        assert decision.history == ()

    def test_until_the_host_changes_their_mind_and_declines_once_more(self) -> None:
        kept = ours(accepted=("declined_by_host",))
        after = session_after(decide_inbound(inbound(theirs(NINE), kept)), kept)
        assert after.accepted == ()


class TestGuests:
    SAID_NO = frozenset({CLIENT.key})

    def test_who_declined_is_noted_and_keeps_the_seat(self) -> None:  # case 111
        decision = decide_inbound(inbound(theirs(NINE), ours(), declined_by=self.SAID_NO))
        after = session_after(decision, ours())
        assert (after.status, after.seats) == ("open", {"booking1": 1})
        assert [each.declined_at for each in bookings_after(decision)] == [NOW]
        assert [(e.what, e.author, e.booking) for e in decision.history] == [("booking.declined", GOOGLE, "booking1")]
        assert (decision.changes, decision.effects) == ((), (to_operators("booking1", "declined"),))

    @pytest.mark.parametrize(
        "declined_by", [pytest.param(SAID_NO, id="again"), pytest.param(None, id="where it is not said")]
    )
    def test_no_news_changes_nothing(self, declined_by: frozenset[str] | None) -> None:  # case 111
        known = (booking(declined_at=1),)
        kept = ours(copies={CALENDAR: copy(NINE, etag='"2"', written=1)})
        assert decide_inbound(inbound(theirs(NINE), kept, bookings=known, declined_by=declined_by)).writes_nothing

    def test_who_comes_after_all_is_noted_too(self) -> None:
        known = (booking(declined_at=1),)
        decision = decide_inbound(inbound(theirs(NINE), ours(), bookings=known, declined_by=frozenset()))
        assert [each.declined_at for each in bookings_after(decision)] == [None]
        assert [entry.what for entry in decision.history] == ["booking.accepted"]
        assert decision.effects == ()

    def test_guests_whom_we_do_not_know_are_contacts_of_the_host(self) -> None:  # case 112
        kept = ours(copies={CALENDAR: copy(NINE, etag='"2"', written=1)})
        assert decide_inbound(inbound(theirs(NINE), kept, declined_by=frozenset({"stranger"}))).writes_nothing

    def test_with_a_move_both_are_told_and_the_answer_moves_along(self) -> None:
        decision = decide_inbound(inbound(theirs(TEN), ours(), declined_by=self.SAID_NO))
        (moved,) = bookings_after(decision)
        assert (moved.start, moved.declined_at) == (times(TEN).start, NOW)
        assert [entry.what for entry in decision.history] == ["session.moved", "booking.declined"]
