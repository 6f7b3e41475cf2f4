"""A booking on several weeks, over HTTP: all of it or nothing, one mail, and each week's event in Google."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Studio, until
from tests.system.asking import EVER, YEAR
from tests.system.test_bad_input import problem
from tests.system.test_scheduling import in_berlin, next_clock_change, weeks_later


def mails(studio: Studio) -> list[dict[str, Any]]:
    """To this studio's client, oldest first."""
    query = {"to": studio.client_email}
    found = requests.get(f"{studio.addresses.mail}/messages", params=query, timeout=10).json()["messages"]
    return sorted(found, key=lambda mail: mail["received"])


def bookings(studio: Studio) -> list[Any]:
    return list(studio.store.client.collection(f"accounts/{studio.account}/bookings").stream())


def test_three_weeks_are_three_bookings_three_events_and_one_mail(studio: Studio) -> None:
    nine = studio.starts()[0]
    booked = studio.book_series(nine, weeks=3)
    starts = [one.look()["start"] for one in booked]
    assert starts[0] == nine
    assert [one.look()["status"] for one in booked] == ["confirmed"] * 3
    assert len({one.look()["series"] for one in booked}) == 1
    assert len({one.token for one in booked}) == 3, "each has a token of its own"
    for one, week in zip(booked, range(3), strict=True):
        one.written()
        assert starts[week] not in studio.starts(DAY + timedelta(weeks=week))
    assert len(studio.person.events()) == 3

    (mail,) = until(lambda: mails(studio))
    assert mail["subject"] == "Your bookings are confirmed: Consultation, 3 times"
    assert mail["text"].count("Europe/Berlin") == 3


def test_it_keeps_its_wall_time_over_the_change_of_clocks(empty_studio: Studio) -> None:
    empty_studio.offer(**YEAR)
    change = next_clock_change()
    expected = [in_berlin(change + timedelta(days=days), 10) for days in (-7, 0, 7)]
    booked = empty_studio.book_series(expected[0], weeks=3)
    assert [one.look()["start"] for one in booked] == expected
    assert len({start[11:16] for start in expected}) == 2, "the clocks really change between them"


def test_every_second_week(empty_studio: Studio) -> None:
    empty_studio.open(zone="UTC")
    nine = empty_studio.starts()[0]
    booked = empty_studio.book_series(nine, weeks=3, every=2)
    assert [one.look()["start"] for one in booked] == [weeks_later(nine, week) for week in (0, 2, 4)]


def test_a_year_of_weeks_is_one_commit(empty_studio: Studio) -> None:
    empty_studio.open(zone="UTC")
    empty_studio.offer(**EVER)
    booked = empty_studio.book_series(empty_studio.starts()[0], weeks=52)
    assert len(bookings(empty_studio)) == 52
    booked[51].cancel(series="all")
    assert {booking.get("status") for booking in bookings(empty_studio)} == {"cancelled"}


class TestMisses:
    def test_where_one_week_is_taken_none_is_booked_and_it_is_named(self, studio: Studio) -> None:
        studio.open(zone="UTC")
        nine = studio.starts()[0]
        second, third = weeks_later(nine, 1), weeks_later(nine, 2)
        mine = studio.book(second)
        studio.person.add(third, f"{third[:11]}09:30:00Z")
        until(lambda: third not in studio.starts(DAY + timedelta(weeks=2)))
        refused = problem(studio.try_to_book_series(nine, weeks=4), 409, "series-taken")
        misses = refused["misses"]
        assert [(miss["start"], miss["reasons"]) for miss in misses] == [  # type: ignore[attr-defined]
            (second, ["taken"]),
            (third, ["taken"]),
        ]
        assert all(miss["alternatives"] for miss in misses)  # type: ignore[attr-defined]
        assert [booking.id for booking in bookings(studio)] == [mine.id]
        assert nine in studio.starts()

    def test_a_rule_that_closes_a_week_is_named_too(self, empty_studio: Studio) -> None:
        empty_studio.open(zone="UTC")
        empty_studio.offer(window={"kind": "fixed_dates", "first": "2020-01-01", "last": str(DAY + timedelta(days=7))})
        nine = empty_studio.starts()[0]
        refused = problem(empty_studio.try_to_book_series(nine, weeks=3), 409, "series-taken")
        assert refused["misses"] == [{"start": weeks_later(nine, 2), "reasons": ["too_far"]}]

    def test_the_series_counts_against_its_own_limit(self, empty_studio: Studio) -> None:
        empty_studio.open(zone="UTC")
        empty_studio.offer(client_limits={"at_once": 2})
        nine = empty_studio.starts()[0]
        refused = problem(empty_studio.try_to_book_series(nine, weeks=4), 409, "series-taken")
        assert [(miss["start"], miss["reasons"]) for miss in refused["misses"]] == [  # type: ignore[attr-defined]
            (weeks_later(nine, week), ["limit"]) for week in (2, 3)
        ]
        assert empty_studio.try_to_book_series(nine, weeks=2).status_code == 201

    def test_a_calendar_that_can_not_be_read_is_no_miss(self, studio: Studio) -> None:
        nine = studio.starts()[0]
        studio.lose_sight()
        problem(studio.try_to_book_series(nine, weeks=2), 503, "calendar-unreachable")


