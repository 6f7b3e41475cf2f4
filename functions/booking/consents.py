"""Consents: begun by an operator, given by a person at Google, finished by the browser that comes back from there.

What the callback may do stands in a document that the operator's call wrote: its state is random, stored as a hash, good once and for ten minutes; the verifier
of PKCE never leaves the server. One that was begun in a browser is finished in the same one.
"""

import re
import secrets
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from flask import Response

from functions.adapters import oauth
from functions.adapters.oauth import Grant, GrantRefused, OAuthUnavailable
from functions.adapters.signing import secret_hash
from functions.adapters.store.account import account_of
from functions.adapters.store.records import PendingConsent
from functions.adapters.store.store import Reader
from functions.adapters.vault import CannotOpen
from functions.booking.authority import authorised_by
from functions.booking.callers import Proof
from functions.booking.grants import OtherAccount, PermissionsMissing, Wanted, accept
from functions.booking.routing import ID_PATTERN, Answer, Call, Route
from functions.booking.schemas import NewConnection
from functions.booking.schemas_connections import ConsentAnswer
from functions.domain.calendar import Connection
from functions.domain.decision import Author, Decision, Ref
from functions.domain.errors import Forbidden, IllegalMove, Invalid, NotFound, Refusal, Unauthorized
from functions.domain.instants import rfc3339_millis

CONSENT_LIFE_MS = 10 * 60 * 1000
# So long one may go on from another where what Google was told was not enough. Nobody keeps an address alive for ever by trying.
LONGEST_MS = 60 * 60 * 1000
ANEW = "Begin the connection again."

# What Google sends the browser back with instead of a code (RFC 6749, section 4.1.2.1), for the person who reads it.
ERRORS = {
    "access_denied": ("Google was not given permission.", "Nothing was connected. Begin again when you want to."),
    "server_error": ("Google had a problem.", f"Nothing was connected. {ANEW}"),
    "temporarily_unavailable": ("Google is too busy.", f"Nothing was connected. {ANEW}"),
}


def begin_consent(call: Call) -> Answer:
    """Begins the consent of a Google account. Whoever owns it opens `consent_url`; the connection is made when they come back."""
    body = _wishes(call)
    return _begun(call, Wanted.new(call), return_to=body.return_to)


def refresh_connection(call: Call) -> Answer:
    """Renews the access of a connection in place; Google is told whose it has to be, and what comes back is held against it."""
    body = _wishes(call)
    connection = call.application.store.get(call.account, Ref(Connection, call.ids["connection"]))
    if connection is None:
        raise NotFound("There is no such connection.")
    if connection.status == "disconnected":
        raise IllegalMove(f"{connection.email} was disconnected. Connect the account anew.")
    wanted = replace(Wanted.new(call), connection=connection.id, refreshes=True)
    return _begun(call, wanted, return_to=body.return_to, login_hint=connection.email)


def _wishes(call: Call) -> NewConnection:
    body = call.body(NewConnection)
    _check_return_address(call, body.return_to)
    return body


def _check_return_address(call: Call, address: str | None) -> None:
    """Only back to ourselves: an open redirect would lend our name to anybody."""
    if address is not None:
        ours, theirs = urlsplit(call.application.settings.booking_url), urlsplit(address)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc) or "\\" in address:
            raise Invalid("return_to must be an address of this booking system.")


def _begun(call: Call, wanted: Wanted, *, return_to: str | None, login_hint: str | None = None) -> Answer:
    consent = PendingConsent(
        id="",
        verifier="",
        connection=wanted.connection,
        refreshes=wanted.refreshes,
        begun_by=wanted.author.name,
        key=wanted.proof.key,
        person=wanted.proof.person,
        browser=wanted.proof.browser,
        return_to=return_to,
        begun_at=call.now,
        expires_at=call.now + CONSENT_LIFE_MS,
    )
    url = _offer(call, consent, login_hint=login_hint)
    expires = rfc3339_millis(consent.expires_at)
    return Answer(body=ConsentAnswer(id=consent.connection, consent_url=url, expires_at=expires), status=201)


def _offer(call: Call, wanted: PendingConsent, *, login_hint: str | None) -> str:
    """Stores that consent under a new state, with a new verifier; the address at Google that leads to it."""
    token, verifier = secrets.token_urlsafe(32), oauth.new_verifier()
    id_ = secret_hash(token)
    sealed = call.application.vault.seal(verifier, connection=id_)
    consent = wanted.model_copy(update={"id": id_, "verifier": sealed})

    def attempt(reader: Reader) -> Decision[None]:
        return Decision(answer=None, documents=(consent,))

    call.application.store.run(call.account, authorised_by(_proof(consent), "connections", attempt, now=call.now))
    state = f"{call.account}.{token}"
    return oauth.consent_url(call.application.settings, state=state, verifier=verifier, login_hint=login_hint)


def callback(call: Call) -> Answer:
    """Where Google sends the browser back to."""
    account, _, token = call.request.args.get("state", "").partition(".")
    if not re.fullmatch(ID_PATTERN, account) or not token:
        return _page(400, "This address is for coming back from Google.", ANEW)
    try:
        return _come_back(replace(call, ids={"account": account}), token)
    except (Unauthorized, Forbidden):
        return _page(403, "Who began this may not connect accounts any more.", "Nothing was connected.")
    except Refusal as refusal:
        return _page(refusal.status, refusal.title, refusal.detail)


