"""Who serves when the client names nobody: what runs already comes first, then the service's pick decides."""

from collections.abc import Iterable
from typing import Any

import pytest

from functions.domain.availability import Question, choose
from functions.domain.ledger import Occupation
from tests.domain.builders import BERLIN, NOW, among, occupation, service, state
from tests.domain.monday import at, busy, held, on_monday, works

AT_10 = at("10:00", "11:00")


def pool(*sessions: Iterable[Occupation], pick: str, **more: Any) -> Question:
    """Anna, Ben and Eve with these sessions each. They serve from 9 to 18."""
    rules = {key: more.pop(key) for key in ("priorities", "weights", "capacity") if key in more}
    names = ("anna", "ben", "eve")
    states = [
        state(*own, of=works("09:00-18:00", name=name))
        for name, own in zip(names, (*sessions, (), (), ()), strict=False)
    ]
    return among(*states, asked=service(resources=names, pick=pick, **rules), **more)


ONE = (at("14:00", "15:00", session="s1"),)
TWO = (*ONE, at("15:00", "16:00", session="s2"))
THREE = (*TWO, at("16:00", "17:00", session="s3"))
LAPSED = (at("14:00", "15:00", session="s1", seats=0, holds=held(1, until=NOW)),)
HELD = (at("14:00", "15:00", session="s1", seats=0, holds=held(1, until=NOW + 1)),)
SUNDAY_NIGHT = (occupation("2027-02-28T23:59Z", "2027-03-01T00:59Z", session="s1"),)
# In Berlin it is Monday already.
LATE_ON_SUNDAY = occupation("2027-02-28T23:00Z", "2027-03-01T00:00Z", session="late")

PICKS = [
    pytest.param(pool(pick="order"), "anna", id="in order: the first"),
    pytest.param(pool((AT_10,), pick="order"), "ben", id="in order: the next who is free"),
    pytest.param(pool((AT_10,), (AT_10,), pick="order"), "eve", id="in order: the last who is free"),
    pytest.param(pool(THREE, pick="order", priorities={"ben": 9}), "anna", id="in order: nothing else matters"),
    pytest.param(pool(pick="priority", priorities={"ben": 1}), "ben", id="priority: the highest"),
    pytest.param(pool(pick="priority", priorities={"eve": 2, "ben": 1}), "eve", id="priority: 2 is above 1"),
    pytest.param(pool(pick="priority", priorities={"anna": -1}), "ben", id="priority: 0 where none is given"),
    pytest.param(
        pool((), (AT_10,), pick="priority", priorities={"ben": 2, "eve": 1}), "eve", id="priority: the next who is free"
    ),
    pytest.param(pool((), THREE, pick="priority", priorities={"ben": 1}), "ben", id="priority: however busy they are"),
    pytest.param(
        pool((), TWO, ONE, pick="priority", priorities={"ben": 1, "eve": 1}), "eve", id="priority: a tie, less busy"
    ),
    pytest.param(
        pool((), ONE, ONE, pick="priority", priorities={"ben": 1, "eve": 1}), "ben", id="priority: a tie, in order"
    ),
    pytest.param(pool(TWO, ONE, THREE, pick="least_busy"), "ben", id="least busy: the fewest sessions"),
    pytest.param(pool(ONE, (), (), pick="least_busy"), "ben", id="least busy: none at all"),
    pytest.param(pool(ONE, ONE, ONE, pick="least_busy"), "anna", id="least busy: a tie, in order"),
    pytest.param(
        pool(ONE, ONE, ONE, pick="least_busy", priorities={"eve": 1}), "eve", id="least busy: a tie, by priority"
    ),
    pytest.param(
        pool(ONE, TWO, ONE, pick="least_busy", priorities={"ben": 1}), "anna", id="least busy: before priority"
    ),
    pytest.param(
        pool(ONE, THREE, ONE, pick="least_busy", weights={"ben": 4}), "ben", id="least busy: three of four is less"
    ),
    pytest.param(
        pool(ONE, TWO, ONE, pick="least_busy", weights={"ben": 2}), "anna", id="least busy: two of two ties with one"
    ),
    pytest.param(
        pool(ONE, TWO, ONE, pick="least_busy", weights={"ben": 2}, priorities={"ben": 1}),
        "ben",
        id="least busy: such a tie goes by priority",
    ),
    pytest.param(
        pool(TWO, (at("14:00", "18:00", service="dye"),), TWO, pick="least_busy"),
        "ben",
        id="least busy: sessions count, not hours, of whatever service",
    ),
    pytest.param(pool(LAPSED, ONE, ONE, pick="least_busy"), "anna", id="least busy: a lapsed hold does not count"),
    pytest.param(pool(HELD, (), ONE, pick="least_busy"), "ben", id="least busy: a hold that lives does"),
    pytest.param(pool(SUNDAY_NIGHT, ONE, ONE, pick="least_busy"), "anna", id="least busy: that day only"),
    pytest.param(pool(ONE, ONE, pick="least_busy", moving="s1"), "anna", id="least busy: what moves does not count"),
    pytest.param(
        pool((), (at("10:00", "11:00", capacity=3),), pick="order", capacity=3), "ben", id="what runs comes first"
    ),
    pytest.param(
        pool((), (*THREE, at("10:00", "11:00", capacity=3)), pick="least_busy", capacity=3),
        "ben",
        id="what runs comes first, however busy",
    ),
    pytest.param(
        pool((), (at("10:00", "11:00", capacity=3),), pick="priority", priorities={"anna": 9}, capacity=3),
        "ben",
        id="what runs comes first, whatever the priority",
    ),
    pytest.param(
        pool((), (at("10:00", "11:00", capacity=3, seats=3),), pick="order", capacity=3),
        "anna",
        id="what runs and is full is not joined",
    ),
    pytest.param(
        pool(
            (at("10:00", "11:00", session="a", capacity=3),),
            (at("10:00", "11:00", session="b", capacity=3),),
            pick="priority",
            priorities={"ben": 1},
            capacity=3,
        ),
        "ben",
        id="of two that run the service picks",
    ),
    pytest.param(pool(pick="order", resource="eve"), "eve", id="the one who is asked for"),
    pytest.param(pool((AT_10,), pick="order", resource="anna"), None, id="and nobody else"),
    pytest.param(pool((AT_10,), (AT_10,), (AT_10,), pick="least_busy"), None, id="nobody is free"),
]


@pytest.mark.parametrize(("asked", "who"), PICKS)
def test_who_serves_at_ten(asked: Question, who: str | None) -> None:
    choice = choose(asked, on_monday("10:00"))
    assert (choice and choice.resources) == (who and (who,))


def test_events_of_the_calendar_make_nobody_busy() -> None:
    meetings = busy("14:00-15:00", "15:00-16:00")
    states = state(of=works("09:00-18:00"), blocks=meetings), state(*ONE, of=works("09:00-18:00", name="ben"))
    choice = choose(among(*states, asked=service(resources=("anna", "ben"), pick="least_busy")), on_monday("10:00"))
    assert choice is not None
    assert choice.resources == ("anna",)


def test_a_busy_day_is_one_of_the_zone_of_whoever_serves() -> None:
    berlin = state(LATE_ON_SUNDAY, of=works(zone=BERLIN))
    utc = state(LATE_ON_SUNDAY, of=works(name="ben"))
    choice = choose(among(berlin, utc, asked=service(resources=("anna", "ben"), pick="least_busy")), on_monday("10:00"))
    assert choice is not None
    assert choice.resources == ("ben",)
