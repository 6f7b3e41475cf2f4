"""The oracle of what is open, and the engine beside it, on answers worked out by hand: a rule or two at a time."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from functions.domain.availability import ClientBooking, Question, ResourceState, open_starts
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays, Unlimited
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.hours import ClosedPeriod, DailyInterval, DateOverride, Holiday, Hours, Season, Travel
from functions.domain.instants import rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, Occupation
from tests.domain import oracles
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    EVERY_DAY,
    FAR,
    millis,
    minute,
    resource,
    service,
    span,
    spans,
    weekly,
)
from tests.domain.questions import months_of

MONDAY = span("2027-03-01T00:00Z", "2027-03-02T00:00Z")
THIS_MONDAY = {"first": date(2027, 3, 1), "last": date(2027, 3, 1)}
WORK = weekly("09:00", "12:00", EVERY_DAY)
NO_LIMITS = Limits()
EARLY, LATE = DailyInterval(start="07:00", end="08:00"), DailyInterval(start="20:00", end="21:00")


def hours(**changes: Any) -> Hours:
    return Hours(**{"time_zone": "UTC", "weekly": (WORK,)} | changes)


def at(times: str, day: str = "2027-03-01", **changes: Any) -> Occupation:
    """`10:00-11:00`, of one client, with no buffers."""
    start, end = (minute(f"{day}T{time}Z") for time in times.split("-"))
    fields: dict[str, Any] = {"session": f"{day} {times}", "service": "cut", "start": start, "end": end}
    return Occupation(**fields | {"taken_from": start, "taken_until": end} | changes)


def state(
    *sessions: Occupation,
    name: str = "anna",
    busy: Iterable[Interval] = (),
    known_until: int = FAR,
    limits: Limits = NO_LIMITS,
    **of: Any,
) -> ResourceState:
    months = months_of(name, sessions, [(CALENDAR, each) for each in busy])
    made = resource(name, hours=hours(**of), limits=limits)
    return ResourceState(resource=made, months=months, known_until=known_until)


def asked(*states: ResourceState, now: str = "2027-02-22T08:00Z", **changes: Any) -> Question:
    """An hour, on the hour, of whoever works from nine to twelve UTC. What is no field of a question is one of the service."""
    states = states or (state(),)
    of_question = {
        name: changes.pop(name) for name in ("seats", "duration", "resource", "client", "moving") if name in changes
    }
    rules = {"step_minutes": 60, "window": Unlimited(), "resources": tuple(each.resource.id for each in states)}
    return Question(service=service(**rules | changes), states=states, now=millis(now), **of_question)


def theirs(*times: str) -> tuple[ClientBooking, ...]:
    return tuple(ClientBooking(service="cut", start=each.start, end=each.end) for each in map(at, times))


def override(kind: str, *intervals: DailyInterval) -> dict[str, Any]:
    return {"overrides": (DateOverride(date=date(2027, 3, 1), kind=kind, intervals=intervals),)}


NOON = minute("2027-03-01T12:00Z")
LUNCH = DailyInterval(start="10:00", end="11:00")
GROUP: dict[str, Any] = {"capacity": 3}
TWO_LEFT = at("10:00-11:00", capacity=3)
SCHEDULED = at("10:15-10:45", capacity=3, scheduled=True, seats=0)
HELD = {"h": Hold(seats=1, expires_at=millis("2027-02-22T08:00:00.001Z"))}
LAPSED = {"h": Hold(seats=1, expires_at=millis("2027-02-22T08:00:00Z"))}
SAME_WEEK, SAME_MONTH = at("09:00-10:00", "2027-03-07"), at("09:00-10:00", "2027-03-31")

ROUND_THE_CLOCK = (weekly("00:00", "24:00", EVERY_DAY),)
FAR_EAST = state(
    at("20:00-21:00"), name="ben", time_zone="Pacific/Kiritimati", weekly=ROUND_THE_CLOCK, limits=Limits(per_day=1)
)  # where it is tomorrow at ten

HOURS = [
    pytest.param(asked(), "09:00 10:00 11:00", id="weekly hours"),
    pytest.param(asked(state(**override("replace", LATE))), "20:00", id="an override replaces the day"),
    pytest.param(asked(state(**override("replace"))), "", id="by nothing"),
    pytest.param(asked(state(**override("add", EARLY))), "07:00 09:00 10:00 11:00", id="or adds to it"),
    pytest.param(asked(state(**override("close", LUNCH))), "09:00 11:00", id="or closes a part"),
    pytest.param(asked(state(**override("close"))), "", id="or all of it"),
    pytest.param(
        asked(state(**override("close", DailyInterval(start="09:30", end="09:45")))),
        "09:45 10:45",
        id="what is left after a closed part counts from its own opening",
    ),
    pytest.param(asked(state(holidays=(Holiday(date=date(2027, 3, 1)),))), "", id="a holiday"),
    pytest.param(
        asked(state(holidays=(Holiday(date=date(2027, 3, 1)),), **override("add", LATE))),
        "20:00",
        id="what is added to a holiday is all there is",
    ),
    pytest.param(asked(state(closed=(ClosedPeriod(**THIS_MONDAY),))), "", id="a closed period"),
    pytest.param(
        asked(state(seasons=(Season(**THIS_MONDAY, weekly=(weekly("13:00", "15:00"),)),))),
        "13:00 14:00",
        id="a season's hours instead of the usual ones",
    ),
    pytest.param(
        asked(state(seasons=(Season(**THIS_MONDAY, weekly=(WORK,)),), closed=(ClosedPeriod(**THIS_MONDAY),))),
        "",
        id="a closed period in a season",
    ),
    pytest.param(
        asked(state(travel=(Travel(**THIS_MONDAY, time_zone="America/New_York"),))),
        "14:00 15:00 16:00",
        id="nine o'clock in New York",
    ),
    pytest.param(
        asked(state(weekly=(weekly("09:00", "10:30"), weekly("10:30", "12:00")))),
        "09:00 10:00 10:30",
        id="a session may run on into an opening that touches, which has a grid of its own",
    ),
    pytest.param(
        asked(state(weekly=ROUND_THE_CLOCK), duration_minutes=180, step_minutes=700),
        "00:00 11:40 23:20",
        id="and over midnight",
    ),
    pytest.param(asked(offset_minutes=15), "09:15 10:15", id="an offset from the opening"),
    pytest.param(asked(state(busy=spans("2027-03-01T10:30Z/2027-03-01T10:30Z"))), "09:00 10:00 11:00", id="no time"),
]

TIME = [
    pytest.param(asked(now="2027-03-01T09:00:00.001Z"), "10:00 11:00", id="the past"),
    pytest.param(asked(now="2027-03-01T08:00Z", notice_minutes=120), "10:00 11:00", id="notice"),
    pytest.param(asked(now="2027-02-28T23:59Z", window=RollingDays(days=0)), "", id="today alone"),
    pytest.param(asked(now="2027-02-27T23:59Z", window=RollingDays(days=2)), "09:00 10:00 11:00", id="two days on"),
    pytest.param(asked(now="2027-02-27T12:00Z", window=BookableDays(days=2)), "", id="two days on which it opens"),
    pytest.param(
        asked(state(weekly=(weekly("09:00", "12:00"),)), now="2027-02-27T12:00Z", window=BookableDays(days=1)),
        "09:00 10:00 11:00",
        id="a weekend counts for nothing",
    ),
    pytest.param(asked(window=FixedDates(first=date(2027, 3, 2), last=date(2027, 3, 9))), "", id="from tomorrow"),
    pytest.param(asked(state(known_until=NOON), buffer_after_minutes=1), "09:00 10:00", id="what is known"),
    pytest.param(asked(duration=30, durations=(60, 30)), "09:00 10:00 11:00", id="another duration"),
    pytest.param(asked(duration=30), "", id="one that is not offered"),
]

LIMITS = [
    pytest.param(asked(state(at("09:00-10:00"), limits=Limits(per_day=1))), "", id="a day's limit"),
    pytest.param(asked(state(SAME_WEEK, limits=Limits(per_day=1))), "09:00 10:00 11:00", id="of another day"),
    pytest.param(asked(state(SAME_WEEK, limits=Limits(per_week=1))), "", id="until Sunday"),
    pytest.param(
        asked(state(at("22:00-23:00", "2027-02-28"), limits=Limits(per_week=1))),
        "09:00 10:00 11:00",
        id="not from the Sunday before",
    ),
    pytest.param(asked(state(SAME_MONTH, limits=Limits(per_month=1))), "", id="a month's limit"),
    pytest.param(
        asked(state(at("23:00-23:30", "2027-02-28"), limits=Limits(per_day=1), time_zone=BERLIN)),
        "",
        id="counted on the resource's dates",
    ),
    pytest.param(
        asked(state(SAME_WEEK, limits=Limits(per_week=1)), moving=SAME_WEEK.session),
        "09:00 10:00 11:00",
        id="what moves does not count",
    ),
    pytest.param(asked(state(SAME_MONTH), limits=Limits(per_month=1)), "", id="the service's limit"),
    pytest.param(
        asked(state(), state(SAME_MONTH, name="ben"), limits=Limits(per_month=1), resource="anna"),
        "",
        id="counts at all its resources",
    ),
    pytest.param(asked(client=theirs("20:00-21:00"), client_limits=ClientLimits(per_day=1)), "", id="a client's limit"),
    pytest.param(asked(client=None, client_limits=ClientLimits(per_day=1)), "09:00 10:00 11:00", id="of nobody yet"),
    pytest.param(
        asked(client=theirs("08:00-08:30"), client_limits=ClientLimits(at_once=1), now="2027-03-01T08:29:59.999Z"),
        "",
        id="one at a time, until it is over",
    ),
    pytest.param(
        asked(client=theirs("08:00-08:30"), client_limits=ClientLimits(at_once=1), now="2027-03-01T08:30Z"),
        "09:00 10:00 11:00",
        id="then the next",
    ),
]

SEATS = [
    pytest.param(asked(state(at("10:00-11:00"))), "09:00 11:00", id="one to one"),
    pytest.param(asked(state(at("10:00-11:00", seats=0, holds=HELD))), "09:00 11:00", id="a hold takes the time"),
    pytest.param(asked(state(at("10:00-11:00", seats=0, holds=LAPSED))), "09:00 10:00 11:00", id="until it lapses"),
    pytest.param(asked(state(TWO_LEFT), **GROUP, seats=2), "09:00 10:00 11:00", id="two seats of a group"),
    pytest.param(asked(state(TWO_LEFT), **GROUP, seats=3), "09:00 11:00", id="not three"),
    pytest.param(asked(**GROUP, seats=4), "", id="more than there are"),
    pytest.param(asked(**GROUP, seats=0), "", id="none"),
    pytest.param(
        asked(state(TWO_LEFT), **GROUP, step_minutes=30), "09:00 10:00 11:00", id="none that overlaps the group"
    ),
    pytest.param(asked(state(at("10:10-11:10", capacity=3)), **GROUP), "09:00 10:10", id="a group off the grid"),
    pytest.param(
        asked(state(at("10:00-11:00", capacity=3, service="other")), **GROUP), "09:00 11:00", id="another's group"
    ),
    pytest.param(
        asked(state(TWO_LEFT, busy=spans("2027-03-01T10:59Z/2027-03-01T11:00Z")), **GROUP),
        "09:00 11:00",
        id="a group that something is in the way of",
    ),
    pytest.param(
        asked(state(TWO_LEFT, limits=Limits(per_day=1)), **GROUP), "10:00", id="a limit keeps nobody from joining"
    ),
    pytest.param(
        asked(state(TWO_LEFT), **GROUP, moving=TWO_LEFT.session), "09:00 10:00 11:00", id="what moves is not joined"
    ),
    pytest.param(asked(state(SCHEDULED), kind="event"), "10:15", id="an event, and nothing else"),
    pytest.param(asked(state(SCHEDULED, weekly=()), kind="event"), "10:15", id="outside hours too"),
    pytest.param(
        asked(state(SCHEDULED), kind="event", notice_minutes=60, now="2027-03-01T09:20Z"), "", id="with notice"
    ),
    pytest.param(asked(state(at("10:00-11:00")), kind="event"), "", id="one that nobody scheduled"),
]

TOGETHER = [
    pytest.param(
        asked(state(at("09:00-10:00")), state(at("11:00-12:00"), name="ben")), "09:00 10:00 11:00", id="any one of two"
    ),
    pytest.param(
        asked(state(at("09:00-10:00")), state(name="ben"), resource="anna"), "10:00 11:00", id="the one that is chosen"
    ),
    pytest.param(
        asked(state(at("09:00-10:00")), state(at("11:00-12:00"), name="ben"), assignment="all"),
        "10:00",
        id="all at once",
    ),
    pytest.param(
        asked(state(), state(name="ben", weekly=(weekly("09:30", "11:30"),)), assignment="all"),
        "10:00",
        id="the first one's grid in everyone's hours",
    ),
    pytest.param(
        asked(state(TWO_LEFT), state(TWO_LEFT, name="ben"), assignment="all", **GROUP),
        "09:00 10:00 11:00",
        id="a set's group",
    ),
    pytest.param(
        asked(state(TWO_LEFT), state(name="ben"), assignment="all", **GROUP), "09:00 11:00", id="a group of one of them"
    ),
    pytest.param(
        asked(state(), FAR_EAST, assignment="all"), "09:00", id="limits are counted on the dates of whose they are"
    ),
    pytest.param(asked(state(), assignment="all", resources=("anna", "ben")), "", id="one of a set is missing"),
]


@pytest.mark.parametrize(("question", "starts"), [*HOURS, *TIME, *LIMITS, *SEATS, *TOGETHER])
def test_what_is_open_that_monday(question: Question, starts: str) -> None:
    for found in (oracles.open_starts(question, MONDAY), open_starts(question, MONDAY)):
        assert " ".join(rfc3339(start)[11:16] for start in found) == starts
