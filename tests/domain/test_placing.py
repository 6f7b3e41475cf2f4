"""Where a booking goes, and what a client is told when it goes nowhere: the most useful reason, and nothing about others."""

from datetime import date
from typing import Any

import pytest

from functions.domain.availability import Choice, ClientBooking, Question
from functions.domain.booking_window import RollingDays
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.errors import CalendarUnknown, Invalid, Refusal, SlotTaken, StartClosed
from functions.domain.hours import Holiday
from functions.domain.ledger import Occupation
from functions.domain.placing import ALTERNATIVES, as_operator, place
from tests.domain.builders import NOW, among, hours, occupation, question, service, span, state, weekly
from tests.domain.monday import DATE, at, held, monday_now, on_monday, works

ANNA, BEN = works(), works(name="ben")
AT_10, ALL_MORNING = at("10:00", "11:00"), at("09:00", "12:00")
PAIR = ("anna", "ben")
CHOICE = service(resources=PAIR, assignment="choice")
TOGETHER = service(resources=PAIR, assignment="all")
GROUP = {"capacity": 3}
RUNNING = at("10:00", "11:00", capacity=3)
FULL = at("10:00", "11:00", capacity=3, seats=3)
THEIRS = (ClientBooking(service="cut", start=on_monday("20:00"), end=on_monday("21:00")),)


def asked(*occupations: Occupation, rules: dict[str, Any] | None = None, **changes: Any) -> Question:
    """An hour, every half hour, of Anna, who works from 9 to 12 UTC. `rules` change the service."""
    return question(*occupations, asked=service(**rules or {}), **{"of": ANNA} | changes)


def fresh(*resources: str, seats_left: int = 1) -> Choice:
    """A new session at ten."""
    return Choice(resources=resources, session=None, end=on_monday("11:00"), seats_left=seats_left)


@pytest.mark.parametrize(
    ("asked_", "choice"),
    [
        pytest.param(asked(), fresh("anna"), id="a free start"),
        pytest.param(among(state(AT_10, of=ANNA), state(of=BEN)), fresh("ben"), id="of a pool, who is free"),
        pytest.param(
            among(state(of=ANNA), state(of=BEN), asked=CHOICE, resource="ben"), fresh("ben"), id="who is chosen"
        ),
        pytest.param(among(state(of=ANNA), state(of=BEN), asked=TOGETHER), fresh("anna", "ben"), id="all of a set"),
        pytest.param(asked(rules=GROUP), fresh("anna", seats_left=3), id="a new group"),
        pytest.param(
            asked(RUNNING, rules=GROUP),
            Choice(resources=("anna",), session="at 10:00", end=on_monday("11:00"), seats_left=2),
            id="a group that runs",
        ),
    ],
)
def test_a_booking_goes_where_it_can_be_served(asked_: Question, choice: Choice) -> None:
    assert place(asked_, on_monday("10:00")) == choice


def test_a_client_who_must_choose_and_does_not_is_told_so() -> None:
    with pytest.raises(Invalid, match="name one"):
        place(among(state(of=ANNA), state(of=BEN), asked=CHOICE), on_monday("10:00"))


# ---- Refusals

SECRET = "secret"
SOMEBODY = at("10:00", "11:00", session=f"{SECRET}-session")
PRIVATE = {(f"{SECRET}-calendar", f"{SECRET}-event"): [span(f"{DATE}T10:00Z", f"{DATE}T11:00Z")]}
WATCHED = works(blocked_by=(f"{SECRET}-calendar",))

