"""Whose turn it is: who is first in line, who is passed over and why, what they get, and what an operator may do out of turn."""

from typing import Any, ClassVar

import pytest

from functions.domain.configuration import ClientLimits
from functions.domain.decision import Effect
from functions.domain.errors import IllegalMove, SlotTaken
from functions.domain.hours import DailyInterval
from functions.domain.instants import MINUTE_MS, rfc3339, rfc3339_millis
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.passing import (
    BY_HAND,
    CUT_OFF,
    HELD_UP,
    LIMITED,
    MANUAL,
    PAUSED,
    QUIET,
    UNWANTED,
    nobody_served,
)
from functions.domain.waitlist.preset import RULE
from functions.domain.waitlist.serving import MOST_NAMED
from tests.domain.builders import BY_OPERATOR, NOW, resource, service
from tests.domain.waitlist_world import ALWAYS, EVENT, NOON, TEN, World, at, person, rules

TWO_HOURS = 120 * MINUTE_MS
NIGHT = DailyInterval(start="22:00", end="07:00")


def sold_out(seats: int = 3, **rules_: Any) -> World:
    """A class at ten, full, and a rule for those who wait: who comes first is booked, if nothing else is said."""
    world = World(service=service(**EVENT | {"capacity": seats}), preset=rules(**{"mode": "autopromote"} | rules_))
    world.full()
    return world


def two_classes(seats: int = 3, **rules_: Any) -> World:
    world = sold_out(seats, **rules_)
    world.full("noon", NOON)
    return world


def comes_free(world: World, seats: int = 1, name: str = "ten") -> None:
    for booking in sorted(world.sessions[name].seats)[:seats]:
        world.cancel(booking)


class TestOrder:
    """By priority, membership level, category, then by the time joined."""

    LINES: ClassVar[dict[str, tuple[dict[str, dict[str, Any]], list[str]]]] = {
        "who joined first": ({"ann": {}, "ben": {}, "cem": {}}, ["ann", "ben", "cem"]),
        "a higher priority before a longer wait": ({"ann": {}, "ben": {"priority": 1}}, ["ben", "ann"]),
        "a lower priority after everybody": ({"ann": {"priority": -1}, "ben": {}}, ["ben", "ann"]),
        "a level before those without": ({"ann": {}, "ben": {"level": "silver"}}, ["ben", "ann"]),
        "levels in their order": ({"ann": {"level": "silver"}, "ben": {"level": "gold"}}, ["ben", "ann"]),
        "a level that is not named is none": ({"ann": {}, "ben": {"level": "tin"}}, ["ann", "ben"]),
        "a priority before a level": ({"ann": {"level": "gold"}, "ben": {"priority": 1}}, ["ben", "ann"]),
        "categories in their order": ({"ann": {"category": "guest"}, "ben": {"category": "member"}}, ["ben", "ann"]),
        "a level before a category": ({"ann": {"category": "member"}, "ben": {"level": "silver"}}, ["ben", "ann"]),
    }

    @pytest.mark.parametrize("line", LINES)
    def test_is_served_first(self, line: str) -> None:
        joined, expected = self.LINES[line]
        world = sold_out(levels=("gold", "silver"), categories=("member", "guest"))
        for name, place in joined.items():
            world.now += 1
            world.join(name, **place)
        comes_free(world, len(joined))
        assert world.serve_all() == expected
        world.truth()

    def test_two_who_joined_in_the_same_millisecond_have_an_order_too(self) -> None:
        world = sold_out()
        world.join("ben")
        world.join("ann")
        comes_free(world)
        assert world.serve_all() == ["ann"]


