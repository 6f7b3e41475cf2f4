"""Why a start is closed: each rule by name, at which resource, and exactly what caused it. Of one resource; several are in `test_explained_resources`."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from functions.domain.availability import ClientBooking, Closed, Question, Reason, explain, open_starts
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation, Waiting
from tests.domain.builders import BERLIN, NOW, among, minute, occupation, question, service, span, state
from tests.domain.monday import DATE, MONDAY, at, because, busy, held, monday_now, on_monday, works

ANNA = works()
AT_10, TEN = at("10:00", "11:00"), {"start": f"{DATE}T10:00:00Z", "end": f"{DATE}T11:00:00Z"}
TEN_EVENT = {"calendar": "cal", "event": "ev0"} | TEN


def asked(*occupations: Occupation, rules: dict[str, Any] | None = None, **changes: Any) -> Question:
    """An hour, every half hour, of Anna, who works from 9 to 12 UTC. `rules` change the service."""
    return question(*occupations, asked=service(**rules or {}), **{"of": ANNA} | changes)


def of_a_session(rule: Closed, session: Occupation, resource: str = "anna") -> Reason:
    """Another session at ten is the cause."""
    return because(rule, resource, session=session.session, **TEN)


def booked(day: str) -> ClientBooking:
    return ClientBooking(service="cut", start=minute(f"2027-{day}T10:00Z"), end=minute(f"2027-{day}T11:00Z"))


# ---- One resource

FOR_ALL = [
    pytest.param(asked(rules={"active": False}), "10:00", [because(Closed.INACTIVE)], id="a service that is put away"),
    pytest.param(asked(duration=45), "10:00", [because(Closed.DURATION, duration_minutes=45)], id="no such length"),
    pytest.param(
        asked(seats=2), "10:00", [because(Closed.TOO_MANY_SEATS, seats=2, capacity=1)], id="more seats than there are"
    ),
    pytest.param(asked(seats=0), "10:00", [because(Closed.TOO_MANY_SEATS, seats=0, capacity=1)], id="no seats"),
    pytest.param(
        asked(rules={"client_limits": ClientLimits(at_once=2)}, client=(booked("03-03"), booked("05-04"))),
        "10:00",
        [because(Closed.LIMIT, of="client", per="at_once", most=2, count=2)],
        id="too many bookings ahead",
    ),
]

TIMES = [
    pytest.param(
        asked(now=monday_now("09:30") + 1, rules={"notice_minutes": 30}),
        "10:00",
        [because(Closed.TOO_SOON, earliest=f"{DATE}T10:01:00Z", notice_minutes=30)],
        id="notice",
    ),
    pytest.param(
        asked(now=monday_now("10:01")),
        "10:00",
        [because(Closed.TOO_SOON, earliest=f"{DATE}T10:01:00Z", notice_minutes=0)],
        id="in the past",
    ),
    pytest.param(
        asked(rules={"window": FixedDates(first=date(2027, 3, 2), last=date(2027, 3, 5))}),
        "10:00",
        [because(Closed.TOO_SOON, window="fixed_dates", opens="2027-03-02T00:00:00Z")],
        id="before the dates of the service",
    ),
    pytest.param(
        asked(rules={"window": FixedDates(first=date(2027, 2, 1), last=date(2027, 2, 5))}),
        "10:00",
        [because(Closed.TOO_FAR, window="fixed_dates", ends="2027-02-06T00:00:00Z")],
        id="after them",
    ),
    pytest.param(
        asked(rules={"window": RollingDays(days=1)}),
        "10:00",
        [because(Closed.TOO_FAR, window="rolling_days", ends="2027-02-24T00:00:00Z")],
        id="beyond so many days",
    ),
    pytest.param(
        asked(rules={"window": BookableDays(days=2)}),
        "10:00",
        [because(Closed.TOO_FAR, window="bookable_days", ends="2027-02-24T00:00:00Z")],
        id="beyond so many bookable days",
    ),
    pytest.param(
        asked(of=works(zone=BERLIN), rules={"window": RollingDays(days=1)}),
        "10:00",
        [because(Closed.TOO_FAR, window="rolling_days", ends="2027-02-23T23:00:00Z")],
        id="which end in the resource's zone",
    ),
]

HOURS = [
    pytest.param(
        asked(), "12:00", [because(Closed.OUTSIDE_HOURS, "anna", date=DATE, hours="weekly")], id="after closing"
    ),
    pytest.param(asked(), "10:10", [because(Closed.OFF_GRID, "anna", step_minutes=30)], id="between two starts"),
    pytest.param(
        asked(rules={"offset_minutes": 20}),
        "09:00",
        [because(Closed.OFF_GRID, "anna", step_minutes=30)],
        id="before the first start, which the offset delays",
    ),
    pytest.param(
        asked(rules={"offset_minutes": 30}),
        "09:00",
        [because(Closed.OFF_GRID, "anna", step_minutes=30)],
        id="also where it delays by a whole step",
    ),
]

TAKEN = [
    pytest.param(asked(AT_10), "10:00", [of_a_session(Closed.SESSION, AT_10)], id="somebody has that time"),
    pytest.param(asked(AT_10), "10:30", [of_a_session(Closed.SESSION, AT_10)], id="somebody has part of it"),
    pytest.param(
        asked(at("10:00", "11:00", after=15)),
        "11:00",
        [of_a_session(Closed.BUFFER, AT_10)],
        id="somebody's clean-up",
    ),
    pytest.param(
        asked(AT_10, rules={"buffer_before_minutes": 15}),
        "11:00",
        [of_a_session(Closed.BUFFER, AT_10)],
        id="one's own preparation",
    ),
    pytest.param(
        asked(AT_10, rules={"buffer_after_minutes": 15}),
        "09:00",
        [of_a_session(Closed.BUFFER, AT_10)],
        id="one's own clean-up",
    ),
    pytest.param(
        asked(blocks=busy("10:00-11:00")), "10:30", [because(Closed.BUSY, "anna", **TEN_EVENT)], id="an event"
    ),
    pytest.param(
        asked(blocks=busy("10:00-11:00"), rules={"buffer_before_minutes": 1}),
        "11:00",
        [because(Closed.BUFFER, "anna", **TEN_EVENT)],
        id="too near to an event",
    ),
    pytest.param(
        asked(
            blocks=busy("10:00-11:00") | busy("10:00-11:00", calendar="hers"),
            of=works(blocked_by=("cal", "hers")),
        ),
        "10:00",
        [
            because(Closed.BUSY, "anna", **TEN_EVENT),
            because(Closed.BUSY, "anna", **TEN_EVENT | {"calendar": "hers"}),
        ],
        id="an event in two calendars is named for each",
    ),
    pytest.param(
        asked(blocks={("cal", "away"): [span("2027-02-20T00:00Z", "2027-04-02T00:00Z")]}),
        "10:00",
        [
            because(
                Closed.BUSY,
                "anna",
                calendar="cal",
                event="away",
                start="2027-02-20T00:00:00Z",
                end="2027-04-02T00:00:00Z",
            )
        ],
        id="an event over three months is named once, whole",
    ),
    pytest.param(
        asked(known_until=on_monday("10:59")),
        "10:00",
        [because(Closed.CALENDAR_UNKNOWN, "anna", known_until=f"{DATE}T10:59:00Z")],
        id="not known to the end",
    ),
    pytest.param(
        asked(known_until=on_monday("11:00"), rules={"buffer_after_minutes": 1}),
        "10:00",
        [because(Closed.CALENDAR_UNKNOWN, "anna", known_until=f"{DATE}T11:00:00Z")],
        id="nor to the end of the clean-up",
    ),
    pytest.param(asked(known_until=0), "10:00", [because(Closed.CALENDAR_UNKNOWN, "anna")], id="never read"),
    pytest.param(
        asked(at("10:00", "11:00", seats=0, holds=held(1, until=NOW + 1))),
        "10:00",
        [of_a_session(Closed.SESSION, AT_10)],
        id="somebody fills in the form",
    ),
]


def a_day(per: str) -> Limits:
    return Limits(**{f"per_{per}": 1})


LATE_ON_SUNDAY = occupation("2027-02-28T22:00Z", "2027-02-28T23:00Z", session="late")
AT_NIGHT = at("22:00", "23:00")

LIMITS = [
    pytest.param(
        asked(AT_NIGHT, of=works(limits=a_day("day"))),
        "10:00",
        [because(Closed.LIMIT, "anna", of="resource", per="day", most=1, count=1)],
        id="of the resource, a day",
    ),
    pytest.param(
        asked(AT_NIGHT, at("20:00", "21:00"), of=works(limits=a_day("week"))),
        "10:00",
        [because(Closed.LIMIT, "anna", of="resource", per="week", most=1, count=2)],
        id="of the resource, a week, with more than there may be",
    ),
    pytest.param(
        asked(AT_NIGHT, rules={"limits": a_day("month")}),
        "10:00",
        [because(Closed.LIMIT, of="service", per="month", most=1, count=1)],
        id="of the service, a month",
    ),
    pytest.param(
        asked(client=(booked("03-01"),), rules={"client_limits": ClientLimits(per_week=1)}),
        "10:00",
        [because(Closed.LIMIT, of="client", per="week", most=1, count=1)],
        id="of the client, a week",
    ),
    pytest.param(
        asked(AT_NIGHT, of=works(limits=Limits(per_day=1, per_week=1, per_month=2)), rules={"limits": a_day("day")}),
        "10:00",
        [
            because(Closed.LIMIT, "anna", of="resource", per="day", most=1, count=1),
            because(Closed.LIMIT, "anna", of="resource", per="week", most=1, count=1),
            because(Closed.LIMIT, of="service", per="day", most=1, count=1),
        ],
        id="each that is reached",
    ),
]


# ---- Groups and events

GROUP = {"capacity": 3}
FULL = at("10:00", "11:00", capacity=3, seats=3)
RUNNING = at("10:00", "11:00", capacity=3, seats=1, after=15)
EVENT = {"kind": "event"}
SCHEDULED = at("10:00", "11:00", capacity=3, seats=2, scheduled=True)

ONE_WAITS = Waiting(smallest=1, until=on_monday("09:00"))

JOINING = [
    pytest.param(
        asked(at("10:00", "11:00", capacity=3, seats=1, closed=True), rules=GROUP),
        "10:00",
        [because(Closed.CLOSED, session="at 10:00")],
        id="a session that an operator closed",
    ),
    pytest.param(
        asked(at("10:00", "11:00", capacity=3, waiting=ONE_WAITS), rules=GROUP),
        "10:00",
        [because(Closed.WAITLIST, session="at 10:00", seats_left=2)],
        id="a session that somebody waits for",
    ),
    pytest.param(
        asked(FULL, rules=GROUP),
        "10:00",
        [because(Closed.FULL, session="at 10:00", seats_left=0, capacity=3)],
        id="no seat left",
    ),
    pytest.param(
        asked(at("10:00", "11:00", capacity=3, seats=5), rules=GROUP),
        "10:00",
        [because(Closed.FULL, session="at 10:00", seats_left=0, capacity=3)],
        id="none left where more are sold than there are now",
    ),
    pytest.param(
        asked(RUNNING, rules=GROUP, seats=3),
        "10:00",
        [because(Closed.FULL, session="at 10:00", seats_left=2, capacity=3)],
        id="not so many seats left",
    ),
    pytest.param(
        asked(RUNNING, rules=GROUP, blocks=busy("11:10-11:20")),
        "10:00",
        [
            because(
                Closed.BUFFER, "anna", calendar="cal", event="ev0", start=f"{DATE}T11:10:00Z", end=f"{DATE}T11:20:00Z"
            )
        ],
        id="an event in its clean-up",
    ),
    pytest.param(
        asked(RUNNING, rules=GROUP, of=works("09:00-10:30")),
        "10:00",
        [because(Closed.OUTSIDE_HOURS, "anna", date=DATE, hours="weekly")],
        id="the hours are shorter now",
    ),
    pytest.param(
        asked(RUNNING, rules=GROUP, known_until=on_monday("11:14")),
        "10:00",
        [because(Closed.CALENDAR_UNKNOWN, "anna", known_until=f"{DATE}T11:14:00Z")],
        id="not known to the end of its clean-up",
    ),
    pytest.param(asked(rules=EVENT), "10:00", [because(Closed.NOT_SCHEDULED)], id="no event at this time"),
    pytest.param(
        asked(SCHEDULED, rules=EVENT, seats=2),
        "10:00",
        [because(Closed.FULL, session="at 10:00", seats_left=1, capacity=3)],
        id="an event with too few seats left",
    ),
]

ALL_AT_ONCE = [
    pytest.param(
        asked(
            AT_10,
            blocks=busy("10:00-11:00"),
            of=works("14:00-15:00", limits=a_day("day")),
            known_until=0,
            seats=2,
            rules={"active": False, "window": RollingDays(days=0)},
        ),
        "10:00",
        [
            because(Closed.INACTIVE),
            because(Closed.TOO_MANY_SEATS, seats=2, capacity=1),
            because(Closed.TOO_FAR, window="rolling_days", ends="2027-02-23T00:00:00Z"),
            because(Closed.OUTSIDE_HOURS, "anna", date=DATE, hours="weekly"),
            because(Closed.CALENDAR_UNKNOWN, "anna"),
            of_a_session(Closed.SESSION, AT_10),
            because(Closed.BUSY, "anna", **TEN_EVENT),
            because(Closed.LIMIT, "anna", of="resource", per="day", most=1, count=1),
        ],
        id="every rule that closes it is named",
    ),
]

NOBODY = [pytest.param(among(asked=service()), "10:00", [because(Closed.NOBODY)], id="nobody is there to serve it")]

EXPLAINED = [*FOR_ALL, *TIMES, *HOURS, *TAKEN, *LIMITS, *JOINING, *ALL_AT_ONCE, *NOBODY]


@pytest.mark.parametrize(("asked_", "start", "reasons"), EXPLAINED)
def test_why_a_start_is_closed(asked_: Question, start: str, reasons: list[Reason]) -> None:
    assert list(explain(asked_, on_monday(start))) == reasons
    assert on_monday(start) not in open_starts(asked_, MONDAY)


def test_every_rule_is_explained_above() -> None:
    explained = {reason.rule for example in EXPLAINED for reason in example.values[2]}
    assert explained == set(Closed)


@pytest.mark.parametrize(
    ("asked_", "start"),
    [
        pytest.param(asked(), "10:00", id="free"),
        pytest.param(
            asked(LATE_ON_SUNDAY, of=works(limits=a_day("day"))),
            "10:00",
            id="the day before may be as full as it likes",
        ),
        pytest.param(asked(AT_10, moving="at 10:00"), "10:30", id="free of the session that moves"),
        pytest.param(asked(RUNNING, rules=GROUP, seats=2), "10:00", id="seats are left"),
        pytest.param(asked(SCHEDULED, rules=EVENT), "10:00", id="an event with a seat left"),
    ],
)
def test_nothing_closes_an_open_start(asked_: Question, start: str) -> None:
    assert explain(asked_, on_monday(start)) == ()
    assert on_monday(start) in open_starts(asked_, MONDAY)


def test_the_calendar_that_is_known_least_is_named() -> None:
    known = state(of=ANNA, known_until=on_monday("10:30"))
    stale = among(replace(known, least_known="hers"))
    assert explain(stale, on_monday("10:00")) == (
        because(Closed.CALENDAR_UNKNOWN, "anna", known_until=f"{DATE}T10:30:00Z", calendar="hers"),
    )
    never_read = among(replace(known, known_until=0, least_known="hers"))
    assert explain(never_read, on_monday("10:00")) == (because(Closed.CALENDAR_UNKNOWN, "anna", calendar="hers"),)


def test_since_when_nobody_has_read_that_calendar() -> None:  # case 156
    stale = among(replace(state(of=ANNA, known_until=0), least_known="hers", last_read=NOW))
    since = {"calendar": "hers", "not_read_since": "2027-02-22T08:00:00.000Z"}
    assert explain(stale, on_monday("10:00")) == (because(Closed.CALENDAR_UNKNOWN, "anna", **since),)


def test_what_only_touches_is_no_reason() -> None:
    nothing = {("cal", "nothing"): [Interval(on_monday("10:30"), on_monday("10:30"))]}
    around = asked(at("09:00", "10:00"), at("11:00", "12:00"), blocks=nothing, known_until=on_monday("11:00"))
    assert explain(around, on_monday("10:00")) == ()
