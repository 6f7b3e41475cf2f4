"""What follows where an event of ours is in no calendar: cancel, make it again, or ask; and where it is in another one: its session goes along."""

from typing import Any

import pytest

from functions.domain.decision import Decision, Effect
from functions.domain.event_ids import MOST_ATTEMPTS, event_id
from functions.domain.google_event import MirrorEvent
from functions.domain.inbound import decide_inbound
from functions.domain.missing_event import CALENDAR_DELETE, DELETE_RULE, Missing, decide_missing, rehomed
from functions.domain.own_event import GOOGLE, event_is_ours, is_another_copy, is_spared_for
from functions.domain.session import Conflict, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import (
    CALENDAR,
    NOW,
    SESSION,
    apply,
    booking,
    contents,
    copy,
    google_event,
    millis,
    rebuilt,
    row,
    service,
    times,
    to_operators,
    together,
)
from tests.domain.inbound_situations import (
    EVENT,
    NINE,
    OTHER_AT_TEN,
    PAST,
    TEN,
    bookings_after,
    inbound,
    ours,
    session_after,
)

TWO = {"booking1": 1, "booking2": 2}


def lost(at: str = NINE, **changes: Any) -> Session:
    return ours(at, **{"copies": {CALENDAR: copy(at, written=1, missing_since=NOW - 1)}} | changes)


def missing(kept: Session, **changes: Any) -> Missing:
    rules = {name: changes.pop(name) for name in list(changes) if name.startswith("on_")}
    fields: dict[str, Any] = {
        "calendar": CALENDAR,
        "session": kept,
        "bookings": tuple(booking(id=each, session=kept.id) for each in kept.seats),
        "service": service(**rules),
        "certain": True,
        "now": NOW,
    }
    return Missing(**fields | changes)


def again(first: Missing) -> Decision[None]:
    decision = decide_missing(first)
    kept = session_after(decision, first.session)
    return decide_missing(missing(kept, service=first.service, certain=first.certain))


class TestCancel:
    def test_a_session_to_come_is_cancelled_with_that_reason(self) -> None:  # case 100
        decision = decide_missing(missing(lost()))
        after = session_after(decision, lost())
        assert (after.status, after.cancelled_by, after.reason) == ("cancelled", "google", CALENDAR_DELETE)
        assert (after.seats, after.version) == ({}, 2)
        (sold,) = bookings_after(decision)
        assert (sold.status, sold.cancelled_by, sold.reason) == ("cancelled", "google", CALENDAR_DELETE)
        told = [effect for effect in decision.effects if effect.kind == "notify"]
        assert told == [Effect(kind="notify", subject="booking1", about="cancelled")]

    def test_its_time_is_free_and_only_its(self) -> None:  # case 100
        decision = decide_missing(missing(lost()))
        before = together(OTHER_AT_TEN, rebuilt(lost()))
        assert contents(apply(before, decision.changes)) == OTHER_AT_TEN

    def test_google_is_the_author_of_every_cancelled_booking(self) -> None:
        decision = decide_missing(missing(lost(seats=TWO), on_calendar_delete="cancel"))
        assert [(e.what, e.author, e.booking, e.why) for e in decision.history] == [
            ("session.cancelled", GOOGLE, None, CALENDAR_DELETE),
            *(("booking.cancelled", GOOGLE, each, CALENDAR_DELETE) for each in TWO),
        ]

    def test_the_history_says_what_a_booking_was_before(self) -> None:
        held = missing(lost(), bookings=(booking(status="held"),))
        _, entry = decide_missing(held).history
        assert (entry.before, entry.after) == ({"status": "held"}, {"status": "cancelled"})

    def test_a_session_that_nobody_sat_in_has_its_entry_too(self) -> None:
        decision = decide_missing(missing(lost(seats={}, scheduled=True)))
        assert [(e.what, e.session) for e in decision.history] == [("session.cancelled", SESSION)]

    def test_it_is_not_made_again_and_only_looked_for_once_more(self) -> None:
        decision = decide_missing(missing(lost()))
        after = session_after(decision, lost())
        assert after.copies[CALENDAR].gone
        assert after.copy_pending
        assert Effect(kind="push", subject=SESSION) in decision.effects

    def test_its_event_in_another_calendar_is_deleted_too(self) -> None:
        second = copy(NINE, calendar="second", event="elsewhere", written=1)
        kept = lost(copies={**lost().copies, "second": second})
        decision = decide_missing(missing(kept))
        assert session_after(decision, kept).copies["second"] == second
        assert Effect(kind="push", subject=SESSION) in decision.effects


