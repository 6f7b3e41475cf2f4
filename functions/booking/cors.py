"""Calls from the web pages of other sites: an account says which may (`allowed_origins`), and only for what clients do.

Never with credentials: a browser's cookies for us are of no use to another site's page. What only operators may call has no CORS at all. Nobody is kept out
by this who calls without a browser; that is what tokens and limits are for.
"""

from flask import Request, Response
from google.api_core.exceptions import GoogleAPIError

from functions.adapters.composition import Application
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.reading import Recent
from functions.booking.problems import problem
from functions.domain.instants import Millis
from functions.domain.origins import origin_of

MAX_AGE_S = 600
KEPT_MS = 60_000
_SENT = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
_SHOWN = "ETag, Retry-After"

# By account. A page that is allowed is known after a minute everywhere; a call costs no read of its own.
_known: Recent[str, tuple[frozenset[str], Millis]] = Recent(room=2_000)


def remember(account: str, origins: tuple[str, ...], *, now: Millis) -> None:
    """What an operator has just set is true at once where they set it."""
    _known.remember(account, (frozenset(origins), now + KEPT_MS))


def is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "Origin" in request.headers and asked_method(request) != ""


def asked_method(request: Request) -> str:
    return request.headers.get("Access-Control-Request-Method", "")


def preflight(request: Request, application: Application, *, account: str, now: Millis) -> Response:
    """The answer to a browser that asks whether a page may call."""
    if not _allowed(request, application, account=account, now=now):
        response = problem(
            403,
            "origin-not-allowed",
            "This web page may not call from here",
            "An operator of the account can add its origin to allowed_origins.",
        )
        response.vary.add("Origin")
        return response
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = asked_method(request)
    response.headers["Access-Control-Allow-Headers"] = _SENT
    response.headers["Access-Control-Max-Age"] = str(MAX_AGE_S)
    return _shared(response, request)


def shared(response: Response, request: Request, application: Application, *, account: str, now: Millis) -> Response:
    """The answer, readable to the page that asked for it if it may."""
    response.vary.add("Origin")
    return _shared(response, request) if _allowed(request, application, account=account, now=now) else response


def _shared(response: Response, request: Request) -> Response:
    response.vary.add("Origin")
    response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    response.headers["Access-Control-Expose-Headers"] = _SHOWN
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _allowed(request: Request, application: Application, *, account: str, now: Millis) -> bool:
    origin = request.headers.get("Origin")
    if not origin or origin == origin_of(application.settings.booking_url):
        return False  # our own pages need no leave
    known = _known.get(account)
    if known is None or known[1] <= now:
        try:
            found = application.store.get(account, ACCOUNT)
        except GoogleAPIError:
            return False
        remember(account, () if found is None else found.allowed_origins, now=now)
        known = _known.get(account)
    return known is not None and origin in known[0]
