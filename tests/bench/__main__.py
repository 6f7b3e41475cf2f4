"""`make bench`: measures what the design page sets budgets for, prints a table and writes bench.json. What misses its bar is marked; nothing is hidden.

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
from functools import cached_property
from pathlib import Path

from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from infra.local.configuration import Configuration
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.bench.availability import in_process
from tests.bench.hot_session import hot_session
from tests.bench.measured import Measured, table
from tests.bench.over_http import over_http
from tests.bench.throughput import throughput
from tests.studio import new_studio

RESULTS = Path("bench.json")


class Ground(ExitStack):
    """What the parts are measured on: a platform that is started when the first of them asks for it."""

    @cached_property
    def platform(self) -> Platform:
        directory = Path(self.enter_context(tempfile.TemporaryDirectory()))
        configuration = Configuration.from_environment(os.environ, directory=directory, ports=Ports.free())
        return self.enter_context(Platform(configuration))


def _http(ground: Ground) -> list[Measured]:
    configuration = ground.platform.configuration
    settings = configuration.functions_environment
    os.environ["FIRESTORE_EMULATOR_HOST"] = settings["FIRESTORE_EMULATOR_HOST"]
    store = Application(read_settings(settings)).store
    google = configuration.google
    return over_http(lambda: new_studio(ground.platform.addresses, store, google.client_id, google.client_secret))


PARTS: Mapping[str, Callable[[Ground], list[Measured]]] = {
    "engine": lambda ground: in_process(),
    "http": _http,
    "store": lambda ground: throughput(ground.platform),
    "hot": lambda ground: hot_session(ground.platform),
}


def main() -> int:
    given = _arguments()
    results: list[Measured] = []
    with Ground() as ground:
        for part in given.only:
            results += PARTS[part](ground)
    if path := given.results or (RESULTS if set(given.only) == set(PARTS) else None):
        path.write_text(json.dumps([one.as_json() for one in results], indent=2) + "\n")
    sys.stdout.write(table(results))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what has a budget.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", type=_parts, default=list(PARTS), metavar="PARTS", help=f"some of {', '.join(PARTS)}")
    which.add_argument("--in-process", dest="only", action="store_const", const=["engine"], help="--only engine")
    parser.add_argument("--results", type=Path, metavar="FILE", help=f"where to write the figures (default {RESULTS})")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    return names


if __name__ == "__main__":
    sys.exit(main())
