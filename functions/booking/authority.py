"""What who calls may do, as it stands in the commit of what they ask for (law 1).

Who may call is known before their body is read, which may take a while. What outlives the call (a key, an invitation, a role, a connection) or can't be undone
rests on their key, or on their sign-in and membership, read with all else that it is decided on: whoever is removed meanwhile leaves nothing behind.
"""

from collections.abc import Callable
from typing import TypeVar

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.callers import Proof, key_of, member_of, must_have
from functions.booking.routing import Call
from functions.domain.configuration import OperatorKey
from functions.domain.decision import AnyRef, Decision, Ref
from functions.domain.errors import Unauthorized
from functions.domain.instants import Millis
from functions.domain.membership import Member
from functions.domain.permissions import OF_ROLE, Permission
from functions.domain.person import Person

A = TypeVar("A")


def authorised(call: Call, attempt: Callable[[Reader], Decision[A]]) -> Callable[[Reader], Decision[A]]:
    """The attempt, of an operator who still may what the route needs. Its refusals: `Unauthorized`, `Forbidden`, and the attempt's own."""
    return authorised_by(call.caller.proof, call.route.needs, attempt, now=call.now)


def authorised_by(
    proof: Proof, needed: Permission, attempt: Callable[[Reader], Decision[A]], *, now: Millis
) -> Callable[[Reader], Decision[A]]:
    """The same where the proof was brought by another call than this."""

    def proven(reader: Reader) -> Decision[A]:
        must_have(needed, _permissions(proof, reader, now))
        return attempt(reader).resting_on(*_documents(proof))

    return proven


def may_now(call: Call, reader: Reader) -> frozenset[Permission]:
    """Raises `Unauthorized` where their key was revoked, or they were signed out, and `Forbidden` where they do not belong to the account any more."""
    return _permissions(call.caller.proof, reader, call.now)


def signed_in_now(call: Call, reader: Reader) -> Person:
    """Who calls, in whatever account. Raises `Unauthorized`."""
    return _person(call.caller.proof, reader, call.now)


def _permissions(proof: Proof, reader: Reader, now: Millis) -> frozenset[Permission]:
    reader.load(ACCOUNT, *_documents(proof))
    if proof.key is not None:
        return key_of(reader, proof.key).permissions
    return OF_ROLE[member_of(reader, _person(proof, reader, now).id).role]


def _person(proof: Proof, reader: Reader, now: Millis) -> Person:
    person = None if proof.person is None else reader.get(Ref(Person, proof.person))
    if person is None or proof.browser is None or not person.signed_in(proof.browser, now):
        raise Unauthorized("Sign in again.")
    return person


def _documents(proof: Proof) -> tuple[AnyRef, ...]:
    """That say what who has the proof may."""
    if proof.key is not None:
        return (Ref(OperatorKey, proof.key),)
    return () if proof.person is None else (Ref(Person, proof.person), Ref(Member, proof.person))
