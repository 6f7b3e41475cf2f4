"""Entry point of the webhook function."""

from functions.adapters.starting import loading

with loading():
    from io import BytesIO

    import functions_framework
    import google.cloud.tasks_v2  # noqa: F401  the first notification needs it
    from flask import Request
    from flask.typing import ResponseReturnValue

    from functions.adapters.clock import now_millis
    from functions.adapters.composition import application
    from functions.webhook.notifications import receive


@functions_framework.http
def webhook(request: Request) -> ResponseReturnValue:
    # Google sends no body. The framework would read whatever a stranger sends into memory before it answers (case 12).
    request.stream = BytesIO()
    if request.path == "/healthz" and request.method == "GET":
        return "ok\n"
    return receive(request.method, request.headers, application(), now_millis())
