"""One figure, and the table of all of them."""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`budget` is the most that the design page allows, `at_least` the least; None where it sets none."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    at_least: float | None = None

    @property
    def within(self) -> bool:
        return (self.budget is None or self.value <= self.budget) and (
            self.at_least is None or self.value >= self.at_least
        )

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


def interleaved_ms(one: Callable[[], object], other: Callable[[], object], *, repetitions: int) -> tuple[float, float]:
    """The median times of two, taken in turns, so that what slows the machine down slows both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repetitions):
        times[0].extend(each_ms(one, repetitions=1))
        times[1].extend(each_ms(other, repetitions=1))
    return statistics.median(times[0]), statistics.median(times[1])


def peak_kb(work: Callable[[], object]) -> float:
    """The most memory that one call holds at a time, its result included, in 1,000 bytes."""
    tracemalloc.start()
    try:
        result = work()
        peak = tracemalloc.get_traced_memory()[1]
        del result
        return peak / 1000
    finally:
        tracemalloc.stop()


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(results: Sequence[Measured]) -> str:
    width = max(len(one.what) for one in results)
    lines = [f"{'what':<{width}}  {'measured':>14}  {'bar':>16}"]
    for one in results:
        mark = "" if one.within else "  MISSED"
        lines.append(f"{one.what:<{width}}  {one.value:>10,.2f} {one.unit:<3}  {_bar(one):>16}{mark}")
    return "\n".join(lines) + "\n"


def _bar(one: Measured) -> str:
    if one.at_least is not None:
        return f"at least {one.at_least:g} {one.unit}"
    return "" if one.budget is None else f"at most {one.budget:g} {one.unit}"
