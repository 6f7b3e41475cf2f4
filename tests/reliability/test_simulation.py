"""Hundreds of stories of the simulation, those that once showed a fault, and whether it would show one (see `tests.reliability.simulation`)."""

import os
import subprocess
import sys

import pytest

from tests.reliability.simulation.run import Told, tell

STORIES, A_TEST = 200, 20

# Seeds whose story ended untrue at some time, with what they showed. A change of the code makes another story of a seed, so what each showed has a test
# of its own in `test_simulated_cases` as well.
KEPT = {
    6: "a calendar that nobody uses any more was watched again and again",
    26: "an event that was deleted before a pull had seen it, and then the sync token expired",
}


def story(told: Told) -> str:
    """What a failure shows."""
    return "\n".join([*told.trace, *told.wrong, f'again: make explore ARGS="--seed {told.seed}"'])


@pytest.mark.parametrize("first", range(1000, 1000 + STORIES, A_TEST))
def test_stories_end_true(first: int) -> None:
    for seed in range(first, first + A_TEST):
        told = tell(seed)
        assert not told.wrong, story(told)


@pytest.mark.parametrize("seed", KEPT, ids=KEPT.values())
def test_what_once_ended_untrue(seed: int) -> None:
    told = tell(seed)
    assert not told.wrong, story(told)


def test_a_seed_is_the_same_story_in_every_process() -> None:
    told = tell(1007)
    assert tell(1007).hash == told.hash
    assert tell(1008).hash != told.hash
    elsewhere = subprocess.run(
        [sys.executable, "-m", "tests.reliability.simulation", "--seed", "1007"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"story {told.hash} of seed 1007" in elsewhere.stdout, elsewhere.stderr
