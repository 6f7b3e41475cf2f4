"""Reading what is sent: no more than a route takes, and not for longer than it is worth.

Each request has a thread of its own, of which an instance has few. Somebody who announces a body and then sends it a byte now and then would keep one for as
long as they please, and a few dozen of them the whole instance. The server under us waits for ever; a front end that passes bodies on as they come does not
help either.
"""

import socket
from io import BytesIO
from threading import Timer

from flask import Request
from werkzeug.exceptions import HTTPException

from functions.booking.problems import BodyTooSlow, LengthRequired, TooLarge


def must_not_be_too_large(request: Request, *, most: int) -> None:
    """Raises `TooLarge` and, where nobody knows, `LengthRequired`; nothing of it is read."""
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthRequired("Send a Content-Length.")
    if (request.content_length or 0) > most:
        raise TooLarge(f"Send at most {most} bytes.")


def must_come_in_time(request: Request, *, within_s: float) -> None:
    """Reads the whole body, so that the handler finds it in memory. Raises `BodyTooSlow`."""
    length, connection = request.content_length or 0, request.environ.get("gunicorn.socket")
    if length == 0 or not isinstance(connection, socket.socket):
        return
    # What is read ends at the deadline, however it drips in. A timeout of the socket would begin anew with each byte.
    deadline = Timer(within_s, _stop_reading, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        body = request.get_data(cache=True)
    except HTTPException:  # the stream ended before its length
        body = b""
    finally:
        deadline.cancel()
    if len(body) < length:
        raise BodyTooSlow(f"Send it within {within_s:g} seconds.")


def leave_unread(request: Request) -> None:
    """What nobody has read by now nobody will: the framework would read it to its end before it answers, however long that is and takes."""
    request.stream = BytesIO()


def _stop_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return  # whoever it was has gone