class TestWhoFits:
    def test_a_party_that_is_too_large_is_passed_over(self) -> None:
        world = sold_out()
        world.join("a pair", seats=2)
        world.join("ann")
        comes_free(world)
        assert world.serve_all() == ["ann"]
        comes_free(world, 2)
        assert world.serve_all() == ["a pair"]

    def test_under_the_strict_policy_everybody_waits_until_it_fits(self) -> None:
        world = sold_out(party="strict")
        world.join("a pair", seats=2)
        world.join("ann")
        comes_free(world)
        assert world.serve_all() == []
        comes_free(world)
        assert world.serve_all() == ["a pair"]

    def test_also_for_a_party_that_wants_every_seat_there_is(self) -> None:
        world = sold_out(party="strict")
        world.join("a trio", seats=3)
        world.join("ann")
        comes_free(world, 2)
        assert world.serve_all() == []
        comes_free(world)
        assert world.serve_all() == ["a trio"]

    def test_strict_or_not_who_is_before_it_is_served(self) -> None:
        world = sold_out(party="strict")
        world.join("ann")
        world.join("pair", seats=2)
        comes_free(world)
        assert world.serve_all() == ["ann"]

    def test_it_holds_up_only_what_it_waits_for(self) -> None:
        world = two_classes(party="strict")
        world.join("a pair", "ten", seats=2)
        world.join("ann", "ten", "noon")
        comes_free(world, name="ten")
        comes_free(world, name="noon")
        assert world.serve_all() == ["ann"]
        assert world.bookings["turn 1"].session == "noon"

    @pytest.mark.parametrize(
        "change",
        [{"paused": True}, {"seats": 3}],
        ids=["that an operator decides about by hand", "that could never fit"],
    )
    def test_nobody_is_held_up_by_one(self, change: dict[str, Any]) -> None:
        world = sold_out(party="strict")
        world.join("a pair", seats=2)
        world.change("a pair", author=BY_OPERATOR, **change)
        world.sessions["ten"] = world.sessions["ten"].model_copy(update={"capacity": 2})  # an operator lowered it
        world.join("ann")
        comes_free(world, 2)
        assert world.serve_all() == ["ann"]

    def test_nobody_is_held_up_by_who_did_not_want_that_time(self) -> None:
        world = two_classes(mode="offer", party="strict")
        world.join("a trio", "ten", "noon", seats=3)
        world.join("ann")
        world.join("ben")
        comes_free(world, 3)
        world.serve_all()
        world.decline("a trio")
        assert world.serve_all() == ["ann", "ben"], "though after Ann two are free, too few for three"

    def test_seats_of_several_who_leave_are_given_out_in_one_go(self) -> None:
        world = sold_out()
        for name in ("ann", "ben", "cem", "dan"):
            world.now += 1
            world.join(name)
        comes_free(world, 3)
        assert world.serve_all() == ["ann", "ben", "cem"]
        assert set(world.queue.places) == {"dan"}
        world.truth()


class TestNobodyIsServed:
    """Nothing happens by itself."""

    CASES: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "where an operator does it by hand": ({"mode": "manual"}, "09:00"),
        "while an operator has paused it": ({"paused": True}, "09:00"),
        "in quiet hours": ({"quiet": DailyInterval(start="08:30", end="09:15")}, "09:00"),
        "from the cut-off on": ({"cutoff_minutes": 60}, "09:00"),
    }

    @pytest.mark.parametrize("when", CASES)
    def test_(self, when: str) -> None:
        settings, now = self.CASES[when]
        world = sold_out(**{"cutoff_minutes": 0} | settings)
        world.join("ann")
        comes_free(world)
        world.now = at(now)
        assert world.serve_all() == []
        assert world.entries["ann"].status == "waiting"

    @pytest.mark.parametrize(
        ("settings", "now"),
        [
            ({"cutoff_minutes": 60}, at("09:00") - 1),
            ({"quiet": DailyInterval(start="08:30", end="09:00")}, at("09:00")),
            ({"quiet": DailyInterval(start="09:01", end="09:15")}, at("09:00")),
        ],
        ids=["just before the cut-off", "as quiet hours end", "a minute before they begin"],
    )
    def test_but_it_does(self, settings: dict[str, Any], now: int) -> None:
        world = sold_out(**{"cutoff_minutes": 0} | settings)
        world.join("ann")
        comes_free(world)
        world.now = now
        assert world.serve_all() == ["ann"]

    def test_quiet_hours_are_those_of_the_accounts_zone(self) -> None:
        world = sold_out(quiet=DailyInterval(start="09:30", end="10:30"))
        world.time_zone = "Europe/Berlin"  # an hour ahead of UTC in winter
        world.join("ann")
        comes_free(world)
        world.now = at("09:00") - 4 * 24 * 60 * MINUTE_MS
        assert world.serve_all() == []
        world.now += 30 * MINUTE_MS
        assert world.serve_all() == ["ann"]

    def test_who_an_operator_decides_about_by_hand(self) -> None:
        world = sold_out()
        world.join("ann")
        world.change("ann", author=BY_OPERATOR, paused=True)
        world.join("ben")
        comes_free(world, 2)
        assert world.serve_all() == ["ben"]
        world.change("ann", author=BY_OPERATOR, paused=False)
        assert world.serve_all() == ["ann"]

    def test_who_has_as_many_bookings_as_a_client_may_have(self) -> None:
        world = two_classes()
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        world.join("noon0", "ten")
        world.join("zoe", "ten")
        comes_free(world)
        assert world.serve_all() == ["zoe"]
        comes_free(world)
        assert world.serve_all() == []
        world.cancel("noon0")
        assert world.serve_all() == ["noon0"]

    def test_a_start_that_was_declined(self) -> None:
        world = two_classes(mode="offer")
        world.join("ann", "ten", "noon")
        comes_free(world)
        world.serve_all()
        world.decline("ann")
        assert world.serve_all() == []
        comes_free(world, name="noon")
        assert world.serve_all() == ["ann"]
        assert world.booked(world.entries["ann"].booking or "").session.id == "noon"


