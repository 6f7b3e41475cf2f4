"""Seats that are kept for those who wait: from whom, for whom, until when; and never for somebody who could not have them."""

from typing import Any

import pytest

from functions.domain.availability import Closed, explain, open_starts
from functions.domain.configuration import ClientLimits
from functions.domain.decision import Decision
from functions.domain.errors import SlotTaken
from functions.domain.instants import MINUTE_MS
from functions.domain.intervals import Interval
from functions.domain.waitlist.entry import Wish
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.keeping import keeping, waiting_for
from tests.domain.builders import BY_OPERATOR, NOW, resource, service
from tests.domain.waitlist_world import ALWAYS, EVENT, NOON, TEN, World, at, rules


def sold_out(seats: int = 3, **rules_: Any) -> World:
    world = World(service=service(**EVENT | {"capacity": seats}), preset=rules(**{"mode": "manual"} | rules_))
    world.full()
    return world


def comes_free(world: World, seats: int = 1) -> None:
    for booking in sorted(world.sessions["ten"].seats)[:seats]:
        world.cancel(booking)


def wish_for(session: str, start: int) -> Wish:
    return Wish(sessions=(session,), starts=(start,), start=start, end=start + 1)


def is_open(world: World, seats: int = 1, *, start: int = TEN, from_waitlist: bool = False) -> bool:
    """Whether anybody (or one who waits) could book so many seats of the class at ten."""
    question = world.question(seats=seats, from_waitlist=from_waitlist)
    found = list(open_starts(question, Interval(start, start + 1))) == [start]
    assert found == (explain(question, start) == ()), "the engine and its explanation agree"
    return found


class TestASeatThatComesFree:
    def test_is_kept_for_who_waits(self) -> None:
        world = sold_out()
        world.join("ann")
        comes_free(world)
        assert not is_open(world)
        assert is_open(world, from_waitlist=True)
        with pytest.raises(SlotTaken):
            world.book("quick")
        assert [reason.rule for reason in explain(world.question(), TEN)] == [Closed.WAITLIST]

    def test_is_open_to_everybody_where_nobody_waits(self) -> None:
        world = sold_out()
        comes_free(world)
        assert is_open(world)

    def test_is_open_again_once_they_have_left(self) -> None:
        world = sold_out()
        world.join("ann")
        comes_free(world)
        world.leave("ann")
        assert is_open(world)

    def test_is_kept_until_the_cut_off(self) -> None:
        world = sold_out(cutoff_minutes=60)
        world.join("ann")
        comes_free(world)
        world.now = at("09:00") - 1
        assert not is_open(world)
        world.now += 1
        assert is_open(world)

    def test_is_anybodys_where_it_is_too_few_for_every_party(self) -> None:
        world = sold_out()
        world.join("pair", seats=2)
        comes_free(world)
        assert is_open(world)
        comes_free(world)
        assert not is_open(world)

    def test_is_kept_under_the_strict_policy_however_few(self) -> None:
        world = sold_out(party="strict")
        world.join("pair", seats=2)
        comes_free(world)
        assert not is_open(world)

    def test_is_kept_for_the_smallest_party(self) -> None:
        world = sold_out()
        world.join("pair", seats=2)
        world.join("one")
        comes_free(world)
        assert not is_open(world)

    def test_what_the_line_can_not_use_is_open_once_it_has_been_served(self) -> None:
        world = sold_out(mode="offer")
        world.join("ann")
        comes_free(world, 2)
        assert not is_open(world)
        world.serve_all()
        assert is_open(world)
        assert not is_open(world, 2), "one of two is hers"


