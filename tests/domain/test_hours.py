"""Hours as an operator sets them: what holds on a date."""

import copy
import pickle
from datetime import date
from typing import Any

import pytest

from functions.domain.hours import (
    ClosedPeriod,
    DateOverride,
    DayPlan,
    Holiday,
    Hours,
    Season,
    Travel,
    WeeklyHours,
)
from tests.domain.builders import BERLIN, EVERY_DAY, override, weekly
from tests.domain.zones import NEW_YORK

# 2027-03-01 is a Monday.
USUAL = (weekly("09:00", "12:00"), weekly("13:00", "17:00"))


def day(text: str) -> date:
    return date.fromisoformat(f"2027-{text}")


def change(kind: str, *intervals: tuple[str, str]) -> dict[str, Any]:
    """An override of Monday 1 March."""
    return {"overrides": (override("2027-03-01", *intervals).model_copy(update={"kind": kind}),)}


def closed(first: str, last: str, name: str = "") -> ClosedPeriod:
    return ClosedPeriod(first=day(first), last=day(last), name=name)


def season(first: str, last: str, *openings: WeeklyHours, name: str = "") -> Season:
    return Season(first=day(first), last=day(last), weekly=openings, name=name)


def travel(first: str, last: str, time_zone: str = NEW_YORK) -> Travel:
    return Travel(first=day(first), last=day(last), time_zone=time_zone)


def text(plan: DayPlan) -> str:
    """`09:00-12:00 22:00-30:00`: an end above 24:00 is on the next day."""
    return " ".join("-".join(f"{m // 60:02d}:{m % 60:02d}" for m in interval) for interval in plan.intervals)


HOLIDAY = {"holidays": (Holiday(date=day("03-01"), name="Founder's day"),)}
CLOSED = {"closed": (closed("02-25", "03-01", "Painting"),)}
SEASON = {"seasons": (season("03-01", "05-31", weekly("10:00", "14:00", EVERY_DAY), name="Spring"),)}
NIGHT_BAR = {"weekly": (weekly("22:00", "06:00", EVERY_DAY),)}

