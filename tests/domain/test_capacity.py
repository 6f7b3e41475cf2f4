"""A session gets more seats, or fewer: who keeps theirs, who is asked about first, and what becomes of those who lose theirs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.capacity import FEWER_SEATS, Below, over_capacity, set_capacity
from functions.domain.decision import Decision, Effect
from functions.domain.errors import BelowSeatsSold, IllegalMove, Invalid
from functions.domain.ledger import Hold
from functions.domain.roster import Roster
from functions.domain.session import Booking, Conflict
from tests.domain.builders import BY_OPERATOR, NOW, apply, booking, contents, rebuilt, session
from tests.domain.monday import monday_now

ORPHANED = Conflict(reason="over_capacity", since=NOW - 1)
LATER = NOW + 60_000


def one(name: str, seats: int = 1, *, at: int = 0, **changes: Any) -> Booking:
    """Made so many milliseconds from now."""
    return booking(id=name, seats=seats, created_at=NOW + at, **changes)


def kept(name: str, seats: int = 1, *, at: int = 0, until: int = LATER, **changes: Any) -> Booking:
    return one(name, seats, at=at, status="held", expires_at=until, **changes)


def filled(*bookings: Booking, capacity: int = 8, **changes: Any) -> Roster:
    """A scheduled session with these in it."""
    held = {b.id: Hold(seats=b.seats, expires_at=b.expires_at or 0) for b in bookings if b.status == "held"}
    sold = {b.id: b.seats for b in bookings if b.status != "held"}
    fields: dict[str, Any] = {"scheduled": True, "seats": sold, "holds": held, "capacity": capacity}
    return Roster(session=session(**fields | changes), bookings=bookings)


def lowered(of: Roster, capacity: int, below: Below | None = None, *, now: int = NOW) -> Decision[Roster]:
    return set_capacity(of, capacity, below=below, now=now, author=BY_OPERATOR)


def statuses(decision: Decision[Roster]) -> dict[str, str]:
    return {b.id: b.status if b.conflict is None else "orphaned" for b in decision.answer.bookings}


class TestWhoHasNoSeat:
    @pytest.mark.parametrize(
        ("capacity", "bookings", "without"),
        [
            pytest.param(3, [one("a"), one("b", at=1), one("c", at=2)], [], id="nobody, where all fit"),
            pytest.param(2, [one("a"), one("b", at=1), one("c", at=2)], ["c"], id="who came last"),
            pytest.param(
                2, [one("c", at=2), one("b", at=1), one("a")], ["c"], id="whatever the order they are read in"
            ),
            pytest.param(1, [one("a"), one("b", at=1), one("c", at=2)], ["c", "b"], id="the latest first"),
            pytest.param(1, [one("b"), one("a")], ["b"], id="of two of the same moment the ids decide"),
            pytest.param(2, [one("a", 3), one("b", at=1)], ["a"], id="a party that does not fit whole"),
            pytest.param(
                3, [one("a", 2), one("b", 2, at=1), one("c", at=2)], ["b"], id="not who comes after it and still fits"
            ),
            pytest.param(
                2,
                [one("b", 2, conflict=ORPHANED), one("c", at=1), one("d", at=2, conflict=ORPHANED)],
                ["b"],
                id="not who has one already, though a party that came before would fit now",
            ),
            pytest.param(
                2,
                [one("b", 2, conflict=ORPHANED), kept("form", at=1)],
                ["form"],
                id="what is kept, though it had seats",
            ),
            pytest.param(1, [kept("form"), one("sold", at=5)], ["form"], id="what is only kept before what is sold"),
            pytest.param(2, [kept("x"), kept("y", at=1), one("z", at=9)], ["y"], id="of what is kept the latest"),
        ],
    )
    def test_is(self, capacity: int, bookings: list[Booking], without: list[str]) -> None:
        found = over_capacity(session(capacity=capacity), bookings)
        assert [each.id for each in found] == without

    @given(
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.booleans()), max_size=8),
        st.integers(1, 12),
    )
    def test_is_nobody_who_would_fit_and_who_stays_fits(
        self, parties: list[tuple[int, int, bool]], capacity: int
    ) -> None:
        bookings = [(kept if held else one)(f"b{n}", seats, at=at) for n, (seats, at, held) in enumerate(parties)]
        without = over_capacity(session(capacity=capacity), bookings)
        staying = sum(each.seats for each in bookings if each not in without)
        assert staying <= capacity
        assert all(each.seats > capacity - staying for each in without)
        if sum(each.seats for each in bookings) <= capacity:
            assert without == ()

    @given(
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=8),
        st.integers(1, 12),
        st.integers(0, 4),
        st.data(),
    )
    def test_is_nobody_who_had_seats_before_others_came_free(
        self, parties: list[tuple[int, int]], capacity: int, more: int, data: st.DataObject
    ) -> None:
        bookings = [one(f"b{n}", seats, at=at) for n, (seats, at) in enumerate(parties)]
        losing = {each.id for each in over_capacity(session(capacity=capacity), bookings)}
        known = [each.model_copy(update={"conflict": ORPHANED if each.id in losing else None}) for each in bookings]
        leaving = data.draw(st.sets(st.sampled_from(known).map(lambda each: each.id), max_size=2))
        staying = [each for each in known if each.id not in leaving]
        assert {each.id for each in over_capacity(session(capacity=capacity + more), staying)} <= losing

    @given(st.integers(1, 8), st.lists(st.integers(1, 10), min_size=1, max_size=6))
    def test_is_who_came_last_where_all_parties_are_alike_whatever_the_number_of_seats_was_before(
        self, count: int, capacities: list[int]
    ) -> None:
        bookings = [one(f"b{n}", 2, at=n) for n in range(count)]
        for capacity in capacities:
            losing = {each.id for each in over_capacity(session(capacity=capacity), bookings)}
            bookings = [
                each.model_copy(update={"conflict": ORPHANED if each.id in losing else None}) for each in bookings
            ]
        assert losing == {f"b{n}" for n in range(capacities[-1] // 2, count)}


def test_more_seats_are_for_who_waits() -> None:
    decision = lowered(filled(one("a"), capacity=1), 5)
    after = decision.answer.session
    assert after.capacity == 5
    assert decision.effects == (Effect(kind="promote", subject="cut"),)
    assert apply({}, decision.changes) == rebuilt(after)
    (entry,) = decision.history
    assert (entry.what, entry.before, entry.after) == ("session.changed", {"capacity": 1}, {"capacity": 5})


def test_down_to_what_is_sold_and_kept_nobody_is_asked() -> None:
    decision = lowered(filled(one("a", 2), kept("form", 1)), 3)
    assert decision.answer.session.capacity == 3
    assert decision.effects == (Effect(kind="promote", subject="cut"),), "a party of four has nothing to wait for now"
    assert decision.answer.session.conflict is None


def test_a_hold_that_has_lapsed_does_not_count() -> None:
    of = filled(one("a", 2), kept("form", 3, until=NOW))
    assert lowered(of, 2).answer.session.capacity == 2
    with pytest.raises(BelowSeatsSold):
        lowered(of, 2, now=NOW - 1)


def test_the_same_number_changes_nothing() -> None:
    assert lowered(filled(one("a")), 8).writes_nothing


def test_below_what_is_sold_the_operator_is_asked_with_all_that_they_need_to_decide() -> None:
    of = filled(one("a", 2), one("b", 1, at=1), one("c", 3, at=2), kept("form", 1, at=0))
    with pytest.raises(BelowSeatsSold) as refused:
        lowered(of, 3)
    assert refused.value.extra["seats"] == 4
    named = [(each["id"], each["seats"], each["status"]) for each in refused.value.extra["bookings"]]
    assert named == [("form", 1, "held"), ("c", 3, "confirmed")]
    assert refused.value.slug == "below-seats-sold"


class TestOrphan:
    def test_the_latest_keep_their_booking_and_are_flagged_and_the_session_too(self) -> None:
        decision = lowered(filled(one("a", 2), one("b", 2, at=1)), 3, "orphan")
        assert statuses(decision) == {"a": "confirmed", "b": "orphaned"}
        after = decision.answer.session
        assert after.conflict == Conflict(reason="over_capacity", since=NOW)
        assert after.seats == {"a": 2, "b": 2}, "nothing that was promised is destroyed"
        assert apply({}, decision.changes) == rebuilt(after)
        assert [effect.kind for effect in decision.effects] == ["promote"], "nobody is told that cannot be helped yet"

    def test_its_history_says_of_whom(self) -> None:
        history = lowered(filled(one("a", 2), one("b", 2, at=1)), 3, "orphan").history
        assert [(entry.what, entry.booking) for entry in history] == [
            ("session.changed", None),
            ("booking.conflicted", "b"),
        ]
        assert history[0].after == {"capacity": 3, "conflict": "over_capacity"}

    def test_only_those_who_lose_their_seats_now_are_asked_about(self) -> None:
        of = filled(one("a"), one("b", at=1, conflict=ORPHANED), capacity=1, conflict=ORPHANED)
        assert lowered(of, 1).writes_nothing
        of = filled(one("a"), one("b", at=1), one("c", at=2, conflict=ORPHANED), capacity=2, conflict=ORPHANED)
        with pytest.raises(BelowSeatsSold) as refused:
            lowered(of, 1)
        assert [each["id"] for each in refused.value.extra["bookings"]] == ["b"]

    def test_seats_that_return_are_the_earliest_ones(self) -> None:
        of = filled(
            one("a"),
            one("c", at=2, conflict=ORPHANED),
            one("b", at=1, conflict=ORPHANED),
            capacity=1,
            conflict=ORPHANED,
        )
        decision = lowered(of, 2)
        assert statuses(decision) == {"a": "confirmed", "b": "confirmed", "c": "orphaned"}
        assert decision.answer.session.conflict == ORPHANED, "since when it has been so"
        assert [(entry.what, entry.booking) for entry in decision.history][1:] == [("booking.supported", "b")]
        whole = lowered(decision.answer, 3)
        assert statuses(whole) == {"a": "confirmed", "b": "confirmed", "c": "confirmed"}
        assert whole.answer.session.conflict is None

    def test_more_seats_take_nobody_elses_so_nobody_is_asked(self) -> None:
        """Bob's party of two would fit now, but only where Cid sits, who keeps his seat."""
        of = filled(one("ann"), one("bob", 2, at=1, conflict=ORPHANED), one("cid", at=2), capacity=2, conflict=ORPHANED)
        assert statuses(lowered(of, 3)) == {"ann": "confirmed", "bob": "orphaned", "cid": "confirmed"}

    def test_what_else_is_wrong_with_the_session_stays(self) -> None:
        taken = Conflict(reason="taken", since=NOW - 5)
        of = filled(one("a", 2), conflict=taken)
        assert lowered(of, 1, "orphan").answer.session.conflict == taken
        assert lowered(of, 4).answer.session.conflict == taken


