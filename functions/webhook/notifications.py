"""One notification of Google's: is it for us, and is a pull of that calendar now certain?

No database is read: the channel's token says whose it is and proves it. A success is answered only once the pull's task exists; otherwise 503, the
answer on which Google tries again (cases 13 and 14). All notifications of one calendar within one time bucket make one task, which runs at the
bucket's end: a storm costs a bounded number of pulls and the last change is never lost (cases 3, 4, 15, 16 and 18).

The calendar is the token's, whatever else the headers say. The resource id in particular decides nothing: the token is made before Google names one, and
all that a message can bring about is a pull of the calendar it has the token of (case 7).
"""

import logging

from flask import Response
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers

from functions.adapters.composition import Application
from functions.adapters.signing import ChannelClaim, opened_channel_token
from functions.adapters.tasks import EnqueueFailed, Task

log = logging.getLogger(__name__)

# A channel that has just expired may still have notifications on their way (case 8); a token is not good for ever.
GRACE_S = 24 * 3600


def receive(method: str, headers: Headers, application: Application, now: int) -> ResponseReturnValue:
    if method != "POST":
        return Response("Google's notifications come as POST.\n", status=405, headers={"Allow": "POST"})
    channel = headers.get("X-Goog-Channel-ID", "")
    token = headers.get("X-Goog-Channel-Token", "")
    claim = opened_channel_token(application.settings.signing_keys, channel, token)
    if claim is None or (claim.expires + GRACE_S) * 1000 < now:
        log.warning("refused a notification whose channel token is not ours or long expired")
        return Response("This channel is not ours.\n", status=403)
    if headers.get("X-Goog-Resource-State") == "sync":  # case 1: the channel is being set up, nothing has changed
        return Response(status=204)
    try:
        application.tasks.create(_pull(claim, headers, now, application.settings.pull_coalesce_ms))
    except EnqueueFailed as error:
        log.error("no task for a notification: %s", error)
        return Response("Try again.\n", status=503, headers={"Retry-After": "1"})
    return Response(status=204)


def _pull(claim: ChannelClaim, headers: Headers, now: int, bucket_ms: int) -> Task:
    """Which channel called goes along: the pull can tell whether it is still the calendar's (case 9)."""
    bucket = now // bucket_ms
    return Task(
        kind="pull",
        name=f"{claim.account}/{claim.calendar}/notified/{bucket}",
        body={
            "account": claim.account,
            "subject": claim.calendar,
            "about": "notified",
            "channel": headers.get("X-Goog-Channel-ID", ""),
            "resource": headers.get("X-Goog-Resource-ID", ""),
        },
        not_before_ms=(bucket + 1) * bucket_ms,
    )