class TestWhatTheyGet:
    @pytest.mark.parametrize(("at_ten", "at_noon"), [(1, 1), (1, 3), (3, 1)])
    def test_the_earliest_of_what_they_wait_for_however_full(self, at_ten: int, at_noon: int) -> None:
        world = two_classes()
        world.join("ann", "noon", "ten")
        comes_free(world, at_noon, name="noon")
        comes_free(world, at_ten, name="ten")
        world.serve_all()
        assert world.bookings["turn 1"].session == "ten"

    @pytest.mark.parametrize(("spread", "first", "second"), [("emptiest", "noon", "noon"), ("fullest", "ten", "noon")])
    def test_a_splitter_fills_them_emptiest_or_fullest_first(self, spread: str, first: str, second: str) -> None:
        world = two_classes(4, mode="splitter", spread=spread)
        for name in ("ann", "ben"):
            world.now += 1
            world.join(name, "ten", "noon")
        comes_free(world, 1, name="ten")
        comes_free(world, 3, name="noon")
        assert world.serve_all() == ["ann", "ben"]
        assert [world.bookings[f"turn {n}"].session for n in (1, 2)] == [first, second]

    def test_a_splitter_takes_the_earlier_of_two_that_are_as_full(self) -> None:
        world = two_classes(mode="splitter")
        world.join("ann", "ten", "noon")
        comes_free(world, name="noon")
        comes_free(world, name="ten")
        world.serve_all()
        assert world.bookings["turn 1"].session == "ten"

    def test_a_booking_like_any_other_with_what_they_said_when_they_joined(self) -> None:
        world = sold_out()
        world.join("ann", notes="by the window", answers={"diet": "none"})
        comes_free(world)
        world.effects.clear()
        world.serve_all()
        booking, entry = world.bookings["turn 1"], world.entries["ann"]
        assert (booking.status, booking.client, booking.seats, booking.entry) == ("confirmed", person("ann"), 1, "ann")
        assert (booking.notes, booking.answers) == ("by the window", {"diet": "none"})
        assert (entry.status, entry.booking) == ("booked", "turn 1")
        confirmed, noted = world.history[-2:]
        assert (confirmed.what, confirmed.author) == ("booking.confirmed", noted.author)
        assert (noted.what, noted.author.kind, noted.author.name) == ("waitlist.booked", "rule", "waitlist")
        assert (noted.session, noted.booking, noted.service) == ("ten", "turn 1", "cut")
        assert noted.before == {"status": "waiting"}
        assert noted.after == {"status": "booked", "seats": 1, "start": rfc3339(TEN)}
        assert world.effects == [Effect(kind="notify", subject="turn 1", about="confirmed")]
        assert world.queue.size == 0

    def test_an_offer_that_really_holds_the_seats(self) -> None:
        world = sold_out(mode="offer")
        world.join("ann", seats=2)
        comes_free(world, 2)
        world.effects.clear()
        world.serve_all()
        booking, entry = world.bookings["turn 1"], world.entries["ann"]
        assert (booking.status, booking.expires_at, booking.is_offer) == ("held", NOW + TWO_HOURS, True)
        assert (entry.status, entry.booking) == ("offered", "turn 1")
        assert world.sessions["ten"].holds["turn 1"].seats == 2
        assert world.queue.offered["ann"].booking == "turn 1"
        held, noted = world.history[-2:]
        assert (held.what, held.author) == ("booking.held", noted.author)
        assert world.effects == [
            Effect(kind="lapse", subject="turn 1", not_before=NOW + TWO_HOURS),
            Effect(kind="notify", subject="turn 1", about="offered"),
        ]
        with pytest.raises(SlotTaken):
            world.book("quick")

    def test_time_of_an_appointment_that_comes_free_is_theirs_in_a_session_of_its_own(self) -> None:
        world = World(service=service(), preset=rules(mode="autopromote"))
        world.book("first")
        world.join("ann", asked=Asked(start=TEN))
        world.cancel("first")
        assert world.serve_all() == ["ann"]
        assert world.sessions["made 1"].seats == {"turn 1": 1}
        world.truth()

    def test_a_range_takes_whatever_comes_free_in_it(self) -> None:
        world = two_classes()
        world.join("ann", asked=Asked(start=TEN + 1, end=NOON + 1))
        comes_free(world, name="ten")
        assert world.serve_all() == []
        comes_free(world, name="noon")
        assert world.serve_all() == ["ann"]

    def test_who_asked_for_one_person_gets_that_one(self) -> None:
        both = (resource("anna", hours=ALWAYS), resource("ben", hours=ALWAYS))
        world = World(service=service(resources=("anna", "ben")), resources=both, preset=rules(mode="autopromote"))
        world.book("first")
        world.book("second")
        world.join("zoe", asked=Asked(start=TEN, resource="ben"))
        world.join("zac", asked=Asked(start=TEN))
        world.cancel("first")
        assert world.serve_all() == ["zac"]
        world.cancel("second")
        assert world.serve_all() == ["zoe"]

    def test_a_group_that_ended_with_its_last_booking_begins_again_for_who_waits_for_its_start(self) -> None:
        world = World(service=service(capacity=2), preset=rules(mode="autopromote", paused=True))
        world.book("first", seats=2)
        world.join("ann", "of first")
        world.cancel("first")
        assert world.sessions["of first"].status == "cancelled"
        world.preset = rules(mode="autopromote")
        assert world.serve_all() == ["ann"]
        assert world.sessions["made 1"].start == TEN

    def test_a_session_of_an_event_that_was_moved_is_waited_for_where_it_is_now(self) -> None:
        world = sold_out()
        world.join("ann")
        moved = world.sessions["ten"].moved_to(NOON, NOON + 60, at=NOW)
        world.moves(moved)
        world.schedule("another", TEN)
        comes_free(world)
        assert world.serve_all() == ["ann"]
        assert world.bookings["turn 1"].start == NOON


