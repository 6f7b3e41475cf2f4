"""Waitlists as operators run them: whom they serve by hand, who comes first, presets, and what they can read of it all."""

from typing import Any

import pytest
import requests

from functions.adapters.clock import now_millis
from functions.adapters.store.store import Store
from functions.domain.hours import DailyInterval
from functions.domain.waitlist.quiet import after_waking
from infra.local.platform import Platform
from tests.domain.builders import millis
from tests.in_process import application_of, booking_client
from tests.studio import Booked, Studio, Waiting, until
from tests.system.waiting import NOON, TEN, all_done, full_class, full_event, lower_capacity

ByHand = tuple[Studio, str, Booked]


def slug(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.fixture
def by_hand(empty_studio: Studio) -> ByHand:
    """A class whose waitlist an operator runs: the studio, the start, and a booking in it."""
    start, (first, _) = full_class(empty_studio, mode="manual")
    return empty_studio, start, first


class TestPromoted:
    def test_to_a_booking(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        ann, ben = (studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        all_done(studio)
        assert (ann.status(), ben.status()) == ("waiting", "waiting")
        promoted = ben.promote()
        assert (promoted.status_code, promoted.json()["status"]) == (200, "booked")
        assert (ann.look()["position"], ben.status()) == (1, "booked")
        assert start not in studio.starts()

    def test_to_an_offer(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        ann = studio.wait(client="ann", start=start)
        first.cancel()
        offered = ann.promote(as_offer=True).json()
        assert (offered["status"], offered["offer"]["start"]) == ("offered", start)
        assert ann.do("accept").json()["entry"]["status"] == "booked"

    def test_only_with_what_is_free(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        pair = studio.wait(client="pair", start=start, seats=2)
        assert slug(pair.promote()) == (409, "slot-taken")
        first.cancel()
        assert slug(pair.promote()) == (409, "slot-taken")

    def test_once(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        ann = studio.wait(client="ann", start=start)
        first.cancel()
        ann.promote()
        assert slug(ann.promote()) == (409, "illegal-state")

    def test_once_by_a_request_that_is_sent_again(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        ann, ben = (studio.wait(client=name, start=start) for name in ("ann", "ben"))
        first.cancel()
        proof, path = {**studio.operator, "Idempotency-Key": "k"}, f"waitlist/{ben.id}/promote"
        promoted, again = (studio.post(path, {}, **proof) for _ in range(2))
        assert (promoted.status_code, promoted.json()["status"]) == (200, "booked")
        assert (again.status_code, again.json()) == (200, promoted.json())
        assert slug(studio.post(path, {"as_offer": True}, **proof)) == (422, "idempotency-key-reused")
        assert ann.status() == "waiting"

    def test_to_what_they_name(self, empty_studio: Studio) -> None:
        ten, (first, _) = full_event(empty_studio, TEN, mode="manual")
        noon, (other, _) = full_event(empty_studio, NOON, mode="manual")
        ann, ben = (empty_studio.wait(client=name, sessions=[ten, noon]) for name in ("ann", "ben"))
        first.cancel()
        assert slug(ann.promote(session=noon)) == (409, "slot-taken")
        other.cancel()
        assert ann.promote(session=noon, as_offer=True).json()["offer"]["session"] == noon
        assert ben.promote(start=TEN, as_offer=True).json()["offer"]["session"] == ten

    def test_after_the_cut_off_too(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio, cutoff_minutes=8 * 24 * 60)
        ann = empty_studio.wait(client="ann", start=start)
        first.cancel()
        assert ann.promote(as_offer=True).json()["status"] == "offered"


class TestPutBack:
    def test_who_left(self, by_hand: ByHand) -> None:
        studio, start, _ = by_hand
        ann, ben = (studio.wait(client=name, start=start) for name in ("ann", "ben"))
        ann.do("leave")
        back = studio.post(f"waitlist/{ann.id}/put-back", **studio.operator)
        assert (back.status_code, back.json()["status"]) == (200, "waiting")
        assert (ann.look()["position"], ben.look()["position"]) == (1, 2)
        again = studio.post(f"waitlist/{ann.id}/put-back", **studio.operator)
        assert slug(again) == (409, "illegal-state")

    def test_a_booking_whose_seat_is_then_the_next_ones(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio, mode="autopromote")
        ann = empty_studio.wait(client="ann", start=start)
        put = empty_studio.post(f"bookings/{first.id}/waitlist", **empty_studio.operator)
        assert (put.status_code, put.json()["status"], put.json()["paused"]) == (201, "waiting", True)
        ann.became("booked")
        assert first.look()["status"] == "cancelled"
        assert put.json()["client"]["email"] == empty_studio.details("c0")["email"]
        again = empty_studio.post(f"bookings/{first.id}/waitlist", **empty_studio.operator)
        assert slug(again) == (409, "illegal-state")

    def test_a_booking_that_came_from_the_waitlist_is_on_it_again_by_the_same_place(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio, mode="autopromote")
        ann = empty_studio.wait(client="ann", start=start)
        first.cancel()
        booking = ann.became("booked")["booking"]
        put = empty_studio.post(f"bookings/{booking}/waitlist", {"paused": False}, **empty_studio.operator)
        assert put.json()["id"] == ann.id
        until(lambda: ann.look().get("booking") not in (None, booking))
        assert ann.status() == "booked", "the seat that she left was hers again, because nobody else waited"

    def test_a_booking_only_by_operators(self, by_hand: ByHand) -> None:
        studio, _, first = by_hand
        proof = {"Authorization": f"Bearer {first.token}"}
        assert studio.post(f"bookings/{first.id}/waitlist", **proof).status_code == 401


class TestWhoComesFirst:
    def test_says_an_operator_and_no_client(self, by_hand: ByHand) -> None:
        studio, start, _ = by_hand
        ann = studio.wait(client="ann", start=start)
        for field in ({"priority": 5}, {"level": "gold"}, {"category": "member"}):
            assert slug(studio.try_to_wait(client="ben", start=start, **field)) == (401, "unauthorized")
            assert slug(ann.change(**field)) == (401, "unauthorized")
        joined = studio.try_to_wait(client="ben", start=start, priority=5, by=studio.operator)
        assert joined.status_code == 201, joined.text
        ben = Waiting(studio, joined.json()["id"], joined.json()["manage_token"])
        assert (ann.look()["position"], ben.look()["position"]) == (2, 1)
        assert ann.change(by=studio.operator, priority=9).json()["priority"] == 9
        assert (ann.look()["position"], ben.look()["position"]) == (1, 2)

    def test_says_the_order_of_levels_in_the_preset(self, by_hand: ByHand) -> None:
        studio, start, first = by_hand
        ann, ben = (studio.wait(client=name, start=start) for name in ("ann", "ben"))
        ann.change(by=studio.operator, level="silver")
        ben.change(by=studio.operator, level="gold")
        first.cancel()
        studio.rules(mode="offer", levels=["gold", "silver"])
        ben.became("offered")
        assert ann.status() == "waiting"

    def test_takes_a_level_and_a_category_away_again(self, by_hand: ByHand) -> None:
        studio, start, _ = by_hand
        ann = studio.wait(client="ann", start=start)
        assert ann.change(by=studio.operator, level="gold", category="member").json()["level"] == "gold"
        kept = ann.change(by=studio.operator, priority=3).json()
        assert (kept["level"], kept["category"]) == ("gold", "member"), "what is not named stays"
        cleared = ann.change(by=studio.operator, level=None, category=None).json()
        assert ("level" in cleared, "category" in cleared, cleared["priority"]) == (False, False, 3)

    def test_who_an_operator_decides_about_by_hand_is_passed_over(self, empty_studio: Studio) -> None:
        start, (first, _) = full_class(empty_studio)
        ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
        assert ann.change(by=empty_studio.operator, paused=True).json()["paused"] is True
        first.cancel()
        ben.became("offered")
        told = empty_studio.history(entry=ann.id)[-1]
        assert (told["what"], told["why"]) == ("waitlist.passed_over", "an operator decides about this one by hand")

    def test_who_is_taken_off_by_an_operator_is_off(self, by_hand: ByHand) -> None:
        studio, start, _ = by_hand
        ann = studio.wait(client="ann", start=start)
        off = studio.post(f"waitlist/{ann.id}/leave", **studio.operator)
        assert (off.json()["status"], off.json()["reason"]) == ("left", "the business took the client off the waitlist")


def test_a_party_too_large_for_what_is_left_of_the_class_does_not_keep_it_closed(empty_studio: Studio) -> None:
    session, bookings = full_event(empty_studio, seats=3, party="strict")
    trio = empty_studio.wait(client="trio", sessions=[session], seats=3)
    bookings[0].cancel()
    all_done(empty_studio)
    assert TEN not in empty_studio.starts()
    lower_capacity(empty_studio, session, 2)
    bookings[1].cancel()
    all_done(empty_studio)
    assert TEN in empty_studio.starts()
    assert trio.status() == "waiting"


class TestPresets:
    RULES = {  # noqa: RUF012  never changed
        "name": "Evenings",
        "mode": "splitter",
        "party": "strict",
        "offer_minutes": 30,
        "cutoff_minutes": 0,
        "spread": "fullest",
        "levels": ["gold", "silver"],
        "categories": ["member"],
        "quiet": {"start": "22:00", "end": "07:00"},
        "paused": True,
    }

    def test_are_made_read_and_listed(self, empty_studio: Studio) -> None:
        made = empty_studio.put("presets/evenings", self.RULES)
        assert made == {"id": "evenings"} | self.RULES
        assert empty_studio.look("presets/evenings") == made
        assert empty_studio.look("presets")["presets"] == [made]
        missing = empty_studio.http.get(f"{empty_studio.base}/presets/mornings", headers=empty_studio.operator)
        assert missing.status_code == 404

    def test_are_for_operators(self, empty_studio: Studio) -> None:
        for method, path in (("GET", "presets"), ("GET", "presets/x"), ("PUT", "presets/x")):
            answer = empty_studio.http.request(method, f"{empty_studio.base}/{path}", json=self.RULES)
            assert answer.status_code == 401

    def test_have_to_be_there_before_a_service_names_them(self, empty_studio: Studio) -> None:
        body = {"name": "C", "duration_minutes": 30, "step_minutes": 30, "resources": ["anna"], "waitlist": "nowhere"}
        address = f"{empty_studio.base}/services/consult"
        answer = empty_studio.http.put(address, json=body, headers=empty_studio.operator)
        assert (answer.status_code, "nowhere" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("path", "change", "minutes", "zone"),
    [
        pytest.param("/presets/rules", {"name": "R", "mode": "manual", "offer_minutes": 90}, 90, None, id="a preset"),
        pytest.param("", {"time_zone": "Pacific/Auckland"}, 60, "Pacific/Auckland", id="the account's time zone"),
    ],
)
def test_nobody_is_served_by_rules_that_were_changed_between_reading_and_committing(
    platform: Platform,
    by_hand: ByHand,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    change: dict[str, Any],
    minutes: int,
    zone: str | None,
) -> None:
    """How long an offer holds tells by which rules it was made. It is quiet for half of the day, and which half depends on the zone."""
    studio, start, first = by_hand
    quiet, here = DailyInterval(start="12:00", end="24:00"), booking_client(application_of(platform))
    assert studio.http.patch(studio.base, json={"time_zone": "UTC"}, headers=studio.operator).ok
    studio.rules(mode="manual", offer_minutes=60, quiet=quiet.model_dump())
    ann = studio.wait(client="ann", start=start)
    first.cancel()
    all_done(studio)
    commit = Store._commit

    def overtaken(*parts: Any) -> None:
        monkeypatch.setattr(Store, "_commit", commit)
        send = studio.http.put if path else studio.http.patch
        assert send(f"{studio.base}{path}", json=change, headers=studio.operator).ok
        commit(*parts)

    monkeypatch.setattr(Store, "_commit", overtaken)
    before, address = now_millis(), f"/v1/accounts/{studio.account}/waitlist/{ann.id}/promote"
    offered = here.post(address, json={"as_offer": True}, headers=studio.operator).json["offer"]
    earliest, latest = (
        after_waking(now, minutes, quiet if zone else None, zone or "") for now in (before, now_millis())
    )
    assert earliest <= millis(offered["expires_at"]) <= latest


def test_history_tells_of_one_place_from_its_first_day_to_its_last(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann = empty_studio.wait(client="ann", start=start, seats=2)
    ann.change(seats=1)
    ann.do("leave")
    empty_studio.post(f"waitlist/{ann.id}/put-back", **empty_studio.operator)
    first.cancel()
    ann.became("offered")
    ann.do("accept")
    assert ann.history() == [
        "waitlist.joined",
        "waitlist.changed",
        "waitlist.left",
        "waitlist.put_back",
        "waitlist.offered",
        "waitlist.booked",
    ]