class TestWhoCouldNotHaveIt:
    """No seat stays closed because of somebody who can't be served."""

    def test_who_declined_it(self) -> None:
        world = sold_out(mode="offer")
        world.full("noon", NOON)
        world.offer("ann", "ten", "noon")
        world.decline("ann")
        assert is_open(world)
        assert world.sessions["noon"].waiting is not None, "but for noon she waits"

    def test_about_whom_an_operator_decides_by_hand(self) -> None:
        world = sold_out()
        world.join("ann")
        comes_free(world)
        world.change("ann", author=BY_OPERATOR, paused=True)
        assert is_open(world)
        world.change("ann", author=BY_OPERATOR, paused=False)
        assert not is_open(world)

    def test_a_party_that_is_larger_than_the_class_by_now(self) -> None:
        world = sold_out(party="strict")
        world.join("trio", seats=3)
        comes_free(world, 2)
        assert not is_open(world)
        world.sessions["ten"] = world.sessions["ten"].model_copy(update={"capacity": 2})
        world.serve_all()
        assert is_open(world)

    @pytest.mark.parametrize("mode", ["offer", "autopromote", "splitter"])
    def test_who_has_as_many_bookings_as_a_client_may_have(self, mode: str) -> None:
        world = sold_out(mode=mode)
        world.full("noon", NOON)
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        world.join("noon0", "ten")
        comes_free(world)
        assert not is_open(world), "nobody has looked yet"
        world.serve_all()
        assert world.queue.places["noon0"].limited == (TEN,)
        assert is_open(world)
        world.truth()

    def test_until_the_limit_leaves_room_again(self) -> None:
        world = sold_out(mode="offer")
        world.full("noon", NOON)
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        world.join("noon0", "ten")
        comes_free(world)
        world.serve_all()
        world.book("quick")
        world.serve_all()
        assert world.queue.places["noon0"].limited == (), "nothing is free that a limit could keep from them"
        world.cancel("noon0")
        world.cancel("quick")
        assert not is_open(world)
        assert world.serve_all() == ["noon0"]

    def test_a_limit_of_one_day_keeps_seats_of_another(self) -> None:
        world = sold_out(mode="offer")
        world.full("noon", NOON)
        world.full("tomorrow", TEN + 24 * 60)
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(per_day=1)})
        world.join("noon0", "ten", "tomorrow")
        comes_free(world)
        world.serve_all()
        assert is_open(world)
        world.cancel("tomorrow0")
        assert not is_open(world, start=TEN + 24 * 60)


class TestWhichSessions:
    """`waiting_for`: whose seats are kept."""

    def test_those_that_are_named(self) -> None:
        world = sold_out()
        world.full("noon", NOON)
        world.join("ann", "noon")
        assert world.sessions["ten"].waiting is None
        assert world.sessions["noon"].waiting is not None

    def test_not_those_of_a_range(self) -> None:
        world = sold_out()
        world.join("ann", asked=Asked(start=TEN, end=NOON))
        assert world.sessions["ten"].waiting is None
        comes_free(world)
        assert is_open(world)

    def test_not_those_of_a_range_of_an_appointment(self) -> None:
        world = World(service=service(capacity=2), preset=rules(mode="manual"))
        world.book("first", seats=2)
        world.book("second", TEN + 60, seats=2)
        world.join("ann", asked=Asked(start=TEN, end=TEN + 61))
        assert world.sessions["of first"].waiting is None

    def test_one_that_is_longer_than_the_usual_ones(self) -> None:
        world = sold_out()
        world.moves(world.sessions["ten"].moved_to(TEN, TEN + 90, at=NOW))
        world.join("ann")
        assert world.sessions["ten"].waiting is not None

    def test_not_one_that_is_cancelled(self) -> None:
        world = sold_out()
        world.join("ann")
        assert world.sessions["ten"].waiting is not None
        world.is_cancelled("ten")
        assert waiting_for(world.sessions["ten"], world.waitlist) is None

    def test_the_only_seat_of_one_that_was_scheduled(self) -> None:
        world = sold_out(1)
        world.join("ann")
        comes_free(world)
        assert not is_open(world)

    def test_only_those_of_which_the_word_changes_are_written(self) -> None:
        world = sold_out()
        world.full("noon", NOON)
        world.join("ann", "ten", "noon")
        nothing = keeping(Decision(answer=None), world.waitlist)
        assert nothing.writes_nothing
        smaller = world.queue.places["ann"].model_copy(update={"wish": wish_for("noon", NOON)})
        changed = keeping(Decision(answer=None), world.waitlist.with_queue(world.queue.waiting("ann", smaller)))
        assert [document.id for document in changed.documents] == ["ten"]  # type: ignore[attr-defined]
        assert [set(change.sessions) for change in changed.changes] == [{"ten"}]

    def test_one_with_rules_of_its_own_by_these(self) -> None:
        world = sold_out(cutoff_minutes=0)
        world.has_rules("ten", rules(id="own", party="strict", cutoff_minutes=90))
        world.join("ann")
        waiting = world.sessions["ten"].waiting
        assert waiting is not None
        assert (waiting.until, waiting.strict) == (TEN - 90, True)

    def test_new_rules_hold_from_the_next_look_on(self) -> None:
        world = sold_out(cutoff_minutes=60)
        world.join("ann")
        world.preset = rules(mode="manual", cutoff_minutes=30, party="strict")
        world.serve_all()
        waiting = world.sessions["ten"].waiting
        assert waiting is not None
        assert (waiting.until, waiting.strict) == (TEN - 30, True)
        world.truth()

    def test_an_event_that_is_moved_keeps_them_until_the_cut_off_of_its_new_time(self) -> None:
        world = sold_out(cutoff_minutes=60)
        world.join("ann")
        world.moves(world.sessions["ten"].moved_to(NOON, NOON + 60, at=NOW))
        comes_free(world)
        world.now = at("10:59")
        assert not is_open(world, start=NOON)
        world.now += MINUTE_MS
        assert is_open(world, start=NOON)


