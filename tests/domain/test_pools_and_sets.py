"""Services with several resources: any one of a pool, the client's choice, all of a set."""

from typing import Any

import pytest

from functions.domain.availability import Question, ResourceState, choose, offers, open_starts
from functions.domain.booking_window import BookableDays, RollingDays
from functions.domain.configuration import Limits, Resource
from functions.domain.instants import MINUTE_MS, rfc3339
from tests.domain.builders import (
    BERLIN,
    EVERY_DAY,
    among,
    hours,
    occupation,
    override,
    service,
    span,
    state,
    weekly,
)
from tests.domain.monday import MONDAY, at, busy, clock, monday_now, on_monday, open_on_monday, works

LONDON = "Europe/London"
KIRITIMATI = "Pacific/Kiritimati"
ALL = "09:00 09:30 10:00 10:30 11:00"

ANNA, BEN, EVE = works(), works(name="ben"), works(name="eve")
AT_9, AT_10, AT_11 = at("09:00", "10:00"), at("10:00", "11:00"), at("11:00", "12:00")
ALL_MORNING = at("09:00", "12:00")


# ---- Any one of a pool

POOLS = [
    pytest.param(among(state(of=ANNA), state(of=BEN)), ALL, id="two who are free"),
    pytest.param(among(state(AT_10, of=ANNA), state(of=BEN)), ALL, id="one of them is taken"),
    pytest.param(among(state(AT_9, of=ANNA), state(AT_11, of=BEN)), ALL, id="each is taken while the other is free"),
    pytest.param(
        among(state(AT_10, of=ANNA), state(AT_10, of=BEN)), "09:00 11:00", id="both are taken at the same time"
    ),
    pytest.param(among(state(ALL_MORNING, of=ANNA), state(AT_10, of=BEN)), "09:00 11:00", id="one is full"),
    pytest.param(
        among(state(of=works("09:00-10:00")), state(of=works("14:00-15:30", name="ben"))),
        "09:00 14:00 14:30",
        id="different hours",
    ),
    pytest.param(
        among(state(of=works("09:00-11:00")), state(of=works("09:10-11:00", name="ben"))),
        "09:00 09:10 09:30 09:40 10:00",
        id="each has a grid of their own",
    ),
    pytest.param(
        among(state(of=ANNA), state(of=works(name="ben", zone=BERLIN))),
        "08:00 08:30 09:00 09:30 10:00 10:30 11:00",
        id="the same hours in two zones",
    ),
    pytest.param(among(state(of=ANNA, known_until=0), state(AT_10, of=BEN)), "09:00 11:00", id="one is not known"),
    pytest.param(
        among(state(of=works(limits=Limits(per_day=1))), state(AT_10, of=works(name="ben", limits=Limits(per_day=1)))),
        ALL,
        id="one may serve no more that day",
    ),
    pytest.param(among(state(of=ANNA), state(AT_10, of=BEN), resource="ben"), "09:00 11:00", id="one is asked for"),
    pytest.param(among(state(of=ANNA), state(of=BEN), resource="eve"), "", id="a stranger is asked for"),
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=BEN), asked=service(resources=("anna", "ben"), assignment="choice")),
        ALL,
        id="the client's choice, before they have chosen",
    ),
    pytest.param(
        among(
            state(AT_10, of=ANNA),
            state(of=BEN),
            asked=service(resources=("anna", "ben"), assignment="choice"),
            resource="anna",
        ),
        "09:00 11:00",
        id="the client's choice",
    ),
    pytest.param(
        among(
            state(at("10:00", "11:00", capacity=3), of=ANNA),
            state(at("10:00", "11:00", capacity=3, seats=3), of=BEN),
            asked=service(resources=("anna", "ben"), capacity=3),
        ),
        "09:00 10:00 11:00",
        id="a group with seats left at one of them",
    ),
]


