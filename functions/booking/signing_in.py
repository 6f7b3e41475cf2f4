"""Signing in with Google (OpenID Connect, authorization code with PKCE), and out.

What a sign-in that has begun needs to be finished is sealed into a cookie of the very browser, for ten minutes: so nobody can be signed in, as whomever, by an
address that somebody else prepared. Used, it is gone; and Google takes a code once. So to begin costs nobody anything; whoever comes back is counted.
"""

import hmac
import re
import secrets
from urllib.parse import urlencode

from flask import Response
from pydantic import ValidationError, field_validator

from functions.adapters.signing import same_secret, secret_hash
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.cookies import SIGNED_IN, SIGNING_IN, cookie_of, put_cookie, take_cookie
from functions.booking.pages import message, redirect
from functions.booking.routing import Answer, Call, Route
from functions.booking.signed_in import SignedIn, give_cookie
from functions.domain.decision import Decision, Ref
from functions.domain.errors import RateLimited
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.model import Model
from functions.domain.person import Person, person_id, sign_in, sign_out, sign_out_everywhere

LIFE_MS = 10 * MINUTE_MS
HOME = "/console"
_MOST_RETURN = 1000
# A path of ours: one slash, because browsers take two for the name of a host, and a backslash for a slash.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_SEALED_FOR = "signing in"  # no id of a connection has a space


class SignInQuery(Model):
    """`return_to`: where to go then, a path of this system."""

    return_to: str = HOME

    @field_validator("return_to")
    @classmethod
    def _is_ours(cls, path: str) -> str:
        if len(path) > _MOST_RETURN or not _OWN_PATH.fullmatch(path):
            raise ValueError(f"must be a path of this booking system, such as {HOME}")
        return path


class Begun(Model):
    """A sign-in that has begun, as the browser keeps it, sealed."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    expires_at: Millis


class Failed(Exception):
    """Nobody is signed in, and the page says why."""

    def __init__(self, title: str, text: str, status: int = 400) -> None:
        super().__init__(title)
        self.page = message(title, text, status=status, sign_in=True)


def begin(call: Call) -> Answer:
    """Leads the browser to Google."""
    from functions.adapters import oauth

    query = call.query(SignInQuery)
    begun = Begun(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=oauth.new_verifier(),
        return_to=query.return_to,
        expires_at=call.now + LIFE_MS,
    )
    settings = call.application.settings
    response = redirect(oauth.sign_in_url(settings, state=begun.state, nonce=begun.nonce, verifier=begun.verifier))
    sealed = call.application.vault.seal(begun.model_dump_json(), connection=_SEALED_FOR)
    put_cookie(response, settings, SIGNING_IN, sealed, lasts_ms=LIFE_MS)
    return Answer(response=response)


def callback(call: Call) -> Answer:
    """Where Google sends the browser back to."""
    settings = call.application.settings
    try:
        begun = _begun_here(call)
        person = _identity(call, begun)
        browser = _signed_in(call, person)
        response = redirect(f"{settings.booking_url}{begun.return_to}")
        give_cookie(response, settings, person=person.id, browser=browser, now=call.now)
    except Failed as failed:
        response = failed.page
    except RateLimited as refusal:
        response = message(refusal.title, refusal.detail, status=refusal.status, sign_in=True)
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    take_cookie(response, settings, SIGNING_IN)
    return Answer(response=response)


def _begun_here(call: Call) -> Begun:
    """What this browser began. Raises `Failed` where that is not what Google answers, or nothing at all."""
    from functions.adapters.vault import CannotOpen

    sealed = cookie_of(call.request, call.application.settings, SIGNING_IN)
    try:
        begun = Begun.model_validate_json(call.application.vault.open(sealed, connection=_SEALED_FOR))
    except (CannotOpen, ValidationError):
        raise Failed("This sign-in was not begun here.", "Or it was used before, or took too long.") from None
    if call.now >= begun.expires_at:
        raise Failed("This sign-in took too long.", "Please begin again.")
    if not same_secret(call.request.args.get("state", ""), secret_hash(begun.state)):
        raise Failed("This sign-in was not begun here.", "Another one was begun after it in this browser.")
    return begun


def _identity(call: Call, begun: Begun) -> Person:
    """Who Google says it is. Raises `Failed`, and `RateLimited`."""
    from functions.adapters import oauth
    from functions.adapters.certificates import CertificatesUnavailable, InvalidToken
    from functions.booking.rate_limits import count_sign_in

    settings, code = call.application.settings, call.request.args.get("code")
    if not code:
        raise Failed("You are not signed in.", "Google was not allowed to say who you are.")
    count_sign_in(call)
    try:
        grant = oauth.exchange_code(
            settings, code=code, verifier=begun.verifier, back_to=oauth.sign_in_redirect_uri(settings)
        )
        claims = call.application.people_certificates.verify(
            grant.id_token or "", audience=settings.client_id, now=call.now
        )
    except (oauth.GrantRefused, InvalidToken):
        raise Failed("Google did not accept this sign-in.", "Please begin again.") from None
    except (oauth.OAuthUnavailable, CertificatesUnavailable):
        raise Failed("Google could not be reached.", "Please try again in a moment.", 503) from None
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), begun.nonce.encode()):
        raise Failed("Google did not accept this sign-in.", "Its answer was given to another one. Please begin again.")
    subject, email = str(claims.get("sub", "")), str(claims.get("email", ""))
    if not subject or not email or claims.get("email_verified") is not True:
        # Somebody else might have that address, and what it was invited to.
        raise Failed("Google has not verified your e-mail address.", "Verify it there, then sign in.", 403)
    return Person(id=person_id(subject), email=email, name=str(claims.get("name", ""))[:200], created_at=call.now)


def _signed_in(call: Call, identity: Person) -> str:
    """The id of the new sign-in. Whoever was signed in at this browser before is not any more."""
    if call.caller.signed_in is not None:
        _end(call, call.caller.signed_in, everywhere=False)
    browser = secrets.token_hex(16)

    def attempt(reader: Reader) -> Decision[Person]:
        return sign_in(reader.get(Ref(Person, identity.id)), identity, browser, now=call.now)

    call.application.store.run(NO_ACCOUNT, attempt)
    return browser


def leave(call: Call) -> Answer:
    """Signs out this browser, or with `everywhere` in the form all that this person is signed in at. Harmless where nobody is signed in."""
    if call.caller.signed_in is not None:
        _end(call, call.caller.signed_in, everywhere="everywhere" in call.request.form)
    response = message("You are signed out.", "See you soon.", sign_in=True)
    take_cookie(response, call.application.settings, SIGNED_IN)
    return Answer(response=response)


def _end(call: Call, known: SignedIn, *, everywhere: bool) -> None:
    def attempt(reader: Reader) -> Decision[Person]:
        person = reader.get(Ref(Person, known.person.id)) or known.person
        return sign_out_everywhere(person) if everywhere else sign_out(person, known.browser)

    call.application.store.run(NO_ACCOUNT, attempt)


def must_sign_in(return_to: str) -> Response:
    """For a page that is only for who is signed in."""
    return redirect(f"/signin?{urlencode({'return_to': return_to})}")


ROUTES = (
    Route(method="GET", path="/signin", handler=begin, access="page", query=SignInQuery),
    Route(method="GET", path="/signin/callback", handler=callback, access="page"),
    Route(method="POST", path="/signout", handler=leave, access="page"),
)
