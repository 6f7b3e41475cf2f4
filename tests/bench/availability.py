"""The engine by itself: 15-minute starts of 30 minutes against busy blocks, as section 11 of the design page has it."""

from datetime import UTC, datetime, timedelta

from functions.domain.availability import Question, ResourceState, open_starts, pooled_starts
from functions.domain.configuration import Resource, Service
from functions.domain.hours import Hours, WeeklyHours
from functions.domain.instants import DAY_MINUTES, Minute, millis_of, minute_floor, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerMonth
from tests.bench.measured import Measured, median_ms

START = datetime(2027, 3, 1, tzinfo=UTC)
NOW = millis_of(START)
FIRST = minute_floor(START)
HOURS = Hours(time_zone="Europe/Berlin", weekly=(WeeklyHours(days=(1, 2, 3, 4, 5, 6, 7), start="08:00", end="20:00"),))
SERVICE = Service(id="s", name="S", duration_minutes=30, step_minutes=15, window_days=365, resources=("r",))


def _question(name: str, *, days: int, blocks: int) -> Question:
    """`blocks` events of 20 minutes, spread evenly over `days`."""
    end = FIRST + days * DAY_MINUTES
    gap = days * DAY_MINUTES // blocks
    busy = [Interval(FIRST + n * gap + 7, FIRST + n * gap + 27) for n in range(blocks)]
    months = []
    for month in months_between(FIRST, end):
        touching = {f"e{n}": (block,) for n, block in enumerate(busy) if month in months_between(*block)}
        months.append(LedgerMonth(resource=name, month=month, blocks={"c": touching}))
    resource = Resource(id=name, name=name, hours=HOURS, blocked_by=("c",))
    state = ResourceState(resource=resource, months=tuple(months), known_until=end + 40 * DAY_MINUTES)
    return Question(service=SERVICE, state=state, now=NOW)


def _range(days: int) -> Interval:
    end: Minute = minute_floor(START + timedelta(days=days))
    return Interval(FIRST, end)


def in_process() -> list[Measured]:
    month, year = _question("r", days=31, blocks=500), _question("r", days=365, blocks=5000)
    pool = [_question(f"r{n}", days=31, blocks=500) for n in range(20)]
    return [
        Measured(
            what="availability, 1 resource, 1 month, 500 blocks",
            value=median_ms(lambda: open_starts(month, _range(31)), repetitions=50),
            unit="ms",
            budget=0.4,
        ),
        Measured(
            what="availability, pool of 20, 1 month, 500 blocks each",
            value=median_ms(lambda: pooled_starts(pool, _range(31)), repetitions=10),
            unit="ms",
            budget=4,
        ),
        Measured(
            what="availability, 1 resource, 12 months, 5,000 blocks",
            value=median_ms(lambda: open_starts(year, _range(365)), repetitions=10),
            unit="ms",
            budget=4,
        ),
    ]
