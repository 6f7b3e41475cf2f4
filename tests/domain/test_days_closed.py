"""Why a whole date offers nothing, in the few words that clients are told. Of several rules the one that would open it last."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from functions.domain.availability import ClientBooking, DayClosed, Question, open_starts, why_days_are_closed
from functions.domain.booking_window import FixedDates, RollingDays
from functions.domain.configuration import ClientLimits, Limits, Resource
from functions.domain.hours import Holiday
from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from tests.domain.builders import (
    EVERY_DAY,
    NOW,
    among,
    hours,
    minute,
    occupation,
    override,
    question,
    service,
    span,
    state,
    weekly,
)
from tests.domain.monday import DATE, MONDAY, at, busy, held, monday_now, on_monday, works

FIRST = date(2027, 3, 1)
ALL_MORNING, AT_10, AT_NIGHT = at("09:00", "12:00"), at("10:00", "11:00"), at("22:00", "23:00")
THEIRS = (ClientBooking(service="cut", start=on_monday("22:00"), end=on_monday("23:00")),)
ONE_A_DAY = Limits(per_day=1)
TOMORROW_ON = FixedDates(first=date(2027, 3, 2), last=date(2027, 3, 31))
LAST_WEEK = FixedDates(first=date(2027, 2, 22), last=date(2027, 2, 28))


def asked(*occupations: Occupation, rules: dict[str, Any] | None = None, **changes: Any) -> Question:
    """An hour, every half hour, of Anna, who works from 9 to 12 UTC. `rules` change the service."""
    return question(*occupations, asked=service(**rules or {}), **{"of": works()} | changes)


def closed_on(day: date) -> Resource:
    return works(hours=hours(weekly("09:00", "12:00", EVERY_DAY), zone="UTC", overrides=[override(day.isoformat())]))


FULL_CLASS = at("09:00", "12:00", capacity=3, seats=3)
EVENT = {"kind": "event"}
CONCERT = at("20:00", "21:00", capacity=3, seats=3, scheduled=True)
PAIR = ("anna", "ben")

SHUT = at("20:00", "21:00", capacity=3, seats=1, scheduled=True, closed=True)

ONE_RULE = [
    pytest.param(asked(ALL_MORNING), DayClosed.FULL, id="sessions all day"),
    pytest.param(asked(blocks=busy("09:00-12:00")), DayClosed.FULL, id="events all day"),
    pytest.param(asked(at("09:30", "11:30")), DayClosed.FULL, id="what is left is too short"),
    pytest.param(
        asked(AT_10, rules={"buffer_before_minutes": 1, "buffer_after_minutes": 1}),
        DayClosed.FULL,
        id="what is left is too short with buffers",
    ),
    pytest.param(
        asked(at("09:00", "12:00", seats=0, holds=held(1, until=NOW + 1))), DayClosed.FULL, id="held for somebody"
    ),
    pytest.param(
        asked(FULL_CLASS, rules={"capacity": 3, "duration_minutes": 180}), DayClosed.FULL, id="a class without a seat"
    ),
    pytest.param(asked(CONCERT, rules=EVENT), DayClosed.FULL, id="an event without a seat"),
    pytest.param(asked(SHUT, rules=EVENT), DayClosed.CLOSED, id="an event that an operator closed"),
    pytest.param(asked(AT_NIGHT, of=works(limits=ONE_A_DAY)), DayClosed.LIMIT, id="enough for the resource"),
    pytest.param(asked(AT_NIGHT, rules={"limits": ONE_A_DAY}), DayClosed.LIMIT, id="enough for the service"),
    pytest.param(
        asked(client=THEIRS, rules={"client_limits": ClientLimits(per_day=1)}), DayClosed.LIMIT, id="for the client"
    ),
    pytest.param(
        asked(client=THEIRS, rules={"client_limits": ClientLimits(at_once=1)}), DayClosed.LIMIT, id="too many ahead"
    ),
    pytest.param(asked(known_until=0), DayClosed.CALENDAR_UNREACHABLE, id="the calendar was never read"),
    pytest.param(asked(known_until=on_monday("09:59")), DayClosed.CALENDAR_UNREACHABLE, id="not read far enough"),
    pytest.param(asked(now=monday_now("11:01")), DayClosed.TOO_SOON, id="the last start of today is past"),
    pytest.param(asked(now=monday_now("23:59")), DayClosed.TOO_SOON, id="today is over"),
    pytest.param(asked(rules={"notice_minutes": 8 * DAY_MINUTES}), DayClosed.TOO_SOON, id="notice of more than a week"),
    pytest.param(asked(rules={"window": TOMORROW_ON}), DayClosed.TOO_SOON, id="before the service begins"),
    pytest.param(asked(rules={"window": LAST_WEEK}), DayClosed.TOO_FAR, id="after the service has ended"),
    pytest.param(asked(rules={"window": RollingDays(days=6)}), DayClosed.TOO_FAR, id="beyond the window"),
    pytest.param(asked(of=closed_on(FIRST)), DayClosed.NO_HOURS, id="a closed date"),
    pytest.param(asked(rules={"duration_minutes": 181}), DayClosed.NO_HOURS, id="longer than the opening"),
    pytest.param(asked(rules=EVENT), DayClosed.NO_HOURS, id="no event is scheduled"),
    pytest.param(asked(rules={"active": False}), DayClosed.INACTIVE, id="a service that is put away"),
]

SEVERAL_RULES = [
    pytest.param(
        asked(ALL_MORNING, of=works(limits=ONE_A_DAY)), DayClosed.LIMIT, id="full, and there may be no more that day"
    ),
    pytest.param(asked(ALL_MORNING, known_until=0), DayClosed.CALENDAR_UNREACHABLE, id="full, and not known"),
    pytest.param(
        asked(at("09:00", "10:00"), known_until=on_monday("10:00")),
        DayClosed.FULL,
        id="full as far as it is known",
    ),
    pytest.param(
        asked(AT_NIGHT, of=works(limits=ONE_A_DAY), known_until=0),
        DayClosed.CALENDAR_UNREACHABLE,
        id="enough, and not known",
    ),
    pytest.param(asked(ALL_MORNING, now=monday_now("11:30")), DayClosed.TOO_SOON, id="full, and too soon"),
    pytest.param(asked(known_until=0, now=monday_now("11:30")), DayClosed.TOO_SOON, id="not known, and too soon"),
    pytest.param(
        asked(at("11:00", "12:00"), now=monday_now("10:30")), DayClosed.FULL, id="too soon for some, the rest is taken"
    ),
    pytest.param(asked(ALL_MORNING, rules={"window": LAST_WEEK}), DayClosed.TOO_FAR, id="full, and too far"),
    pytest.param(asked(known_until=0, rules={"window": LAST_WEEK}), DayClosed.TOO_FAR, id="not known, and too far"),
    pytest.param(
        asked(rules={"window": LAST_WEEK, "notice_minutes": 9 * DAY_MINUTES}),
        DayClosed.TOO_FAR,
        id="too soon and too far at once",
    ),
    pytest.param(
        asked(ALL_MORNING, of=closed_on(FIRST), known_until=0, rules={"window": LAST_WEEK}),
        DayClosed.NO_HOURS,
        id="closed anyway",
    ),
    pytest.param(
        asked(ALL_MORNING, of=closed_on(FIRST), known_until=0, rules={"active": False}),
        DayClosed.INACTIVE,
        id="put away, whatever else",
    ),
]

SEVERAL_RESOURCES = [
    pytest.param(
        among(state(ALL_MORNING, of=works()), state(of=works(name="ben"), known_until=0)),
        DayClosed.FULL,
        id="of a pool what would open it first: one is full, the other not known",
    ),
    pytest.param(
        among(state(of=closed_on(FIRST)), state(of=works(name="ben"), known_until=0)),
        DayClosed.CALENDAR_UNREACHABLE,
        id="of a pool: one is closed, the other not known",
    ),
    pytest.param(
        among(
            state(ALL_MORNING, of=works()),
            state(of=works(name="ben"), known_until=0),
            asked=service(resources=PAIR, assignment="all"),
        ),
        DayClosed.CALENDAR_UNREACHABLE,
        id="of a set what would open it last: one is full, the other not known",
    ),
    pytest.param(
        among(
            state(of=works("09:00-12:00")),
            state(of=works("13:00-18:00", name="ben")),
            asked=service(resources=PAIR, assignment="all"),
        ),
        DayClosed.NO_HOURS,
        id="of a set: never open together",
    ),
]


@pytest.mark.parametrize(("asked_", "reason"), [*ONE_RULE, *SEVERAL_RULES, *SEVERAL_RESOURCES])
def test_why_a_date_offers_nothing(asked_: Question, reason: DayClosed) -> None:
    assert list(open_starts(asked_, MONDAY)) == []
    assert why_days_are_closed(asked_, {FIRST: MONDAY}) == {FIRST: reason}


def test_every_reason_is_given_above() -> None:
    assert {example.values[1] for example in ONE_RULE} == set(DayClosed)


def days_from(first: date, count: int) -> Mapping[date, Interval]:
    """Days in UTC."""
    start = MONDAY.start + (first - FIRST).days * DAY_MINUTES
    return {
        first + timedelta(days=n): Interval(start + n * DAY_MINUTES, start + (n + 1) * DAY_MINUTES)
        for n in range(count)
    }


def test_each_date_has_its_own_reason() -> None:
    fifth = Holiday(date=date(2027, 3, 5))
    weekdays = hours(weekly("09:00", "12:00", (1, 2, 3, 4, 5, 6)), zone="UTC").model_copy(update={"holidays": (fifth,)})
    evening = occupation("2027-03-04T20:00Z", "2027-03-04T21:00Z", service="dye")
    rules = {"window": FixedDates(first=FIRST, last=date(2027, 3, 8))}
    week = asked(
        evening,
        of=works(hours=weekdays, limits=ONE_A_DAY),
        blocks={("cal", "away"): [span("2027-03-03T00:00Z", "2027-03-04T00:00Z")]},
        now=monday_now("12:00"),
        known_until=minute("2027-03-06T09:30Z"),
        rules=rules,
    )
    offered = date(2027, 3, 2)
    days = {day: interval for day, interval in days_from(FIRST, 9).items() if day != offered}
    assert why_days_are_closed(week, days) == {
        date(2027, 3, 1): DayClosed.TOO_SOON,
        date(2027, 3, 3): DayClosed.FULL,
        date(2027, 3, 4): DayClosed.LIMIT,
        date(2027, 3, 5): DayClosed.NO_HOURS,
        date(2027, 3, 6): DayClosed.CALENDAR_UNREACHABLE,
        date(2027, 3, 7): DayClosed.NO_HOURS,
        date(2027, 3, 8): DayClosed.CALENDAR_UNREACHABLE,
        date(2027, 3, 9): DayClosed.TOO_FAR,
    }


def test_days_are_those_of_whoever_asks() -> None:
    """On Kiritimati the opening of the 1st, 9:00Z, falls on the 1st until 10:00Z and on the 2nd from then on."""
    there = {
        date(2027, 3, 1): span("2027-02-28T10:00Z", "2027-03-01T10:00Z"),
        date(2027, 3, 2): span("2027-03-01T10:00Z", "2027-03-02T09:00Z"),
        date(2027, 3, 3): span("2027-03-01T12:00Z", "2027-03-01T20:00Z"),
    }
    full = asked(ALL_MORNING, of=works(hours=hours(weekly("09:00", "12:00", (1,)), zone="UTC")))
    assert list(why_days_are_closed(full, there).values()) == [DayClosed.FULL, DayClosed.FULL, DayClosed.NO_HOURS]


def test_no_dates_no_reasons() -> None:
    assert why_days_are_closed(asked(), {}) == {}
    assert why_days_are_closed(asked(rules={"active": False}), {}) == {}


def test_dates_may_be_named_in_any_order() -> None:
    days = days_from(date(2027, 2, 28), 3)
    backwards = dict(reversed(days.items()))
    closed = asked(of=works(hours=hours(zone="UTC", overrides=[override(DATE)])), rules={"window": LAST_WEEK})
    assert why_days_are_closed(closed, backwards) == why_days_are_closed(closed, days)
