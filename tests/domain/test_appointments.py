"""Booking, cancelling and rescheduling as decisions: what is answered, what is written, what is told to whom."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.appointments import Booked, book, cancel, may_move, reschedule
from functions.domain.availability import Question, ResourceState
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Effect
from functions.domain.errors import CalendarUnknown, IllegalMove, Refusal, SlotTaken, StartClosed
from functions.domain.event_ids import event_id
from functions.domain.ledger import enter
from functions.domain.seating import gives_up_time
from functions.domain.session import Conflict, Session
from tests.domain.builders import (
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    EVERY_DAY,
    NOW,
    SESSION,
    Ledger,
    apply,
    booking,
    contents,
    copy,
    hours,
    ledger,
    millis,
    minute,
    occupation,
    rebuilt,
    request,
    resource,
    seating,
    service,
    session,
    spans,
    state,
    weekly,
)

IN_UTC = hours(weekly("09:00", "17:00", EVERY_DAY), zone="UTC")
ANNA = resource("anna", hours=IN_UTC, destination=CALENDAR)
BEN = resource("ben", hours=IN_UTC, destination="bens", blocked_by=("bens",))
TWO = service(resources=("anna", "ben"))
AT_9 = occupation("2027-03-01T09:00Z", "2027-03-01T10:00Z", session="other")


def booked(
    start: str,
    *states: ResourceState,
    rules: Service = TWO,
    asked: Mapping[str, Any] | None = None,
    running: Iterable[Session] = (),
    **wish: Any,
) -> Decision[Booked]:
    wished = request(start, **wish)
    question = Question(service=rules, states=states, now=NOW, **asked or {})
    return book(wished, seating(question, wished.start, *running), author=BY_CLIENT)


class TestBook:
    def test_it_takes_the_time_with_its_buffers_and_tells_google_and_the_client(self) -> None:
        rules = service(buffer_before_minutes=15, buffer_after_minutes=30)
        decision = booked("2027-03-01T09:00Z", state(of=ANNA), rules=rules, notes="by the window")
        made, sold = decision.answer.session, decision.answer.booking
        assert (made.start, made.end) == (minute("2027-03-01T09:00Z"), minute("2027-03-01T10:00Z"))
        assert (made.taken_from, made.taken_until) == (minute("2027-03-01T08:45Z"), minute("2027-03-01T10:30Z"))
        assert (made.status, made.resources, made.seats, made.version) == ("open", ("anna",), {"booking1": 1}, 1)
        assert (sold.status, sold.session, sold.client.name, sold.notes) == (
            "confirmed",
            SESSION,
            "Kim",
            "by the window",
        )
        assert decision.documents == (made, sold)
        assert apply({}, decision.changes) == rebuilt(made)
        assert decision.effects == (
            Effect(kind="push", subject=SESSION),
            Effect(kind="notify", subject="booking1", about="confirmed"),
        )

    def test_its_google_copy_is_pending_under_an_id_that_is_known_beforehand(self) -> None:  # case 92
        made = booked("2027-03-01T09:00Z", state(of=ANNA)).answer.session
        assert made.copies == {CALENDAR: copy()}
        assert made.copies[CALENDAR].event == event_id(SESSION, CALENDAR, 0)
        assert made.copy_pending

    def test_without_a_destination_there_is_nothing_to_write_in_google(self) -> None:
        decision = booked("2027-03-01T09:00Z", state(of=resource(hours=IN_UTC)))
        assert decision.answer.session.copies == {}
        assert decision.effects == (Effect(kind="notify", subject="booking1", about="confirmed"),)

    def test_its_history_names_its_author(self) -> None:
        (entry,) = booked("2027-03-01T09:00Z", state(of=ANNA)).history
        assert (entry.what, entry.author) == ("booking.confirmed", BY_CLIENT)
        assert (entry.session, entry.booking, entry.resource) == (SESSION, "booking1", "anna")
        assert entry.after == {
            "start": "2027-03-01T09:00:00Z",
            "end": "2027-03-01T10:00:00Z",
            "status": "confirmed",
            "service": "cut",
            "seats": 1,
        }

    @pytest.mark.parametrize(
        ("states", "wish", "chosen"),
        [
            pytest.param([state(of=ANNA), state(of=BEN)], {}, "anna", id="the first of the pool"),
            pytest.param([state(AT_9, of=ANNA), state(of=BEN)], {}, "ben", id="the next where the first is taken"),
            pytest.param(
                [state(of=ANNA, known_until=0), state(of=BEN)], {}, "ben", id="the next where the first is not known"
            ),
            pytest.param(
                [state(of=ANNA), state(of=BEN)], {"asked": {"resource": "ben"}}, "ben", id="the one that was asked for"
            ),
        ],
    )
    def test_it_takes_the_first_free_resource(
        self, states: list[ResourceState], wish: dict[str, Any], chosen: str
    ) -> None:
        decision = booked("2027-03-01T09:00Z", *states, **wish)
        assert decision.answer.session.resources == (chosen,)
        assert {change.resource for change in decision.changes} == {chosen}

    def test_a_taken_start_is_answered_with_the_nearest_open_ones_of_the_whole_pool(self) -> None:
        until_11 = occupation("2027-03-01T09:00Z", "2027-03-01T11:00Z", session="another")
        with pytest.raises(SlotTaken) as refused:
            booked("2027-03-01T09:00Z", state(AT_9, of=ANNA), state(until_11, of=BEN))
        assert refused.value.extra["alternatives"] == [
            "2027-03-01T10:00:00Z",
            "2027-03-01T10:30:00Z",
            "2027-03-01T11:00:00Z",
            "2027-03-01T11:30:00Z",
            "2027-03-01T12:00:00Z",
        ]

    def test_who_asked_for_one_resource_is_not_given_another(self) -> None:
        with pytest.raises(SlotTaken):
            booked("2027-03-01T09:00Z", state(AT_9, of=ANNA), state(of=BEN), asked={"resource": "anna"})

    @pytest.mark.parametrize(
        ("start", "states", "refusal", "reasons"),
        [
            pytest.param("2027-03-01T08:00Z", [state(of=ANNA)], StartClosed, ["outside_hours"], id="outside the hours"),
            pytest.param("2027-03-01T09:10Z", [state(of=ANNA)], StartClosed, ["off_grid"], id="off the grid"),
            pytest.param("2027-02-22T07:00Z", [state(of=ANNA)], StartClosed, ["outside_hours", "too_soon"], id="past"),
            pytest.param("2027-05-01T09:00Z", [state(of=ANNA)], StartClosed, ["too_far"], id="beyond the window"),
            pytest.param(
                "2027-03-01T09:00Z", [state(of=ANNA, known_until=0)], CalendarUnknown, None, id="not known"
            ),  # case 156
            pytest.param(
                "2027-03-01T09:00Z",
                [state(AT_9, of=ANNA, known_until=0)],
                CalendarUnknown,
                None,
                id="taken as far as one knows, which is not far",
            ),
            pytest.param(
                "2027-03-01T09:00Z",
                [state(of=ANNA, known_until=0), state(AT_9, of=BEN)],
                SlotTaken,
                None,
                id="one not known, the other taken",
            ),
            pytest.param(
                "2027-03-01T09:30Z",
                [state(of=resource("eve", hours=hours(weekly("13:00", "17:00"), zone="UTC"))), state(AT_9, of=ANNA)],
                SlotTaken,
                None,
                id="one closed, the other taken",
            ),
        ],
    )
    def test_what_can_not_be_booked_is_refused_with_the_most_useful_reason(
        self, start: str, states: list[ResourceState], refusal: type[Refusal], reasons: list[str] | None
    ) -> None:
        with pytest.raises(refusal) as refused:
            booked(start, *states)
        assert refused.value.extra.get("reasons") == reasons


class TestCancel:
    def test_it_frees_exactly_what_was_taken(self) -> None:
        sold = session(taken_from=minute("2027-02-28T23:00Z"), copies={CALENDAR: copy()})
        before = apply(rebuilt(sold), enter(["anna"], AT_9))
        decision = cancel(booking(), sold, now=NOW, author=BY_OPERATOR, reason="ill")
        after = decision.answer.session
        assert contents(apply(before, decision.changes)) == ledger(AT_9)
        assert (after.status, after.seats, after.version) == ("cancelled", {}, 2)
        assert (after.cancelled_by, after.reason) == ("operator", "ill")
        assert (decision.answer.booking.status, decision.answer.booking.reason) == ("cancelled", "ill")
        assert decision.documents == (decision.answer.booking, after)
        assert decision.effects == (
            Effect(kind="push", subject=SESSION),
            Effect(kind="notify", subject="booking1", about="cancelled"),
            Effect(kind="recalculate", subject="anna"),
        )

    def test_nothing_is_left_to_decide_about_it(self) -> None:
        asked = session(conflict=Conflict(reason="moved_in_calendar", since=NOW))
        after = cancel(booking(), asked, now=NOW, author=BY_CLIENT, reason=None).answer.session
        assert (after.status, after.conflict) == ("cancelled", None)

    def test_its_history_names_its_author_and_why(self) -> None:
        (entry,) = cancel(booking(), session(), now=NOW, author=BY_OPERATOR, reason="ill").history
        assert (entry.what, entry.author, entry.why) == ("booking.cancelled", BY_OPERATOR, "ill")
        assert (entry.before, entry.after) == ({"status": "confirmed"}, {"status": "cancelled"})

    def test_twice_is_once(self) -> None:
        first = cancel(booking(), session(), now=NOW, author=BY_CLIENT, reason=None)
        again = cancel(first.answer.booking, first.answer.session, now=NOW, author=BY_CLIENT, reason=None)
        assert again.writes_nothing
        assert again.answer == first.answer

    def test_where_others_sit_in_the_session_it_goes_on_without_this_one(self) -> None:
        shared = session(seats={"booking1": 1, "booking2": 2}, capacity=3)
        decision = cancel(booking(), shared, now=NOW, author=BY_CLIENT, reason=None)
        assert decision.answer.session.status == "open"
        assert decision.answer.session.seats == {"booking2": 2}
        assert apply(rebuilt(shared), decision.changes) == rebuilt(decision.answer.session)
        assert decision.answer.booking.status == "cancelled"

    @pytest.mark.parametrize("status", ["completed", "no_show"])
    def test_what_is_over_can_not_be_cancelled(self, status: str) -> None:
        with pytest.raises(IllegalMove):
            cancel(booking(status=status), session(), now=NOW, author=BY_CLIENT, reason=None)

    def test_the_last_moment_is_before_the_start(self) -> None:
        begins = millis("2027-03-01T09:00:00Z")
        assert cancel(booking(), session(), now=begins - 1, author=BY_CLIENT, reason=None).changes
        with pytest.raises(IllegalMove, match="begun"):
            cancel(booking(), session(), now=begins, author=BY_CLIENT, reason=None)

    def test_a_client_s_last_moment_is_before_the_cut_off(self) -> None:
        last = millis("2027-03-01T09:00:00Z") - 60 * 60_000
        assert cancel(booking(), session(), now=last - 1, author=BY_CLIENT, reason=None, until_minutes=60).changes
        with pytest.raises(IllegalMove, match="too late") as refused:
            cancel(booking(), session(), now=last, author=BY_CLIENT, reason=None, until_minutes=60)
        assert refused.value.extra == {"until_minutes": 60}


class TestReschedule:
    SOLD = session("2027-03-01T09:00Z", "2027-03-01T10:00Z", copies={CALENDAR: copy(written=1)})

    def test_a_client_s_last_moment_is_before_the_cut_off(self) -> None:
        last = self.SOLD.start * 60_000 - 60 * 60_000
        may_move(booking(), self.SOLD, now=last - 1, until_minutes=60)
        with pytest.raises(IllegalMove, match="too late"):
            may_move(booking(), self.SOLD, now=last, until_minutes=60)

    def moved(
        self, start: str, *others: Any, of: Resource = ANNA, rules: Service | None = None, **changes: Any
    ) -> Decision[Booked]:
        sold = self.SOLD.model_copy(update=changes.pop("sold", {}))
        moving, now = changes.pop("booking", booking()), changes.pop("now", NOW)
        may_move(moving, sold, now=now)
        known = state(sold.occupation, *others, of=of, known_until=changes.pop("known_until", 10**9))
        asked = Question(service=rules or service(), states=(known,), now=now, moving=sold.id)
        there = seating(asked, minute(start))
        return reschedule(moving, sold, there, new_session="new", author=BY_CLIENT, **changes)

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            pytest.param("2027-03-01T09:30:00Z", "2027-03-01T10:30:00Z", id="into a time that overlaps its old one"),
            pytest.param("2027-03-01T16:00:00Z", "2027-03-01T17:00:00Z", id="to the end of the day"),
            pytest.param("2027-04-01T09:00:00Z", "2027-04-01T10:00:00Z", id="to another month"),
        ],
    )
    def test_it_moves_in_place(self, start: str, end: str) -> None:  # case 159
        decision = self.moved(start)
        after = decision.answer.session
        assert (after.id, after.seats, after.version) == (SESSION, {"booking1": 1}, 2)
        assert (after.start, after.end) == (minute(start), minute(end))
        assert after.copy_pending
        assert contents(apply(rebuilt(self.SOLD), decision.changes)) == rebuilt(after)
        assert decision.documents == (after, decision.answer.booking)
        assert decision.answer.booking.start == after.start
        assert decision.effects == (
            Effect(kind="push", subject=SESSION),
            Effect(kind="notify", subject="booking1", about="moved"),
            Effect(kind="recalculate", subject="anna"),
        )

    def test_its_history_has_both_times_and_the_author(self) -> None:
        (entry,) = self.moved("2027-03-01T11:00Z").history
        assert (entry.what, entry.author) == ("session.moved", BY_CLIENT)
        assert entry.before == {"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}
        assert entry.after == {"start": "2027-03-01T11:00:00Z", "end": "2027-03-01T12:00:00Z"}

    def test_it_gets_the_length_and_buffers_that_the_service_has_now(self) -> None:
        rules = service(duration_minutes=90, buffer_before_minutes=10, buffer_after_minutes=20)
        after = self.moved("2027-03-01T11:00Z", rules=rules).answer.session
        assert spans("2027-03-01T11:00Z/2027-03-01T12:30Z") == [(after.start, after.end)]
        assert spans("2027-03-01T10:50Z/2027-03-01T12:50Z") == [(after.taken_from, after.taken_until)]

    def test_a_flag_of_its_old_time_is_gone(self) -> None:
        flagged = {"conflict": Conflict(reason="taken", since=NOW)}
        assert self.moved("2027-03-01T11:00Z", sold=flagged).answer.session.conflict is None
        about = Conflict(reason="all_day", since=NOW, calendar="former")
        copies = {"former": copy("2027-03-01T09:00Z/2027-03-01T10:00Z", calendar="former", written=1)}
        decision = self.moved("2027-03-01T11:00Z", sold={"conflict": about, "copies": copies})
        assert Effect(kind="redirect", subject="anna") in decision.effects, "its destination is another calendar by now"

    @pytest.mark.parametrize(
        ("start", "changes", "refusal"),
        [
            pytest.param("2027-03-01T09:10Z", {}, StartClosed, id="off the grid"),
            pytest.param("2027-03-01T20:00Z", {}, StartClosed, id="outside the hours"),
            pytest.param("2027-02-22T07:00Z", {}, StartClosed, id="into the past"),
            pytest.param("2027-03-01T12:30Z", {}, SlotTaken, id="onto somebody else's time"),
            pytest.param("2027-03-01T11:00Z", {"known_until": 0}, CalendarUnknown, id="where nothing is known"),
            pytest.param(
                "2027-03-01T11:00Z", {"booking": booking(status="cancelled")}, IllegalMove, id="a cancelled booking"
            ),
            pytest.param(
                "2027-03-01T11:00Z", {"booking": booking(status="completed")}, IllegalMove, id="one that is over"
            ),
            pytest.param("2027-03-01T11:00Z", {"sold": {"status": "cancelled"}}, IllegalMove, id="a cancelled session"),
            pytest.param(
                "2027-03-01T11:00Z", {"now": millis("2027-03-01T09:00:00Z")}, IllegalMove, id="one that has begun"
            ),
        ],
    )
    def test_it_is_refused(self, start: str, changes: dict[str, Any], refusal: type[Refusal]) -> None:
        at_12 = occupation("2027-03-01T12:00Z", "2027-03-01T13:00Z", session="other")
        with pytest.raises(refusal):
            self.moved(start, at_12, **changes)


# Any number of wishes, one after the other, against a ledger in memory that each decision reads and changes.

WISHES = st.lists(
    st.tuples(st.sampled_from(["book", "cancel", "reschedule"]), st.integers(0, 5), st.integers(0, 40)), max_size=25
)
RULES = service(
    duration_minutes=45, step_minutes=15, buffer_before_minutes=30, buffer_after_minutes=15, resources=("anna", "ben")
)
LAST_OF_MARCH = minute("2027-03-31T20:00Z")
NOON_TO_NOON = hours(weekly("12:00", "12:00", EVERY_DAY), zone="UTC")


class Shop:
    """Two resources over the end of a month, so that sessions and their buffers lie across it."""

    def __init__(self) -> None:
        self.resources = [resource(name, hours=NOON_TO_NOON) for name in ("anna", "ben")]
        self.months: Ledger = {}
        self.sessions: dict[str, Session] = {}

    def states(self) -> tuple[ResourceState, ...]:
        return tuple(
            ResourceState(
                resource=each,
                months=tuple(month for (name, _), month in self.months.items() if name == each.id),
                known_until=10**9,
            )
            for each in self.resources
        )

    def asked(self, **more: Any) -> Question:
        return Question(service=RULES, states=self.states(), now=NOW, **more)

    def does(self, wish: str, which: int, quarter: int) -> None:
        name, start = f"s{which}", LAST_OF_MARCH + quarter * 15
        known = self.sessions.get(name)
        try:
            if wish == "book" and (known is None or known.status == "cancelled"):
                wished = request(start, session=name, booking=name)
                decision = book(wished, seating(self.asked(), start), author=BY_CLIENT)
            elif wish == "cancel" and known is not None:
                sold = booking(
                    id=name, session=name, status="cancelled" if known.status == "cancelled" else "confirmed"
                )
                decision = cancel(sold, known, now=NOW, author=BY_CLIENT, reason=None)
            elif wish == "reschedule" and known is not None and known.start != start:
                sold = booking(id=name, session=name)
                may_move(sold, known, now=NOW)
                assert gives_up_time(sold, known)
                there = seating(self.asked(moving=name, resource=known.resources[0]), start)
                decision = reschedule(sold, known, there, new_session=f"{name}b", author=BY_CLIENT)
            else:
                return
        except (SlotTaken, IllegalMove):
            return
        self.months = apply(self.months, decision.changes)
        self.sessions[name] = decision.answer.session


@given(WISHES)
def test_the_ledger_is_what_the_sessions_say_and_no_time_is_sold_twice(wishes: list[tuple[str, int, int]]) -> None:
    shop = Shop()
    for wish in wishes:
        shop.does(*wish)
    assert contents(shop.months) == rebuilt(*shop.sessions.values())
    sold = [each for each in shop.sessions.values() if each.status == "open"]
    for one, other in combinations(sold, 2):
        assert one.resources != other.resources or not one.occupation.taken.overlaps(other.occupation.taken)
