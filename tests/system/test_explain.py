"""Why a start is closed, as an operator is told it: every rule by name, with the session, the event, the limit or the holiday that caused it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.studio import DAY, Studio, until
from tests.system.asking import BERLIN, TODAY, anna_and_ben
from tests.system.test_bad_input import problem


def at(wall: str) -> str:
    """A wall time of the day in question, at anna's."""
    return datetime.fromisoformat(f"{DAY}T{wall}:00").replace(tzinfo=BERLIN).isoformat()


def utc(wall: str) -> str:
    return datetime.fromisoformat(at(wall)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reasons(studio: Studio, wall: str, **asked: Any) -> list[dict[str, Any]]:
    answer = studio.explain(at(wall), **asked)
    assert answer["start"] == utc(wall)
    assert answer["open"] == (answer["reasons"] == [])
    return list(answer["reasons"])


def test_an_open_start_has_no_reasons(empty_studio: Studio) -> None:
    assert empty_studio.explain(at("09:00")) == {"start": utc("09:00"), "open": True, "reasons": []}


def test_it_is_for_operators(empty_studio: Studio) -> None:
    problem(empty_studio.ask("explain", start=at("09:00")), 401, "unauthorized")
    booking = empty_studio.book(utc("09:00"))
    with_token = {"Authorization": f"Bearer {booking.token}"}
    problem(empty_studio.ask("explain", start=at("09:00"), by=with_token), 401, "unauthorized")


def test_what_is_offered_is_what_has_no_reason(studio: Studio) -> None:
    studio.person.add(at("10:00"), at("11:15"))
    studio.offer(buffer_before_minutes=10, buffer_after_minutes=5, step_minutes=15)
    until(lambda: utc("10:00") not in studio.starts())
    studio.book(utc("13:00"))
    offered = set(studio.starts())
    first = datetime.fromisoformat(at("08:00"))
    for number in range(40):
        start = first + timedelta(minutes=15 * number)
        answer = studio.explain(start.isoformat())
        assert answer["open"] == (answer["start"] in offered), answer


def test_a_session_is_named(empty_studio: Studio) -> None:
    booking = empty_studio.book(utc("10:00"))
    assert reasons(empty_studio, "10:00") == [
        {
            "rule": "session",
            "resource": "anna",
            "cause": {"session": booking.session, "start": utc("10:00"), "end": utc("10:30")},
        }
    ]


def test_the_session_whose_buffer_is_in_the_way_is_named(empty_studio: Studio) -> None:
    empty_studio.offer(buffer_after_minutes=20)
    booking = empty_studio.book(utc("10:00"))
    (reason,) = reasons(empty_studio, "10:30")
    assert (reason["rule"], reason["cause"]["session"]) == ("buffer", booking.session)


def test_a_busy_event_is_named(studio: Studio) -> None:
    event = studio.person.add(at("10:00"), at("11:00"))
    until(lambda: utc("10:00") not in studio.starts())
    assert reasons(studio, "10:30") == [
        {
            "rule": "busy",
            "resource": "anna",
            "cause": {"calendar": studio.calendar, "event": event["id"], "start": utc("10:00"), "end": utc("11:00")},
        }
    ]


def test_an_event_that_is_in_the_way_of_a_buffer_is_named(studio: Studio) -> None:
    studio.offer(buffer_before_minutes=30)
    event = studio.person.add(at("10:00"), at("11:00"))
    until(lambda: utc("10:00") not in studio.starts())
    (reason,) = reasons(studio, "11:00")
    assert (reason["rule"], reason["cause"]["event"]) == ("buffer", event["id"])


def test_a_calendar_that_can_not_be_read_is_named(studio: Studio) -> None:
    studio.lose_sight()
    assert reasons(studio, "10:00") == [
        {
            "rule": "calendar_unknown",
            "resource": "anna",
            "cause": {
                "calendar": studio.calendar,
                "not_read_since": "1970-01-01T00:00:00.000Z",
                "stale_after_minutes": 360,
                "by_rule_of": "deployment",
            },
        }
    ]


def test_a_limit_is_named_with_its_numbers(empty_studio: Studio) -> None:
    empty_studio.open(limits={"per_day": 2})
    empty_studio.offer(limits={"per_week": 2})
    for wall in ("09:00", "15:00"):
        empty_studio.book(utc(wall))
    assert reasons(empty_studio, "12:00") == [
        {"rule": "limit", "resource": "anna", "cause": {"of": "resource", "per": "day", "most": 2, "count": 2}},
        {"rule": "limit", "cause": {"of": "service", "per": "week", "most": 2, "count": 2}},
    ]


def test_a_session_that_is_full_is_named_with_its_seats(empty_studio: Studio) -> None:
    empty_studio.offer(capacity=3)
    booking = empty_studio.book(utc("10:00"), seats=2)
    assert reasons(empty_studio, "10:00") == []
    assert reasons(empty_studio, "10:00", seats=2) == [
        {"rule": "full", "cause": {"session": booking.session, "seats_left": 1, "capacity": 3}}
    ]


HOURS: list[Any] = [
    pytest.param(
        {"holidays": [{"date": str(DAY), "name": "Founders' Day"}]}, "holiday", "Founders' Day", id="a holiday"
    ),
    pytest.param(
        {"closed": [{"first": str(DAY), "last": str(DAY), "name": "Stocktaking"}]},
        "closed_period",
        "Stocktaking",
        id="a closed period",
    ),
    pytest.param({"overrides": [{"date": str(DAY)}]}, "override", None, id="an override"),
    pytest.param(
        {"seasons": [{"first": str(DAY), "last": str(DAY), "name": "Summer", "weekly": []}]},
        "season",
        "Summer",
        id="a season",
    ),
    pytest.param(
        {"hours": [{"days": [DAY.isoweekday() % 7 + 1], "start": "09:00", "end": "17:00"}]},
        "weekly",
        None,
        id="the weekly hours",
    ),
]


@pytest.mark.parametrize(("hours", "rule", "name"), HOURS)
def test_the_hours_that_hold_on_that_date_are_named(
    empty_studio: Studio, hours: dict[str, Any], rule: str, name: str | None
) -> None:
    empty_studio.open(**hours)
    (reason,) = reasons(empty_studio, "10:00")
    assert (reason["rule"], reason["resource"]) == ("outside_hours", "anna")
    assert reason["cause"] == {"date": str(DAY), "hours": rule} | ({"name": name} if name else {})


RULES: list[Any] = [
    pytest.param(lambda s: s.offer(active=False), {}, "inactive", {}, id="inactive"),
    pytest.param(
        lambda s: s.offer(durations=[30, 60]),
        {"duration": 45},
        "duration_not_offered",
        {"duration_minutes": 45},
        id="a length",
    ),
    pytest.param(
        lambda s: s.offer(capacity=2), {"seats": 3}, "too_many_seats", {"seats": 3, "capacity": 2}, id="seats"
    ),
    pytest.param(lambda s: s.offer(step_minutes=45), {}, "off_grid", {"step_minutes": 45}, id="off the grid"),
    pytest.param(lambda s: s.offer(kind="event"), {}, "not_scheduled", {}, id="an event without a session"),
]


@pytest.mark.parametrize(("make", "asked", "rule", "cause"), RULES)
def test_the_rules_of_a_service_are_named(
    empty_studio: Studio, make: Callable[[Studio], None], asked: dict[str, int], rule: str, cause: dict[str, int]
) -> None:
    make(empty_studio)
    found = {reason["rule"]: reason["cause"] for reason in reasons(empty_studio, "10:00", **asked)}
    assert found[rule] == cause


def test_notice_and_window_are_named_with_their_ends(empty_studio: Studio) -> None:
    empty_studio.offer(notice_minutes=30 * 24 * 60)
    (soon,) = reasons(empty_studio, "10:00")
    assert (soon["rule"], soon["cause"]["notice_minutes"]) == ("too_soon", 30 * 24 * 60)
    assert datetime.fromisoformat(soon["cause"]["earliest"]).date() >= TODAY + timedelta(days=30)
    last = DAY - timedelta(days=2)
    empty_studio.offer(window={"kind": "fixed_dates", "first": str(last), "last": str(last)})
    (far,) = reasons(empty_studio, "10:00")
    assert (far["rule"], far["cause"]["window"]) == ("too_far", "fixed_dates")
    assert datetime.fromisoformat(far["cause"]["ends"]).astimezone(BERLIN).date() == last + timedelta(days=1)


def test_every_reason_is_given_not_only_the_first(empty_studio: Studio) -> None:
    empty_studio.book(utc("10:00"))
    empty_studio.open(holidays=[{"date": str(DAY), "name": "Founders' Day"}])
    empty_studio.offer(window={"kind": "rolling_days", "days": 1})
    assert [reason["rule"] for reason in reasons(empty_studio, "10:00")] == ["too_far", "outside_hours", "session"]


def test_of_a_pool_each_one_has_its_reasons_and_one_without_is_enough(empty_studio: Studio) -> None:
    pool = anna_and_ben(empty_studio)
    pool.book(utc("16:00"), resource="anna")
    assert reasons(pool, "16:00") == []
    assert [reason["rule"] for reason in reasons(pool, "16:00", resource="anna")] == ["session"]
    pool.book(utc("16:00"))
    named = {(reason["resource"], reason["rule"]) for reason in reasons(pool, "16:00")}
    assert named == {("anna", "session"), ("ben", "session")}
    assert {(r["resource"], r["rule"]) for r in reasons(pool, "08:00")} == {
        (r, "outside_hours") for r in ("anna", "ben")
    }


def test_of_a_set_whoever_is_not_there_is_named(empty_studio: Studio) -> None:
    pool = anna_and_ben(empty_studio)
    pool.offer(resources=["anna", "ben"], assignment="all")
    (reason,) = reasons(pool, "10:00")
    assert (reason["rule"], reason["resource"]) == ("outside_hours", "ben")


def test_a_session_of_last_month_that_still_goes_on_is_found(empty_studio: Studio) -> None:
    """Outside the hours, where availability itself need not look."""
    first = (DAY.replace(day=1) + timedelta(days=40)).replace(day=1)
    empty_studio.offer(window={"kind": "unlimited"})
    empty_studio.offer("retreat", kind="event")
    session = empty_studio.schedule(
        f"{first - timedelta(days=1)}T12:00:00Z", service="retreat", minutes=13 * 60, capacity=9
    )
    rules = [reason["rule"] for reason in empty_studio.explain(f"{first}T00:30:00Z")["reasons"]]
    assert rules == ["outside_hours", "session"]
    named = empty_studio.explain(f"{first}T00:30:00Z")["reasons"][1]["cause"]["session"]
    assert named == session


def test_a_session_of_next_month_that_is_in_the_way_is_found(empty_studio: Studio) -> None:
    """The start lies outside the hours and in another month of the ledger than what it would collide with."""
    first = (DAY.replace(day=1) + timedelta(days=40)).replace(day=1)
    empty_studio.offer(window={"kind": "unlimited"}, durations=[30, 120])
    empty_studio.offer("retreat", kind="event")
    session = empty_studio.schedule(f"{first}T00:30:00Z", service="retreat", minutes=60, capacity=9)
    found = empty_studio.explain(f"{first - timedelta(days=1)}T23:00:00Z", duration=120)["reasons"]
    assert [(reason["rule"], reason["cause"].get("session")) for reason in found] == [
        ("outside_hours", None),
        ("session", session),
    ]


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        pytest.param({}, 422, "invalid-request", id="no start"),
        pytest.param({"start": "noon"}, 422, "invalid-request", id="words"),
        pytest.param({"start": "1900000000"}, 422, "invalid-request", id="a number"),
        pytest.param({"start": "2027-03-01"}, 422, "invalid-request", id="a date"),
        pytest.param({"start": "2027-03-01T10:00:00"}, 422, "invalid-request", id="no offset"),
        pytest.param({"start": "2027-03-01T10:00:30Z"}, 422, "invalid-request", id="seconds"),
        pytest.param({"start": "9999-12-31T23:59:00Z"}, 422, "invalid-request", id="the last minute of all"),
        pytest.param({"start": "2027-03-01T10:00:00Z", "time_zone": "UTC"}, 422, "invalid-request", id="a zone"),
        pytest.param({"start": "2027-03-01T10:00:00Z", "seats": 0}, 422, "invalid-request", id="no seats"),
        pytest.param({"start": "2027-03-01T10:00:00Z", "resource": "ben"}, 404, "not-found", id="a stranger"),
        pytest.param({"start": "2027-03-01T10:00:00Z", "service": "none"}, 404, "not-found", id="no such service"),
    ],
)
def test_what_can_not_be_explained(empty_studio: Studio, query: dict[str, Any], status: int, slug: str) -> None:
    problem(empty_studio.ask("explain", by=empty_studio.operator, **query), status, slug)
