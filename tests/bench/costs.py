"""What each operation costs at list prices: documents read, written and deleted, counted at the wire, and tasks, before the client has an answer and for
all that follows from it (the event in Google, the mail, the bookkeeping).

The functions run in this process; the operations are those of `tests.reliability.operations`, each in a business whose calendar is connected, through an
instance that has answered for the service before, as all but the first request of an instance find it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from google.cloud.firestore_v1.types import CommitRequest

from infra.local.platform import Platform
from tests.bench.measured import Measured
from tests.reliability.crash_run import Run
from tests.reliability.crashing import Fate, World, world_of
from tests.reliability.operations import OPERATIONS, prepared
from tests.studio import DAY, Studio
from tests.wire import Wire, tap

# US dollars, by the list prices of November 2026: Firestore in the multi-region nam5, where most pay, and Cloud Tasks after the first million of a month.
# Other regions cost half as much and more; free quotas are left out. What is not counted: the functions' own seconds, network, mail, Google Calendar (free).
READ, WRITE, DELETE = 0.06 / 100_000, 0.18 / 100_000, 0.02 / 100_000
TASK = 0.40 / 1_000_000
PRICES = f"nam5: {READ * 100_000:g} / {WRITE * 100_000:g} / {DELETE * 100_000:g} USD per 100,000 reads, writes, deletes"

ROUND_TRIPS = 2  # before the answer to a booking, by the design page


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What was counted; a query is one round trip, and reads what it finds, at least one."""

    round_trips: int
    reads: int
    writes: int
    deletes: int
    tasks: int

    @classmethod
    def of(cls, wire: Wire, fate: Fate) -> "Bill":
        written = [write for request in wire.commits for write in CommitRequest(request).writes]
        deletes = sum(bool(write.delete) for write in written)
        return cls(
            round_trips=wire.round_trips,
            reads=sum(wire.documents_read) + wire.found,
            writes=len(written) - deletes,
            deletes=deletes,
            tasks=fate.effects.count("task"),
        )

    @property
    def dollars(self) -> float:
        return self.reads * READ + self.writes * WRITE + self.deletes * DELETE + self.tasks * TASK


@dataclass(frozen=True, kw_only=True)
class Cost:
    """`answer`: until the client has it. `rest`: everything after."""

    what: str
    answer: Bill
    rest: Bill

    @property
    def per_million(self) -> float:
        return 1_000_000 * (self.answer.dollars + self.rest.dollars)

    @property
    def within(self) -> bool:
        return all(one.within for one in self.measured())

    def _most(self, when: str, what: str) -> int | None:
        return ROUND_TRIPS if (when, what) == (BEFORE, "round_trips") and self.what in BOOKINGS else None

    def measured(self) -> list[Measured]:
        counted = [
            Measured(
                what=f"{self.what}, {when}: {name.replace('_', ' ')}",
                value=value,
                unit="",
                budget=self._most(when, name),
            )
            for when, bill in ((BEFORE, self.answer), (AFTER, self.rest))
            for name, value in asdict(bill).items()
        ]
        return [*counted, Measured(what=f"{self.what}: a million of them", value=self.per_million, unit="USD")]


BEFORE, AFTER = "before the answer", "after it"
BOOKINGS = ("book", "book into a running class", "hold")
# Who configures does so seldom.
LEFT_OUT = ("make a service", "change a service", "change a resource")


def costs(platform: Platform, new_studio: Callable[[], Studio]) -> list[Cost]:
    found = [_cost("availability of a month", platform, new_studio(), prepared(), _availability)]
    for what, operation in OPERATIONS.items():
        if what not in LEFT_OUT:
            found.append(_cost(what, platform, new_studio(), operation.prepare, operation.act))
    return found


def _cost(
    what: str,
    platform: Platform,
    studio: Studio,
    prepare: Callable[[Run], Any],
    act: Callable[[Run, Any], object],
) -> Cost:
    studio.open()
    studio.offer()
    studio.connect_and_wait()
    with world_of(platform, studio, runs=1) as world:
        wire = tap(world.application.store.client)
        run = Run(world, 0)
        made = prepare(run)
        world.settle()
        _availability(run, made)
        answer = _billed(wire, world, lambda: act(run, made))
        return Cost(what=what, answer=answer, rest=_billed(wire, world, world.settle))


def _billed(wire: Wire, world: World, work: Callable[[], object]) -> Bill:
    wire.clear()
    world.restart()
    work()
    return Bill.of(wire, world.fate)


def _availability(run: Run, _: Any) -> None:
    first = DAY.replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    run.world.ask("GET", f"services/{run.service}/availability?start={first}&end={end}&time_zone=UTC")


COLUMNS = ("round trips", "read", "written", "tasks", "round trips", "read", "written", "deleted", "USD per million")


def table(found: Sequence[Cost]) -> str:
    """Before the answer, and after it."""
    width = max(len(cost.what) for cost in found)
    lines = [
        f"{'':<{width}}  {BEFORE:^38}  {AFTER:^42}",
        f"{'operation':<{width}}  " + "  ".join(COLUMNS),
    ]
    for cost in found:
        first, rest = cost.answer, cost.rest
        counts = (
            *(first.round_trips, first.reads, first.writes, first.tasks),
            *(rest.round_trips, rest.reads, rest.writes, rest.deletes),
        )
        cells = [f"{count:>{len(column)}}" for count, column in zip(counts, COLUMNS[:-1], strict=True)]
        lines.append(
            f"{cost.what:<{width}}  "
            + "  ".join(cells)
            + f"  {cost.per_million:>15.2f}{'' if cost.within else '  MISSED'}"
        )
    notes = f"{PRICES}; at most {ROUND_TRIPS} round trips for {', '.join(BOOKINGS)}"
    return "\n".join((*lines, notes)) + "\n"
