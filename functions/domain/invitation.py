"""Invitations to an account, by e-mail. Good once, for a week, and only for who has that address: Google must have verified it."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.decision import Author, Decision, Effect, HistoryEntry, Ref
from functions.domain.errors import Forbidden, IllegalMove
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis
from functions.domain.membership import MOST_MEMBERS, Member, joining, must_cover
from functions.domain.model import Document
from functions.domain.permissions import Permission, Role
from functions.domain.person import Person

LIFE_MS = 7 * DAY_MINUTES * MINUTE_MS
MOST_OPEN = 20  # of one account: each is a mail to somebody who has not asked for it


class Invitation(Document):
    """`token_hash`: of the token in the mail. `invited_by`: the name of its author in the history."""

    id: str
    email: str
    role: Role
    invited_by: str
    token_hash: str
    created_at: Millis
    expires_at: Millis

    def is_open(self, now: Millis) -> bool:
        return now < self.expires_at


@dataclass(frozen=True, kw_only=True)
class NewInvitation:
    id: str
    email: str
    role: Role
    token_hash: str


def invite(
    new: NewInvitation,
    members: Iterable[Member],
    invitations: Iterable[Invitation],
    *,
    may: frozenset[Permission],
    now: Millis,
    author: Author,
) -> Decision[Invitation]:
    """`members`, `invitations`: all of the account; `may`: what who invites may do. One that is open to the same address is replaced. Raises
    `IllegalMove` and `Forbidden`.
    """
    must_cover(may, new.role)
    members = tuple(members)
    if any(_same_address(member.email, new.email) for member in members):
        raise IllegalMove(f"{new.email} belongs to this account already. Change their role instead.")
    former = [each for each in invitations if _same_address(each.email, new.email)]
    for each in former:
        must_cover(may, each.role)  # it is taken back
    still_open = [each for each in invitations if each.is_open(now) and each not in former]
    if len(still_open) >= MOST_OPEN or len(members) + len(still_open) >= MOST_MEMBERS:
        raise IllegalMove(
            f"An account has at most {MOST_MEMBERS} members and {MOST_OPEN} open invitations. Take one back first."
        )
    invitation = Invitation(**vars(new), invited_by=author.name, created_at=now, expires_at=now + LIFE_MS)
    return Decision(
        answer=invitation,
        documents=(invitation,),
        deletions=tuple(Ref(Invitation, each.id) for each in former),
        history=(_entry("invitation.made", invitation, author),),
        effects=(Effect(kind="notify", subject=invitation.id, about="invited"),),
    )


def accept(invitation: Invitation, person: Person, member: Member | None, *, now: Millis) -> Decision[Member]:
    """`member`: what this person is in the account already. Raises `IllegalMove`, and `Forbidden` where somebody else was invited."""
    if not invitation.is_open(now):
        raise IllegalMove("This invitation has run out. Ask for another one.")
    if not _same_address(invitation.email, person.email):
        # Not to whom: the mail may have been sent on, and the address is its owner's.
        raise Forbidden(f"Somebody else than {person.email} was invited. Sign in with the address that got the mail.")
    if member is not None:
        raise IllegalMove("You belong to this account already.")
    joined = joining(person, invitation.role, now=now)
    entry = HistoryEntry(
        what="member.joined",
        author=Author(kind="operator", name=person.email),
        why=f"invited by {invitation.invited_by}",
        after={"member": joined.email, "role": joined.role},
    )
    return Decision(answer=joined, documents=(joined,), deletions=(Ref(Invitation, invitation.id),), history=(entry,))


def take_back(invitation: Invitation, *, may: frozenset[Permission], author: Author) -> Decision[None]:
    """`may`: what who takes it back may do. Raises `Forbidden`."""
    must_cover(may, invitation.role)
    return Decision(
        answer=None,
        deletions=(Ref(Invitation, invitation.id),),
        history=(_entry("invitation.taken_back", invitation, author),),
    )


def _entry(what: str, invitation: Invitation, author: Author) -> HistoryEntry:
    return HistoryEntry(what=what, author=author, after={"invited": invitation.email, "role": invitation.role})


def _same_address(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
