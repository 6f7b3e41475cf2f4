"""What a person has granted at Google, taken in: a connection is made of it, or the one that there is has its access back.

Whose grant it is, Google says in the signed ID token, by an id that never changes hands (case 82). Of a grant that is refused nothing is kept, here or at
Google.
"""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from functions.adapters import oauth
from functions.adapters.certificates import CertificatesUnavailable, InvalidToken
from functions.adapters.oauth import Grant, GrantRefused, OAuthUnavailable
from functions.adapters.store import across_accounts, queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised_by
from functions.booking.callers import Proof
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import GrantedConnection
from functions.booking.schemas_connections import ConnectionAnswer
from functions.domain.calendar import Connection
from functions.domain.connecting import Granted, connect, regain
from functions.domain.decision import Author, Decision
from functions.domain.errors import IllegalMove, NotFound, Refusal
from functions.domain.scopes import GooglePermission, missing_permissions

log = logging.getLogger(__name__)


class GoogleSaysNo(Refusal):
    """Google did not accept the grant, or the grant is not good for anything."""

    slug = "google-grant-refused"
    status = 422
    title = "Google did not accept that grant"


class PermissionsMissing(GoogleSaysNo):
    """The person left out permissions. `missing` names them, with what each is for."""

    slug = "google-permissions-missing"
    title = "Permissions are missing"

    def __init__(self, missing: Iterable[GooglePermission]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            "Nothing was connected, because without these nobody could tell what is free: "
            + " ".join(each.in_words for each in self.missing)
            + " Begin again and leave all boxes ticked.",
            missing=[{"scope": each.scope, "asks": each.asks, "purpose": each.purpose} for each in self.missing],
        )


class OtherAccount(Refusal):
    """The access of one Google account was to be renewed, and another one granted access (case 82)."""

    slug = "another-google-account"
    status = 409
    title = "That is another Google account"

    def __init__(self, *, expected: str, came: str) -> None:
        self.came = came
        super().__init__(
            f"Access was to be renewed for {expected}, and {came} has granted it. Nothing of that was kept, and the connection of {expected} is as it was. "
            f"Renew it with {expected}, or connect {came} as an account of its own."
        )


class GoogleSilent(Refusal):
    """Google could not be asked; the same call may be made again."""

    slug = "google-unavailable"
    status = 503
    title = "Google could not be reached"


@dataclass(frozen=True, kw_only=True)
class Grantor:
    """Who granted. `subject`: Google's stable id of them."""

    subject: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the grant was asked for: a new connection, which gets this id unless the person has one, or (`refreshes`) the one that has it. `author`, `proof`:
    the operator who asked.
    """

    connection: str
    refreshes: bool = False
    author: Author
    proof: Proof

    @classmethod
    def new(cls, call: Call) -> "Wanted":
        return cls(connection=secrets.token_hex(10), author=call.caller.author, proof=call.caller.proof)


def import_grant(call: Call) -> Answer:
    """A connection from a refresh token that was granted to this OAuth client elsewhere. Google is asked whose it is."""
    body = call.body(GrantedConnection)
    try:
        grant = oauth.refresh(call.application.settings, refresh_token=body.refresh_token)
    except GrantRefused:
        raise GoogleSaysNo("Google says that this refresh token is not (or no longer) good for this client.") from None
    except OAuthUnavailable as error:
        raise GoogleSilent(f"Nothing was connected ({error}). Try again.") from None
    grantor = grantor_of(call, grant)
    if grantor.email.lower() != body.email.lower():
        raise GoogleSaysNo(f"That grant belongs to {grantor.email}, not to {body.email}.")
    must_suffice(grant)
    connection = take_in(call, grant, grantor, Wanted.new(call), body.refresh_token)
    return Answer(body=ConnectionAnswer.of(connection), status=201)


def accept(call: Call, grant: Grant, wanted: Wanted) -> Connection:
    """Takes in a grant that a person has just given. Raises a `Refusal`, having given it back, where it is not enough or not of whom it should be."""
    grantor = grantor_of(call, grant)
    try:
        must_suffice(grant)
        if grant.refresh_token is None:
            raise GoogleSaysNo("Google gave no lasting permission. Begin again.")
        return take_in(call, grant, grantor, wanted, grant.refresh_token)
    except Refusal:
        _give_back(call, grant, grantor)
        raise


def must_suffice(grant: Grant) -> None:
    """Raises `PermissionsMissing`."""
    if missing := missing_permissions(grant.scopes):
        raise PermissionsMissing(missing)


def take_in(call: Call, grant: Grant, grantor: Grantor, wanted: Wanted, refresh_token: str) -> Connection:
    """Who has a connection already and grants once more regains that one, and begins no second one (case 83); also where both come at the same moment."""
    store = call.application.store

    def granted_for(connection: str) -> Granted:
        return Granted(
            subject=grantor.subject,
            email=grantor.email,
            scopes=grant.scopes,
            secret=call.application.vault.seal(refresh_token, connection=connection),
            granted_at=call.now,
            grant_expires_at=None if grant.ends_in_s is None else call.now + grant.ends_in_s * 1000,
        )

    def attempt(reader: Reader) -> Decision[Connection]:
        account_of(reader)  # first, because all connections rest on it
        connections = queries.all_to_decide_on(reader, Connection)
        known = _known(connections, grantor, wanted)
        if known is None:
            former = [each for each in connections if each.subject == grantor.subject and each.ending is not None]
            granted = granted_for(wanted.connection)
            made = connect(wanted.connection, granted, former=former, now=call.now, author=wanted.author)
            return made.resting_on(ACCOUNT)
        calendars = queries.calendars_of(store, call.account, known.id)
        return regain(known, calendars, granted=granted_for(known.id), author=wanted.author)

    return store.run(call.account, authorised_by(wanted.proof, "connections", attempt, now=call.now))


def _known(connections: Iterable[Connection], grantor: Grantor, wanted: Wanted) -> Connection | None:
    """The connection that has its access back by this grant. Raises a `Refusal` where it was to be one that can't have it from them."""
    if not wanted.refreshes:
        theirs = (each for each in connections if each.subject == grantor.subject and each.status != "disconnected")
        return next(theirs, None)
    connection = next((each for each in connections if each.id == wanted.connection), None)
    if connection is None:
        raise NotFound("The connection that was to be renewed does not exist any more. Connect the account anew.")
    if connection.status == "disconnected":
        raise IllegalMove(f"{connection.email} was disconnected meanwhile. Connect the account anew.")
    if connection.subject != grantor.subject:
        raise OtherAccount(expected=connection.email, came=grantor.email)
    return connection


def _give_back(call: Call, grant: Grant, grantor: Grantor) -> None:
    """Google ends all that a person has granted us, whichever token is given back: so not where another connection lives by it, of whatever account."""
    if grant.refresh_token is None or across_accounts.holds_grant(call.application.store, grantor.subject):
        return
    try:
        oauth.revoke(call.application.settings, token=grant.refresh_token)
    except OAuthUnavailable as error:
        log.warning("a grant that was refused could not be given back to Google: %s", error)


def grantor_of(call: Call, grant: Grant) -> Grantor:
    """From the signed ID token. Raises a `Refusal`."""
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
    return Grantor(subject=str(claims["sub"]), email=str(claims.get("email", "")))


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/<id:account>/connections/grants",
        handler=import_grant,
        access="operator",
        permission="connections",
        body=GrantedConnection,
        answer=ConnectionAnswer,
        status=201,
        refusals=(GoogleSaysNo, PermissionsMissing, GoogleSilent),
    ),
)
