"""Writers of one instance who were in each other's way go one after the other for a while.

Nothing rests on it: what keeps a seat from being sold twice are the commits' preconditions. But of many who read at the same moment one gets through, and
the work of all the others was for nothing. Threads of one instance share its processor too, so that the more of them try, the longer each takes,
and the more likely somebody was faster. In line each finds what the one before has left. Between instances only the jitter parts them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, RLock

KEPT_S = 1.0  # how long writers still stand in line once no two of them want anything at the same time


@dataclass
class _Line:
    until: float  # by the clock, in seconds
    waiting: int = 0
    turn: RLock = field(default_factory=RLock)


class Lines:
    """One line for each name that has one. Where nobody collides there are none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._lock = Lock()

    def collided(self, name: str) -> None:
        """From now on the writers of this name stand in line."""
        with self._lock:
            self._lines.setdefault(name, _Line(0.0)).until = self._clock() + KEPT_S

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """One's turn to read and to commit, at once where there is no line."""
        line = self._joined(name)
        if line is None:
            yield
            return
        with line.turn:
            try:
                yield
            finally:
                self._left(line)

    def _joined(self, name: str) -> _Line | None:
        with self._lock:
            line = self._lines.get(name)
            if line is not None and line.until < self._clock():
                del self._lines[name]
                return None
            if line is not None:
                line.waiting += 1
            return line

    def _left(self, line: _Line) -> None:
        with self._lock:
            line.waiting -= 1
            if line.waiting:
                line.until = self._clock() + KEPT_S
