"""`make bench`: measures what the design page sets budgets for, prints a table and writes bench.json. What misses its bar is marked, and it
exits with 1; nothing is hidden.

`--only store` measures one part of PARTS, or several parted by commas. The first is measured in the process alone; the others against the platform on
this machine. Where parts are left out no file is written, unless it is told where to.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.local.configuration import Configuration
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.bench import costs
from tests.bench.availability import in_process
from tests.bench.cold_start import cold_starts
from tests.bench.hot_session import hot_session
from tests.bench.many_calendars import many_calendars
from tests.bench.measured import Measured, table
from tests.bench.over_http import over_http
from tests.bench.pulling import pulling
from tests.bench.storm import storm
from tests.bench.throughput import throughput
from tests.in_process import application_of
from tests.limits import GENEROUS
from tests.studio import Studio, new_studio

RESULTS = Path("bench.json")


class Ground(ExitStack):
    """What the parts are measured on: a platform that is started when the first of them asks for it. `events`: how many a large calendar has."""

    def __init__(self, *, events: int) -> None:
        super().__init__()
        self.events = events

    @cached_property
    def platform(self) -> Platform:
        directory = self.directory()
        configuration = Configuration.from_environment(
            {**os.environ, **GENEROUS}, directory=directory, ports=Ports.free()
        )
        return self.enter_context(Platform(configuration))

    def directory(self) -> Path:
        return Path(self.enter_context(tempfile.TemporaryDirectory()))

    def studio(self) -> Studio:
        configuration = self.platform.configuration
        google = configuration.google
        store = application_of(self.platform).store
        return new_studio(self.platform.addresses, store, google.client_id, google.client_secret)


@dataclass(frozen=True)
class Findings:
    """`table`: the part's own, where its figures do not stand in the common one."""

    results: list[Measured]
    table: str | None = None


def _costs(ground: Ground) -> Findings:
    found = costs.costs(ground.platform, ground.studio)
    return Findings([one for cost in found for one in cost.measured()], costs.table(found))


PARTS: Mapping[str, Callable[[Ground], Findings]] = {
    "engine": lambda ground: Findings(in_process()),
    "http": lambda ground: Findings(over_http(ground.studio)),
    "store": lambda ground: Findings(throughput(ground.platform)),
    "hot": lambda ground: Findings(hot_session(ground.platform)),
    "costs": _costs,
    "lag": lambda ground: Findings(many_calendars(ground.studio)),
    "storm": lambda ground: Findings(storm(ground.platform, ground.studio())),
    "pull": lambda ground: Findings(pulling(ground.directory(), ground.events)),
    "cold": lambda ground: Findings(cold_starts(ground.platform, ground.studio)),
}


def main() -> int:
    given = _arguments()
    with Ground(events=given.events) as ground:
        found = [PARTS[part](ground) for part in given.only]
    if path := given.results or (RESULTS if set(given.only) == set(PARTS) else None):
        path.write_text(json.dumps([one.as_json() for part in found for one in part.results], indent=2) + "\n")
    common = [one for part in found if part.table is None for one in part.results]
    tables = [*([table(common)] if common else []), *(part.table for part in found if part.table is not None)]
    sys.stdout.write("\n".join(tables))
    return int(not all(one.within for part in found for one in part.results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what has a budget.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", type=_parts, default=list(PARTS), metavar="PARTS", help=f"some of {', '.join(PARTS)}")
    which.add_argument("--in-process", dest="only", action="store_const", const=["engine"], help="--only engine")
    parser.add_argument("--events", type=int, default=50_000, help="how many a large calendar has (default 50000)")
    parser.add_argument("--results", type=Path, metavar="FILE", help=f"where to write the figures (default {RESULTS})")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    return names


if __name__ == "__main__":
    sys.exit(main())
