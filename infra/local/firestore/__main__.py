"""Start Firestore, or say which one this machine would start.

Exit codes: 0 stopped by a signal; 1 the data directory is in use or the emulator failed; 3 the port is in use. With
``--find`` and ``--fetch``: 0 the official emulator (or what the environment asks for) can start, 1 it cannot.
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from infra.local.firestore.emulator import EmulatorFailed
from infra.local.firestore.finding import Backend, obtain, resolve
from infra.local.firestore.machine import Machine
from infra.local.firestore.program import DataInUse, Options, PortInUse, log, run_embedded, run_emulator

_FAILED = 1
_PORT_IN_USE = 3


def main() -> int:
    # Until a backend handles signals itself: end as an exception, so that a half-fetched file is removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if arguments.find:
        found = resolve(Machine.this())
        print(found.describe())
        return 0 if found.can_start else _FAILED
    if arguments.fetch:
        found = obtain(Machine.this(), log.info)
        print(found.describe())
        return 0 if found.backend is not Backend.EMBEDDED or not found.missing else _FAILED
    options = Options(
        host=arguments.host,
        port=arguments.port,
        data=arguments.data.resolve(),
        project=arguments.project,
        export_every=arguments.export_every,
        heap=arguments.heap,
    )
    try:
        _run(options, embedded=arguments.embedded)
    except PortInUse as error:
        print(error, file=sys.stderr)
        return _PORT_IN_USE
    except (DataInUse, EmulatorFailed) as error:
        print(error, file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return 0
    return 0


def _run(options: Options, *, embedded: bool) -> None:
    if embedded:
        log.info("Firestore: the embedded stand-in, as --embedded asks")
        run_embedded(options)
        return
    this = Machine.this()
    # Started here means: not the one that runs elsewhere.
    others = {name: value for name, value in this.environment.items() if name != "FIRESTORE_EMULATOR_HOST"}
    found = obtain(replace(this, environment=others), log.info)
    log.info("%s", found.describe())
    if found.backend is Backend.EMBEDDED:
        run_embedded(options)
    else:
        run_emulator(options, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.firestore", description="A local Firestore.")
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="loopback address (default %(default)s)")
    parser.add_argument("--port", type=int, default=8088, help="default %(default)s; 0: any free one")
    parser.add_argument("--data", type=Path, help="directory that keeps the documents between runs")
    parser.add_argument(
        "--project",
        default=os.environ.get("GOOGLE_CLOUD_PROJECT") or "booking-local",
        help="whose data the official emulator saves (default GOOGLE_CLOUD_PROJECT, else booking-local)",
    )
    parser.add_argument("--embedded", action="store_true", help="the embedded stand-in, whatever else there is")
    parser.add_argument("--find", action="store_true", help="say what would be started, and end")
    parser.add_argument("--fetch", action="store_true", help="fetch what the official emulator lacks, and end")
    parser.add_argument(
        "--export-every",
        metavar="SECONDS",
        type=float,
        default=120,
        help="how often the official emulator's data is saved while it runs (default %(default)s; 0: only at the end)",
    )
    parser.add_argument(
        "--heap",
        metavar="MB",
        type=int,
        default=2048,  # it takes what it needs: 3 kB a document, also a deleted one, and a full test run makes very many
        help="the most memory that the official emulator may take (default %(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.data is None and not (arguments.find or arguments.fetch):
        parser.error("--data is needed")
    return arguments


def _loopback(host: str) -> str:
    if not ipaddress.ip_address(host).is_loopback:
        raise argparse.ArgumentTypeError(f"{host} is not a loopback address")
    return host


if __name__ == "__main__":
    sys.exit(main())