class TestAppointments:
    """Sessions that come and go with their bookings: waited for is the start."""

    def group(self, **changes: Any) -> World:
        world = World(service=service(**{"capacity": 2} | changes), preset=rules(mode="manual"))
        world.book("first", seats=2)
        return world

    def test_a_seat_in_the_group_that_runs_there_is_kept(self) -> None:
        world = self.group()
        world.book("other", NOON, seats=2)
        world.join("ann", asked=Asked(start=TEN))
        assert world.sessions["of first"].waiting is not None
        assert world.sessions["of other"].waiting is None

    def test_also_in_one_that_began_anew_from_the_next_look_on(self) -> None:
        world = self.group()
        world.join("ann", asked=Asked(start=TEN))
        world.cancel("first")
        assert is_open(world), "time is not kept, only seats are"
        world.book("second")
        assert is_open(world)
        world.serve_all()
        assert not is_open(world)
        world.truth(marks=True)

    def test_it_is_not_kept_any_more_where_the_group_has_moved_away_from_that_start(self) -> None:
        world = self.group()
        world.join("ann", asked=Asked(start=TEN))
        world.moves(world.sessions["of first"].moved_to(NOON, NOON + 60, at=NOW))
        assert world.sessions["of first"].waiting is None
        assert waiting_for(world.sessions["of first"], world.waitlist) is None

    def test_not_of_a_group_of_another_length(self) -> None:
        world = self.group(durations=(60, 90))
        world.join("ann", asked=Asked(start=TEN))
        longer = world.sessions["of first"].moved_to(TEN, TEN + 90, at=NOW)
        assert waiting_for(longer, world.waitlist) is None
        world.join("ben", asked=Asked(start=TEN, duration=90))
        assert waiting_for(longer, world.waitlist) is not None

    def test_not_of_a_group_of_somebody_else(self) -> None:
        both = (resource("anna", hours=ALWAYS), resource("ben", hours=ALWAYS))
        world = World(service=service(capacity=2, resources=("anna", "ben")), resources=both)
        world.book("first", seats=2)
        world.book("second", seats=2)
        world.join("zoe", asked=Asked(start=TEN, resource="ben"))
        assert world.sessions["of first"].waiting is None
        assert world.sessions["of second"].waiting is not None

    def test_a_party_larger_than_the_service_has_by_now_keeps_nothing(self) -> None:
        world = self.group(capacity=3)
        world.book("rest", seats=1)
        world.join("trio", asked=Asked(start=TEN), seats=3)
        assert world.sessions["of first"].waiting is not None
        world.service = world.service.model_copy(update={"capacity": 2})
        assert waiting_for(world.sessions["of first"], world.waitlist) is None

    def test_an_appointment_of_one_seat_ends_with_its_booking_and_keeps_nothing(self) -> None:
        world = World(service=service(), preset=rules(mode="manual"))
        world.book("first")
        world.join("ann", asked=Asked(start=TEN))
        assert world.sessions["of first"].waiting is None
        world.cancel("first")
        assert is_open(world)
