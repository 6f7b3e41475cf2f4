"""Delivery that is not faithful, on order: twice, late, out of order, or with the answer lost.

The real service promises none of these away: delivery is at least once and in no order.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.local.tasks.names import under


class DeliveryFaults(BaseModel):
    """What to do to the deliveries of the queues under `prefix` (empty: every queue). Probabilities from 0 to 1.

    With one seed, what happens to an attempt depends on the task's name and the attempt's number only, not on timing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = ""
    seed: int = 0
    duplicate_probability: float = Field(default=0.0, ge=0, le=1)
    duplicate_count: int = Field(default=1, ge=1, le=2, description="extra deliveries of a duplicated attempt")
    delay_seconds: tuple[float, float] = Field(default=(0.0, 0.0), description="each delivery is late by this much")
    reorder: bool = Field(default=False, description="what is due is delivered in a random order")
    lose_first_answer_probability: float = Field(
        default=0.0, ge=0, le=1, description="the first attempt reaches the handler, its answer does not come back"
    )

    @model_validator(mode="after")
    def _delay_is_a_range(self) -> DeliveryFaults:
        shortest, longest = self.delay_seconds
        if not 0 <= shortest <= longest:
            raise ValueError("delay_seconds must be [shortest, longest], neither negative")
        return self

    def decide(self, *, task: str, attempt: int) -> FaultDecision:
        if self is FAITHFUL:
            return FaultDecision()
        chance = random.Random(f"{self.seed}:{task}:{attempt}")  # noqa: S311 - repeatable, not secret
        delay = chance.uniform(*self.delay_seconds)
        duplicated = chance.random() < self.duplicate_probability
        lose_answer = chance.random() < self.lose_first_answer_probability
        return FaultDecision(
            delay=delay,
            duplicate_delays=tuple(
                chance.uniform(*self.delay_seconds) for _ in range(self.duplicate_count if duplicated else 0)
            ),
            lose_answer=lose_answer and attempt == 1,
        )


@dataclass(frozen=True, slots=True)
class FaultDecision:
    """What happens to one attempt; times in seconds."""

    delay: float = 0.0
    duplicate_delays: tuple[float, ...] = ()
    lose_answer: bool = False


FAITHFUL = DeliveryFaults()


class FaultPlan:
    """The orders in force. The longest prefix that holds a queue decides."""

    def __init__(self) -> None:
        self._orders: dict[str, DeliveryFaults] = {}
        self._choices: dict[str, random.Random] = {}

    @property
    def orders(self) -> list[DeliveryFaults]:
        return list(self._orders.values())

    def order(self, faults: DeliveryFaults) -> None:
        self._orders[faults.prefix] = faults
        self._choices[faults.prefix] = random.Random(faults.seed)  # noqa: S311

    def withdraw(self, prefix: str) -> None:
        """Back to faithful delivery for every order under the prefix."""
        self._orders = {key: faults for key, faults in self._orders.items() if not under(key, prefix)}

    def for_queue(self, name: str) -> DeliveryFaults:
        matching = [prefix for prefix in self._orders if under(name, prefix)]
        return self._orders[max(matching, key=len)] if matching else FAITHFUL

    def choose(self, faults: DeliveryFaults, count: int) -> int:
        """Which of `count` due deliveries goes next."""
        return self._choices[faults.prefix].randrange(count) if faults.reorder else 0
