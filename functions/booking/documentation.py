"""The API's own description: `/openapi.json` for programs, `/docs` for people.

Both are made of the routes when they are first asked for, and kept. The page needs nothing from outside and no script.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256

from flask import Response

from functions.booking.routing import JSON, Answer, Call, Route

# It changes with a deployment only; then it should not be long until everybody sees the new one.
CACHING = "public, max-age=300"


def openapi(call: Call) -> Answer:
    """The OpenAPI document of this API."""
    return _kept(call, _document(), content_type=JSON)


def docs(call: Call) -> Answer:
    """The same to read."""
    page, style = _page()
    answer = _kept(call, page, content_type="text/html; charset=utf-8")
    assert answer.response is not None
    answer.response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src '{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return answer


@cache
def _document() -> bytes:
    import json

    from functions.booking.openapi import api, document

    return json.dumps(document(api()), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _page() -> tuple[bytes, str]:
    """The page, and the hash by which it allows its style."""
    from functions.booking.documentation_page import STYLE, page
    from functions.booking.openapi import api, document

    style = b64encode(sha256(STYLE.encode()).digest()).decode()
    return page(document(api())).encode(), f"sha256-{style}"


def _kept(call: Call, content: bytes, *, content_type: str) -> Answer:
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = CACHING
    response.set_etag(sha256(content).hexdigest()[:32])
    response.make_conditional(call.request)
    return Answer(response=response)


ROUTES = (
    Route(method="GET", path="/openapi.json", handler=openapi),
    Route(method="GET", path="/docs", handler=docs),
)
