"""Sessions that an operator schedules: whose time they take, what stands in their way, and that all of them are made or none."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from functions.domain.configuration import Service
from functions.domain.decision import Decision, Effect
from functions.domain.errors import CalendarUnknown, Invalid, Refusal, StartClosed, TimeTaken
from functions.domain.event_ids import event_id
from functions.domain.horizon import new_horizon
from functions.domain.instants import MINUTE_MS, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, Occupation
from functions.domain.scheduling import Plan, Scheduled, schedule, starts_by_rule
from tests.domain.builders import BERLIN, BY_OPERATOR, CALENDAR, NOW, among, apply, minute, rebuilt, service, state
from tests.domain.monday import at, busy, on_monday, works

ANNA, BEN = works(destination=CALENDAR), works(name="ben", blocked_by=("bens",))
YOGA = service(id="yoga", kind="event", capacity=8)
PAIR = {"resources": ("anna", "ben")}
AT_7_PM = on_monday("19:00")  # nobody works then
HORIZON = new_horizon(NOW)


def plan(*starts: int, **changes: Any) -> Plan:
    starts = starts or (AT_7_PM,)
    fields: dict[str, Any] = {"starts": starts, "ids": tuple(f"s{n}" for n in range(len(starts)))}
    return Plan(**fields | {"length": 60, "capacity": 8} | changes)


def scheduled(
    wanted: Plan, *states: Any, rules: Service = YOGA, now: int = NOW, skip_taken: bool = False
) -> Decision[Scheduled]:
    asked = among(*(states or (state(of=ANNA),)), asked=rules, now=now)
    return schedule(wanted, asked, author=BY_OPERATOR, skip_taken=skip_taken)


def weeks(count: int) -> list[int]:
    return [AT_7_PM + week * 7 * 1440 for week in range(count)]


class TestMade:
    def test_it_takes_its_time_from_the_moment_it_exists_and_google_gets_it(self) -> None:
        decision = scheduled(plan(), rules=YOGA.model_copy(update={"buffer_after_minutes": 30}))
        (session,) = decision.answer.sessions
        assert (session.start, session.end, session.taken_until) == (AT_7_PM, AT_7_PM + 60, AT_7_PM + 90)
        assert (session.service, session.resources, session.capacity) == ("yoga", ("anna",), 8)
        assert (session.scheduled, session.seats, session.series) == (True, {}, None)
        assert session.occupation.takes_time(NOW), "with nobody in it"
        assert session.copies[CALENDAR].event == event_id("s0", CALENDAR, 0)
        assert apply({}, decision.changes) == rebuilt(session)
        assert decision.effects == (Effect(kind="push", subject="s0"), Effect(kind="promote", subject="yoga"))

    def test_its_history_says_who_scheduled_what(self) -> None:
        (entry,) = scheduled(plan(waitlist="evenings")).history
        assert (entry.what, entry.author) == ("session.scheduled", BY_OPERATOR)
        assert (entry.session, entry.service, entry.resource) == ("s0", "yoga", "anna")
        assert entry.after["capacity"] == 8
        assert entry.after["waitlist"] == "evenings"

    def test_length_seats_and_waitlist_are_the_operators_to_choose(self) -> None:
        (session,) = scheduled(plan(length=45, capacity=3, waitlist="evenings")).answer.sessions
        assert (session.end - session.start, session.capacity, session.waitlist) == (45, 3, "evenings")

    def test_of_any_the_first_that_is_free_serves(self) -> None:
        anna_is_busy = state(of=ANNA, blocks=busy("19:30-20:00"))
        (session,) = scheduled(plan(), anna_is_busy, state(of=BEN), rules=service(kind="event", **PAIR)).answer.sessions
        assert session.resources == ("ben",)

    def test_who_is_named_serves(self) -> None:
        rules = service(kind="event", **PAIR)
        (session,) = scheduled(plan(resources=("ben",)), state(of=ANNA), state(of=BEN), rules=rules).answer.sessions
        assert session.resources == ("ben",)

    @pytest.mark.parametrize("named", [(), ("ben", "anna")], ids=["none named", "all named"])
    def test_a_set_serves_together(self, named: tuple[str, ...]) -> None:
        rules = service(kind="event", assignment="all", **PAIR)
        (session,) = scheduled(plan(resources=named), state(of=ANNA), state(of=BEN), rules=rules).answer.sessions
        assert session.resources == ("anna", "ben")

    def test_a_class_of_appointments_can_be_scheduled_before_anybody_books(self) -> None:
        (session,) = scheduled(plan(), rules=service(capacity=8)).answer.sessions
        assert session.scheduled

    def test_those_of_one_rule_share_their_series_and_one_commit(self) -> None:
        decision = scheduled(plan(*weeks(3), series="tuesdays"))
        assert [session.series for session in decision.answer.sessions] == ["tuesdays"] * 3
        assert apply({}, decision.changes) == rebuilt(*decision.answer.sessions)
        assert [effect.subject for effect in decision.effects] == ["s0", "yoga", "s1", "s2"], "the queue is told once"
        assert len(decision.history) == 3


class TestTaken:
    @pytest.mark.parametrize(
        ("states", "kinds"),
        [
            pytest.param([state(at("19:30", "20:30"), of=ANNA)], {"session"}, id="a session"),
            pytest.param([state(at("20:00", "21:00", before=10), of=ANNA)], {"buffer"}, id="a session's buffer"),
            pytest.param([state(of=ANNA, blocks=busy("19:30-20:00"))], {"busy"}, id="an event in Google"),
            pytest.param(
                [state(at("19:30", "20:30"), of=ANNA, blocks=busy("19:00-19:30"))], {"session", "busy"}, id="both"
            ),
        ],
    )
    def test_it_is_refused_with_what_takes_the_time(self, states: list[Any], kinds: set[str]) -> None:
        with pytest.raises(TimeTaken) as refused:
            scheduled(plan(), *states)
        (taken,) = refused.value.extra["taken"]
        assert taken["start"] == "2027-03-01T19:00:00Z"
        assert {reason["rule"] for reason in taken["reasons"]} == kinds
        assert all(reason["resource"] == "anna" for reason in taken["reasons"])

    @pytest.mark.parametrize(
        ("there", "free"),
        [
            pytest.param(at("18:00", "19:00"), False, id="into the one before"),
            pytest.param(at("18:00", "18:45"), True, id="not into the one before"),
            pytest.param(at("20:00", "21:00"), False, id="into the one after"),
            pytest.param(at("20:30", "21:00"), True, id="not into the one after"),
        ],
    )
    def test_its_own_buffers_must_be_free_too(self, there: Occupation, *, free: bool) -> None:
        rules = YOGA.model_copy(update={"buffer_before_minutes": 15, "buffer_after_minutes": 30})
        if free:
            assert scheduled(plan(), state(there, of=ANNA), rules=rules).answer.sessions
        else:
            with pytest.raises(TimeTaken):
                scheduled(plan(), state(there, of=ANNA), rules=rules)

    def test_what_ends_just_then_is_not_in_the_way(self) -> None:
        assert scheduled(plan(), state(at("18:00", "19:00"), at("20:00", "21:00"), of=ANNA)).answer.sessions

    def test_a_hold_is_in_the_way_until_it_lapses(self) -> None:
        lapses = NOW + MINUTE_MS
        form = at("19:00", "20:00", seats=0, holds={"form": Hold(seats=1, expires_at=lapses)})
        with pytest.raises(TimeTaken):
            scheduled(plan(), state(form, of=ANNA), now=lapses - 1)
        assert scheduled(plan(), state(form, of=ANNA), now=lapses).answer.sessions

    def test_every_start_that_is_taken_is_named_and_nothing_is_made(self) -> None:
        first, second, third = weeks(3)
        in_the_way = state(at("19:00", "20:00"), of=ANNA, blocks={(CALENDAR, "ev"): [Interval(third, third + 30)]})
        with pytest.raises(TimeTaken) as refused:
            scheduled(plan(first, second, third), in_the_way)
        assert [each["start"] for each in refused.value.extra["taken"]] == [rfc3339(first), rfc3339(third)]
        assert refused.value.detail.startswith("2 of 3 starts are taken")

    def test_those_that_are_taken_are_left_out_where_the_operator_says_so(self) -> None:
        first, second = weeks(2)
        decision = scheduled(plan(first, second), state(at("19:00", "20:00"), of=ANNA), skip_taken=True)
        assert [(each.id, each.start) for each in decision.answer.sessions] == [("s1", second)]
        assert [each.start for each in decision.answer.skipped] == [first]
        assert apply({}, decision.changes) == rebuilt(*decision.answer.sessions)

    def test_where_nothing_would_be_left_nothing_is_left_out(self) -> None:
        with pytest.raises(TimeTaken):
            scheduled(plan(), state(at("19:00", "20:00"), of=ANNA), skip_taken=True)

    def test_starts_of_one_rule_that_overlap_are_in_each_others_way(self) -> None:
        with pytest.raises(TimeTaken) as refused:
            scheduled(plan(AT_7_PM, AT_7_PM + 30, AT_7_PM + 60))
        assert [each["start"] for each in refused.value.extra["taken"]] == ["2027-03-01T19:30:00Z"]

    def test_where_all_of_a_pool_are_taken_each_ones_reasons_are_named(self) -> None:
        states = state(at("19:00", "20:00"), of=ANNA), state(of=BEN, blocks=busy("19:00-20:00", calendar="bens"))
        with pytest.raises(TimeTaken) as refused:
            scheduled(plan(), *states, rules=service(kind="event", **PAIR))
        reasons = refused.value.extra["taken"][0]["reasons"]
        assert [(each["resource"], each["rule"]) for each in reasons] == [("anna", "session"), ("ben", "busy")]

    def test_a_set_needs_all_of_them(self) -> None:
        rules = service(kind="event", assignment="all", **PAIR)
        with pytest.raises(TimeTaken):
            scheduled(plan(), state(of=ANNA), state(at("19:00", "20:00"), of=BEN), rules=rules)


class TestUnknown:
    @pytest.mark.parametrize(
        "states",
        [
            pytest.param([state(of=ANNA, known_until=0)], id="the calendar"),
            pytest.param([state(at("19:00", "20:00"), of=ANNA, known_until=0)], id="and a session is in the way too"),
            pytest.param([state(of=ANNA, known_until=AT_7_PM + 59)], id="its last minute"),
        ],
    )
    def test_nobody_schedules_what_nobody_can_see(self, states: list[Any]) -> None:  # law 6
        with pytest.raises(CalendarUnknown):
            scheduled(plan(), *states)
        with pytest.raises(CalendarUnknown):
            scheduled(plan(*weeks(2)), *states, skip_taken=True)

    def test_of_any_one_that_is_known_serves(self) -> None:
        rules = service(kind="event", **PAIR)
        (session,) = scheduled(plan(), state(of=ANNA, known_until=0), state(of=BEN), rules=rules).answer.sessions
        assert session.resources == ("ben",)


ANY, CHOICE, ALL = (service(kind="event", assignment=how, **PAIR) for how in ("any", "choice", "all"))


@pytest.mark.parametrize(
    ("rules", "wanted", "refusal"),
    [
        pytest.param(service(), plan(), Invalid, id="an appointment for one, which nobody could join"),
        pytest.param(service(capacity=4), plan(length=45), Invalid, id="a class of a length that is not offered"),
        pytest.param(ANY, plan(resources=("anna", "ben")), Invalid, id="two of any"),
        pytest.param(ANY, plan(resources=("eve",)), Invalid, id="somebody who does not serve it"),
        pytest.param(CHOICE, plan(), Invalid, id="nobody, where somebody must be chosen"),
        pytest.param(ALL, plan(resources=("anna",)), Invalid, id="one of a set"),
        pytest.param(YOGA, plan(NOW // MINUTE_MS), StartClosed, id="now"),
        pytest.param(YOGA, plan(AT_7_PM, NOW // MINUTE_MS - 60), StartClosed, id="one of them in the past"),
        pytest.param(YOGA, plan(HORIZON - 59), StartClosed, id="beyond what is read of calendars"),
    ],
)
def test_what_makes_no_sense_is_refused(rules: Service, wanted: Plan, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        scheduled(wanted, *(state(of=each) for each in (ANNA, BEN) if each.id in rules.resources), rules=rules)


def test_the_first_minute_from_now_and_the_last_of_the_horizon_can_be_had() -> None:
    decision = scheduled(plan(NOW // MINUTE_MS + 1, HORIZON - 60))
    assert len(decision.answer.sessions) == 2


class TestRules:
    def starts(self, rule: str, first: str, zone: str = BERLIN, **more: Any) -> list[str]:
        found = starts_by_rule(rule, minute(first), zone_name=zone, **{"now": NOW} | more)
        return [datetime.fromtimestamp(start * 60, UTC).strftime("%m-%dT%H:%M") for start in found]

    def test_a_weekly_class_keeps_its_wall_time_over_the_change_of_clocks(self) -> None:  # case 134
        found = self.starts("FREQ=WEEKLY;COUNT=4", "2027-03-15T18:00+01:00")
        assert found == ["03-15T17:00", "03-22T17:00", "03-29T16:00", "04-05T16:00"]

    @pytest.mark.parametrize(
        ("first", "expected"),
        [
            pytest.param("2027-03-21T02:30+01:00", ["03-21T01:30", "03-28T01:30", "04-04T00:30"], id="left out"),
            pytest.param("2027-10-24T02:30+02:00", ["10-24T00:30", "10-31T00:30", "11-07T01:30"], id="twice"),
        ],
    )
    def test_a_wall_time_that_is_left_out_or_comes_twice_is_read_as_calendars_do(
        self, first: str, expected: list[str]
    ) -> None:  # RFC 5545, 3.3.5
        assert self.starts("FREQ=WEEKLY;COUNT=3", first) == expected

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            pytest.param("FREQ=WEEKLY;UNTIL=20270310", ["03-01T18:00", "03-08T18:00"], id="until a date"),
            pytest.param("FREQ=WEEKLY;UNTIL=20270308T180000Z", ["03-01T18:00", "03-08T18:00"], id="until a moment"),
            pytest.param("FREQ=WEEKLY;UNTIL=20270308T175900Z", ["03-01T18:00"], id="until just before it"),
            pytest.param(
                "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3", ["03-01T18:00", "03-04T18:00", "03-08T18:00"], id="two days a week"
            ),
            pytest.param("FREQ=MONTHLY;BYDAY=1MO;COUNT=2", ["03-01T18:00", "04-05T17:00"], id="first Mondays"),
            pytest.param("freq=daily;count=2", ["03-01T18:00", "03-02T18:00"], id="in small letters"),
        ],
    )
    def test_a_rule_names_its_starts(self, rule: str, expected: list[str]) -> None:
        assert self.starts(rule, "2027-03-01T19:00+01:00") == expected

    @pytest.mark.parametrize(
        ("rule", "refusal"),
        [
            pytest.param("every Monday", Invalid, id="no rule"),
            pytest.param("FREQ=SOMETIMES", Invalid, id="no frequency"),
            pytest.param("FREQ=WEEKLY;COUNT=0", Invalid, id="never"),
            pytest.param("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", Invalid, id="a date that is in no calendar"),
            pytest.param("FREQ=WEEKLY;BYDAY=TU;COUNT=3", Invalid, id="not on the day of the start"),
            pytest.param("FREQ=WEEKLY", Invalid, id="without an end"),
            pytest.param("FREQ=SECONDLY", Invalid, id="denser than is worth computing"),
            pytest.param("FREQ=DAILY;COUNT=101", Invalid, id="more than can be scheduled at once"),
            pytest.param("FREQ=WEEKLY;COUNT=60", StartClosed, id="further than calendars are read"),
            pytest.param("FREQ=YEARLY;COUNT=3", StartClosed, id="much further"),
            pytest.param("FREQ=DAILY;COUNT=" + "9" * 5000, Invalid, id="a number beyond all"),
        ],
    )
    def test_what_can_not_be_scheduled_is_refused(self, rule: str, refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            self.starts(rule, "2027-03-01T19:00+01:00")

    def test_a_hundred_can_be_scheduled_at_once(self) -> None:
        assert len(self.starts("FREQ=DAILY;COUNT=100", "2027-03-01T19:00+01:00")) == 100

    def test_the_dates_of_a_rule_are_those_of_its_zone(self) -> None:
        found = starts_by_rule(
            "FREQ=WEEKLY;BYDAY=MO;COUNT=2", minute("2027-03-01T00:30+01:00"), zone_name=BERLIN, now=NOW
        )
        local = [datetime.fromtimestamp(start * 60, UTC).date() for start in found]
        assert local == [date(2027, 2, 28), date(2027, 3, 7)], "Mondays in Berlin, Sundays in UTC"
