"""The one-machine platform: `run`, `status`, `connect`, `clean`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - started by hand, outside .venv
    sys.exit("Python 3.11 or later is needed; `make run` finds it, or says how to install it")

from infra.local.configuration import DEFAULT_DIRECTORY, Configuration, ConfigurationError
from infra.local.ports import Ports, flag, variable

MISUSED = 2


def main() -> int:
    arguments = _arguments()
    try:
        return int(arguments.verb(arguments))
    except ConfigurationError as error:
        return _refuse(str(error))


def _run(arguments: argparse.Namespace) -> int:
    from infra.local.platform import part_names
    from infra.local.run import run

    try:
        environment = dict(os.environ) | {
            variable(name): str(port)
            for name in Ports.names()
            if (port := getattr(arguments, f"port_{name}")) is not None
        }
        ports = Ports.from_environment(environment)
        only = None if arguments.parts is None else part_names(arguments.parts)
    except ValueError as error:
        return _refuse(str(error))
    configuration = Configuration.from_environment(os.environ, directory=arguments.directory, ports=ports)
    return run(configuration, only=only, with_parent=arguments.stop_with_parent)


def _demo(arguments: argparse.Namespace) -> int:
    from infra.local.addresses import Addresses
    from infra.local.demo import load_demo

    addresses = Addresses.model_validate_json(sys.stdin.read())
    load_demo(addresses, directory=arguments.directory).write_with_demo(arguments.directory)
    return 0


def _connect(arguments: argparse.Namespace) -> int:
    import httpx

    from infra.local.addresses import NotRunning
    from infra.local.client import ApiError
    from infra.local.connect import connect

    name = arguments.refresh_token_env
    refresh_token = arguments.refresh_token or os.environ.get(name or "")
    if not refresh_token:
        return _refuse(f"{name} is not set or empty")
    try:
        connect(arguments.directory, email=arguments.email, refresh_token=refresh_token)
    except (NotRunning, ApiError, TimeoutError, httpx.TransportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from infra.local.status import status

    return 0 if status(arguments.directory) else 1


def _clean(arguments: argparse.Namespace) -> int:
    from infra.local.clean import clean
    from infra.local.supervisor import AlreadyRunning

    try:
        clean(arguments.directory)
    except (AlreadyRunning, ValueError) as error:
        return _refuse(str(error))
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return MISUSED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--directory",
        type=lambda text: Path(text).resolve(),
        default=Path(os.environ.get("LOCAL_DIRECTORY") or DEFAULT_DIRECTORY).resolve(),
        help="where data, logs and secrets are kept (default .local, or LOCAL_DIRECTORY)",
    )

    run = verbs.add_parser("run", parents=[common], help="start everything and show the logs until Ctrl-C")
    for name in Ports.names():
        default = getattr(Ports(), name)
        run.add_argument(flag(name), dest=f"port_{name}", metavar="N", help=f"default {default}, or {variable(name)}")
    run.add_argument(
        "--parts", metavar="NAME,…", help="start only these parts; without the functions no demo is loaded"
    )
    run.add_argument("--stop-with-parent", action="store_true", help="stop when the program that started this one ends")
    run.set_defaults(verb=_run)

    demo = verbs.add_parser("demo", parents=[common])
    demo.set_defaults(verb=_demo)

    connect = verbs.add_parser("connect", parents=[common], help="connect a Google account by a token it has granted")
    connect.add_argument("--email", required=True)
    token = connect.add_mutually_exclusive_group(required=True)
    token.add_argument("--refresh-token", help="the token itself; other users of this machine may see it")
    token.add_argument("--refresh-token-env", metavar="NAME", help="the environment variable that holds the token")
    connect.set_defaults(verb=_connect)

    status = verbs.add_parser("status", parents=[common], help="what runs, and whether it answers")
    status.set_defaults(verb=_status)

    clean = verbs.add_parser("clean", parents=[common], help="forget all data, logs and secrets")
    clean.set_defaults(verb=_clean)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
