"""One figure, and the table of all of them."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`budget` is the most that the design page allows; None where it sets none."""

    what: str
    value: float
    unit: str
    budget: float | None = None

    @property
    def within(self) -> bool:
        return self.budget is None or self.value <= self.budget

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"within": self.within}


def median_ms(work: Callable[[], object], *, repetitions: int) -> float:
    """The median time of one call, in milliseconds."""
    return statistics.median(each_ms(work, repetitions=repetitions))


def each_ms(work: Callable[[], object], *, repetitions: int) -> list[float]:
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return times


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(results: Sequence[Measured]) -> str:
    width = max(len(one.what) for one in results)
    lines = [f"{'what':<{width}}  {'measured':>12}  {'budget':>10}"]
    for one in results:
        budget = "" if one.budget is None else f"{one.budget:g} {one.unit}"
        mark = "" if one.within else "  OVER"
        lines.append(f"{one.what:<{width}}  {one.value:>8.2f} {one.unit:<3}  {budget:>10}{mark}")
    return "\n".join(lines) + "\n"