class TestHowLongAnOfferLasts:
    CASES: ClassVar[dict[str, tuple[dict[str, Any], str, str]]] = {
        "for its lifetime": ({"offer_minutes": 90}, "01:00", "02:30"),
        "until the cut-off at the latest": ({"cutoff_minutes": 60}, "08:00", "09:00"),
        "not counting quiet hours": ({"quiet": DailyInterval(start="02:00", end="05:00")}, "01:00", "06:00"),
        "in quiet hours no longer than until the cut-off": (
            {"quiet": DailyInterval(start="06:00", end="09:30"), "cutoff_minutes": 60},
            "05:00",
            "09:00",
        ),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_(self, case: str) -> None:
        settings, now, ends = self.CASES[case]
        world = sold_out(mode="offer", **settings)
        world.join("ann")
        comes_free(world)
        world.now = at(now)
        assert world.serve_all() == ["ann"]
        assert world.bookings["turn 1"].expires_at == at(ends)

    def test_one_that_an_operator_makes_after_the_cut_off_lasts_until_it_begins(self) -> None:
        world = sold_out(mode="offer")
        world.join("ann")
        comes_free(world)
        world.now = at("09:30")
        assert world.serve_all() == []
        assert world.promote("ann", as_offer=True).booking.expires_at == TEN * MINUTE_MS


class TestRulesOfOneSession:
    """A session may have a preset of its own, and with it a line of its own."""

    def test_its_mode(self) -> None:
        world = two_classes(mode="autopromote")
        world.has_rules("noon", rules(id="own", mode="manual"))
        world.join("ann", "ten", "noon")
        comes_free(world, name="noon")
        assert world.serve_all() == []
        comes_free(world, name="ten")
        assert world.serve_all() == ["ann"]

    def test_its_order(self) -> None:
        world = two_classes(levels=("gold", "silver"))
        world.has_rules("noon", rules(id="own", mode="autopromote", levels=("silver", "gold")))
        world.join("gil", "ten", "noon", level="gold")
        world.join("sue", "ten", "noon", level="silver")
        comes_free(world, name="noon")
        assert world.serve_all() == ["sue"]
        comes_free(world, name="ten")
        assert world.serve_all() == ["gil"]

    def test_its_policy_for_parties(self) -> None:
        world = two_classes(party="skip")
        world.has_rules("noon", rules(id="own", mode="autopromote", party="strict"))
        world.join("a pair", "ten", "noon", seats=2)
        world.join("zoe", "ten", "noon")
        comes_free(world, name="noon")
        assert world.serve_all() == []
        comes_free(world, name="ten")
        assert world.serve_all() == ["zoe"]
        assert world.bookings["turn 1"].session == "ten"

    def test_its_cut_off_and_the_life_of_its_offers(self) -> None:
        world = two_classes(mode="offer")
        world.has_rules("noon", rules(id="own", offer_minutes=600, cutoff_minutes=240))
        world.join("ann", "noon")
        world.join("ben", "noon")
        comes_free(world, 2, name="noon")
        world.now = at("07:00")
        world.serve_all()
        assert {b.expires_at for b in world.bookings.values() if b.is_offer} == {at("08:00")}

    def test_where_two_could_be_served_what_begins_first_is_given_out_first(self) -> None:
        world = two_classes()
        world.has_rules("ten", rules(id="own", mode="autopromote"))
        world.join("ann", "noon")
        world.join("ben", "ten")
        comes_free(world, name="noon")
        comes_free(world, name="ten")
        assert world.serve_all() == ["ben", "ann"]

    def test_it_holds_for_those_who_wait_for_any_session_of_a_range(self) -> None:
        world = two_classes()
        world.has_rules("noon", rules(id="own", mode="manual"))
        world.join("ann", asked=Asked(start=TEN, end=NOON + 1))
        comes_free(world, name="noon")
        assert world.serve_all() == []


class TestPassedOver:
    """Who was before the one who is served, and would have wanted it too, can read why it was not for them."""

    def passed(self, world: World, name: str) -> tuple[int, str | None]:
        """How often, and why, the last time: their history keeps it, and their place says it for as long as something is free."""
        place = world.queue.places[name]
        whys = [each.why for each in world.history if (each.what, each.entry) == ("waitlist.passed_over", name)]
        last = whys[-1] if whys else None
        assert place.passed_because in (None, last)
        return place.passed_over, last

    def told(self, world: World, name: str) -> list[tuple[str, str | None]]:
        """What their own history says of why they wait, if it says who decided it and of what."""
        about = [each for each in world.history if each.entry == name and each.why is not None]
        assert {(each.author, each.service) for each in about} <= {(RULE, "cut")}
        return [(each.what.removeprefix("waitlist."), each.why) for each in about]

    def test_because_the_party_is_too_large(self) -> None:
        world = sold_out()
        world.join("a trio", seats=3)
        world.join("ann")
        world.join("ben")
        comes_free(world, 2)
        assert world.serve_all() == ["ann", "ben"]
        assert self.passed(world, "a trio") == (2, "needs 3 seats together, and 1 is free")
        assert world.queue.places["a trio"].passed_because is None, "nothing is free any more"
        first, second = [each for each in world.history if each.what == "waitlist.booked"]
        assert first.after["passed_over"] == [{"entry": "a trio", "why": "needs 3 seats together, and 2 are free"}]
        assert second.after["passed_over"] == [{"entry": "a trio", "why": "needs 3 seats together, and 1 is free"}]
        assert self.told(world, "a trio") == [
            ("passed_over", "needs 3 seats together, and 2 are free"),
            ("passed_over", "needs 3 seats together, and 1 is free"),
        ]
        assert [each.session for each in world.history if each.entry == "a trio"][1:] == ["ten", "ten"]

    def test_because_an_operator_decides_about_them(self) -> None:
        world = sold_out()
        world.join("ann")
        world.change("ann", author=BY_OPERATOR, paused=True)
        world.join("ben")
        comes_free(world)
        world.serve_all()
        assert self.passed(world, "ann") == (1, BY_HAND)

    def test_because_they_did_not_want_it(self) -> None:
        world = two_classes(mode="offer")
        world.join("ann", "ten", "noon", seats=2)
        world.join("ben")
        comes_free(world, 2)
        world.serve_all()
        world.decline("ann")
        world.serve_all()
        assert self.passed(world, "ann") == (1, UNWANTED)

    def test_because_of_a_limit(self) -> None:
        world = two_classes()
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        world.join("noon0", "ten")
        world.join("zoe", "ten")
        comes_free(world)
        world.serve_all()
        assert self.passed(world, "noon0") == (1, LIMITED)

    def test_in_a_session_that_is_longer_than_the_usual_ones(self) -> None:
        world = sold_out()
        world.moves(world.sessions["ten"].moved_to(TEN, TEN + 90, at=NOW))
        world.join("a pair", seats=2)
        world.join("ann")
        comes_free(world)
        world.serve_all()
        assert self.passed(world, "a pair")[0] == 1

    def test_by_who_waits_for_a_seat_in_the_same_group(self) -> None:
        world = World(service=service(capacity=2), preset=rules(mode="autopromote"))
        world.book("first")
        world.book("second")
        world.join("a pair", asked=Asked(start=TEN), seats=2)
        world.join("ann", asked=Asked(start=TEN))
        world.cancel("first")
        world.serve_all()
        assert self.passed(world, "a pair")[0] == 1

    def test_by_who_wanted_the_same_person(self) -> None:
        world = World(service=service(capacity=2), preset=rules(mode="autopromote"))
        world.book("first", seats=2)
        world.join("a pair", asked=Asked(start=TEN, resource="anna"), seats=2)
        world.join("ann", asked=Asked(start=TEN, resource="anna"))
        world.change("a pair", author=BY_OPERATOR, paused=True)
        world.cancel("first")
        assert world.serve_all() == ["ann"]
        assert self.passed(world, "a pair") == (1, BY_HAND)

    def test_not_who_waits_for_something_else(self) -> None:
        world = two_classes()
        world.join("ann", "ten")
        world.join("ben", "noon")
        comes_free(world, name="noon")
        world.serve_all()
        assert self.passed(world, "ann") == (0, None)

    @pytest.mark.parametrize("other", [{"resource": "ben"}, {"duration": 90}], ids=["by somebody else", "for longer"])
    def test_not_who_wanted_it_otherwise(self, other: dict[str, Any]) -> None:
        both = (resource("anna", hours=ALWAYS), resource("ben", hours=ALWAYS))
        offered = service(resources=("anna", "ben"), durations=(60, 90))
        world = World(service=offered, resources=both, preset=rules(mode="autopromote"))
        for name, start in (("first", TEN), ("second", TEN), ("third", TEN + 60), ("fourth", TEN + 60)):
            world.book(name, start)
        world.join("zac", asked=Asked(start=TEN, **other))
        world.join("zoe", asked=Asked(start=TEN, resource="anna"))
        world.cancel("first")
        assert world.serve_all() == ["zoe"]
        assert self.passed(world, "zac") == (0, None)

    def test_the_history_of_the_turn_names_fifty_of_them_and_says_how_many_more(self) -> None:
        world = sold_out()
        for number in range(MOST_NAMED + 2):
            world.join(f"a pair {number:02}", seats=2)
        world.join("zoe")
        comes_free(world)
        assert world.serve_all() == ["zoe"]
        booked = next(each for each in world.history if each.what == "waitlist.booked")
        assert (len(booked.after["passed_over"]), booked.after["and_more"]) == (MOST_NAMED, 2)
        assert all(place.passed_over == 1 for place in world.queue.places.values())
        assert {len(self.told(world, name)) for name in world.queue.places} == {1}, "each has it in their own"

    def test_again_for_the_same_reason(self) -> None:
        world = sold_out()
        world.join("a pair", seats=2)
        for name in ("ann", "ben"):
            world.join(name)
            comes_free(world)
            assert world.serve_all() == [name]
        assert self.passed(world, "a pair") == (2, "needs 2 seats together, and 1 is free")
        assert len(self.told(world, "a pair")) == 2, "once for each time that something was free"


class TestKeptWaiting:
    """Who gets nothing of what is free can read why, also where nobody is served instead; and once nothing is free nothing is said any more."""

    told = TestPassedOver.told

    RULES: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "an operator serves them by hand": ({"mode": "manual"}, MANUAL),
        "an operator has paused it": ({"paused": True}, PAUSED),
        "it is quiet": ({"quiet": DailyInterval(start="08:30", end="09:15")}, QUIET),
        "it is too late": ({"cutoff_minutes": 60}, CUT_OFF),
    }

    @pytest.mark.parametrize("because", RULES)
    def test_because(self, because: str) -> None:
        settings, why = self.RULES[because]
        world = sold_out(**{"cutoff_minutes": 0} | settings)
        world.join("ann")
        comes_free(world)
        world.now = at("09:00")
        assert world.serve_all() == []
        assert (world.queue.places["ann"].passed_because, self.told(world, "ann")) == (why, [("kept_waiting", why)])
        assert nobody_served(world.waitlist).writes_nothing, "where nothing has changed"

    def test_because_a_larger_party_waits_for_more(self) -> None:
        world = sold_out(party="strict")
        world.join("first", priority=1)
        world.join("a pair", seats=2)
        world.join("ann")
        world.change("first", author=BY_OPERATOR, paused=True)
        comes_free(world)
        assert world.serve_all() == []
        assert {name: place.passed_because for name, place in world.queue.places.items()} == {
            "first": BY_HAND,
            "a pair": "needs 2 seats together, and 1 is free",
            "ann": HELD_UP,
        }
        assert self.told(world, "ann") == [("kept_waiting", HELD_UP)]

    def test_because_of_a_larger_party_only_where_that_one_waits(self) -> None:
        world = two_classes(party="strict", mode="manual")
        world.has_rules("noon", rules(id="own", mode="manual"))
        world.join("a pair", "ten", seats=2)
        world.join("ann", "noon")
        comes_free(world, name="noon")
        world.serve_all()
        assert world.queue.places["ann"].passed_because == MANUAL

    def test_because_of_a_limit_for_one(self) -> None:
        world = two_classes()
        world.service = world.service.model_copy(update={"client_limits": ClientLimits(at_once=1)})
        world.join("noon0", "ten")
        comes_free(world)
        world.serve_all()
        assert world.queue.places["noon0"].passed_because == LIMITED

    def test_no_longer_than_something_is_free(self) -> None:
        world = sold_out(party="strict")
        world.join("a pair", seats=2)
        world.join("ann")
        comes_free(world)
        world.serve_all()
        world.promote("ann")
        world.serve_all()
        assert world.queue.places["a pair"].passed_because is None
        assert world.entries["ann"].place.passed_because is None
        assert self.told(world, "a pair") == [("kept_waiting", "needs 2 seats together, and 1 is free")]

    def test_for_what_stands_in_the_way_of_the_place_itself_before_what_the_rules_say(self) -> None:
        world = sold_out(mode="manual")
        world.join("a pair", seats=2)
        comes_free(world)
        world.serve_all()
        assert world.queue.places["a pair"].passed_because == "needs 2 seats together, and 1 is free"


