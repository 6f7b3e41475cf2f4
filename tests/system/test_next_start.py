"""The next open start, and how many there are on each date: what a client sees before they choose a date."""

from calendar import monthrange
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.studio import DAY, Studio
from tests.system.asking import EVER, TODAY, YEAR, anna_and_ben, moment


@pytest.fixture
def pool(empty_studio: Studio) -> Studio:
    return anna_and_ben(empty_studio)


class TestNext:
    def test_it_is_the_first_that_availability_offers(self, empty_studio: Studio) -> None:
        # The window's first date, so that it does not matter what time it is.
        empty_studio.offer(window={"kind": "fixed_dates", "first": str(DAY), "last": str(DAY)})
        assert empty_studio.next() == {"start": empty_studio.days()[str(DAY)]["starts"][0], "date": str(DAY)}

    def test_the_date_is_the_callers(self, empty_studio: Studio) -> None:
        empty_studio.open(start="23:00", end="23:30", zone="UTC")
        here, there = (empty_studio.next(time_zone=zone, after=f"{DAY}T00:00:00Z") for zone in ("UTC", "Asia/Tokyo"))
        assert here["start"] == there["start"]
        assert (here["date"], there["date"]) == (str(DAY), str(DAY + timedelta(days=1)))

    def test_one_after_the_other_by_the_last_one_found(self, empty_studio: Studio) -> None:
        first, second, third = empty_studio.starts()[:3]
        before = f"{DAY}T00:00:00+01:00"
        assert empty_studio.next(after=before)["start"]["start"] == first
        assert empty_studio.next(after=first)["start"]["start"] == second
        assert empty_studio.next(after=first.replace(":00Z", ":30.5Z"))["start"]["start"] == second
        empty_studio.book(second)
        assert empty_studio.next(after=first)["start"]["start"] == third

    def test_seats_resource_and_length_count(self, pool: Studio) -> None:
        pool.offer(resources=["anna", "ben"], capacity=3, durations=[30, 90])
        after = f"{DAY}T00:00:00Z"
        nine = pool.next(after=after)["start"]
        assert (nine["resources"], nine["seats_left"]) == (["anna"], 3)
        four = pool.next(after=after, resource="ben", duration=90)["start"]
        assert four["resources"] == ["ben"]
        assert moment(four["end"]) - moment(four["start"]) == timedelta(minutes=90)
        pool.book(nine["start"], seats=2)
        assert pool.next(after=after, seats=1)["start"]["start"] == nine["start"]
        assert pool.next(after=after, seats=2)["start"]["start"] > nine["start"]

    def test_it_is_looked_for_in_later_months(self, empty_studio: Studio) -> None:
        reopens = TODAY + timedelta(days=300)
        empty_studio.offer(**YEAR)
        empty_studio.open(closed=[{"first": str(TODAY), "last": str(reopens - timedelta(days=1))}])
        assert empty_studio.next()["date"] == str(reopens)

    def test_and_as_far_as_calendars_are_read(self, empty_studio: Studio) -> None:
        reopens = TODAY + timedelta(days=395)
        empty_studio.offer(**EVER)
        empty_studio.open(closed=[{"first": str(TODAY), "last": str(reopens - timedelta(days=1))}])
        assert empty_studio.next()["date"] == str(reopens)

    def test_an_event_months_away(self, empty_studio: Studio) -> None:
        empty_studio.offer("yoga", kind="event", **YEAR)
        assert empty_studio.next(service="yoga") == {"start": None, "closed": "no_hours"}
        day = TODAY + timedelta(days=200)
        empty_studio.schedule(f"{day}T18:00:00Z", service="yoga", minutes=60, capacity=3)
        assert empty_studio.next(service="yoga")["start"]["start"] == f"{day}T18:00:00Z"
        empty_studio.offer("yoga", kind="event", window={"kind": "rolling_days", "days": 30})
        assert empty_studio.next(service="yoga") == {"start": None, "closed": "too_far"}

    @pytest.mark.parametrize(
        ("close", "reason"),
        [
            pytest.param(lambda s: s.offer(active=False), "inactive", id="not offered at present"),
            pytest.param(
                lambda s: s.open(closed=[{"first": str(TODAY - timedelta(days=1)), "last": "2200-01-01"}]),
                "no_hours",
                id="closed for good",
            ),
            pytest.param(
                lambda s: s.offer(window={"kind": "fixed_dates", "first": "2020-01-01", "last": "2020-12-31"}),
                "too_far",
                id="the window has closed",
            ),
            pytest.param(
                lambda s: s.offer(window={"kind": "fixed_dates", "first": "2150-01-01", "last": "2150-12-31"}),
                "too_soon",
                id="the window opens in a hundred years",
            ),
        ],
    )
    def test_where_there_is_none_it_says_why(
        self, empty_studio: Studio, close: Callable[[Studio], None], reason: str
    ) -> None:
        close(empty_studio)
        assert empty_studio.next() == {"start": None, "closed": reason}

    def test_full_is_full(self, empty_studio: Studio) -> None:
        only = str(DAY)
        empty_studio.offer(duration_minutes=480, window={"kind": "fixed_dates", "first": only, "last": only})
        empty_studio.book(empty_studio.next()["start"]["start"])
        assert empty_studio.next() == {"start": None, "closed": "full"}

    def test_a_limit_of_a_later_month_is_told_from_being_full(self, empty_studio: Studio) -> None:
        later = DAY + timedelta(days=40)
        empty_studio.open(limits={"per_day": 1})
        empty_studio.offer(window={"kind": "fixed_dates", "first": str(later), "last": str(later)})
        empty_studio.book(empty_studio.starts(later)[0])
        assert empty_studio.next() == {"start": None, "closed": "limit_reached"}

    def test_nothing_lies_after_the_end_of_the_window(self, empty_studio: Studio) -> None:
        for after in (f"{TODAY + timedelta(days=62)}T00:00:00Z", "2199-12-31T23:59:00Z"):
            assert empty_studio.next(after=after) == {"start": None, "closed": "too_far"}


