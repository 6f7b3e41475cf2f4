"""Availability as clients ask for it: by their own dates, with seats, resource and length."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.studio import DAY, Studio
from tests.system.asking import BERLIN, EVER, ONE_DAY, TODAY, anna_and_ben, everything, moment, starts_on
from tests.system.test_bad_input import problem


def clock_changes(zone: str) -> list[tuple[date, int]]:
    """The dates within the coming year on which the zone's clocks change, and how many minutes long each is."""
    return [(day, minutes) for day, minutes in _lengths(ZoneInfo(zone)) if minutes != 24 * 60]


def _lengths(zone: ZoneInfo) -> Iterator[tuple[date, int]]:
    for number in range(2, 375):
        day = TODAY + timedelta(days=number)
        midnights = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + timedelta(days=1)))
        start, end = midnights
        yield day, (end - start) // timedelta(minutes=1)


class TestDates:
    def test_every_date_of_the_range_comes_once_and_in_order(self, empty_studio: Studio) -> None:
        days = empty_studio.days(DAY, 92, time_zone="Asia/Tokyo")
        assert list(days) == [(DAY + timedelta(days=number)).isoformat() for number in range(92)]

    def test_without_a_zone_the_dates_are_the_resources(self, empty_studio: Studio) -> None:
        empty_studio.open(start="00:00", end="24:00", zone="Pacific/Auckland")
        answer = empty_studio.ask("availability", **ONE_DAY).json()
        assert answer["time_zone"] == "Pacific/Auckland"
        (only,) = answer["days"]
        local = [moment(start["start"]).astimezone(ZoneInfo("Pacific/Auckland")) for start in only["starts"]]
        assert len(local) == 48
        assert {one.date() for one in local} == {DAY}

    @pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
    def test_without_a_zone_the_month_is_the_resources_too(self, empty_studio: Studio, zone: str) -> None:
        """Its first and last hours lie in another month of the ledger, where UTC has begun or ended it."""
        empty_studio.offer(**EVER)
        empty_studio.open(start="00:00", end="24:00", zone=zone)
        first = (DAY.replace(day=1) + timedelta(days=40)).replace(day=1)
        for day in (first, first - timedelta(days=1)):
            for start in (empty_studio.starts(day)[0], empty_studio.starts(day)[-1]):
                assert moment(start).astimezone(ZoneInfo(zone)).date() == day
                empty_studio.book(start)
                assert start not in empty_studio.starts(day)

    def test_a_working_day_lies_on_the_dates_of_who_asks(self, empty_studio: Studio) -> None:
        empty_studio.open(start="20:00", end="23:00", zone="America/Los_Angeles")
        evening = {time_zone: empty_studio.days(DAY, 3, time_zone=time_zone) for time_zone in ("UTC", "Asia/Kolkata")}
        for time_zone, days in evening.items():
            for day, one in days.items():
                dates = {moment(s["start"]).astimezone(ZoneInfo(time_zone)).date().isoformat() for s in one["starts"]}
                assert dates == {day}, time_zone
        in_utc, in_india = ([start for one in d.values() for start in one["starts"]] for d in evening.values())
        assert len(in_utc) == len(in_india) == 18

    @pytest.mark.parametrize(
        "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"]
    )
    def test_short_and_long_days_have_as_many_starts_as_they_have_time(self, empty_studio: Studio, zone: str) -> None:
        changes = clock_changes(zone)
        assert {minutes < 24 * 60 for _, minutes in changes} == {True, False}
        empty_studio.offer(**EVER)
        for resource_zone in ("UTC", zone):  # round the clock, so that only the caller's dates cut it
            empty_studio.open(start="00:00", end="24:00", zone=resource_zone)
            for day, minutes in changes:
                days = empty_studio.days(day - timedelta(days=1), 3, time_zone=zone)
                found = starts_on(days, day)
                assert len(found) == minutes // 30
                assert {moment(start).astimezone(ZoneInfo(zone)).date() for start in found} == {day}
                assert [len(starts_on(days, day + timedelta(days=n))) for n in (-1, 1)] == [48, 48]
                lasting = {moment(s["end"]) - moment(s["start"]) for s in days[day.isoformat()]["starts"]}
                assert lasting == {timedelta(minutes=30)}

    def test_hours_over_a_clock_change_are_as_long_as_the_night_is(self, empty_studio: Studio) -> None:
        empty_studio.offer(**EVER)
        empty_studio.open(start="00:00", end="04:00", zone="Europe/Berlin")
        for day, minutes in clock_changes("Europe/Berlin"):
            assert len(starts_on(empty_studio.days(day), day)) == (minutes - 20 * 60) // 30


