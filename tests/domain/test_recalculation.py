"""What follows from a change for the sessions ahead: flagged or cancelled by the rule, supported again, who has a seat and who is told."""

from typing import Any

import pytest

from functions.domain.decision import Effect
from functions.domain.ledger import Hold
from functions.domain.recalculation import RULE, Outcome
from functions.domain.session import Conflict, Session
from tests.domain.builders import CALENDAR, NOW, contents, copy, millis, rebuilt, service, to_operators
from tests.domain.small_world import ROOM, World, sold

NINE = sold("nine", "09:00", "10:00")
LATE = "12:00", "17:00"
ALL_DAY = "09:00", "17:00"


def group(*names: str, **more: Any) -> Session:
    """A session of three seats in which everybody has one."""
    return sold("group", "09:00", "10:00", seats=dict.fromkeys(names, 1), **{"capacity": 3} | more)


def said(world: World) -> list[tuple[str, str | None, str | None]]:
    assert {entry.author for entry in world.history} <= {RULE}
    return [(entry.what, entry.booking, entry.why) for entry in world.history]


class TestFlag:
    def test_a_cut_of_hours_is_flagged_with_reason_and_since(self) -> None:
        after = World.of(NINE).open_from(*LATE).recalculated()
        assert after.sessions["nine"].conflict == Conflict(reason="outside_hours", since=NOW)
        assert said(after) == [("session.conflicted", None, "outside_hours")]
        assert (after.history[0].session, after.history[0].resource) == ("nine", "anna")
        assert (after.history[0].before, after.history[0].after) == (
            {"conflict": None},
            {"conflict": "outside_hours"},
        )

    def test_nothing_else_happens_to_it(self) -> None:
        before = World.of(NINE)
        after = before.open_from(*LATE).recalculated()
        assert after.sessions["nine"].model_copy(update={"conflict": None}) == NINE
        assert (after.bookings, after.effects) == (before.bookings, (to_operators("nine"),))

    def test_the_ledger_says_so_too(self) -> None:
        after = World.of(NINE).open_from(*LATE).recalculated()
        assert after.entry("nine").conflict == "outside_hours"
        assert contents(after.months) == rebuilt(*after.sessions.values())

    def test_hours_that_come_back_support_it_again(self) -> None:
        after = World.of(NINE).open_from(*LATE).recalculated().open_from(*ALL_DAY).recalculated()
        assert after.sessions == {"nine": NINE}
        assert said(after)[1:] == [("session.supported", None, "not outside_hours any more")]
        assert after.effects == (to_operators("nine"),)

    def test_another_reason_takes_over_and_it_is_as_old_as_the_first(self) -> None:
        flagged = World.of(NINE).busy(("09:00", "09:30")).recalculated()
        after = flagged.open_from(*LATE).busy().changed(now=NOW + 60_000).recalculated()
        assert after.sessions["nine"].conflict == Conflict(reason="outside_hours", since=NOW)
        assert said(after)[1:] == [("session.conflicted", None, "outside_hours")]

    def test_where_nothing_is_in_question_nothing_is_read_or_written(self) -> None:
        world = World.of(NINE, sold("ten", "10:00", "11:00")).busy(("11:00", "12:00"))
        assert world.questioned() == []
        assert world.recalculated() == world

    def test_once_is_enough(self) -> None:
        after = World.of(NINE).open_from(*LATE).recalculated()
        assert after.questioned() == []
        assert after.decided(["nine"]).writes_nothing

    @pytest.mark.parametrize(
        ("now", "flagged"),
        [
            pytest.param("2027-03-01T09:59:59Z", True, id="while it runs"),
            pytest.param("2027-03-01T10:00:00Z", False, id="not once it is over"),
        ],
    )
    def test_what_is_over_keeps_its_peace(self, now: str, *, flagged: bool) -> None:
        after = World.of(NINE).open_from(*LATE).changed(now=millis(now)).recalculated()
        assert bool(after.sessions["nine"].conflict) is flagged
        assert World.of(NINE).open_from(*LATE).changed(now=millis(now)).decided(["nine"]).writes_nothing is not flagged

    def test_a_hold_that_has_lapsed_is_nobody_s(self) -> None:
        lapsed = sold("nine", "09:00", "10:00", seats={}, holds={"x": Hold(seats=1, expires_at=NOW)})
        assert World.of(lapsed).open_from(*LATE).questioned() == []
        assert World.of(lapsed).open_from(*LATE).decided(["nine"]).writes_nothing

    def test_a_session_whose_service_is_gone_is_flagged_whatever_the_rule_was(self) -> None:
        assert World.of(NINE, services={}).recalculated().standing == {"nine": "not_served"}

    def test_one_whose_resource_is_gone_too(self) -> None:
        assert World.of(NINE, resources={}).recalculated().standing == {"nine": "not_served"}


