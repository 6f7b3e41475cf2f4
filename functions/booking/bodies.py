"""Reading what is sent: no more than a route takes, and not for longer than it is worth.

Each request has a thread of its own, of which an instance has few. Somebody who announces a body and then sends it a byte now and then would keep one for as
long as they please, and a few dozen of them the whole instance. The server under us waits for ever; a front end that passes bodies on as they come does not
help either.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Timer

from flask import Request
from werkzeug.exceptions import HTTPException

from functions.booking.problems import BodyTooSlow, LengthRequired, TooLarge

# Who is still sending hears no answer: the connection is reset under them. So what is not much too large is read to its end, and forgotten.
MOST_SKIPPED_BYTES = 4 * 1024 * 1024


def must_not_be_too_large(request: Request, *, most: int, within_s: float) -> None:
    """Raises `TooLarge` and, where nobody knows, `LengthRequired`."""
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthRequired("Send a Content-Length.")
    length = request.content_length or 0
    if length > most:
        if length <= MOST_SKIPPED_BYTES:
            _skip(request, within_s=within_s)
        raise TooLarge(f"Send at most {most} bytes.")


def must_come_in_time(request: Request, *, within_s: float) -> None:
    """Reads the whole body, so that the handler finds it in memory. Raises `BodyTooSlow`."""
    length, connection = request.content_length or 0, request.environ.get("gunicorn.socket")
    if length == 0 or not isinstance(connection, socket.socket):
        return
    with _until(connection, within_s):
        try:
            body = request.get_data(cache=True)
        except HTTPException:  # the stream ended before its length
            body = b""
    if len(body) < length:
        raise BodyTooSlow(f"Send it within {within_s:g} seconds.")


def _skip(request: Request, *, within_s: float) -> None:
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with _until(connection, within_s), suppress(HTTPException):
            while request.stream.read(64 * 1024):
                pass


@contextmanager
def _until(connection: socket.socket, seconds: float) -> Iterator[None]:
    """What is read in here ends at the deadline, however it drips in. A timeout of the socket would begin anew with each byte."""
    deadline = Timer(seconds, _stop_reading, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        yield
    finally:
        deadline.cancel()


def leave_unread(request: Request) -> None:
    """What nobody has read by now nobody will: the framework would read it to its end before it answers, however long that is and takes."""
    request.stream = BytesIO()


def _stop_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return  # whoever it was has gone
