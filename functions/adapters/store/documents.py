"""Where each kind of document lives, nearly all of them below their account, and how it is written as Firestore fields.

Map-like payloads that are never queried (a ledger's sessions and blocks, a session's copies) are excluded from indexes by
`infra/firestore.indexes.json`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar
from urllib.parse import quote

from functions.adapters.store.records import HistoryRecord, OutboxRecord, PendingConsent, StoredAnswer
from functions.adapters.store.wire import GONE, Path
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Account, OperatorKey, Resource, Service
from functions.domain.decision import AnyRef, Ref
from functions.domain.erasing import Erasure
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import Minute, datetime_of_millis, months_between
from functions.domain.intervals import Interval
from functions.domain.invitation import Invitation
from functions.domain.ledger import Hold, LedgerChange, LedgerMonth, Occupation, Waiting, ledger_id
from functions.domain.membership import Member
from functions.domain.model import Document
from functions.domain.pacing import WritePause
from functions.domain.person import Person
from functions.domain.rate_limits import OneMore, Usage
from functions.domain.session import Booking, ClientGuard, Session
from functions.domain.waitlist.entry import Queue, WaitlistEntry
from functions.domain.waitlist.preset import Preset

D = TypeVar("D")

COLLECTIONS: Mapping[type[Any], str] = {
    Resource: "resources",
    Service: "services",
    Session: "sessions",
    Booking: "bookings",
    ClientGuard: "clients",
    Connection: "connections",
    Calendar: "calendars",
    WritePause: "pauses",
    OperatorKey: "keys",
    Member: "members",
    Invitation: "invitations",
    Preset: "presets",
    Queue: "queues",
    WaitlistEntry: "waitlist",
    HistoryRecord: "history",
    OutboxRecord: "outbox",
    StoredAnswer: "idempotency",
    PendingConsent: "consents",
    Usage: "usage",
    Erasure: "erasures",
}


OCCUPATION_FIELDS = (
    "service",
    "start",
    "end",
    "taken_from",
    "taken_until",
    "capacity",
    "seats",
    "scheduled",
    "closed",
    "placed_at",
    "conflict",
    "accepted",
)

# The account's own document: there is one, so the id does not matter.
ACCOUNT = Ref(Account, "")
# In place of an account's id, for a decision about a person alone. It can have no history and no effects, which are an account's.
NO_ACCOUNT = ""


def mirror_ref(calendar: str, event: str) -> Ref[MirrorEvent]:
    return Ref(MirrorEvent, f"{calendar}/{event}")


def ledger_ref(resource: str, month: str) -> Ref[LedgerMonth]:
    return Ref(LedgerMonth, ledger_id(resource, month))


def ledger_refs_of(session: Session) -> tuple[Ref[LedgerMonth], ...]:
    """Every ledger month that holds the session: to be read before a decision that moves or cancels it."""
    months = months_between(*session.occupation.taken)
    return tuple(ledger_ref(resource, month) for resource in session.resources for month in months)


def ref_of(document: Document) -> AnyRef:
    if isinstance(document, Account):
        return ACCOUNT
    if isinstance(document, MirrorEvent):
        return mirror_ref(document.calendar, document.id)
    return Ref(type(document), document.id)  # type: ignore[attr-defined]


def path_of(account: str, ref: AnyRef) -> str:
    """The document's path. Event ids are Google's and may hold what a path may not. A person is not an account's, but may be read and written with it."""
    if ref.type is Person:
        return f"people/{ref.id}"
    if ref.type is Account:
        return f"accounts/{account}"
    if ref.type is LedgerMonth:
        resource, _, month = ref.id.partition("/")
        return f"accounts/{account}/resources/{resource}/months/{month}"
    if ref.type is MirrorEvent:
        calendar, _, event = ref.id.partition("/")
        return f"accounts/{account}/calendars/{calendar}/events/{quote(event, safe='@')}"
    return f"accounts/{account}/{COLLECTIONS[ref.type]}/{ref.id}"


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


def decode(ref: Ref[D], fields: Mapping[str, Any]) -> D:
    if ref.type is LedgerMonth:
        return _decode_month(ref.id, fields)  # type: ignore[return-value]
    return ref.type.model_validate(fields)  # type: ignore[attr-defined,no-any-return]


def _decode_month(month_id: str, fields: Mapping[str, Any]) -> LedgerMonth:
    resource, _, month = month_id.partition("/")
    return LedgerMonth(
        resource=resource,
        month=month,
        sessions={key: _occupation(key, value) for key, value in fields.get("sessions", {}).items()},
        blocks={
            calendar: {event: _intervals(flat) for event, flat in events.items()}
            for calendar, events in fields.get("blocks", {}).items()
        },
    )


def _occupation(session: str, fields: Mapping[str, Any]) -> Occupation:
    known = {name: fields[name] for name in OCCUPATION_FIELDS if name in fields}
    holds = {key: Hold(seats=hold[0], expires_at=hold[1]) for key, hold in fields.get("holds", {}).items()}
    waiting = Waiting(**fields["waiting"]) if fields.get("waiting") else None
    known["accepted"] = tuple(fields.get("accepted", ()))
    return Occupation(session=session, holds=holds, waiting=waiting, **known)


def _intervals(flat: list[Minute]) -> tuple[Interval, ...]:
    return tuple(Interval(*pair) for pair in zip(flat[::2], flat[1::2], strict=True))


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