class TestFirstComeFirst:
    FIRST, SECOND = sold("first", "09:00", "10:00"), sold("second", "09:30", "10:30", placed=1)

    def test_of_two_that_overlap_the_later_is_flagged(self) -> None:
        after = World.of(self.FIRST, self.SECOND).recalculated()
        assert after.standing == {"first": None, "second": "taken"}

    def test_once_the_first_is_gone_the_second_is_supported(self) -> None:
        world = World.of(self.FIRST, self.SECOND).recalculated()
        assert world.cancelled("firstx").recalculated().standing == {"second": None}

    def test_one_that_is_closed_out_itself_is_first_all_the_same(self) -> None:
        world = World.of(self.FIRST, self.SECOND).open_from("09:30", "17:00").recalculated()
        assert world.standing == {"first": "outside_hours", "second": "taken"}


class TestUnknown:
    TAKEN = World.of(NINE).busy(("09:00", "09:30")).recalculated()

    def test_what_was_taken_is_not_free_while_the_calendar_is_laid_out_anew(self) -> None:
        after = self.TAKEN.busy().changed(known_until={"anna": NINE.end - 1}).recalculated()
        assert after.standing == {"nine": "taken"}
        assert after.changed(known_until={"anna": NINE.end}).recalculated().standing == {"nine": None}

    def test_nor_does_the_rule_cancel_what_is_only_not_known_to_be_free(self) -> None:
        after = self.TAKEN.busy().with_service(on_conflict="cancel").changed(known_until={"anna": 0}).recalculated()
        assert after.standing == {"nine": "taken"}

    def test_for_another_reason_it_does(self) -> None:
        unknown = self.TAKEN.busy().with_service(on_conflict="cancel").changed(known_until={"anna": 0})
        after = unknown.open_from(*LATE).recalculated()
        assert after.sessions["nine"].reason == "we are closed at that time"

    def test_what_was_not_taken_is_not_taken_now(self) -> None:
        assert World.of(NINE, known_until={"anna": 0}).recalculated().standing == {"nine": None}


@pytest.mark.parametrize("rule", ["flag", "cancel"])
@pytest.mark.parametrize(
    "reason", ["all_day", "recurring", "deleted_in_calendar", "moved_in_calendar", "declined_by_host"]
)
def test_what_google_shows_is_left_alone(reason: str, rule: str) -> None:
    flagged = NINE.model_copy(update={"conflict": Conflict(reason=reason, since=1, calendar=CALENDAR)})
    for world in (World.of(flagged), World.of(flagged).open_from(*LATE)):
        after = world.with_service(on_conflict=rule).recalculated()
        assert (after.sessions, after.history) == ({"nine": flagged}, ())


