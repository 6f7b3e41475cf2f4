"""Leaving a waitlist, being put back on it, and changing what one waits with."""

from dataclasses import replace
from typing import Any

import pytest

from functions.domain.appointments import Booked
from functions.domain.decision import Effect
from functions.domain.errors import AlreadyWaiting, IllegalMove, Invalid, NoWaitlist
from functions.domain.hours import DailyInterval
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Booking, Client
from functions.domain.waitlist import leaving
from functions.domain.waitlist.answering import WITHDRAWN
from functions.domain.waitlist.entry import MOST_WAITING, Place, Wish
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.leaving import CANCELLED, LEFT, OVER, PUT_ON, TAKEN_OFF
from functions.domain.waitlist.preset import RULE
from tests.domain.builders import BY_CLIENT, BY_OPERATOR, NOW, copy, resource, service
from tests.domain.waitlist_world import ALWAYS, EVENT, NOON, TEN, World, at, person, rules


@pytest.fixture
def world() -> World:
    """A class of three at ten, full; Ann and then Ben wait for it."""
    world = World(service=service(**EVENT), preset=rules(mode="offer"))
    world.full()
    world.join("ann", seats=2)
    world.now += 1
    world.join("ben")
    world.effects.clear()
    world.history.clear()
    return world


def told(world: World, name: str) -> list[str | None]:
    return [effect.about for effect in world.effects if (effect.kind, effect.subject) == ("notify", name)]


class TestLeaving:
    def test_who_waits_waits_no_longer(self, world: World) -> None:
        entry = world.leave("ann")
        assert (entry.status, entry.ended_by, entry.reason) == ("left", "client", LEFT)
        assert set(world.queue.places) == {"ben"}
        assert told(world, "ann") == []
        assert Effect(kind="promote", subject="cut") in world.effects, "it may be the next one's turn"
        world.truth()

    def test_history_says_who_left(self, world: World) -> None:
        world.leave("ann")
        (noted,) = world.history
        assert (noted.what, noted.entry, noted.author, noted.why) == ("waitlist.left", "ann", BY_CLIENT, LEFT)
        assert (noted.before, noted.after) == ({"status": "waiting"}, {"status": "left"})

    def test_who_has_an_offer_gives_it_to_the_next(self, world: World) -> None:
        world.offer("ben")
        world.leave("ben")
        assert world.sessions["ten"].holds == {}
        freed = world.bookings[world.entries["ben"].booking or ""]
        assert (freed.status, freed.reason) == ("cancelled", LEFT)
        assert world.history[-1].session == "ten"
        world.truth()

    def test_an_offer_that_somebody_cancelled_a_moment_ago_is_no_obstacle(self, world: World) -> None:
        world.offer("ben")
        world.cancel(world.entries["ben"].booking or "", BY_OPERATOR)
        assert world.leave("ben").status == "left"
        assert "ben" not in world.queue.offered

    def test_twice_is_once(self, world: World) -> None:
        world.leave("ann")
        world.history.clear()
        assert world.leave("ann").status == "left"
        assert world.history == []

    def test_who_an_operator_takes_off_is_told(self, world: World) -> None:
        entry = world.leave("ann", author=BY_OPERATOR)
        assert (entry.ended_by, entry.reason) == ("operator", TAKEN_OFF)
        assert told(world, "ann") == ["taken_off"]

    @pytest.mark.parametrize("status", ["booked", "expired"])
    def test_not_who_has_ended_otherwise(self, world: World, status: str) -> None:
        world.entries["ann"] = world.entries["ann"].model_copy(update={"status": status})
        with pytest.raises(IllegalMove, match=status):
            world.leave("ann")

    def test_where_a_party_that_held_up_everybody_leaves_it_is_the_next_ones_turn(self, world: World) -> None:
        world.preset = rules(mode="autopromote", party="strict")
        world.cancel("ten0")
        assert world.serve_all() == []
        world.leave("ann")
        assert world.serve_all() == ["ben"]

    def test_what_they_were_last_is_kept_with_the_entry(self, world: World) -> None:
        world.cancel("ten0")
        world.serve_all()
        assert world.leave("ann").place.passed_over == 1


