"""What the engine offers for a workload, and how long it takes: `python -m functions.domain.availability WORKLOAD.json [--bench N]`.

Prints the open starts as UTC instants, sorted, one a line; with --bench the median milliseconds of N computations, from the hours and ledger months
as the store gives them to the list of starts. Exit code 2: the workload can't be read; which field is wrong is said on the standard error.

The one module of the domain that reads a file, looks at a clock and prints.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from functions.domain.availability.workload import Asked, questions_of, read_pool, starts_of, unknown_fields
from functions.domain.errors import Invalid
from functions.domain.instants import MINUTE_MS, rfc3339_millis


def main(arguments: Sequence[str] | None = None) -> int:
    given = _arguments(arguments)
    try:
        pool = read_pool(given.workload.read_bytes())
    except (OSError, Invalid) as error:
        sys.stderr.write(f"{given.workload}: {error.strerror if isinstance(error, OSError) else error}\n")
        return 2
    if unknown := unknown_fields(pool):
        sys.stderr.write(f"{given.workload}: these fields mean nothing here: {', '.join(unknown)}\n")
    asked = questions_of(pool)
    if given.bench:
        sys.stdout.write(f"{_median_ms(asked, given.bench):.4f}\n")
    else:
        sys.stdout.writelines(f"{rfc3339_millis(start * MINUTE_MS)}\n" for start in starts_of(asked))
    return 0


def _median_ms(asked: Sequence[Asked], repetitions: int) -> float:
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        starts_of(asked)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m functions.domain.availability", description="The open starts of a workload."
    )
    parser.add_argument(
        "workload", type=Path, metavar="WORKLOAD.json", help="one workload, or a list of them as a pool"
    )
    parser.add_argument(
        "--bench", type=_count, metavar="N", help="print the median milliseconds of N computations instead"
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("N must be 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
