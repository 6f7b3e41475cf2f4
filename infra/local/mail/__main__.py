"""Start the mail sink. Exit codes: 0 stopped by a signal, 3 a port is in use."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP

from infra.local.mail.smtp import Receiver
from infra.local.mail.store import MessageStore
from infra.local.mail.trouble import Trouble
from infra.local.mail.web import application

PORT_IN_USE = 3

log = logging.getLogger("mail")


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's own: a line a command
    for stop in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again once it has stopped; being stopped is this program's normal end.
        signal.signal(stop, lambda number, frame: None)
    smtp_socket = _listen(arguments.host, arguments.smtp_port)
    http_socket = _listen(arguments.host, arguments.port)
    store = MessageStore(arguments.data / "mail.sqlite3")
    try:
        asyncio.run(_serve(store=store, smtp_socket=smtp_socket, http_socket=http_socket))
    finally:
        store.close()


async def _serve(*, store: MessageStore, smtp_socket: socket.socket, http_socket: socket.socket) -> None:
    trouble = Trouble()
    receiver = Receiver(store=store, trouble=trouble)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(receiver, enable_SMTPUTF8=True, loop=loop, hostname="localhost"), sock=smtp_socket
    )
    web = uvicorn.Server(
        uvicorn.Config(
            application(store=store, trouble=trouble),
            access_log=False,
            lifespan="off",
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
    )
    log.info(
        "mail sink ready: SMTP on port %d, http on port %d",
        smtp_socket.getsockname()[1],
        http_socket.getsockname()[1],
    )
    await web.serve(sockets=[http_socket])
    smtp.close()
    log.info("mail sink stopped")


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"port {port} is in use (needed by mail)", file=sys.stderr)
        sys.exit(PORT_IN_USE)
    listener.listen(128)
    return listener


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.mail", description="Takes mail and shows it; delivers nothing."
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8026, help="HTTP port (default %(default)s)")
    parser.add_argument("--smtp-port", type=int, default=8025, help="SMTP port (default %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder the messages are kept in")
    return parser.parse_args()


if __name__ == "__main__":
    main()
