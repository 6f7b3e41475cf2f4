"""The engine by itself, as section 11 of the design page has it, and beside it what people write otherwise, on the same work in the same run."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from functions.domain.availability import explain
from functions.domain.availability.workload import Workload, questions_of, starts_of
from functions.domain.instants import datetime_of
from tests.bench.measured import Measured, interleaved_ms, median_ms, peak_kb
from tests.bench.rivals import daily_loop_starts, loop_starts, portion_starts
from tests.bench.workloads import MONTH, YEAR, pool, workload

REPETITIONS = 100  # of what is compared in turns

# Each with the times that the engine must be faster; the last one has no bar.
RIVALS: dict[str, tuple[Callable[[Workload], list[datetime]], float | None]] = {
    "portion intervals": (portion_starts, 100),
    "plain datetime loop": (loop_starts, 100),
    "datetime loop over each day's blocks": (daily_loop_starts, None),
}


def in_process() -> list[Measured]:
    twenty, busy_noon = pool(members=20, blocks=500), pool(members=20, blocks=500, closed_together=True)
    return [
        _memory(),  # first, while nothing is prepared
        *_against_rivals("1 resource, 1 month, 500 blocks", [_month()], budget=0.4, repetitions=200),
        *_against_rivals("pool of 20, 1 month, 500 blocks each", twenty, budget=4, repetitions=40),
        _engine("pool of 20, all busy at noon", busy_noon, budget=4, repetitions=40),
        *_against_rivals("1 resource, 12 months, 5,000 blocks", [_year()], budget=4, repetitions=40),
        *_overrides(),
        *_growth(),
        _explanation(),
    ]


def _month(**changed: Any) -> Workload:
    return workload(days=MONTH, blocks=500, **changed)


def _year(*, blocks: int = 5_000, **changed: Any) -> Workload:
    return workload(days=YEAR, blocks=blocks, **changed)


def _engine(what: str, work: Sequence[Workload], *, budget: float, repetitions: int) -> Measured:
    asked = questions_of(work)
    value = median_ms(lambda: starts_of(asked), repetitions=repetitions)
    return Measured(what=f"availability, {what}", value=value, unit="ms", budget=budget)


def _against_rivals(what: str, work: Sequence[Workload], *, budget: float, repetitions: int) -> list[Measured]:
    starts = [datetime_of(start) for start in starts_of(questions_of(work))]
    engine = _engine(what, work, budget=budget, repetitions=repetitions)
    measured = [engine]
    for name, (rival, times) in RIVALS.items():
        if _pooled(rival, work) != starts:
            raise RuntimeError(f"{name} and the engine differ on {what}")
        taken = median_ms(partial(_pooled, rival, work), repetitions=3)
        measured += [
            Measured(what=f"  {name}", value=taken, unit="ms"),
            Measured(what=f"  {name} / engine", value=taken / engine.value, unit="x", at_least=times),
        ]
    return measured


def _pooled(rival: Callable[[Workload], list[datetime]], work: Sequence[Workload]) -> list[datetime]:
    return sorted({start for one in work for start in rival(one)})


def _overrides() -> list[Measured]:
    """Of a year; and of a month in which every date is overridden, the other dates lying after it. In one that opens at odd minutes each day has a
    grid of its own. Where the hours are read anew for each question, as a request reads them, laying them out by date is part of the cost.
    """
    odd = _month(overrides=60, overrides_open="07:31")
    return [
        _ratio("60 date overrides / none, 12 months", _year(overrides=60), _year(), budget=1.1),
        _ratio("60 date overrides / none, 1 month", _month(overrides=60), _month(), budget=1.1),
        _ratio("60 date overrides at odd minutes / none, 1 month", odd, _month(), budget=1.1),
        _ratio("60 date overrides / none, 1 month, hours just read", _month(overrides=60), _month(), anew=True),
    ]


def _growth() -> list[Measured]:
    """Twice the work takes twice the time."""
    half, whole, double = (_year(blocks=blocks) for blocks in (5_000, 10_000, 20_000))
    two_years = workload(days=2 * YEAR, blocks=10_000)
    return [
        _ratio("12 months, 10,000 blocks / 5,000 blocks", whole, half, budget=2.2),
        _ratio("12 months, 20,000 blocks / 10,000 blocks", double, whole, budget=2.2),
        _ratio("24 months, 10,000 blocks / 12 months, 5,000 blocks", two_years, half, budget=2.2),
    ]


def _ratio(what: str, more: Workload, less: Workload, *, budget: float | None = None, anew: bool = False) -> Measured:
    """`anew`: each question is asked of hours that were never asked before."""
    times = interleaved_ms(_asking(more, anew=anew), _asking(less, anew=anew), repetitions=REPETITIONS)
    return Measured(what=f"availability, {what}", value=times[0] / times[1], unit="x", budget=budget)


def _asking(work: Workload, *, anew: bool) -> Callable[[], object]:
    asked = questions_of([work])
    prepared = iter([questions_of([work]) if anew else asked for _ in range(REPETITIONS)])
    return lambda: starts_of(next(prepared))


def _memory() -> Measured:
    asked = questions_of([_year()])
    peak = peak_kb(lambda: starts_of(asked))
    return Measured(
        what="availability, memory of a resource-year beyond its ledger, starts included",
        value=peak,
        unit="kB",
        budget=200,
    )


def _explanation() -> Measured:
    """Asked only by those who want to know: no part of it runs when starts are listed."""
    question, within = questions_of([_month()])[0]
    noon = within.start + 12 * 60
    value = median_ms(lambda: explain(question, noon), repetitions=200)
    return Measured(what="explain one start, 1 resource, 1 month, 500 blocks", value=value, unit="ms")
