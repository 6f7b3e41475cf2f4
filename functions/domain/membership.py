"""Who belongs to an account, and as what. An account always has an owner."""

from collections.abc import Iterable

from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.errors import Forbidden, IllegalMove
from functions.domain.instants import Millis
from functions.domain.model import Document
from functions.domain.permissions import Permission, Role, role_within
from functions.domain.person import Person

MOST_MEMBERS = 100


class Member(Document):
    """A person in one account. `id` is the person's; `email` and `name` are those that they had when they joined."""

    id: str
    email: str
    name: str = ""
    role: Role
    joined_at: Millis


def joining(person: Person, role: Role, *, now: Millis) -> Member:
    return Member(id=person.id, email=person.email, name=person.name, role=role, joined_at=now)


def change_role(
    member: Member, role: Role, members: Iterable[Member], *, may: frozenset[Permission], author: Author
) -> Decision[Member]:
    """`members`: all of the account; `may`: what who changes it may do. Raises `IllegalMove` where it would be left without an owner, and `Forbidden`."""
    if role == member.role:
        return Decision(answer=member)
    must_cover(may, role)
    must_cover(may, member.role)
    guards = () if role == "owner" else _another_owner(member, members)
    changed = member.model_copy(update={"role": role})
    entry = HistoryEntry(
        what="member.changed",
        author=author,
        before={"member": member.email, "role": member.role},
        after={"member": member.email, "role": role},
    )
    return Decision(answer=changed, documents=(changed,), guards=guards, history=(entry,))


def remove(member: Member, members: Iterable[Member], *, may: frozenset[Permission], author: Author) -> Decision[None]:
    """Whoever leaves is removed too, and may that in any role. Raises as `change_role` does."""
    must_cover(may, member.role)
    guards = _another_owner(member, members)
    entry = HistoryEntry(what="member.removed", author=author, before={"member": member.email, "role": member.role})
    return Decision(answer=None, deletions=(Ref(Member, member.id),), guards=guards, history=(entry,))


def must_cover(may: frozenset[Permission], role: Role) -> None:
    """Raises `Forbidden` for who may not give or take that role."""
    if not role_within(role, may):
        raise Forbidden(f"The role {role} may more than you may yourself.")


def _another_owner(member: Member, members: Iterable[Member]) -> tuple[Ref[Member], ...]:
    """An owner who stays, if it needs one: the decision rests on that one, so that two owners can't leave past each other."""
    if member.role != "owner":
        return ()
    other = min((each.id for each in members if each.role == "owner" and each.id != member.id), default=None)
    if other is None:
        raise IllegalMove("An account always has an owner. Make somebody else an owner first.")
    return (Ref(Member, other),)
