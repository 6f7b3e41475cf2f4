"""How much one caller may ask for: never more than twice the limit in any time of its length, and never refused for longer than said."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.errors import RateLimited, TooManyHolds
from functions.domain.rate_limits import (
    Limit,
    Usage,
    check,
    check_holds,
    free_at,
    holds_at,
    mailbox,
    one_more,
    with_hold,
    with_one_more,
)
from tests.domain.builders import NOW

TEN_A_MINUTE = Limit(what="bookings", most=10, per=60_000)
HOUR = NOW // 60_000 * 60_000  # where a window begins
NOBODY = Usage(id="who")

limits = st.builds(Limit, what=st.just("bookings"), most=st.integers(1, 12), per=st.sampled_from([1, 7, 1_000, 60_000]))


def after(moments: Iterable[int], limit: Limit = TEN_A_MINUTE, usage: Usage = NOBODY) -> Usage:
    for moment in moments:
        usage = with_one_more(usage, limit, moment)
    return usage


def granted(moments: Iterable[int], limit: Limit) -> list[int]:
    """When somebody who asks at these moments gets what they ask for."""
    usage, got = NOBODY, []
    for moment in sorted(moments):
        if free_at(usage, limit, moment) == moment:
            usage = with_one_more(usage, limit, moment)
            got.append(moment)
    return got


class TestLimit:
    def test_who_has_asked_for_nothing_may(self) -> None:
        check(NOBODY, TEN_A_MINUTE, HOUR)

    def test_the_tenth_may_and_the_eleventh_is_told_when(self) -> None:
        check(after([HOUR] * 9), TEN_A_MINUTE, HOUR)
        with pytest.raises(RateLimited) as refused:
            check(after([HOUR] * 10), TEN_A_MINUTE, HOUR + 1)
        # A tenth of the window must be out of sight, six seconds into the next.
        assert refused.value.retry_after_s == 66
        assert "2 minutes" in refused.value.detail

    def test_a_new_window_does_not_begin_with_all_of_the_share(self) -> None:
        usage = after([HOUR - 1] * 10)
        assert free_at(usage, TEN_A_MINUTE, HOUR) == HOUR + 6_000
        assert free_at(usage, TEN_A_MINUTE, HOUR + 30_000) == HOUR + 30_000
        half = after([HOUR + 30_000] * 5, usage=usage)
        assert free_at(half, TEN_A_MINUTE, HOUR + 30_000) > HOUR + 30_000

    def test_limits_are_counted_apart(self) -> None:
        assert free_at(after([HOUR] * 10), Limit(what="changes", most=1, per=60_000), HOUR) == HOUR

    def test_a_limit_that_was_set_anew_counts_anew(self) -> None:
        longer = Limit(what="bookings", most=10, per=120_000)
        usage = after([HOUR] * 10)
        assert free_at(usage, longer, HOUR) == HOUR
        assert free_at(with_one_more(usage, longer, HOUR), TEN_A_MINUTE, HOUR) > HOUR

    @given(limits, st.lists(st.integers(NOW, NOW + 400_000), max_size=80))
    def test_nobody_gets_more_than_the_limit_in_a_window_nor_twice_that_in_any_time_of_its_length(
        self, limit: Limit, moments: list[int]
    ) -> None:
        got = granted(moments, limit)
        for first in got:
            assert sum(first <= moment < first + limit.per for moment in got) < 2 * limit.most + 1
            window = first // limit.per
            assert sum(moment // limit.per == window for moment in got) <= limit.most

    @given(limits, st.lists(st.integers(NOW - 130_000, NOW), max_size=40))
    def test_the_moment_that_is_told_is_the_first_at_which_one_may(self, limit: Limit, moments: list[int]) -> None:
        usage = after(sorted(moments), limit)
        free = free_at(usage, limit, NOW)
        assert NOW <= free <= NOW + 2 * limit.per
        assert free_at(usage, limit, free) == free
        assert free == NOW or free_at(usage, limit, free - 1) > free - 1

    @given(limits, st.lists(st.integers(NOW, NOW + 10**6), max_size=60))
    def test_what_is_kept_stays_small(self, limit: Limit, moments: list[int]) -> None:
        usage = after(sorted(moments), limit)
        assert len(usage.counts) <= 3
        assert not moments or usage.expires_at >= max(moments) + limit.per

    def test_one_more_says_what_the_exact_count_would_write(self) -> None:
        usage = after([HOUR - 200_000, HOUR - 60_000, HOUR])
        more, exact = one_more(usage, TEN_A_MINUTE, HOUR + 1), with_one_more(usage, TEN_A_MINUTE, HOUR + 1)
        assert exact.counts[more.count] == usage.counts[more.count] + 1
        assert {*exact.counts} == {*usage.counts} - {*more.gone}
        assert exact.expires_at == more.expires_at


class TestHolds:
    TWO = with_hold(with_hold(NOBODY, "a", until=NOW + 9_500, now=NOW), "b", until=NOW + 20_000, now=NOW)

    def test_one_more_than_there_may_be_is_told_when_the_first_ends(self) -> None:
        check_holds(holds_at(self.TWO, NOW), most=3, now=NOW)
        with pytest.raises(TooManyHolds) as refused:
            check_holds(holds_at(self.TWO, NOW), most=2, now=NOW)
        assert refused.value.retry_after_s == 10

    def test_what_is_over_does_not_count(self) -> None:
        assert set(holds_at(self.TWO, NOW + 9_499)) == {"a", "b"}
        assert set(holds_at(self.TWO, NOW + 9_500)) == {"b"}
        assert holds_at(self.TWO, NOW + 20_000) == {}

    def test_and_goes_with_the_next(self) -> None:
        assert set(with_hold(self.TWO, "c", until=NOW + 30_000, now=NOW + 9_500).holds) == {"b", "c"}

    def test_the_document_outlives_them(self) -> None:
        assert self.TWO.expires_at == NOW + 20_000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Kim@Client.Example", " kim@client.example ", id="capitals and spaces"),
        pytest.param("kim+a@client.example", "kim@client.example", id="what follows a plus"),
        pytest.param("k.i.m@gmail.com", "kim@gmail.com", id="dots where they say nothing"),
        pytest.param("k.im+b@googlemail.com", "kim@gmail.com", id="the other name of that service"),
        pytest.param("kim@client.example.", "kim@client.example", id="the root's dot"),
        pytest.param("STRASSE@x.example", "straße@x.example", id="letters with another capital"),
    ],
)
def test_the_same_mailbox(one: str, other: str) -> None:
    assert mailbox(one) == mailbox(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("john.smith@client.example", "johns.mith@client.example", id="dots that part two people"),
        pytest.param("kim@client.example", "kim@other.example", id="domains"),
        pytest.param("+a@client.example", "+b@client.example", id="nothing but a plus"),
    ],
)
def test_not_the_same_mailbox(one: str, other: str) -> None:
    assert mailbox(one) != mailbox(other)
