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
from functions.adapters.store.records import PendingConsent
from functions.adapters.store.store import Reader
from functions.adapters.vault import CannotOpen
from functions.booking.grants import OtherAccount, PermissionsMissing, Wanted, accept
from functions.booking.routing import ID_PATTERN, Answer, Call, Route
from functions.booking.schemas import NewConnection
from functions.booking.schemas_connections import ConsentAnswer
from functions.domain.calendar import Connection
from functions.domain.decision import Author, Decision, Ref
from functions.domain.errors import IllegalMove, Invalid, NotFound, Refusal
from functions.domain.instants import rfc3339_millis

CONSENT_LIFE_MS = 10 * 60 * 1000
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
    return _begun(call, Wanted(connection=secrets.token_hex(10)), return_to=body.return_to)


def refresh_connection(call: Call) -> Answer:
    """Renews the access of a connection in place; Google is told whose it has to be, and what comes back is held against it."""
    body = _wishes(call)
    connection = call.application.store.get(call.account, Ref(Connection, call.ids["connection"]))
    if connection is None:
        raise NotFound("There is no such connection.")
    if connection.status == "disconnected":
        raise IllegalMove(f"{connection.email} was disconnected. Connect the account anew.")
    wanted = Wanted(connection=connection.id, refreshes=True)
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
        begun_by=call.caller.author.name,
        browser=call.caller.browser,
        return_to=return_to,
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
    call.application.store.run(call.account, lambda reader: Decision(answer=None, documents=(consent,)))
    state = f"{call.account}.{token}"
    return oauth.consent_url(call.application.settings, state=state, verifier=verifier, login_hint=login_hint)


def callback(call: Call) -> Answer:
    """Where Google sends the browser back to."""
    account, _, token = call.request.args.get("state", "").partition(".")
    if not re.fullmatch(ID_PATTERN, account) or not token:
        return _page(400, "This address is for coming back from Google.", ANEW)
    call = replace(call, ids={"account": account})
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
    """Takes the pending consent away, so that nobody can use it again; None where there is none for this browser, or it is too old."""

    def attempt(reader: Reader) -> Decision[PendingConsent | None]:
        ref = Ref(PendingConsent, secret_hash(token))
        consent = reader.get(ref)
        if consent is None or consent.browser not in (None, call.caller.browser):
            return Decision(answer=None)
        usable = consent if call.now < consent.expires_at else None
        return Decision(answer=usable, deletions=(ref,))

    return call.application.store.run(call.account, attempt)


def _taken_in(call: Call, consent: PendingConsent, grant: Grant) -> Answer:
    wanted = Wanted(connection=consent.connection, refreshes=consent.refreshes)
    try:
        connection = accept(call, grant, wanted, author=Author(kind="operator", name=consent.begun_by))
    except OtherAccount as other:
        anew = consent.model_copy(update={"connection": secrets.token_hex(10), "refreshes": False})
        button = _Button(f"Connect {other.came}", _again(call, anew, login_hint=other.came))
        return _page(other.status, other.title, other.detail, button=button)
    except PermissionsMissing as missing:
        button = _Button("Try again", _again(call, consent, login_hint=None))
        lines = (
            "Nothing was connected, because without these nobody could tell what is free:",
            *(each.in_words for each in missing.missing),
            "Leave all boxes ticked when Google asks.",
        )
        return _page(missing.status, missing.title, *lines, button=button)
    except Refusal as refusal:
        return _page(refusal.status, refusal.title, refusal.detail)
    if consent.return_to:
        return Answer(response=Response(status=303, headers={"Location": consent.return_to}))
    return _page(200, f"{connection.email} is connected.", "You can close this page.")


def _again(call: Call, consent: PendingConsent, *, login_hint: str | None) -> str:
    """What the same operator began may be done once more, in the same browser."""
    return _offer(call, consent.model_copy(update={"expires_at": call.now + CONSENT_LIFE_MS}), login_hint=login_hint)


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
