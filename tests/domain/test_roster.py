"""What an operator does to a session with everybody in it: moved, opened, closed, cancelled, as one commit."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain.availability import Question
from functions.domain.decision import Decision, Effect
from functions.domain.errors import CalendarUnknown, IllegalMove, Refusal, StartClosed, TimeTaken
from functions.domain.horizon import new_horizon
from functions.domain.instants import MINUTE_MS
from functions.domain.ledger import Hold, Waiting
from functions.domain.roster import Roster, cancel_roster, move_session, set_closed, set_waitlist
from functions.domain.session import Booking, Client, Conflict, Session
from functions.domain.standing import Obstacle
from tests.domain.builders import (
    BY_OPERATOR,
    CALENDAR,
    NOW,
    SESSION,
    among,
    apply,
    booking,
    contents,
    copy,
    rebuilt,
    service,
    session,
    state,
)
from tests.domain.monday import at, busy, monday_now, on_monday, works

ANNA = works(destination=CALENDAR)
YOGA = service(id="yoga", kind="event", capacity=8)
NOBODY_YET = Client()
WRITTEN = {CALENDAR: copy("2027-03-01T09:00Z/2027-03-01T10:00Z", written=1)}


def yoga(**changes: Any) -> Session:
    """Nine to ten, with two bookings, a request and a form."""
    fields: dict[str, Any] = {
        "service": "yoga",
        "scheduled": True,
        "capacity": 8,
        "seats": {"kim": 1, "lou": 2},
        "holds": {"ask": Hold(seats=1, expires_at=monday_now("09:00")), "form": Hold(seats=1, expires_at=NOW + 1)},
        "copies": WRITTEN,
    }
    return session(**fields | changes)


def people() -> tuple[Booking, ...]:
    return (
        booking(id="kim"),
        booking(id="lou", seats=2),
        booking(id="ask", status="held", requested=True, expires_at=monday_now("09:00")),
        booking(id="form", status="held", client=NOBODY_YET, expires_at=NOW + 1),
    )


def roster(**changes: Any) -> Roster:
    return Roster(session=yoga(**changes), bookings=people())


def asked(*occupations: Any, **changes: Any) -> Question:
    fields: dict[str, Any] = {"of": ANNA} | {
        key: changes.pop(key) for key in ("blocks", "known_until") if key in changes
    }
    return among(state(*occupations, **fields), asked=YOGA, **changes)


def moved(start: str, *occupations: Any, of: Roster | None = None, **changes: Any) -> Decision[Roster]:
    of = of or roster()
    question = asked(of.session.occupation, *occupations, **changes)
    return move_session(of, on_monday(start), question, author=BY_OPERATOR)


class TestMove:
    def test_everybody_moves_with_it_in_the_same_commit(self) -> None:
        before = roster()
        decision = moved("11:00")
        after = decision.answer.session
        assert (after.start, after.end) == (on_monday("11:00"), on_monday("12:00"))
        assert {each.start for each in decision.answer.bookings} == {on_monday("11:00")}
        assert {each.id for each in decision.answer.bookings} == {"kim", "lou", "ask", "form"}
        assert after.seats == before.session.seats
        assert decision.documents == (after, *decision.answer.bookings)
        assert contents(apply(rebuilt(before.session), decision.changes)) == rebuilt(after)

    def test_google_hears_of_it_and_each_client_once(self) -> None:
        decision = moved("11:00")
        assert decision.answer.session.copy_pending
        told = [effect.subject for effect in decision.effects if effect.kind == "notify"]
        assert told == ["kim", "lou", "ask"], "a form has nobody yet"
        assert Effect(kind="push", subject=SESSION) in decision.effects
        assert Effect(kind="recalculate", subject="anna") in decision.effects

    def test_what_its_event_was_made_is_over_with_the_time_and_it_follows_its_destination(self) -> None:
        flagged = Conflict(reason=Obstacle.ALL_DAY, since=NOW, calendar="former")
        copies = {"former": copy("2027-03-01T09:00Z/2027-03-01T10:00Z", calendar="former", written=1)}
        decision = moved("11:00", of=roster(conflict=flagged, copies=copies))
        assert decision.answer.session.conflict is None
        assert Effect(kind="redirect", subject="anna") in decision.effects

    @pytest.mark.parametrize("kind", ["event", "appointment"])
    def test_who_waits_for_an_event_goes_with_it_and_who_waits_for_a_start_does_not(self, kind: Any) -> None:
        waiting = Waiting(smallest=1, until=on_monday("08:00"))
        before = roster(waiting=waiting)
        question = replace(asked(before.session.occupation), service=service(id="yoga", kind=kind, capacity=8))
        after = move_session(before, on_monday("11:00"), question, author=BY_OPERATOR).answer.session
        assert after.waiting == (replace(waiting, until=on_monday("10:00")) if kind == "event" else None)

    def test_its_history_has_an_entry_for_the_session_and_each_booking(self) -> None:
        history = moved("11:00").history
        assert [(entry.what, entry.booking) for entry in history] == [
            ("session.moved", None),
            ("booking.moved", "kim"),
            ("booking.moved", "lou"),
            ("booking.moved", "ask"),
            ("booking.moved", "form"),
        ]
        assert {entry.before["start"] for entry in history} == {"2027-03-01T09:00:00Z"}
        assert {entry.after["start"] for entry in history} == {"2027-03-01T11:00:00Z"}

    def test_a_request_may_be_answered_until_it_begins_whenever_that_is(self) -> None:
        decision = moved("11:00")
        request = next(each for each in decision.answer.bookings if each.id == "ask")
        assert request.expires_at == monday_now("11:00")
        holds = decision.answer.session.holds
        assert (holds["ask"].expires_at, holds["form"].expires_at) == (monday_now("11:00"), NOW + 1)
        assert Effect(kind="lapse", subject="ask", not_before=monday_now("11:00")) in decision.effects

    def test_its_buffers_keep_their_length(self) -> None:
        buffered = roster(taken_from=on_monday("08:45"), taken_until=on_monday("10:30"))
        after = moved("11:00", of=buffered).answer.session
        assert (after.taken_from, after.taken_until) == (on_monday("10:45"), on_monday("12:30"))

    def test_over_its_own_time_it_can_move(self) -> None:
        assert moved("09:30").answer.session.start == on_monday("09:30")

    def test_outside_the_hours_too(self) -> None:
        assert moved("19:00").answer.session.start == on_monday("19:00")

    def test_where_it_is_it_stays(self) -> None:
        assert moved("09:00").writes_nothing

    @pytest.mark.parametrize(
        ("start", "others", "changes", "kind"),
        [
            pytest.param("11:00", [at("11:30", "12:00")], {}, "session", id="another session"),
            pytest.param("11:00", [], {"blocks": busy("11:30-12:00")}, "busy", id="an event in Google"),
            pytest.param("11:00", [at("12:00", "13:00", before=15)], {}, "buffer", id="another one's buffer"),
        ],
    )
    def test_time_that_is_taken_is_taken(
        self, start: str, others: list[Any], changes: dict[str, Any], kind: str
    ) -> None:
        with pytest.raises(TimeTaken) as refused:
            moved(start, *others, **changes)
        (taken,) = refused.value.extra["taken"]
        assert taken["start"] == "2027-03-01T11:00:00Z"
        assert [reason["rule"] for reason in taken["reasons"]] == [kind]

    def test_nor_where_nobody_can_see_whether_it_is(self) -> None:  # law 6
        with pytest.raises(CalendarUnknown):
            moved("11:00", known_until=on_monday("11:59"))

    def test_nor_into_the_past_nor_beyond_what_is_read(self) -> None:
        question = asked(known_until=10**9)
        for start in (NOW // MINUTE_MS - 60, new_horizon(NOW) - 59):
            with pytest.raises(StartClosed):
                move_session(roster(), start, question, author=BY_OPERATOR)

    @pytest.mark.parametrize(
        ("reason", "left"), [("taken", None), ("outside_hours", None), ("over_capacity", "over_capacity")]
    )
    def test_what_was_wrong_with_its_time_is_over_what_is_wrong_with_its_seats_is_not(
        self, reason: str, left: str | None
    ) -> None:
        flagged = roster(conflict=Conflict(reason=reason, since=NOW))
        conflict = moved("11:00", of=flagged).answer.session.conflict
        assert (None if conflict is None else conflict.reason) == left


class TestOpenAndClosed:
    def closed(self, of: Roster, *, closed: bool) -> Decision[Roster]:
        return set_closed(of, closed=closed, now=NOW, author=BY_OPERATOR)

    def test_closed_it_sells_no_more_and_who_is_in_it_stays(self) -> None:
        decision = self.closed(roster(), closed=True)
        after = decision.answer.session
        assert after == roster().session.model_copy(update={"closed": True})
        assert apply({}, decision.changes) == rebuilt(after)
        assert [entry.what for entry in decision.history] == ["session.closed"]

    def test_opened_again_its_seats_are_for_who_waits(self) -> None:
        decision = self.closed(roster(closed=True), closed=False)
        assert not decision.answer.session.closed
        assert decision.effects == (Effect(kind="promote", subject="yoga"),)
        assert [entry.what for entry in decision.history] == ["session.opened"]

    @pytest.mark.parametrize("closed", [True, False])
    def test_twice_is_once(self, closed: bool) -> None:
        assert self.closed(roster(closed=closed), closed=closed).writes_nothing

    def test_another_waitlist_can_hold_for_it_and_the_services_again(self) -> None:
        decision = set_waitlist(roster(), preset="evenings", now=NOW, author=BY_OPERATOR)
        assert decision.answer.session.waitlist == "evenings"
        assert decision.history[0].after == {"waitlist": "evenings"}
        assert decision.effects == (Effect(kind="promote", subject="yoga"),)
        again = set_waitlist(decision.answer, preset=None, now=NOW, author=BY_OPERATOR)
        assert again.answer.session.waitlist is None
        assert set_waitlist(again.answer, preset=None, now=NOW, author=BY_OPERATOR).writes_nothing


class TestCancel:
    def cancelled(self, of: Roster, now: int = NOW) -> Decision[Roster]:
        return cancel_roster(of, now=now, author=BY_OPERATOR, reason="Anna is ill")

    def test_it_ends_with_everybody_in_it(self) -> None:
        decision = self.cancelled(roster())
        after = decision.answer.session
        assert (after.status, after.seats, after.holds) == ("cancelled", {}, {})
        assert (after.cancelled_by, after.reason) == ("operator", "Anna is ill")
        assert {each.status for each in decision.answer.bookings} == {"cancelled"}
        assert {(each.cancelled_by, each.reason) for each in decision.answer.bookings} == {("operator", "Anna is ill")}
        assert contents(apply(rebuilt(roster().session), decision.changes)) == {}

    def test_each_client_is_told_once_and_google_lets_go_of_the_event(self) -> None:
        decision = self.cancelled(roster())
        told = [effect.subject for effect in decision.effects if effect.kind == "notify"]
        assert sorted(told) == ["ask", "form", "kim", "lou"], "who has no address gets no mail"
        assert [effect for effect in decision.effects if effect.kind == "push"] == [
            Effect(kind="push", subject=SESSION)
        ]
        assert decision.answer.session.copy_pending
        assert Effect(kind="recalculate", subject="anna") in decision.effects
        assert Effect(kind="promote", subject="yoga") in decision.effects

    def test_its_history_names_the_session_and_each_booking(self) -> None:
        history = self.cancelled(roster()).history
        assert [entry.booking for entry in history if entry.what == "booking.cancelled"] == [
            "kim",
            "lou",
            "ask",
            "form",
        ]
        assert [entry.what for entry in history if entry.booking is None] == ["session.cancelled"]
        assert {entry.why for entry in history} == {"Anna is ill"}

    def test_nobody_needs_to_be_in_it(self) -> None:
        empty = Roster(session=yoga(seats={}, holds={}))
        decision = self.cancelled(empty)
        assert decision.answer.session.status == "cancelled"
        assert contents(apply(rebuilt(empty.session), decision.changes)) == {}

    def test_one_that_came_into_being_with_its_first_booking_ends_the_same_way(self) -> None:
        decision = self.cancelled(roster(scheduled=False))
        assert decision.answer.session.status == "cancelled"
        assert [entry.what for entry in decision.history].count("session.cancelled") == 1
        assert contents(apply(rebuilt(roster().session), decision.changes)) == {}

    def test_twice_is_once(self) -> None:
        after = self.cancelled(roster()).answer
        assert self.cancelled(after).writes_nothing


CHANGES: dict[str, Any] = {
    "closed": lambda of, now: set_closed(of, closed=True, now=now, author=BY_OPERATOR),
    "given another waitlist": lambda of, now: set_waitlist(of, preset="x", now=now, author=BY_OPERATOR),
    "moved": lambda of, now: move_session(of, on_monday("11:00"), replace(asked(), now=now), author=BY_OPERATOR),
    "cancelled": lambda of, now: cancel_roster(of, now=now, author=BY_OPERATOR, reason=None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_begun_can_not_be_changed_any_more(name: str) -> None:
    with pytest.raises(IllegalMove):
        CHANGES[name](roster(), monday_now("09:00"))
    assert CHANGES[name](roster(), monday_now("09:00") - 1).documents


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "cancelled"])
def test_what_is_cancelled_can_not_be_changed_any_more(name: str) -> None:
    refusal: type[Refusal] = IllegalMove
    with pytest.raises(refusal):
        CHANGES[name](Roster(session=yoga(status="cancelled", seats={}, holds={})), NOW)
