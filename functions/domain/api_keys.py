"""API keys: how other programs prove that they may act for an account. Shown once, kept as a hash."""

from collections import deque
from collections.abc import Iterable
from itertools import chain, count

from functions.domain.configuration import OperatorKey
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.errors import Forbidden, IllegalMove, Invalid
from functions.domain.permissions import Permission

MOST_KEYS = 50


def make_key(
    key: OperatorKey, keys: Iterable[OperatorKey], *, may: frozenset[Permission], author: Author
) -> Decision[OperatorKey]:
    """`keys`: all of the account; `may`: what the maker may do, beyond which no key of theirs goes. Raises `Forbidden`, `Invalid`, `IllegalMove`."""
    if beyond := sorted(key.permissions - may):
        raise Forbidden(f"You can't give what you do not have: {', '.join(beyond)}.")
    if "@" in key.name:
        raise Invalid(
            "A key's name holds no @: in the history, people are named by their address and programs by their key."
        )
    keys = tuple(keys)
    if any(each.name == key.name for each in keys):
        raise IllegalMove(f"There is a key with the name {key.name}. The history could not tell the two apart.")
    if len(keys) >= MOST_KEYS:
        raise IllegalMove(f"An account has at most {MOST_KEYS} keys. Revoke one first.")
    return Decision(answer=key, documents=(key,), history=(_entry("key.made", key, author),))


def keys_by(maker: str, keys: Iterable[OperatorKey]) -> list[OperatorKey]:
    """Those that this person (or key) made, and those that were made with these, in that order."""
    keys = tuple(keys)
    found: list[OperatorKey] = []
    makers = deque((maker,))
    while makers:
        made = [each for each in keys if each.made_by == makers[0]]
        makers.extend(each.id for each in made)
        found += made
        makers.popleft()
    return found


def free_name(name: str, keys: Iterable[OperatorKey]) -> str:
    """That name, or with the first number that no key has."""
    taken = {each.name for each in keys}
    return next(each for each in chain((name,), (f"{name} {number}" for number in count(2))) if each not in taken)


def revoke_key(key: OperatorKey, *, may: frozenset[Permission], author: Author) -> Decision[None]:
    """From the commit on it opens nothing. `may`: what who revokes it may do. Raises `Forbidden`."""
    if beyond := sorted(key.permissions - may):
        raise Forbidden(f"That key may what you may not: {', '.join(beyond)}.")
    return Decision(answer=None, deletions=(Ref(OperatorKey, key.id),), history=(_entry("key.revoked", key, author),))


def _entry(what: str, key: OperatorKey, author: Author) -> HistoryEntry:
    return HistoryEntry(what=what, author=author, after={"key": key.name, "permissions": sorted(key.permissions)})
