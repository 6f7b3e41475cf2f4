"""Connecting Google accounts: the consent is begun by an operator, finished by the browser that comes back from Google.

What the callback may do stands in a document that the operator's call wrote: its state is random, stored as a hash, good once and for ten minutes.
"""

import re
import secrets
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from flask import Response

from functions.adapters import oauth
from functions.adapters.certificates import CertificatesUnavailable, InvalidToken
from functions.adapters.oauth import Grant, GrantRefused, OAuthUnavailable
from functions.adapters.signing import secret_hash
from functions.adapters.store import queries
from functions.adapters.store.records import PendingConsent
from functions.adapters.store.store import Reader
from functions.adapters.vault import CannotOpen
from functions.booking.routing import ID_PATTERN, Answer, Call, Route
from functions.booking.schemas import GrantedConnection, NewConnection
from functions.booking.schemas_connections import (
    CalendarAnswer,
    CalendarList,
    ConnectionAnswer,
    ConnectionList,
    ConsentAnswer,
)
from functions.domain.calendar import Connection
from functions.domain.connecting import Granted, connect, regain
from functions.domain.decision import Author, Decision, Ref
from functions.domain.errors import Invalid, NotFound, Refusal

CONSENT_LIFE_MS = 10 * 60 * 1000


class GoogleSaysNo(Refusal):
    """Google did not accept the grant, or could not be asked."""

    slug = "google-grant-refused"
    status = 422
    title = "Google did not accept that grant"


class GoogleSilent(Refusal):
    """Google could not be asked; the same call may be made again."""

    slug = "google-unavailable"
    status = 503
    title = "Google could not be reached"


def begin(call: Call) -> Answer:
    """Begins the consent of a Google account. Whoever owns it opens `consent_url`; the connection is made when they come back."""
    body = call.body(NewConnection)
    _check_return_address(call, body.return_to)
    token, verifier = secrets.token_urlsafe(32), oauth.new_verifier()
    consent = PendingConsent(
        id=secret_hash(token),
        verifier=call.application.vault.seal(verifier, connection=secret_hash(token)),
        connection=secrets.token_hex(10),
        return_to=body.return_to,
        expires_at=call.now + CONSENT_LIFE_MS,
    )
    call.application.store.run(call.account, lambda reader: Decision(answer=None, documents=(consent,)))
    url = oauth.consent_url(call.application.settings, state=f"{call.account}.{token}", verifier=verifier)
    return Answer(body=ConsentAnswer(id=consent.connection, consent_url=url), status=201)


def _check_return_address(call: Call, address: str | None) -> None:
    """Only back to ourselves: an open redirect would lend our name to anybody."""
    if address is not None:
        ours, theirs = urlsplit(call.application.settings.booking_url), urlsplit(address)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc) or "\\" in address:
            raise Invalid("return_to must be an address of this booking system.")


def callback(call: Call) -> Answer:
    """Where Google sends the browser back to."""
    account, _, token = call.request.args.get("state", "").partition(".")
    if not re.fullmatch(ID_PATTERN, account) or not token:
        return _page(400, "This address is for coming back from Google.", "Begin the connection again.")
    call = replace(call, ids={"account": account})
    consent = _use_consent(call, token)
    if consent is None:
        return _page(400, "This consent was used before, or took too long.", "Begin the connection again.")
    code = call.request.args.get("code")
    if not code:
        return _page(400, "Google was not given permission.", "Nothing was connected. Begin again when you want to.")
    try:
        verifier = call.application.vault.open(consent.verifier, connection=consent.id)
        grant = oauth.exchange_code(call.application.settings, code=code, verifier=verifier)
    except (GrantRefused, CannotOpen):
        return _page(400, "Google did not accept this consent.", "Begin the connection again.")
    except OAuthUnavailable:
        return _page(503, "Google could not be reached.", "Begin the connection again in a moment.")
    try:
        connection = _connect(call, consent.connection, grant, refresh_token=grant.refresh_token)
    except Refusal as refusal:
        return _page(refusal.status, refusal.title, refusal.detail)
    if consent.return_to:
        return Answer(response=Response(status=303, headers={"Location": consent.return_to}))
    return _page(200, f"{connection.email} is connected.", "You can close this page.")


def _use_consent(call: Call, token: str) -> PendingConsent | None:
    """Takes the pending consent away, so that nobody can use it again; None where there is none, or it is too old."""

    def attempt(reader: Reader) -> Decision[PendingConsent | None]:
        ref = Ref(PendingConsent, secret_hash(token))
        consent = reader.get(ref)
        if consent is None:
            return Decision(answer=None)
        usable = consent if call.now < consent.expires_at else None
        return Decision(answer=usable, deletions=(ref,))

    return call.application.store.run(call.account, attempt)