# What is set, and what of it holds on Monday 1 March: the intervals, the rule and its name.
MONDAYS = [
    pytest.param({}, "09:00-12:00 13:00-17:00", "weekly", "", id="the weekly hours, where nothing else is said"),
    pytest.param({"weekly": ()}, "", "weekly", "", id="no hours at all"),
    pytest.param({"weekly": (weekly("09:00", "17:00", (2,)),)}, "", "weekly", "", id="hours of another weekday"),
    pytest.param({"weekly": (weekly("00:00", "24:00"),)}, "00:00-24:00", "weekly", "", id="the whole day"),
    pytest.param({"weekly": (weekly("00:00", "00:00"),)}, "00:00-24:00", "weekly", "", id="written in another way"),
    pytest.param(NIGHT_BAR, "22:00-30:00", "weekly", "", id="a night belongs to the date on which it begins"),
    pytest.param(
        {"weekly": (weekly("13:00", "17:00"), weekly("09:00", "13:00"), weekly("12:00", "14:00"))},
        "09:00-13:00 12:00-14:00 13:00-17:00",
        "weekly",
        "",
        id="those that touch or overlap stay apart, in order",
    ),
    pytest.param(
        {"weekly": (weekly("09:00", "13:00"), weekly("09:00", "13:00", (1,)))},
        "09:00-13:00",
        "weekly",
        "",
        id="the same twice is one",
    ),
    # Overrides
    pytest.param(change("replace", ("10:00", "11:00")), "10:00-11:00", "override", "", id="replaced"),
    pytest.param(change("replace"), "", "override", "", id="replaced by nothing"),
    pytest.param(
        change("replace", ("14:00", "15:00"), ("10:00", "15:00"), ("14:00", "15:00")),
        "10:00-15:00 14:00-15:00",
        "override",
        "",
        id="replaced by several, in order, each once",
    ),
    pytest.param(
        change("add", ("18:00", "20:00")), "09:00-12:00 13:00-17:00 18:00-20:00", "override", "", id="one more"
    ),
    pytest.param(
        change("add", ("17:00", "18:00"), ("11:00", "12:30"), ("09:00", "12:00")),
        "09:00-12:00 11:00-12:30 13:00-17:00 17:00-18:00",
        "override",
        "",
        id="more that touch, overlap or are there already",
    ),
    pytest.param(change("add"), "09:00-12:00 13:00-17:00", "override", "", id="nothing more"),
    pytest.param(change("close"), "", "override", "", id="closed as a whole"),
    pytest.param(change("close", ("00:00", "24:00")), "", "override", "", id="closed from midnight to midnight"),
    pytest.param(
        change("close", ("10:00", "11:00")),
        "09:00-10:00 11:00-12:00 13:00-17:00",
        "override",
        "",
        id="closed in the middle of an interval, which makes two of it",
    ),
    pytest.param(change("close", ("08:00", "10:00")), "10:00-12:00 13:00-17:00", "override", "", id="opens later"),
    pytest.param(change("close", ("16:00", "20:00")), "09:00-12:00 13:00-16:00", "override", "", id="closes earlier"),
    pytest.param(
        change("close", ("11:00", "14:00")), "09:00-11:00 14:00-17:00", "override", "", id="a long lunch: both are cut"
    ),
    pytest.param(change("close", ("09:00", "12:00")), "13:00-17:00", "override", "", id="one interval is closed"),
    pytest.param(
        change("close", ("12:00", "13:00"), ("17:00", "09:00")),
        "09:00-12:00 13:00-17:00",
        "override",
        "",
        id="what was closed anyway",
    ),
    pytest.param(
        change("close", ("15:00", "16:00"), ("09:30", "10:00"), ("09:45", "10:30")),
        "09:00-09:30 10:30-12:00 13:00-15:00 16:00-17:00",
        "override",
        "",
        id="closed several times, also overlapping",
    ),
    pytest.param(
        NIGHT_BAR | change("close", ("23:00", "01:00")),
        "22:00-23:00 25:00-30:00",
        "override",
        "",
        id="a night closed around midnight",
    ),
    pytest.param(
        NIGHT_BAR | change("close", ("00:00", "06:00")),
        "22:00-30:00",
        "override",
        "",
        id="the early hours belong to the night before",
    ),
    pytest.param(
        {"weekly": (weekly("09:00", "12:00"), weekly("10:00", "14:00"))} | change("close", ("11:00", "11:30")),
        "09:00-11:00 10:00-11:00 11:30-12:00 11:30-14:00",
        "override",
        "",
        id="a closing cuts each of two that overlap",
    ),
    # Holidays, closed periods, seasons
    pytest.param(HOLIDAY, "", "holiday", "Founder's day", id="a holiday"),
    pytest.param(
        {"holidays": (*HOLIDAY["holidays"], Holiday(date=day("03-01"), name="Another"))},
        "",
        "holiday",
        "Founder's day",
        id="of two holidays on one date the first gives the name",
    ),
    pytest.param(
        {"holidays": (Holiday(date=date(2026, 3, 1)),)},
        *("09:00-12:00 13:00-17:00", "weekly", ""),
        id="last year's holiday",
    ),
    pytest.param(CLOSED, "", "closed_period", "Painting", id="the last date of a closed period"),
    pytest.param({"closed": (closed("03-01", "03-05"),)}, "", "closed_period", "", id="the first date of one"),
    pytest.param({"closed": (closed("03-01", "03-01"),)}, "", "closed_period", "", id="the only date of one"),
    pytest.param(
        {"closed": (closed("02-20", "02-28"), closed("03-02", "03-05"))},
        "09:00-12:00 13:00-17:00",
        "weekly",
        "",
        id="a date between two closed periods",
    ),
    pytest.param(
        {"closed": (closed("03-01", "03-02", "Short"), closed("02-01", "03-31", "Long"))},
        "",
        "closed_period",
        "Long",
        id="of two closed periods the one that began first gives the name",
    ),
    pytest.param(
        {"closed": (closed("02-01", "03-31", "Long"), closed("02-05", "02-10", "Short"))},
        "",
        "closed_period",
        "Long",
        id="one that is over within another changes nothing",
    ),
    pytest.param(
        {"closed": (closed("02-01", "02-28", "Before"), closed("02-05", "03-10", "After"))},
        "",
        "closed_period",
        "After",
        id="of two that overlap the later one goes on",
    ),
    pytest.param(
        {"closed": (closed("02-01", "03-01", "Before"), closed("02-05", "03-10", "After"))},
        "",
        "closed_period",
        "Before",
        id="but only once the earlier one is over",
    ),
    pytest.param(SEASON, "10:00-14:00", "season", "Spring", id="the first date of a season"),
    pytest.param(
        {"seasons": (season("01-01", "03-01", weekly("10:00", "14:00")),)}, "10:00-14:00", "season", "", id="the last"
    ),
    pytest.param({"seasons": (season("01-01", "12-31"),)}, "", "season", "", id="a season without hours is closed"),
    pytest.param(
        {"seasons": (season("01-01", "12-31", weekly("10:00", "14:00", (7,))),)},
        "",
        "season",
        "",
        id="a season with hours on other weekdays is closed",
    ),
    pytest.param(
        {"seasons": (season("01-01", "02-28"), season("03-02", "12-31"))},
        "09:00-12:00 13:00-17:00",
        "weekly",
        "",
        id="a date between two seasons",
    ),
    pytest.param(
        {"seasons": (season("03-01", "12-31", name="Second"), season("01-01", "02-28", name="First"))},
        "",
        "season",
        "Second",
        id="seasons in whatever order",
    ),
    # Which wins
    pytest.param(HOLIDAY | CLOSED | SEASON, "", "holiday", "Founder's day", id="holiday before closed period"),
    pytest.param(CLOSED | SEASON, "", "closed_period", "Painting", id="closed period before season"),
    pytest.param(
        HOLIDAY | CLOSED | SEASON | change("replace", ("10:00", "11:00")),
        "10:00-11:00",
        "override",
        "",
        id="an override opens a holiday",
    ),
    pytest.param(
        HOLIDAY | change("add", ("10:00", "11:00")), "10:00-11:00", "override", "", id="so does one that adds"
    ),
    pytest.param(
        CLOSED | change("add", ("10:00", "11:00")), "10:00-11:00", "override", "", id="also in a closed period"
    ),
    pytest.param(
        SEASON | change("add", ("15:00", "16:00")), "10:00-14:00 15:00-16:00", "override", "", id="more in a season"
    ),
    pytest.param(
        SEASON | change("close", ("11:00", "12:00")), "10:00-11:00 12:00-14:00", "override", "", id="less in a season"
    ),
    pytest.param(HOLIDAY | change("close", ("10:00", "11:00")), "", "override", "", id="less on a holiday"),
]


