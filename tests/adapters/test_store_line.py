"""Those who collided go one after the other, for a while, and nobody else waits for them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest

from functions.adapters.store.line import KEPT_S, Lines

ENOUGH_S = 5.0


def meet(lines: Lines, *accounts: str, within: float) -> bool:
    """Whether they all have their turn at the same time."""
    together = Barrier(len(accounts), timeout=within)

    def take_turn(account: str) -> bool:
        with lines.turn(account):
            try:
                together.wait()
            except BrokenBarrierError:
                return False
            return True

    with ThreadPoolExecutor(len(accounts)) as threads:
        return all(threads.map(take_turn, accounts))


def test_nobody_waits_where_nobody_collided() -> None:
    assert meet(Lines(), "one", "one", "one", within=ENOUGH_S)


def test_after_a_collision_one_follows_the_other() -> None:
    lines = Lines()
    lines.collided("one")
    assert not meet(lines, "one", "one", within=0.1)


def test_those_of_another_name_do_not_wait() -> None:
    lines = Lines()
    lines.collided("one")
    lines.collided("another")
    assert meet(lines, "one", "another", "third", "third", within=ENOUGH_S)


def test_a_turn_that_fails_ends_as_any_other() -> None:
    lines = Lines()
    lines.collided("one")
    for _ in range(2):
        with pytest.raises(ValueError, match="once"), lines.turn("one"):
            raise ValueError("once")
    with lines.turn("one"):
        pass


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_line_is_gone_a_while_after_the_last_collision() -> None:
    lines = Lines(clock := Clock())
    lines.collided("one")
    clock.now += KEPT_S + 0.001
    assert meet(lines, "one", "one", within=ENOUGH_S)


def test_a_line_stays_for_as_long_as_somebody_stands_in_it() -> None:
    lines, ended = Lines(clock := Clock()), threading.Event()
    lines.collided("one")

    def take_turn() -> None:
        with lines.turn("one"):
            ended.set()

    with lines.turn("one"):
        other = threading.Thread(target=take_turn)
        other.start()
        while lines._lines["one"].waiting != 2:
            time.sleep(0.001)  # until the other stands there
        clock.now += KEPT_S - 0.001
    other.join()
    assert ended.is_set()
    clock.now += 0.5  # longer than the collision is remembered
    assert not meet(lines, "one", "one", within=0.1)