def import_grant(call: Call) -> Answer:
    """A connection from a refresh token that was granted to this OAuth client elsewhere. Google is asked whose it is."""
    body = call.body(GrantedConnection)
    try:
        grant = oauth.refresh(call.application.settings, refresh_token=body.refresh_token)
    except GrantRefused:
        raise GoogleSaysNo("Google says that this refresh token is not (or no longer) good for this client.") from None
    except OAuthUnavailable as error:
        raise GoogleSilent(f"Nothing was connected ({error}). Try again.") from None
    connection = _connect(
        call, secrets.token_hex(10), grant, refresh_token=body.refresh_token, expected_email=body.email
    )
    return Answer(body=ConnectionAnswer.of(connection), status=201)


def _connect(
    call: Call, connection_id: str, grant: Grant, *, refresh_token: str | None, expected_email: str | None = None
) -> Connection:
    """Stores the connection, or regains the one that there is. Raises a `Refusal` where the grant is not enough or not whose it should be."""
    missing = oauth.missing_permissions(grant.scopes)
    if missing:
        raise GoogleSaysNo(f"Permissions are missing: {', '.join(missing)}. Begin again and leave all boxes ticked.")
    if refresh_token is None:
        raise GoogleSaysNo("Google gave no lasting permission. Begin again.")
    subject, email = _person(call, grant)
    if expected_email is not None and email.lower() != expected_email.lower():
        raise GoogleSaysNo(f"That grant belongs to {email}, not to {expected_email}.")
    known = _connection_of(call, subject)
    connection_id = connection_id if known is None else known
    granted = Granted(
        subject=subject,
        email=email,
        scopes=grant.scopes,
        secret=call.application.vault.seal(refresh_token, connection=connection_id),
    )
    author = call.caller.author if call.caller.operator else Author(kind="operator", name="browser")
    store = call.application.store

    def attempt(reader: Reader) -> Decision[Connection]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None or connection.status == "disconnected":
            return connect(connection_id, granted, now=call.now, author=author)
        calendars = queries.calendars_of(store, call.account, connection_id)
        return regain(connection, calendars, granted=granted, author=author)

    return store.run(call.account, attempt)


def _connection_of(call: Call, subject: str) -> str | None:
    """The connection to that Google account that there is already: who grants once more, regains it and begins no second one (case 83)."""
    known = queries.connections(call.application.store, call.account)
    return next((each.id for each in known if each.subject == subject and each.status != "disconnected"), None)


def _person(call: Call, grant: Grant) -> tuple[str, str]:
    """Google's stable id of the person, and their address, from the signed ID token."""
    if grant.id_token is None:
        raise GoogleSaysNo("Google did not say whose account this is: the scopes openid and email are needed.")
    try:
        claims = call.application.people_certificates.verify(
            grant.id_token, audience=call.application.settings.client_id, now=call.now
        )
    except InvalidToken:
        raise GoogleSaysNo("Google's ID token is not valid.") from None
    except CertificatesUnavailable:
        raise GoogleSilent("Google's certificates can't be had. Try again.") from None
    return str(claims["sub"]), str(claims.get("email", ""))


def list_connections(call: Call) -> Answer:
    """The Google accounts that were granted."""
    found = queries.connections(call.application.store, call.account)
    return Answer(body=ConnectionList(connections=[ConnectionAnswer.of(connection) for connection in found]))


def list_calendars(call: Call) -> Answer:
    """The calendars that a connection reaches, in use or not."""
    store = call.application.store
    if store.get(call.account, Ref(Connection, call.ids["connection"])) is None:
        raise NotFound("There is no such connection.")
    found = queries.calendars_of(store, call.account, call.ids["connection"])
    return Answer(body=CalendarList(calendars=[CalendarAnswer.of(calendar) for calendar in found]))


def _page(status: int, title: str, text: str) -> Answer:
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p></html>"
    )
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    # The address holds a code and a state: neither goes on to another site, nor into a cache.
    response.headers.update({"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    return Answer(response=response)


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(method="GET", path="/oauth/callback", handler=callback, page=True),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/connections",
        handler=list_connections,
        access="operator",
        answer=ConnectionList,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/connections",
        handler=begin,
        access="operator",
        permission="connections",
        body=NewConnection,
        body_optional=True,
        answer=ConsentAnswer,
        status=201,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/connections/grants",
        handler=import_grant,
        access="operator",
        permission="connections",
        body=GrantedConnection,
        answer=ConnectionAnswer,
        status=201,
        refusals=(GoogleSaysNo, GoogleSilent),
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/connections/<id:connection>/calendars",
        handler=list_calendars,
        access="operator",
        answer=CalendarList,
    ),
)
