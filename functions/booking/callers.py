"""Who is calling, and the proof of it.

Operators bring an API key of the account, clients the manage token of one booking or of one place on a waitlist; either as `Authorization: Bearer`.
One opens nothing of the other. Operators who have signed in bring the cookie of their browser instead, and may what their role in the account allows.
"""

import secrets
from dataclasses import dataclass
from typing import Literal

from flask import Request

from functions.adapters.composition import Application
from functions.adapters.settings import Settings
from functions.adapters.signing import same_secret, secret_hash
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.cross_site import refuse_other_sites
from functions.booking.signed_in import SignedIn, claim_of, who_is_signed_in
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Author, Ref
from functions.domain.errors import Forbidden, NotFound, Unauthorized
from functions.domain.instants import Millis
from functions.domain.membership import Member
from functions.domain.permissions import OF_ROLE, Permission

KEY_PREFIX = "bok_"
Access = Literal["public", "operator", "booking", "entry", "person", "page"]
# With this header a signed-in browser does as an operator what is public too. Without it they are a client there, as everybody is: who looks at their
# own booking page wants to see what clients see.
ACT_AS = "Act-As"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """By what it is known who an operator is: the id of an API key, or of a person with that of their sign-in. Empty of a client."""

    key: str | None = None
    person: str | None = None
    browser: str | None = None

    @property
    def holder(self) -> str | None:
        """The id of the key or the person."""
        return self.key or self.person


@dataclass(frozen=True)
class Caller:
    """`permissions`: of an operator; a client has none, and does what is theirs. `signed_in`: who, where a cookie says so. `key`: the id of the API key that
    was brought.

    All of it was so when the call began; what must be so when it ends, `authority` looks at again.
    """

    author: Author
    operator: bool = False
    permissions: frozenset[Permission] = frozenset()
    signed_in: SignedIn | None = None
    key: str | None = None

    @property
    def known(self) -> bool:
        """Whether it is known who calls, and not only what is theirs."""
        return self.operator or self.signed_in is not None

    @property
    def browser(self) -> str | None:
        """Of somebody who is signed in, which of their sign-ins it is."""
        return None if self.signed_in is None else self.signed_in.browser

    @property
    def proof(self) -> Proof:
        person = None if self.signed_in is None else self.signed_in.person.id
        return Proof(key=self.key, person=person, browser=self.browser)


CLIENT = Caller(Author(kind="client"))


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


def caller_of(request: Request, application: Application, ids: dict[str, str], access: Access, now: Millis) -> Caller:
    """Raises `Unauthorized` where the call needs a proof that is not there, `NotFound` for a booking that is not the caller's, `Forbidden` for an account
    that a person does not belong to, and `CrossSite`.

    What is public of an account is open to its operators too, who are known as such there.
    """
    if access in ("person", "page"):
        return _person(request, application, now, must_be=access == "person")
    token = _bearer(request)
    if access == "public" and not _as_operator(request, token, ids):
        return CLIENT
    if token.startswith(KEY_PREFIX):
        key = key_of(application.store.reader(ids["account"]), secret_hash(token))
        author = Author(kind="operator", name=key.name)
        return Caller(author, operator=True, permissions=key.permissions, key=key.id)
    if not token:
        return _member(request, application, ids["account"], now)
    if access == "operator":
        raise Unauthorized("Send an API key of this account as Authorization: Bearer.")
    stored_hash = _manage_hash(application, ids, access)
    if stored_hash is None or not same_secret(token, stored_hash):
        # The same answer for both: a stranger must not learn which bookings exist.
        raise NotFound("There is no such booking or place on a waitlist, or this is not its manage token.")
    return CLIENT


def may_be_known(request: Request, settings: Settings, now: Millis) -> bool:
    """Whether they bring what could be an operator's, as far as that can be judged without a look into the store: what has the form of an API key, or a
    cookie that we have signed.
    """
    return _bearer(request).startswith(KEY_PREFIX) or claim_of(request, settings, now) is not None


def _as_operator(request: Request, token: str, ids: dict[str, str]) -> bool:
    """Whether who calls something public wants to be known as an operator of the account."""
    acts = request.headers.get(ACT_AS, "").lower() == "operator" and not token
    return (token.startswith(KEY_PREFIX) or acts) and "account" in ids


def _member(request: Request, application: Application, account: str, now: Millis) -> Caller:
    """Who is signed in, as a member of the account: read at every call, because a role may be another one by now."""
    nobody = Unauthorized("Sign in, or send Authorization: Bearer, with the manage token or an API key.")
    claim = claim_of(request, application.settings, now)
    if claim is None:
        raise nobody
    reader = application.store.reader(account)
    known = who_is_signed_in(claim, reader, now, along=Member)
    if known is None:
        raise nobody
    refuse_other_sites(request, application.settings, browser=known.browser, forms=False)
    member = member_of(reader, known.person.id)
    author = Author(kind="operator", name=known.person.email)
    return Caller(author, operator=True, permissions=OF_ROLE[member.role], signed_in=known)


def key_of(reader: Reader, key: str) -> OperatorKey:
    """The API key of that id. Raises `Unauthorized`."""
    known = reader.get(Ref(OperatorKey, key))
    if known is None:
        raise Unauthorized("That API key is not one of this account's.")
    return known


def member_of(reader: Reader, person: str) -> Member:
    """What that person is in the account. Raises `Forbidden`."""
    member = reader.get(Ref(Member, person))
    if member is None:
        raise Forbidden("You do not belong to this account. An owner of it can invite you.")
    return member


def must_have(needed: Permission, permissions: frozenset[Permission]) -> None:
    """Raises `Forbidden`."""
    if needed not in permissions:
        raise Forbidden(f"For this you need the permission {needed}. An owner of the account can give it.")


def _person(request: Request, application: Application, now: Millis, *, must_be: bool) -> Caller:
    """Who is signed in, whatever they belong to. On pages (`must_be` is false) nobody need be, and what is sent may be a form of ours."""
    claim = claim_of(request, application.settings, now)
    known = None if claim is None else who_is_signed_in(claim, application.store.reader(NO_ACCOUNT), now)
    if known is None:
        if must_be:
            raise Unauthorized("Sign in with Google first, at /signin. An API key is nobody in particular.")
        return CLIENT
    refuse_other_sites(request, application.settings, browser=known.browser, forms=not must_be)
    return Caller(Author(kind="operator", name=known.person.email), signed_in=known)


def _manage_hash(application: Application, ids: dict[str, str], access: str) -> str | None:
    """Of the booking or the entry that the address names; None where there is none."""
    if access == "booking":
        from functions.domain.session import Booking

        booking = application.store.get(ids["account"], Ref(Booking, ids["booking"]))
        return None if booking is None else booking.manage_hash
    from functions.domain.waitlist.entry import WaitlistEntry

    entry = application.store.get(ids["account"], Ref(WaitlistEntry, ids["entry"]))
    return None if entry is None else entry.manage_hash


def _bearer(request: Request) -> str:
    """The token that the request brings, empty where it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
