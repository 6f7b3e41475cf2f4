"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_until(condition: Callable[[], Value | None], *, within: float, what: str, every: float = 0.1) -> Value:
    """The first true value of `condition`, looked at every `every` seconds; TimeoutError naming `what` after `within`."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what}: not within {within:g} s")
        time.sleep(every)
