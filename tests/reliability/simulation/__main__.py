# ruff: noqa: T201  a program for people
"""Stories until they are stopped, or one that is known: `make explore`, `make explore ARGS="--seed 123"`.

Prints every seed whose story ends untrue with the shortest story that was found to end so, and in the end what was covered.
"""

import argparse
import itertools
import sys
import time
from collections import Counter, defaultdict

from tests.reliability.simulation.run import Told, shortest, tell


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.simulation", description=__doc__)
    parser.add_argument("--seed", help="tell this story alone, and print it")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--stories", type=int, help="as many (default: until Ctrl-C)")
    parser.add_argument("--short", action="store_true", help="look for a shorter story that ends as badly")
    given = parser.parse_args()
    if given.seed is not None:
        told = tell(given.seed)
        _print(shortest(told) if given.short and told.wrong else told)
        return 1 if told.wrong else 0
    return _explore(given.first, given.stories, short=given.short)


def _explore(first: int, stories: int | None, *, short: bool) -> int:
    covered, bad, began = Counter[str](), list[int](), time.monotonic()
    told = 0
    try:
        for seed in itertools.islice(itertools.count(first), stories):
            story = tell(seed)
            told += 1
            covered += story.covered
            if story.wrong:
                bad.append(seed)
                print(f"seed {seed}: {story.wrong[0]}", flush=True)
                if short:
                    _print(shortest(story))
            if told % 100 == 0:
                print(f"… {told} stories, {len(bad)} untrue, {time.monotonic() - began:.0f} s", file=sys.stderr)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    _print_covered(covered)
    print(f"{told} stories in {time.monotonic() - began:.0f} s; untrue: {bad or 'none'}")
    return 1 if bad else 0


def _print(told: Told) -> None:
    print("\n".join(told.trace))
    print(f"story {told.hash} of seed {told.seed}: {len(told.strokes)} strokes")
    print("\n".join(f"UNTRUE {each}" for each in told.wrong) or "all is true")


def _print_covered(covered: Counter[str]) -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    for what, times in sorted(covered.items(), key=lambda pair: -pair[1]):
        kind, _, rest = what.partition(", ")
        kinds[kind].append(f"{rest} {times}")
    for kind, found in kinds.items():
        print(f"{kind}: {', '.join(found)}")


if __name__ == "__main__":
    raise SystemExit(main())
