"""The inbox: which choices there are for which reason, and what they do to the session; and events that were brought back."""

from typing import Any

import pytest

from functions.domain.brought_back import (
    BROUGHT_BACK,
    book_again,
    cancelled_by_the_delete,
    delete_again,
    may_be_brought_back,
    note_brought_back,
)
from functions.domain.decision import Effect
from functions.domain.errors import ChoiceNotOffered, IllegalMove, StartClosed, TimeTaken
from functions.domain.ledger import LedgerChange
from functions.domain.missing_event import CALENDAR_DELETE
from functions.domain.own_event import GOOGLE, event_is_ours
from functions.domain.resolving import (
    IN_WORDS,
    WHAT_IT_DOES,
    Choice,
    choices_for,
    keep,
    must_be_offered,
)
from functions.domain.roster import Roster
from functions.domain.session import Client, Conflict, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import (
    BY_OPERATOR,
    CALENDAR,
    NOW,
    SESSION,
    apply,
    booking,
    copy,
    ledger,
    millis,
    question,
    rebuilt,
    resource,
    row,
    service,
    spans,
    times,
    to_operators,
    together,
    tombstone,
)
from tests.domain.inbound_situations import EVENT, NINE, PAST, TEN, ours, theirs

REASONS = (*Obstacle, BROUGHT_BACK)


def conflicted(reason: str, at: str = NINE, **changes: Any) -> Session:
    conflict = Conflict(reason=reason, since=1, calendar=CALENDAR, times=times(TEN))
    return ours(at, **{"conflict": conflict, "status": "cancelled" if reason == BROUGHT_BACK else "open"} | changes)


@pytest.mark.parametrize("reason", REASONS)
class TestEveryReason:
    def test_has_plain_words_and_choices_that_say_what_they_do(self, reason: str) -> None:
        assert IN_WORDS[reason].endswith(".")
        choices = choices_for(conflicted(reason), NOW)
        assert len(choices) >= 2
        assert all(WHAT_IT_DOES[choice] for choice in choices)

    def test_what_is_not_offered_is_refused_with_what_is(self, reason: str) -> None:
        offered = choices_for(conflicted(reason), NOW)
        for choice in Choice:
            if choice in offered:
                must_be_offered(conflicted(reason), choice, NOW)
                continue
            with pytest.raises(ChoiceNotOffered) as refused:
                must_be_offered(conflicted(reason), choice, NOW)
            assert refused.value.extra == {"choices": list(offered)}

    def test_once_it_is_over_it_can_only_be_let_be(self, reason: str) -> None:
        later = millis("2027-03-01T10:00:00Z")
        assert choices_for(conflicted(reason), later) == ((Choice.LEAVE,) if reason == BROUGHT_BACK else (Choice.KEEP,))


def test_of_a_session_in_no_conflict_there_is_nothing_to_decide() -> None:
    with pytest.raises(ChoiceNotOffered) as refused:
        must_be_offered(ours(), Choice.KEEP, NOW)
    assert refused.value.extra == {"choices": []}


class TestKeep:
    def kept(self, before: Session, *bookings: Any) -> tuple[Any, Session]:
        decision = keep(Roster(session=before, bookings=bookings), author=BY_OPERATOR)
        return decision, decision.answer.session

    @pytest.mark.parametrize("reason", list(Obstacle))
    def test_it_is_accepted_and_the_ledger_says_so_too(self, reason: str) -> None:
        before = conflicted(reason)
        decision, after = self.kept(before)
        assert after.conflict is None
        assert reason in after.accepted
        assert (after.times, after.seats, after.status) == (before.times, before.seats, "open")
        assert apply(rebuilt(before), decision.changes) == rebuilt(after)
        assert [(e.what, e.author, e.before) for e in decision.history] == [
            ("session.accepted", BY_OPERATOR, {"conflict": reason})
        ]
        assert decision.effects == (Effect(kind="recalculate", subject="anna"),)

    @pytest.mark.parametrize(("reason", "also"), [("recurring", "taken"), ("all_day", "outside_hours")])
    def test_what_follows_of_itself_is_accepted_with_it(self, reason: str, also: str) -> None:
        assert self.kept(conflicted(reason))[1].accepted == (reason, also)

    def test_without_its_event_it_goes_on_without_one(self) -> None:
        missing = conflicted(Obstacle.DELETED, copies={CALENDAR: copy(NINE, written=1, missing_since=1)})
        after = self.kept(missing)[1].copies[CALENDAR]
        assert (after.gone, after.missing_since) == (True, None)

    def test_what_waited_to_be_written_until_it_was_decided_is_written(self) -> None:
        waits = {CALENDAR: copy(NINE, written=1), "second": copy(NINE, calendar="second", written=1)}
        decision, after = self.kept(conflicted(Obstacle.MOVED, copies=waits, version=2))
        assert after.copy_pending
        assert Effect(kind="push", subject=SESSION) in decision.effects

    def test_who_had_no_seat_has_one_of_those_that_there_are_not(self) -> None:
        late = booking(conflict=Conflict(reason="over_capacity", since=1))
        decision, _ = self.kept(conflicted(Obstacle.OVER_CAPACITY), late)
        assert [each.conflict for each in decision.answer.bookings] == [None]
        assert [entry.what for entry in decision.history] == ["session.accepted", "booking.supported"]

    def test_a_cancelled_session_takes_no_time_by_it(self) -> None:
        decision, after = self.kept(conflicted(BROUGHT_BACK))
        assert (after.status, after.accepted, decision.changes, decision.effects) == (
            "cancelled",
            (BROUGHT_BACK,),
            (),
            (),
        )