REFUSALS = [
    pytest.param(asked(SOMEBODY), SlotTaken, None, id="somebody has it"),
    pytest.param(asked(SOMEBODY, rules={"buffer_before_minutes": 30}), SlotTaken, None, id="somebody has part of it"),
    pytest.param(
        asked(at("11:00", "12:00", session=f"{SECRET}-session"), rules={"buffer_after_minutes": 1}),
        SlotTaken,
        None,
        id="somebody comes too soon after it",
    ),
    pytest.param(asked(blocks=PRIVATE, of=WATCHED), SlotTaken, None, id="an event is in the way"),
    pytest.param(
        asked(at("10:00", "11:00", session=f"{SECRET}-session", capacity=3, seats=3), rules=GROUP),
        SlotTaken,
        None,
        id="no seat left",
    ),
    pytest.param(
        asked(
            at("10:00", "11:00", session=f"{SECRET}-session", capacity=3, scheduled=True),
            rules={"kind": "event"},
            seats=3,
        ),
        SlotTaken,
        None,
        id="not so many seats left",
    ),
    pytest.param(
        asked(at("10:00", "11:00", session=f"{SECRET}-session", seats=0, holds=held(1, until=NOW + 1))),
        SlotTaken,
        None,
        id="somebody fills in the form",
    ),
    pytest.param(asked(known_until=0), CalendarUnknown, None, id="not known"),  # case 156
    pytest.param(asked(SOMEBODY, known_until=0), CalendarUnknown, None, id="not known, and taken"),
    pytest.param(asked(rules={"active": False}), StartClosed, ["inactive"], id="a service that is put away"),
    pytest.param(asked(duration=45), StartClosed, ["duration_not_offered"], id="no such length"),
    pytest.param(asked(seats=2), StartClosed, ["too_many_seats"], id="more seats than there are"),
    pytest.param(asked(now=monday_now("10:01")), StartClosed, ["too_soon"], id="in the past"),
    pytest.param(asked(rules={"window": RollingDays(days=6)}), StartClosed, ["too_far"], id="beyond the window"),
    pytest.param(asked(of=works("13:00-14:00")), StartClosed, ["outside_hours"], id="outside the hours"),
    pytest.param(asked(rules={"offset_minutes": 10}), StartClosed, ["off_grid"], id="off the grid"),
    pytest.param(asked(rules={"kind": "event"}), StartClosed, ["not_scheduled"], id="no event then"),
    pytest.param(
        asked(at("20:00", "21:00"), of=works(limits=Limits(per_day=1))), StartClosed, ["limit"], id="enough that day"
    ),
    pytest.param(
        asked(client=THEIRS, rules={"client_limits": ClientLimits(at_once=1)}), StartClosed, ["limit"], id="for them"
    ),
    pytest.param(
        asked(SOMEBODY, blocks=PRIVATE, of=WATCHED, rules={"offset_minutes": 10}),
        StartClosed,
        ["off_grid", "taken"],
        id="taken and off the grid",
    ),
    pytest.param(
        asked(
            at("10:00", "11:00", session=f"{SECRET}-session", capacity=3, seats=3),
            rules={**GROUP, "notice_minutes": 60},
            now=monday_now("09:30"),
        ),
        StartClosed,
        ["taken", "too_soon"],
        id="full and too soon",
    ),
    pytest.param(
        asked(SOMEBODY, known_until=0, rules={"window": RollingDays(days=6)}),
        StartClosed,
        ["calendar_unknown", "taken", "too_far"],
        id="all at once",
    ),
]


@pytest.mark.parametrize(("asked_", "refusal", "reasons"), REFUSALS)
def test_what_can_not_be_booked_is_refused(asked_: Question, refusal: type[Refusal], reasons: list[str] | None) -> None:
    with pytest.raises(refusal) as refused:
        place(asked_, on_monday("10:00"))
    assert refused.value.extra.get("reasons") == reasons
    assert all(reason in refused.value.detail for reason in reasons or ())


@pytest.mark.parametrize(("asked_", "refusal", "reasons"), REFUSALS)
def test_a_refusal_says_nothing_about_who_has_the_time(
    asked_: Question, refusal: type[Refusal], reasons: list[str] | None
) -> None:
    with pytest.raises(refusal) as refused:
        place(asked_, on_monday("10:00"))
    said = f"{refused.value.detail} {dict(refused.value.extra)}"
    assert SECRET not in said
    assert not {"session", "buffer", "busy", "full"} & set(said.replace(",", " ").replace("'", " ").split())


