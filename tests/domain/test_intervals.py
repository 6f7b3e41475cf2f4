"""Half-open intervals against sets of minutes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.intervals import Interval, clip, merge
from tests.domain.oracles import covered

# Empty and backward ones too: they hold no time, and must not disturb.
INTERVALS = st.builds(lambda start, length: Interval(start, start + length), st.integers(0, 60), st.integers(-5, 20))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((0, 10), (10, 20), False, id="neighbours that touch do not overlap"),  # case 153
        pytest.param((0, 11), (10, 20), True, id="a minute in common"),
        pytest.param((0, 30), (10, 20), True, id="one inside the other"),
        pytest.param((10, 10), (0, 20), False, id="an empty one overlaps nothing"),
        pytest.param((12, 8), (0, 20), False, id="nor does a backward one"),
        pytest.param((5, 9), (5, 9), True, id="one and itself"),
    ],
)
def test_overlap(one: tuple[int, int], other: tuple[int, int], *, expected: bool) -> None:
    assert Interval(*one).overlaps(Interval(*other)) is expected
    assert Interval(*other).overlaps(Interval(*one)) is expected


@pytest.mark.parametrize(
    ("given_", "merged"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(10, 20), (0, 10)], [(0, 20)], id="neighbours become one"),
        pytest.param([(0, 30), (10, 20)], [(0, 30)], id="one inside another goes"),
        pytest.param([(0, 10), (11, 20)], [(0, 10), (11, 20)], id="a free minute keeps them apart"),
        pytest.param([(5, 5), (9, 7)], [], id="what holds no time is dropped"),
        pytest.param([(0, 10), (12, 12), (20, 30)], [(0, 10), (20, 30)], id="also between others"),
    ],
)
def test_merge(given_: list[tuple[int, int]], merged: list[tuple[int, int]]) -> None:
    assert merge(Interval(*pair) for pair in given_) == [Interval(*pair) for pair in merged]


@given(INTERVALS, INTERVALS)
def test_two_overlap_where_they_share_a_minute(one: Interval, other: Interval) -> None:
    assert one.overlaps(other) is bool(covered([one]) & covered([other]))


@given(INTERVALS, INTERVALS)
def test_within_means_no_minute_outside(one: Interval, other: Interval) -> None:
    if one.start < one.end and other.start < other.end:
        assert one.within(other) is (covered([one]) <= covered([other]))


@given(st.lists(INTERVALS))
def test_merged_intervals_cover_the_same_minutes_sorted_with_gaps_between(given_: list[Interval]) -> None:
    merged = merge(given_)
    assert covered(merged) == covered(given_)
    assert all(interval.start < interval.end for interval in merged)
    assert all(one.end < other.start for one, other in pairwise(merged))


@given(st.lists(INTERVALS))
def test_order_and_repetition_do_not_matter_to_merge(given_: list[Interval]) -> None:
    assert merge(reversed(given_)) == merge(given_) == merge(given_ + given_) == merge(merge(given_))


@given(st.lists(INTERVALS), INTERVALS)
def test_clipped_intervals_are_the_minutes_inside_the_bounds(given_: list[Interval], bounds: Interval) -> None:
    clipped = clip(given_, bounds)
    assert covered(clipped) == covered(given_) & covered([bounds])
    assert all(interval.start < interval.end for interval in clipped)
