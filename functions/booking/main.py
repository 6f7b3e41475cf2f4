"""Entry point of the booking function."""

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from functions.adapters.clock import now_millis
from functions.adapters.composition import application
from functions.booking import (
    availability,
    changing,
    clients,
    conflicts,
    connections,
    documentation,
    health,
    lists,
    operators,
    presets,
    preview,
    series,
    sessions,
    waitlist,
)
from functions.booking.routing import Router

API = tuple(
    route
    for part in (
        clients,
        availability,
        changing,
        series,
        waitlist,
        operators,
        health,
        sessions,
        conflicts,
        lists,
        presets,
        preview,
        connections,
    )
    for route in part.ROUTES
)
_router = Router((*API, *documentation.routes(API)))


@functions_framework.http
def booking(request: Request) -> ResponseReturnValue:
    if request.path == "/healthz" and request.method == "GET":
        return "ok\n"
    return _router.answer(request, application(), now_millis())
