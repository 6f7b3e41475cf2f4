"""Waiting for a seat, as clients see it: over HTTP, with the tasks that serve the line."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests

from functions.domain.instants import Millis
from functions.sync.holds import lapse
from functions.sync.work import TryLater, Work
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import DAY, Studio, until
from tests.system.waiting import NOON, TEN, all_done, full_class, full_event, has_rules

A_WEEK_AND_A_DAY = 8 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class AtThatMoment(Work):
    """A task that comes at a moment of the test's choice."""

    moment: Millis

    def now(self) -> Millis:
        return self.moment


def slug(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


class TestAnOffer:
    def test_of_a_seat_that_comes_free_is_theirs_and_nobody_else_can_take_it(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        assert empty_studio.try_to_book(start).json()["waitlist"] is True
        waiting = empty_studio.wait(start=start)
        first.cancel()
        offered = waiting.became("offered")
        assert offered["offer"]["start"] == start
        assert start not in empty_studio.starts()
        assert empty_studio.try_to_book(start).status_code == 409

        accepted = waiting.do("accept")
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["booking"]["status"] == "confirmed"
        assert waiting.look()["status"] == "booked"
        assert waiting.history() == ["waitlist.joined", "waitlist.offered", "waitlist.booked"]

    def test_that_is_accepted_comes_with_the_token_of_the_booking(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        waiting.became("offered")
        booking = waiting.do("accept").json()["booking"]
        proof = {"Authorization": f"Bearer {booking['manage_token']}"}
        assert empty_studio.http.get(booking["manage_url"], headers=proof).json()["id"] == booking["id"]
        assert empty_studio.post(f"bookings/{booking['id']}/cancel", {}, **proof).json()["status"] == "cancelled"

    def test_accepted_twice_is_accepted_once(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        waiting.became("offered")
        once, twice = waiting.do("accept").json(), waiting.do("accept").json()
        assert once["booking"]["id"] == twice["booking"]["id"]
        assert twice["entry"]["status"] == "booked"

    def test_that_is_declined_goes_to_the_next_at_once(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        ann.became("offered")
        assert ben.status() == "waiting"
        assert ann.do("decline").json()["status"] == "left"
        ben.became("offered")

    def test_that_is_declined_leaves_the_rest_of_what_they_wait_for(self, empty_studio: Studio) -> None:
        ten, (first, _) = full_event(empty_studio, TEN)
        noon, (other, _) = full_event(empty_studio, NOON)
        ann = empty_studio.wait(sessions=[ten, noon])
        first.cancel()
        assert ann.became("offered")["offer"]["session"] == ten
        assert ann.do("decline").json()["status"] == "waiting"
        all_done(empty_studio)
        assert TEN in empty_studio.starts(), "nobody else waits for it, and she does not want it"
        other.cancel()
        assert ann.became("offered")["offer"]["session"] == noon

    def test_that_is_not_answered_goes_to_the_next(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        ann.became("offered")
        empty_studio.run_out(ann)
        assert slug(ann.do("accept")) == (409, "hold-lapsed")
        until(lambda: ben.status() == "offered", nudge=lambda: empty_studio.fire("minute"))
        assert (ann.look()["status"], ann.look()["reason"]) == ("expired", "the offer was not answered in time")

    def test_that_is_not_answered_goes_to_the_next_by_its_own_task_at_that_moment(
        self, empty_studio: Studio, platform: Platform
    ) -> None:
        """No sweep comes, and nobody asks."""
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        ann.became("offered")
        all_done(empty_studio)
        (held,) = [b for b in empty_studio.look("bookings")["bookings"] if b["status"] == "held"]
        over = round(datetime.fromisoformat(held["expires_at"]).timestamp() * 1000)
        about = {"application": application_of(platform), "account": empty_studio.account, "subject": held["id"]}
        with pytest.raises(TryLater):
            lapse(AtThatMoment(**about, moment=over - 1))
        assert (ann.status(), ben.status()) == ("offered", "waiting")
        lapse(AtThatMoment(**about, moment=over))
        assert (ann.status(), ben.status()) == ("expired", "offered")

    def test_is_free_for_the_next_when_they_leave(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        ann.became("offered")
        assert ann.do("leave").json()["status"] == "left"
        assert ann.do("leave").json()["status"] == "left"
        ben.became("offered")

    def test_can_be_confirmed_by_an_operator_like_any_booking(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        waiting.became("offered")
        (held,) = [b for b in empty_studio.look("bookings")["bookings"] if b["status"] == "held"]
        confirmed = empty_studio.post(f"bookings/{held['id']}/confirm", **empty_studio.operator)
        assert confirmed.json()["status"] == "confirmed"
        assert (waiting.look()["status"], waiting.look()["booking"]) == ("booked", held["id"])
        assert waiting.history()[-1] == "waitlist.booked"

    def test_that_an_operator_cancels_goes_to_the_next_and_leaves_them_in_line(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        ann.became("offered")
        (held,) = [b for b in empty_studio.look("bookings")["bookings"] if b["status"] == "held"]
        empty_studio.post(f"bookings/{held['id']}/cancel", {}, **empty_studio.operator)
        ben.became("offered")
        assert ann.status() == "waiting"
        assert ann.seen_by_operator()["paused"] is True


class TestJoining:
    def test_a_free_seat_is_booked_and_not_waited_for(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        first.cancel()
        refused = empty_studio.try_to_wait(start=start)
        assert slug(refused) == (409, "seat-free")
        assert start in refused.json()["alternatives"]

    def test_what_is_full_and_has_no_waitlist_can_not_be_waited_for(self, empty_studio: Studio) -> None:
        start, _ = full_class(empty_studio)
        empty_studio.offer(capacity=2, on_full="close")
        assert empty_studio.try_to_book(start).json()["waitlist"] is False
        assert slug(empty_studio.try_to_wait(start=start)) == (409, "no-waitlist")

    def test_the_same_client_waits_once(self, empty_studio: Studio) -> None:
        start, _ = full_class(empty_studio)
        waiting = empty_studio.wait(start=start)
        assert slug(empty_studio.try_to_wait(start=start)) == (409, "already-waiting")
        waiting.do("leave")
        assert empty_studio.try_to_wait(start=start).status_code == 201

    def test_the_same_request_joins_once(self, empty_studio: Studio) -> None:
        start, _ = full_class(empty_studio)
        once = empty_studio.try_to_wait(start=start, key="key-1")
        twice = empty_studio.try_to_wait(start=start, key="key-1")
        assert (once.status_code, twice.status_code) == (201, 201)
        assert once.json() == twice.json()
        assert slug(empty_studio.try_to_wait(start=start, seats=2, key="key-1")) == (422, "idempotency-key-reused")
        assert empty_studio.wait(client="ben", start=start).look()["position"] == 2

    def test_clients_see_where_they_stand(self, empty_studio: Studio) -> None:
        start, _ = full_class(empty_studio)
        ann, ben, cem = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben", "cem"))
        assert [waiting.look()["position"] for waiting in (ann, ben, cem)] == [1, 2, 3]
        ann.do("leave")
        assert [waiting.look().get("position") for waiting in (ann, ben, cem)] == [None, 1, 2]
        seen = cem.look()
        assert (seen["seats"], seen["starts"], seen["sessions"]) == (1, [start], [])
        assert not {"client", "priority", "passed_over"} & set(seen), "nothing that is for operators"

    def test_a_larger_party_goes_to_the_end_of_the_line(self, empty_studio: Studio) -> None:
        start, (first, second) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        assert ann.change(seats=2).json()["seats"] == 2
        assert [waiting.look()["position"] for waiting in (ann, ben)] == [2, 1]
        first.cancel()
        ben.became("offered")
        second.cancel()
        assert ann.status() == "waiting"
        assert ann.change(seats=1).json()["seats"] == 1
        ann.became("offered")


class TestWhatIsWaitedFor:
    def test_a_person_s_time_that_a_client_chose(self, empty_studio: Studio) -> None:
        empty_studio.open(resource="ben")
        empty_studio.rules(mode="autopromote")
        empty_studio.offer(resources=["anna", "ben"], waitlist="rules", assignment="choice")
        of_anna, of_ben = (empty_studio.book(TEN, resource=name) for name in ("anna", "ben"))
        zoe = empty_studio.wait(client="zoe", start=TEN, resource="ben")
        of_anna.cancel()
        all_done(empty_studio)
        assert zoe.status() == "waiting"
        of_ben.cancel()
        zoe.became("booked")

    def test_any_start_of_a_range_with_anybody_of_a_pool(self, empty_studio: Studio) -> None:
        empty_studio.open(start="10:00", end="11:00")
        empty_studio.open(start="10:00", end="11:00", resource="ben")
        empty_studio.rules()
        empty_studio.offer(resources=["anna", "ben"], waitlist="rules")
        bookings = [empty_studio.book(start) for start in empty_studio.starts() for _ in range(2)]
        assert len(bookings) == 4
        wish = {"start": f"{DAY}T06:00:00Z", "end": f"{DAY}T20:00:00Z"}
        ann, ben = (empty_studio.wait(client=name, **wish) for name in ("ann", "ben"))
        freed = bookings[3].look()
        bookings[3].cancel()
        offer = ann.became("offered")["offer"]
        assert (offer["start"], offer["resource"]) == (freed["start"], freed["resource"])
        assert ann.do("accept").json()["booking"]["resource"] == freed["resource"]
        assert ben.status() == "waiting"

    def test_a_group_that_ended_with_its_last_booking_and_begins_again(self, empty_studio: Studio) -> None:
        start, bookings = full_class(empty_studio, paused=True)
        waiting = empty_studio.wait(start=start, seats=2)
        for booking in bookings:
            booking.cancel()
        empty_studio.rules(mode="autopromote")
        booked = waiting.became("booked")
        (confirmed,) = [b for b in empty_studio.look("bookings")["bookings"] if b["status"] == "confirmed"]
        assert (confirmed["id"], confirmed["start"]) == (booked["booking"], start)

    def test_a_splitter_spreads_who_comes_over_several_sessions(self, empty_studio: Studio) -> None:
        empty_studio.rules(mode="splitter", spread="emptiest")
        empty_studio.offer(kind="event", capacity=3, waitlist="rules")
        starts = [TEN, NOON, f"{DAY}T14:00:00Z"]
        sessions = [
            empty_studio.schedule(start, service="consult", minutes=30, capacity=capacity)
            for start, capacity in zip(starts, (2, 3, 3), strict=True)
        ]
        for number in range(5):
            empty_studio.wait(client=f"p{number}", sessions=sessions).became("booked")
        sold = [len(empty_studio.look(f"sessions/{session}")["seats"]) for session in sessions]
        assert sold == [1, 2, 2], "always where most is left, and of two as empty the earlier"

    def test_a_session_with_rules_of_its_own(self, empty_studio: Studio) -> None:
        ten, (first, _) = full_event(empty_studio, TEN, mode="autopromote")
        noon, (other, _) = full_event(empty_studio, NOON, mode="autopromote")
        empty_studio.rules("evenings", mode="manual")
        has_rules(empty_studio, noon, "evenings")
        ann = empty_studio.wait(sessions=[ten, noon])
        other.cancel()
        all_done(empty_studio)
        assert ann.status() == "waiting"
        first.cancel()
        assert ann.became("booked")["booking"]


class TestNothingHappens:
    def test_in_quiet_hours_and_after_them_it_does(self, empty_studio: Studio) -> None:
        now = datetime.now(UTC).astimezone(ZoneInfo("Europe/Berlin"))
        quiet = {
            "start": f"{now - timedelta(hours=2):%H:%M}",
            "end": f"{now + timedelta(hours=2):%H:%M}",
        }
        start, (first, _) = full_class(empty_studio, quiet=quiet)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        all_done(empty_studio)
        assert waiting.status() == "waiting"
        assert start not in empty_studio.starts(), "it is kept for them"
        empty_studio.rules()
        waiting.became("offered")

    def test_while_an_operator_has_paused_it(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio, paused=True)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        all_done(empty_studio)
        assert waiting.status() == "waiting"
        empty_studio.rules(paused=False)
        waiting.became("offered")

    def test_after_the_cut_off_and_the_seat_is_anybodys(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio, cutoff_minutes=A_WEEK_AND_A_DAY)
        waiting = empty_studio.wait(start=start)
        first.cancel()
        all_done(empty_studio)
        assert waiting.status() == "waiting"
        assert start in empty_studio.starts()

    def test_for_who_has_as_many_bookings_as_a_client_may_have_and_the_seat_is_not_kept(
        self, empty_studio: Studio
    ) -> None:
        start, (first, _) = full_class(empty_studio, mode="autopromote")
        limited = {"capacity": 2, "waitlist": "rules", "client_limits": {"at_once": 1}}
        empty_studio.offer(**limited)
        other = empty_studio.book(empty_studio.starts()[-1])
        kim = empty_studio.wait(start=start)
        first.cancel()
        all_done(empty_studio)
        assert kim.status() == "waiting"
        assert kim.seen_by_operator()["passed_because"] == "has as many bookings as a client may have"
        assert start in empty_studio.starts()
        other.cancel()
        kim.became("booked")


def test_autopromote_books_the_first_who_fits(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio, mode="autopromote")
    pair, one = empty_studio.wait(client="pair", start=start, seats=2), empty_studio.wait(client="one", start=start)
    first.cancel()
    one.became("booked")
    seen = pair.seen_by_operator()
    assert (seen["status"], seen["passed_over"]) == ("waiting", 1)
    listed = {each["id"]: each["passed_over"] for each in empty_studio.look("waitlist")["entries"]}
    assert listed == {pair.id: 1, one.id: 0}
    told = empty_studio.history(entry=pair.id)[-1]
    assert (told["what"], told["why"]) == ("waitlist.passed_over", "needs 2 seats together, and 1 is free")
    all_done(empty_studio)
    assert "passed_because" not in pair.seen_by_operator(), "nothing is free any more"


def test_under_the_strict_policy_everybody_waits_until_the_first_fits(empty_studio: Studio) -> None:
    start, (first, second) = full_class(empty_studio, mode="autopromote", party="strict")
    pair, one = empty_studio.wait(client="pair", start=start, seats=2), empty_studio.wait(client="one", start=start)
    first.cancel()
    all_done(empty_studio)
    assert (pair.status(), one.status()) == ("waiting", "waiting")
    assert start not in empty_studio.starts()
    second.cancel()
    pair.became("booked")
    assert one.status() == "waiting"


@pytest.mark.parametrize("what", ["accept", "decline"])
def test_without_an_offer_there_is_nothing_to_answer(empty_studio: Studio, what: str) -> None:
    start, _ = full_class(empty_studio)
    assert slug(empty_studio.wait(start=start).do(what)) == (409, "illegal-state")
