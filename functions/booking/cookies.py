"""The two cookies of this function: of a browser that is signed in, and of one that is about to be.

Both are out of reach of scripts (HttpOnly) and stay with us where another site makes a request (SameSite=Lax, which lets them come along where somebody is led
here by a link, as Google leads them back). Over https their name begins with `__Host-`: then no other host of the same domain can have set them.
"""

from flask import Request, Response

from functions.adapters.settings import Settings

SIGNED_IN = "signed_in"
SIGNING_IN = "signing_in"


def cookie_of(request: Request, settings: Settings, name: str) -> str:
    """Empty where there is none."""
    return request.cookies.get(_full(name, settings), "")


def put_cookie(response: Response, settings: Settings, name: str, value: str, *, lasts_ms: int) -> None:
    response.set_cookie(
        _full(name, settings),
        value,
        max_age=lasts_ms // 1000,
        path="/",
        secure=_over_https(settings),
        httponly=True,
        samesite="Lax",
    )
    response.headers["Cache-Control"] = "no-store"


def take_cookie(response: Response, settings: Settings, name: str) -> None:
    put_cookie(response, settings, name, "", lasts_ms=0)


def sets_cookie(response: Response, settings: Settings, name: str) -> bool:
    return any(each.startswith(f"{_full(name, settings)}=") for each in response.headers.getlist("Set-Cookie"))


def _full(name: str, settings: Settings) -> str:
    return f"__Host-{name}" if _over_https(settings) else name


def _over_https(settings: Settings) -> bool:
    return settings.booking_url.startswith("https://")
