"""Bookings of seats: several at once, in sessions that others share, and in sessions of several resources."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from functions.domain.appointments import Booked, book, cancel, gives_up_time, reschedule
from functions.domain.availability import Question
from functions.domain.configuration import ClientLimits, Limits, Service
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.errors import SlotTaken, StartClosed
from functions.domain.event_ids import event_id
from functions.domain.ledger import Hold, LedgerMonth
from functions.domain.session import Booking, ClientGuard, Conflict, GoogleCopy, Session
from tests.domain.builders import (
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    CLIENT,
    EVERY_DAY,
    NOW,
    among,
    apply,
    booking,
    contents,
    hours,
    ledger,
    minute,
    rebuilt,
    request,
    resource,
    seating,
    service,
    session,
    state,
    weekly,
)

IN_UTC = hours(weekly("09:00", "17:00", EVERY_DAY), zone="UTC")
ANNA = resource("anna", hours=IN_UTC, destination=CALENDAR)
BEN = resource("ben", hours=IN_UTC, destination="bens", blocked_by=("bens",))
YOGA = service(capacity=3, resources=("anna", "ben"))
EVENT = service(kind="event", capacity=3)


def running(name: str, start: str, seats: dict[str, int], **changes: Any) -> Session:
    """An hour at Anna's on Monday, with three seats, and its event in her calendar."""
    fields = {"id": name, "seats": seats, "capacity": 3, "copies": copies(name, CALENDAR)}
    end = f"{int(start[:2]) + 1:02}{start[2:]}"
    return session(f"2027-03-01T{start}Z", f"2027-03-01T{end}Z", **fields | changes)


def copies(of: str, *calendars: str) -> dict[str, GoogleCopy]:
    return {name: GoogleCopy(calendar=name, event=event_id(of, name, 0)) for name in calendars}


def sold(name: str, of: Session, seats: int = 1) -> Booking:
    return booking(id=name, session=of.id, start=of.start, resources=of.resources, seats=seats)


def asking(*sessions: Session, rules: Service = YOGA, **more: Any) -> Question:
    """About Anna and Ben, whose ledgers say what these sessions are."""
    of = [each for each in (ANNA, BEN) if each.id in rules.resources]
    states = [state(*(s.occupation for s in sessions if each.id in s.resources), of=each) for each in of]
    return among(*states, asked=rules, **more)


def booked(start: str, *sessions: Session, **more: Any) -> Decision[Booked]:
    asked = asking(*sessions, **more)
    wish = request(f"2027-03-01T{start}Z", booking="mine", session="new")
    return book(wish, seating(asked, wish.start, *sessions), author=BY_CLIENT)


def moved(own: Session, start: str, *others: Session, seats: int = 1, **more: Any) -> Decision[Booked]:
    """The booking `mine` leaves `own` for another start."""
    mine = sold("mine", own, seats)
    moving = own.id if gives_up_time(mine, own) else None
    asked = asking(own, *others, seats=seats, moving=moving, **more)
    there = seating(asked, minute(f"2027-03-01T{start}Z"), own, *others)
    return reschedule(mine, own, there, new_session="new", author=BY_CLIENT)


def written(decision: Decision[Booked]) -> dict[str, Session]:
    """The sessions of a commit by id."""
    return {document.id: document for document in decision.documents if isinstance(document, Session)}


def is_consistent(decision: Decision[Booked], *before: Session) -> bool:
    """Whether the ledger says of the sessions what they say, and the commit writes each document once."""
    after = {each.id: each for each in before} | written(decision)
    places = [(change.resource, change.month) for change in decision.changes]
    ids = [(type(document), document.id) for document in decision.documents]  # type: ignore[attr-defined]
    once = max(Counter([*places, *ids]).values(), default=1) == 1
    return once and contents(apply(rebuilt(*before), decision.changes)) == rebuilt(*after.values())


PUSH_OLD, PUSH_NEW = Effect(kind="push", subject="old"), Effect(kind="push", subject="new")
ANNAS_TIME, A_SEAT = Effect(kind="recalculate", subject="anna"), Effect(kind="promote", subject="cut")


