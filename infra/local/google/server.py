"""The process: bind, serve, stop cleanly, and close a connection without an answer when a fault says so."""

import asyncio
import errno
import logging
import signal
import socket
import sys
from typing import Any, ClassVar

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

PORT_IN_USE = 3


class DroppableProtocol(H11Protocol):
    """HTTP/1.1 that remembers its connections, so that one can be cut in place of an answer."""

    _open: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self._open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._open.pop(self.client, None)
        super().connection_lost(exc)

    @classmethod
    def drop(cls, client: tuple[str, int]) -> None:
        """Cut the connection of this client address at once."""
        transport = cls._open.get(client)
        if transport is not None:
            transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; exits with 3 and a line for a person when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, since asyncio turns off Nagle's delay (40 ms a call) only where it sees that the protocol is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"port {port} is in use (needed by google)", file=sys.stderr)
        raise SystemExit(PORT_IN_USE) from error
    return listener


class _Server(uvicorn.Server):
    """Signals are ours: both mean an orderly end with exit code 0, not a re-raised signal."""

    def capture_signals(self) -> Any:
        return _no_signals()


class _no_signals:
    def __enter__(self) -> None: ...

    def __exit__(self, *exc: object) -> None: ...


def serve(app: Starlette, listener: socket.socket) -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="google %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http=DroppableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        server_header=False,
    )
    config.log_level = "warning"
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    server = _Server(config)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
        await server.serve(sockets=[listener])

    asyncio.run(run())
