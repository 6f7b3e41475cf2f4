"""Joining a waitlist: who may, what they wait for, and everybody who is told something better."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from functions.domain.decision import Effect
from functions.domain.errors import (
    AlreadyWaiting,
    IllegalMove,
    Invalid,
    NoWaitlist,
    Refusal,
    SeatFree,
    StartClosed,
)
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, rfc3339
from functions.domain.waitlist.entry import MOST_WAITING, Offered, Place, Wish
from functions.domain.waitlist.joining import Asked, wish_of
from tests.domain.builders import BY_CLIENT, NOW, minute, override, resource, service
from tests.domain.waitlist_world import ALWAYS, EVENT, NOON, TEN, World, person, rules

BEN = resource("ben", hours=ALWAYS)
ANNA = resource("anna", hours=ALWAYS)
TODAY = NOW // MINUTE_MS


@pytest.fixture
def world() -> World:
    """A class of three at ten, full."""
    world = World()
    world.full()
    return world


def appointments(**changes: Any) -> World:
    """Anna's appointments. She is there around the clock, and booked at ten."""
    world = World(service=service(**{"id": "cut"} | changes), resources=(ANNA, BEN)[: 1 + ("resources" in changes)])
    world.book("first", seats=world.service.capacity)
    return world


class TestWhoJoins:
    def test_they_wait_and_are_told_so_and_the_line_is_looked_at(self, world: World) -> None:
        entry = world.join("ann", seats=2, notes="by the window", answers={"diet": "none"})
        assert (entry.status, entry.place.seats, entry.place.joined_at) == ("waiting", 2, NOW)
        assert (entry.notes, entry.answers, entry.client) == ("by the window", {"diet": "none"}, person("ann"))
        assert world.queue.places == {"ann": entry.place}
        assert world.effects[-2:] == [
            Effect(kind="notify", subject="ann", about="waiting"),
            Effect(kind="promote", subject="cut"),
        ]

    def test_history_says_what_they_wait_for(self, world: World) -> None:
        world.join("ann", seats=2)
        noted = world.history[-1]
        assert noted.author == BY_CLIENT
        assert (noted.what, noted.entry, noted.service, noted.session) == ("waitlist.joined", "ann", "cut", "ten")
        assert noted.before == {}
        assert noted.after == {
            "status": "waiting",
            "seats": 2,
            "sessions": ["ten"],
            "starts": [rfc3339(TEN)],
            "start": rfc3339(TEN),
            "end": rfc3339(TEN + 1),
        }

    def test_the_session_says_who_waits_for_it(self, world: World) -> None:
        world.join("ann", seats=2)
        world.join("ben", seats=3)
        waiting = world.sessions["ten"].waiting
        assert waiting is not None
        assert (waiting.smallest, waiting.until, waiting.strict) == (2, TEN - 60, False)
        world.truth()

    def test_what_an_operator_says_of_them_is_kept(self, world: World) -> None:
        place = world.join("ann", priority=7, level="gold", category="member").place
        assert (place.priority, place.level, place.category) == (7, "gold", "member")


# Worlds


def full(**changes: Any) -> Callable[[], World]:
    """With a class of three at ten, full."""

    def make() -> World:
        world = World(service=service(**EVENT))
        world.full()
        world.service = world.service.model_copy(update=changes)
        return world

    return make


def but(change: Callable[[World], object]) -> Callable[[], World]:
    """The same, in which something else has happened."""

    def make() -> World:
        world = full()()
        change(world)
        return world

    return make


def before_it_begins(minutes: int, **changes: Any) -> Callable[[], World]:
    def make() -> World:
        world = full(**changes)()
        world.now = (TEN - minutes) * MINUTE_MS
        return world

    return make


