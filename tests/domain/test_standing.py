"""What stands in the way of a session: each obstacle, which counts first, and who gives way to whom."""

from typing import Any

import pytest

from functions.domain.ledger import Hold
from functions.domain.session import Conflict, Session
from functions.domain.standing import Obstacle, obstacles
from tests.domain.builders import NOW, resource, service
from tests.domain.small_world import ANNA, ROOM, World, sold

NINE = sold("nine", "09:00", "10:00")
PAIR = sold("pair", "09:00", "10:00", service="pair", resources=("anna", "room"))
SERVICES = {"pair": service(id="pair", resources=("anna", "room"), assignment="all"), "cut": service()}


def one(session: Session = NINE, **more: Any) -> World:
    return World.of(session, **more)


@pytest.mark.parametrize(
    ("world", "found"),
    [
        pytest.param(one(), (), id="nothing"),
        pytest.param(one().open_from("10:00", "17:00"), ("outside_hours",), id="closed by now"),
        pytest.param(one().open_from("09:01", "17:00"), ("outside_hours",), id="open a minute too late"),
        pytest.param(one().open_from("08:00", "09:59"), ("outside_hours",), id="closed a minute too soon"),
        pytest.param(one().open_from("09:00", "10:00"), (), id="open just as long"),
        pytest.param(one().busy(("09:59", "11:00")), ("taken",), id="an event overlaps its end"),
        pytest.param(one().busy(("10:00", "11:00"), ("08:00", "09:00")), (), id="events on either side"),
        pytest.param(one().busy(("09:30", "09:30")), (), id="an event without length"),
        pytest.param(
            one(NINE.model_copy(update={"taken_until": NINE.end + 15})).busy(("10:14", "11:00")),
            ("taken",),
            id="an event overlaps its clean-up",
        ),
        pytest.param(one().with_service(resources=("room",)), ("not_served",), id="the service is somebody else's"),
        pytest.param(one(services={}), ("not_served",), id="the service is gone"),
        pytest.param(one(resources={"room": ROOM}), ("not_served",), id="the resource is gone"),
        pytest.param(one().with_service(active=False), (), id="the service is not sold at present"),
        pytest.param(
            one(services={}).open_from("12:00", "17:00").busy(("09:00", "09:30")),
            ("not_served", "taken", "outside_hours"),
            id="everything, in the order in which it counts",
        ),
    ],
)
def test_obstacles(world: World, found: tuple[str, ...]) -> None:
    session = world.sessions["nine"]
    assert obstacles(world.scene(), session.occupation, session.resources) == found


def test_an_event_of_a_calendar_that_does_not_block_is_none() -> None:
    world = one().busy(("09:00", "10:00")).with_resource(ANNA.model_copy(update={"blocked_by": ("other",)}))
    assert obstacles(world.scene(), NINE.occupation, ("anna",)) == ()


def test_what_was_scheduled_lies_outside_the_hours_as_its_operator_likes() -> None:
    concert = sold("concert", "20:00", "22:00", scheduled=True)
    assert obstacles(one(concert).scene(), concert.occupation, ("anna",)) == ()


@pytest.mark.parametrize(
    ("seats", "holds", "found"),
    [
        pytest.param({"a": 1, "b": 1}, {}, (), id="as many as there are"),
        pytest.param({"a": 1, "b": 2}, {}, ("over_capacity",), id="more sold than there are"),
        pytest.param({"a": 2}, {"b": NOW + 1}, ("over_capacity",), id="the last one held as well"),
        pytest.param({"a": 2}, {"b": NOW}, (), id="a hold that has lapsed"),
    ],
)
def test_seats_that_are_not_there(seats: dict[str, int], holds: dict[str, int], found: tuple[str, ...]) -> None:
    kept = {key: Hold(seats=1, expires_at=expires_at) for key, expires_at in holds.items()}
    group = sold("group", "09:00", "10:00", seats=seats, holds=kept, capacity=2)
    assert obstacles(one(group).scene(), group.occupation, ("anna",)) == found


