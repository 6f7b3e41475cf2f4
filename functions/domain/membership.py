"""Who belongs to an account, and as what. An account always has an owner."""

from collections.abc import Iterable

from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.errors import IllegalMove
from functions.domain.instants import Millis
from functions.domain.model import Document
from functions.domain.permissions import Role
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


def change_role(member: Member, role: Role, members: Iterable[Member], *, author: Author) -> Decision[Member]:
    """`members`: all of the account. Raises `IllegalMove` where it would be left without an owner."""
    if role == member.role:
        return Decision(answer=member)
    guards = () if role == "owner" else _another_owner(member, members)
    changed = member.model_copy(update={"role": role})
    entry = HistoryEntry(
        what="member.changed",
        author=author,
        before={"member": member.email, "role": member.role},
        after={"member": member.email, "role": role},
    )
    return Decision(answer=changed, documents=(changed,), guards=guards, history=(entry,))


def remove(member: Member, members: Iterable[Member], *, author: Author) -> Decision[None]:
    """Whoever leaves is removed too. Raises as `change_role` does."""
    guards = _another_owner(member, members)
    entry = HistoryEntry(what="member.removed", author=author, before={"member": member.email, "role": member.role})
    return Decision(answer=None, deletions=(Ref(Member, member.id),), guards=guards, history=(entry,))


def _another_owner(member: Member, members: Iterable[Member]) -> tuple[Ref[Member], ...]:
    """An owner who stays, if it needs one: the decision rests on that one, so that two owners can't leave past each other."""
    if member.role != "owner":
        return ()
    other = min((each.id for each in members if each.role == "owner" and each.id != member.id), default=None)
    if other is None:
        raise IllegalMove("An account always has an owner. Make somebody else an owner first.")
    return (Ref(Member, other),)
