"""What clients, operators and time do, one row each: what tests kill and what benches count.

Each has clients of its own and a service of its own (`Run`); `settle` is what comes after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reliability.crash_run import Run

TEN_MINUTES, EIGHT_DAYS = 10 * 60_000, 8 * 24 * 3_600_000


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`prepare` sets the scene, undisturbed, and answers with what the operation needs of it; `effects`: how many side effects it has at least."""

    act: Callable[[Run, Any], object]
    prepare: Callable[[Run], Any] = lambda run: run.offer()
    effects: int


def prepared(*steps: Callable[[Run], Any], **offer: Any) -> Callable[[Run], Any]:
    """A service that is offered so, and then what these steps make, one after the other; a single thing where it is one step."""

    def prepare(run: Run) -> Any:
        run.offer(**offer)
        made = [step(run) for step in steps]
        return made[0] if len(made) == 1 else made

    return prepare


def later(milliseconds: int) -> Callable[[Run, Any], None]:
    def pass_(run: Run, _: Any) -> None:
        run.world.later += milliseconds + 1

    return pass_


def booked(run: Run) -> Any:
    return run.book()


def both_booked(run: Run) -> Any:
    run.book(client="lee")
    run.world.settle()
    return run.book()


OPERATIONS = {
    "book": Operation(act=lambda run, _: run.book(), effects=10),
    "book into a running class": Operation(
        prepare=prepared(lambda run: run.book(client="lee"), capacity=3), act=lambda run, _: run.book(), effects=10
    ),
    "hold": Operation(act=lambda run, _: run.hold(), effects=2),
    "confirm a hold": Operation(
        prepare=prepared(lambda run: run.hold()),
        act=lambda run, held: run.does(held, "confirm", run.who()),
        effects=10,
    ),
    "cancel": Operation(prepare=prepared(booked), act=lambda run, made: run.does(made, "cancel"), effects=9),
    "cancel one of two": Operation(
        prepare=prepared(both_booked, capacity=2), act=lambda run, made: run.does(made, "cancel"), effects=10
    ),
    "reschedule the session": Operation(
        prepare=prepared(booked),
        act=lambda run, made: run.does(made, "reschedule", {"start": run.at(11)}),
        effects=10,
    ),
    "reschedule into another session": Operation(
        prepare=prepared(lambda run: run.book(11, client="lee"), booked, capacity=3),
        act=lambda run, made: run.does(made[1], "reschedule", {"start": run.at(11)}),
        effects=14,
    ),
    "reschedule out of a class": Operation(
        prepare=prepared(both_booked, capacity=3),
        act=lambda run, made: run.does(made, "reschedule", {"start": run.at(11)}),
        effects=14,
    ),
    "lapse of a hold": Operation(prepare=prepared(lambda run: run.hold()), act=later(TEN_MINUTES), effects=2),
    "request": Operation(prepare=prepared(confirmation="operator"), act=lambda run, _: run.book(), effects=6),
    "confirm a request": Operation(
        prepare=prepared(booked, confirmation="operator"),
        act=lambda run, made: run.operator("POST", f"bookings/{made['id']}/confirm"),
        effects=10,
    ),
    "lapse of a request": Operation(
        prepare=prepared(booked, confirmation="operator"), act=later(EIGHT_DAYS), effects=5
    ),
    "submit a hold as a request": Operation(
        prepare=prepared(lambda run: run.hold(), confirmation="operator"),
        act=lambda run, held: run.does(held, "confirm", run.who()),
        effects=6,
    ),
    "complete": Operation(
        prepare=prepared(booked),
        act=lambda run, made: (later(EIGHT_DAYS)(run, None), run.operator("POST", f"bookings/{made['id']}/complete")),
        effects=1,
    ),
    "make a service": Operation(prepare=lambda run: None, act=lambda run, _: run.offer(), effects=1),
    "change a service": Operation(act=lambda run, _: run.offer(capacity=2), effects=1),
    "change a resource": Operation(
        act=lambda run, _: run.operator("PUT", f"resources/{run.resource}", {"name": "Ben", "time_zone": "UTC"}),
        effects=1,
    ),
}
