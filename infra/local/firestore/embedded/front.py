"""The port of the stand-in: gRPC is handed through, HTTP/1 is answered, as the official emulator does on one port.

grpcio cannot share its port with HTTP/1. So this front listens on it, looks at the first bytes of each connection and
either passes everything on to the gRPC server behind it or answers one of the emulator's plain calls:

* ``GET /`` 200 ``Ok``
* ``DELETE /emulator/v1/projects/{project}/databases/{database}/documents`` removes every document, 200
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

_PREFACE_START = b"PRI "  # RFC 9113, section 3.4
_MAX_HEAD_BYTES = 64 * 1024
_DOCUMENTS = re.compile(r"/emulator/v1/(projects/[^/]+/databases/[^/]+)/documents")


class Front:
    """Makes the protocol of each connection. ``clear`` empties the database it is given the name of."""

    def __init__(self, *, grpc_port: int, clear: Callable[[str], None]) -> None:
        self.grpc_port = grpc_port
        self._clear = clear
        self._connections: set[_Connection] = set()

    def connection(self) -> asyncio.Protocol:
        return _Connection(self)

    def opened(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def closed(self, connection: "_Connection") -> None:
        self._connections.discard(connection)

    def close(self) -> None:
        for connection in list(self._connections):
            connection.transport.close()

    def answer(self, head: bytes) -> bytes:
        """The whole HTTP/1 answer to a request's head."""
        method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        documents = _DOCUMENTS.fullmatch(target)
        if (method, target) == ("GET", "/"):
            return _response(HTTPStatus.OK, b"Ok\n")
        if method == "DELETE" and documents is not None:
            self._clear(documents.group(1))
            return _response(HTTPStatus.OK, b"{}\n")
        return _response(HTTPStatus.NOT_FOUND, b"Not Found\n")


def _response(status: HTTPStatus, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


class _Pipe(asyncio.Protocol):
    """One end of a connection that is handed through: what arrives here is written to the other end."""

    other: "_Pipe | None" = None
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()


class _Connection(_Pipe):
    """A connection to the port, undecided until its first bytes have come."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._head = b""
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._front.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)
            return
        self._head += data
        if self._connecting is not None or len(self._head) < len(_PREFACE_START):
            return
        if self._head.startswith(_PREFACE_START):
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        elif b"\r\n\r\n" in self._head:
            self.transport.write(self._front.answer(self._head))
            self.transport.close()
        elif len(self._head) > _MAX_HEAD_BYTES:
            self.transport.close()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, behind = await loop.create_connection(_Pipe, "127.0.0.1", self._front.grpc_port)
        except OSError:
            self.transport.close()
            return
        if self.transport.is_closing():
            behind.transport.close()
            return
        behind.other, self.other = self, behind
        behind.transport.write(self._head)
        self._head = b""