class TestMakeAgain:
    def test_with_an_id_of_its_own_and_nobody_is_told(self) -> None:
        decision = decide_missing(missing(lost(), on_calendar_delete="restore"))
        after = session_after(decision, lost())
        assert (after.status, after.seats, after.conflict) == ("open", {"booking1": 1}, None)
        assert after.copies[CALENDAR] == copy(attempt=1, event=event_id(SESSION, CALENDAR, 1))
        assert after.copy_pending
        assert decision.effects == (Effect(kind="push", subject=SESSION), Effect(kind="settle", subject=SESSION))
        assert [(e.what, e.author, e.why) for e in decision.history] == [
            ("session.restored", DELETE_RULE, CALENDAR_DELETE)
        ]

    def test_not_for_ever(self) -> None:
        last = copy(NINE, missing_since=1, attempt=MOST_ATTEMPTS - 1, event=event_id(SESSION, CALENDAR, 1023))
        decision = decide_missing(missing(lost(copies={CALENDAR: last}), on_calendar_delete="restore"))
        assert session_after(decision, lost()).in_conflict(Obstacle.DELETED)


ASKED = [
    pytest.param(missing(lost(), on_calendar_delete="ask"), id="as the policy says"),
    pytest.param(missing(lost(seats=TWO)), id="more than one booking"),
    pytest.param(missing(lost(), certain=False), id="where it may be, nobody can look"),
    pytest.param(missing(lost(), certain=False, on_calendar_delete="cancel"), id="though the policy says cancel"),
    pytest.param(missing(lost(seats=TWO), service=None), id="more than one booking, and no rules any more"),
]


@pytest.mark.parametrize("asked", ASKED)
class TestAsk:
    def test_the_session_stays_and_is_flagged(self, asked: Missing) -> None:
        decision = decide_missing(asked)
        after = session_after(decision, asked.session)
        assert after.conflict == Conflict(reason="deleted_in_calendar", since=NOW, calendar=CALENDAR)
        assert (after.status, after.seats, after.times) == ("open", asked.session.seats, asked.session.times)
        assert apply(rebuilt(asked.session), decision.changes) == rebuilt(after)
        assert (decision.effects, bookings_after(decision)) == ((to_operators(),), [])
        assert [(e.what, e.author, e.why) for e in decision.history] == [
            ("session.conflicted", GOOGLE, "deleted_in_calendar")
        ]

    def test_once(self, asked: Missing) -> None:
        assert again(asked).writes_nothing


@pytest.mark.parametrize(
    ("kept", "kinds"),
    [
        pytest.param(lost(PAST), [], id="over"),  # case 101
        # The push that was to delete it looks whether it is elsewhere.
        pytest.param(lost(status="cancelled", seats={}, version=2), ["push"], id="cancelled meanwhile"),
    ],
)
def test_of_a_session_that_does_not_lie_ahead_only_the_note_is_taken_away(kept: Session, kinds: list[str]) -> None:
    decision = decide_missing(missing(kept))
    after = session_after(decision, kept)
    assert (after.status, after.copies[CALENDAR].gone, after.copies[CALENDAR].missing_since) == (
        kept.status,
        True,
        None,
    )
    assert (decision.changes, decision.history) == ((), ())
    assert [effect.kind for effect in decision.effects] == kinds


def test_an_event_that_has_come_back_is_not_missing() -> None:
    assert decide_missing(missing(ours())).writes_nothing


@pytest.mark.parametrize("rule", ["cancel", "restore", "ask"])
def test_what_was_decided_is_not_decided_again(rule: str) -> None:  # case 42
    assert again(missing(lost(), on_calendar_delete=rule)).writes_nothing


def there(at: str = NINE, **changes: Any) -> MirrorEvent:
    """The event in the calendar that it was moved to."""
    start, end = (f"{text[:-1]}:00Z" for text in at.split("/"))
    event = google_event(EVENT, start, end, etag='"9"') | changes
    return row(event, session=SESSION).model_copy(update={"calendar": "second"})


