"""Ids of the Google events we make, and back.

A session's id is 26 characters of base32hex (128 random bits); its event's id is that, six characters that name the calendar and two
that count the attempt. So the id is known before Google is asked (insert is safe to repeat), a tombstone that carries nothing but its id leads
to the session, and a deliberate re-creation gets an id of its own (Google never lets a deleted id be used again). Characters and length follow
Google's rule for `Event.id`: a-v and 0-9, 5 to 1024. An event is ours only if the session says so too: anybody may copy an id's form.
"""

import re
from base64 import b32hexencode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

_SHAPE = re.compile(r"([0-9a-v]{26})[0-9a-v]{6}[0-9a-v]{2}")
MOST_ATTEMPTS = 1024
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


def session_id(random_bytes: bytes) -> str:
    """16 random bytes as an id."""
    if len(random_bytes) != 16:
        raise ValueError("a session id is made of 16 bytes")
    return b32hexencode(random_bytes).decode().rstrip("=").lower()


def event_id(session: str, calendar: str, attempt: int) -> str:
    """The id of the session's event in that calendar. `attempt` is below `MOST_ATTEMPTS`."""
    tag = b32hexencode(sha256(calendar.encode()).digest()).decode().lower()[:6]
    return f"{session}{tag}{_DIGITS[attempt // 32]}{_DIGITS[attempt % 32]}"


def session_of(event: str) -> str | None:
    """The session that an event id of our form names; None where it has another form."""
    match = _SHAPE.fullmatch(event)
    return match[1] if match else None


def names_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids under which an event may be one of ours: its own (of an exception, its series'), and that in the iCalUID which Google gives all its copies."""
    own = str(event.get("recurringEventId") or event["id"])
    return own, str(event.get("iCalUID") or "").removesuffix("@google.com")


def session_named_by(event: Mapping[str, Any]) -> str | None:
    """The session that an event names by any of these."""
    return next((found for name in names_of(event) if (found := session_of(name)) is not None), None)