class TestByHand:
    """An operator serves whom they want, but only with what is free."""

    @pytest.mark.parametrize(
        "settings",
        [{"mode": "manual"}, {"paused": True}, {"quiet": NIGHT, "mode": "manual"}, {"party": "strict"}],
        ids=["whatever the mode", "while it is paused", "whatever the hour", "whoever waits before"],
    )
    def test_out_of_turn(self, settings: dict[str, Any]) -> None:
        world = sold_out(**settings)
        world.join("a pair", seats=2)
        world.join("ann")
        comes_free(world)
        world.now = at("23:00") - 7 * 24 * 60 * MINUTE_MS
        booked = world.promote("ann")
        assert (booked.booking.status, booked.session.id) == ("confirmed", "ten")
        assert world.entries["ann"].status == "booked"
        assert world.queue.places["a pair"].passed_over == 0
        noted = world.history[-1]
        assert (noted.what, noted.author, noted.after["start"]) == ("waitlist.booked", BY_OPERATOR, rfc3339(TEN))
        world.truth()

    def test_as_an_offer(self) -> None:
        world = sold_out(mode="autopromote")
        world.join("ann")
        comes_free(world)
        offered = world.promote("ann", as_offer=True)
        assert (offered.booking.status, world.entries["ann"].status) == ("held", "offered")
        assert world.history[-1].after["expires_at"] == rfc3339_millis(NOW + TWO_HOURS)

    def test_one_about_whom_they_decide_by_hand(self) -> None:
        world = sold_out()
        world.join("ann")
        world.change("ann", author=BY_OPERATOR, paused=True)
        comes_free(world)
        assert world.promote("ann").booking.status == "confirmed"

    @pytest.mark.parametrize(
        ("what", "session"), [({"session": "noon"}, "noon"), ({"start": NOON}, "noon"), ({}, "ten")]
    )
    def test_with_what_they_name_or_the_earliest(self, what: dict[str, Any], session: str) -> None:
        world = two_classes(mode="manual")
        world.join("ann", "ten", "noon")
        comes_free(world, name="ten")
        comes_free(world, name="noon")
        assert world.promote("ann", **what).session.id == session

    @pytest.mark.parametrize(
        "what",
        [{"session": "noon"}, {"start": NOON}, {"session": "elsewhere"}],
        ids=["a session that is full", "a start that is full", "a session that they do not wait for"],
    )
    def test_not_with(self, what: dict[str, Any]) -> None:
        world = two_classes(mode="manual")
        world.join("ann", "ten", "noon")
        comes_free(world, name="ten")
        with pytest.raises(SlotTaken):
            world.promote("ann", **what)

    @pytest.mark.parametrize("others", [False, True], ids=["alone", "while something else is free"])
    def test_not_with_a_session_that_is_cancelled(self, others: bool) -> None:
        world = two_classes(mode="manual")
        world.join("ann", "ten")
        if others:
            world.join("ben", "noon")
            comes_free(world, name="noon")
        world.is_cancelled("ten")
        with pytest.raises(SlotTaken):
            world.promote("ann")

    def test_not_with_seats_that_are_too_few(self) -> None:
        world = sold_out()
        world.join("a pair", seats=2)
        comes_free(world)
        with pytest.raises(SlotTaken):
            world.promote("a pair")

    @pytest.mark.parametrize("status", ["offered", "booked", "left"])
    def test_not_one_who_does_not_wait(self, status: str) -> None:
        world = sold_out(mode="offer")
        world.join("ann")
        comes_free(world)
        if status == "left":
            world.leave("ann")
        else:
            world.promote("ann", as_offer=status == "offered")
        with pytest.raises(IllegalMove, match=status):
            world.promote("ann")

    def test_not_one_who_was_served_a_moment_ago(self) -> None:
        world = sold_out()
        entry = world.join("ann")
        comes_free(world)
        world.serve_all()
        world.entries["ann"] = entry  # as it was read before the queue was
        with pytest.raises(IllegalMove, match="Look at it again"):
            world.promote("ann")