class TestCancel:
    def test_the_latest_are_cancelled_and_told_why_until_it_fits(self) -> None:
        of = filled(one("a", 2), one("b", 2, at=1), one("c", 1, at=2))
        decision = lowered(of, 3, "cancel")
        assert statuses(decision) == {"a": "confirmed", "b": "cancelled", "c": "confirmed"}
        after = decision.answer.session
        assert (after.capacity, after.seats, after.conflict) == (3, {"a": 2, "c": 1}, None)
        ended = next(each for each in decision.answer.bookings if each.id == "b")
        assert (ended.cancelled_by, ended.reason) == ("operator", FEWER_SEATS)
        assert [e.subject for e in decision.effects if e.kind == "notify"] == ["b"]
        assert contents(apply(rebuilt(of.session), decision.changes)) == rebuilt(after)

    def test_what_is_only_kept_goes_first(self) -> None:
        decision = lowered(filled(kept("form"), one("a", 2, at=5)), 2, "cancel")
        assert statuses(decision) == {"form": "cancelled", "a": "confirmed"}
        assert decision.answer.session.holds == {}

    def test_those_that_were_orphaned_before_go_too(self) -> None:
        of = filled(one("a"), one("b", at=1, conflict=ORPHANED), capacity=1, conflict=ORPHANED)
        decision = lowered(of, 1, "cancel")
        assert decision.answer.session.conflict is None
        assert {b.id: b.status for b in decision.answer.bookings} == {"a": "confirmed", "b": "cancelled"}

    def test_nobody_needs_to_be_left(self) -> None:
        decision = lowered(filled(one("a", 5)), 2, "cancel")
        after = decision.answer.session
        assert (after.status, after.seats) == ("open", {}), "it was scheduled, so it goes on without them"
        assert apply({}, decision.changes) == rebuilt(after)


def test_a_session_that_nobody_scheduled_has_as_many_seats_as_its_service() -> None:
    with pytest.raises(Invalid):
        lowered(filled(one("a"), scheduled=False), 9)


def test_what_has_begun_or_is_cancelled_has_its_seats() -> None:
    with pytest.raises(IllegalMove):
        lowered(filled(one("a")), 9, now=monday_now("09:00"))
    with pytest.raises(IllegalMove):
        lowered(filled(status="cancelled"), 9)
