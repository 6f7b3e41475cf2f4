"""What a pull costs does not grow with the calendar: one change costs the same among many events, and a long list is held a page at a time (case 66)."""

import tracemalloc

from infra.local.platform import Platform
from tests.bench.pulling import Owner, counted

PAGE = 250


def test_one_change_costs_the_same_among_many_events(platform: Platform) -> None:
    few, many = Owner(platform, 10), Owner(platform, 1000)
    for owner in (few, many):
        owner.pull()
    costs = counted(few)
    assert costs == counted(many)
    assert costs["Google calls"] == 1


def test_a_long_list_is_held_a_page_at_a_time(platform: Platform) -> None:
    """The most that is held at a time, of Python's memory, by the end of each page: it stays what it was by the third."""
    owner, peaks = Owner(platform, 5 * PAGE), list[int]()
    tracemalloc.start()
    try:
        owner.pull(lambda _: peaks.append(tracemalloc.get_traced_memory()[1]))
    finally:
        tracemalloc.stop()
    assert len(peaks) == 5
    assert peaks[-1] <= 1.1 * peaks[2], peaks
