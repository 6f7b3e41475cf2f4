"""Turns: one task does so much of a long pull and leaves the rest to the next (case 66).

Where the work stands is in the calendar's document after every step, so that a turn can end, or its process die, between any two of them.
"""

from dataclasses import dataclass

from functions.domain.instants import Millis
from functions.sync.work import Work

TURN_MS = 240_000  # well within Cloud Tasks' ten minutes, after which the task would be delivered a second time


class TurnOver(Exception):
    """Enough for one task. The lease is let go of, and a further task goes on from where the work stands."""


@dataclass
class Turn:
    """Steps are alike in what they cost: a page of a list, a slice of a sweep, a slice of a mirror that is laid out."""

    ends_at: Millis
    steps: int

    @classmethod
    def of(cls, work: Work) -> "Turn":
        return cls(ends_at=work.now() + TURN_MS, steps=work.application.settings.pull_steps)

    def step(self, now: Millis) -> None:
        """To be called before each step. Raises `TurnOver`."""
        if self.steps < 1 or now >= self.ends_at:
            raise TurnOver
        self.steps -= 1
