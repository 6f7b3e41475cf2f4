"""Cursors: where the next page of a list begins. Opaque to callers, and good for the very question that they came with.

A cursor holds the position and a fingerprint of the question, so that one that is used with other filters is refused and not answered with nonsense. It is
no secret and proves nothing: what it opens, the caller may see anyway.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from functions.adapters.store.pages import Position
from functions.booking.routing import ID_PATTERN
from functions.domain.errors import Invalid

MAX_CURSOR = 300
_LARGEST = 2**63 - 1  # that Firestore can compare with


def cursor_at(position: Position, *, question: str) -> str:
    """`question`: the list and its filters, whatever says that two pages are of the same one."""
    held = json.dumps([_fingerprint(question), position.value, position.id])
    return urlsafe_b64encode(held.encode()).decode().rstrip("=")


def position_of(cursor: str, *, question: str) -> Position:
    """Raises `Invalid` for what is no cursor, and for a cursor of another question."""
    match _opened(cursor):
        case [str(fingerprint), int(value), str(id_)] if abs(value) <= _LARGEST and re.fullmatch(ID_PATTERN, id_):
            if fingerprint != _fingerprint(question):
                raise Invalid(
                    "This cursor belongs to another query. Use it with the filters it was given for, or begin without."
                )
            return Position(value, id_)
    raise Invalid("That is no cursor. Send next_cursor as it was answered, or none for the first page.")


def _opened(cursor: str) -> object:
    try:
        return json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return None


def _fingerprint(question: str) -> str:
    return sha256(question.encode()).hexdigest()[:16]
