"""The engine's working memory: a row of starts, open where nothing is taken."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.availability.start_map import Grid, Run, StartMap
from functions.domain.intervals import Edges, Interval


def every(step: int, *runs: tuple[int, int]) -> Grid:
    return Grid.of([Run(*run) for run in runs], step)


HALF_HOURS = every(30, (540, 660))  # 9:00 to 11:00


def opened(grid: Grid, *taken: tuple[int, int], before: int = 0, reach: int = 60) -> StartMap:
    starts = StartMap(grid)
    starts.open_between(Edges.of(Interval(*each) for each in taken), before=before, reach=reach)
    return starts


def left(grid: Grid, *taken: tuple[int, int], before: int = 0, reach: int = 60) -> list[int]:
    return list(opened(grid, *taken, before=before, reach=reach).starts())


@pytest.mark.parametrize(
    ("grid", "starts"),
    [
        pytest.param(HALF_HOURS, [540, 570, 600, 630, 660], id="every step from first to last"),
        pytest.param(every(30, (540, 659)), [540, 570, 600, 630], id="the last need not be a start"),
        pytest.param(every(30, (540, 540)), [540], id="one start"),
        pytest.param(every(30, (540, 600), (840, 900)), [540, 570, 600, 840, 870, 900], id="two openings"),
        pytest.param(every(30, (540, 600), (850, 880)), [540, 570, 600, 850, 880], id="each with a grid of its own"),
        pytest.param(every(30, (850, 880), (540, 600)), [540, 570, 600, 850, 880], id="in whatever order"),
        pytest.param(every(30, (540, 600), (555, 600)), [540, 555, 570, 585, 600], id="openings that overlap"),
        pytest.param(every(30, (540, 600), (540, 600)), [540, 570, 600], id="or are the same"),
        pytest.param(every(7, (0, 21), (3, 10)), [0, 3, 7, 10, 14, 21], id="grids that meet at a minute only"),
        pytest.param(every(1440, (0, 10_000)), [0, 1440, 2880, 4320, 5760, 7200, 8640], id="a step of a day"),
        pytest.param(every(30, (-60, 0)), [-60, -30, 0], id="before the epoch"),
    ],
)
def test_where_nothing_is_taken_every_start_is_open(grid: Grid, starts: list[int]) -> None:
    assert left(grid) == starts
    assert opened(grid).all_open()
    assert list(StartMap(grid).starts()) == []


CLOSED = [
    pytest.param((570, 600), {}, {540, 570}, id="what overlaps it, the end excluded"),
    pytest.param((600, 601), {}, {570, 600}, id="a minute of it"),
    pytest.param((600, 600), {}, set(), id="nothing where it is empty"),
    pytest.param((600, 540), {}, set(), id="nor where it ends before it begins"),
    pytest.param((0, 540), {}, set(), id="what ends at the first start"),
    pytest.param((0, 541), {}, {540}, id="or a minute later"),
    pytest.param((720, 900), {}, set(), id="what begins when the last session ends"),
    pytest.param((719, 900), {}, {660}, id="or a minute earlier"),
    pytest.param((0, 9000), {}, {540, 570, 600, 630, 660}, id="all"),
    pytest.param((-9000, 0), {}, set(), id="long before"),
    pytest.param((9000, 9001), {}, set(), id="long after"),
    pytest.param((600, 610), {"before": 20}, {570, 600}, id="a preparation that just fits"),
    pytest.param((600, 611), {"before": 20}, {570, 600, 630}, id="one that does not"),
    pytest.param((600, 610), {"reach": 61}, {540, 570, 600}, id="a longer reach"),
    pytest.param((605, 606), {"reach": 1}, set(), id="between two starts"),
    pytest.param((600, 601), {"reach": 1}, {600}, id="the minute of a start"),
]


@pytest.mark.parametrize(("taken", "needs", "closed"), CLOSED)
def test_what_is_taken_closes_the_starts_around_it(
    taken: tuple[int, int], needs: dict[str, int], closed: set[int]
) -> None:
    assert set(left(HALF_HOURS)) - set(left(HALF_HOURS, taken, **needs)) == closed


def test_periods_close_the_starts_in_them() -> None:
    starts = opened(HALF_HOURS)
    starts.close_within([Interval(570, 600), Interval(630, 630), Interval(660, 661)])
    assert list(starts.starts()) == [540, 600, 630]


def test_what_is_closed_stays_closed() -> None:
    starts = opened(HALF_HOURS)
    starts.close_within([Interval(540, 600)])
    starts.close_within([Interval(600, 630)])
    assert list(starts.starts()) == [630, 660]
    assert not starts.all_open()


class TestAMapOfTwo:
    def test_it_is_open_where_either_is(self) -> None:
        one, other = opened(HALF_HOURS), opened(HALF_HOURS)
        one.close_within([Interval(540, 630)])
        other.close_within([Interval(600, 700)])
        one.open_too(other)
        assert list(one.starts()) == [540, 570, 630, 660]
        assert list(other.starts()) == [540, 570]

    def test_it_is_full_when_all_of_it_is_open(self) -> None:
        one, other = opened(HALF_HOURS), opened(HALF_HOURS)
        one.close_within([Interval(540, 600)])
        other.close_within([Interval(600, 700)])
        assert not one.all_open()
        one.open_too(other)
        assert one.all_open()
        assert list(one.starts()) == [540, 570, 600, 630, 660]

    def test_what_lies_between_the_starts_need_not_be_open(self) -> None:
        sparse = every(30, (540, 600), (555, 555))
        assert opened(sparse).all_open()
        assert left(sparse, (540, 541), reach=1) == [555, 570, 600]


# ---- Against a set of numbers

STEPS = st.sampled_from([1, 5, 7, 15, 30, 60])
RUNS = st.lists(st.tuples(st.integers(-200, 200), st.integers(0, 200)), min_size=1, max_size=4)
TAKEN = st.lists(st.tuples(st.integers(-300, 500), st.integers(-3, 200)), max_size=5)


def slowly(starts: set[int], taken: Iterable[tuple[int, int]], before: int, reach: int) -> Sequence[int]:
    return sorted(
        start
        for start in starts
        if not any(set(range(start - before, start + reach)) & set(range(*each)) for each in taken)
    )


@given(STEPS, RUNS, TAKEN, st.integers(0, 40), st.integers(1, 90))
def test_it_closes_just_what_overlaps(
    step: int, runs: list[tuple[int, int]], taken: list[tuple[int, int]], before: int, reach: int
) -> None:
    grid = every(step, *((first, first + length) for first, length in runs))
    starts = {start for first, length in runs for start in range(first, first + length + 1, step)}
    intervals = [(start, start + length) for start, length in taken]
    assert left(grid, *intervals, before=before, reach=reach) == slowly(starts, intervals, before, reach)
