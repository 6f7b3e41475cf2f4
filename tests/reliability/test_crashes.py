"""A process may die at any moment. Whatever an operation had done by then, once everything has come again its story is that of one that nothing disturbed.

Each operation is run once undisturbed, then killed at its first side effect, at its second, and so on to the last, once before the effect took place and
once right after; see `crashing` for what comes again. Compared is everything that anybody sees: documents, ledger, history, events in Google, mails.

One thing can't be had: a mail whose server took it and whose sender died before it could note that. It is sent again, under the same Message-ID, and that
is all there is to be done. No other mail comes twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from functions.adapters.store.store import Store
from infra.local.platform import Platform
from tests.reliability.crash_run import Run
from tests.reliability.crashing import Ending, Fate, World, world_of
from tests.reliability.truth import check_truth
from tests.studio import Studio

MOST_RUNS = 80
TEN_MINUTES, EIGHT_DAYS = 10 * 60_000, 8 * 24 * 3_600_000

Act = Callable[[Run], object]


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


@pytest.fixture
def world(studio: Studio, platform: Platform) -> Any:
    with world_of(platform, studio, resources=MOST_RUNS) as made:
        yield made


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_that_dies_anywhere_ends_as_if_nothing_had_happened(
    operation: Operation, world: World, store: Store
) -> None:
    numbers = count()
    undisturbed, expected = run(operation, Run(world, next(numbers)), Fate())
    assert len(undisturbed.effects) >= operation.effects, undisturbed.effects
    for at, ending in undisturbed.points():
        again = Run(world, next(numbers))
        fate, story = run(operation, again, Fate(at=at, ending=ending))
        assert fate.met, f"it had {len(fate.effects)} side effects"
        where = f"{ending.value}: {fate.effects[-1]}, the {at}. of {undisturbed.effects}"
        assert story == expected, where
        assert again.repeated_mails() == (1 if mail_is_out(fate) else 0), where
    check_truth(store, world.studio.account)


def run(operation: Operation, scene: Run, fate: Fate) -> tuple[Fate, dict[str, Any]]:
    """One run to its end, and everything after it; the fate is that of its first process."""
    made = operation.prepare(scene)
    scene.world.settle()
    scene.world.fate = fate
    operation.act(scene, made)
    scene.world.settle()
    return fate, scene.story()


def mail_is_out(fate: Fate) -> bool:
    """Whether the mail was sent, and who sent it never came to know or to note that."""
    last = fate.effects[-2:]
    if fate.ending is Ending.DIES_BEFORE:
        return last == ["mail", "commit"]
    return last[-1] == "mail" and fate.ending in (Ending.DIES_AFTER, Ending.ANSWER_LOST)
