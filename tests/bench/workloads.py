"""The work that is measured: made by a seed, so the same on every machine. Berlin, every day 08:00 to 20:00, 15-minute starts of 30 minutes.

The spring change of the clocks (2027-03-28) lies in the first month, as one of a year lies in every year.
"""

from datetime import UTC, datetime, timedelta
from random import Random

from functions.domain.availability.workload import Workload, WorkloadOverride
from functions.domain.hours import WeeklyHours
from functions.domain.instants import DAY_MINUTES

FIRST = datetime(2027, 3, 1, tzinfo=UTC)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
LONGEST_BLOCK = 90
MONTH, YEAR = 31, 365


def workload(
    *,
    seed: int = 1,
    days: int = MONTH,
    blocks: int,
    overrides: int = 0,
    overrides_open: str = "07:30",
    **changed: object,
) -> Workload:
    """`blocks` of 5 to 90 minutes anywhere in these days, in no order, some of them overlapping."""
    random = Random(seed)
    return Workload.model_validate(
        {
            "timezone": "Europe/Berlin",
            "weekly_hours": (WeeklyHours(days=EVERY_DAY, start="08:00", end="20:00"),),
            "date_overrides": _overrides(overrides, days, overrides_open),
            "duration_min": 30,
            "slot_step_min": 15,
            "now": FIRST.isoformat(),
            "range": (FIRST.isoformat(), (FIRST + timedelta(days=days)).isoformat()),
            "busy": tuple(_block(random, days) for _ in range(blocks)),
            **changed,
        }
    )


def pool(*, members: int, days: int = MONTH, blocks: int, closed_together: bool = False) -> tuple[Workload, ...]:
    """`closed_together`: all of them are busy from 11:00Z to 12:00Z every day, so that no part of the pool can answer for the rest."""
    noons = (FIRST + timedelta(days=day, hours=11) for day in range(days if closed_together else 0))
    together = tuple((noon, noon + timedelta(hours=1)) for noon in noons)
    every = (workload(seed=seed, days=days, blocks=blocks - len(together)) for seed in range(1, members + 1))
    return tuple(one.model_copy(update={"busy": one.busy + together}) for one in every)


def _block(random: Random, days: int) -> tuple[str, str]:
    start = FIRST + timedelta(minutes=random.randrange(days * DAY_MINUTES))
    return start.isoformat(), (start + timedelta(minutes=random.randint(5, LONGEST_BLOCK))).isoformat()


def _overrides(count: int, days: int, opens: str) -> tuple[WorkloadOverride, ...]:
    """On as many dates, spread over the days; where there are too few of those, every one and more after them. As long as a usual day, so that as much
    is asked and answered.
    """
    apart = max(1, days // count) if count else 1
    dates = (FIRST.date() + timedelta(days=number * apart) for number in range(count))
    return tuple(WorkloadOverride(date=day, intervals=((opens, "19:30"),)) for day in dates)