class TestBook:
    def test_several_seats_make_a_session_with_room_for_others(self) -> None:
        decision = booked("09:00", seats=2)
        made, mine = decision.answer.session, decision.answer.booking
        assert (made.id, made.capacity, made.seats, made.version) == ("new", 3, {"mine": 2}, 1)
        assert (mine.session, mine.seats, mine.client_key) == ("new", 2, CLIENT.key)
        assert (made.occupation.seats, made.occupation.seats_left(NOW)) == (2, 1)
        assert decision.history[0].after["seats"] == 2
        assert is_consistent(decision)

    def test_who_joins_sits_in_the_session_that_runs(self) -> None:
        old = running("old", "09:00", {"theirs": 1})
        decision = booked("09:00", old, seats=2)
        joined, mine = decision.answer.session, decision.answer.booking
        assert joined == old.model_copy(update={"seats": {"theirs": 1, "mine": 2}, "version": 2})
        assert (mine.session, mine.seats) == ("old", 2)
        assert decision.documents == (joined, mine)
        assert decision.effects == (PUSH_OLD, Effect(kind="notify", subject="mine", about="confirmed"))
        assert (decision.history[0].session, decision.history[0].booking) == ("old", "mine")
        assert is_consistent(decision, old)

    def test_a_session_keeps_the_length_and_buffers_that_it_has(self) -> None:
        old = running("old", "09:00", {"theirs": 1}, taken_until=minute("2027-03-01T10:30Z"))
        rules = YOGA.model_copy(update={"buffer_before_minutes": 15, "capacity": 9})
        joined = booked("09:00", old, rules=rules).answer.session
        assert (joined.occupation.taken, joined.capacity) == (old.occupation.taken, 3)

    def test_who_joins_leaves_the_seats_that_are_kept_for_others(self) -> None:
        old = running("old", "09:00", {"theirs": 1}, holds={"form": Hold(seats=1, expires_at=NOW + 1)})
        decision = booked("09:00", old)
        assert decision.answer.session.occupation.seats_left(NOW) == 0
        assert decision.answer.session.holds == old.holds
        assert is_consistent(decision, old)

    def test_the_last_seat_is_sold_once(self) -> None:
        old = running("old", "09:00", {"theirs": 2})
        full = booked("09:00", old, resource="anna").answer.session
        assert full.occupation.seats_left(NOW) == 0
        with pytest.raises(SlotTaken):
            booked("09:00", full, resource="anna")

    def test_when_it_is_full_the_next_of_the_pool_begins_one(self) -> None:
        made = booked("09:00", running("old", "09:00", {"theirs": 3})).answer.session
        assert (made.id, made.resources, made.seats) == ("new", ("ben",), {"mine": 1})

    def test_more_seats_than_there_are_can_not_be_had(self) -> None:
        with pytest.raises(StartClosed) as refused:
            booked("09:00", seats=4)
        assert refused.value.extra["reasons"] == ["too_many_seats"]

    def test_an_event_is_joined_though_nobody_has_booked_it_yet(self) -> None:
        concert = running("old", "20:00", {}, scheduled=True)
        decision = booked("20:00", concert, rules=EVENT, seats=3)
        assert decision.answer.session.seats == {"mine": 3}
        assert is_consistent(decision, concert)


class TestCancel:
    def test_one_of_several_frees_their_seats_only(self) -> None:
        old = running("old", "09:00", {"mine": 2, "theirs": 1})
        decision = cancel(sold("mine", old, 2), old, now=NOW, author=BY_CLIENT, reason=None)
        after = decision.answer.session
        assert (after.status, after.seats, after.version) == ("open", {"theirs": 1}, 2)
        assert after.occupation.seats_left(NOW) == 2
        assert after.cancelled_by is None
        assert decision.effects == (PUSH_OLD, Effect(kind="notify", subject="mine", about="cancelled"), A_SEAT)
        assert is_consistent(decision, old)

    def test_the_last_one_takes_the_session_along(self) -> None:
        old = running("old", "09:00", {"mine": 2})
        decision = cancel(sold("mine", old, 2), old, now=NOW, author=BY_OPERATOR, reason="ill")
        after = decision.answer.session
        assert (after.status, after.seats, after.cancelled_by, after.reason) == ("cancelled", {}, "operator", "ill")
        assert decision.effects[0] == PUSH_OLD
        assert is_consistent(decision, old)

    def test_seats_that_are_kept_for_somebody_else_keep_the_session(self) -> None:
        kept = Hold(seats=1, expires_at=NOW + 1)
        old = running("old", "09:00", {"mine": 2}, holds={"form": kept})
        decision = cancel(sold("mine", old, 2), old, now=NOW, author=BY_CLIENT, reason=None)
        after = decision.answer.session
        assert (after.status, after.seats, after.holds) == ("open", {}, {"form": kept})
        assert is_consistent(decision, old)

    def test_a_scheduled_session_stays_open_when_the_last_one_leaves(self) -> None:
        concert = running("old", "20:00", {"mine": 2}, scheduled=True)
        decision = cancel(sold("mine", concert, 2), concert, now=NOW, author=BY_CLIENT, reason=None)
        after = decision.answer.session
        assert (after.status, after.seats, decision.answer.booking.status) == ("open", {}, "cancelled")
        assert after.occupation.takes_time(NOW)
        assert is_consistent(decision, concert)


