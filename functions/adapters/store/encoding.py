"""How each kind of document is written as Firestore fields.

Map-like payloads that are never queried (a ledger's sessions and blocks, a session's copies) are excluded from indexes by
`infra/firestore.indexes.json`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from functions.adapters.store.documents import ACCOUNT, OCCUPATION_FIELDS, mirror_ref
from functions.adapters.store.records import PendingConsent, StoredAnswer
from functions.adapters.store.wire import GONE, Path
from functions.domain.configuration import Account
from functions.domain.decision import AnyRef, Ref
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import Minute, datetime_of_millis
from functions.domain.intervals import Interval
from functions.domain.invitation import Invitation
from functions.domain.ledger import LedgerChange, Occupation
from functions.domain.model import Document
from functions.domain.rate_limits import OneMore, Usage
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import WaitlistEntry


def ref_of(document: Document) -> AnyRef:
    if isinstance(document, Account):
        return ACCOUNT
    if isinstance(document, MirrorEvent):
        return mirror_ref(document.calendar, document.id)
    return Ref(type(document), document.id)  # type: ignore[attr-defined]


def encode(document: Document) -> dict[str, Any]:
    fields = document.model_dump(mode="json")
    if isinstance(document, StoredAnswer | PendingConsent | Usage | Invitation):
        # Firestore's time-to-live policy reads a timestamp; the code itself never trusts it to have run.
        fields["ttl"] = datetime_of_millis(document.expires_at)
    if isinstance(document, Session):
        # Follows from the copies, which are not indexed; for the query that finds what Google has not been told yet.
        fields["copy_pending"] = document.copy_pending
    if isinstance(document, Booking | WaitlistEntry):
        # For the query that finds whom to forget.
        fields["names_client"] = bool(document.client.email)
    return fields


def count_fields(one_more: OneMore) -> dict[Path, Any]:
    """The field paths that go with one more of a count: whatever of the usage is not named stays as it is."""
    end = one_more.expires_at
    known: dict[Path, Any] = {("id",): one_more.usage, ("expires_at",): end, ("ttl",): datetime_of_millis(end)}
    return known | {("counts", count): GONE for count in one_more.gone}


def encode_occupation(occupation: Occupation) -> dict[str, Any]:
    fields = {name: getattr(occupation, name) for name in OCCUPATION_FIELDS}
    waiting = occupation.waiting
    return fields | {
        "accepted": list(occupation.accepted),
        "holds": {key: [hold.seats, hold.expires_at] for key, hold in occupation.holds.items()},
        "waiting": None if waiting is None else asdict(waiting),
    }


def encode_blocks(intervals: tuple[Interval, ...]) -> list[Minute]:
    """Flat, because Firestore has no arrays in arrays: start, end, start, end, …"""
    return [minute for interval in intervals for minute in interval]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Path, Any]:
    """The field paths at which a document becomes another. Maps are compared key by key, so that one who joins a class of 200 writes one seat.

    Fields that are not in `after` stay: a newer version of the code wrote them.
    """
    found: dict[Path, Any] = {}
    for name, value in after.items():
        known = before.get(name, GONE)
        if isinstance(value, dict) and isinstance(known, dict):
            found |= {(name, *path): inner for path, inner in differences(known, value).items()}
            found |= {(name, key): GONE for key in known.keys() - value.keys()}
        elif known is GONE or value != known:
            found[name,] = value
    return found


def change_fields(change: LedgerChange) -> dict[Path, Any]:
    """The field paths that a ledger change sets."""
    fields: dict[Path, Any] = {
        ("sessions", key): GONE if value is None else encode_occupation(value) for key, value in change.sessions.items()
    }
    for calendar in change.cleared:
        fields["blocks", calendar] = GONE
    for (calendar, event), intervals in change.blocks.items():
        fields["blocks", calendar, event] = GONE if not intervals else encode_blocks(intervals)
    return fields


def new_month_fields(change: LedgerChange) -> dict[str, Any]:
    """A ledger month that begins with this change."""
    fields: dict[str, Any] = {}
    for path, value in change_fields(change).items():
        if value is not GONE:
            inner = fields
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            inner[path[-1]] = value
    return fields
