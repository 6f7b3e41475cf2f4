"""How many sessions or bookings there may be in a day, a week and a month, and where these begin and end."""

from datetime import date
from typing import Any

import pytest

from functions.domain.availability import ClientBooking, Question, choose, open_starts
from functions.domain.availability.limits import dates_around, months_counted, period_around
from functions.domain.booking_window import Unlimited
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.hours import Travel
from functions.domain.instants import rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from tests.domain.builders import (
    BERLIN,
    EVERY_DAY,
    NOW,
    among,
    hours,
    minute,
    occupation,
    question,
    resource,
    service,
    span,
    state,
    weekly,
)
from tests.domain.monday import at, held, monday_now, on_monday, open_on_monday, works
from tests.domain.zones import BEIRUT, HAVANA, LORD_HOWE

KIRITIMATI = "Pacific/Kiritimati"  # 14 hours ahead of UTC
LOS_ANGELES = "America/Los_Angeles"
KATHMANDU = "Asia/Kathmandu"  # 5:45 ahead

# Two weeks: Monday the 1st to Sunday the 14th. Every day is open from 9 to 12, and a session is an hour.
TWO_WEEKS = span("2027-03-01T00:00Z", "2027-03-15T00:00Z")
ALL_DAYS = "1 2 3 4 5 6 7 8 9 10 11 12 13 14"
SECOND_WEEK = "8 9 10 11 12 13 14"


def days_open(question: Question) -> str:
    """The days of these two weeks on which something is offered."""
    days = {int(rfc3339(start)[8:10]) for start in open_starts(question, TWO_WEEKS)}
    return " ".join(str(day) for day in sorted(days))


def on(day: str, **changes: Any) -> Occupation:
    """A session at ten, `03-02`."""
    return occupation(f"2027-{day}T10:00Z", f"2027-{day}T11:00Z", **{"session": f"on {day}"} | changes)


def limited(*occupations: Occupation, rules: dict[str, Any] | None = None, **limits: int) -> Question:
    """`limits` are those of the resource."""
    return question(*occupations, asked=service(**rules or {}), of=works(limits=Limits(**limits)))


def limited_service(*occupations: Occupation, rules: dict[str, Any] | None = None, **limits: int) -> Question:
    return question(*occupations, asked=service(limits=Limits(**limits), **rules or {}), of=works())


SESSIONS = [
    pytest.param(limited(on("03-02")), ALL_DAYS, id="no limit"),
    pytest.param(limited(on("03-02"), per_day=1), "1 3 4 5 6 7 8 9 10 11 12 13 14", id="one a day"),
    pytest.param(limited(on("03-02"), per_day=2), ALL_DAYS, id="one of two a day"),
    pytest.param(limited(on("03-02"), per_week=1), SECOND_WEEK, id="one a week"),
    pytest.param(limited(on("03-01"), per_week=1), SECOND_WEEK, id="a week begins on Monday"),
    pytest.param(limited(on("03-07"), per_week=1), SECOND_WEEK, id="and ends on Sunday"),
    pytest.param(limited(on("02-28"), per_week=1), ALL_DAYS, id="the Sunday before counts for another week"),
    pytest.param(limited(on("03-07"), on("03-08"), per_week=2), ALL_DAYS, id="two in different weeks"),
    pytest.param(limited(on("03-31"), per_month=1), "", id="the last day of the month counts for its first"),
    pytest.param(limited(on("02-28"), on("04-01"), per_month=1), ALL_DAYS, id="the days around a month do not"),
    pytest.param(limited(on("03-02"), per_day=1, per_week=1, per_month=2), SECOND_WEEK, id="the narrowest rule closes"),
    pytest.param(limited(on("03-02"), on("03-03"), per_month=1), "", id="more than there may be"),
    pytest.param(limited(on("03-02", service="dye"), per_week=1), SECOND_WEEK, id="a resource counts every service"),
    pytest.param(limited_service(on("03-02"), per_week=1), SECOND_WEEK, id="a service counts its own sessions"),
    pytest.param(limited_service(on("03-02", service="dye"), per_week=1), ALL_DAYS, id="and no others"),
    pytest.param(
        limited(on("03-02", seats=0, holds=held(1, until=NOW + 1)), per_week=1), SECOND_WEEK, id="a hold counts"
    ),
    pytest.param(limited(on("03-02", seats=0, holds=held(1, until=NOW)), per_week=1), ALL_DAYS, id="until it lapses"),
    pytest.param(limited(on("03-02", seats=0, scheduled=True), per_week=1), SECOND_WEEK, id="scheduled, nobody booked"),
    pytest.param(limited(on("03-02", seats=0), per_week=1), ALL_DAYS, id="nobody is left in it"),
    pytest.param(limited(on("03-02", capacity=5, seats=3), per_week=2), ALL_DAYS, id="sessions are counted, not seats"),
    pytest.param(
        limited(occupation("2027-02-28T23:30Z", "2027-03-01T08:30Z"), per_day=1),
        ALL_DAYS,
        id="a session counts for the day it starts on",
    ),
    pytest.param(
        limited(occupation("2027-03-01T00:30Z", "2027-03-01T01:00Z", before=60), per_month=2),
        ALL_DAYS,
        id="a session whose preparation reaches into another month is one",
    ),
    pytest.param(
        limited(occupation("2027-03-01T00:30Z", "2027-03-01T01:00Z", before=60), per_month=1),
        "",
        id="and is counted where it starts",
    ),
]


