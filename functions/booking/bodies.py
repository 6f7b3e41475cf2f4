"""Reading what is sent: no more than a route takes, and not for longer than it is worth.

Each request has a thread of its own, of which an instance has few. Somebody who announces a body and then sends it a byte now and then would keep one for as
long as they please, and a few dozen of them the whole instance. The server under us waits for ever; a front end that passes bodies on as they come does not
help either.
"""

import socket
from io import BytesIO
from threading import Timer

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from functions.booking.problems import problem


def refused_length(request: Request, *, most: int) -> Response | None:
    """The answer to a body that is too long, or of unknown length; nothing of it is read."""
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return problem(411, "length-required", "How long is the body?", "Send a Content-Length.")
    if (request.content_length or 0) > most:
        return problem(413, "too-large", "The body is too large", f"Send at most {most} bytes.")
    return None


def late_body(request: Request, *, within_s: float) -> Response | None:
    """Reads the whole body, so that the handler finds it in memory; or the answer to one that does not come in time."""
    length, connection = request.content_length or 0, request.environ.get("gunicorn.socket")
    if length == 0 or not isinstance(connection, socket.socket):
        return None
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
        return problem(408, "body-too-slow", "The body did not come in time", f"Send it within {within_s:g} seconds.")
    return None


def leave_unread(request: Request) -> None:
    """What nobody has read by now nobody will: the framework would read it to its end before it answers, however long that is and takes."""
    request.stream = BytesIO()


def _stop_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return  # whoever it was has gone
