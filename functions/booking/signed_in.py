"""Who is signed in, by the cookie of their browser.

The cookie is signed and says which sign-in it belongs to; that one must still stand in the person's document, so that a copy of a cookie dies with a
sign-out. Each is good for twelve hours, and is replaced by a new one in the first answer after an hour.
"""

from dataclasses import dataclass

from flask import Request, Response

from functions.adapters.composition import Application
from functions.adapters.settings import Settings
from functions.adapters.signing import BrowserClaim, browser_cookie, opened_browser_cookie
from functions.adapters.store.store import Reader
from functions.booking.cookies import SIGNED_IN, cookie_of, put_cookie, sets_cookie
from functions.domain.decision import AnyRef, Ref
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.person import IDLE_MS, Person

RENEW_MS = 60 * MINUTE_MS


@dataclass(frozen=True)
class SignedIn:
    """A person at a browser. `issued_at`: when that browser was given the cookie that it sent."""

    person: Person
    browser: str
    issued_at: Millis


def claim_of(request: Request, settings: Settings, now: Millis) -> BrowserClaim | None:
    """What the cookie says, as far as the cookie alone can be judged; None where there is none, or it is not ours or not good any more."""
    claim = opened_browser_cookie(settings.signing_keys, cookie_of(request, settings, SIGNED_IN))
    return claim if claim is not None and now < claim.issued_at + IDLE_MS else None


def who_is_signed_in(
    request: Request, application: Application, reader: Reader, now: Millis, *, along: type[object] | None = None
) -> SignedIn | None:
    """`along`: a kind of document that the account has of each of its people; the person's is read in the same round trip."""
    claim = claim_of(request, application.settings, now)
    if claim is None:
        return None
    also: tuple[AnyRef, ...] = () if along is None else (Ref(along, claim.person),)
    reader.load(Ref(Person, claim.person), *also)
    person = reader.get(Ref(Person, claim.person))
    if person is None or not person.signed_in(claim.browser, now):
        return None
    return SignedIn(person, claim.browser, claim.issued_at)


def give_cookie(response: Response, settings: Settings, *, person: str, browser: str, now: Millis) -> None:
    claim = BrowserClaim(person=person, browser=browser, issued_at=now)
    put_cookie(response, settings, SIGNED_IN, browser_cookie(settings.signing_keys[0], claim), lasts_ms=IDLE_MS)


def renew_cookie(response: Response, settings: Settings, known: SignedIn, *, now: Millis) -> None:
    """Where it is time, and the answer does not say otherwise, as it does where somebody signs out."""
    if now >= known.issued_at + RENEW_MS and not sets_cookie(response, settings, SIGNED_IN):
        give_cookie(response, settings, person=known.person.id, browser=known.browser, now=now)