@pytest.mark.parametrize(("asked", "days"), SESSIONS)
def test_limits_on_sessions(asked: Question, days: str) -> None:
    assert days_open(asked) == days


MOVED_OR_JOINED = [
    pytest.param(
        question(on("03-02"), of=works(limits=Limits(per_month=1)), moving="on 03-02"),
        ALL_DAYS,
        id="a session that moves does not count itself",
    ),
    pytest.param(
        question(on("03-02"), of=works(), asked=service(limits=Limits(per_week=1)), moving="on 03-02"),
        ALL_DAYS,
        id="nor for its service",
    ),
    pytest.param(
        question(on("03-02"), on("03-03"), of=works(limits=Limits(per_week=1)), moving="on 03-02"),
        SECOND_WEEK,
        id="but the others count",
    ),
    pytest.param(
        limited(on("03-02", capacity=3), per_month=1, rules={"capacity": 3}), "2", id="who joins adds no session"
    ),
    pytest.param(
        limited_service(on("03-02", capacity=3), per_month=1, rules={"capacity": 3}),
        "2",
        id="nor one of the service",
    ),
]


@pytest.mark.parametrize(("asked", "days"), MOVED_OR_JOINED)
def test_limits_count_further_sessions(asked: Question, days: str) -> None:
    assert days_open(asked) == days


# ---- The service's limits hold over all its resources

