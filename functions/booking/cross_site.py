"""A browser sends its cookie whoever makes it ask. So what changes anything, and is proved by a cookie, must come from a page of our own.

Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` with everything that is not a mere look), and scripts can't make them say otherwise.
One that says neither is refused. A body must be of a kind that no form can send; our own forms carry a token instead, bound to the browser's sign-in.
"""

from urllib.parse import urlsplit

from flask import Request

from functions.adapters.settings import Settings
from functions.adapters.signing import is_form_token
from functions.domain.errors import CrossSite

FORM_TOKEN = "form_token"  # noqa: S105  the name of a field
_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_SENT_BY_FORMS = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})


def refuse_other_sites(request: Request, settings: Settings, *, browser: str, forms: bool) -> None:
    """Raises `CrossSite`. `forms`: whether this is for forms of ours too."""
    if request.method in _LOOKS:
        return
    if not _comes_from_us(request, settings):
        raise CrossSite("Do this on a page of the booking system itself. Programs use an API key.")
    if not _can_be_a_form(request):
        return
    if not forms:
        raise CrossSite("Send the body as Content-Type: application/json.")
    if not is_form_token(settings.signing_keys, browser, request.form.get(FORM_TOKEN, "")):
        raise CrossSite("This form is too old. Open its page again.")


def _comes_from_us(request: Request, settings: Settings) -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = urlsplit(settings.booking_url)
    said = [] if site is None else [site == "same-origin"]
    said += [] if origin is None else [origin.lower() == f"{ours.scheme}://{ours.netloc}".lower()]
    return bool(said) and all(said)


def _can_be_a_form(request: Request) -> bool:
    return bool(request.content_length) and request.mimetype in _SENT_BY_FORMS