class TestOneThatIsInConflict:
    """Seats that come free in it may be what it lacks."""

    FLAGGED = running("old", "09:00", {"mine": 1, "theirs": 1}, conflict=Conflict(reason="over_capacity", since=1))

    def test_is_looked_at_again(self) -> None:
        decision = cancel(sold("mine", self.FLAGGED), self.FLAGGED, now=NOW, author=BY_CLIENT, reason=None)
        assert decision.effects[-1] == ANNAS_TIME


class TestRescheduleAlone:
    OLD = running("old", "09:00", {"mine": 2})

    def test_to_a_free_start_the_session_moves(self) -> None:
        decision = moved(self.OLD, "11:00", seats=2, resource="anna")
        after = decision.answer.session
        assert (after.id, after.start, after.seats, after.version) == (
            "old",
            minute("2027-03-01T11:00Z"),
            {"mine": 2},
            2,
        )
        assert decision.answer.booking == sold("mine", self.OLD, 2).model_copy(update={"start": after.start})
        assert decision.documents == (after, decision.answer.booking)
        assert decision.history[0].what == "session.moved"
        assert decision.effects == (PUSH_OLD, Effect(kind="notify", subject="mine", about="moved"), ANNAS_TIME)
        assert is_consistent(decision, self.OLD)

    def test_to_a_start_within_their_own_time(self) -> None:  # case 159
        after = moved(self.OLD, "09:30", seats=2).answer.session
        assert (after.id, after.start) == ("old", minute("2027-03-01T09:30Z"))

    def test_into_a_session_that_runs_their_own_ends(self) -> None:
        there = running("there", "11:00", {"theirs": 1})
        decision = moved(self.OLD, "11:00", there, seats=2)
        ended, joined = written(decision)["old"], written(decision)["there"]
        assert (ended.status, ended.seats, ended.version) == ("cancelled", {}, 2)
        assert (ended.cancelled_by, ended.reason) == ("client", "moved to another session")
        assert (joined.status, joined.seats, joined.version) == ("open", {"theirs": 1, "mine": 2}, 2)
        assert decision.answer.booking == sold("mine", self.OLD, 2).model_copy(
            update={"session": "there", "start": there.start}
        )
        assert decision.answer.session == joined
        assert is_consistent(decision, self.OLD, there)
        assert contents(apply(rebuilt(self.OLD, there), decision.changes)) == ledger(joined.occupation)

    def test_of_both_sessions_google_is_told_and_the_client_once(self) -> None:
        there = running("there", "11:00", {"theirs": 1})
        assert moved(self.OLD, "11:00", there, seats=2).effects == (
            PUSH_OLD,
            Effect(kind="push", subject="there"),
            Effect(kind="notify", subject="mine", about="moved"),
            ANNAS_TIME,
        )

    def test_its_history_has_both_sessions_and_times(self) -> None:
        there = running("there", "11:00", {"theirs": 1})
        entry, _ = moved(self.OLD, "11:00", there, seats=2).history
        assert (entry.what, entry.author, entry.session, entry.booking) == ("booking.moved", BY_CLIENT, "there", "mine")
        assert entry.before == {"session": "old", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}
        assert entry.after == {"session": "there", "start": "2027-03-01T11:00:00Z", "end": "2027-03-01T12:00:00Z"}

    @pytest.mark.parametrize(
        ("old", "status"), [(OLD, "cancelled"), (running("old", "09:00", {"mine": 2, "other": 1}), "open")]
    )
    def test_the_session_that_is_left_says_who_went_where(self, old: Session, status: str) -> None:
        there = running("there", "11:00", {"theirs": 1})
        _, left = moved(old, "11:00", there, seats=2).history
        assert (left.what, left.author, left.session, left.booking) == ("session.left", BY_CLIENT, "old", None)
        assert left.before == {"booking": "mine", "seats": 2}
        assert left.after == {
            "session": "there",
            "start": "2027-03-01T11:00:00Z",
            "end": "2027-03-01T12:00:00Z",
            "status": status,
        }

    def test_to_somebody_else_a_new_session_is_made_there(self) -> None:
        decision = moved(self.OLD, "11:00", seats=2, resource="ben")
        made = decision.answer.session
        assert (made.id, made.resources, made.seats) == ("new", ("ben",), {"mine": 2})
        assert written(decision)["old"].status == "cancelled"
        assert set(made.copies) == {"bens"}
        assert decision.effects[:2] == (PUSH_OLD, PUSH_NEW)
        assert is_consistent(decision, self.OLD)

    def test_over_the_end_of_a_month_each_month_is_written_once(self) -> None:
        clean_up = minute("2027-04-01T01:00Z")
        long = session("2027-03-31T16:00Z", "2027-03-31T17:00Z", id="old", seats={"mine": 1}, taken_until=clean_up)
        there = session("2027-04-01T09:00Z", "2027-04-01T10:00Z", id="there", seats={"theirs": 1}, capacity=3)
        asked = asking(long, there, moving="old")
        seat = seating(asked, there.start, there)
        decision = reschedule(sold("mine", long), long, seat, new_session="new", author=BY_CLIENT)
        assert sorted(change.month for change in decision.changes) == ["2027-03", "2027-04"]
        assert is_consistent(decision, long, there)


