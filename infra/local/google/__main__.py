"""`python -m infra.local.google`: the stand-in as a program."""

import argparse
import os
import signal
import sys
from pathlib import Path

from infra.local.google.grants import Client


def main() -> None:
    # While the libraries load, too, a signal is an orderly end; the server takes over later.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    parser = argparse.ArgumentParser(prog="infra.local.google", description="A local stand-in for Google Calendar.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8085)
    parser.add_argument("--data", type=Path, required=True, help="directory that keeps the state")
    parser.add_argument("--client-id", required=True)
    parser.add_argument(
        "--client-secret-env", default="GOOGLE_CLIENT_SECRET", help="environment variable that holds the client secret"
    )
    parser.add_argument("--redirect-uri", action="append", required=True, help="may be given several times")
    arguments = parser.parse_args()
    secret = os.environ.get(arguments.client_secret_env)
    if not secret:
        parser.error(f"the environment variable {arguments.client_secret_env} is not set")

    # Late: a wrong argument or a taken port should be told at once, not after the libraries are loaded.
    from infra.local.google.server import bind, serve

    listener = bind(arguments.host, arguments.port)
    from infra.local.google.app import build_app
    from infra.local.google.world import World

    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    world = World(
        directory=arguments.data,
        public_url=f"http://{host}:{listener.getsockname()[1]}",
        client=Client(arguments.client_id, secret, tuple(arguments.redirect_uri)),
    )
    serve(build_app(world), listener)


if __name__ == "__main__":
    main()