ANNA, BEN = works(), works(name="ben")
ONE_A_DAY = service(resources=("anna", "ben"), limits=Limits(per_day=1))
TWO_A_DAY = service(resources=("anna", "ben"), limits=Limits(per_day=2))
TOGETHER = service(resources=("anna", "ben"), limits=Limits(per_day=2), assignment="all")
AT_10 = at("10:00", "11:00")


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        pytest.param(
            among(state(AT_10, of=ANNA), state(of=BEN), asked=ONE_A_DAY), "", id="one at anna is one at the service"
        ),
        pytest.param(
            among(state(of=ANNA), state(AT_10, of=BEN), asked=ONE_A_DAY, resource="anna"),
            "",
            id="also where the client chose another",
        ),
        pytest.param(
            among(state(AT_10, of=ANNA), state(at("11:00", "12:00"), of=BEN), asked=TWO_A_DAY),
            "",
            id="two at two resources are two",
        ),
        pytest.param(
            among(state(AT_10, of=ANNA), state(AT_10, of=BEN), asked=TOGETHER),
            "09:00 11:00",
            id="one at two resources together is one",
        ),
        pytest.param(
            among(state(AT_10, of=works(limits=Limits(per_day=1))), state(of=BEN)),
            "09:00 09:30 10:00 10:30 11:00",
            id="a resource's limit closes that resource only",
        ),
    ],
)
def test_limits_of_a_service_with_several_resources(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


# ---- Clients


def booked(day: str, of: str = "cut") -> ClientBooking:
    return ClientBooking(service=of, start=minute(f"2027-{day}T10:00Z"), end=minute(f"2027-{day}T11:00Z"))


def by_client(*bookings: ClientBooking, now: int = NOW, known: bool = True, **limits: int) -> Question:
    asked = service(client_limits=ClientLimits(**limits))
    return question(of=works(), asked=asked, now=now, client=bookings if known else None)


ON_MONDAY = booked("03-01")

CLIENTS = [
    pytest.param(by_client(booked("03-02")), ALL_DAYS, id="no limit"),
    pytest.param(by_client(booked("03-02"), per_day=1), "1 3 4 5 6 7 8 9 10 11 12 13 14", id="one a day"),
    pytest.param(by_client(booked("03-02"), per_week=1), SECOND_WEEK, id="one a week"),
    pytest.param(by_client(booked("02-28"), per_week=1), ALL_DAYS, id="the week before"),
    pytest.param(by_client(booked("03-30"), per_month=1), "", id="one a month"),
    pytest.param(by_client(booked("03-02"), booked("03-03"), per_week=3), ALL_DAYS, id="two of three"),
    pytest.param(by_client(booked("03-02", of="dye"), per_week=1), ALL_DAYS, id="another service does not count"),
    pytest.param(by_client(per_week=1), ALL_DAYS, id="a client who has booked nothing"),
    pytest.param(by_client(known=False, per_week=1, at_once=1), ALL_DAYS, id="nobody knows who asks"),
    pytest.param(by_client(booked("03-30"), at_once=1), "", id="one at once, and it lies ahead"),
    pytest.param(by_client(booked("03-30"), at_once=2), ALL_DAYS, id="one of two at once"),
    pytest.param(by_client(booked("03-30", of="dye"), at_once=1), ALL_DAYS, id="another service at once"),
    pytest.param(
        by_client(ON_MONDAY, at_once=1, now=monday_now("11:00") - 1), "", id="it lies ahead until its very end"
    ),
    pytest.param(
        by_client(ON_MONDAY, at_once=1, now=monday_now("11:00")), ALL_DAYS, id="when it is over it counts no more"
    ),
    pytest.param(by_client(ON_MONDAY, per_week=1, now=monday_now("11:00")), SECOND_WEEK, id="but still for its week"),
]


@pytest.mark.parametrize(("asked", "days"), CLIENTS)
def test_limits_on_a_clients_bookings(asked: Question, days: str) -> None:
    assert days_open(asked) == days


@pytest.mark.parametrize(
    ("limits", "open_"),
    [
        pytest.param({"per_day": 1}, False, id="a day"),
        pytest.param({"per_day": 2}, True, id="one of two a day"),
        pytest.param({"at_once": 1}, False, id="at once"),
    ],
)
def test_a_clients_limits_hold_for_joining_too(limits: dict[str, int], open_: bool) -> None:
    asked = service(capacity=3, client_limits=ClientLimits(**limits))
    joining = question(at("10:00", "11:00", capacity=3), of=works(), asked=asked, client=(ON_MONDAY,))
    assert (choose(joining, on_monday("10:00")) is not None) == open_


# ---- Where a day, a week and a month begin and end: in the resource's own zone

BOUNDS = [
    pytest.param("day", "UTC", "2027-03-01T10:00Z", "2027-03-01T00:00Z/2027-03-02T00:00Z", id="a day in UTC"),
    pytest.param("day", "UTC", "2027-03-01T00:00Z", "2027-03-01T00:00Z/2027-03-02T00:00Z", id="its first minute"),
    pytest.param("day", "UTC", "2027-03-01T23:59Z", "2027-03-01T00:00Z/2027-03-02T00:00Z", id="its last"),
    pytest.param("day", KIRITIMATI, "2027-03-01T09:59Z", "2027-02-28T10:00Z/2027-03-01T10:00Z", id="far east"),
    pytest.param("day", KIRITIMATI, "2027-03-01T10:00Z", "2027-03-01T10:00Z/2027-03-02T10:00Z", id="a minute later"),
    pytest.param("day", LOS_ANGELES, "2027-03-01T07:59Z", "2027-02-28T08:00Z/2027-03-01T08:00Z", id="far west"),
    pytest.param("day", KATHMANDU, "2027-03-01T18:15Z", "2027-03-01T18:15Z/2027-03-02T18:15Z", id="a quarter off"),
    pytest.param("day", BERLIN, "2027-03-28T12:00Z", "2027-03-27T23:00Z/2027-03-28T22:00Z", id="23 hours"),
    pytest.param("day", BERLIN, "2027-10-31T12:00Z", "2027-10-30T22:00Z/2027-10-31T23:00Z", id="25 hours"),
    pytest.param("day", LORD_HOWE, "2027-10-03T00:00Z", "2027-10-02T13:30Z/2027-10-03T13:00Z", id="23 and a half"),
    pytest.param("day", BEIRUT, "2027-03-28T12:00Z", "2027-03-27T22:00Z/2027-03-28T21:00Z", id="no 00:00"),
    pytest.param("day", HAVANA, "2027-11-07T12:00Z", "2027-11-07T04:00Z/2027-11-08T05:00Z", id="00:00 twice"),
    pytest.param("week", "UTC", "2027-03-01T00:00Z", "2027-03-01T00:00Z/2027-03-08T00:00Z", id="from Monday"),
    pytest.param("week", "UTC", "2027-02-28T23:59Z", "2027-02-22T00:00Z/2027-03-01T00:00Z", id="to Sunday"),
    pytest.param("week", BERLIN, "2027-03-28T21:59Z", "2027-03-21T23:00Z/2027-03-28T22:00Z", id="to the short one"),
    pytest.param("week", "UTC", "2027-01-03T12:00Z", "2026-12-28T00:00Z/2027-01-04T00:00Z", id="over a new year"),
    pytest.param("week", KIRITIMATI, "2027-03-07T10:00Z", "2027-03-07T10:00Z/2027-03-14T10:00Z", id="week, far east"),
    pytest.param("month", "UTC", "2027-02-28T23:59Z", "2027-02-01T00:00Z/2027-03-01T00:00Z", id="a short month"),
    pytest.param("month", "UTC", "2028-02-29T12:00Z", "2028-02-01T00:00Z/2028-03-01T00:00Z", id="with a leap day"),
    pytest.param("month", "UTC", "2027-12-31T12:00Z", "2027-12-01T00:00Z/2028-01-01T00:00Z", id="December"),
    pytest.param("month", BERLIN, "2027-03-31T21:59Z", "2027-02-28T23:00Z/2027-03-31T22:00Z", id="in two offsets"),
    pytest.param("month", LOS_ANGELES, "2027-04-01T06:59Z", "2027-03-01T08:00Z/2027-04-01T07:00Z", id="month, west"),
]


@pytest.mark.parametrize(("per", "zone", "session", "closed"), BOUNDS)
def test_a_limit_closes_just_the_local_period_that_the_session_lies_in(
    per: Any, zone: str, session: str, closed: str
) -> None:
    full = span(*closed.split("/"))
    round_the_clock = resource(
        hours=hours(weekly("00:00", "24:00", EVERY_DAY), zone=zone), limits=Limits(**{f"per_{per}": 1})
    )
    rules = service(duration_minutes=1, step_minutes=1, window=Unlimited())
    # A session of no length: it counts, and takes no time by itself.
    counted = occupation(session, session)
    asked = question(counted, of=round_the_clock, asked=rules, now=0)
    around = Interval(full.start - 3, full.end + 3)
    closed_starts = set(range(*around)) - set(open_starts(asked, around))
    assert closed_starts == set(range(*full))
    assert period_around(per, minute(session), zone) == full


def test_a_travelling_resource_counts_by_its_own_zone_at_home() -> None:
    trip = Travel(first="2027-02-25", last="2027-03-05", time_zone=LOS_ANGELES)
    away = hours(weekly("00:00", "24:00", EVERY_DAY), zone="UTC").model_copy(update={"travel": (trip,)})
    late = occupation("2027-03-01T23:00Z", "2027-03-02T00:00Z")
    asked = question(late, of=resource(hours=away, limits=Limits(per_day=1)))
    starts = open_starts(asked, span("2027-03-01T00:00Z", "2027-03-03T00:00Z"))
    assert rfc3339(starts[0]) == "2027-03-02T00:00:00Z"


def test_limits_of_a_service_and_a_client_are_counted_by_the_days_of_whoever_would_serve() -> None:
    # 10:30Z on the 1st: still the 1st in London, the 2nd on Kiritimati, whose 2nd ends at 10:00Z on the 2nd.
    booking = ClientBooking(service="cut", start=on_monday("10:30"), end=on_monday("11:30"))
    session = at("10:30", "11:30")
    open_all_day = weekly("00:00", "24:00", EVERY_DAY)
    london = resource("london", hours=hours(open_all_day, zone="Europe/London"))
    island = resource("island", hours=hours(open_all_day, zone=KIRITIMATI))
    names = ("london", "island")
    after = span("2027-03-01T12:00Z", "2027-03-02T12:00Z")
    for rules, client in (
        (service(resources=names, limits=Limits(per_day=1)), None),
        (service(resources=names, client_limits=ClientLimits(per_day=1)), (booking,)),
    ):
        first = {
            name: open_starts(
                among(state(session, of=london), state(of=island), asked=rules, client=client, resource=name), after
            )[0]
            for name in names
        }
        assert first == {"london": minute("2027-03-02T00:00Z"), "island": minute("2027-03-02T10:00Z")}


@pytest.mark.parametrize(
    ("per", "day", "first", "after"),
    [
        pytest.param("day", "2027-12-31", "2027-12-31", "2028-01-01", id="the last day of a year"),
        pytest.param("week", "2027-01-01", "2026-12-28", "2027-01-04", id="its first week"),
        pytest.param("month", "2027-12-01", "2027-12-01", "2028-01-01", id="its last month"),
        pytest.param("month", "2027-01-31", "2027-01-01", "2027-02-01", id="a long month"),
    ],
)
def test_dates_of_a_period(per: Any, day: str, first: str, after: str) -> None:
    assert [str(date_) for date_ in dates_around(per, date.fromisoformat(day))] == [first, after]


# ---- What a commit rests on

LONDON = works(zone="Europe/London", limits=Limits(per_day=1))
ISLAND = works(name="ben", zone=KIRITIMATI, limits=Limits(per_month=1))


@pytest.mark.parametrize(
    ("rules", "chosen", "start", "months"),
    [
        pytest.param({}, "anna", "2027-03-31T12:00Z", ["anna 2027-03"], id="the month of a UTC day"),
        pytest.param({}, "anna", "2027-04-01T12:00Z", ["anna 2027-03", "anna 2027-04"], id="a day in two UTC months"),
        pytest.param({}, "ben", "2027-03-15T12:00Z", ["ben 2027-02", "ben 2027-03"], id="a month in two UTC months"),
        pytest.param(
            {"limits": Limits(per_week=1)},
            "anna",
            "2027-03-31T12:00Z",
            ["anna 2027-03", "anna 2027-04", "ben 2027-03", "ben 2027-04"],
            id="a service's week, at all its resources",
        ),
    ],
)
def test_the_months_that_a_limit_counts(rules: dict[str, Any], chosen: str, start: str, months: list[str]) -> None:
    asked = among(state(of=LONDON), state(of=ISLAND), asked=service(resources=("anna", "ben"), **rules))
    found = months_counted(asked, (chosen,), minute(start))
    assert sorted(" ".join(place) for place in found) == months


def test_without_limits_nothing_is_counted() -> None:
    assert months_counted(question(of=works()), ("anna",), on_monday("10:00")) == frozenset()
