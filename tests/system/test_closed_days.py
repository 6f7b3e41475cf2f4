"""Why a date offers nothing: one word for clients, the same in availability and in the overview."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.studio import DAY, Studio
from tests.system.asking import EVER, TODAY


def booked_out(studio: Studio) -> None:
    studio.offer(duration_minutes=480)
    studio.book(studio.starts()[0])


def one_a_day(studio: Studio) -> None:
    studio.open(limits={"per_day": 1})
    studio.book(studio.starts()[5])


def one_a_week_of_the_service(studio: Studio) -> None:
    studio.offer(limits={"per_week": 1})
    monday = DAY - timedelta(days=DAY.weekday())
    other = next(day for n in range(7) if (day := monday + timedelta(days=n)) not in (DAY, TODAY) and day > TODAY)
    studio.book(studio.starts(other)[0])


def closed_period(studio: Studio) -> None:
    studio.open(closed=[{"first": str(DAY), "last": str(DAY), "name": "Stocktaking"}])


def session_without_seats(studio: Studio) -> None:
    studio.offer(kind="event")
    studio.schedule(f"{DAY}T10:00:00Z", service="consult", minutes=60, capacity=2)
    studio.book(f"{DAY}T10:00:00Z", seats=2)


CLOSED: list[Any] = [
    pytest.param(booked_out, "full", id="all of it is booked"),
    pytest.param(session_without_seats, "full", id="its only session has no seats left"),
    pytest.param(one_a_day, "limit_reached", id="as many as the resource does in a day"),
    pytest.param(one_a_week_of_the_service, "limit_reached", id="as many as there may be in a week"),
    pytest.param(closed_period, "no_hours", id="a closed period"),
    pytest.param(
        lambda s: s.open(overrides=[{"date": str(DAY), "kind": "replace", "intervals": []}]),
        "no_hours",
        id="an override without intervals",
    ),
    pytest.param(lambda s: s.offer(duration_minutes=481), "no_hours", id="too long for any opening"),
    pytest.param(lambda s: s.offer(notice_minutes=20 * 24 * 60), "too_soon", id="within the notice"),
    pytest.param(
        lambda s: s.offer(window={"kind": "fixed_dates", "first": str(DAY + timedelta(days=1)), "last": "2100-01-01"}),
        "too_soon",
        id="before the window opens",
    ),
    pytest.param(lambda s: s.offer(window={"kind": "rolling_days", "days": 3}), "too_far", id="beyond the window"),
    pytest.param(
        lambda s: s.offer(window={"kind": "bookable_days", "days": 3}), "too_far", id="beyond its bookable days"
    ),
    pytest.param(
        lambda s: s.offer(window={"kind": "fixed_dates", "first": "2020-01-01", "last": "2020-12-31"}),
        "too_far",
        id="after the window has closed",
    ),
    pytest.param(lambda s: s.offer(active=False), "inactive", id="not offered at present"),
]


class TestWhyADateIsClosed:
    @pytest.mark.parametrize(("close", "reason"), CLOSED)
    def test_for_clients_in_one_word(self, empty_studio: Studio, close: Callable[[Studio], None], reason: str) -> None:
        close(empty_studio)
        assert empty_studio.days() == {str(DAY): {"date": str(DAY), "starts": [], "closed": reason}}
        overview = empty_studio.ask("overview", month=f"{DAY:%Y-%m}").json()
        assert overview["days"][DAY.day - 1] == {"date": str(DAY), "starts": 0, "closed": reason}

    def test_a_calendar_that_can_not_be_read(self, studio: Studio) -> None:
        studio.lose_sight()
        assert studio.days() == {str(DAY): {"date": str(DAY), "starts": [], "closed": "calendar_unreachable"}}
        assert studio.next() == {"start": None, "closed": "calendar_unreachable"}

    def test_beyond_what_is_read_of_calendars_nothing_is_unreachable(self, empty_studio: Studio) -> None:
        empty_studio.offer(**EVER)
        far = TODAY + timedelta(days=420)
        assert empty_studio.days(far)[str(far)]["closed"] == "too_far"

    def test_yesterday_is_too_soon(self, empty_studio: Studio) -> None:
        yesterday = TODAY - timedelta(days=1)
        assert empty_studio.days(yesterday, time_zone="UTC")[str(yesterday)]["closed"] == "too_soon"

    def test_each_date_has_its_own_reason(self, empty_studio: Studio) -> None:
        closed = DAY + timedelta(days=1)
        empty_studio.open(closed=[{"first": str(closed), "last": str(closed)}])
        empty_studio.offer(window={"kind": "fixed_dates", "first": str(DAY), "last": str(closed)})
        days = empty_studio.days(DAY - timedelta(days=1), 4)
        assert [day.get("closed") for day in days.values()] == ["too_soon", None, "no_hours", "too_far"]
