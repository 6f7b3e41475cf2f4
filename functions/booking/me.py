"""Who is signed in, and which accounts they belong to."""

from functions.adapters.store import across_accounts, queries
from functions.adapters.store.store import Reader
from functions.booking.authority import signed_in_now
from functions.booking.routing import Answer, Call, Route
from functions.domain.configuration import Account
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IllegalMove, NotFound
from functions.domain.membership import Member, remove
from functions.domain.model import Model
from functions.domain.permissions import OF_ROLE, Permission, Role
from functions.domain.person import Person


class Membership(Model):
    """An account that somebody belongs to. `permissions` follow from the role."""

    id: str
    name: str
    role: Role
    permissions: list[Permission]

    @classmethod
    def of(cls, account: Account, member: Member) -> "Membership":
        return cls(id=account.id, name=account.name, role=member.role, permissions=sorted(OF_ROLE[member.role]))


class Me(Model):
    id: str
    email: str
    name: str
    accounts: list[Membership]


def me(call: Call) -> Answer:
    """Who is signed in, and the accounts that they belong to."""
    person = call.signed_in.person
    return Answer(body=Me(id=person.id, email=person.email, name=person.name, accounts=accounts_of(call)))


def accounts_of(call: Call) -> list[Membership]:
    """Of who is signed in, by name."""
    found = across_accounts.memberships(call.application.store, call.signed_in.person.id)
    return sorted((Membership.of(*each) for each in found), key=lambda each: (each.name, each.id))


def leave_account(call: Call) -> Answer:
    """Leaves an account. Everybody may, except the last owner."""

    def attempt(reader: Reader) -> Decision[None]:
        members = queries.all_to_decide_on(reader, Member)
        mine = next((each for each in members if each.id == call.signed_in.person.id), None)
        if mine is None:
            raise NotFound("You do not belong to that account.")
        person = signed_in_now(call, reader)
        decision = remove(mine, members, may=OF_ROLE[mine.role], author=call.caller.author)
        return decision.resting_on(Ref(Person, person.id))

    call.application.store.run(call.account, attempt)
    return Answer(status=204)


ROUTES = (
    Route(method="GET", path="/v1/me", handler=me, access="person", answer=Me),
    Route(
        method="DELETE",
        path="/v1/me/accounts/<id:account>",
        handler=leave_account,
        access="person",
        status=204,
        refusals=(IllegalMove,),
    ),
)
