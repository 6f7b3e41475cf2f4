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
from functions.domain.session import Booking
from functions.domain.waitlist.entry import WaitlistEntry

KEY_PREFIX = "bok_"


@dataclass(frozen=True)
class Caller:
    author: Author
    operator: bool = False


CLIENT = Caller(Author(kind="client"))


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


def caller_of(request: Request, application: Application, ids: dict[str, str], access: str) -> Caller:
    """Raises `Unauthorized` where the call needs a proof that is not there, and `NotFound` for a booking that is not the caller's."""
    if access == "public":
        return CLIENT
    token = _bearer(request)
    if token.startswith(KEY_PREFIX):
        key = application.store.get(ids["account"], Ref(OperatorKey, secret_hash(token)))
        if key is None:
            raise Unauthorized("That API key is not one of this account's.")
        return Caller(Author(kind="operator", name=key.name), operator=True)
    if access == "operator":
        raise Unauthorized("Send an API key of this account as Authorization: Bearer.")
    store, account = application.store, ids["account"]
    found: Booking | WaitlistEntry | None
    if access == "booking":
        found = store.get(account, Ref(Booking, ids["booking"]))
    else:
        found = store.get(account, Ref(WaitlistEntry, ids["entry"]))
    if found is None or not same_secret(token, found.manage_hash):
        # The same answer for both: a stranger must not learn which bookings exist.
        raise NotFound("There is no such booking or place on a waitlist, or this is not its manage token.")
    return CLIENT


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("Send Authorization: Bearer, with the manage token or an API key.")
    return token.strip()
