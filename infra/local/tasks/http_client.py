"""HTTP/1.1 calls over kept connections, for the event loop that delivers tasks.

h11 speaks the protocol; this module keeps the sockets. The usual asynchronous clients cost several times as much a call, and the
cost of a delivery is part of every end-to-end figure measured on one machine.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import h11

# Below the two seconds after which gunicorn closes an idle connection: one that it closes as we send is a failed attempt.
_IDLE_SECONDS = 1.5
_IDLE_CONNECTIONS = 64

# What a path and a query may hold as it is (RFC 3986, 3.3 and 3.4), with escapes made already; the rest is escaped.
_URL_CHARACTERS = "%/?:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: dict[str, str]  # names in lower case


class CallFailed(Exception):
    """No complete answer came: the address is wrong, nobody listens, or the connection broke."""


@dataclass(frozen=True, slots=True)
class _Origin:
    tls: bool
    host: str
    port: int


class HttpClient:
    """Belongs to one event loop. Follows no redirects and discards the answers' bodies."""

    def __init__(self) -> None:
        self._idle: defaultdict[_Origin, deque[_Connection]] = defaultdict(deque)
        self._tls: ssl.SSLContext | None = None

    async def call(self, request: HttpRequest) -> HttpResponse:
        """Raises CallFailed. For a time limit, cancel it: the connection is then closed."""
        origin, target, authority = _split(request.url)
        try:
            connection = self._reusable(origin) or await self._connect(origin)
            try:
                response = await connection.exchange(request, target=target, authority=authority)
            except BaseException:
                connection.close()
                raise
        except (OSError, UnicodeError, h11.ProtocolError) as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if connection.reusable:
            self._keep(origin, connection)
        else:
            connection.close()
        return response

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _reusable(self, origin: _Origin) -> _Connection | None:
        connections = self._idle[origin]
        while connections:
            connection = connections.pop()  # the one used last: the others may time out and go
            if connection.alive:
                return connection
            connection.close()
        return None

    def _keep(self, origin: _Origin, connection: _Connection) -> None:
        connections = self._idle[origin]
        connection.idle_since = time.monotonic()
        connections.append(connection)
        while len(connections) > _IDLE_CONNECTIONS or not connections[0].alive:
            connections.popleft().close()

    async def _connect(self, origin: _Origin) -> _Connection:
        if origin.tls and self._tls is None:
            self._tls = ssl.create_default_context()
        reader, writer = await asyncio.open_connection(origin.host, origin.port, ssl=self._tls if origin.tls else None)
        return _Connection(reader, writer)


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)
        self.idle_since = time.monotonic()

    @property
    def alive(self) -> bool:
        return not self._reader.at_eof() and time.monotonic() - self.idle_since < _IDLE_SECONDS

    @property
    def reusable(self) -> bool:
        return self._protocol.our_state is h11.IDLE and not self._protocol.trailing_data[0]

    def close(self) -> None:
        self._writer.close()

    async def exchange(self, request: HttpRequest, *, target: str, authority: str) -> HttpResponse:
        send = self._protocol.send
        headers = [("Host", authority), *request.headers.items()]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(request.body))))
        out = send(h11.Request(method=request.method, target=target, headers=headers)) or b""
        if request.body:
            out += send(h11.Data(data=request.body)) or b""
        out += send(h11.EndOfMessage()) or b""
        self._writer.write(out)
        response = None
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                self._protocol.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        if response is None:
            raise h11.RemoteProtocolError("the connection was closed without an answer")
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()
        return HttpResponse(
            status=response.status_code,
            headers={name.decode("ascii"): value.decode("latin-1") for name, value in response.headers},
        )


def _split(url: str) -> tuple[_Origin, str, str]:
    try:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        origin = _Origin(tls=tls, host=parts.hostname or "", port=parts.port or (443 if tls else 80))
    except ValueError as error:
        raise CallFailed(f"bad URL: {error}") from None
    if not origin.host:
        raise CallFailed("bad URL: no host")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return origin, quote(target, safe=_URL_CHARACTERS), parts.netloc.rpartition("@")[2]