DELETED = ours(
    status="cancelled",
    cancelled_by="google",
    reason=CALENDAR_DELETE,
    seats={},
    version=2,
    copies={CALENDAR: copy(NINE, written=2, gone=True)},
)
ASKED = DELETED.model_copy(
    update={"conflict": Conflict(reason=BROUGHT_BACK, since=1, calendar=CALENDAR, times=times(NINE))}
)
KIM = booking(status="cancelled", cancelled_by="google", reason=CALENDAR_DELETE)


class TestBroughtBack:  # case 102
    @pytest.mark.parametrize(
        ("kept", "expected"),
        [
            pytest.param(DELETED, True, id="cancelled because of the delete"),
            pytest.param(DELETED.model_copy(update={"reason": "ill"}), False, id="for another reason"),
            pytest.param(DELETED.model_copy(update={"cancelled_by": "client"}), False, id="by somebody else"),
            pytest.param(ours(), False, id="open"),
        ],
    )
    def test_only_what_the_delete_has_ended(self, kept: Session, *, expected: bool) -> None:
        assert may_be_brought_back(EVENT, CALENDAR, kept) is expected
        assert not may_be_brought_back("another", CALENDAR, kept)
        assert not may_be_brought_back(EVENT, "second", kept)

    def test_somebody_is_asked_once(self) -> None:
        decision = note_brought_back(DELETED, theirs(NINE), times(NINE), NOW)
        (after,) = decision.documents
        assert isinstance(after, Session)
        assert after.conflict == Conflict(reason=BROUGHT_BACK, since=NOW, calendar=CALENDAR, times=times(NINE))
        assert (after.status, decision.effects, decision.changes) == ("cancelled", (to_operators(),), ())
        assert [(e.what, e.author) for e in decision.history] == [("session.brought_back", GOOGLE)]
        assert note_brought_back(after, theirs(NINE), times(NINE), NOW + 1).writes_nothing

    def test_deleted_once_more_there_is_nothing_to_decide(self) -> None:
        decision = note_brought_back(ASKED, row(tombstone(EVENT)), None, NOW)
        (after,) = decision.documents
        assert isinstance(after, Session)
        assert after.conflict is None
        assert [entry.what for entry in decision.history] == ["session.supported"]

    @pytest.mark.parametrize(
        ("kept", "at"),
        [
            pytest.param(DELETED, PAST, id="what is past"),
            pytest.param(
                DELETED.model_copy(update={"accepted": (BROUGHT_BACK,)}), NINE, id="what was left to its owner"
            ),
        ],
    )
    def test_nobody_is_asked_about(self, kept: Session, at: str) -> None:
        assert note_brought_back(kept, theirs(at), times(at), NOW).writes_nothing

    def test_only_who_was_cancelled_by_the_delete_can_be_booked_again(self) -> None:
        others = (
            booking(status="cancelled", cancelled_by="client", reason="ill"),
            booking(),
            KIM.model_copy(update={"client": Client()}),
        )
        assert cancelled_by_the_delete((KIM, *others)) == (KIM,)


OWN = {(CALENDAR, EVENT): spans(NINE)}
WITHOUT_OWN = (LedgerChange(resource="anna", month="2027-03", blocks=dict.fromkeys(OWN)),)


class TestBookedAgain:  # case 102
    def again(self, *bookings: Any, at: str = NINE, blocks: Any = None, now: int = NOW) -> Any:
        asked = question(asked=service(), of=resource(), blocks=OWN | (blocks or {}), now=now)
        roster = Roster(session=ASKED, bookings=bookings)
        return book_again(roster, times(at), theirs(at), asked, own=WITHOUT_OWN, author=BY_OPERATOR)

    def test_session_and_bookings_live_and_the_client_is_told(self) -> None:
        decision = self.again(KIM)
        after, (alive,) = decision.answer.session, decision.answer.bookings
        assert (after.status, after.seats, after.conflict, after.reason) == ("open", {"booking1": 1}, None, None)
        assert (alive.status, alive.cancelled_by, alive.reason) == ("confirmed", None, None)
        assert event_is_ours(EVENT, CALENDAR, after)
        assert decision.effects == (
            Effect(kind="push", subject=SESSION),
            Effect(kind="notify", subject="booking1", about="confirmed"),
        )
        assert [(e.what, e.author) for e in decision.history] == [
            ("session.rebooked", BY_OPERATOR),
            ("booking.confirmed", BY_OPERATOR),
        ]

    def test_in_the_ledger_it_stands_for_its_event(self) -> None:
        decision = self.again(KIM)
        after = apply(ledger(blocks=OWN), decision.changes)
        assert together(after) == rebuilt(decision.answer.session)

    def test_at_the_time_that_the_event_has_by_now(self) -> None:
        assert self.again(KIM, at=TEN).answer.session.times == times(TEN)

    def test_not_onto_something_else(self) -> None:
        with pytest.raises(TimeTaken):
            self.again(KIM, blocks={(CALENDAR, "dentist"): spans(NINE)})

    def test_not_in_the_past(self) -> None:
        with pytest.raises(StartClosed):
            self.again(KIM, now=millis("2027-03-01T09:00:00Z"))

    def test_not_with_nobody_in_it(self) -> None:
        with pytest.raises(IllegalMove):
            self.again()


def test_an_unwanted_event_is_deleted_again() -> None:  # case 102
    decision = delete_again(ASKED, CALENDAR, author=BY_OPERATOR)
    (after,) = decision.documents
    assert isinstance(after, Session)
    assert (after.status, after.conflict, after.copy_pending) == ("cancelled", None, True)
    assert event_is_ours(EVENT, CALENDAR, after)
    assert decision.effects == (Effect(kind="push", subject=SESSION),)
