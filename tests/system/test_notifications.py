"""Many notifications of Google's, one after the other and all at once, and what comes of them."""

import time
from itertools import pairwise

from tests.studio import Studio, until


def lists_of(studio: Studio, since: int = 0) -> tuple[int, int]:
    """How often Google was asked for the events of the studio's calendar after that call, and the number of the last call."""
    calls = studio.google_control("GET", f"calls?since={since}")
    mine = [call for call in calls["calls"] if call["id"] == "events.list" and call["user"] == studio.person.email]
    return len(mine), calls["last"]


def test_a_storm_costs_few_pulls_and_its_last_change_is_seen(studio: Studio) -> None:  # cases 15 and 16
    _, before = lists_of(studio)
    taken, began = studio.starts()[:12], time.monotonic()
    with studio.pushes(duplicate=1):
        event = studio.person.add(taken[0], taken[1])
        for start, end in pairwise(taken[1:]):
            studio.person.move(event["id"], start, end)
        until(lambda: studio.starts()[:11] == [*taken[:10], taken[11]])
    seconds = time.monotonic() - began
    assert lists_of(studio, since=before)[0] <= seconds + 2  # a page each, and one that may have been on its way


def test_what_happens_after_the_pull_of_a_moment_is_pulled_in_its_own(studio: Studio) -> None:  # case 18
    """The name of the first pull's task can't be used again for an hour or more: the second must not need it."""
    for start, end in pairwise(studio.starts()[:4]):
        studio.person.add(start, end)
        until(lambda start=start: start not in studio.starts(), within=5)  # type: ignore[misc]