class TestNextLook:
    """When the sweep comes by."""

    def look(self, world: World) -> int | None:
        world.serve_all()
        return world.queue.look_at

    def test_in_a_quarter_of_an_hour(self) -> None:
        world = sold_out()
        world.join("ann")
        assert self.look(world) == NOW + 15 * MINUTE_MS

    def test_not_later_than_it_would_have_come_anyway(self) -> None:
        world = sold_out()
        world.join("ann")
        first = self.look(world)
        world.now += 10 * MINUTE_MS
        assert self.look(world) == first

    def test_again_once_it_has(self) -> None:
        world = sold_out()
        world.join("ann")
        world.now = self.look(world) or 0
        assert self.look(world) == world.now + 15 * MINUTE_MS

    def test_as_soon_as_quiet_hours_end(self) -> None:
        world = sold_out(quiet=DailyInterval(start="07:00", end="08:03"))
        world.join("ann")
        assert self.look(world) == NOW + 3 * MINUTE_MS

    @pytest.mark.parametrize("who", ["waits", "has an offer"])
    def test_at_the_same_time_where_one_leaves_and_another(self, who: str) -> None:
        world = sold_out(mode="offer")
        world.join("ann")
        world.now += 1
        world.join("ben")
        if who == "has an offer":
            comes_free(world)
        look = self.look(world)
        world.leave("ben")
        assert world.queue.look_at == look is not None

    def test_not_at_all_where_nobody_waits(self) -> None:
        world = sold_out()
        world.join("ann")
        self.look(world)
        world.leave("ann")
        assert world.queue.look_at is None

    def test_where_somebody_has_an_offer_too(self) -> None:
        world = sold_out(mode="offer")
        world.offer("ann")
        assert world.queue.look_at == NOW + 15 * MINUTE_MS
