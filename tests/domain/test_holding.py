"""Seats that are kept: who may have them, when they are free again, and what becomes of them."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain import holding
from functions.domain.appointments import Booked, book, cancel
from functions.domain.availability import ClientBooking, Question
from functions.domain.configuration import ClientLimits, FormQuestion, Limits, Service
from functions.domain.decision import Effect
from functions.domain.errors import HoldLapsed, IllegalMove, Invalid, SlotTaken, StartClosed
from functions.domain.holding import FORM_MINUTES
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Client, Session
from tests.domain.builders import (
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    EVERY_DAY,
    NOW,
    Ledger,
    apply,
    contents,
    hours,
    millis,
    minute,
    rebuilt,
    request,
    resource,
    seating,
    service,
    state,
    weekly,
)

ANNA = resource("anna", hours=hours(weekly("09:00", "17:00", EVERY_DAY), zone="UTC"), destination=CALENDAR)
NINE = minute("2027-03-01T09:00Z")
LAPSES = NOW + FORM_MINUTES * MINUTE_MS
CLASS = service(capacity=3)


class Desk:
    """One resource, its ledger and its sessions, as commits leave them."""

    def __init__(self, rules: Service) -> None:
        self.rules, self.ledger = rules, Ledger()
        self.sessions: dict[str, Session] = {}

    def asked(self, now: int = NOW, **more: Any) -> Question:
        months = tuple(self.ledger.values())
        return Question(service=self.rules, states=(replace(state(of=ANNA), months=months),), now=now, **more)

    def commit(self, decision: Any) -> Booked:
        self.ledger = apply(self.ledger, decision.changes)
        for document in decision.documents:
            if isinstance(document, Session):
                self.sessions[document.id] = document
        assert contents(self.ledger) == rebuilt(*self.sessions.values())
        return decision.answer  # type: ignore[no-any-return]

    def place(self, how: Any, name: str, *, now: int = NOW, **more: Any) -> Booked:
        wish = request(NINE, booking=name, session=f"of {name}")
        there = seating(self.asked(now, **more), NINE, *self.sessions.values())
        return self.commit(how(wish, there, author=BY_CLIENT))

    def confirm(self, held: Booked, *, now: int = NOW, client: Client = CLIENT, **more: Any) -> Booked:
        session = self.sessions[held.session.id]
        question = self.asked(now, **more)
        return self.commit(
            holding.confirm(held.booking, session, client=client, notes=None, question=question, author=BY_CLIENT)
        )


@pytest.fixture
def desk() -> Desk:
    return Desk(service())


def test_a_hold_keeps_the_seats_tells_nobody_and_is_cleared_when_it_is_over(desk: Desk) -> None:
    there = seating(desk.asked(), NINE)
    decision = holding.hold(request(NINE), there, author=BY_CLIENT)
    held = desk.commit(decision)
    assert (held.booking.status, held.booking.expires_at) == ("held", LAPSES)
    assert held.session.seats == {}
    assert decision.effects == (Effect(kind="lapse", subject="booking1", not_before=LAPSES),)
    assert [entry.what for entry in decision.history] == ["booking.held"]
    with pytest.raises(SlotTaken):
        desk.place(book, "other")


def test_confirmed_it_is_a_booking_like_any_other(desk: Desk) -> None:
    held = desk.place(holding.hold, "mine")
    session = desk.sessions[held.session.id]
    decision = holding.confirm(
        held.booking, session, client=CLIENT, notes="hello", question=desk.asked(LAPSES - 1), author=BY_CLIENT
    )
    booked = desk.commit(decision)
    assert (booked.booking.status, booked.booking.client, booked.booking.notes) == ("confirmed", CLIENT, "hello")
    assert booked.booking.expires_at is None
    assert (booked.session.seats, booked.session.holds) == ({"mine": 1}, {})
    assert decision.effects == (
        Effect(kind="push", subject=session.id),
        Effect(kind="notify", subject="mine", about="confirmed"),
    )


def test_confirming_twice_is_once(desk: Desk) -> None:
    booked = desk.confirm(desk.place(holding.hold, "mine"))
    again = holding.confirm(
        booked.booking, booked.session, client=CLIENT, notes=None, question=desk.asked(), author=BY_CLIENT
    )
    assert again.writes_nothing


def test_it_lapses_by_the_clock_alone(desk: Desk) -> None:
    desk.place(holding.hold, "mine")
    with pytest.raises(SlotTaken):
        desk.place(book, "other", now=LAPSES - 1)
    assert desk.place(book, "other", now=LAPSES).session.seats == {"other": 1}


@pytest.mark.parametrize("now", [NOW, LAPSES, LAPSES + 1], ids=["a clock behind", "just over", "over"])
def test_what_somebody_else_has_by_now_can_not_be_confirmed_whatever_the_clock_says(desk: Desk, now: int) -> None:
    held = desk.place(holding.hold, "mine")
    desk.place(book, "other", now=LAPSES)
    with pytest.raises(HoldLapsed):
        desk.confirm(held, now=now)


def test_what_nobody_else_wanted_is_still_good(desk: Desk) -> None:
    held = desk.place(holding.hold, "mine")
    assert desk.confirm(held, now=LAPSES + 60_000).booking.status == "confirmed"


@pytest.mark.parametrize("now", [NOW, LAPSES], ids=["a clock behind", "over"])
def test_the_last_seat_of_a_class_is_confirmed_to_one_of_two(now: int) -> None:
    desk = Desk(CLASS)
    desk.place(book, "first", seats=2)
    held = desk.place(holding.hold, "mine")
    desk.place(book, "other", now=LAPSES)
    with pytest.raises(HoldLapsed):
        desk.confirm(held, now=now)


def test_let_go_it_frees_the_time_at_once(desk: Desk) -> None:
    held = desk.place(holding.hold, "mine")
    desk.commit(cancel(held.booking, held.session, now=NOW, author=BY_CLIENT, reason=None))
    assert contents(desk.ledger) == {}


def test_a_client_who_has_enough_can_not_confirm_one_more() -> None:
    desk = Desk(service(client_limits=ClientLimits(at_once=1)))
    held = desk.place(holding.hold, "mine")
    theirs = (ClientBooking(service="cut", start=NINE + 1440, end=NINE + 1500),)
    with pytest.raises(StartClosed):
        holding.confirm(
            held.booking,
            held.session,
            client=CLIENT,
            notes=None,
            question=desk.asked(client=theirs),
            author=BY_CLIENT,
        )


def test_a_hold_that_lapsed_can_not_be_confirmed_beyond_a_limit_that_others_have_filled_since() -> None:
    desk = Desk(service(limits=Limits(per_day=1)))
    held = desk.place(holding.hold, "mine")
    eleven = request(NINE + 120, booking="other", session="of other")
    desk.commit(book(eleven, seating(desk.asked(LAPSES), NINE + 120), author=BY_CLIENT))
    for now in (NOW, LAPSES):
        with pytest.raises(StartClosed):
            desk.confirm(held, now=now)


def test_a_hold_within_the_limit_does_not_count_against_itself() -> None:
    desk = Desk(service(limits=Limits(per_day=1)))
    assert desk.confirm(desk.place(holding.hold, "mine")).booking.status == "confirmed"


def test_where_an_operator_confirms_a_filled_in_form_is_a_request_and_no_booking() -> None:
    desk = Desk(service(confirmation="operator"))
    held = desk.place(holding.hold, "mine")
    asked = desk.confirm(held)
    assert (asked.booking.status, asked.booking.requested) == ("held", True)
    assert (asked.booking.client, asked.booking.expires_at) == (CLIENT, NINE * MINUTE_MS)
    assert asked.session.seats == {}
    assert holding.lapse(asked.booking, asked.session, now=LAPSES).writes_nothing, "it is kept for longer now"
    booked = holding.confirm(
        asked.booking, asked.session, client=CLIENT, notes=None, question=desk.asked(LAPSES), author=BY_OPERATOR
    )
    assert desk.commit(booked).session.seats == {"mine": 1}


@pytest.mark.parametrize("end", ["let go", "lapsed"])
def test_of_a_session_that_was_cancelled_meanwhile_nothing_is_left_to_free(desk: Desk, end: str) -> None:
    held = desk.place(holding.hold, "mine")
    over = held.session.model_copy(update={"status": "cancelled", "holds": {}})
    decision = (
        cancel(held.booking, over, now=NOW, author=BY_CLIENT, reason=None)
        if end == "let go"
        else holding.lapse(held.booking, over, now=LAPSES)
    )
    assert decision.answer.booking.status == "cancelled"
    assert decision.changes == ()


class TestRequests:
    def test_one_keeps_its_seats_until_the_session_begins(self, desk: Desk) -> None:
        there = seating(desk.asked(), NINE)
        decision = holding.ask(request(NINE), there, author=BY_CLIENT)
        asked = desk.commit(decision)
        assert (asked.booking.status, asked.booking.requested) == ("held", True)
        assert asked.booking.expires_at == NINE * MINUTE_MS
        assert Effect(kind="notify", subject="booking1", about="requested") in decision.effects
        with pytest.raises(SlotTaken):
            desk.place(book, "other")

    def test_nobody_answered_it(self, desk: Desk) -> None:
        asked = desk.place(holding.ask, "mine")
        decision = holding.lapse(asked.booking, asked.session, now=NINE * MINUTE_MS)
        ended = desk.commit(decision)
        assert (ended.booking.status, ended.booking.reason) == ("cancelled", holding.UNANSWERED)
        assert Effect(kind="notify", subject="mine", about="cancelled") in decision.effects

    def test_it_can_not_be_confirmed_once_the_session_has_begun(self, desk: Desk) -> None:
        asked = desk.place(holding.ask, "mine")
        with pytest.raises(IllegalMove):
            desk.confirm(asked, now=millis("2027-03-01T09:00:00Z"))

    def test_declined_it_is_cancelled_by_the_operator(self, desk: Desk) -> None:
        asked = desk.place(holding.ask, "mine")
        declined = desk.commit(cancel(asked.booking, asked.session, now=NOW, author=BY_OPERATOR, reason="full"))
        assert (declined.booking.status, declined.booking.cancelled_by) == ("cancelled", "operator")
        assert contents(desk.ledger) == {}


class TestLapse:
    def test_it_clears_away_what_is_over_and_tells_nobody(self, desk: Desk) -> None:
        held = desk.place(holding.hold, "mine")
        decision = holding.lapse(held.booking, held.session, now=LAPSES)
        ended = desk.commit(decision)
        assert (ended.booking.status, ended.booking.cancelled_by) == ("cancelled", "rule")
        assert ended.session.status == "cancelled"
        assert [entry.what for entry in decision.history] == ["booking.lapsed"]
        assert not [effect for effect in decision.effects if effect.kind == "notify"]
        assert contents(desk.ledger) == {}

    def test_it_leaves_alone_what_is_not_over_or_decided(self, desk: Desk) -> None:
        held = desk.place(holding.hold, "mine")
        assert holding.lapse(held.booking, held.session, now=LAPSES - 1).writes_nothing
        booked = desk.confirm(held)
        assert holding.lapse(booked.booking, booked.session, now=LAPSES).writes_nothing

    def test_of_a_class_it_frees_only_its_own_seats(self) -> None:
        desk = Desk(CLASS)
        desk.place(book, "first")
        held = desk.place(holding.hold, "mine")
        ended = desk.commit(holding.lapse(held.booking, desk.sessions[held.session.id], now=LAPSES))
        assert (ended.session.status, ended.session.seats, ended.session.holds) == ("open", {"first": 1}, {})


ASKS = (FormQuestion(id="mat", label="Which mat?", required=True),)


class TestAnswers:
    """A hold needs none until it is confirmed; a request keeps those that it came with."""

    def confirmed(self, desk: Desk, held: Booked, answers: dict[str, str] | None, **more: Any) -> Booked:
        decision = holding.confirm(
            held.booking,
            desk.sessions[held.session.id],
            client=CLIENT,
            notes=None,
            question=desk.asked(),
            answers=answers,
            **{"author": BY_CLIENT} | more,
        )
        return desk.commit(decision)

    def test_they_come_with_the_form(self) -> None:
        desk = Desk(service(questions=ASKS))
        held = desk.place(holding.hold, "mine")
        for missing in (None, {}):
            with pytest.raises(Invalid):
                self.confirmed(desk, held, missing)
        assert self.confirmed(desk, held, {"mat": " thin "}).booking.answers == {"mat": "thin"}

    def test_confirming_twice_asks_for_nothing(self) -> None:
        desk = Desk(service(questions=ASKS))
        booked = self.confirmed(desk, desk.place(holding.hold, "mine"), {"mat": "thin"})
        assert self.confirmed(desk, booked, None).booking.answers == {"mat": "thin"}

    def test_an_operator_who_confirms_a_request_keeps_them(self) -> None:
        desk = Desk(service(questions=ASKS, confirmation="operator"))
        asked = self.confirmed(desk, desk.place(holding.hold, "mine"), {"mat": "thin"})
        assert (asked.booking.requested, asked.booking.answers) == (True, {"mat": "thin"})
        assert self.confirmed(desk, asked, None, author=BY_OPERATOR).booking.answers == {"mat": "thin"}

    def test_an_operator_may_correct_them(self) -> None:
        desk = Desk(service(questions=ASKS, confirmation="operator"))
        asked = self.confirmed(desk, desk.place(holding.hold, "mine"), {"mat": "thin"})
        assert self.confirmed(desk, asked, {"mat": "thick"}, author=BY_OPERATOR).booking.answers == {"mat": "thick"}

    @pytest.mark.parametrize("how", [book, holding.ask], ids=["a booking", "a request"])
    def test_what_is_booked_has_those_of_its_wish(self, how: Any) -> None:
        desk = Desk(service(questions=ASKS))
        wish = request(NINE, answers={"mat": "thin"}, series="mondays")
        made = desk.commit(how(wish, seating(desk.asked(), NINE), author=BY_CLIENT)).booking
        assert (made.answers, made.series) == ({"mat": "thin"}, "mondays")