class TestWhatIsAskedFor:
    def test_a_length_is_one_of_several(self, empty_studio: Studio) -> None:
        empty_studio.offer(durations=[30, 60, 120])
        answers = {
            asked: empty_studio.ask("availability", **ONE_DAY, **query).json()
            for asked, query in {None: {}, 60: {"duration": 60}, 120: {"duration": 120}}.items()
        }
        assert [answer["duration_minutes"] for answer in answers.values()] == [30, 60, 120]
        for answer in answers.values():
            (day,) = answer["days"]
            first, last = day["starts"][0], day["starts"][-1]
            assert moment(first["end"]) - moment(first["start"]) == timedelta(minutes=answer["duration_minutes"])
            assert moment(last["end"]).astimezone(BERLIN).time() == time(17)

    def test_a_length_that_is_not_offered_is_answered_with_those_that_are(self, empty_studio: Studio) -> None:
        empty_studio.offer(durations=[30, 60])
        for what, query in everything():
            detail = problem(empty_studio.ask(what, duration=45, **query), 422, "invalid-request")["detail"]
            assert detail == "45 minutes are not offered. Choose one of: 30, 60."

    def test_a_resource_that_does_not_serve_it_is_answered_with_those_that_do(self, pool: Studio) -> None:
        for what, query in everything():
            detail = problem(pool.ask(what, resource="carl", **query), 404, "not-found")["detail"]
            assert detail == "carl does not serve this. These do: anna, ben."

    def test_more_seats_than_there_are_is_answered_with_how_many_there_are(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=4)
        for what, query in everything():
            detail = problem(empty_studio.ask(what, seats=5, **query), 422, "invalid-request")["detail"]
            assert detail == "There is room for 4 at a time. Ask for so many seats at most."
            assert empty_studio.ask(what, seats=4, **query).status_code == 200

    def test_one_to_one_starts_say_nothing_of_seats(self, empty_studio: Studio) -> None:
        assert all("seats_left" not in start for start in empty_studio.days()[str(DAY)]["starts"])

    def test_seats_are_asked_for_and_those_left_are_shown(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=4)
        nine, half_past = empty_studio.starts()[:2]
        empty_studio.book(nine, seats=3)
        left = {start["start"]: start["seats_left"] for start in empty_studio.days()[str(DAY)]["starts"]}
        assert (left[nine], left[half_past]) == (1, 4)
        assert nine in empty_studio.starts(seats=1)
        assert nine not in empty_studio.starts(seats=2)

    def test_seats_left_may_be_nobodys_business(self, empty_studio: Studio) -> None:
        empty_studio.offer(capacity=4, show_seats_left=False)
        assert all("seats_left" not in start for start in empty_studio.days()[str(DAY)]["starts"])

    def test_only_scheduled_sessions_of_an_event_are_offered(self, empty_studio: Studio) -> None:
        empty_studio.offer("yoga", kind="event", capacity=1)
        assert empty_studio.days(service="yoga")[str(DAY)] == {"date": str(DAY), "starts": [], "closed": "no_hours"}
        start, end = f"{DAY}T18:15:00Z", f"{DAY}T19:45:00Z"  # outside the hours, and longer than the service
        empty_studio.schedule(start, service="yoga", minutes=90, capacity=12)
        (only,) = empty_studio.days(service="yoga")[str(DAY)]["starts"]
        assert only == {"start": start, "end": end, "resources": ["anna"], "seats_left": 12}
        assert starts_on(empty_studio.days(service="yoga", seats=12), DAY) == [start]
        assert starts_on(empty_studio.days(service="yoga", seats=13), DAY) == []

    def test_events_that_begin_together_and_end_apart_are_told_apart(self, pool: Studio) -> None:
        pool.offer("yoga", kind="event", resources=["anna", "ben"])
        start = f"{DAY}T18:00:00Z"
        pool.schedule(start, service="yoga", minutes=60, capacity=5, resource="anna")
        pool.schedule(start, service="yoga", minutes=90, capacity=7, resource="ben")
        assert pool.days(service="yoga")[str(DAY)]["starts"] == [
            {"start": start, "end": f"{DAY}T19:00:00Z", "resources": ["anna"], "seats_left": 5},
            {"start": start, "end": f"{DAY}T19:30:00Z", "resources": ["ben"], "seats_left": 7},
        ]


@pytest.fixture
def pool(empty_studio: Studio) -> Studio:
    return anna_and_ben(empty_studio)


