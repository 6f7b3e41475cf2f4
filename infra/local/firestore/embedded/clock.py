"""Commit times: microseconds since 1970, strictly increasing, also across restarts and when the system clock is set back."""

import time
from collections.abc import Callable

from google.protobuf.timestamp_pb2 import Timestamp


def system_microseconds() -> int:
    return time.time_ns() // 1000


class CommitClock:
    """Hands out the time of each commit. ``last`` is the newest time already given to a stored document."""

    def __init__(self, last: int, *, now: Callable[[], int] = system_microseconds) -> None:
        self._last = last
        self._now = now

    def tick(self) -> int:
        """The time of a new commit, later than every one before."""
        self._last = max(self._now(), self._last + 1)
        return self._last

    def read(self) -> int:
        """The time of a read made now: it sees every commit up to it."""
        return max(self._now(), self._last)


def timestamp(microseconds: int) -> Timestamp:
    result = Timestamp()
    result.FromMicroseconds(microseconds)
    return result
