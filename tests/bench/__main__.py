"""`make bench`: measures what the design page sets budgets for, prints a table and writes bench.json. What is over its budget is marked; nothing is hidden.

What is measured in the process stands beside its budget; what goes over HTTP is measured against the running platform on this machine.
"""

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
    results: list[Measured] = in_process()
    with tempfile.TemporaryDirectory() as directory:
        configuration = Configuration.from_environment(os.environ, directory=Path(directory), ports=Ports.free())
        with Platform(configuration) as platform:
            settings = configuration.functions_environment
            os.environ["FIRESTORE_EMULATOR_HOST"] = settings["FIRESTORE_EMULATOR_HOST"]
            store = Application(read_settings(settings)).store
            google = configuration.google

            def studio() -> object:
                return new_studio(platform.addresses, store, google.client_id, google.client_secret)

            results += over_http(studio)
    RESULTS.write_text(json.dumps([one.as_json() for one in results], indent=2) + "\n")
    sys.stdout.write(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
