"""Operators schedule sessions: over HTTP, with Google's side of it, all or none."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.studio import DAY, Studio, instants, until
from tests.system.asking import BERLIN, EVER, starts_on
from tests.system.test_bad_input import problem

EVENING, AN_HOUR_LATER = f"{DAY}T18:00:00Z", f"{DAY}T19:00:00Z"  # after Anna's hours


def yoga(studio: Studio, **more: Any) -> Studio:
    studio.offer("yoga", name="Yoga", kind="event", duration_minutes=60, capacity=3, **EVER, **more)
    return studio


def next_clock_change() -> date:
    """The next Sunday on which Berlin's clocks change, at least two weeks from now."""
    day = DAY + timedelta(days=7)
    while _offset(day) == _offset(day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def _offset(day: date) -> timedelta:
    offset = datetime(day.year, day.month, day.day, tzinfo=BERLIN).utcoffset()
    assert offset is not None
    return offset


def in_berlin(day: date, hour: int) -> str:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BERLIN).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def weeks_later(start: str, weeks: int) -> str:
    return (datetime.fromisoformat(start) + timedelta(weeks=weeks)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sessions_of(studio: Studio) -> list[Any]:
    return list(studio.store.client.collection(f"accounts/{studio.account}/sessions").stream())


def test_a_scheduled_session_is_sold_shown_in_google_and_takes_its_time(studio: Studio) -> None:
    yoga(studio)
    (session,) = studio.schedule_all(EVENING, service="yoga")
    assert (session["start"], session["end"], session["capacity"]) == (EVENING, AN_HOUR_LATER, 3)
    assert (session["scheduled"], session["status"], session["resources"]) == (True, "open", ["anna"])
    assert studio.starts(service="yoga") == [EVENING]

    event = until(lambda: studio.event_of(session["id"]))
    assert (event["summary"], instants(event)) == ("Yoga", (EVENING, AN_HOUR_LATER))

    booked = studio.book(EVENING, service="yoga", seats=2)
    assert booked.session == session["id"]
    booked.written()
    assert len(studio.person.events()) == 1, "one session is one event"


def test_it_takes_the_time_of_everything_else_too(empty_studio: Studio) -> None:
    yoga(empty_studio)
    nine, half_past, ten = empty_studio.starts()[:3]
    empty_studio.schedule(nine, service="yoga", minutes=60)
    assert not {nine, half_past} & set(empty_studio.starts())
    assert ten in empty_studio.starts()


class TestTaken:
    def test_a_booking_an_event_in_google_and_a_hold_are_named_and_nothing_is_made(self, studio: Studio) -> None:
        yoga(studio)
        booked_at, busy_at, held_at, free_at = (studio.starts()[n] for n in (0, 2, 4, 6))
        studio.book(booked_at)
        studio.person.add(busy_at, studio.starts()[2])
        studio.post("holds", {"service": "consult", "start": held_at})
        until(lambda: busy_at not in studio.starts())
        for start, rule in ((booked_at, "session"), (busy_at, "busy"), (held_at, "session")):
            answer = problem(studio.try_to_schedule(start, service="yoga", duration_minutes=30), 409, "time-taken")
            (taken,) = answer["taken"]  # type: ignore[misc]
            assert taken["start"] == start
            assert [(reason["rule"], reason["resource"]) for reason in taken["reasons"]] == [(rule, "anna")]
        assert studio.starts(service="yoga") == []
        studio.schedule(free_at, service="yoga", minutes=30)

    def test_of_a_repeated_class_all_are_made_or_none(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        second = weeks_later(EVENING, 1)
        empty_studio.schedule(second, service="yoga", minutes=60)
        rule = {"service": "yoga", "repeat": {"rule": "FREQ=WEEKLY;COUNT=3"}}
        answer = problem(empty_studio.try_to_schedule(EVENING, **rule), 409, "time-taken")
        assert [each["start"] for each in answer["taken"]] == [second]  # type: ignore[attr-defined]
        assert len(sessions_of(empty_studio)) == 1
        assert empty_studio.starts(service="yoga") == []

        made = empty_studio.try_to_schedule(EVENING, **rule, skip_taken=True).json()
        assert [session["start"] for session in made["sessions"]] == [EVENING, weeks_later(EVENING, 2)]
        assert [each["start"] for each in made["skipped"]] == [second]
        assert {session["series"] for session in made["sessions"]} == {made["series"]}

    def test_time_that_nobody_can_see_is_not_scheduled(self, studio: Studio) -> None:
        yoga(studio)
        studio.lose_sight()
        problem(studio.try_to_schedule(EVENING, service="yoga"), 503, "calendar-unreachable")
        assert sessions_of(studio) == []


class TestRepeated:
    def test_a_class_keeps_its_wall_time_over_the_change_of_clocks(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        change = next_clock_change()
        days = [change + timedelta(days=days) for days in (-7, 0, 7)]
        expected = [in_berlin(day, 10) for day in days]
        made = empty_studio.schedule_all(expected[0], service="yoga", repeat={"rule": "FREQ=WEEKLY;COUNT=3"})
        assert [session["start"] for session in made] == expected
        assert len({start[11:16] for start in expected}) == 2, "the clocks really change between them"
        offered = empty_studio.days(days[0], 15, service="yoga")
        assert [starts_on(offered, day) for day in days] == [[start] for start in expected]

    @pytest.mark.parametrize(
        "rule", ["every Tuesday", "FREQ=WEEKLY", "FREQ=DAILY;COUNT=101", "FREQ=WEEKLY;COUNT=3;BYDAY=ZZ"]
    )
    def test_a_rule_that_names_no_starts_or_too_many_is_refused(self, empty_studio: Studio, rule: str) -> None:
        yoga(empty_studio)
        answer = problem(
            empty_studio.try_to_schedule(EVENING, service="yoga", repeat={"rule": rule}), 422, "invalid-request"
        )
        assert "rule" in str(answer["detail"])

    def test_further_than_calendars_are_read_nothing_is_scheduled(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        answer = empty_studio.try_to_schedule(EVENING, service="yoga", repeat={"rule": "FREQ=WEEKLY;COUNT=80"})
        assert problem(answer, 422, "start-closed")["reasons"] == ["too_far"]

    def test_a_hundred_are_one_commit(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        made = empty_studio.schedule_all(EVENING, service="yoga", repeat={"rule": "FREQ=DAILY;COUNT=100"})
        assert len(made) == 100
        assert len({session["series"] for session in made}) == 1
        assert len(sessions_of(empty_studio)) == 100


class TestResources:
    @pytest.fixture
    def pair(self, empty_studio: Studio) -> Studio:
        empty_studio.open(resource="ben")
        return empty_studio

    def test_of_any_the_first_who_is_free_or_who_is_named(self, pair: Studio) -> None:
        yoga(pair, resources=["anna", "ben"])
        assert [pair.schedule_all(EVENING, service="yoga")[0]["resources"] for _ in range(2)] == [["anna"], ["ben"]]
        third = problem(pair.try_to_schedule(EVENING, service="yoga"), 409, "time-taken")
        assert {reason["resource"] for reason in third["taken"][0]["reasons"]} == {"anna", "ben"}  # type: ignore[index]
        problem(pair.try_to_schedule(AN_HOUR_LATER, service="yoga", resource="zoe"), 422, "invalid-request")
        (named,) = pair.schedule_all(AN_HOUR_LATER, service="yoga", resource="ben")
        assert named["resources"] == ["ben"]

    def test_a_set_is_taken_whole(self, pair: Studio) -> None:
        yoga(pair, resources=["anna", "ben"], assignment="all")
        (session,) = pair.schedule_all(pair.starts()[0], service="yoga")
        assert session["resources"] == ["anna", "ben"]
        pair.offer("solo", resources=["ben"])
        assert session["start"] not in pair.starts(service="solo")


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        pytest.param({"service": "nothing"}, 404, "not-found", id="a service that is not there"),
        pytest.param({"service": "consult"}, 422, "invalid-request", id="an appointment for one"),
        pytest.param({"start": "2020-01-01T10:00:00Z"}, 422, "start-closed", id="the past"),
        pytest.param({"start": "2199-01-01T10:00:00Z"}, 422, "start-closed", id="the far future"),
        pytest.param({"start": "noon"}, 422, "invalid-request", id="words for an instant"),
        pytest.param({"end": EVENING}, 422, "invalid-request", id="no length"),
        pytest.param({"end": AN_HOUR_LATER, "duration_minutes": 60}, 422, "invalid-request", id="two lengths"),
        pytest.param({"end": weeks_later(EVENING, 2)}, 422, "invalid-request", id="two weeks without a break"),
        pytest.param({"capacity": 0}, 422, "invalid-request", id="no seats"),
        pytest.param({"waitlist": "nothing"}, 422, "invalid-request", id="a preset that is not there"),
        pytest.param({"seats": 3}, 422, "invalid-request", id="an unknown field"),
    ],
)
def test_what_can_not_be_scheduled(empty_studio: Studio, change: dict[str, Any], status: int, slug: str) -> None:
    yoga(empty_studio)
    body = {"service": "yoga", "start": EVENING} | change
    problem(empty_studio.post("sessions", body, **empty_studio.operator), status, slug)
    assert sessions_of(empty_studio) == []


def test_clients_schedule_nothing(empty_studio: Studio) -> None:
    yoga(empty_studio)
    booked = empty_studio.book(empty_studio.starts()[0])
    body = {"service": "yoga", "start": EVENING}
    for headers in ({}, {"Authorization": f"Bearer {booked.token}"}):
        assert empty_studio.post("sessions", body, **headers).status_code == 401
        address = f"{empty_studio.base}/sessions/{booked.session}"
        assert requests.patch(address, json={"closed": True}, headers=headers, timeout=10).status_code == 401
        for what in ("clone", "cancel"):
            assert empty_studio.post(f"sessions/{booked.session}/{what}", {}, **headers).status_code == 401


def test_a_request_that_is_sent_twice_with_its_key_schedules_once(empty_studio: Studio) -> None:
    yoga(empty_studio)
    rule = {"service": "yoga", "repeat": {"rule": "FREQ=WEEKLY;COUNT=2"}}
    first, again = (empty_studio.try_to_schedule(EVENING, key="k", **rule) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(sessions_of(empty_studio)) == 2
    problem(empty_studio.try_to_schedule(AN_HOUR_LATER, key="k", **rule), 422, "idempotency-key-reused")


class TestClone:
    def test_the_same_at_another_time(self, studio: Studio) -> None:
        yoga(studio)
        (original,) = studio.schedule_all(EVENING, service="yoga", duration_minutes=45, capacity=7)
        tomorrow = f"{DAY + timedelta(days=1)}T18:00:00Z"
        answer = studio.post(f"sessions/{original['id']}/clone", {"start": tomorrow}, **studio.operator)
        (cloned,) = answer.json()["sessions"]
        assert answer.status_code == 201
        assert (cloned["start"], cloned["end"]) == (tomorrow, f"{DAY + timedelta(days=1)}T18:45:00Z")
        assert (cloned["capacity"], cloned["resources"], cloned["service"]) == (7, ["anna"], "yoga")
        assert cloned["id"] != original["id"]
        assert studio.starts(DAY + timedelta(days=1), service="yoga") == [tomorrow]
        event = until(lambda: studio.event_of(cloned["id"]))
        assert instants(event) == (cloned["start"], cloned["end"])

    def test_with_what_shall_be_different(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        session = empty_studio.schedule(EVENING, service="yoga", minutes=45)
        changes = {"start": AN_HOUR_LATER, "capacity": 1, "duration_minutes": 90}
        answer = empty_studio.post(f"sessions/{session}/clone", changes, **empty_studio.operator)
        (cloned,) = answer.json()["sessions"]
        assert (cloned["capacity"], cloned["end"]) == (1, f"{DAY}T20:30:00Z")

    def test_not_onto_itself_but_once_it_is_cancelled(self, empty_studio: Studio) -> None:
        yoga(empty_studio)
        session = empty_studio.schedule(EVENING, service="yoga", minutes=60)
        address = f"sessions/{session}/clone"
        problem(empty_studio.post(address, {"start": EVENING}, **empty_studio.operator), 409, "time-taken")
        empty_studio.post(f"sessions/{session}/cancel", {}, **empty_studio.operator)
        again = empty_studio.post(address, {"start": EVENING}, **empty_studio.operator)
        assert again.status_code == 201
        assert empty_studio.starts(service="yoga") == [EVENING]

    def test_what_is_not_there_can_not_be_cloned(self, empty_studio: Studio) -> None:
        problem(
            empty_studio.post("sessions/nothing/clone", {"start": EVENING}, **empty_studio.operator), 404, "not-found"
        )
