"""A process may die at any moment. Whatever an operation had done by then, once everything has come again its story is that of one that nothing disturbed.

Each operation is run once undisturbed, then killed at its first side effect, at its second, and so on to the last, before the effect took place or right
after; see `crashing` for what comes again, and for what a process lives through. Compared is everything that anybody sees: documents, ledger, queue,
history, events in Google, mails.

One thing can't be had: a mail whose server took it and whose sender died before it could note that. It is sent again, under the same Message-ID, and that
is all there is to be done. No other mail comes twice.
"""

from itertools import count
from typing import Any

import pytest

from functions.adapters.store.store import Store
from infra.local.platform import Platform
from tests.reliability.crash_run import Run
from tests.reliability.crashing import Ending, Fate, World, world_of
from tests.reliability.endings import ENDS, end_of
from tests.reliability.operations import OPERATIONS, Operation
from tests.reliability.truth import check_truth
from tests.studio import Studio

MOST_RUNS = 100


@pytest.fixture
def world(studio: Studio, platform: Platform) -> Any:
    with world_of(platform, studio, runs=MOST_RUNS) as made:
        yield made


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_that_dies_anywhere_ends_as_if_nothing_had_happened(name: str, world: World, store: Store) -> None:
    operation, numbers = OPERATIONS[name], count()
    undisturbed, expected = run(operation, Run(world, next(numbers), operation.in_google), Fate())
    assert end_of(expected) == ENDS[name]
    assert len(undisturbed.effects) >= operation.effects, undisturbed.effects
    for at, ending in undisturbed.points(lives=operation.lives):
        again = Run(world, next(numbers), operation.in_google)
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