class TestAccepted:
    """What an operator lives with is no conflict, for as long as it lasts."""

    KEPT = NINE.model_copy(update={"accepted": ("taken",)})

    @pytest.mark.parametrize("rule", ["flag", "cancel"])
    def test_it_is_neither_flagged_nor_cancelled_for_that(self, rule: str) -> None:
        world = World.of(self.KEPT).with_service(on_conflict=rule).busy(("09:00", "09:30"))
        assert world.questioned() == []
        assert world.recalculated().sessions == {"nine": self.KEPT}

    def test_for_another_reason_it_is(self) -> None:
        after = World.of(self.KEPT).busy(("09:00", "09:30")).open_from(*LATE).recalculated()
        assert after.standing == {"nine": "outside_hours"}

    def test_once_it_is_over_it_is_flagged_the_next_time(self) -> None:
        over = World.of(self.KEPT).recalculated()
        assert over.sessions == {"nine": NINE}
        assert said(over) == [("session.supported", None, "not taken any more")]
        assert over.busy(("09:00", "09:30")).recalculated().standing == {"nine": "taken"}

    def test_it_is_not_known_to_be_over_while_the_calendar_is_laid_out_anew(self) -> None:
        after = World.of(self.KEPT, known_until={"anna": 0}).recalculated()
        assert after.sessions == {"nine": self.KEPT}

    def test_what_only_google_shows_stays_accepted(self) -> None:
        kept = NINE.model_copy(update={"accepted": ("declined_by_host",)})
        assert World.of(kept).recalculated().sessions == {"nine": kept}

    def test_too_few_seats_may_be_lived_with(self) -> None:
        full = group("ann", "bob", "cid", accepted=("over_capacity",))
        after = World.of(full).with_service(capacity=2, on_conflict="cancel").recalculated()
        assert (after.standing, after.without_seats) == ({"group": None}, set())

    def test_at_another_time_it_counts_for_nothing(self) -> None:
        assert self.KEPT.moved_to(1, 2, at=NOW).accepted == ()


class TestCancel:
    BOOKED = sold("nine", "09:00", "10:00", seats={"kim": 1, "lee": 1}, capacity=2, copies={CALENDAR: copy(written=1)})
    RULES = service(capacity=2, on_conflict="cancel")

    def world(self, *more: Session) -> World:
        return World.of(self.BOOKED, *more, services={"cut": self.RULES})

    def test_the_session_ends_with_its_bookings(self) -> None:
        after = self.world().open_from(*LATE).recalculated()
        ended = after.sessions["nine"]
        assert (ended.status, ended.cancelled_by, ended.reason) == ("cancelled", "rule", "we are closed at that time")
        assert (ended.seats, ended.conflict) == ({}, None)
        assert {each.status for each in after.bookings.values()} == {"cancelled"}
        assert {each.reason for each in after.bookings.values()} == {"we are closed at that time"}

    def test_its_time_is_free(self) -> None:
        assert contents(self.world().open_from(*LATE).recalculated().months) == {}

    def test_each_client_is_told_once_and_google(self) -> None:
        after = self.world().open_from(*LATE).recalculated().recalculated()
        assert sorted(after.told) == ["kim", "lee"]
        assert after.effects.count(Effect(kind="push", subject="nine")) == 1

    def test_its_history_says_why(self) -> None:
        assert said(self.world().open_from(*LATE).recalculated()) == [
            ("session.cancelled", None, "we are closed at that time"),
            ("booking.cancelled", "kim", "we are closed at that time"),
            ("booking.cancelled", "lee", "we are closed at that time"),
        ]

    def test_what_is_held_ends_too_also_what_has_lapsed_and_is_not_cleared_away(self) -> None:
        holds = {"max": Hold(seats=1, expires_at=NOW + 1), "old": Hold(seats=1, expires_at=NOW)}
        held = self.BOOKED.model_copy(update={"seats": {}, "holds": holds})
        world = World.of(held.model_copy(update={"seats": {"max": 1, "old": 1}}), services={"cut": self.RULES})
        bookings = {key: each.model_copy(update={"status": "held"}) for key, each in world.bookings.items()}
        after = world.changed(sessions={"nine": held}, bookings=bookings).with_true_ledger().open_from(*LATE)
        ended = after.recalculated()
        assert {each.status for each in ended.bookings.values()} == {"cancelled"}
        assert ended.told == ["max", "old"]

    def test_what_has_begun_is_flagged_instead(self) -> None:
        begun = self.world().open_from(*LATE).changed(now=millis("2027-03-01T09:00:00Z")).recalculated()
        assert (begun.standing, begun.told) == ({"nine": "outside_hours"}, [])

    def test_what_was_flagged_ends_once_that_is_the_rule(self) -> None:
        flagged = self.world().with_service(on_conflict="flag").open_from(*LATE).recalculated()
        assert flagged.standing == {"nine": "outside_hours"}
        assert flagged.with_service(on_conflict="cancel").recalculated().standing == {}

    def test_who_gave_way_to_it_has_the_time_then(self) -> None:
        """Both come into question by one event: the first is cancelled by it, so nothing is in the way of the second."""
        second = sold("second", "08:30", "09:30", placed=1, capacity=2)
        for slices in (1, 2):
            world = self.world(second).open_from("08:00", "17:00").busy(("09:45", "09:50"))
            after = world.recalculated(slices=slices)
            assert after.standing == {"second": None}
            assert after.told == ["kim", "lee"]

    def test_those_at_its_other_resources_are_looked_at_again(self) -> None:
        both = sold("both", "09:00", "10:00", service="pair", resources=("anna", "room"))
        alone = sold("alone", "09:30", "10:30", placed=1, service="rent", resources=("room",))
        rules = {
            "pair": service(id="pair", resources=("anna", "room"), assignment="all", on_conflict="cancel"),
            "rent": service(id="rent", resources=("room",)),
        }
        world = World.of(both, alone, services=rules).recalculated()
        assert world.standing == {"both": None, "alone": "taken"}
        assert world.open_from(*LATE).recalculated(of=["anna"]).standing == {"alone": None}