def test_it_joins_scheduled_classes(empty_studio: Studio) -> None:
    empty_studio.offer("yoga", kind="event", duration_minutes=60, capacity=3, **EVER)
    evening = f"{DAY}T18:00:00Z"
    rule = {"rule": "FREQ=WEEKLY;COUNT=3"}
    classes = empty_studio.schedule_all(evening, service="yoga", repeat=rule)
    booked = empty_studio.book_series(evening, weeks=3, service="yoga", seats=2)
    assert [one.session for one in booked] == [session["id"] for session in classes]
    assert empty_studio.starts(service="yoga", seats=1) == [evening]
    assert empty_studio.starts(service="yoga", seats=2) == []


def test_where_an_operator_confirms_it_is_a_request_for_each_week(empty_studio: Studio) -> None:
    empty_studio.offer(confirmation="operator")
    nine = empty_studio.starts()[0]
    booked = empty_studio.book_series(nine, weeks=2)
    assert [(one.look()["status"], one.look()["requested"]) for one in booked] == [("held", True)] * 2
    assert nine not in empty_studio.starts()
    until(lambda: [mail["subject"] for mail in mails(empty_studio)] == ["We have your request: Consultation, 2 times"])
    confirm = f"{empty_studio.base}/bookings/{booked[1].id}/confirm"
    assert empty_studio.http.post(confirm, headers=empty_studio.operator).json()["status"] == "confirmed"
    assert [one.look()["status"] for one in booked] == ["held", "confirmed"]


def test_a_request_that_is_sent_twice_with_its_key_books_once(empty_studio: Studio) -> None:
    nine, half_past = empty_studio.starts()[:2]
    first, again = (empty_studio.try_to_book_series(nine, weeks=2, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert all(booking["manage_token"] for booking in again.json()["bookings"])
    assert len(bookings(empty_studio)) == 2
    problem(empty_studio.try_to_book_series(half_past, weeks=2, key="k"), 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        pytest.param({"service": "nothing"}, 404, "not-found", id="a service that is not there"),
        pytest.param({"resource": "ben"}, 404, "not-found", id="a resource that is not there"),
        pytest.param({"weeks": 1}, 422, "invalid-request", id="one week"),
        pytest.param({"weeks": 53}, 422, "invalid-request", id="more than a year of them"),
        pytest.param({"every": 0}, 422, "invalid-request", id="every no week"),
        pytest.param({"start": "2020-01-01T10:00:00Z"}, 409, "series-taken", id="a time that is past"),
        pytest.param({"start": "2199-01-01T10:00:00Z"}, 409, "series-taken", id="a time that is far away"),
        pytest.param({"client": {"name": "Kim", "email": "kim"}}, 422, "invalid-request", id="no e-mail address"),
        pytest.param({"answers": {"mat": "thin"}}, 422, "invalid-request", id="an answer to nothing"),
    ],
)
def test_a_series_that_can_not_be(empty_studio: Studio, change: dict[str, Any], status: int, slug: str) -> None:
    start = empty_studio.starts()[0]
    body: dict[str, Any] = {"weeks": 2} | change
    problem(empty_studio.try_to_book_series(body.pop("start", start), **body), status, slug)
    assert bookings(empty_studio) == []


class TestCancel:
    def test_this_and_the_later_ones(self, studio: Studio) -> None:
        nine = studio.starts()[0]
        booked = studio.book_series(nine, weeks=4)
        booked[3].written()
        answer = booked[1].cancel(series="following", reason="moved away")
        assert [one["id"] for one in answer["bookings"]] == [one.id for one in booked[1:]]
        assert [one.look()["status"] for one in booked] == ["confirmed"] + ["cancelled"] * 3
        assert booked[2].look()["reason"] == "moved away"
        until(lambda: len(studio.person.events()) == 1)
        until(lambda: len(mails(studio)) == 2)
        assert mails(studio)[1]["subject"] == "Your bookings are cancelled: Consultation, 3 times"
        assert "moved away" in mails(studio)[1]["text"]
        assert booked[1].cancel(series="following")["bookings"] == [], "twice is once"

    def test_all_of_them_by_any_ones_token(self, empty_studio: Studio) -> None:
        whole = empty_studio.starts()
        booked = empty_studio.book_series(whole[0], weeks=3)
        booked[2].cancel(series="all")
        assert {one.look()["status"] for one in booked} == {"cancelled"}
        assert empty_studio.starts() == whole

    def test_one_alone_leaves_the_others(self, empty_studio: Studio) -> None:
        booked = empty_studio.book_series(empty_studio.starts()[0], weeks=3)
        booked[1].cancel()
        assert [one.look()["status"] for one in booked] == ["confirmed", "cancelled", "confirmed"]

    def test_within_the_cut_off_of_one_a_client_cancels_none_and_an_operator_all(self, empty_studio: Studio) -> None:
        empty_studio.offer(client_cancel_until_minutes=10 * 24 * 60)
        booked = empty_studio.book_series(empty_studio.starts()[0], weeks=3)
        refused = problem(booked[0].try_to_cancel(series="all"), 409, "illegal-state")
        assert refused["too_late"] == [booked[0].look()["start"]]
        assert {one.look()["status"] for one in booked} == {"confirmed"}
        assert booked[1].try_to_cancel(series="following").status_code == 200
        address = f"bookings/{booked[0].id}/cancel"
        assert empty_studio.post(address, {"series": "all"}, **empty_studio.operator).status_code == 200
        assert booked[0].look()["status"] == "cancelled"

    def test_a_booking_that_was_made_alone_has_no_series(self, empty_studio: Studio) -> None:
        booked = empty_studio.book(empty_studio.starts()[0])
        problem(booked.try_to_cancel(series="all"), 422, "invalid-request")
        assert booked.look()["status"] == "confirmed"
