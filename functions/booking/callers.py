"""Who is calling, and the proof of it.

Operators bring an API key of the account, clients the manage token of one booking or of one place on a waitlist; either as `Authorization: Bearer`.
One opens nothing of the other.
"""

import secrets
from dataclasses import dataclass

from flask import Request

from functions.adapters.composition import Application
from functions.adapters.signing import same_secret, secret_hash
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Author, Ref
from functions.domain.errors import NotFound, Unauthorized
from functions.domain.permissions import Permission
from functions.domain.session import Booking
from functions.domain.waitlist.entry import WaitlistEntry

KEY_PREFIX = "bok_"


@dataclass(frozen=True)
class Caller:
    """`permissions`: of an operator; a client has none, and does what is theirs. `browser`: of somebody who is signed in, which of their sign-ins it is."""

    author: Author
    operator: bool = False
    permissions: frozenset[Permission] = frozenset()
    browser: str | None = None


CLIENT = Caller(Author(kind="client"))


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


def caller_of(request: Request, application: Application, ids: dict[str, str], access: str) -> Caller:
    """Raises `Unauthorized` where the call needs a proof that is not there, and `NotFound` for a booking that is not the caller's.

    What is public of an account is open to its operators too, who are known as such there.
    """
    token = _bearer(request)
    if access == "public" and not (token.startswith(KEY_PREFIX) and "account" in ids):
        return CLIENT
    if not token:
        raise Unauthorized("Send Authorization: Bearer, with the manage token or an API key.")
    if token.startswith(KEY_PREFIX):
        key = application.store.get(ids["account"], Ref(OperatorKey, secret_hash(token)))
        if key is None:
            raise Unauthorized("That API key is not one of this account's.")
        return Caller(Author(kind="operator", name=key.name), operator=True, permissions=key.permissions)
    if access == "operator":
        raise Unauthorized("Send an API key of this account as Authorization: Bearer.")
    stored_hash = _manage_hash(application, ids, access)
    if stored_hash is None or not same_secret(token, stored_hash):
        # The same answer for both: a stranger must not learn which bookings exist.
        raise NotFound("There is no such booking or place on a waitlist, or this is not its manage token.")
    return CLIENT


def _manage_hash(application: Application, ids: dict[str, str], access: str) -> str | None:
    """Of the booking or the entry that the address names; None where there is none."""
    if access == "booking":
        booking = application.store.get(ids["account"], Ref(Booking, ids["booking"]))
        return None if booking is None else booking.manage_hash
    entry = application.store.get(ids["account"], Ref(WaitlistEntry, ids["entry"]))
    return None if entry is None else entry.manage_hash


def _bearer(request: Request) -> str:
    """The token that the request brings, empty where it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
