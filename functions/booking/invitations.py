"""Invitations to an account: made and taken back by who may, accepted by who got the mail."""

import os
import re
from typing import Annotated

from pydantic import Field

from functions.adapters.settings import SecretKey
from functions.adapters.signing import invitation_token, same_secret, secret_hash
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised, may_now, signed_in_now
from functions.booking.fields import Email, Instant, Request
from functions.booking.idempotency import answered_once
from functions.booking.me import Membership
from functions.booking.rate_limits import limited_invitation
from functions.booking.routing import ID_PATTERN, Answer, Call, Route
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.event_ids import session_id
from functions.domain.instants import rfc3339_millis
from functions.domain.invitation import Invitation, NewInvitation, accept, invite, take_back
from functions.domain.membership import Member
from functions.domain.model import Model
from functions.domain.permissions import Role
from functions.domain.person import Person

_TOKEN = re.compile(rf"(?P<account>{ID_PATTERN})\.(?P<invitation>{ID_PATTERN})\.[A-Za-z0-9_-]{{43}}")


class InvitationBody(Request):
    email: Email
    role: Role


class InvitationToken(Request):
    """What is behind the # of the address in the mail."""

    token: Annotated[str, Field(max_length=300)]


class InvitationAnswer(Model):
    id: str
    email: str
    role: Role
    invited_by: str
    expires_at: Instant

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationAnswer":
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            invited_by=invitation.invited_by,
            expires_at=rfc3339_millis(invitation.expires_at),
        )


class InvitationList(Model):
    invitations: list[InvitationAnswer]


def list_invitations(call: Call) -> Answer:
    """The invitations that are open, the one that runs out first first."""
    found: list[Invitation] = queries.all_of(call.application.store, call.account, Invitation)
    still_open = sorted((each for each in found if each.is_open(call.now)), key=lambda each: each.expires_at)
    return Answer(body=InvitationList(invitations=[InvitationAnswer.of(each) for each in still_open]))


def make_invitation(call: Call) -> Answer:
    """Invites somebody by mail. To invite them again sends another one, and the first is no good any more."""
    body = call.body(InvitationBody)
    new = new_invitation(call.application.settings.signing_keys[0], call.account, body.email, body.role)

    def attempt(reader: Reader) -> Decision[InvitationAnswer]:
        account_of(reader)  # first, because all invitations rest on it: no two are made past each other
        decision = invite(
            new,
            queries.all_to_decide_on(reader, Member),
            queries.all_to_decide_on(reader, Invitation),
            may=may_now(call, reader),
            now=call.now,
            author=call.caller.author,
        )
        return decision.with_answer(InvitationAnswer.of(decision.answer)).resting_on(ACCOUNT)

    made = answered_once(
        call,
        authorised(call, limited_invitation(call, attempt, email=body.email)),
        keep=lambda answer: answer.model_dump(mode="json"),
        repeat=InvitationAnswer.model_validate,
    )
    return Answer(body=made, status=201)


def new_invitation(key: SecretKey, account: str, email: str, role: Role) -> NewInvitation:
    """With an id of its own. The token is derived from that when the mail is sent, and stands nowhere."""
    new = session_id(os.urandom(16))
    return NewInvitation(id=new, email=email, role=role, token_hash=secret_hash(invitation_token(key, account, new)))


def delete_invitation(call: Call) -> Answer:
    """Takes an invitation back: its mail opens nothing any more."""

    def attempt(reader: Reader) -> Decision[None]:
        invitation = reader.get(Ref(Invitation, call.ids["invitation"]))
        if invitation is None:
            raise NotFound("There is no such invitation.")
        return take_back(invitation, may=may_now(call, reader), author=call.caller.author)

    call.application.store.run(call.account, authorised(call, attempt))
    return Answer(status=204)


def accept_invitation(call: Call) -> Answer:
    """Joins the account that the mail was about, with the address that got it."""
    return Answer(body=join(call, call.body(InvitationToken).token), status=201)


def join(call: Call, token: str) -> Membership:
    """Makes who is signed in a member of the account that invited them. Raises `NotFound`, and what `accept` raises."""
    token = token.strip()
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise NotFound("That is not the token of an invitation. Open the address in the mail again.")
    ref, me = Ref(Invitation, found["invitation"]), call.signed_in.person.id

    def attempt(reader: Reader) -> Decision[Membership]:
        reader.load(ACCOUNT, ref, Ref(Person, me), Ref(Member, me))
        account, invitation, person = reader.get(ACCOUNT), reader.get(ref), signed_in_now(call, reader)
        if account is None or invitation is None or not same_secret(token, invitation.token_hash):
            raise NotFound("There is no such invitation. It may have been used, taken back or replaced by another.")
        decision = accept(invitation, person, reader.get(Ref(Member, me)), now=call.now)
        return decision.with_answer(Membership.of(account, decision.answer)).resting_on(Ref(Person, me))

    return call.application.store.run(found["account"], attempt)


_INVITATIONS = "/v1/accounts/<id:account>/invitations"

ROUTES = (
    Route(
        method="GET",
        path=_INVITATIONS,
        handler=list_invitations,
        access="operator",
        permission="members",
        answer=InvitationList,
    ),
    Route(
        method="POST",
        path=_INVITATIONS,
        handler=make_invitation,
        access="operator",
        permission="members",
        body=InvitationBody,
        answer=InvitationAnswer,
        status=201,
        refusals=(IllegalMove,),
        once=True,
    ),
    Route(
        method="DELETE",
        path=f"{_INVITATIONS}/<id:invitation>",
        handler=delete_invitation,
        access="operator",
        permission="members",
        status=204,
    ),
    Route(
        method="POST",
        path="/v1/invitations/accept",
        handler=accept_invitation,
        access="person",
        body=InvitationToken,
        answer=Membership,
        status=201,
        refusals=(NotFound, IllegalMove),
    ),
)
