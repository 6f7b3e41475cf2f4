"""Who belongs to the account."""

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised, may_now
from functions.booking.fields import Instant, Request
from functions.booking.keys import KeyAnswer
from functions.booking.routing import Answer, Call, Route
from functions.domain.api_keys import keys_by
from functions.domain.configuration import OperatorKey
from functions.domain.decision import Decision
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.instants import rfc3339_millis
from functions.domain.membership import Member, change_role, remove
from functions.domain.model import Model
from functions.domain.permissions import Role


class RoleChange(Request):
    role: Role


class MemberAnswer(Model):
    id: str
    email: str
    name: str
    role: Role
    joined_at: Instant

    @classmethod
    def of(cls, member: Member) -> "MemberAnswer":
        return cls(
            id=member.id,
            email=member.email,
            name=member.name,
            role=member.role,
            joined_at=rfc3339_millis(member.joined_at),
        )


class RemovedMember(Model):
    """`keys`: the API keys that they made, or that were made with these. They open the account as before, until they are revoked."""

    keys: list[KeyAnswer]


class MemberList(Model):
    members: list[MemberAnswer]


def list_members(call: Call) -> Answer:
    """Who belongs to the account, as they joined."""
    found: list[Member] = queries.all_of(call.application.store, call.account, Member)
    members = [MemberAnswer.of(each) for each in sorted(found, key=lambda each: (each.joined_at, each.id))]
    return Answer(body=MemberList(members=members))


def change_member(call: Call) -> Answer:
    """Gives a member another role. It holds from their next call on."""
    role = call.body(RoleChange).role

    def attempt(reader: Reader) -> Decision[Member]:
        members = queries.all_to_decide_on(reader, Member)
        member, may = _named(call, members), may_now(call, reader)
        return change_role(member, role, members, may=may, author=call.caller.author)

    return Answer(body=MemberAnswer.of(call.application.store.run(call.account, authorised(call, attempt))))


def remove_member(call: Call) -> Answer:
    """Takes a member out of the account. From their next call on they can do nothing here; what they did stays in the history, and the API keys that they made
    stay good: the answer names them.
    """

    def attempt(reader: Reader) -> Decision[None]:
        members = queries.all_to_decide_on(reader, Member)
        return remove(_named(call, members), members, may=may_now(call, reader), author=call.caller.author)

    store = call.application.store
    store.run(call.account, authorised(call, attempt))
    theirs = keys_by(call.ids["member"], queries.all_of(store, call.account, OperatorKey))
    return Answer(body=RemovedMember(keys=[KeyAnswer.of(each) for each in theirs]))


def _named(call: Call, members: list[Member]) -> Member:
    member = next((each for each in members if each.id == call.ids["member"]), None)
    if member is None:
        raise NotFound("There is no such member.")
    return member


_MEMBERS = "/v1/accounts/<id:account>/members"
_MEMBER = f"{_MEMBERS}/<id:member>"

ROUTES = (
    Route(method="GET", path=_MEMBERS, handler=list_members, access="operator", answer=MemberList),
    Route(
        method="PATCH",
        path=_MEMBER,
        handler=change_member,
        access="operator",
        permission="members",
        body=RoleChange,
        answer=MemberAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="DELETE",
        path=_MEMBER,
        handler=remove_member,
        access="operator",
        permission="members",
        answer=RemovedMember,
        refusals=(IllegalMove,),
    ),
)
