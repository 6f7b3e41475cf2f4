"""What a commit keeps of its changes, and that no change goes without a history entry about it (law 9)."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from functions.adapters.store.encoding import ref_of
from functions.adapters.store.history import ForgottenHistory, history_records, record_id
from functions.adapters.store.records import HistoryRecord
from functions.domain.appointments import book, cancel
from functions.domain.attendance import note_attendance
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.holding import ask, confirm, hold, lapse
from functions.domain.inbound import decide_inbound
from functions.domain.instants import MINUTE_MS
from functions.domain.ledger import Hold
from functions.domain.missing_event import decide_missing
from functions.domain.model import Document
from functions.domain.session import Booking, Session
from functions.domain.state_changes import difference, state_of, subject_of
from tests.domain.builders import (
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    NOW,
    SESSION,
    booking,
    copy,
    minute,
    question,
    request,
    seating,
    service,
    session,
)
from tests.domain.inbound_situations import NINE as NINE_
from tests.domain.inbound_situations import TEN, inbound, ours, theirs
from tests.domain.test_missing_event import lost, missing

Case = tuple[Decision[Any], Iterable[Document]]


def records(decision: Decision[Any], before: Iterable[Document] = ()) -> list[HistoryRecord]:
    known = {ref_of(document): document for document in before}
    return history_records(decision, known.get, commit_id="c", now=NOW)


def entry(what: str, **about: Any) -> HistoryEntry:
    return HistoryEntry(what=what, author=BY_OPERATOR, **about)


class TestWhatIsKept:
    OLD, SOLD = session(), booking()
    MOVED = OLD.moved_to(OLD.start + 60, OLD.end + 60, at=NOW)
    SEATED = SOLD.model_copy(update={"start": SOLD.start + 60})

    def test_each_thing_is_kept_with_the_first_entry_about_it(self) -> None:
        history = (
            entry("resource.changed", resource="anna"),
            entry("session.moved", session=SESSION),
            entry("booking.moved", session=SESSION, booking="booking1"),
            entry("booking.told", session=SESSION, booking="booking1"),
        )
        decision = Decision(answer=None, documents=(self.MOVED, self.SEATED), history=history)
        assert [record.state for record in records(decision, [self.OLD, self.SOLD])] == [
            {},
            {"session": difference(state_of(self.OLD), state_of(self.MOVED))},
            {"booking": {"start": self.SEATED.start}},
            {},
        ]

    def test_one_entry_may_be_about_a_session_and_a_booking(self) -> None:
        decision = Decision(
            answer=None,
            documents=(self.MOVED, self.SEATED),
            history=(entry("session.moved", session=SESSION, booking="booking1"),),
        )
        (record,) = records(decision, [self.OLD, self.SOLD])
        assert record.state.keys() == {"session", "booking"}

    def test_what_is_new_is_kept_whole(self) -> None:
        (record,) = records(Decision(answer=None, documents=(self.OLD,), history=(entry("made", session=SESSION),)))
        assert record.state == {"session": state_of(self.OLD)}

    def test_the_ids_of_one_commit_sort_as_its_entries_do(self) -> None:
        history = tuple(entry(f"step {number}") for number in range(30))
        kept = records(Decision(answer=None, history=history))
        assert [record.id for record in kept] == sorted(record.id for record in kept)
        assert kept[0].id == record_id("c", 0)


class TestForgotten:
    OTHER = (entry("session.moved", session="another"), entry("resource.changed", resource="anna"))

    @pytest.mark.parametrize("history", [(), OTHER], ids=["no history", "only of other things"])
    @pytest.mark.parametrize("before", [None, session()], ids=["new", "changed"])
    def test_a_change_that_no_entry_is_about_is_refused(
        self, before: Session | None, history: tuple[HistoryEntry, ...]
    ) -> None:
        decision = Decision(answer=None, documents=(session(closed=True),), history=history)
        with pytest.raises(ForgottenHistory, match=rf"sessions/{SESSION} changes \(.*closed.*\)"):
            records(decision, [before] if before else [])

    def test_it_says_which_fields_and_not_what_is_in_them(self) -> None:
        decision = Decision(answer=None, documents=(booking(reason="a secret"),))
        with pytest.raises(ForgottenHistory) as error:
            records(decision, [booking()])
        assert str(error.value) == "bookings/booking1 changes (reason); no history entry has it as booking"

    def test_what_the_sync_notes_needs_no_entry(self) -> None:
        noted = session(copies={CALENDAR: copy(written=1)})
        assert records(Decision(answer=None, documents=(noted,)), [session()]) == []

    @pytest.mark.parametrize("type_", [Session, Booking])
    def test_such_things_are_not_deleted(self, type_: type[Document]) -> None:
        with pytest.raises(ForgottenHistory, match="is deleted"):
            records(Decision(answer=None, deletions=(Ref(type_, "one"),)))


NINE = minute("2027-03-01T09:00Z")
HELD = booking(status="held", expires_at=NOW + 1)
HOLDING = session(seats={}, holds={"booking1": Hold(seats=1, expires_at=NOW + 1)})
BY_CONFIRMATION = service(confirmation="operator")


def _confirmed(by: Author, asked: Any) -> Decision[Any]:
    return confirm(HELD, HOLDING, client=CLIENT, notes=None, question=asked, author=by)


def _missing(kept: Session, rule: str) -> Case:
    situation = missing(kept, on_calendar_delete=rule)
    return decide_missing(situation), (kept, *situation.bookings)


def _inbound(event: Any, kept: Session, **changes: Any) -> Case:
    situation = inbound(event, kept, **changes)
    return decide_inbound(situation), (kept, *situation.bookings)


DECISIONS: dict[str, Callable[[], Case]] = {
    "a booking": lambda: (book(request(NINE), seating(question(), NINE), author=BY_CLIENT), ()),
    "a hold": lambda: (hold(request(NINE), seating(question(), NINE), author=BY_CLIENT), ()),
    "a request": lambda: (ask(request(NINE), seating(question(), NINE), author=BY_CLIENT), ()),
    "a hold that is confirmed": lambda: (_confirmed(BY_CLIENT, question()), (HELD, HOLDING)),
    "a hold that becomes a request": lambda: (
        _confirmed(BY_CLIENT, question(asked=BY_CONFIRMATION)),
        (HELD, HOLDING),
    ),
    "a hold that lapses": lambda: (lapse(HELD, HOLDING, now=NOW + 1), (HELD, HOLDING)),
    "a booking that is cancelled": lambda: (
        cancel(booking(), session(), now=NOW, author=BY_CLIENT, reason=None),
        (booking(), session()),
    ),
    "who came": lambda: (
        note_attendance(booking(), session(), "complete", now=NINE * MINUTE_MS, author=BY_OPERATOR),
        (booking(), session()),
    ),
    "a class moved in Google": lambda: _inbound(theirs(TEN), ours(seats={"booking1": 1, "booking2": 2})),
    "a class deleted in Google": lambda: _missing(lost(seats={"booking1": 1, "booking2": 2}), "cancel"),
    "a class deleted in Google, about which somebody is asked": lambda: _missing(lost(), "ask"),
    "an empty session deleted in Google": lambda: _missing(lost(seats={}, scheduled=True), "cancel"),
    "an event put back to its time": lambda: _inbound(theirs(TEN), ours(), service=service(on_calendar_move="restore")),
    "an event about whose time somebody is asked": lambda: _inbound(
        theirs(TEN), ours(), service=service(on_calendar_move="ask")
    ),
    "a guest who declined": lambda: _inbound(theirs(NINE_), ours(), declined_by=frozenset({CLIENT.key})),
    "an event made a series": lambda: _inbound(theirs(TEN, recurrence=["RRULE:FREQ=DAILY"]), ours()),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_every_decision_has_its_history(name: str) -> None:
    """Those of rescheduling are told in `system/test_history.py`, through the API."""
    decision, before = DECISIONS[name]()
    kept = records(decision, before)
    states = [state for record in kept for state in record.state.values()]
    known = {ref_of(document): document for document in before}
    assert states
    assert len(states) == sum(
        subject_of(type(each)) is not None and state_of(known.get(ref_of(each))) != state_of(each)
        for each in decision.documents
    )
