"""Polls: how far apart with and without a live channel, and how they spread."""

import pytest

from functions.domain.calendar import Calendar, Channel
from functions.domain.instants import Millis
from functions.domain.polling import PollIntervals
from tests.domain.builders import NOW

MINUTE = 60_000
EVERY = PollIntervals(watched=60 * MINUTE, unwatched=10 * MINUTE)


def channel(*, ends: Millis, resource: str | None = "resource") -> Channel:
    return Channel(id="channel", address="https://x", resource=resource, created_at=NOW - 1, expires_at=ends)


@pytest.mark.parametrize(
    ("watching", "minutes"),
    [
        pytest.param(channel(ends=NOW + 1), 60, id="watched"),
        pytest.param(None, 10, id="not watched"),
        pytest.param(channel(ends=NOW), 10, id="its channel has ended"),
        pytest.param(channel(ends=NOW + 1, resource=None), 10, id="asked for, and not answered yet"),
    ],
)
def test_a_calendar_whose_changes_nobody_tells_is_polled_more_often(watching: Channel | None, minutes: int) -> None:
    calendar = Calendar(
        id="cal", connection="con", google_id="g", summary="Anna", time_zone="UTC", role="owner", channel=watching
    )
    in_the_middle = EVERY.next_poll(calendar, now=NOW, jitter=0.5)
    assert in_the_middle - NOW == minutes * MINUTE
    ends = [EVERY.next_poll(calendar, now=NOW, jitter=each) - NOW for each in (0.0, 1.0)]
    assert ends == [0.75 * minutes * MINUTE, 1.25 * minutes * MINUTE]


def test_one_whose_pull_failed_is_polled_as_if_nobody_told() -> None:
    polls = [EVERY.after_failure(now=NOW, jitter=each) - NOW for each in (0.0, 0.5, 1.0)]
    assert polls == [7.5 * MINUTE, 10 * MINUTE, 12.5 * MINUTE]