class TestInVain:
    """Nothing is left to wait for."""

    def hopeless(self, world: World) -> None:
        world.effects.clear()
        world.serve_all()
        world.truth()

    def test_once_it_begins(self, world: World) -> None:
        world.now = TEN * MINUTE_MS
        self.hopeless(world)
        assert world.entries["ann"].status == "waiting", "to the very moment"
        world.now += 1
        self.hopeless(world)
        entry = world.entries["ann"]
        assert (entry.status, entry.ended_by, entry.reason) == ("expired", "rule", OVER)
        assert told(world, "ann") == ["in_vain"]
        assert world.queue.size == 0

    def test_once_it_can_not_be_booked_any_more(self, world: World) -> None:
        world.service = world.service.model_copy(update={"notice_minutes": 120})
        world.now = at("08:00")
        self.hopeless(world)
        assert world.entries["ann"].status == "waiting"
        world.now += 1
        self.hopeless(world)
        assert world.entries["ann"].status == "expired"

    def test_once_it_is_cancelled(self, world: World) -> None:
        world.is_cancelled("ten")
        self.hopeless(world)
        assert (world.entries["ann"].status, world.entries["ann"].reason) == ("expired", CANCELLED)
        assert (world.history[-1].what, world.history[-1].author) == ("waitlist.expired", RULE)

    def test_not_as_long_as_one_of_several_is_left(self, world: World) -> None:
        world.full("noon", NOON)
        world.join("cem", "ten", "noon")
        world.is_cancelled("ten")
        self.hopeless(world)
        assert world.entries["cem"].status == "waiting"
        world.is_cancelled("noon")
        self.hopeless(world)
        assert world.entries["cem"].status == "expired"

    def test_not_where_it_was_moved(self, world: World) -> None:
        world.moves(world.sessions["ten"].moved_to(NOON, NOON + 60, at=NOW))
        world.now = (TEN + 60) * MINUTE_MS
        self.hopeless(world)
        assert world.entries["ann"].status == "waiting"

    def test_a_range_to_its_end(self, world: World) -> None:
        world.join("cem", asked=Asked(start=TEN, end=NOON))
        world.now = (NOON - 1) * MINUTE_MS
        self.hopeless(world)
        assert world.entries["cem"].status == "waiting"
        world.now += 1
        self.hopeless(world)
        assert world.entries["cem"].status == "expired"

    def test_an_appointment_of_which_the_session_ended_goes_on_being_waited_for(self) -> None:
        world = World(service=service(capacity=2), preset=rules(paused=True))
        world.book("first", seats=2)
        world.join("ann", asked=Asked(start=TEN))
        world.cancel("first")
        self.hopeless(world)
        assert world.entries["ann"].status == "waiting"

    def test_in_quiet_hours_they_are_told_when_these_end(self, world: World) -> None:
        world.preset = rules(quiet=DailyInterval(start="22:00", end="06:30"))
        world.is_cancelled("ten")
        world.now = at("05:00")
        self.hopeless(world)
        (effect,) = [each for each in world.effects if each.subject == "ann"]
        assert effect == Effect(kind="notify", subject="ann", about="in_vain", not_before=at("06:30"))

    def test_nothing_where_there_is_hope(self, world: World) -> None:
        assert leaving.give_up(world.entries["ann"], world.waitlist).writes_nothing

    @pytest.mark.parametrize("read_late", ["the entry", "the queue"])
    def test_nothing_for_who_was_served_while_it_was_read(self, world: World, read_late: str) -> None:
        waitlist, entry = world.waitlist, world.entries["ben"]
        world.now = TEN * MINUTE_MS + 1
        if read_late == "the entry":
            late = replace(waitlist, now=world.now)
            gone = entry.model_copy(update={"status": "left"})
            assert leaving.give_up(gone, late).writes_nothing
        else:
            late = replace(waitlist, now=world.now, queue=waitlist.queue.without("ben"))
            assert leaving.give_up(entry, late).writes_nothing

    def test_nothing_for_who_does_not_wait_any_more(self, world: World) -> None:
        entry = world.leave("ann")
        world.now = TEN * MINUTE_MS + 1
        assert leaving.give_up(entry, world.waitlist).writes_nothing