@pytest.mark.parametrize(("rules", "intervals", "rule", "name"), MONDAYS)
@pytest.mark.parametrize("abroad", [False, True], ids=["at home", "abroad"])
def test_what_holds_on_a_monday(rules: dict[str, Any], intervals: str, rule: str, name: str, abroad: bool) -> None:
    """On a journey the same holds, in the zone there."""
    fields: dict[str, Any] = {"time_zone": BERLIN, "weekly": USUAL} | rules
    if abroad:
        fields["travel"] = (travel("02-28", "03-02"),)
    plan = Hours(**fields).on(day("03-01"))
    assert (text(plan), plan.rule, plan.name, plan.zone) == (intervals, rule, name, NEW_YORK if abroad else BERLIN)


def test_every_weekday_has_its_own_hours() -> None:
    each = tuple(weekly(f"{10 + weekday}:00", "20:00", (weekday,)) for weekday in EVERY_DAY)
    week = [Hours(time_zone=BERLIN, weekly=each).on(day(f"03-0{weekday}")) for weekday in EVERY_DAY]
    assert [text(plan) for plan in week] == [f"{10 + weekday}:00-20:00" for weekday in EVERY_DAY]


@pytest.mark.parametrize(
    ("on", "zone"),
    [
        ("02-28", BERLIN),
        ("03-01", NEW_YORK),
        ("03-05", NEW_YORK),
        ("03-06", "Asia/Tokyo"),
        ("03-07", "Asia/Tokyo"),
        ("03-08", BERLIN),
    ],
)
def test_journeys_that_follow_each_other(on: str, zone: str) -> None:
    kept = Hours(
        time_zone=BERLIN, weekly=USUAL, travel=(travel("03-06", "03-07", "Asia/Tokyo"), travel("03-01", "03-05"))
    )
    assert kept.on(day(on)).zone == zone