class TestMovedToAnotherCalendar:  # case 113
    def test_the_copy_goes_along_and_what_the_old_calendar_says_is_nothing(self) -> None:
        decision = rehomed(lost(), CALENDAR, "second")
        after = decision.answer
        assert {name: each.event for name, each in after.copies.items()} == {"second": EVENT}
        assert event_is_ours(EVENT, "second", after)
        assert not event_is_ours(EVENT, CALENDAR, after)
        assert [(e.what, e.author, e.before, e.after) for e in decision.history] == [
            ("session.moved_calendar", GOOGLE, {"calendar": CALENDAR}, {"calendar": "second"})
        ]
        assert decision.effects == ()

    def test_before_the_old_calendar_said_so_it_is_another_copy_there(self) -> None:  # case 123
        assert is_another_copy(google_event(EVENT), "second", ours())
        assert is_another_copy(google_event("other", iCalUID=f"{EVENT}@google.com"), "second", ours())
        assert not is_another_copy(google_event("other"), "second", ours())
        assert not is_another_copy(google_event(EVENT), CALENDAR, ours())
        assert not is_another_copy(google_event(EVENT), "second", ours(status="cancelled"))

    def test_what_has_left_its_calendar_is_none_of_it_any_more_wherever_it_is(self) -> None:
        leaves = ours(copies={CALENDAR: copy(NINE, leaving="asked")})
        assert is_another_copy(google_event(EVENT), "second", leaves)
        assert is_spared_for(leaves, EVENT)
        has_left = ours(copies={CALENDAR: copy(NINE, leaving="due", gone=True)})
        assert not is_another_copy(google_event(EVENT), "second", has_left)
        assert not is_spared_for(has_left, EVENT)
        assert is_spared_for(has_left, "an-invitation"), "which has an id of its own"

    def test_a_question_that_was_asked_is_answered(self) -> None:
        asked = lost(conflict=Conflict(reason=Obstacle.DELETED, since=1, calendar=CALENDAR))
        after = rehomed(asked, CALENDAR, "second").answer
        decision = decide_inbound(inbound(there(), after))
        assert session_after(decision, after).conflict is None

    def test_at_another_time_it_has_moved(self) -> None:  # case 103
        kept = rehomed(lost(), CALENDAR, "second").answer
        decision = decide_inbound(inbound(there(TEN), kept))
        assert session_after(decision, kept).times == ours(TEN).times
        assert Effect(kind="notify", subject="booking1", about="moved") in decision.effects

    def test_of_a_session_that_was_cancelled_meanwhile_it_is_still_to_be_deleted(self) -> None:
        cancelled = lost(status="cancelled", seats={}, version=2)
        after = rehomed(cancelled, CALENDAR, "second").answer
        assert after.copy_pending
        assert event_is_ours(EVENT, "second", after)


def test_a_session_is_over_when_it_ends() -> None:
    running = missing(lost(), now=millis("2027-03-01T09:59:59Z"))
    assert session_after(decide_missing(running), lost()).status == "cancelled"


def test_while_it_is_asked_where_another_event_was_moved_this_is_not_asked() -> None:  # case 113
    moved = Conflict(reason=Obstacle.MOVED, since=1, calendar="second")
    kept = lost(copies={**lost().copies, "second": copy(TEN, calendar="second", written=1)}, conflict=moved)
    assert decide_missing(missing(kept, on_calendar_delete="ask")).writes_nothing


class TestMovedAndThenDeleted:
    """The event was moved, and before anybody had decided about that it was deleted."""

    MOVED = lost(seats=TWO, conflict=Conflict(reason=Obstacle.MOVED, since=1, calendar=CALENDAR, times=times(TEN)))

    def test_what_is_asked_is_what_can_be_decided(self) -> None:
        asked = missing(self.MOVED)
        decision = decide_missing(asked)
        after = session_after(decision, self.MOVED)
        assert after.conflict == Conflict(reason=Obstacle.DELETED, since=NOW, calendar=CALENDAR)
        assert apply(rebuilt(self.MOVED), decision.changes) == rebuilt(after)
        assert [entry.before for entry in decision.history] == [{"conflict": Obstacle.MOVED}]
        assert again(asked).writes_nothing

    def test_what_waited_for_the_first_answer_is_written_to_the_other_calendars(self) -> None:
        second = copy(NINE, calendar="second", written=1)
        decision = decide_missing(missing(self.MOVED.with_copy(second).model_copy(update={"version": 2})))
        assert Effect(kind="push", subject=SESSION) in decision.effects

    def test_made_again_nobody_is_asked_where_it_is_to_be(self) -> None:
        decision = decide_missing(missing(self.MOVED, on_calendar_delete="restore"))
        after = session_after(decision, self.MOVED)
        assert (after.conflict, after.copies[CALENDAR].attempt) == (None, 1)
        assert apply(rebuilt(self.MOVED), decision.changes) == rebuilt(after)