class TestPutBack:
    """Who left, or waited in vain, by an operator."""

    def test_at_the_place_they_had(self, world: World) -> None:
        before = world.entries["ann"].place
        world.leave("ann")
        world.now += 1000
        world.effects.clear()
        entry = world.put_back("ann")
        assert (entry.status, entry.place, entry.ended_by, entry.reason) == ("waiting", before, None, None)
        assert told(world, "ann") == ["waiting"]
        noted = world.history[-1]
        assert (noted.what, noted.author, noted.before) == ("waitlist.put_back", BY_OPERATOR, {"status": "left"})
        world.truth()

    def test_after_an_offer_ran_out(self, world: World) -> None:
        world.offer("ben")
        world.now += 120 * MINUTE_MS
        world.step()
        assert world.entries["ben"].status == "expired"
        entry = world.put_back("ben")
        assert (entry.status, entry.booking) == ("waiting", None)

    @pytest.mark.parametrize("status", ["waiting", "offered", "booked"])
    def test_not_one_who_is(self, world: World, status: str) -> None:
        world.entries["ann"] = world.entries["ann"].model_copy(update={"status": status})
        with pytest.raises(IllegalMove):
            world.put_back("ann")

    def test_not_for_what_has_begun(self, world: World) -> None:
        world.leave("ann")
        world.now = TEN * MINUTE_MS + 1
        with pytest.raises(IllegalMove, match="begun or is cancelled"):
            world.put_back("ann")

    def test_not_for_what_was_withdrawn_for_good(self, world: World) -> None:
        world.offer("ben")
        world.is_cancelled("ten")
        world.serve_all()
        assert world.entries["ben"].reason == WITHDRAWN
        with pytest.raises(IllegalMove, match="begun or is cancelled"):
            world.put_back("ben")

    def test_not_who_waits_for_it_by_another_entry(self, world: World) -> None:
        world.leave("ann")
        world.join("anew", client=person("ann"))
        with pytest.raises(AlreadyWaiting):
            world.put_back("ann")

    def test_not_where_there_is_no_room_in_the_line(self, world: World) -> None:
        world.leave("ann")
        crowd(world)
        with pytest.raises(NoWaitlist):
            world.put_back("ann")


def crowd(world: World) -> None:
    place = Place(wish=Wish(start=NOON, end=NOON + 1), seats=1, client_key="somebody", joined_at=NOW)
    world.queue = world.queue.model_copy(update={"places": {f"w{number}": place for number in range(MOST_WAITING)}})