@pytest.mark.parametrize("on", [date.min, date.max], ids=["the first date", "the last date"])
def test_rules_can_reach_to_the_ends_of_the_calendar(on: date) -> None:
    kept = Hours(
        time_zone=BERLIN,
        weekly=USUAL,
        closed=(ClosedPeriod(first=date.min, last=date.max, name="For ever"),),
        travel=(Travel(first=date.min, last=date.max, time_zone=NEW_YORK),),
    )
    assert kept.on(on) == DayPlan(intervals=(), zone=NEW_YORK, rule="closed_period", name="For ever")


class TestHoursThatHaveBeenLaidOut:
    """The dates are laid out once, when the first is asked about. Nothing else must show that."""

    @pytest.fixture
    def fresh(self) -> Hours:
        return Hours(time_zone=BERLIN, weekly=USUAL, holidays=(Holiday(date=day("03-01")),))

    @pytest.fixture
    def asked(self, fresh: Hours) -> Hours:
        asked = Hours.model_validate(fresh.model_dump())
        assert asked.on(day("03-01")).rule == "holiday"
        return asked

    def test_they_are_the_same_value(self, fresh: Hours, asked: Hours) -> None:
        assert (asked, hash(asked), repr(asked)) == (fresh, hash(fresh), repr(fresh))

    def test_they_are_written_the_same(self, fresh: Hours, asked: Hours) -> None:
        assert asked.model_dump() == fresh.model_dump()
        assert asked.model_dump_json() == fresh.model_dump_json()
        assert Hours.model_validate_json(asked.model_dump_json()) == fresh

    def test_copies_are_equal(self, fresh: Hours, asked: Hours) -> None:
        copies = [copy.copy(asked), copy.deepcopy(asked), pickle.loads(pickle.dumps(asked)), asked.model_copy()]
        assert copies == [fresh] * 4
        assert {each.on(day("03-01")).rule for each in copies} == {"holiday"}

    @pytest.mark.parametrize("deep", [False, True])
    def test_a_changed_copy_is_laid_out_anew(self, asked: Hours, deep: bool) -> None:
        changed = asked.model_copy(update={"holidays": (), "time_zone": NEW_YORK}, deep=deep)
        assert (changed.on(day("03-01")).rule, changed.on(day("03-01")).zone) == ("weekly", NEW_YORK)
        assert (asked.on(day("03-01")).rule, asked.on(day("03-01")).zone) == ("holiday", BERLIN)

    def test_hours_stored_before_there_were_holidays_can_be_read(self) -> None:
        stored = {"time_zone": BERLIN, "weekly": [{"days": [1], "start": "09:00", "end": "17:00"}], "overrides": []}
        assert text(Hours.model_validate(stored).on(day("03-01"))) == "09:00-17:00"


def test_an_override_of_an_unnamed_kind_replaces() -> None:
    assert DateOverride.model_validate({"date": "2027-03-01"}).kind == "replace"
