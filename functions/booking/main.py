"""Entry point of the booking function."""

from functions.adapters.starting import loading

with loading():
    import functions_framework
    from flask import Request, Response
    from flask.typing import ResponseReturnValue

    import functions.booking.availability  # noqa: F401  what a new instance is mostly asked for
    from functions.adapters.clock import now_millis
    from functions.adapters.composition import application
    from functions.booking.addresses import map_at
    from functions.booking.bodies import leave_unread
    from functions.booking.headers import secured
    from functions.booking.routing import Router

_router = Router(map_at)


@functions_framework.http
def booking(request: Request) -> ResponseReturnValue:
    if request.path == "/healthz" and request.method == "GET":
        return secured(Response("ok\n", content_type="text/plain"), https=False)
    try:
        return _router.answer(request, application(), now_millis())
    finally:
        leave_unread(request)
