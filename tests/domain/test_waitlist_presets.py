"""Presets: what may be in one, which one holds for whom, and where somebody stands by it."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.domain.waitlist.entry import Place, Queue, Wish, in_order, position
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.preset import USUAL, Preset
from tests.domain.builders import BY_OPERATOR, NOW, service
from tests.domain.waitlist_world import EVENT, NOON, TEN, World, rules


def test_what_holds_where_nothing_is_said() -> None:
    said = USUAL.model_dump(exclude={"id", "name"})
    assert said == {
        "mode": "offer",
        "party": "skip",
        "offer_minutes": 120,
        "cutoff_minutes": 60,
        "spread": "emptiest",
        "levels": (),
        "categories": (),
        "quiet": None,
        "paused": False,
    }


REFUSED: dict[str, dict[str, Any]] = {
    "a mode that there is not": {"mode": "lottery"},
    "a policy that there is not": {"party": "split"},
    "a spread that there is not": {"spread": "random"},
    "offers too short to answer": {"offer_minutes": 4},
    "offers of over two weeks": {"offer_minutes": 14 * 24 * 60 + 1},
    "a cut-off after the start": {"cutoff_minutes": -1},
    "a cut-off of over thirty days": {"cutoff_minutes": 30 * 24 * 60 + 1},
    "more than twenty levels": {"levels": tuple(map(str, range(21)))},
    "more than twenty categories": {"categories": tuple(map(str, range(21)))},
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_is(what: str) -> None:
    with pytest.raises(ValidationError):
        rules(**REFUSED[what])


@pytest.mark.parametrize(
    "edge",
    [
        {"offer_minutes": 5, "cutoff_minutes": 0},
        {"offer_minutes": 14 * 24 * 60, "cutoff_minutes": 30 * 24 * 60},
        {"levels": tuple(map(str, range(20))), "categories": tuple(map(str, range(20)))},
    ],
    ids=["the least", "the most", "twenty of each"],
)
def test_allowed_is(edge: dict[str, Any]) -> None:
    assert rules(**edge).model_dump(include=set(edge)) == edge


@pytest.fixture
def world() -> World:
    world = World(service=service(**EVENT))
    world.full()
    world.full("noon", NOON)
    return world


class TestWhichHolds:
    def test_the_services_unless_a_session_has_its_own(self, world: World) -> None:
        own = rules(id="own")
        world.has_rules("noon", own)
        waitlist = world.waitlist
        assert waitlist.rules_of(world.sessions["ten"]) == world.preset
        assert waitlist.rules_of(world.sessions["noon"]) == own
        assert waitlist.rules_of(None) == world.preset

    def test_the_services_where_a_sessions_own_is_not_there(self, world: World) -> None:
        world.sessions["noon"] = world.sessions["noon"].model_copy(update={"waitlist": "gone"})
        assert world.waitlist.rules_of(world.sessions["noon"]) == world.preset

    def test_each_is_asked_once(self, world: World) -> None:
        world.has_rules("noon", rules(id="own"))
        world.has_rules("ten", world.preset)
        assert world.waitlist.rules == (world.preset, rules(id="own"))

    def test_two_of_one_name_that_differ_are_two(self, world: World) -> None:
        """The usual rules have no document, and an operator may have named one so."""
        world.preset, named = USUAL, Preset(id="usual", name="Ours", mode="manual")
        world.has_rules("noon", named)
        assert world.waitlist.rules == (USUAL, named)

    def test_who_waits_stands_in_line_by_the_first_session_they_name(self, world: World) -> None:
        own = rules(id="own")
        world.has_rules("noon", own)
        waitlist = world.waitlist
        assert waitlist.rules_for(world.join("ann", "noon", "ten").place.wish) == own
        assert waitlist.rules_for(world.join("ben", "ten", "noon").place.wish) == world.preset
        assert waitlist.rules_for(world.join("cem", asked=Asked(start=TEN, end=NOON + 1)).place.wish) == world.preset


class TestPosition:
    """How many are served before, of those who want the same, plus one."""

    def standing(self, world: World, name: str) -> int | None:
        place = world.entries[name].place
        return position(world.queue, name, world.waitlist.rules_for(place.wish))

    def test_the_first_is_number_one(self, world: World) -> None:
        world.join("ann")
        assert self.standing(world, "ann") == 1

    def test_by_the_time_joined(self, world: World) -> None:
        for name in ("cem", "ben", "ann"):
            world.now += 1
            world.join(name)
        assert [self.standing(world, name) for name in ("cem", "ben", "ann")] == [1, 2, 3]

    def test_by_priority(self, world: World) -> None:
        world.join("ann")
        world.join("ben", priority=1)
        assert [self.standing(world, name) for name in ("ann", "ben")] == [2, 1]

    def test_by_the_levels_of_the_session_that_is_waited_for(self, world: World) -> None:
        world.preset = rules(levels=("gold", "silver"))
        world.has_rules("noon", rules(id="own", levels=("silver", "gold")))
        for name in ("ten", "noon"):
            world.join(f"gil {name}", name, level="gold")
            world.join(f"sue {name}", name, level="silver")
        assert self.standing(world, "gil ten") == 1
        assert self.standing(world, "sue noon") == 1

    def test_who_waits_for_something_else_is_not_before(self, world: World) -> None:
        world.join("ann", "noon")
        world.join("ben", "ten")
        world.join("cem", "ten", "noon")
        assert [self.standing(world, name) for name in ("ann", "ben", "cem")] == [1, 1, 3]

    def test_nor_is_one_about_whom_an_operator_decides_by_hand(self, world: World) -> None:
        world.join("ann")
        world.join("ben")
        world.change("ann", author=BY_OPERATOR, paused=True)
        assert [self.standing(world, name) for name in ("ann", "ben")] == [1, 1]

    @pytest.mark.parametrize("status", ["offered", "left"])
    def test_there_is_none_for_who_does_not_wait(self, world: World, status: str) -> None:
        world.offer("ann") if status == "offered" else world.join("ann")
        if status == "left":
            world.leave("ann")
        assert self.standing(world, "ann") is None

    def test_it_is_the_place_in_the_line_where_all_want_the_same(self) -> None:
        wish = Wish(starts=(TEN,), start=TEN, end=TEN + 1)
        preset = rules(levels=("gold", "silver"), categories=("member",))
        places = {
            f"{priority}{level}{category}{joined}": Place(
                wish=wish,
                seats=1,
                client_key="somebody",
                priority=priority,
                level=level,
                category=category,
                joined_at=NOW + joined,
            )
            for priority in (0, 1)
            for level in (None, "silver", "gold")
            for category in (None, "member")
            for joined in (0, 1)
        }
        queue = Queue(id="cut", places=places)
        line = [one.entry for one in in_order(places, preset)]
        assert [position(queue, entry, preset) for entry in line] == list(range(1, len(line) + 1))
        assert line[:2] == ["1goldmember0", "1goldmember1"]
        assert line[-1] == "0NoneNone1"