class TestTooFewSeats:
    FULL = group("ann", "bob", "cid")
    THREE = service(capacity=3)

    def world(self, session: Session = FULL, **rules: Any) -> World:
        return World.of(session, services={"cut": self.THREE.model_copy(update=rules)})

    def test_an_appointment_has_as_many_seats_as_its_service_says(self) -> None:
        for capacity in (5, 3, 4):
            after = self.world().with_service(capacity=capacity).recalculated()
            assert (after.sessions["group"].capacity, after.entry("group").capacity) == (capacity, capacity)
            assert after.standing == {"group": None}
        assert said(after) == [("session.changed", None, "its service has as many seats now")]
        assert (after.history[0].before, after.history[0].after) == ({"capacity": 3}, {"capacity": 4})

    def test_who_came_last_has_no_seat(self) -> None:
        after = self.world().with_service(capacity=2).recalculated()
        assert after.standing == {"group": "over_capacity"}
        assert after.without_seats == {"cid"}
        assert after.bookings["cid"].conflict == Conflict(reason="over_capacity", since=NOW)
        assert after.sessions["group"].seats == self.FULL.seats
        assert after.told == []
        assert said(after)[1:] == [
            ("session.conflicted", None, "over_capacity"),
            ("booking.conflicted", "cid", "over_capacity"),
        ]

    def test_a_seat_that_comes_back_is_for_who_came_first(self) -> None:
        world = self.world().with_service(capacity=1).recalculated()
        assert world.without_seats == {"bob", "cid"}
        after = world.cancelled("ann").recalculated()
        assert (after.standing, after.without_seats) == ({"group": "over_capacity"}, {"cid"})
        after = after.with_service(capacity=2).recalculated()
        assert (after.standing, after.without_seats) == ({"group": None}, set())
        assert said(after)[-2:] == [
            ("session.supported", None, "not over_capacity any more"),
            ("booking.supported", "cid", "there are seats again"),
        ]

    def test_whatever_their_names(self) -> None:
        after = self.world(group("zoe", "ann", "bob")).with_service(capacity=2).recalculated()
        assert after.without_seats == {"bob"}

    def test_seats_that_an_operator_adds_are_given_out_though_it_is_taken(self) -> None:
        concert = group("ann", "bob", "cid", scheduled=True, capacity=2)
        world = self.world(concert).busy(("09:00", "09:10")).recalculated()
        assert (world.standing, world.without_seats) == ({"group": "taken"}, {"cid"})
        larger = world.sessions["group"].model_copy(update={"capacity": 3})
        after = world.changed(sessions={"group": larger}).with_true_ledger().recalculated()
        assert (after.standing, after.without_seats) == ({"group": "taken"}, set())

    def test_parties_that_fit_keep_their_seats(self) -> None:
        parties = sold("group", "09:00", "10:00", seats={"three": 3, "two": 2, "one": 1}, capacity=6)
        after = self.world(parties, capacity=6).with_service(capacity=4).recalculated()
        assert after.without_seats == {"two"}

    def test_who_sits_where_a_larger_party_did_not_fit_keeps_that_when_seats_come_free(self) -> None:
        """Of two seats Bob's party of two can't have the one that Ann leaves over, so it is Cid's, who came last. It stays his when Ann leaves, and when
        there are three seats: the business has seen that he has it, and will have said so."""
        parties = sold("group", "09:00", "10:00", seats={"ann": 1, "bob": 2, "cid": 1}, capacity=4)
        world = self.world(parties, capacity=4).with_service(capacity=2).recalculated()
        assert world.without_seats == {"bob"}
        for freed in (world.cancelled("ann"), world.with_service(capacity=3)):
            assert freed.outcomes() == (), "and a preview promises Bob nothing"
            after = freed.recalculated()
            assert (after.standing, after.without_seats) == ({"group": "over_capacity"}, {"bob"})
        assert world.cancelled("cid").recalculated().without_seats == {"bob"}, "of two seats Ann has one"
        assert world.cancelled("ann").cancelled("cid").recalculated().without_seats == set()
        assert world.with_service(capacity=4).recalculated().without_seats == set()

    def test_of_seats_that_were_never_fewer_who_came_last_has_none(self) -> None:
        """So whose seats they are is not in the numbers alone: compare the one before."""
        parties = sold("group", "09:00", "10:00", seats={"ann": 1, "bob": 2, "cid": 1}, capacity=4)
        assert self.world(parties, capacity=3).recalculated().without_seats == {"cid"}

    def test_it_is_as_old_as_it_is(self) -> None:
        world = self.world().with_service(capacity=2).recalculated()
        after = world.with_service(capacity=1).changed(now=NOW + 60_000).recalculated()
        assert {key: each.conflict and each.conflict.since for key, each in after.bookings.items()} == {
            "ann": None,
            "bob": NOW + 60_000,
            "cid": NOW,
        }

    def test_an_event_keeps_its_own_number_of_seats(self) -> None:
        concert = group("ann", "bob", scheduled=True, capacity=2)
        after = self.world(concert).with_service(capacity=1).recalculated()
        assert after.sessions == {"group": concert}

    def test_where_it_is_taken_as_well_its_seats_are_seen_to_all_the_same(self) -> None:
        world = self.world().busy(("09:00", "09:10")).with_service(capacity=2).recalculated()
        assert (world.standing, world.without_seats) == ({"group": "taken"}, {"cid"})
        world = world.with_service(capacity=3).recalculated()
        assert (world.standing, world.without_seats) == ({"group": "taken"}, set())
        world = world.with_service(capacity=2).recalculated().busy().recalculated()
        assert (world.standing, world.without_seats) == ({"group": "over_capacity"}, {"cid"})

    def test_the_rule_cancels_only_those_who_have_no_seat(self) -> None:
        after = self.world(on_conflict="cancel").with_service(capacity=1).recalculated().recalculated()
        assert after.standing == {"group": None}
        assert after.sessions["group"].seats == {"ann": 1}
        assert {key: each.status for key, each in after.bookings.items()} == {
            "ann": "confirmed",
            "bob": "cancelled",
            "cid": "cancelled",
        }
        assert after.told == ["cid", "bob"]
        assert after.bookings["cid"].reason == "there are fewer seats than before"
        assert contents(after.months) == rebuilt(*after.sessions.values())

    def test_a_party_for_which_nothing_is_left_takes_its_session_along(self) -> None:
        party = sold("group", "09:00", "10:00", seats={"three": 3}, capacity=3)
        after = self.world(party, on_conflict="cancel").with_service(capacity=2).recalculated()
        assert (after.sessions["group"].status, after.told, contents(after.months)) == ("cancelled", ["three"], {})

    def test_those_who_were_flagged_are_cancelled_once_that_is_the_rule(self) -> None:
        flagged = self.world().with_service(capacity=2).recalculated()
        after = flagged.with_service(on_conflict="cancel").recalculated()
        assert (after.standing, after.without_seats, after.told) == ({"group": None}, set(), ["cid"])