NOT_KNOWN = {"known_until": 0}
OFF = works(
    name="ben",
    hours=hours(weekly("09:00", "12:00"), zone="UTC").model_copy(
        update={"holidays": (Holiday(date=date(2027, 3, 1), name=SECRET),)}
    ),
)

OF_SEVERAL = [
    pytest.param(among(state(AT_10, of=ANNA), state(AT_10, of=BEN)), SlotTaken, id="both are taken"),
    pytest.param(among(state(AT_10, of=ANNA), state(of=OFF)), SlotTaken, id="one is taken, the other off"),
    pytest.param(among(state(of=OFF), state(AT_10, of=ANNA)), SlotTaken, id="the other way round"),
    pytest.param(among(state(AT_10, of=ANNA), state(of=BEN, **NOT_KNOWN)), SlotTaken, id="one is taken, one not known"),
    pytest.param(among(state(of=OFF), state(of=BEN, **NOT_KNOWN)), CalendarUnknown, id="one is off, one not known"),
    pytest.param(among(state(of=OFF), state(of=works("13:00-14:00"))), StartClosed, id="none is open"),
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=OFF), resource="ben"), StartClosed, id="the one who is asked for is off"
    ),
    pytest.param(among(state(AT_10, of=ANNA), state(of=BEN), asked=TOGETHER), SlotTaken, id="one of a set is taken"),
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=BEN, **NOT_KNOWN), asked=TOGETHER),
        CalendarUnknown,
        id="one of a set is taken, one not known",
    ),
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=OFF), asked=TOGETHER), StartClosed, id="one of a set is taken, one off"
    ),
]


