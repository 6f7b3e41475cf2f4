"""Start the local Cloud Tasks. Exit codes: 0 stopped by a signal, 1 the data directory is in use, 3 a port is in use."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import sys
from pathlib import Path

from infra.local.tasks.persistence import DataInUse
from infra.local.tasks.server import Options, PortInUse, serve


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(serve(options))
    except PortInUse as error:
        print(error, file=sys.stderr)
        return 3
    except DataInUse as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.tasks", description="A local Cloud Tasks and Cloud Scheduler."
    )
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="loopback address (default %(default)s)")
    parser.add_argument("--port", type=int, default=8086, help="gRPC port (default %(default)s; 0: any)")
    parser.add_argument(
        "--http-port", type=int, default=8087, help="port for certificates and control (default %(default)s; 0: any)"
    )
    parser.add_argument("--data", type=Path, required=True, help="directory that keeps queues, tasks and the key")
    parser.add_argument(
        "--scheduler-target", metavar="URL", help="base address that gets /schedule/…; without it no schedules run"
    )
    parser.add_argument(
        "--service-account",
        metavar="EMAIL",
        default="tasks@booking-local.iam.gserviceaccount.com",
        help="e-mail in the schedules' tokens (default %(default)s)",
    )
    parser.add_argument(
        "--instance-account",
        metavar="EMAIL",
        default="booking@booking-local.iam.gserviceaccount.com",
        help="e-mail in the identity tokens of the metadata server (default %(default)s)",
    )
    arguments = parser.parse_args()
    return Options(
        host=arguments.host,
        grpc_port=arguments.port,
        http_port=arguments.http_port,
        data=arguments.data,
        service_account=arguments.service_account,
        instance_account=arguments.instance_account,
        scheduler_target=arguments.scheduler_target,
    )


def _loopback(host: str) -> str:
    # It delivers to any address and signs any token it is asked for: nothing for a network.
    if host != "localhost" and not ipaddress.IPv4Address(host).is_loopback:
        raise argparse.ArgumentTypeError("only a loopback address is allowed")
    return host


if __name__ == "__main__":
    sys.exit(main())