class TestABookingPutOnTheWaitlist:
    def test_its_seats_are_free_and_its_client_waits_for_the_same_session(self, world: World) -> None:
        world.effects.clear()
        world.bookings["ten0"] = world.bookings["ten0"].model_copy(update={"notes": "by the window"})
        entry = world.put_on("ten0")
        assert entry.notes == "by the window"
        assert world.bookings["ten0"].status == "cancelled"
        assert world.bookings["ten0"].reason == PUT_ON
        assert "ten0" not in world.sessions["ten"].seats
        assert (entry.status, entry.client, entry.place.seats) == ("waiting", person("ten0"), 1)
        assert entry.place.wish == Wish(sessions=("ten",), starts=(TEN,), start=TEN, end=TEN + 1)
        world.truth()

    def test_they_are_told_so_and_not_that_they_are_cancelled(self, world: World) -> None:
        entry = world.put_on("ten0")
        assert told(world, "ten0") == []
        assert told(world, entry.id) == ["put_on"]

    def test_the_events_copy_in_google_hears_of_it(self, world: World) -> None:
        world.sessions["ten"] = world.sessions["ten"].with_copy(copy("2027-03-01T10:00Z/2027-03-01T11:00Z"))
        world.put_on("ten0")
        assert Effect(kind="push", subject="ten") in world.effects

    def test_history_says_what_became_of_both(self, world: World) -> None:
        entry = world.put_on("ten0")
        cancelled, waits = world.history
        assert (cancelled.what, cancelled.booking, cancelled.why) == ("booking.cancelled", "ten0", PUT_ON)
        assert (waits.what, waits.entry, waits.author) == ("waitlist.put_on", entry.id, BY_OPERATOR)
        assert (waits.before, waits.why) == ({}, PUT_ON)

    def test_they_are_in_line_for_as_long_as_they_had_it(self, world: World) -> None:
        entry = world.put_on("ten0", paused=False)
        assert entry.place.joined_at == world.bookings["ten0"].created_at == NOW
        assert world.serve_all() == [entry.id]

    def test_paused_the_seat_they_leave_is_the_next_ones(self, world: World) -> None:
        entry = world.put_on("ten0")
        assert entry.place.paused
        assert world.serve_all() == ["ben"]

    def test_who_came_from_the_waitlist_is_back_on_it_by_the_same_entry(self, world: World) -> None:
        world.offer("ben")
        booking = world.accept("ben").booking
        entry = world.put_on(booking.id)
        assert (entry.id, entry.status, entry.booking) == ("ben", "waiting", None)
        assert world.history[-1].before == {"status": "booked"}
        world.truth()

    def test_what_they_once_declined_they_want_again(self, world: World) -> None:
        world.full("noon", NOON)
        world.join("cem", "ten", "noon", priority=5)
        world.offer("cem", "ten", "noon")
        world.decline("cem")
        booking = world.promote("cem", session="ten").booking
        world.change("ann", seats=1)
        entry = world.put_on(booking.id, paused=False)
        assert entry.place.declined == ()
        assert entry.place.wish.sessions == ("ten",)

    def test_a_request_too(self, world: World) -> None:
        held = world.bookings["ten0"].model_copy(update={"status": "held", "requested": True})
        entry = world.commit(self.put_on(world, held))
        assert entry.status == "waiting"

    NO_BOOKING: dict[str, dict[str, Any]] = {  # noqa: RUF012  never changed
        "cancelled": {"status": "cancelled"},
        "completed": {"status": "completed"},
        "held": {"status": "held", "client": Client()},
        "offered": {"status": "held", "entry": "ann"},
    }

    @pytest.mark.parametrize("status", NO_BOOKING)
    def test_not_what_is_only(self, world: World, status: str) -> None:
        with pytest.raises(IllegalMove, match=f"This is {status}"):
            self.put_on(world, world.bookings["ten0"].model_copy(update=self.NO_BOOKING[status]))

    def put_on(self, world: World, booking: Booking) -> Any:
        new = leaving.entry_of(booking, entry="new", manage_hash="hash", now=world.now)
        booked = Booked(booking, world.sessions["ten"])
        return leaving.put_on(booked, new, world.waitlist, author=BY_OPERATOR, paused=True)

    @pytest.mark.parametrize(("now", "notice"), [("10:00", 0), ("09:30", 60)], ids=["begun", "too soon to wait for"])
    def test_not_one_that_has(self, world: World, now: str, notice: int) -> None:
        world.service = world.service.model_copy(update={"notice_minutes": notice})
        world.now = at(now)
        with pytest.raises(IllegalMove):
            world.put_on("ten0")

    def test_not_whose_client_waits_for_it_already(self, world: World) -> None:
        world.join("more", client=person("ten0"))
        with pytest.raises(AlreadyWaiting):
            world.put_on("ten0")

    def test_not_where_there_is_no_room_in_the_line(self, world: World) -> None:
        crowd(world)
        with pytest.raises(NoWaitlist):
            world.put_on("ten0")

    def test_of_an_appointment_they_wait_for_its_start(self) -> None:
        world = World(service=service())
        world.book("first")
        entry = world.put_on("first")
        assert entry.place.wish == Wish(starts=(TEN,), start=TEN, end=TEN + 1)
        assert world.sessions["of first"].status == "cancelled"
        world.truth()

    def test_with_the_same_person_for_as_long_where_they_chose(self) -> None:
        both = (resource("anna", hours=ALWAYS), resource("ben", hours=ALWAYS))
        offered = service(resources=("anna", "ben"), durations=(60, 90), assignment="choice")
        world = World(service=offered.model_copy(update={"assignment": "any"}), resources=both)
        world.book("first")
        world.moves(world.sessions["of first"].moved_to(TEN, TEN + 90, at=NOW))
        world.service = offered
        wish = world.put_on("first").place.wish
        assert (wish.resource, wish.duration) == ("anna", 90)