class TestOverview:
    def test_it_counts_what_availability_offers(self, empty_studio: Studio) -> None:
        first = DAY.replace(day=1)
        empty_studio.open(
            start="22:00", end="02:00", zone="America/New_York", overrides=[{"date": str(DAY), "kind": "close"}]
        )
        for zone in ("Europe/Berlin", "America/New_York"):
            overview = empty_studio.ask("overview", month=f"{first:%Y-%m}", months=2, time_zone=zone).json()
            assert (overview["service"], overview["time_zone"]) == ("consult", zone)
            days = empty_studio.days(first, len(overview["days"]), time_zone=zone)
            counted = {
                date: {"date": date, "starts": len(day["starts"])}
                | ({"closed": day["closed"]} if "closed" in day else {})
                for date, day in days.items()
            }
            assert {day["date"]: day for day in overview["days"]} == counted

    @pytest.mark.parametrize("months", [1, 3, 12])
    def test_months_are_whole_and_go_on_into_the_next_year(self, empty_studio: Studio, months: int) -> None:
        year = TODAY.year
        answer = empty_studio.ask("overview", month=f"{year}-12", months=months).json()
        expected = [(year, 12), *((year + 1, month) for month in range(1, months))]
        assert [day["date"] for day in answer["days"]] == [
            f"{of_year}-{month:02}-{day:02}"
            for of_year, month in expected
            for day in range(1, monthrange(of_year, month)[1] + 1)
        ]

    def test_seats_resource_and_length_count(self, pool: Studio) -> None:
        def count(**asked: Any) -> int:
            answer = pool.ask("overview", month=f"{DAY:%Y-%m}", **asked).json()
            return int(answer["days"][DAY.day - 1]["starts"])

        pool.offer(resources=["anna", "ben"], capacity=2, durations=[30, 120])
        assert (count(), count(resource="ben"), count(duration=120)) == (18, 4, 14)
        pool.book(pool.starts()[0])
        assert (count(seats=1), count(seats=2)) == (18, 17)