def the_class_is(**changes: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.sessions["ten"] = world.sessions["ten"].model_copy(update=changes)

    return change


def one_leaves(world: World) -> None:
    world.cancel("ten0")


def another_class(world: World, **changes: Any) -> None:
    world.full("noon", NOON, **changes)


def only_the_other_is_sold(world: World) -> None:
    the_class_is(closed=True)(world)
    another_class(world)


def crowded(waiting: int, offered: int) -> Callable[[World], None]:
    def crowd(world: World) -> None:
        place = Place(wish=Wish(start=NOON, end=NOON + 1), seats=1, client_key="somebody", joined_at=NOW)
        places = {f"w{number}": place for number in range(waiting)}
        offers = {f"o{number}": Offered(booking="b", place=place) for number in range(offered)}
        world.queue = world.queue.model_copy(update={"places": places, "offered": offers})

    return crowd


def late_appointments() -> World:
    world = appointments(notice_minutes=60)
    world.now = (TEN - 59) * MINUTE_MS
    return world


def pool() -> World:
    """Ben is free at ten, Anna is not."""
    return appointments(resources=("anna", "ben"))


def closed_at_night() -> World:
    return World(service=service(), resources=(resource("anna"),))


def far_ahead() -> World:
    return World(service=service(), resources=(ANNA,))


WITHIN_92_DAYS = Asked(start=TODAY, end=TODAY + 92 * DAY_MINUTES)
A_MINUTE_MORE = Asked(start=TODAY, end=TODAY + 92 * DAY_MINUTES + 1)
IN_A_YEAR_AND_A_HALF = Asked(start=TODAY + 500 * DAY_MINUTES)
AT_NIGHT = Asked(start=minute("2027-03-01T22:00Z"))


class Refused(NamedTuple):
    error: type[Refusal]
    says: str
    world: Callable[[], World]
    wanted: dict[str, Any] = {}  # noqa: RUF012  never changed
    sessions: tuple[str, ...] = ()


REFUSED = {
    "a service without a waitlist": Refused(NoWaitlist, "has no waitlist", full(on_full="close")),
    "a service that is not offered any more": Refused(NoWaitlist, "has no waitlist", full(active=False)),
    "a session of which no more is sold": Refused(NoWaitlist, "sells no more", but(the_class_is(closed=True))),
    "a session that is cancelled": Refused(
        IllegalMove, "Cancelled: 2027-03-01T10:00:00Z", but(the_class_is(status="cancelled"))
    ),
    "a session that is not there": Refused(Invalid, "not of cut", full(), sessions=("ten", "nowhere")),
    "a session that has begun": Refused(IllegalMove, "begun", before_it_begins(0)),
    "a session within the service's notice": Refused(StartClosed, "too late", before_it_begins(59, notice_minutes=60)),
    "a party larger than the class": Refused(Invalid, "room for 3", full(), {"seats": 4}),
    "one place too many in the line": Refused(NoWaitlist, "1000 are waiting", but(crowded(MOST_WAITING, 0))),
    "one too many with those who have offers": Refused(NoWaitlist, "1000 are", but(crowded(MOST_WAITING - 5, 5))),
    "a seat that is free": Refused(SeatFree, "Book it", but(one_leaves)),
    "a range that has passed": Refused(IllegalMove, "begun", full(), {"asked": Asked(start=TODAY - 60, end=TODAY)}),
    "a range with no session in it": Refused(StartClosed, "Nothing", full(), {"asked": Asked(start=TEN + 1, end=NOON)}),
    "a start at which no session is": Refused(StartClosed, "Nothing", full(), {"asked": Asked(start=NOON)}),
    "more than 92 days": Refused(Invalid, "92 days", full(), {"asked": A_MINUTE_MORE}),
    "more than a year ahead": Refused(Invalid, "a year ahead", full(), {"asked": IN_A_YEAR_AND_A_HALF}),
    "a time at which it is closed": Refused(StartClosed, "Nothing", closed_at_night, {"asked": AT_NIGHT}),
    "a start that is not on the grid": Refused(StartClosed, "Nothing", appointments, {"asked": Asked(start=TEN + 7)}),
    "an appointment within the notice": Refused(
        StartClosed, "too late", late_appointments, {"asked": Asked(start=TEN)}
    ),
    "a resource that does not serve it": Refused(
        Invalid, "zoe does not serve", appointments, {"asked": Asked(start=TEN, resource="zoe")}
    ),
    "a length that is not offered": Refused(
        Invalid, "45 minutes", lambda: appointments(durations=(30, 60)), {"asked": Asked(start=TEN, duration=45)}
    ),
    "a party larger than an appointment has room for": Refused(
        Invalid, "room for 2", lambda: appointments(capacity=2), {"asked": Asked(start=TEN), "seats": 3}
    ),
    "a range of which a part is free": Refused(
        SeatFree, "Book it", appointments, {"asked": Asked(start=TEN, end=NOON + 1)}
    ),
    "a time that somebody else of the pool has": Refused(SeatFree, "Book it", pool, {"asked": Asked(start=TEN)}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nobody_waits_for(what: str) -> None:
    case = REFUSED[what]
    world = case.world()
    before = world.queue, dict(world.sessions)
    with pytest.raises(case.error, match=case.says) as refused:
        world.join("ann", *case.sessions, **case.wanted)
    if case.error is StartClosed:
        assert refused.value.extra["reasons"] in (["too_soon"], ["nothing_offered"])
    assert (world.queue, dict(world.sessions)) == before


ALLOWED: dict[str, tuple[Callable[[], World], dict[str, Any]]] = {
    "as many seats as the class has": (full(), {"seats": 3}),
    "a session that begins in a minute": (before_it_begins(1), {}),
    "a session just outside the notice": (before_it_begins(60, notice_minutes=60), {}),
    "a session after the end of automation": (before_it_begins(30), {}),
    "the last place in the line": (but(crowded(MOST_WAITING - 5, 4)), {}),
    "two seats where one is free": (but(one_leaves), {"seats": 2}),
    "92 days": (full(), {"asked": WITHIN_92_DAYS}),
    "more seats than any session of a range may have": (full(), {"asked": Asked(start=TODAY, end=NOON), "seats": 50}),
    "a range that began a while ago": (full(), {"asked": Asked(start=TODAY - 60, end=NOON)}),
    "an appointment that is taken": (appointments, {"asked": Asked(start=TEN)}),
    "what the booking window does not reach yet": (far_ahead, {"asked": Asked(start=TEN + 80 * DAY_MINUTES)}),
    "one person who is taken though another is free": (pool, {"asked": Asked(start=TEN, resource="anna")}),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_one_may_wait_for(what: str) -> None:
    make, wanted = ALLOWED[what]
    world = make()
    assert world.join("ann", **wanted).status == "waiting"
    assert "ann" in world.queue.places


def test_one_may_wait_for_two_sessions_of_which_one_is_closed() -> None:
    world = but(only_the_other_is_sold)()
    assert world.join("ann", "ten", "noon").status == "waiting"


def test_a_party_may_be_as_large_as_the_largest_of_the_sessions_it_names(world: World) -> None:
    another_class(world, capacity=5)
    assert world.join("ann", "ten", "noon", seats=5).status == "waiting"
    with pytest.raises(Invalid, match="room for 5"):
        world.join("ben", "ten", "noon", seats=6)


class TestASeatThatIsFree:
    def test_the_starts_that_can_be_booked_are_named_earliest_first(self, world: World) -> None:
        another_class(world)
        world.cancel("ten0")
        world.cancel("noon0")
        with pytest.raises(SeatFree) as told:
            world.join("ann", "noon", "ten")
        assert told.value.extra["alternatives"] == [rfc3339(TEN), rfc3339(NOON)]

    def test_five_of_them_at_most(self) -> None:
        with pytest.raises(SeatFree) as told:
            appointments().join("ann", asked=Asked(start=TEN, end=TEN + DAY_MINUTES))
        assert len(told.value.extra["alternatives"]) == 5

    def test_where_a_splitter_spreads_those_who_come_everybody_joins_the_line(self, world: World) -> None:
        world.preset = rules(mode="splitter")
        world.cancel("ten0")
        assert world.join("ann").status == "waiting"

    def test_a_seat_that_is_kept_for_others_is_not_free(self, world: World) -> None:
        world.join("ann")
        world.cancel("ten0")
        assert world.join("ben").status == "waiting"


class TestTwice:
    """The same client waits for the same thing once: told by their e-mail address."""

    def test_for_the_same_session(self, world: World) -> None:
        world.join("ann")
        with pytest.raises(AlreadyWaiting):
            world.join("again", client=person("ann"))

    def test_for_a_session_among_others(self, world: World) -> None:
        another_class(world)
        world.join("ann", "ten", "noon")
        with pytest.raises(AlreadyWaiting):
            world.join("again", "noon", client=person("ann"))

    def test_whatever_the_address_is_spelled_like(self, world: World) -> None:
        world.join("ann")
        with pytest.raises(AlreadyWaiting):
            world.join("again", client=person("ann").model_copy(update={"email": " ANN@Example.com"}))

    def test_while_they_have_an_offer_of_it(self, world: World) -> None:
        world.offer("ann")
        with pytest.raises(AlreadyWaiting):
            world.join("again", client=person("ann"))

    def test_another_session_is_another_thing(self, world: World) -> None:
        another_class(world)
        world.join("ann", "ten")
        assert world.join("again", "noon", client=person("ann")).status == "waiting"

    def test_somebody_else_is_somebody_else(self, world: World) -> None:
        world.join("ann")
        assert world.join("ben").status == "waiting"

    def test_who_left_may_come_again(self, world: World) -> None:
        world.join("ann")
        world.leave("ann")
        assert world.join("again", client=person("ann")).status == "waiting"


def wish(**fields: Any) -> Wish:
    starts = fields.get("starts", ())
    edges = {"start": starts[0], "end": starts[-1] + 1} if starts else {}
    return Wish(**edges | fields)


OVERLAPS = {
    "one session in common": (wish(sessions=("a", "b"), starts=(1, 2)), wish(sessions=("b",), starts=(2,)), True),
    "two sessions at the same time": (wish(sessions=("a",), starts=(1,)), wish(sessions=("b",), starts=(1,)), False),
    "one start in common": (wish(starts=(1, 5)), wish(starts=(5, 9)), True),
    "starts on either side": (wish(starts=(1, 9)), wish(starts=(5,)), False),
    "a start in a range": (wish(starts=(1, 5)), wish(start=5, end=6), True),
    "a range between two starts": (wish(starts=(1, 9)), wish(start=2, end=9), False),
    "a session in a range": (wish(sessions=("a",), starts=(4,)), wish(start=4, end=9), True),
    "ranges that share a minute": (wish(start=1, end=5), wish(start=4, end=9), True),
    "ranges that touch": (wish(start=1, end=5), wish(start=5, end=9), False),
    "the same start with two people": (wish(starts=(1,), resource="anna"), wish(starts=(1,), resource="ben"), False),
    "the same start with one or with anybody": (wish(starts=(1,), resource="anna"), wish(starts=(1,)), True),
    "the same start with the same person": (
        wish(starts=(1,), resource="anna"),
        wish(starts=(1,), resource="anna"),
        True,
    ),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_one_seat_could_be_what_both_wait_for(case: str) -> None:
    one, other, expected = OVERLAPS[case]
    assert one.overlaps(other) is expected
    assert other.overlaps(one) is expected


ACCEPTED = {
    "a session that is named": (wish(sessions=("a",), starts=(1,)), (9, "a"), True),
    "another session at its time": (wish(sessions=("a",), starts=(1,)), (1, "b"), False),
    "a session that is named, though it says no starts": (Wish(sessions=("a",), start=1, end=2), (9, "a"), True),
    "a new session at a start that is named": (wish(starts=(1, 5)), (5, None), True),
    "whatever runs at a start that is named": (wish(starts=(1, 5)), (5, "b"), True),
    "a start between two": (wish(starts=(1, 5)), (3, None), False),
    "the first minute of a range": (wish(start=1, end=5), (1, None), True),
    "the last minute of a range": (wish(start=1, end=5), (4, "b"), True),
    "the end of a range": (wish(start=1, end=5), (5, None), False),
    "a minute before a range": (wish(start=1, end=5), (0, None), False),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_seat_would_do(case: str) -> None:
    wanted, (start, session), expected = ACCEPTED[case]
    assert wanted.accepts(start, session) is expected


def test_only_what_names_nothing_is_a_range() -> None:
    assert wish(start=1, end=5).is_range
    assert not wish(starts=(1,)).is_range
    assert not Wish(sessions=("a",), start=1, end=2).is_range


class TestWhatIsWaitedFor:
    def test_sessions_of_an_event_are_waited_for_by_name(self, world: World) -> None:
        another_class(world)
        assert wish_of(Asked(sessions=("noon", "ten")), world.waitlist) == Wish(
            sessions=("noon", "ten"), starts=(TEN, NOON), start=TEN, end=NOON + 1
        )

    def test_a_start_of_an_event_means_the_sessions_that_begin_then(self, world: World) -> None:
        world.resources = (ANNA, BEN)
        world.service = world.service.model_copy(update={"resources": ("anna", "ben")})
        world.schedule("beside", TEN, resources=("ben",))
        world.schedule("over", TEN)
        world.is_cancelled("over")
        assert wish_of(Asked(start=TEN), world.waitlist).sessions == ("beside", "ten")
        assert wish_of(Asked(start=TEN, resource="ben"), world.waitlist).sessions == ("beside",)

    def test_a_range_is_any_start_in_it(self, world: World) -> None:
        asked = Asked(start=TEN, end=NOON, resource="anna", duration=60)
        assert wish_of(asked, world.waitlist) == Wish(start=TEN, end=NOON, resource="anna", duration=60)

    def test_a_start_of_an_appointment_is_waited_for_whoever_sits_there(self) -> None:
        asked = Asked(start=TEN, resource="anna", duration=60)
        assert wish_of(asked, appointments().waitlist) == Wish(
            starts=(TEN,), start=TEN, end=TEN + 1, resource="anna", duration=60
        )

    def test_sessions_of_an_appointment_are_waited_for_by_their_starts(self) -> None:
        world = appointments(capacity=2)
        world.book("second", NOON)
        found = wish_of(Asked(sessions=("of second", "of first")), world.waitlist)
        assert found == Wish(starts=(TEN, NOON), start=TEN, end=NOON + 1)

    def test_and_by_their_length_where_it_is_not_the_usual_one(self) -> None:
        world = appointments(capacity=2, durations=(60, 90))
        session = world.sessions["of first"].moved_to(TEN, TEN + 90, at=NOW)
        world.sessions["of first"] = session
        assert wish_of(Asked(sessions=("of first",)), world.waitlist).duration == 90

    def test_and_by_whose_they_are_where_clients_choose(self) -> None:
        world = appointments(capacity=2, resources=("anna", "ben"), assignment="any")
        assert wish_of(Asked(sessions=("of first",)), world.waitlist).resource is None
        world.service = world.service.model_copy(update={"assignment": "choice"})
        assert wish_of(Asked(sessions=("of first",)), world.waitlist).resource == "anna"

    def test_sessions_of_an_appointment_that_differ_are_waited_for_one_by_one(self) -> None:
        world = appointments(capacity=2, durations=(60, 90))
        world.book("second", NOON)
        world.sessions["of second"] = world.sessions["of second"].moved_to(NOON, NOON + 90, at=NOW)
        with pytest.raises(Invalid, match="by itself"):
            wish_of(Asked(sessions=("of first", "of second")), world.waitlist)

    def test_it_has_to_hold_time(self) -> None:
        with pytest.raises(ValueError, match="end must be after start"):
            Wish(start=TEN, end=TEN)


def test_a_day_off_is_nothing_to_wait_for() -> None:
    day_off = ALWAYS.model_copy(update={"overrides": (override("2027-03-01"),)})
    world = World(service=service(), resources=(resource("anna", hours=day_off),))
    with pytest.raises(StartClosed):
        world.join("ann", asked=Asked(start=TEN))
