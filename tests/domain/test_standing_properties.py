"""Standing is a function of the state: whatever changed before, in whatever order, and however the work was cut into slices.

But for one thing that it remembers: who sits in a session that has too few seats for parties of different sizes (see `capacity`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import MINUTE_MS
from functions.domain.session import Conflict, Session
from tests.domain.builders import contents, rebuilt, service
from tests.domain.small_world import World, sold

# Times are tenths of an hour from nine o'clock on, so that they often meet.
SLOTS = st.tuples(st.integers(0, 30), st.integers(1, 12)).map(lambda slot: (clock(slot[0]), clock(slot[0] + slot[1])))
OPENINGS = st.sampled_from([("09:00", "17:00"), ("09:00", "11:00"), ("10:00", "13:00"), ("11:00", "11:30")])
RESOURCES = {"cut": ("anna",), "rent": ("room",), "pair": ("anna", "room")}


def clock(tenths: int) -> str:
    minutes = 9 * 60 + tenths * 6
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True)
class Change:
    """What an operator, or Google, sets to something, whatever it was before."""

    of: str
    make: Callable[[World], World]
    said: str

    def __repr__(self) -> str:
        return self.said


def opened(name: str, hours: tuple[str, str]) -> Change:
    return Change(f"hours of {name}", lambda world: world.open_from(*hours, name), f"{name} opens {hours}")


def event(key: str, spans: list[tuple[str, str]]) -> Change:
    return Change(f"event {key}", lambda world: world.busy(*spans, event=key), f"event {key} at {spans}")


def seats(name: str, capacity: int) -> Change:
    return Change(f"seats of {name}", lambda w: w.with_service(name, capacity=capacity), f"{name} has {capacity} seats")


def served(name: str, resources: tuple[str, ...]) -> Change:
    return Change(
        f"who serves {name}", lambda w: w.with_service(name, resources=resources), f"{name} is by {resources}"
    )


CHANGES = st.one_of(
    st.builds(opened, st.sampled_from(["anna", "room"]), OPENINGS),
    st.builds(event, st.sampled_from("xyz"), st.lists(SLOTS, max_size=2)),
    st.builds(seats, st.sampled_from(sorted(RESOURCES)), st.integers(1, 4)),
    st.builds(served, st.sampled_from(sorted(RESOURCES)), st.sampled_from([("anna", "room"), ("anna",), ("room",)])),
)
# Of several changes of the same thing the last one counts, so order matters only among those.
APART = st.lists(CHANGES, max_size=5, unique_by=lambda change: change.of)


@st.composite
def sessions(draw: st.DrawFn) -> list[Session]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from(sorted(RESOURCES)))
        parties = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
        start, end = draw(SLOTS)
        found.append(
            sold(
                f"s{number}",
                start,
                end,
                placed=draw(st.integers(0, 3)),
                seats={f"s{number}b{place}": size for place, size in enumerate(parties)},
                service=name,
                resources=RESOURCES[name],
                capacity=4,
                scheduled=draw(st.integers(0, 4)) == 0,
            )
        )
    return found


@st.composite
def worlds(draw: st.DrawFn, rule: st.SearchStrategy[str] | None = None) -> World:
    rules = st.just("flag") if rule is None else rule
    return World.of(
        *draw(sessions()),
        services={
            name: service(id=name, resources=resources, capacity=4, assignment="all", on_conflict=draw(rules))
            for name, resources in RESOURCES.items()
        },
    )


CONFLICTED_SEATS = "conflicted", "over_capacity"
EITHER_RULE = st.sampled_from(["flag", "cancel"])


def changed(world: World, changes: list[Change]) -> World:
    for change in changes:
        world = change.make(world)
    return world


def told_of(world: World) -> tuple[dict[str, str | None], set[str], dict[str, int]]:
    return world.standing, world.without_seats, {id_: each.capacity for id_, each in world.sessions.items()}


def told_whatever_was_before(world: World) -> tuple[dict[str, str | None], set[str], dict[str, int]]:
    """Without what depends on the way: who sits where parties are of different sizes."""
    standing, without_seats, capacities = told_of(world)
    alike = {id_ for id_, each in world.sessions.items() if len(set(each.seats.values())) == 1}
    return standing, {key for key in without_seats if world.bookings[key].session in alike}, capacities


def expected(world: World, session: Session) -> str | None:
    """Slowly, minute by minute, from what the words mean."""
    rules = world.services[session.service]
    if not set(session.resources) <= set(rules.resources):
        return "not_served"
    taken = set(range(session.taken_from, session.taken_until))
    busy = {minute for spans in world.blocks.values() for start, end in spans for minute in range(start, end)}
    if "anna" in session.resources and taken & busy:
        return "taken"
    for other in world.sessions.values():
        shares = set(other.resources) & set(session.resources) and taken & set(
            range(other.taken_from, other.taken_until)
        )
        if other.id != session.id and shares and (other.created_at, other.id) < (session.created_at, session.id):
            return "taken"
    for name in session.resources:
        (week,) = world.resources[name].hours.weekly
        opens, closes = week.minutes()
        day = session.start - session.start % (24 * 60)
        if not session.scheduled and not day + opens <= session.start < session.end <= day + closes:
            return "outside_hours"
    most = session.capacity if session.scheduled else rules.capacity
    return "over_capacity" if sum(session.seats.values()) > most else None


@given(worlds(), APART)
def test_it_is_what_the_words_say(world: World, changes: list[Change]) -> None:
    after = changed(world, changes).recalculated()
    assert after.standing == {id_: expected(after, each) for id_, each in after.sessions.items()}


@given(worlds(), APART, st.data())
def test_the_order_of_changes_does_not_matter(world: World, changes: list[Change], data: st.DataObject) -> None:
    at_once = changed(world, changes).recalculated()
    one_by_one = world.recalculated()
    for change in data.draw(st.permutations(changes)):
        one_by_one = change.make(one_by_one).recalculated()
    assert told_whatever_was_before(one_by_one) == told_whatever_was_before(at_once)


@given(worlds(), APART, st.lists(CHANGES, max_size=4))
def test_a_change_and_its_undo_end_where_it_began(world: World, before: list[Change], undone: list[Change]) -> None:
    begun = changed(world, before).recalculated()
    wild = changed(begun, undone).recalculated()
    back = wild.changed(resources=begun.resources, services=begun.services)
    for key in "xyz":
        back = back.busy(event=key)
    ended = changed(back, [change for change in before if change.of.startswith("event")]).recalculated()
    assert told_whatever_was_before(ended) == told_whatever_was_before(begun)
    assert ended.told == []


@given(worlds(EITHER_RULE), APART)
def test_a_second_time_changes_nothing(world: World, changes: list[Change]) -> None:
    after = changed(world, changes).recalculated()
    assert after.recalculated() == after
    assert after.decided(list(after.sessions)).writes_nothing, "what was not in question is as it should be"
    assert after.outcomes() == ()


@given(worlds(EITHER_RULE), APART, st.integers(2, 6))
def test_how_the_work_is_cut_does_not_matter(world: World, changes: list[Change], slices: int) -> None:
    world = changed(world, changes)
    one, other = world.recalculated(), world.recalculated(slices=slices)
    assert told_of(one) == told_of(other)
    assert (one.sessions, one.bookings) == (other.sessions, other.bookings)


@given(worlds(EITHER_RULE), APART)
def test_ledger_and_sessions_tell_one_story_and_nobody_is_told_twice(world: World, changes: list[Change]) -> None:
    after = changed(world, changes).recalculated()
    blocks = {place: month for place, month in after.months.items() if month.blocks}
    assert contents(after.busy(event="x").busy(event="y").busy(event="z").months) == rebuilt(*after.sessions.values())
    assert blocks == {
        place: month for place, month in changed(world, changes).recalculated().months.items() if month.blocks
    }
    assert len(after.told) == len(set(after.told))
    assert set(after.told) == {key for key, each in after.bookings.items() if each.status == "cancelled"}
    assert {each.why for each in after.history if each.why is None} == set()
    for session in after.sessions.values():
        seated = {
            key for key, each in after.bookings.items() if each.session == session.id and each.status != "cancelled"
        }
        assert seated == set(session.seats)


@given(worlds(EITHER_RULE), APART)
def test_nobody_is_without_seats_that_there_are(world: World, changes: list[Change]) -> None:
    after = changed(world, changes).recalculated()
    for session in after.sessions.values():
        free = session.capacity - sum(
            after.bookings[key].seats for key in session.seats if key not in after.without_seats
        )
        assert free >= 0 or session.status == "cancelled"
        assert all(after.bookings[key].seats > free for key in session.seats if key in after.without_seats)


@given(worlds(EITHER_RULE), APART, st.data())
def test_what_comes_free_brings_nobody_into_a_conflict(
    world: World, changes: list[Change], data: st.DataObject
) -> None:
    before = changed(world, changes).recalculated()
    bookings = [key for key, each in before.bookings.items() if each.status == "confirmed"]
    freed = data.draw(
        st.sampled_from(
            [
                *(before.cancelled(key) for key in bookings),
                *(before.busy(event=key) for key in "xyz"),
                before.open_from("08:00", "20:00"),
                *(
                    before.with_service(name, capacity=each.capacity + more)
                    for name, each in before.services.items()
                    for more in (1, 2)
                ),
                *(before.with_service(name, resources=("anna", "room")) for name in before.services),
            ]
        )
    )
    after = freed.recalculated()
    assert after.told == before.told, "the rule ends nothing"
    in_conflict = {id_ for id_, reason in after.standing.items() if reason}
    assert in_conflict <= {id_ for id_, reason in before.standing.items() if reason}
    assert after.without_seats <= before.without_seats


@given(worlds(EITHER_RULE), APART, APART)
def test_a_preview_says_what_then_happens(world: World, before: list[Change], changes: list[Change]) -> None:
    begun = changed(world, before).recalculated()
    proposed = changed(begun, changes)
    foreseen, after = proposed.previewed(), proposed.recalculated(slices=99)
    cancelled = {
        id_ for id_, each in after.sessions.items() if each.status == "cancelled" != begun.sessions[id_].status
    }
    assert cancelled == {o.session.id for o in foreseen.outcomes if o.session.status == "cancelled"}
    told = {b.id for o in foreseen.outcomes if o.becomes == "cancelled" for b in o.bookings}
    assert sorted(told) == sorted(after.told[len(begun.told) :])
    flagged = {o.session.id for o in foreseen.outcomes if o.becomes == "conflicted"}
    fresh = {id_ for id_, each in after.sessions.items() if _fresh(begun.sessions[id_].conflict, each.conflict)}
    assert fresh <= flagged
    again = {o.session.id for o in foreseen.outcomes if o.becomes == "supported"}
    lifted = {id_ for id_, reason in after.standing.items() if reason is None and begun.sessions[id_].conflict}
    assert lifted <= again
    losing = {b.id for o in foreseen.outcomes if (o.becomes, o.reason) == CONFLICTED_SEATS for b in o.bookings}
    flagged_too = {b.id for o in foreseen.outcomes if o.becomes == "conflicted" for b in o.bookings}
    assert losing <= after.without_seats - begun.without_seats <= flagged_too
    seated = {key for key in begun.without_seats - after.without_seats if after.bookings[key].status == "confirmed"}
    assert seated <= {b.id for o in foreseen.outcomes if o.becomes == "supported" for b in o.bookings}
    assert {**proposed.sessions, **foreseen.sessions} == after.sessions
    assert contents({(m.resource, m.month): m for known in foreseen.months.values() for m in known}) == contents(
        after.months
    )


def _fresh(before: Conflict | None, after: Conflict | None) -> bool:
    return after is not None and (before is None or before.reason != after.reason)


def test_the_clock_of_these_worlds_stands_before_the_day() -> None:
    world = World.of(sold("s", "09:00", "10:00"))
    assert world.now < world.sessions["s"].start * MINUTE_MS
