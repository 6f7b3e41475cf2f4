"""When a calendar is polled next: seldom while Google's pushes tell of changes, often while nothing does; and never all calendars at once."""

from dataclasses import dataclass

from functions.domain.calendar import Calendar
from functions.domain.instants import Millis

SPREAD = 0.25  # of the interval, to either side


@dataclass(frozen=True, kw_only=True)
class PollIntervals:
    """`watched`: of a calendar with a live channel. `unwatched`: of any other, and of one whose last pull failed."""

    watched: Millis
    unwatched: Millis

    def next_poll(self, calendar: Calendar, *, now: Millis, jitter: float) -> Millis:
        """After a pull that got through. `jitter`: between 0 and 1, another each time."""
        watched = calendar.channel is not None and calendar.channel.alive(now)
        return now + _spread(self.watched if watched else self.unwatched, jitter)

    def after_failure(self, *, now: Millis, jitter: float) -> Millis:
        return now + _spread(self.unwatched, jitter)


def _spread(interval: Millis, jitter: float) -> int:
    return int(interval * (1 - SPREAD + 2 * SPREAD * jitter))
