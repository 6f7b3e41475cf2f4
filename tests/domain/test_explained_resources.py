"""Why a start is closed where several resources could serve it, any of them or all together."""

import pytest

from functions.domain.availability import Closed, Question, Reason, explain, open_starts
from functions.domain.ledger import Occupation
from tests.domain.builders import among, service, state
from tests.domain.monday import DATE, MONDAY, at, because, monday_now, on_monday, works

ANNA, BEN, ROOM = works(), works(name="ben"), works(name="room")
AT_10, TEN = at("10:00", "11:00"), {"start": f"{DATE}T10:00:00Z", "end": f"{DATE}T11:00:00Z"}
RUNNING = at("10:00", "11:00", capacity=3)


def taken_by(session: Occupation, resource: str = "anna") -> Reason:
    """A session at ten is the cause."""
    return because(Closed.SESSION, resource, session=session.session, **TEN)


TOGETHER = service(resources=("anna", "room"), assignment="all")

SEVERAL = [
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=works("14:00-15:00", name="room")), asked=TOGETHER),
        "10:00",
        [
            taken_by(AT_10),
            because(Closed.OUTSIDE_HOURS, "room", date=DATE, hours="weekly"),
        ],
        id="of a set, each one's own reasons",
    ),
    pytest.param(
        among(state(of=ANNA), state(of=works("09:10-12:00", name="room")), asked=TOGETHER),
        "09:40",
        [because(Closed.OFF_GRID, "anna", step_minutes=30)],
        id="the grid is the first one's alone",
    ),
    pytest.param(
        among(
            state(RUNNING, of=ANNA),
            state(of=ROOM),
            asked=service(resources=("anna", "room"), assignment="all", capacity=3),
        ),
        "10:00",
        [taken_by(RUNNING)],
        id="of a set, what runs at one of them only is in the way",
    ),
    pytest.param(
        among(state(AT_10, of=ANNA), state(AT_10, of=BEN)),
        "10:00",
        [taken_by(AT_10), taken_by(AT_10, "ben")],
        id="of a pool, the reasons of all",
    ),
    pytest.param(
        among(state(of=ANNA), state(of=BEN), now=monday_now("11:00")),
        "10:00",
        [because(Closed.TOO_SOON, earliest=f"{DATE}T11:00:00Z", notice_minutes=0)],
        id="what holds for all of a pool is said once",
    ),
    pytest.param(
        among(state(AT_10, of=ANNA), state(of=BEN), resource="anna"),
        "10:00",
        [taken_by(AT_10)],
        id="only the one who is asked for matters",
    ),
]


@pytest.mark.parametrize(("asked", "start", "reasons"), SEVERAL)
def test_why_a_start_of_several_is_closed(asked: Question, start: str, reasons: list[Reason]) -> None:
    assert list(explain(asked, on_monday(start))) == reasons
    assert on_monday(start) not in open_starts(asked, MONDAY)


@pytest.mark.parametrize(
    ("asked", "start"),
    [
        pytest.param(among(state(AT_10, of=ANNA), state(of=BEN)), "10:00", id="somebody of the pool is free"),
        pytest.param(among(state(of=ANNA), state(of=ROOM), asked=TOGETHER), "10:00", id="all of the set are free"),
        pytest.param(
            among(state(of=ANNA), state(of=works("09:10-12:00", name="room")), asked=TOGETHER),
            "09:30",
            id="whatever the grid of the second of a set",
        ),
    ],
)
def test_nothing_closes_what_any_or_all_of_them_can_serve(asked: Question, start: str) -> None:
    assert explain(asked, on_monday(start)) == ()
    assert on_monday(start) in open_starts(asked, MONDAY)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(among(state(of=ANNA), asked=TOGETHER), id="of a set one is not there"),
        pytest.param(among(asked=service()), id="nobody of the pool is there"),
        pytest.param(among(state(of=ANNA), resource="eve"), id="the one who is asked for does not serve"),
    ],
)
def test_where_nobody_can_serve_a_start_is_not_said_to_be_open(asked: Question) -> None:
    assert list(open_starts(asked, MONDAY)) == []
    assert explain(asked, on_monday("10:00")) == (because(Closed.NOBODY),)
