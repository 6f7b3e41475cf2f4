"""The states of everything that has a life, and the steps between them. A step that is not here raises `IllegalMove`.

Everything that moves from one status to another does so through `step`; `tests/domain/test_transitions.py` walks these tables.
"""

from collections.abc import Mapping
from typing import Literal

from functions.domain.errors import IllegalMove

SessionStatus = Literal["open", "cancelled"]
BookingStatus = Literal["held", "confirmed", "cancelled", "completed", "no_show"]
EntryStatus = Literal["waiting", "offered", "booked", "left", "expired"]
ConnectionStatus = Literal["active", "needs_reconnect", "disconnected"]

Table = Mapping[tuple[str, str], str]

SESSION: Table = {
    ("open", "cancel"): "cancelled",
    ("cancelled", "reopen"): "open",
}

# What was cancelled lives again only where an operator books it again (see `brought_back`).
BOOKING: Table = {
    ("held", "confirm"): "confirmed",
    ("held", "cancel"): "cancelled",
    ("confirmed", "cancel"): "cancelled",
    ("confirmed", "complete"): "completed",
    ("confirmed", "miss"): "no_show",
    ("cancelled", "rebook"): "confirmed",
    ("completed", "miss"): "no_show",
    ("no_show", "complete"): "completed",
}

# An entry of a waitlist. What ended may be put back by an operator; a booking that is put back waits again.
ENTRY: Table = {
    ("waiting", "offer"): "offered",
    ("waiting", "book"): "booked",
    ("waiting", "leave"): "left",
    ("waiting", "expire"): "expired",
    ("offered", "accept"): "booked",
    ("offered", "decline"): "waiting",
    ("offered", "withdraw"): "waiting",
    ("offered", "leave"): "left",
    ("offered", "expire"): "expired",
    ("booked", "put_back"): "waiting",
    ("left", "put_back"): "waiting",
    ("expired", "put_back"): "waiting",
}

CONNECTION: Table = {
    ("active", "lose"): "needs_reconnect",
    ("active", "disconnect"): "disconnected",
    ("needs_reconnect", "reconnect"): "active",
    ("needs_reconnect", "lose"): "needs_reconnect",
    ("needs_reconnect", "disconnect"): "disconnected",
    ("active", "reconnect"): "active",
}


def step(table: Table, status: str, verb: str) -> str:
    """The status after `verb`. Raises `IllegalMove` where the table has no such step."""
    try:
        return table[status, verb]
    except KeyError:
        raise IllegalMove(f"This is {status}; it can't {verb} any more.", current_status=status) from None