class TestTwoThatOverlap:
    """Who came first keeps the time."""

    def standing(self, *sessions: Session) -> set[str]:
        scene = World.of(*sessions).scene()
        found = {each.id: obstacles(scene, each.occupation, each.resources) for each in sessions}
        assert all(reasons in ((), (Obstacle.TAKEN,)) for reasons in found.values())
        return {id_ for id_, reasons in found.items() if reasons}

    def test_the_later_one_gives_way(self) -> None:
        early, late = sold("early", "09:30", "10:30", placed=1), sold("late", "09:00", "10:00", placed=2)
        assert self.standing(early, late) == {"late"}

    def test_of_two_in_one_moment_the_greater_id(self) -> None:
        assert self.standing(sold("b", "09:00", "10:00"), sold("a", "09:30", "10:30")) == {"b"}

    def test_one_that_was_moved_there_came_when_it_was_moved(self) -> None:
        moved = sold("moved", "09:00", "10:00", placed=1, moved_at=NOW)
        assert self.standing(moved, sold("there", "09:30", "10:30", placed=2)) == {"moved"}

    def test_those_that_touch_are_in_nobody_s_way(self) -> None:
        assert self.standing(sold("a", "09:00", "10:00"), sold("b", "10:00", "11:00")) == set()

    def test_a_clean_up_is(self) -> None:
        first = sold("a", "09:00", "10:00")
        first = first.model_copy(update={"taken_until": first.end + 15})
        assert self.standing(first, sold("b", "10:00", "11:00", placed=1)) == {"b"}

    def test_who_gives_way_is_in_the_way_of_who_comes_later_all_the_same(self) -> None:
        first, second = sold("a", "09:00", "10:00"), sold("b", "09:30", "11:00", placed=1)
        assert self.standing(first, second, sold("c", "10:30", "11:30", placed=2)) == {"b", "c"}

    def test_a_long_one_is_seen_from_its_far_end(self) -> None:
        long = sold("long", "09:00", "16:00")
        others = [sold(f"s{n}", f"{n}:00", f"{n}:10", placed=-n) for n in range(10, 15)]
        assert self.standing(long, sold("late", "15:30", "16:30", placed=1), *others) == {"long", "late"}

    def test_a_hold_counts_until_it_lapses(self) -> None:
        late = sold("late", "09:30", "10:30", placed=1)
        for expires_at, found in ((NOW + 1, {"late"}), (NOW, set())):
            held = sold("held", "09:00", "10:00", seats={}, holds={"x": Hold(seats=1, expires_at=expires_at)})
            assert self.standing(held, late) == found

    def test_at_different_resources_they_do_not_meet(self) -> None:
        here, there = sold("a", "09:00", "10:00"), sold("b", "09:00", "10:00", placed=1, resources=("room",))
        world = World.of(here, there).with_service(resources=("anna", "room"))
        assert obstacles(world.scene(), there.occupation, ("room",)) == ()
        assert obstacles(world.scene(), there.occupation, ("anna",)) == (Obstacle.TAKEN,)


class TestASet:
    """A session at several resources can be kept where it can be kept at all of them."""

    def found(self, world: World) -> tuple[str, ...]:
        return obstacles(world.scene(), PAIR.occupation, PAIR.resources)

    def test_all_of_them_are_open_and_free(self) -> None:
        assert self.found(World.of(PAIR, services=SERVICES)) == ()

    @pytest.mark.parametrize("name", ["anna", "room"])
    def test_one_of_them_is_closed(self, name: str) -> None:
        assert self.found(World.of(PAIR, services=SERVICES).open_from("12:00", "17:00", name)) == ("outside_hours",)

    def test_one_of_them_is_taken_and_another_closed(self) -> None:
        world = World.of(PAIR, services=SERVICES).busy(("09:00", "09:10")).open_from("12:00", "17:00", "room")
        assert self.found(world) == ("taken", "outside_hours")

    def test_one_of_them_does_not_serve_any_more(self) -> None:
        world = World.of(PAIR, services=SERVICES).with_service("pair", resources=("anna",))
        assert self.found(world) == ("not_served",)

    def test_one_that_joined_the_set_since_is_not_missed(self) -> None:
        world = World.of(PAIR, services=SERVICES).with_resource(resource("piano"))
        assert self.found(world.with_service("pair", resources=("anna", "room", "piano"))) == ()


def test_an_unknown_calendar_is_no_obstacle() -> None:
    assert obstacles(one(known_until={"anna": 0}).scene(), NINE.occupation, ("anna",)) == ()


def test_what_only_google_shows_is_judged_by_nobody_here() -> None:
    flagged = NINE.model_copy(update={"conflict": Conflict(reason="all_day", since=1)})
    assert obstacles(one(flagged).scene(), flagged.occupation, ("anna",)) == ()
