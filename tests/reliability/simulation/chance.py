"""One clock and one source of chance for a whole story, in place of the machine's."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth import _exponential_backoff, _helpers

from functions.adapters import clock as functions_clock
from functions.adapters.store import reading, wire
from functions.adapters.store import store as functions_store
from infra.local.google import push as google_push

# A Monday at 06:00 UTC. Stories take hours: they end before Wednesday.
BEGINNING_MS = 1_803_880_800_000


class Clock:
    """Milliseconds since the epoch. It stands still unless a story moves it; every commit takes a microsecond."""

    def __init__(self) -> None:
        self.millis = BEGINNING_MS
        self._ticks = 0

    def move(self, millis: int) -> None:
        self.millis += max(0, millis)

    def time_ns(self) -> int:
        return self.millis * 1_000_000

    def time(self) -> float:
        return self.millis / 1000

    def utcnow(self) -> datetime:
        """As Google's library has it, without a zone."""
        return datetime.fromtimestamp(self.time(), UTC).replace(tzinfo=None)

    def microseconds(self) -> int:
        return self.millis * 1000


class _Patience:
    """What the store waits with between two attempts: nobody waits here, the others simply go on."""

    @staticmethod
    def sleep(seconds: float) -> None:
        return


def _in_order(decoded: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A map of Firestore's has no order; where one is read here it is the same in every process."""

    def read(value: Any) -> Any:
        found = decoded(value)
        return dict(sorted(found.items())) if isinstance(found, dict) else found

    return read


@contextmanager
def decided_by(seed: object, clock: Clock) -> Iterator[None]:
    """Random numbers, ids and the time are the story's; what one process remembers of an earlier story is forgotten."""
    source = random.Random(f"{seed}/ids")
    given = random.getstate()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "urandom", source.randbytes)
        patched.setattr(random, "_urandom", source.randbytes)
        patched.setattr(functions_clock, "time", clock)
        patched.setattr(_helpers, "utcnow", clock.utcnow)
        patched.setattr(google_push, "time", clock)
        patched.setattr(functions_store, "time", _Patience)
        patched.setattr(_exponential_backoff, "time", _Patience)  # Google's, between two tries to refresh a token
        patched.setattr(wire, "_decoded", _in_order(wire._decoded))
        random.seed(f"{seed}/jitter")
        for remembered in (reading.hints, reading.running):
            known: Any = remembered._known
            known.clear()
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
            random.setstate(given)
