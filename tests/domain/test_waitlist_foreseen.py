"""Who would be served, as a preview says it, is who is served then: in that order, with that, and until the same moment."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.configuration import ClientLimits
from functions.domain.errors import AlreadyWaiting
from functions.domain.waitlist.foreseeing import foreseen
from tests.domain.builders import service
from tests.domain.waitlist_world import EVENT, NOON, TEN, World, person, rules

PARTIES = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.sampled_from(["ten0", "noon0", "zoe", "ann", "ben"]),  # the first two have a booking of their own
            "wanted": st.sampled_from([("ten",), ("noon",), ("ten", "noon")]),
            "seats": st.sampled_from([1, 1, 2, 3]),
            "priority": st.sampled_from([0, 0, 1]),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda party: (party["who"], party["wanted"]),
)


def promised(world: World) -> list[tuple[str, int, int | None]]:
    """Of each who would be served: what they would get, and how long they would have to answer."""
    return [
        (served.turn.entry, served.turn.opening.start, served.until)
        for served in foreseen(world.waitlist, world.bookings_of)
    ]


def kept(world: World) -> list[tuple[str, int, int | None]]:
    made = len(world.bookings)
    served = world.serve_all()
    bookings = list(world.bookings.values())[made:]
    return [(name, each.start, each.expires_at) for name, each in zip(served, bookings, strict=True)]


@settings(max_examples=60)
@given(
    parties=PARTIES,
    freed=st.fixed_dictionaries({"ten": st.integers(0, 3), "noon": st.integers(0, 3)}),
    at_once=st.sampled_from([None, 1, 1, 2]),
    mode=st.sampled_from(["offer", "autopromote", "splitter", "manual"]),
    party=st.sampled_from(["skip", "strict"]),
)
def test_whoever_waits_and_whatever_comes_free(
    parties: list[dict[str, Any]], freed: dict[str, int], at_once: int | None, mode: str, party: str
) -> None:
    limits = ClientLimits(at_once=at_once)
    world = World(service=service(**EVENT, client_limits=limits), preset=rules(mode=mode, party=party))
    for name, start in (("ten", TEN), ("noon", NOON)):
        world.full(name, start)
    for number, one in enumerate(parties):
        world.now += 1
        who, wanted = person(one["who"]), {name: one[name] for name in ("seats", "priority")}
        with suppress(AlreadyWaiting):
            world.join(f"{one['who']} {number}", *one["wanted"], client=who, **wanted)
    for name, seats in freed.items():
        for booking in sorted(world.sessions[name].seats, reverse=True)[:seats]:
            world.cancel(booking)
    assert promised(world) == kept(world)


def test_of_one_who_may_have_one_booking_only_the_first_and_then_the_next_in_line() -> None:
    world = World(service=service(**EVENT, client_limits=ClientLimits(at_once=1)), preset=rules(mode="autopromote"))
    for name, start in (("ten", TEN), ("noon", NOON)):
        world.full(name, start)
    world.join("noon0", "ten")
    world.join("zoe", "ten")
    world.cancel("ten1")
    assert [entry for entry, _, _ in promised(world)] == ["zoe"] == world.serve_all()


def test_of_one_who_waits_for_two_and_may_have_one_only_the_first() -> None:
    world = World(service=service(**EVENT, client_limits=ClientLimits(at_once=1)), preset=rules(mode="autopromote"))
    for name, start in (("ten", TEN), ("noon", NOON)):
        world.full(name, start)
        world.now += 1
        world.join(f"zoe at {name}", name, client=person("zoe"))
    world.cancel("ten0")
    world.cancel("noon0")
    assert [entry for entry, _, _ in promised(world)] == ["zoe at ten"] == world.serve_all()
