"""Engine and rivals on the same work: the same starts, or a comparison of their speed would mean nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.availability.workload import Workload, WorkloadOverride, questions_of, starts_of
from functions.domain.hours import WeeklyHours
from functions.domain.instants import datetime_of
from tests.bench.rivals import daily_loop_starts, loop_starts, portion_starts
from tests.bench.workloads import FIRST, pool, workload

RIVALS = (portion_starts, loop_starts, daily_loop_starts)
Rival = Callable[[Workload], list[datetime]]


def engine(*work: Workload) -> list[datetime]:
    return [datetime_of(start) for start in starts_of(questions_of(work))]


BREAKS = (
    WeeklyHours(days=(1, 2, 3, 4, 5), start="09:15", end="12:00"),
    WeeklyHours(days=(1, 2, 3, 4, 5), start="13:00", end="17:05"),
    WeeklyHours(days=(6,), start="22:00", end="01:00"),
)
CASES: dict[str, dict[str, Any]] = {
    "of the bench": {},
    "with overrides": {"overrides": 5},
    "with buffers": {"buffer_before_min": 10, "buffer_after_min": 25},
    "with breaks, and a night": {"weekly_hours": BREAKS},
    "with notice": {"min_notice_min": 3 * 24 * 60 + 7, "now": "2027-03-01T08:00:30Z"},
    "in New York, over its change of clocks": {"timezone": "America/New_York"},
    "with busy time to the second": {"busy": (("2027-03-02T09:00:01Z", "2027-03-02T09:44:59.5Z"),)},
    "that lie close": {"slot_step_min": 5, "duration_min": 50},
}


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("case", CASES)
def test_the_same_starts(rival: Rival, case: str) -> None:
    work = workload(days=18, blocks=40, **CASES[case])
    found = engine(work)
    assert rival(work) == found
    assert found


@pytest.mark.parametrize("rival", RIVALS)
def test_the_same_starts_of_a_pool(rival: Rival) -> None:
    work = pool(members=4, days=5, blocks=90)
    found = engine(*work)
    assert sorted({start for one in work for start in rival(one)}) == found
    assert len(found) > len(engine(work[0]))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    """Hours within a day that do not touch, as the rivals know no others, on days without a change of clocks; everything else at will."""
    minutes = st.integers(-600, 4 * 24 * 60)
    edges = draw(st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True).map(sorted))
    hours = [(_wall(start), _wall(end)) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    weekly = tuple(WeeklyHours(days=(1, 2, 4), start=start, end=end) for start, end in hours)
    lengths = draw(st.tuples(minutes, st.integers(0, 3000)))
    busy = draw(st.lists(st.tuples(st.integers(-40_000, 300_000), st.integers(1, 9_000)), max_size=12))
    return workload(
        blocks=0,
        weekly_hours=weekly,
        date_overrides=tuple(
            WorkloadOverride(date=FIRST.date() + timedelta(days=day), intervals=draw(st.sampled_from([(), hours[:1]])))
            for day in draw(st.sets(st.integers(0, 4), max_size=2))
        ),
        duration_min=draw(st.integers(1, 200)),
        slot_step_min=draw(st.integers(5, 120)),
        buffer_before_min=draw(st.integers(0, 90)),
        buffer_after_min=draw(st.integers(0, 90)),
        min_notice_min=draw(st.integers(0, 600)),
        range=tuple((FIRST + timedelta(minutes=one)).isoformat() for one in (lengths[0], sum(lengths))),
        busy=tuple((_second(start), _second(start + length)) for start, length in busy),
    )


def _wall(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def _second(seconds: int) -> str:
    return (FIRST + timedelta(seconds=seconds)).isoformat()


@given(workloads())
def test_the_same_starts_whatever_the_work(work: Workload) -> None:
    found = engine(work)
    assert [rival(work) for rival in RIVALS] == [found] * len(RIVALS)
