"""The log of deliveries, for tests and for people: the last ones, in memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from infra.local.tasks.names import under

KEPT = 50_000
LONGEST_BODY = 1_000


class Result(StrEnum):
    """What became of the task."""

    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"  # given up: no attempts left
    COPY = "copy"  # an extra delivery; its answer changes nothing
    DISCARDED = "discarded"  # the task was deleted or purged, or another attempt of it had finished


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery. Times are epoch seconds; `status` is what the handler answered, even where the answer was then lost."""

    queue: str
    task: str
    method: str
    url: str
    body: str  # at most its first `LONGEST_BODY` characters
    attempt: int
    due: float
    at: float
    finished_at: float
    status: int | None
    error: str | None
    answer_lost: bool
    result: Result
    retry_in: float | None  # seconds from `finished_at` to the next attempt's due time


@dataclass(frozen=True, slots=True)
class Numbered:
    number: int
    entry: Entry


class Journal:
    def __init__(self) -> None:
        self._entries: deque[Numbered] = deque(maxlen=KEPT)
        self._last = 0

    @property
    def last(self) -> int:
        """The number of the newest entry; it never goes back, also not by `forget`."""
        return self._last

    def add(self, entry: Entry) -> None:
        self._last += 1
        self._entries.append(Numbered(self._last, entry))

    def since(self, number: int, *, prefix: str) -> list[Numbered]:
        """Entries with a higher number, of tasks under the prefix, oldest first."""
        return [kept for kept in self._entries if kept.number > number and under(kept.entry.task, prefix)]

    def forget(self, prefix: str) -> None:
        kept = [numbered for numbered in self._entries if not under(numbered.entry.task, prefix)]
        self._entries = deque(kept, maxlen=KEPT)
