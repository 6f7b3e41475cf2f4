"""Bookings on several weeks: all or none, each on the state that those before it leave; and cancelling what is left of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from functions.domain.appointments import Booked, BookingRequest
from functions.domain.availability import ClientBooking, Question
from functions.domain.booking_window import RollingDays, Unlimited
from functions.domain.configuration import ClientLimits, Limits, Service
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.errors import CalendarUnknown, IllegalMove, Invalid, SeriesTaken
from functions.domain.instants import MINUTE_MS
from functions.domain.ledger import LedgerMonth
from functions.domain.series import Part, book_series, cancel_series, weekly_starts
from functions.domain.session import ClientGuard, Session
from tests.domain.builders import (
    BERLIN,
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    among,
    apply,
    booking,
    contents,
    copy,
    hours,
    minute,
    occupation,
    override,
    question,
    rebuilt,
    request,
    resource,
    service,
    session,
    state,
    weekly,
)

WEEK = 7 * 1440
ANNA = resource(hours=hours(weekly("09:00", "17:00", range(1, 8)), zone=BERLIN), destination=CALENDAR)
ANY_TIME = service(window=Unlimited())
NINE = minute("2027-03-01T09:00+01:00")


def wishes(starts: Iterable[int], **changes: Any) -> list[BookingRequest]:
    return [
        request(start, booking=f"b{n}", session=f"s{n}", series="mondays", **changes) for n, start in enumerate(starts)
    ]


def asked(*occupations: Any, rules: Service = ANY_TIME, **changes: Any) -> Question:
    return question(*occupations, asked=rules, **{"of": ANNA} | changes)


def mondays(count: int, **changes: Any) -> list[int]:
    return list(weekly_starts(NINE, **{"weeks": count, "every": 1, "zone_name": BERLIN} | changes))


def booked(of: Question, *starts: int, running: Iterable[Session] = (), author: Any = BY_CLIENT) -> Any:
    return book_series(wishes(starts), of, {each.id: each for each in running}, author=author)


def missed(of: Question, *starts: int) -> list[dict[str, Any]]:
    with pytest.raises(SeriesTaken) as refused:
        booked(of, *starts)
    return list(refused.value.extra["misses"])


class TestStarts:
    def in_utc(self, starts: Iterable[int]) -> list[str]:
        return [datetime.fromtimestamp(start * 60, UTC).strftime("%m-%dT%H:%M") for start in starts]

    def test_they_keep_their_wall_time_over_the_change_of_clocks(self) -> None:
        starts = weekly_starts(minute("2027-03-15T09:00+01:00"), weeks=4, every=1, zone_name=BERLIN)
        assert self.in_utc(starts) == ["03-15T08:00", "03-22T08:00", "03-29T07:00", "04-05T07:00"]
        autumn = weekly_starts(minute("2027-10-25T09:00+02:00"), weeks=2, every=1, zone_name=BERLIN)
        assert self.in_utc(autumn) == ["10-25T07:00", "11-01T08:00"]

    def test_in_a_zone_without_changes_they_are_a_week_apart(self) -> None:
        starts = weekly_starts(minute("2027-03-15T09:00Z"), weeks=4, every=1, zone_name="UTC")
        assert [later - earlier for earlier, later in pairwise(starts)] == [WEEK] * 3

    def test_every_second_week(self) -> None:
        assert self.in_utc(mondays(3, every=2)) == ["03-01T08:00", "03-15T08:00", "03-29T07:00"]

    @pytest.mark.parametrize(("weeks", "every"), [(2, 1), (52, 1), (52, 26)])
    def test_there_are_as_many_as_were_asked_for(self, weeks: int, every: int) -> None:
        assert len(mondays(weeks, every=every)) == weeks


class TestBook:
    def test_each_is_a_booking_like_any_other_of_one_series_in_one_commit(self) -> None:
        starts = mondays(4)
        decision = booked(asked(), *starts)
        made = [each.booking for each in decision.answer]
        assert [each.start for each in made] == starts
        assert {(each.status, each.series, each.client.email) for each in made} == {
            ("confirmed", "mondays", CLIENT.email)
        }
        assert contents(apply({}, decision.changes)) == rebuilt(*(each.session for each in decision.answer))
        assert len(decision.documents) == 8
        assert [entry.booking for entry in decision.history] == ["b0", "b1", "b2", "b3"]

    def test_each_event_goes_to_google_and_one_message_to_the_client(self) -> None:
        effects = booked(asked(), *mondays(3)).effects
        assert [effect.subject for effect in effects if effect.kind == "push"] == ["s0", "s1", "s2"]
        assert [effect for effect in effects if effect.kind == "notify"] == [
            Effect(kind="notify", subject="b0", about="series")
        ]

    def test_where_an_operator_confirms_it_is_a_request_for_each(self) -> None:
        rules = ANY_TIME.model_copy(update={"confirmation": "operator"})
        decision = booked(asked(rules=rules), *mondays(2))
        for each in decision.answer:
            assert (each.booking.status, each.booking.requested) == ("held", True)
            assert each.booking.expires_at == each.session.start * MINUTE_MS
        kinds = [(effect.kind, effect.about) for effect in decision.effects]
        assert kinds == [("lapse", None), ("lapse", None), ("notify", "series")]
        by_operator = booked(asked(rules=rules), *mondays(2), author=BY_OPERATOR)
        assert {each.booking.status for each in by_operator.answer} == {"confirmed"}

    def test_they_join_classes_that_run(self) -> None:
        first, second = mondays(2)
        running = session("2027-03-08T08:00Z", "2027-03-08T09:00Z", id="class", capacity=3, seats={"other": 1})
        rules = ANY_TIME.model_copy(update={"capacity": 3})
        decision = booked(asked(running.occupation, rules=rules, seats=2), first, second, running=[running])
        assert [each.session.id for each in decision.answer] == ["s0", "class"]
        assert decision.answer[1].session.seats == {"other": 1, "b1": 2}

    def test_of_a_pool_each_week_has_whoever_is_free(self) -> None:
        first, second = mondays(2)
        ben = resource("ben", hours=ANNA.hours)
        rules = service(window=Unlimited(), resources=("anna", "ben"))
        taken = occupation("2027-03-08T08:00Z", "2027-03-08T09:00Z", session="other")
        decision = booked(among(state(taken, of=ANNA), state(of=ben), asked=rules), first, second)
        assert [each.session.resources for each in decision.answer] == [("anna",), ("ben",)]


class TestMisses:
    def test_one_that_is_taken_and_none_is_booked(self) -> None:
        starts = mondays(3)
        (miss,) = missed(asked(occupation("2027-03-08T08:00Z", "2027-03-08T09:00Z")), *starts)
        assert (miss["start"], miss["reasons"]) == ("2027-03-08T08:00:00Z", ["taken"])
        assert "2027-03-08T09:00:00Z" in miss["alternatives"]

    def test_every_one_is_named_with_its_reasons(self) -> None:
        rules = service(window=RollingDays(days=20))
        closed = hours(weekly("09:00", "17:00", range(1, 8)), zone=BERLIN, overrides=[override("2027-03-08")])
        found = missed(asked(rules=rules, of=resource(hours=closed)), *mondays(4))
        assert [(miss["start"], miss["reasons"]) for miss in found] == [
            ("2027-03-08T08:00:00Z", ["outside_hours"]),
            ("2027-03-15T08:00:00Z", ["too_far"]),
            ("2027-03-22T08:00:00Z", ["too_far"]),
        ]

    def test_how_many_of_how_many_is_said(self) -> None:
        with pytest.raises(SeriesTaken) as refused:
            booked(asked(occupation("2027-03-08T08:00Z", "2027-03-08T09:00Z")), *mondays(3))
        assert refused.value.detail.startswith("1 of 3 times")

    def test_where_only_a_calendar_can_not_be_read_one_may_try_again(self) -> None:  # law 6
        with pytest.raises(CalendarUnknown):
            booked(asked(known_until=0), *mondays(3))

    def test_what_is_not_known_so_far_ahead_is_one_of_the_misses(self) -> None:
        first, second, third = mondays(3)
        taken = occupation("2027-03-08T08:00Z", "2027-03-08T09:00Z")
        found = missed(asked(taken, known_until=third), first, second, third)
        assert [miss["reasons"] for miss in found] == [["taken"], ["calendar_unknown"]]

    def test_a_client_who_must_choose_and_does_not_is_told_so(self) -> None:
        rules = service(assignment="choice", window=Unlimited())
        with pytest.raises(Invalid):
            booked(asked(rules=rules), *mondays(2))


class TestLimits:
    def test_a_limit_of_the_client_counts_the_series_itself(self) -> None:
        rules = ANY_TIME.model_copy(update={"client_limits": ClientLimits(per_month=3)})
        found = missed(asked(rules=rules, client=()), *mondays(5))
        assert [(miss["start"], miss["reasons"]) for miss in found] == [
            ("2027-03-22T08:00:00Z", ["limit"]),
            ("2027-03-29T07:00:00Z", ["limit"]),
        ]

    def test_and_what_they_have_already(self) -> None:
        rules = ANY_TIME.model_copy(update={"client_limits": ClientLimits(at_once=2)})
        theirs = (ClientBooking(service="cut", start=NINE + 300, end=NINE + 360),)
        assert len(missed(asked(rules=rules, client=theirs), *mondays(3))) == 2
        assert booked(asked(rules=rules, client=()), *mondays(2)).answer

    @pytest.mark.parametrize("whose", ["resource", "service"])
    def test_a_limit_of_whoever_serves_does_too(self, whose: str) -> None:
        limit = Limits(per_month=2)
        rules = ANY_TIME if whose == "resource" else ANY_TIME.model_copy(update={"limits": limit})
        of = ANNA.model_copy(update={"limits": limit}) if whose == "resource" else ANNA
        found = missed(asked(rules=rules, of=of), *mondays(4))
        assert [miss["start"][:10] for miss in found] == ["2027-03-15", "2027-03-22"]

    def test_the_commit_rests_on_all_that_was_counted(self) -> None:
        rules = ANY_TIME.model_copy(update={"client_limits": ClientLimits(per_month=9), "limits": Limits(per_month=9)})
        guards = booked(asked(rules=rules, client=()), *mondays(6)).guards
        assert set(guards) == {
            Ref(ClientGuard, CLIENT.key),
            # In Berlin's months, which reach into the UTC ones beside them.
            *(Ref(LedgerMonth, f"anna/2027-0{month}") for month in (2, 3, 4)),
        }
        assert len(guards) == len(set(guards))


def series(*starts: str, **changes: Any) -> list[Booked]:
    """Bookings of one series, each alone in its session."""
    found = []
    for n, start in enumerate(starts):
        begins = minute(start)
        alone = session(start, _hour_after(start), id=f"s{n}", seats={f"b{n}": 1})
        theirs = booking(id=f"b{n}", session=f"s{n}", start=begins, series="mondays", **changes)
        found.append(Booked(theirs, alone))
    return found


def _hour_after(start: str) -> str:
    return datetime.fromtimestamp((minute(start) + 60) * 60, UTC).isoformat()


MARCH = [f"2027-03-{day:02}T09:00Z" for day in (1, 8, 15, 22)]


def cancelled(
    of: list[Booked], which: int, part: Part, *, now: str = "2027-02-22T08:00Z", until_minutes: int = 0
) -> Decision[tuple[Booked, ...]]:
    return cancel_series(
        of[which],
        of,
        part,
        now=minute(now) * MINUTE_MS,
        author=BY_CLIENT,
        reason="moved away",
        until_minutes=until_minutes,
    )


class TestCancel:
    @pytest.mark.parametrize(
        ("which", "part", "now", "gone"),
        [
            pytest.param(2, "following", "2027-02-22T08:00Z", ["b2", "b3"], id="this and the later ones"),
            pytest.param(2, "all", "2027-02-22T08:00Z", ["b0", "b1", "b2", "b3"], id="all"),
            pytest.param(2, "all", "2027-03-08T09:00Z", ["b2", "b3"], id="all that lie ahead"),
            pytest.param(0, "all", "2027-03-08T08:59Z", ["b1", "b2", "b3"], id="all, asked from one that is over"),
        ],
    )
    def test_those_that_were_meant(self, which: int, part: Part, now: str, gone: list[str]) -> None:
        of = series(*MARCH)
        decision = cancelled(of, which, part, now=now)
        assert [each.booking.id for each in decision.answer] == gone
        assert {each.booking.status for each in decision.answer} == {"cancelled"}
        left = [each.session for each in of if each.booking.id not in gone]
        before = rebuilt(*(each.session for each in of))
        assert contents(apply(before, decision.changes)) == rebuilt(*left)

    def test_the_client_is_told_once_and_each_event_goes(self) -> None:
        of = [
            Booked(each.booking, each.session.model_copy(update={"copies": {CALENDAR: copy(written=1)}}))
            for each in series(*MARCH)
        ]
        effects = cancelled(of, 1, "following").effects
        assert [e.subject for e in effects if e.kind == "push"] == ["s1", "s2", "s3"]
        assert [e for e in effects if e.kind == "notify"] == [
            Effect(kind="notify", subject="b1", about="series_cancelled")
        ]

    def test_within_the_cut_off_of_one_none_is_cancelled(self) -> None:
        of = series(*MARCH)
        with pytest.raises(IllegalMove) as refused:
            cancelled(of, 0, "all", now="2027-02-28T09:00Z", until_minutes=1440)
        assert refused.value.extra["too_late"] == ["2027-03-01T09:00:00Z"]
        assert len(cancelled(of, 1, "following", now="2027-02-28T09:00Z", until_minutes=1440).answer) == 3
        assert len(cancelled(of, 0, "all", now="2027-02-28T08:59Z", until_minutes=1440).answer) == 4

    def test_one_that_has_begun_does_not_follow_itself(self) -> None:
        with pytest.raises(IllegalMove):
            cancelled(series(*MARCH), 0, "following", now=MARCH[0])

    def test_those_that_are_cancelled_already_are_left_alone_and_twice_is_once(self) -> None:
        of = series(*MARCH)
        of[3] = Booked(of[3].booking.model_copy(update={"status": "cancelled"}), of[3].session)
        decision = cancelled(of, 2, "following")
        assert [each.booking.id for each in decision.answer] == ["b2"]
        of[2] = decision.answer[0]
        assert cancelled(of, 2, "following").writes_nothing

    def test_two_that_were_moved_into_one_class_leave_it_both(self) -> None:
        together = session(*_hour(MARCH[0]), id="class", seats={"b0": 1, "b1": 2, "other": 1})
        of = [
            Booked(booking(id="b0", session="class", series="mondays"), together),
            Booked(booking(id="b1", session="class", series="mondays", seats=2), together),
        ]
        decision = cancelled(of, 0, "all")
        (after,) = [each for each in decision.documents if isinstance(each, Session)]
        assert after.seats == {"other": 1}
        assert contents(apply(rebuilt(together), decision.changes)) == rebuilt(after)


def _hour(start: str) -> tuple[str, str]:
    return start, _hour_after(start)
