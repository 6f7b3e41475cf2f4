"""Entry point of the webhook function."""

import functions_framework
from flask import Request
from flask.typing import ResponseReturnValue

from functions.adapters.clock import now_millis
from functions.adapters.composition import application
from functions.webhook.notifications import receive


@functions_framework.http
def webhook(request: Request) -> ResponseReturnValue:
    if request.path == "/healthz" and request.method == "GET":
        return "ok\n"
    return receive(request.method, request.headers, application(), now_millis())
