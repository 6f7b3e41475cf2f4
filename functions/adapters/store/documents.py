"""Where each kind of document lives, nearly all of them below their account, and how it is read from Firestore's fields. (How it is written: `encoding`.)"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from functions.domain.configuration import Account
from functions.domain.decision import AnyRef, Ref
from functions.domain.instants import Minute, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, LedgerMonth, Occupation, Waiting, ledger_id

if TYPE_CHECKING:
    from functions.domain.google_event import MirrorEvent
    from functions.domain.session import Session

D = TypeVar("D")

# By the name of the document's type: whoever reads some kinds does not load the others.
COLLECTIONS: Mapping[str, str] = {
    "Resource": "resources",
    "Service": "services",
    "Session": "sessions",
    "Booking": "bookings",
    "ClientGuard": "clients",
    "Connection": "connections",
    "Calendar": "calendars",
    "WritePause": "pauses",
    "OperatorKey": "keys",
    "Member": "members",
    "Invitation": "invitations",
    "Preset": "presets",
    "Queue": "queues",
    "WaitlistEntry": "waitlist",
    "HistoryRecord": "history",
    "OutboxRecord": "outbox",
    "StoredAnswer": "idempotency",
    "PendingConsent": "consents",
    "Usage": "usage",
    "Erasure": "erasures",
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
# In place of an account's id, for a decision about a person alone, or about whoever is about to sign in. It can have no history and no effects, which are
# an account's.
NO_ACCOUNT = ""


def collection_of(type_: type[Any]) -> str:
    return COLLECTIONS[type_.__name__]


def mirror_ref(calendar: str, event: str) -> "Ref[MirrorEvent]":
    from functions.domain.google_event import MirrorEvent

    return Ref(MirrorEvent, f"{calendar}/{event}")


def ledger_ref(resource: str, month: str) -> Ref[LedgerMonth]:
    return Ref(LedgerMonth, ledger_id(resource, month))


def ledger_refs_of(session: "Session") -> tuple[Ref[LedgerMonth], ...]:
    """Every ledger month that holds the session: to be read before a decision that moves or cancels it."""
    months = months_between(*session.occupation.taken)
    return tuple(ledger_ref(resource, month) for resource in session.resources for month in months)


def path_of(account: str, ref: AnyRef) -> str:
    """The document's path. Event ids are Google's and may hold what a path may not. A person is not an account's, but may be read and written with it."""
    kind = ref.type.__name__
    if kind == "Person":
        return f"people/{ref.id}"
    if kind == "Usage" and account == NO_ACCOUNT:
        return f"usage/{ref.id}"
    if ref.type is Account:
        return f"accounts/{account}"
    if ref.type is LedgerMonth:
        resource, _, month = ref.id.partition("/")
        return f"accounts/{account}/resources/{resource}/months/{month}"
    if kind == "MirrorEvent":
        calendar, _, event = ref.id.partition("/")
        return f"accounts/{account}/calendars/{calendar}/events/{quote(event, safe='@')}"
    return f"accounts/{account}/{COLLECTIONS[kind]}/{ref.id}"


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