class TestRescheduleOneOfSeveral:
    OLD = running("old", "09:00", {"mine": 1, "theirs": 1})

    def test_to_a_free_start_they_begin_a_session_and_the_others_stay(self) -> None:
        decision = moved(self.OLD, "11:00", resource="anna")
        left, made = written(decision)["old"], written(decision)["new"]
        assert (left.status, left.start, left.seats, left.version) == ("open", self.OLD.start, {"theirs": 1}, 2)
        assert (made.start, made.seats, made.version) == (minute("2027-03-01T11:00Z"), {"mine": 1}, 1)
        assert decision.answer == Booked(sold("mine", made), made)
        assert decision.effects == (PUSH_OLD, PUSH_NEW, Effect(kind="notify", subject="mine", about="moved"), A_SEAT)
        assert is_consistent(decision, self.OLD)

    def test_into_another_session(self) -> None:
        there = running("there", "11:00", {"others": 2})
        decision = moved(self.OLD, "11:00", there)
        assert written(decision)["old"].seats == {"theirs": 1}
        assert written(decision)["there"].seats == {"others": 2, "mine": 1}
        assert is_consistent(decision, self.OLD, there)

    def test_to_where_they_sit_already_changes_nothing(self) -> None:
        decision = moved(self.OLD, "09:00", resource="anna")
        assert decision.writes_nothing
        assert decision.answer.session == self.OLD

    def test_their_session_is_in_the_way_because_the_others_stay(self) -> None:
        with pytest.raises(SlotTaken):
            moved(self.OLD, "09:30", resource="anna")

    def test_nobody_is_moved_into_a_session_without_enough_seats(self) -> None:
        own = running("old", "09:00", {"mine": 2, "theirs": 1})
        with pytest.raises(SlotTaken):
            moved(own, "11:00", running("there", "11:00", {"others": 2}), seats=2, resource="anna")

    def test_without_copies_google_is_told_nothing(self) -> None:
        old = self.OLD.model_copy(update={"copies": {}})
        there = running("there", "11:00", {"others": 1}, copies={})
        assert moved(old, "11:00", there).effects == (Effect(kind="notify", subject="mine", about="moved"), A_SEAT)

    def test_from_one_event_to_another_which_both_stay_open(self) -> None:
        first, second = (
            running("old", "20:00", {"mine": 1}, scheduled=True),
            running("there", "22:00", {}, scheduled=True),
        )
        decision = moved(first, "22:00", second, rules=EVENT)
        assert (written(decision)["old"].status, written(decision)["old"].seats) == ("open", {})
        assert written(decision)["there"].seats == {"mine": 1}
        assert is_consistent(decision, first, second)


# ---- Sessions of several resources

TRIO = ("anna", "room", "projector")
SET = service(capacity=3, resources=TRIO, assignment="all")


