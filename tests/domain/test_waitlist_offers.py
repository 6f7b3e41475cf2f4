"""What becomes of an offer: accepted, declined, run out, withdrawn. Whoever is next hears of it at once."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain.appointments import Booked
from functions.domain.configuration import ClientLimits
from functions.domain.decision import Author
from functions.domain.errors import HoldLapsed, IllegalMove, StartClosed
from functions.domain.hours import DailyInterval
from functions.domain.instants import MINUTE_MS
from functions.domain.missing_event import CALENDAR_DELETE
from functions.domain.waitlist import answering
from functions.domain.waitlist.answering import DECLINED, RAN_OUT, WITHDRAWN
from functions.domain.waitlist.entry import WaitlistEntry
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.preset import RULE
from tests.domain.builders import BY_CLIENT, BY_OPERATOR, service
from tests.domain.waitlist_world import EVENT, NOON, TEN, World, at, rules

TWO_HOURS = 120 * MINUTE_MS
GOOGLE = Author(kind="google")


@pytest.fixture
def world() -> World:
    """Classes of three at ten and at noon, full; Ann has an offer for ten, Ben waits behind her."""
    world = World(service=service(**EVENT))
    world.full()
    world.full("noon", NOON)
    world.join("ann", notes="by the window", answers={"diet": "none"})
    world.join("ben")
    world.offer("ann")
    world.effects.clear()
    world.history.clear()
    return world


def kinds(world: World) -> list[tuple[str, str, str | None]]:
    return [(effect.kind, effect.subject, effect.about) for effect in world.effects]


def after_the_task(world: World, name: str) -> Booked:
    world.serve_all()
    world.truth()
    return world.booked(world.entries[name].booking or "")


class TestAccepted:
    def test_it_is_a_booking(self, world: World) -> None:
        booked = world.accept("ann")
        assert (booked.booking.status, booked.booking.expires_at) == ("confirmed", None)
        assert (booked.booking.notes, booked.booking.answers) == ("by the window", {"diet": "none"})
        assert world.sessions["ten"].seats[booked.booking.id] == 1
        assert world.sessions["ten"].holds == {}
        entry = world.entries["ann"]
        assert (entry.status, entry.booking, entry.ended_by) == ("booked", booked.booking.id, None)
        assert world.queue.offered == {}
        assert kinds(world) == [("notify", booked.booking.id, "confirmed")]
        world.truth()

    def test_history_says_whose_it_was_and_in_which_session(self, world: World) -> None:
        world.accept("ann")
        confirmed, noted = world.history
        assert (confirmed.what, confirmed.author) == ("booking.confirmed", BY_CLIENT)
        assert (noted.what, noted.author, noted.entry, noted.service) == ("waitlist.booked", BY_CLIENT, "ann", "cut")
        assert (noted.session, noted.booking) == ("ten", world.entries["ann"].booking)
        assert (noted.before, noted.after) == ({"status": "offered"}, {"status": "booked"})

    def test_twice_is_once(self, world: World) -> None:
        world.accept("ann")
        before = len(world.history)
        again = world.accept("ann")
        assert again.booking.status == "confirmed"
        assert len(world.history) == before

    def test_to_the_last_moment(self, world: World) -> None:
        world.now += TWO_HOURS - 1
        assert world.accept("ann").booking.status == "confirmed"

    def test_not_once_it_has_run_out_though_the_seats_are_still_there(self, world: World) -> None:
        world.now += TWO_HOURS
        with pytest.raises(HoldLapsed, match="has run out"):
            world.accept("ann")

    def test_not_once_somebody_has_cancelled_it(self, world: World) -> None:
        world.cancel(world.entries["ann"].booking or "", BY_OPERATOR)
        with pytest.raises(IllegalMove, match="cancelled"):
            world.accept("ann")

    def test_not_by_one_who_has_as_many_bookings_as_a_client_may_have(self, world: World) -> None:
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        entry, offer = world.entries["ann"], world.booked(world.entries["ann"].booking or "")
        key = entry.place.client_key
        theirs = world.waitlist.with_client(key, world.bookings_of(world.bookings["noon0"].client_key))
        with pytest.raises(StartClosed):
            answering.accept(entry, offer, theirs, author=BY_CLIENT)
        nothing_else = world.waitlist.with_client(key, ())
        assert answering.accept(entry, offer, nothing_else, author=BY_CLIENT).answer.booking.status == "confirmed"

    def test_at_once_also_where_an_operator_confirms_what_clients_book(self, world: World) -> None:
        world.service = world.service.model_copy(update={"confirmation": "operator"})
        assert world.accept("ann").booking.status == "confirmed"

    def test_what_an_operator_confirmed_already_is_theirs(self, world: World) -> None:
        entry, offer = world.entries["ann"], world.booked(world.entries["ann"].booking or "")
        confirmed = replace(offer, booking=offer.booking.model_copy(update={"status": "confirmed", "expires_at": None}))
        decision = answering.accept(entry, confirmed, world.waitlist, author=BY_CLIENT)
        (after,) = [each for each in decision.documents if isinstance(each, WaitlistEntry)]
        assert after.status == "booked"

    def test_after_the_booking_was_cancelled_there_is_nothing_to_accept(self, world: World) -> None:
        booked = world.accept("ann")
        world.cancel(booked.booking.id)
        with pytest.raises(IllegalMove):
            world.accept("ann")


class TestDeclined:
    def test_who_wants_nothing_else_waits_no_longer(self, world: World) -> None:
        entry = world.decline("ann")
        assert (entry.status, entry.ended_by, entry.reason) == ("left", "client", DECLINED)
        assert "ann" not in {*world.queue.places, *world.queue.offered}
        assert world.bookings[entry.booking or ""].status == "cancelled"
        world.truth()

    def test_the_next_in_line_is_asked_at_once(self, world: World) -> None:
        world.decline("ann")
        assert ("promote", "cut", None) in kinds(world)
        assert after_the_task(world, "ben").booking.status == "held"

    def test_nobody_is_told_who_did_it_themselves(self, world: World) -> None:
        world.decline("ann")
        assert "notify" not in {effect.kind for effect in world.effects}

    def test_history_says_so(self, world: World) -> None:
        world.decline("ann")
        let_go, left = world.history
        assert (let_go.what, let_go.why) == ("booking.let_go", DECLINED)
        assert (left.what, left.entry, left.session, left.why) == ("waitlist.left", "ann", "ten", DECLINED)

    def test_who_wants_something_else_goes_on_waiting_for_that_at_their_place(self, world: World) -> None:
        world.join("cem", "ten", "noon", priority=5)
        joined_at = world.entries["cem"].place.joined_at
        world.now += 1000
        world.offer("cem", "ten", "noon")
        entry = world.decline("cem")
        assert (entry.status, entry.booking, entry.place.declined) == ("waiting", None, (TEN,))
        assert (world.queue.places["cem"].joined_at, world.queue.places["cem"].priority) == (joined_at, 5)
        noted = world.history[-1]
        assert (noted.what, noted.before) == ("waitlist.waits_again", {"status": "offered"})
        assert (noted.author, noted.why, noted.service) == (BY_CLIENT, DECLINED, "cut")
        world.truth()

    @pytest.mark.parametrize("gone", ["cancelled", "past"])
    def test_something_else_that_is_not_there_any_more_is_nothing(self, world: World, gone: str) -> None:
        world.join("cem", "ten", "noon", priority=5)
        world.offer("cem", "ten", "noon")
        noon = world.sessions["noon"]
        away = {"status": "cancelled"} if gone == "cancelled" else {"start": world.now // MINUTE_MS - 60}
        world.sessions["noon"] = noon.model_copy(update=away)
        assert world.decline("cem").status == "left"

    def test_of_a_range_the_rest_of_it_is_something_else(self, world: World) -> None:
        world.join("cem", asked=Asked(start=TEN, end=NOON + 1), priority=5)
        world.offer("cem")
        assert world.decline("cem").status == "waiting"

    def test_of_an_appointment_the_other_starts_are(self) -> None:
        world = World(service=service())
        world.book("first")
        world.book("second", NOON)
        world.join("ann", starts=(TEN, NOON))
        world.cancel("first")
        world.serve_all()
        assert world.decline("ann").status == "waiting"
        world.cancel("second")
        world.serve_all()
        assert world.decline("ann").status == "left"
        world.truth()

    def test_the_time_of_an_appointment_is_free_again(self) -> None:
        world = World(service=service())
        world.book("first")
        world.join("ann", asked=Asked(start=TEN))
        world.cancel("first")
        world.serve_all()
        world.decline("ann")
        assert world.book("quick").session.status == "open"
        world.truth()

    def test_after_it_ran_out_it_may_still_be_declined(self, world: World) -> None:
        world.now += TWO_HOURS
        assert world.decline("ann").status == "left"

    def test_twice_is_once_for_who_wants_nothing_else(self, world: World) -> None:
        left = world.decline("ann")
        before = len(world.history)
        assert world.decline("ann") == left
        assert len(world.history) == before

    def test_twice_is_once_for_who_goes_on_waiting(self, world: World) -> None:
        world.join("cem", "ten", "noon", priority=5)
        world.offer("cem", "ten", "noon")
        waits = world.decline("cem")
        before = len(world.history)
        assert answering.decline(waits, None, world.waitlist, author=BY_CLIENT).writes_nothing
        assert len(world.history) == before

    @pytest.mark.parametrize("status", ["waiting", "booked", "left", "expired"])
    def test_not_by_one_who_has_none(self, world: World, status: str) -> None:
        entry = world.entries["ben"].model_copy(update={"status": status, "reason": "something else"})
        with pytest.raises(IllegalMove, match="no offer") as refused:
            answering.decline(entry, None, world.waitlist, author=BY_CLIENT)
        assert refused.value.extra == {"current_status": status}

    def test_not_what_is_not_offered(self, world: World) -> None:
        booking = world.booked(world.entries["ann"].booking or "")
        with pytest.raises(IllegalMove, match="no offer"):
            answering.decline(world.entries["ben"], booking, world.waitlist, author=BY_CLIENT)

    def test_not_what_somebody_has_cancelled(self, world: World) -> None:
        world.cancel(world.entries["ann"].booking or "", BY_OPERATOR)
        with pytest.raises(IllegalMove):
            world.decline("ann")


class TestRunOut:
    def test_the_client_waits_no_longer_is_told_and_the_next_is_asked(self, world: World) -> None:
        world.now += TWO_HOURS
        offered = after_the_task(world, "ben")
        entry = world.entries["ann"]
        assert (entry.status, entry.ended_by, entry.reason) == ("expired", "rule", RAN_OUT)
        assert ("notify", "ann", "offer_lapsed") in kinds(world)
        assert offered.booking.status == "held"
        assert offered.booking.expires_at == world.now + TWO_HOURS

    def test_not_a_moment_before(self, world: World) -> None:
        world.now += TWO_HOURS - 1
        assert world.serve_all() == []
        assert world.entries["ann"].status == "offered"

    def test_history_says_so(self, world: World) -> None:
        world.now += TWO_HOURS
        world.step()
        lapsed, expired = world.history
        assert lapsed.what == "booking.lapsed"
        assert (expired.what, expired.entry, expired.session) == ("waitlist.expired", "ann", "ten")
        assert (expired.author, expired.why) == (RULE, RAN_OUT)

    def test_in_quiet_hours_the_client_is_told_when_they_end(self, world: World) -> None:
        # An offer does not run out in them, unless the cut-off ends it.
        world.preset = rules(quiet=DailyInterval(start="22:00", end="06:30"))
        world.now = at("05:00")
        world.step()
        (told,) = [effect for effect in world.effects if effect.about == "offer_lapsed"]
        assert told.not_before == at("06:30")


class TestWithdrawn:
    """Somebody else cancelled what was offered."""

    def test_by_google_the_client_is_back_at_their_place_and_told(self, world: World) -> None:
        world.cancel(world.entries["ann"].booking or "", GOOGLE)
        assert ("notify", world.entries["ann"].booking, "cancelled") not in kinds(world), "they had no booking"
        world.step()
        assert world.entries["ann"].status == "waiting"
        assert ("notify", "ann", "offer_withdrawn") in kinds(world)
        assert (world.history[-1].why, world.history[-1].author) == (WITHDRAWN, RULE)
        assert world.serve_all() == ["ann"]
        world.truth()

    def test_by_an_operator_it_is_for_them_to_say_what_comes_next(self, world: World) -> None:
        world.cancel(world.entries["ann"].booking or "", BY_OPERATOR)
        assert world.serve_all() == ["ben"]
        assert world.queue.places["ann"].paused
        world.truth()

    def test_with_the_whole_session_they_wait_in_vain_and_hear_of_it_once(self, world: World) -> None:
        world.is_cancelled("ten")
        world.serve_all()
        entry = world.entries["ann"]
        assert (entry.status, entry.reason, entry.ended_by) == ("expired", WITHDRAWN, "rule")
        noted = next(each for each in world.history if each.what == "waitlist.expired" and each.entry == "ann")
        assert (noted.session, noted.booking, noted.author) == ("ten", entry.booking, RULE)
        told = [about for kind, subject, about in kinds(world) if (kind, subject) == ("notify", "ann")]
        assert told == ["in_vain"]
        world.truth()

    def test_with_the_whole_session_they_go_on_waiting_for_another(self, world: World) -> None:
        world.join("cem", "ten", "noon", priority=5)
        world.offer("cem", "ten", "noon")
        world.is_cancelled("ten")
        world.serve_all()
        assert world.entries["cem"].status == "waiting"
        world.cancel("noon0")
        assert world.serve_all() == ["cem"]


class TestSettled:
    """What the task makes of an offer's booking, whoever changed it."""

    def settle(self, world: World, **changes: Any) -> Any:
        offer = world.booked(world.entries["ann"].booking or "")
        changed = offer.booking.model_copy(update=changes)
        return answering.settle(world.entries["ann"], replace(offer, booking=changed), world.waitlist)

    def test_while_it_holds_there_is_nothing_to_do(self, world: World) -> None:
        settled = self.settle(world)
        assert settled.writes_nothing
        assert settled.answer == world.entries["ann"]

    @pytest.mark.parametrize("status", ["waiting", "booked", "left", "expired"])
    def test_of_an_entry_that_has_no_offer_any_more_there_is_nothing_to_do(self, world: World, status: str) -> None:
        world.entries["ann"] = world.entries["ann"].model_copy(update={"status": status})
        assert self.settle(world, status="cancelled").writes_nothing

    @pytest.mark.parametrize("status", ["confirmed", "completed", "no_show"])
    def test_what_has_become_a_booking_is_one(self, world: World, status: str) -> None:
        settled = self.settle(world, status=status, expires_at=None)
        assert (settled.answer.status, settled.answer.ended_by) == ("booked", None)
        assert [(e.what, e.author, e.session) for e in settled.history] == [("waitlist.booked", RULE, "ten")]


def test_what_google_says_of_a_session_reaches_those_who_have_an_offer(world: World) -> None:
    world.is_cancelled("ten")
    booking = world.bookings[world.entries["ann"].booking or ""]
    assert (booking.cancelled_by, booking.reason) == ("google", CALENDAR_DELETE)
    assert ("notify", booking.id, "cancelled") not in kinds(world)
    assert ("notify", "ten1", "cancelled") in kinds(world)
