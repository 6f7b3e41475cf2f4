"""`make bench`: measures what the design page sets budgets for, prints a table and writes bench.json. What misses its bar is marked; nothing is hidden.

What is measured in the process stands beside its budget and its rivals; what goes over HTTP is measured against the running platform on this
machine. `--in-process` leaves that out and writes no file, unless it is told where to.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from infra.local.configuration import Configuration
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.bench.availability import in_process
from tests.bench.measured import Measured, table
from tests.bench.over_http import over_http
from tests.studio import new_studio

RESULTS = Path("bench.json")


def main() -> int:
    given = _arguments()
    results = in_process()
    if not given.in_process:
        results += _on_a_platform()
    if path := given.results or (None if given.in_process else RESULTS):
        path.write_text(json.dumps([one.as_json() for one in results], indent=2) + "\n")
    sys.stdout.write(table(results))
    return 0


def _on_a_platform() -> list[Measured]:
    with tempfile.TemporaryDirectory() as directory:
        configuration = Configuration.from_environment(os.environ, directory=Path(directory), ports=Ports.free())
        with Platform(configuration) as platform:
            settings = configuration.functions_environment
            os.environ["FIRESTORE_EMULATOR_HOST"] = settings["FIRESTORE_EMULATOR_HOST"]
            store = Application(read_settings(settings)).store
            google = configuration.google

            def studio() -> object:
                return new_studio(platform.addresses, store, google.client_id, google.client_secret)

            return over_http(studio)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what has a budget.")
    parser.add_argument("--in-process", action="store_true", help="only what needs no platform")
    parser.add_argument("--results", type=Path, metavar="FILE", help=f"where to write the figures (default {RESULTS})")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