def _come_back(call: Call, token: str) -> Answer:
    """Raises a `Refusal`."""
    consent = _use_consent(call, token)
    if consent is None:
        return _page(400, "This consent was used before, or took too long, or was begun in another browser.", ANEW)
    code = call.request.args.get("code")
    if not code:
        usual = ("Google did not accept this consent.", f"Nothing was connected. {ANEW}")
        return _page(400, *ERRORS.get(call.request.args.get("error", ""), usual))
    try:
        verifier = call.application.vault.open(consent.verifier, connection=consent.id)
        grant = oauth.exchange_code(call.application.settings, code=code, verifier=verifier)
    except (GrantRefused, CannotOpen):
        return _page(400, "Google did not accept this consent.", ANEW)
    except OAuthUnavailable:
        return _page(503, "Google could not be reached.", "Begin the connection again in a moment.")
    return _taken_in(call, consent, grant)


def _use_consent(call: Call, token: str) -> PendingConsent | None:
    """Takes the pending consent away, so that nobody can use it again; None where there is none for this browser, or it is too old.

    Raises a `Refusal` where who began it may not connect accounts any more.
    """

    def attempt(reader: Reader) -> Decision[PendingConsent | None]:
        ref = Ref(PendingConsent, secret_hash(token))
        consent = reader.get(ref)
        if consent is None or consent.browser not in (None, call.caller.browser):
            return Decision(answer=None)
        if call.now >= consent.expires_at:
            return Decision(answer=None, deletions=(ref,))
        used = Decision[PendingConsent | None](answer=consent, deletions=(ref,))
        return authorised_by(_proof(consent), "connections", lambda _: used, now=call.now)(reader)

    return call.application.store.run(call.account, attempt)


def _proof(consent: PendingConsent) -> Proof:
    """By what who began it may do that."""
    return Proof(key=consent.key, person=consent.person, browser=consent.browser)


def _taken_in(call: Call, consent: PendingConsent, grant: Grant) -> Answer:
    """Raises a `Refusal`."""
    author = Author(kind="operator", name=consent.begun_by)
    wanted = Wanted(connection=consent.connection, refreshes=consent.refreshes, author=author, proof=_proof(consent))
    try:
        connection = accept(call, grant, wanted)
    except OtherAccount as other:
        anew = consent.model_copy(update={"connection": secrets.token_hex(10), "refreshes": False})
        button = _again(call, anew, f"Connect {other.came}", login_hint=other.came)
        return _page(other.status, other.title, other.detail, button=button)
    except PermissionsMissing as missing:
        button = _again(call, consent, "Try again")
        lines = (
            "Nothing was connected, because without these nobody could tell what is free:",
            *(each.in_words for each in missing.missing),
            f"{'' if button else f'{ANEW} '}Leave all boxes ticked when Google asks.",
        )
        return _page(missing.status, missing.title, *lines, button=button)
    if consent.return_to:
        return Answer(response=Response(status=303, headers={"Location": consent.return_to}))
    business = account_of(call.application.store.reader(call.account))
    return _page(
        200,
        f"{connection.email} is connected.",
        f"{business.name} uses its calendars from now on. This was begun by {consent.begun_by}.",
        "You can close this page.",
    )


def _again(call: Call, consent: PendingConsent, text: str, *, login_hint: str | None = None) -> "_Button | None":
    """What the same operator began may be done once more, in the same browser, unless that was long ago."""
    expires_at = min(call.now + CONSENT_LIFE_MS, consent.begun_at + LONGEST_MS)
    if expires_at <= call.now:
        return None
    more = consent.model_copy(update={"expires_at": expires_at})
    return _Button(text, _offer(call, more, login_hint=login_hint))


class _Button:
    """Leads to another page; no script, no form."""

    def __init__(self, text: str, address: str) -> None:
        self.html = f'<p><a href="{escape(address)}">{escape(text)}</a></p>'


def _page(status: int, title: str, *lines: str, button: _Button | None = None) -> Answer:
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><main><h1>{escape(title)}</h1>"
        f"{''.join(f'<p>{escape(line)}</p>' for line in lines)}{button.html if button else ''}</main></html>"
    )
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    # The address holds a code and a state: neither goes on to another site, nor into a cache.
    response.headers.update({"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    return Answer(response=response)


_CONNECTIONS = "/v1/accounts/<id:account>/connections"

ROUTES = (
    Route(method="GET", path="/oauth/callback", handler=callback, access="page"),
    Route(
        method="POST",
        path=_CONNECTIONS,
        handler=begin_consent,
        access="operator",
        permission="connections",
        body=NewConnection,
        answer=ConsentAnswer,
        status=201,
        body_optional=True,
    ),
    Route(
        method="POST",
        path=f"{_CONNECTIONS}/<id:connection>/refresh",
        handler=refresh_connection,
        access="operator",
        permission="connections",
        body=NewConnection,
        answer=ConsentAnswer,
        status=201,
        body_optional=True,
        refusals=(IllegalMove,),
    ),
)