@pytest.mark.parametrize(("asked", "starts"), POOLS)
def test_a_pool_offers_what_any_of_it_can_serve(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


def test_each_has_the_booking_window_of_their_own_zone() -> None:
    # Noon on the 1st in London is 2 in the morning of the 2nd on Kiritimati, where the 2nd is a day of the window.
    open_all_day = hours(weekly("00:00", "24:00", EVERY_DAY), zone=LONDON)
    london = works(hours=open_all_day)
    island = works(name="ben", hours=open_all_day.model_copy(update={"time_zone": KIRITIMATI}))
    today = service(resources=("anna", "ben"), window=RollingDays(days=0))
    asked = among(state(of=london), state(of=island), asked=today, now=monday_now("12:00"))
    within = span("2027-03-01T00:00Z", "2027-03-04T00:00Z")
    assert rfc3339(open_starts(asked, within)[-1]) == "2027-03-02T09:30:00Z"
    only_london = among(state(of=london), state(of=island), asked=today, now=monday_now("12:00"), resource="anna")
    assert rfc3339(open_starts(only_london, within)[-1]) == "2027-03-01T23:30:00Z"


def test_bookable_days_are_counted_for_each_by_their_own_hours() -> None:
    weekdays = works(hours=hours(weekly("09:00", "12:00"), zone="UTC"))
    friday_off = works(
        name="ben", hours=hours(weekly("09:00", "12:00"), zone="UTC", overrides=[override("2027-02-26")])
    )
    rules = service(resources=("anna", "ben"), window=BookableDays(days=5))
    asked = among(state(of=weekdays), state(of=friday_off), asked=rules)
    served = {choice.resources for offer in offers(asked, MONDAY) for choice in offer.choices}
    assert served == {("ben",)}


# The engine adds up those who keep the same hours in one map, and stops when all of it is open.

TWENTY = tuple(f"r{number}" for number in range(20))


def of_twenty(special: dict[int, ResourceState], *, capacity: int = 1) -> Question:
    """Twenty with the same hours, taken all morning, but for some."""
    states = [special.get(number) or state(ALL_MORNING, of=works(name=name)) for number, name in enumerate(TWENTY)]
    return among(*states, asked=service(resources=TWENTY, capacity=capacity))


AFTERNOON = works("14:00-15:00", name="r19")

TWENTIES = [
    pytest.param(of_twenty({}), "", id="all are taken"),
    pytest.param(of_twenty({19: state(of=works(name="r19"))}), ALL, id="only the last is free"),
    pytest.param(of_twenty({0: state(of=works(name="r0"))}), ALL, id="only the first is free"),
    pytest.param(of_twenty({19: state(AT_10, of=works(name="r19"))}), "09:00 11:00", id="only the last, partly"),
    pytest.param(
        of_twenty({3: state(AT_9, of=works(name="r3")), 19: state(AT_11, of=works(name="r19"))}),
        ALL,
        id="two of them together",
    ),
    pytest.param(
        of_twenty({0: state(of=works(name="r0")), 19: state(of=AFTERNOON)}),
        f"{ALL} 14:00",
        id="the first is free and the last has other hours",
    ),
    pytest.param(
        of_twenty({10: state(of=works("09:00-10:00", name="r10")), 19: state(AT_9, of=works(name="r19"))}),
        "09:00 10:00 10:30 11:00",
        id="one with other hours stands between them",
    ),
    pytest.param(
        of_twenty(
            {0: state(of=works(name="r0"), known_until=on_monday("11:30")), 19: state(AT_9, of=works(name="r19"))}
        ),
        ALL,
        id="the first is free as far as it is known",
    ),
    pytest.param(
        of_twenty(
            {
                0: state(of=works(name="r0")),
                19: state(at("13:00", "14:00", capacity=3), of=works("09:00-12:00", "13:00-14:00", name="r19")),
            },
            capacity=3,
        ),
        f"{ALL} 13:00",
        id="the first is free and the last has a group with seats left",
    ),
    pytest.param(
        of_twenty(
            {
                0: state(of=works("09:00-10:00", "13:05-14:00", name="r0")),
                19: state(at("13:00", "14:00", capacity=3), of=works("09:00-10:00", "13:00-14:00", name="r19")),
            },
            capacity=3,
        ),
        "09:00 13:00",
        id="a group off the others' grid",
    ),
]


@pytest.mark.parametrize(("asked", "starts"), TWENTIES)
def test_nobody_of_a_large_pool_is_overlooked(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


def test_an_offer_names_everyone_who_could_serve_in_the_services_order() -> None:
    asked = among(state(of=EVE), state(AT_10, of=ANNA), state(of=BEN))
    who = {
        offer.start: [name for choice in offer.choices for name in choice.resources] for offer in offers(asked, MONDAY)
    }
    assert who[on_monday("09:00")] == ["eve", "anna", "ben"]
    assert who[on_monday("10:00")] == ["eve", "ben"]


# ---- All of a set

SET = service(resources=("anna", "room"), assignment="all")


def room(*pairs: str, **changes: Any) -> Resource:
    return works(*pairs, name="room", **changes)


def both(
    person: ResourceState | None = None,
    place: ResourceState | None = None,
    rules: dict[str, Any] | None = None,
    **more: Any,
) -> Question:
    """Anna and the room together, both from 9 to 12 unless said otherwise."""
    asked = service(**{"resources": ("anna", "room"), "assignment": "all"} | (rules or {}))
    return among(person or state(of=ANNA), place or state(of=room()), asked=asked, **more)


SETS = [
    pytest.param(both(), ALL, id="both are free"),
    pytest.param(both(state(of=works("09:10-12:00"))), "09:10 09:40 10:10 10:40", id="the first one's grid"),
    pytest.param(both(place=state(of=room("09:10-12:00"))), "09:30 10:00 10:30 11:00", id="and not the second one's"),
    pytest.param(both(place=state(of=room("09:30-11:30"))), "09:30 10:00 10:30", id="both must be open all the time"),
    pytest.param(both(place=state(of=room("13:00-18:00"))), "", id="they are never open together"),
    pytest.param(both(place=state(of=room("09:00-10:30", "10:30-12:00"))), ALL, id="openings that touch are one"),
    pytest.param(
        both(place=state(of=room("09:00-10:30", "10:31-12:00"))), "09:00 09:30 11:00", id="a minute apart they are not"
    ),
    pytest.param(both(state(AT_10, of=ANNA)), "09:00 11:00", id="the first is taken"),
    pytest.param(both(place=state(AT_10, of=room())), "09:00 11:00", id="the second is taken"),
    pytest.param(both(state(AT_9, of=ANNA), state(AT_11, of=room())), "10:00", id="each at another time"),
    pytest.param(both(place=state(of=room(), blocks=busy("10:00-11:00"))), "09:00 11:00", id="an event in the room"),
    pytest.param(
        both(place=state(AT_10, of=room()), rules={"buffer_before_minutes": 15}), "09:00", id="buffers hold for both"
    ),
    pytest.param(both(place=state(of=room(), known_until=on_monday("10:30"))), "09:00 09:30", id="the least known"),
    pytest.param(both(place=state(of=room(), known_until=0)), "", id="one is not known at all"),
    pytest.param(
        both(place=state(at("20:00", "21:00"), of=room(limits=Limits(per_day=1)))), "", id="the second one's limit"
    ),
    pytest.param(
        both(state(at("20:00", "21:00"), of=ANNA), state(of=room(limits=Limits(per_day=1)))),
        ALL,
        id="which counts its own sessions only",
    ),
    pytest.param(both(state(of=works(zone=BERLIN)), state(of=room())), "09:00 09:30 10:00", id="in two zones"),
    pytest.param(both(resource="room"), ALL, id="nobody chooses one of a set"),
    pytest.param(both(now=monday_now("10:00"), rules={"notice_minutes": 30}), "10:30 11:00", id="notice"),
    pytest.param(among(state(of=ANNA), asked=SET), "", id="one of the set is not there"),
    pytest.param(among(state(of=room()), asked=SET), "", id="the first of the set is not there"),
]


@pytest.mark.parametrize(("asked", "starts"), SETS)
def test_a_set_offers_what_all_of_it_can_serve(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


GROUP = {"capacity": 3}
GROUP_AT_10 = at("10:00", "11:00", capacity=3)

GROUPS = [
    pytest.param(
        both(state(GROUP_AT_10, of=ANNA), state(GROUP_AT_10, of=room()), rules=GROUP),
        "09:00 10:00 11:00",
        id="what runs at both is joined",
    ),
    pytest.param(
        both(state(GROUP_AT_10, of=ANNA), rules=GROUP), "09:00 11:00", id="what runs at the first only is not"
    ),
    pytest.param(
        both(place=state(GROUP_AT_10, of=room()), rules=GROUP), "09:00 11:00", id="nor what runs at the second only"
    ),
    pytest.param(
        both(
            state(GROUP_AT_10, of=ANNA),
            state(at("10:00", "11:00", capacity=3, session="another"), of=room()),
            rules=GROUP,
        ),
        "09:00 11:00",
        id="nor two that run at the same time",
    ),
    pytest.param(
        both(state(GROUP_AT_10, of=ANNA), state(GROUP_AT_10, of=room(), blocks=busy("10:30-10:40")), rules=GROUP),
        "09:00 11:00",
        id="nor what is disturbed at the second",
    ),
    pytest.param(
        both(state(GROUP_AT_10, of=ANNA), state(GROUP_AT_10, of=room("09:00-10:30")), rules=GROUP),
        "09:00",
        id="nor what the second is not open for any more",
    ),
    pytest.param(
        both(
            state(GROUP_AT_10, of=ANNA),
            state(GROUP_AT_10, of=room(), known_until=on_monday("10:59")),
            rules=GROUP,
        ),
        "09:00",
        id="nor what is not known at the second",
    ),
]


@pytest.mark.parametrize(("asked", "starts"), GROUPS)
def test_a_group_in_a_set_stands_at_all_of_it(asked: Question, starts: str) -> None:
    assert open_on_monday(asked) == starts


def test_a_set_is_chosen_as_a_whole() -> None:
    choice = choose(both(), on_monday("10:00"))
    assert choice is not None
    assert (choice.resources, choice.session, choice.end) == (("anna", "room"), None, on_monday("11:00"))
    running = choose(both(state(GROUP_AT_10, of=ANNA), state(GROUP_AT_10, of=room()), rules=GROUP), on_monday("10:00"))
    assert running is not None
    assert (running.resources, running.session, running.seats_left) == (("anna", "room"), "at 10:00", 2)


def test_the_window_of_a_set_is_the_first_ones() -> None:
    """At 23:30Z it is Tuesday in Berlin, and Monday in London: today ends an hour apart."""
    round_the_clock = weekly("00:00", "24:00", EVERY_DAY)
    person = state(of=works(hours=hours(round_the_clock, zone=BERLIN)))
    place = state(of=works(name="room", hours=hours(round_the_clock, zone=LONDON)))
    today = {"window": RollingDays(days=0), "assignment": "all", "duration_minutes": 30}
    now = monday_now("23:30")
    within = span("2027-03-01T00:00Z", "2027-03-04T00:00Z")
    berlin_first = among(person, place, asked=service(resources=("anna", "room"), **today), now=now)
    london_first = among(place, person, asked=service(resources=("room", "anna"), **today), now=now)
    assert rfc3339(open_starts(berlin_first, within)[-1]) == "2027-03-02T22:30:00Z"
    assert clock(open_starts(london_first, within)) == "23:30"


ALL_DAY = "00:00-24:00"
# In Berlin it is Monday already, which ends there at 23:00Z.
LATE_ON_SUNDAY = occupation("2027-02-28T23:00Z", "2027-03-01T00:00Z", session="late")
ONE_A_DAY = Limits(per_day=1)


@pytest.mark.parametrize(
    ("person", "place", "rules", "first"),
    [
        pytest.param(
            works(ALL_DAY, zone=BERLIN), room(ALL_DAY), {"limits": ONE_A_DAY}, "23:00", id="the service's, by the first"
        ),
        pytest.param(
            works(ALL_DAY), room(ALL_DAY, zone=BERLIN), {"limits": ONE_A_DAY}, "00:00", id="and not by the second"
        ),
        pytest.param(
            works(ALL_DAY), room(ALL_DAY, zone=BERLIN, limits=ONE_A_DAY), {}, "23:00", id="the second one's by itself"
        ),
        pytest.param(
            works(ALL_DAY, zone=BERLIN), room(ALL_DAY, limits=ONE_A_DAY), {}, "00:00", id="wherever the first one is"
        ),
    ],
)
def test_whose_day_a_limit_in_a_set_counts(
    person: Resource, place: Resource, rules: dict[str, Any], first: str
) -> None:
    asked = both(state(LATE_ON_SUNDAY, of=person), state(LATE_ON_SUNDAY, of=place), rules)
    assert open_on_monday(asked).split()[0] == first


def test_now_is_the_same_for_everyone() -> None:
    asked = among(
        state(of=works(zone=BERLIN)), state(of=works(name="ben", zone=LONDON)), now=on_monday("10:00") * MINUTE_MS
    )
    assert open_on_monday(asked) == "10:00 10:30 11:00"