@pytest.mark.parametrize(("asked_", "refusal"), OF_SEVERAL)
def test_of_several_resources_the_nearest_to_open_says_why(asked_: Question, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        place(asked_, on_monday("10:00"))


def test_a_holiday_is_not_named_to_clients() -> None:
    with pytest.raises(StartClosed) as refused:
        place(among(state(of=OFF)), on_monday("10:00"))
    assert SECRET not in f"{refused.value.detail} {dict(refused.value.extra)}"


def test_where_nobody_can_serve_the_refusal_says_so() -> None:
    with pytest.raises(StartClosed) as refused:
        place(among(state(of=ANNA), asked=TOGETHER), on_monday("10:00"))
    assert refused.value.extra["reasons"] == ["nobody_serves"]


# ---- Alternatives


def alternatives(of: Question, start: str = "10:00") -> list[str]:
    with pytest.raises(SlotTaken) as refused:
        place(of, on_monday(start))
    found: list[str] = refused.value.extra["alternatives"]
    return found


def on(day: str, *clocks: str) -> list[str]:
    return [f"2027-{day}T{text}:00Z" for text in clocks]


HALF_HOURS = {"duration_minutes": 30}
AT_10_SHORT = at("10:00", "10:30")
AWAY = {("cal", "away"): [span("2027-02-01T00:00Z", "2027-03-07T12:00Z")]}
FAR_AWAY = {("cal", "away"): [span("2027-02-01T00:00Z", "2027-03-08T11:00Z")]}

# Seen from ten o'clock; of two that are as near the earlier comes first.
OTHER_DAYS = [
    f"2027-{start}:00Z" for start in ("02-28T11:00", "03-02T09:00", "02-28T10:30", "03-02T09:30", "02-28T10:00")
]

ALTERNATIVE = [
    pytest.param(
        asked(AT_10_SHORT, rules=HALF_HOURS),
        on("03-01", "09:30", "10:30", "09:00", "11:00", "11:30"),
        id="the five nearest, the earlier of two first",
    ),
    pytest.param(
        asked(ALL_MORNING),
        OTHER_DAYS,
        id="on other days",
    ),
    pytest.param(
        asked(AT_10, now=monday_now("09:30")),
        on("03-01", "11:00") + on("03-02", "09:00", "09:30", "10:00", "10:30"),
        id="none in the past",
    ),
    pytest.param(
        asked(ALL_MORNING, rules={"window": RollingDays(days=7)}),
        on("02-28", "11:00", "10:30", "10:00", "09:30", "09:00"),
        id="none beyond the window",
    ),
    pytest.param(asked(blocks=AWAY), on("03-08", "09:00", "09:30"), id="at most a week away"),
    pytest.param(asked(blocks=FAR_AWAY), [], id="there may be none"),
    pytest.param(
        among(state(AT_10, of=ANNA), state(at("09:30", "11:30"), of=BEN)),
        on("03-01", "09:00", "11:00") + OTHER_DAYS[:3],
        id="of the whole pool",
    ),
    pytest.param(
        among(state(ALL_MORNING, of=ANNA), state(of=BEN), resource="anna"),
        OTHER_DAYS,
        id="of the one who was asked for",
    ),
    pytest.param(
        asked(FULL, at("11:00", "12:00", capacity=3, seats=2), rules=GROUP, seats=2),
        on("03-01", "09:00") + OTHER_DAYS[:4],
        id="with as many seats",
    ),
    pytest.param(
        asked(FULL, at("11:10", "12:00", session="own"), rules=GROUP, moving="own"),
        on("03-01", "09:00", "11:00") + OTHER_DAYS[:3],
        id="also in the time of the session that moves",
    ),
]


@pytest.mark.parametrize(("asked_", "expected"), ALTERNATIVE)
def test_a_taken_start_is_answered_with_the_nearest_that_are_open(asked_: Question, expected: list[str]) -> None:
    assert alternatives(asked_) == expected
    assert len(expected) <= ALTERNATIVES


def test_alternatives_are_what_can_be_booked_just_then() -> None:
    taken = asked(AT_10)
    for found in alternatives(taken):
        placed = place(taken, occupation(found, found).start)
        assert placed.resources == ("anna",)


BOUND: dict[str, Any] = {
    "notice": {"notice_minutes": 30 * 1440},
    "window": {"window": RollingDays(days=1)},
    "a limit of the service": {"limits": Limits(per_day=1)},
    "a limit of the client": {"client_limits": ClientLimits(at_once=1)},
}


class TestForOperators:
    """What binds clients and not them: notice, window and limits. Time that is taken binds everybody."""

    @pytest.mark.parametrize("name", BOUND)
    def test_no_rule_for_clients_binds_them(self, name: str) -> None:
        bound = asked(at("09:00", "10:00"), rules=BOUND[name], client=THEIRS)
        with pytest.raises(StartClosed):
            place(bound, on_monday("10:00"))
        assert place(as_operator(bound), on_monday("10:00")) == fresh("anna")

    def test_nor_a_limit_of_the_resource(self) -> None:
        bound = asked(at("09:00", "10:00"), of=works(limits=Limits(per_day=1)))
        with pytest.raises(StartClosed):
            place(bound, on_monday("10:00"))
        assert place(as_operator(bound), on_monday("10:00")) == fresh("anna")

    @pytest.mark.parametrize(
        ("bound", "refusal"),
        [
            pytest.param(asked(AT_10), SlotTaken, id="taken time"),
            pytest.param(asked(FULL, rules=GROUP), SlotTaken, id="a class that is full"),
            pytest.param(asked(known_until=0), CalendarUnknown, id="what nobody can see"),
            pytest.param(asked(of=works("11:00-12:00")), StartClosed, id="hours"),
            pytest.param(asked(now=monday_now("10:00") + 1), StartClosed, id="the past"),
        ],
    )
    def test_everything_else_does(self, bound: Question, refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            place(as_operator(bound), on_monday("10:00"))