def trio(
    *sessions: Session, destinations: Iterable[str | None] = (CALENDAR, "rooms", "rooms"), **more: Any
) -> Question:
    of = [
        resource(name, hours=IN_UTC, destination=calendar, blocked_by=())
        for name, calendar in zip(TRIO, destinations, strict=True)
    ]
    return among(*(state(*(s.occupation for s in sessions), of=each) for each in of), asked=SET, **more)


def of_trio(name: str, start: str, seats: dict[str, int]) -> Session:
    return running(name, start, seats, resources=TRIO, copies=copies(name, CALENDAR, "rooms"))


class TestSets:
    def test_one_session_takes_the_time_of_all_its_resources(self) -> None:
        wish = request("2027-03-01T09:00Z", booking="mine", session="new")
        decision = book(wish, seating(trio(), wish.start), author=BY_CLIENT)
        made = decision.answer.session
        assert made.resources == TRIO
        assert {change.resource for change in decision.changes} == set(TRIO)
        assert decision.history[0].resource == "anna"
        assert is_consistent(decision)

    @pytest.mark.parametrize(
        ("destinations", "calendars"),
        [
            pytest.param(("annas", "rooms", "things"), ["annas", "rooms", "things"], id="each has its own"),
            pytest.param(("annas", "rooms", "rooms"), ["annas", "rooms"], id="two share one"),
            pytest.param(("all", "all", "all"), ["all"], id="all share one"),
            pytest.param((None, "rooms", None), ["rooms"], id="some have none"),
            pytest.param((None, None, None), [], id="none has one"),
        ],
    )
    def test_it_has_one_copy_in_each_calendar(self, destinations: Iterable[str | None], calendars: list[str]) -> None:
        wish = request("2027-03-01T09:00Z", session="new")
        decision = book(wish, seating(trio(destinations=destinations), wish.start), author=BY_CLIENT)
        assert decision.answer.session.copies == copies("new", *calendars)
        assert [effect.kind for effect in decision.effects] == ["push"] * bool(calendars) + ["notify"]

    def test_who_joins_stands_in_all_ledgers(self) -> None:
        old = of_trio("old", "09:00", {"theirs": 1})
        wish = request("2027-03-01T09:00Z", booking="mine", session="new")
        decision = book(wish, seating(trio(old), wish.start, old), author=BY_CLIENT)
        assert decision.answer.session.seats == {"theirs": 1, "mine": 1}
        assert is_consistent(decision, old)

    def test_it_moves_as_a_whole(self) -> None:
        old = of_trio("old", "09:00", {"mine": 1})
        there = seating(trio(old, moving="old"), minute("2027-03-01T09:30Z"))
        decision = reschedule(sold("mine", old), old, there, new_session="new", author=BY_CLIENT)
        assert (decision.answer.session.id, decision.answer.session.resources) == ("old", TRIO)
        assert is_consistent(decision, old)

    def test_and_ends_as_a_whole(self) -> None:
        old = of_trio("old", "09:00", {"mine": 1})
        decision = cancel(sold("mine", old), old, now=NOW, author=BY_CLIENT, reason=None)
        assert contents(apply(rebuilt(old), decision.changes)) == {}


# ---- What a commit rests on besides what it changes

MARCH = {name: Ref(LedgerMonth, f"{name}/2027-03") for name in ("anna", "ben")}
GUARD = Ref(ClientGuard, CLIENT.key)


@pytest.mark.parametrize(
    ("rules", "client", "guards"),
    [
        pytest.param({}, None, set(), id="no limits"),
        pytest.param({"limits": Limits(per_day=1)}, None, set(MARCH.values()), id="all ledgers that a limit counts"),
        pytest.param({"client_limits": ClientLimits(at_once=2)}, (), {GUARD}, id="what else this client books"),
    ],
)
def test_a_booking_holds_what_the_limits_counted(rules: dict[str, Any], client: Any, guards: set[Ref[Any]]) -> None:
    limited = YOGA.model_copy(update=rules)
    assert set(booked("09:00", rules=limited, client=client).guards) == guards
    assert set(moved(TestRescheduleAlone.OLD, "11:00", rules=limited, client=client).guards) == guards


def test_who_joins_holds_no_ledgers_because_they_add_no_session() -> None:
    old = running("old", "09:00", {"theirs": 1})
    limited = YOGA.model_copy(update={"limits": Limits(per_day=1), "client_limits": ClientLimits(at_once=2)})
    assert set(booked("09:00", old, rules=limited, client=()).guards) == {GUARD}