class TestPreview:
    """The same decision, and nothing to commit."""

    def test_it_says_what_then_happens(self) -> None:
        rules = {"cut": service(), "fit": service(id="fit", on_conflict="cancel")}
        world = World.of(
            NINE,
            sold("ten", "10:00", "11:00", service="fit"),
            sold("twelve", "12:00", "13:00", conflict=Conflict(reason="taken", since=1)),
            services=rules,
        ).open_from(*LATE)
        foreseen = world.previewed()
        assert [(each.becomes, each.session.id, each.reason) for each in foreseen.outcomes] == [
            ("conflicted", "nine", "outside_hours"),
            ("cancelled", "ten", "outside_hours"),
            ("supported", "twelve", "taken"),
        ]
        assert [[b.id for b in each.bookings] for each in foreseen.outcomes] == [["ninex"], ["tenx"], ["twelvex"]]
        after = world.recalculated()
        assert foreseen.months == {"anna": tuple(month for _, month in sorted(after.months.items()))}
        assert after.outcomes() == ()

    @pytest.mark.parametrize(
        ("rule", "becomes"), [pytest.param("flag", "conflicted"), pytest.param("cancel", "cancelled")]
    )
    def test_for_want_of_seats_it_names_those_who_have_none(self, rule: str, becomes: str) -> None:
        world = World.of(group("ann", "bob", "cid"), services={"cut": service(capacity=2, on_conflict=rule)})
        (outcome,) = world.outcomes()
        assert (outcome.becomes, outcome.reason, [each.id for each in outcome.bookings]) == (
            becomes,
            "over_capacity",
            ["cid"],
        )

    def test_of_one_that_stays_overfull_it_names_those_for_whom_it_changes(self) -> None:
        world = World.of(group("ann", "bob", "cid"), services={"cut": service(capacity=1)}).recalculated()
        (more,) = world.with_service(capacity=2).outcomes()
        assert (more.becomes, [each.id for each in more.bookings]) == ("supported", ["bob"])
        (less,) = world.with_service(capacity=2).recalculated().with_service(capacity=1).outcomes()
        assert (less.becomes, less.reason, [each.id for each in less.bookings]) == (
            "conflicted",
            "over_capacity",
            ["bob"],
        )

    def test_who_gets_time_that_the_rule_frees_is_among_them(self) -> None:
        rules = {"cut": service(on_conflict="cancel"), "fit": service(id="fit")}
        second = sold("second", "09:30", "10:30", placed=1, service="fit")
        world = World.of(NINE, second, services=rules).recalculated().busy(("09:00", "09:10"))
        assert [(each.becomes, each.session.id) for each in world.outcomes()] == [
            ("cancelled", "nine"),
            ("supported", "second"),
        ]

    def test_seats_that_are_added_are_in_the_ledger_after_it(self) -> None:
        world = World.of(group("ann"), services={"cut": service(capacity=9)})
        foreseen = world.previewed()
        assert foreseen.outcomes == ()
        assert foreseen.months["anna"][0].sessions["group"].capacity == 9


def test_sessions_of_several_resources_are_told_apart() -> None:
    world = World.of(
        NINE,
        sold("there", "09:00", "10:00", resources=("room",)),
        services={"cut": service(resources=("anna", "room"))},
    )
    after = world.open_from(*LATE, "room").recalculated()
    assert after.standing == {"nine": None, "there": "outside_hours"}
    assert isinstance(world.open_from(*LATE, ROOM.id).outcomes()[0], Outcome)
