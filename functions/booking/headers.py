"""What every answer tells browsers: take it for what it says it is, show it in no frame, tell no other site where one was.

An answer that says something of its own of these (a page with its styles) keeps that.
"""

from collections.abc import Mapping

from flask import Response

_ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Nothing is loaded, framed or sent from what is answered here. Enough for JSON and for pages without styles or forms; others say what they need.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Against being pulled into another site's page past CORS.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_YEAR_S = 365 * 24 * 3600


def secured(response: Response, *, https: bool) -> Response:
    """The same answer with the headers that it lacks. `https`: whether our public address is; else browsers would be told to use what isn't there."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if https:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR_S}")
    return response
