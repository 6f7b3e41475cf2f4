"""Entry point of the sync function: verifies that Cloud Tasks or Cloud Scheduler is calling, and hands on to the handler.

Answers: 2xx when the task is done (also when there is nothing left to do), 401 or 403 to strangers, 502 where Google could not be reached and 503 where
the store was contended: Cloud Tasks then tries again with the queue's backoff.
"""

from functions.adapters.starting import loading

with loading():
    import logging
    from collections.abc import Callable, Mapping

    import functions_framework
    from flask import Request
    from flask.typing import ResponseReturnValue
    from google.api_core.exceptions import GoogleAPIError

    from functions.adapters.certificates import CertificatesUnavailable, InvalidToken
    from functions.adapters.clock import now_millis
    from functions.adapters.composition import Application, application
    from functions.adapters.google_errors import GoogleError
    from functions.adapters.store.documents import NO_ACCOUNT
    from functions.adapters.store.queries import forget_outbox
    from functions.adapters.tasks import EnqueueFailed
    from functions.domain.errors import Refusal
    from functions.sync import (
        audit,
        channels,
        copies,
        disconnect,
        discover,
        erasing,
        holds,
        missing_events,
        notify,
        orphans,
        people,
        pull,
        push,
        recalculate,
        redirecting,
        retention,
        schedules,
        waitlists,
    )
    from functions.sync.work import TryLater, Work

log = logging.getLogger(__name__)

TASKS: Mapping[str, Callable[[Work], None]] = {
    "pull": pull.pull,
    "push": push.push,
    "watch": channels.watch,
    "unwatch": orphans.unwatch,
    "copies": copies.copies,
    "redirect": redirecting.redirect_sessions,
    "discover": discover.discover,
    "disconnect": disconnect.disconnect,
    "audit": audit.audit,
    "notify": notify.notify,
    "lapse": holds.lapse,
    "promote": waitlists.promote,
    "recalculate": recalculate.recalculate,
    "settle": missing_events.settle,
    "erase": erasing.erase,
    "retention": retention.retain,
    "people": people.forget_people,
}
OF_NO_ACCOUNT = frozenset({"people"})
SCHEDULES: Mapping[str, Callable[[Application], None]] = {
    "minute": schedules.minute,
    "quarter": schedules.quarter,
    "daily": schedules.daily,
}


@functions_framework.http
def sync(request: Request) -> ResponseReturnValue:
    if request.path == "/healthz" and request.method == "GET":
        return "ok\n"
    if request.method != "POST":
        return "Tasks come as POST.\n", 405, {"Allow": "POST"}
    refused = _refused(request, application())
    if refused is not None:
        return refused
    part, _, name = request.path.strip("/").partition("/")
    if part == "tasks" and name in TASKS:
        return _run_task(name, request, application())
    if part == "schedule" and name in SCHEDULES:
        return _run_schedule(name, application())
    return "There is no such task.\n", 404


def _run_schedule(name: str, app: Application) -> ResponseReturnValue:
    try:
        SCHEDULES[name](app)
    except (EnqueueFailed, Refusal, GoogleAPIError) as error:
        log.warning("schedule %s comes again: %s", name, type(error).__name__)
        return "Try again.\n", 503
    return "", 204


def _refused(request: Request, app: Application) -> ResponseReturnValue | None:
    """Who may call: only what signs in as the tasks' service account, for this address (the token's audience); and the booking function, for a pull."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "This function is called by tasks only.\n", 401
    try:
        claims = app.task_certificates.verify(token, audience=app.settings.sync_url, now=now_millis())
    except InvalidToken:
        return "That token is not valid here.\n", 401
    except CertificatesUnavailable:
        return "Tokens can't be verified at the moment.\n", 503
    callers = {app.settings.tasks_service_account}
    if request.path == "/tasks/pull":
        callers.add(app.settings.booking_service_account)
    if claims.get("email") not in callers or claims.get("email_verified") is not True:
        return "That caller may not do this.\n", 403
    return None


def _run_task(name: str, request: Request, app: Application) -> ResponseReturnValue:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not body.get("subject") or not (body.get("account") or name in OF_NO_ACCOUNT):
        # Repeating it would not help, so it counts as done; it is our mistake and has to be seen.
        log.error("dropped a %s task that names no account or subject", name)
        return "", 204
    work = Work(
        application=app,
        account=str(body.get("account") or NO_ACCOUNT),
        subject=str(body["subject"]),
        about=str(body["about"]) if body.get("about") else None,
        outbox=str(body["outbox"]) if body.get("outbox") else None,
        channel=str(body["channel"]) if body.get("channel") else None,
        resource=str(body["resource"]) if body.get("resource") else None,
    )
    try:
        TASKS[name](work)
        if work.outbox is not None:
            forget_outbox(app.store, work.account, work.outbox)
    except (GoogleError, TryLater) as error:
        log.warning("%s %s comes again: %s", name, work.subject, f"{type(error).__name__} {error}")
        return "Try again.\n", 502
    except (Refusal, GoogleAPIError, EnqueueFailed) as error:
        log.warning("%s %s comes again: %s", name, work.subject, type(error).__name__)
        return "Try again.\n", 503
    return "", 204