class TestResources:
    def test_a_pool_offers_the_union_and_says_who_could_serve(self, pool: Studio) -> None:
        by_time = {
            moment(s["start"]).astimezone(BERLIN).strftime("%H:%M"): s["resources"]
            for s in pool.days()[str(DAY)]["starts"]
        }
        assert len(by_time) == 18
        assert by_time["09:00"] == ["anna"]
        assert by_time["16:00"] == by_time["16:30"] == ["anna", "ben"]
        assert by_time["17:30"] == ["ben"]

    def test_of_a_pool_one_can_be_asked_for(self, pool: Studio) -> None:
        only = pool.days(resource="ben")[str(DAY)]["starts"]
        assert len(only) == 4
        assert {tuple(start["resources"]) for start in only} == {("ben",)}

    def test_a_start_is_there_until_the_last_of_the_pool_is_taken(self, pool: Studio) -> None:
        four = pool.starts(resource="ben")[0]
        pool.book(four, resource="anna")
        assert pool.days(resource="ben")[str(DAY)]["starts"][0]["resources"] == ["ben"]
        assert four in pool.starts()
        pool.book(four)
        assert four not in pool.starts()

    def test_of_a_choice_all_are_shown_for_who_has_not_chosen(self, pool: Studio) -> None:
        pool.offer(resources=["anna", "ben"], assignment="choice")
        assert len(pool.starts()) == 18
        assert len(pool.starts(resource="ben")) == 4

    def test_a_set_is_open_where_all_of_it_is_and_names_the_whole(self, pool: Studio) -> None:
        pool.offer(resources=["anna", "ben"], assignment="all")
        for asked in ({}, {"resource": "ben"}):
            starts = pool.days(**asked)[str(DAY)]["starts"]
            assert [start["resources"] for start in starts] == [["anna", "ben"]] * 2
        pool.book(starts[0]["start"])
        assert pool.starts() == [starts[1]["start"]]

    def test_a_calendar_that_can_not_be_read_closes_its_resource_and_only_that(self, studio: Studio) -> None:
        studio.open(resource="ben")
        studio.offer(resources=["anna", "ben"])
        asked = ONE_DAY
        assert studio.ask("availability", **asked).json()["unknown"] == []
        studio.lose_sight()
        answer = studio.ask("availability", **asked).json()
        assert answer["unknown"] == ["anna"]
        assert {tuple(start["resources"]) for start in answer["days"][0]["starts"]} == {("ben",)}
        assert studio.ask("availability", resource="ben", **asked).json()["unknown"] == []
        alone = studio.ask("availability", resource="anna", **asked).json()
        assert (alone["unknown"], alone["days"][0]["closed"]) == (["anna"], "calendar_unreachable")


BAD: list[Any] = [
    pytest.param("availability", {"start": str(DAY), "end": str(DAY)}, "at most 92 days", id="no day at all"),
    pytest.param(
        "availability", {"start": str(DAY), "end": str(DAY + timedelta(days=93))}, "at most 92 days", id="93 days"
    ),
    pytest.param("availability", {**ONE_DAY, "seats": 0}, "seats", id="no seats"),
    pytest.param(
        "availability",
        {**ONE_DAY, "seats": "two"},
        "seats",
        id="seats in words",
    ),
    pytest.param(
        "availability",
        {**ONE_DAY, "duration": 10**6},
        "duration",
        id="years long",
    ),
    pytest.param(
        "availability",
        {**ONE_DAY, "resource": "../x"},
        "resource",
        id="a path for a resource",
    ),
    pytest.param("next", {"after": "tomorrow"}, "after", id="words for an instant"),
    pytest.param("next", {"after": "1900000000"}, "after", id="a number for an instant"),
    pytest.param("next", {"after": "2027-03-01T10:00:00"}, "after", id="an instant without an offset"),
    pytest.param("next", {"after": "0001-01-01T00:00:00Z"}, "after", id="the first instant of all"),
    pytest.param("next", {"start": str(DAY)}, "start", id="what next does not take"),
    pytest.param("next", {"time_zone": "Mars/Base"}, "time_zone", id="a zone that is not there"),
    pytest.param("overview", {}, "month", id="no month"),
    pytest.param("overview", {"month": "2027-13"}, "month", id="a thirteenth month"),
    pytest.param("overview", {"month": "2027-3"}, "month", id="half a month"),
    pytest.param("overview", {"month": "0001-01"}, "month", id="the first month of all"),
    pytest.param("overview", {"month": "9999-12"}, "month", id="the last month of all"),
    pytest.param("overview", {"month": "2027-03", "months": 13}, "months", id="more than a year"),
    pytest.param("overview", {"month": "2027-03", "months": 0}, "months", id="no months"),
]


@pytest.mark.parametrize(("what", "query", "named"), BAD)
def test_what_can_not_be_asked(empty_studio: Studio, what: str, query: dict[str, Any], named: str) -> None:
    body = problem(empty_studio.ask(what, **query), 422, "invalid-request")
    assert named in str(body["detail"]) or [error["field"] for error in body["errors"]] == [named]


@pytest.mark.parametrize("what", ["availability", "next", "overview"])
def test_a_service_that_is_not_there(empty_studio: Studio, what: str) -> None:
    query = next(query for name, query in everything() if name == what)
    problem(empty_studio.ask(what, service="nothing", **query), 404, "not-found")


def test_a_plus_that_was_not_escaped_is_understood(empty_studio: Studio) -> None:
    address = f"{empty_studio.base}/services/consult/next?after={DAY}T00:00:00+01:00"
    assert empty_studio.http.get(address).json() == empty_studio.next(after=f"{DAY}T00:00:00+01:00")


def test_clients_learn_what_they_may_ask_for(empty_studio: Studio) -> None:
    empty_studio.offer(durations=[30, 60], capacity=4, assignment="choice")
    (service,) = empty_studio.look("services")["services"]
    assert service == {
        "id": "consult",
        "name": "Consultation",
        "kind": "appointment",
        "duration_minutes": 30,
        "durations": [30, 60],
        "capacity": 4,
        "assignment": "choice",
        "resources": ["anna"],
        "questions": [],
    }
    empty_studio.offer()
    assert empty_studio.look("services")["services"][0]["durations"] == [30]