class TestChanging:
    def test_a_smaller_party_keeps_its_place_and_may_fit_now(self, world: World) -> None:
        joined_at = world.entries["ann"].place.joined_at
        world.cancel("ten0")
        world.preset = rules(party="strict")
        world.effects.clear()
        entry = world.change("ann", seats=1)
        assert (entry.place.seats, entry.place.joined_at) == (1, joined_at)
        assert Effect(kind="promote", subject="cut") in world.effects
        assert world.serve_all() == ["ann"]

    def test_a_larger_party_goes_to_the_end_of_the_line(self, world: World) -> None:
        world.now += 1000
        entry = world.change("ann", seats=3)
        assert (entry.place.seats, entry.place.joined_at) == (3, world.now)

    def test_unless_an_operator_says_so(self, world: World) -> None:
        joined_at = world.entries["ann"].place.joined_at
        world.now += 1000
        assert world.change("ann", author=BY_OPERATOR, seats=3).place.joined_at == joined_at

    @pytest.mark.parametrize("change", [{"priority": 3}, {"level": "gold"}, {"category": "member"}, {"paused": True}])
    def test_by_an_operator(self, world: World, change: dict[str, Any]) -> None:
        place = world.change("ann", author=BY_OPERATOR, **change).place
        assert place.model_dump(include=set(change)) == change
        assert world.queue.places["ann"] == place
        world.truth()

    def test_history_says_what_is_different(self, world: World) -> None:
        before = world.entries["ann"].place.joined_at
        world.now += 1000
        world.change("ann", seats=3)
        noted = world.history[-1]
        assert (noted.what, noted.entry, noted.author, noted.service) == ("waitlist.changed", "ann", BY_CLIENT, "cut")
        assert noted.before == {"seats": 2, "joined_at": before}
        assert noted.after == {"seats": 3, "joined_at": world.now}

    def test_the_session_keeps_seats_for_the_party_as_it_is_now(self, world: World) -> None:
        world.leave("ben")
        assert (waiting := world.sessions["ten"].waiting) is not None
        assert waiting.smallest == 2
        world.change("ann", seats=3)
        assert (waiting := world.sessions["ten"].waiting) is not None
        assert waiting.smallest == 3

    @pytest.mark.parametrize("change", [{}, {"seats": 2}, {"priority": 0}], ids=["nothing", "the same", "no other"])
    def test_to_what_it_is_writes_nothing(self, world: World, change: dict[str, Any]) -> None:
        queue = world.queue
        world.change("ann", author=BY_OPERATOR, **change)
        assert (world.queue, world.history) == (queue, [])

    def test_a_client_who_says_the_same_again_keeps_their_place(self, world: World) -> None:
        before = world.entries["ann"].place
        world.now += 1000
        assert world.change("ann", seats=2).place == before

    def test_not_to_more_than_there_is_room_for(self, world: World) -> None:
        with pytest.raises(Invalid, match="room for 3"):
            world.change("ann", seats=4)

    def test_of_one_who_is_too_many_by_now_the_rest_may_change(self, world: World) -> None:
        world.sessions["ten"] = world.sessions["ten"].model_copy(update={"capacity": 1})
        assert world.change("ann", author=BY_OPERATOR, priority=2).place.priority == 2

    def test_in_a_range_of_sessions_as_many_as_they_like(self, world: World) -> None:
        world.join("cem", asked=Asked(start=TEN, end=NOON))
        assert world.change("cem", seats=40).place.seats == 40

    def test_of_an_appointment_to_what_it_has_room_for(self) -> None:
        world = World(service=service(capacity=2))
        world.book("first", seats=2)
        world.join("ann", asked=Asked(start=TEN))
        assert world.change("ann", seats=2).place.seats == 2
        with pytest.raises(Invalid, match="room for 2"):
            world.change("ann", seats=3)

    def test_not_while_there_is_an_offer(self, world: World) -> None:
        world.offer("ben")
        with pytest.raises(IllegalMove, match="Answer the offer first"):
            world.change("ben", seats=2)

    @pytest.mark.parametrize("status", ["booked", "left", "expired"])
    def test_not_of_who_does_not_wait(self, world: World, status: str) -> None:
        world.entries["ann"] = world.entries["ann"].model_copy(update={"status": status})
        with pytest.raises(IllegalMove, match=status):
            world.change("ann", seats=1)

    def test_not_of_one_who_was_served_a_moment_ago(self, world: World) -> None:
        entry = world.entries["ben"]
        world.offer("ben")
        world.entries["ben"] = entry  # as it was read before the queue was
        with pytest.raises(IllegalMove, match="Look at it again"):
            world.change("ben", seats=2)
