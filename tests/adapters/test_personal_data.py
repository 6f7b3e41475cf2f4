"""Where personal data of clients are: every field of every document that can hold text is either marked as personal, and then known to what erases it, or
named here with what it holds instead. So a new one can't be forgotten.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from functions.adapters.store.documents import COLLECTIONS
from functions.adapters.store.history import without_client
from functions.adapters.store.records import HistoryRecord, OutboxRecord, PendingConsent, StoredAnswer
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Account, OperatorKey, Resource, Service
from functions.domain.erasing import Erasure, erase_booking, erase_entry, finish
from functions.domain.google_event import EventTime, MirrorEvent
from functions.domain.invitation import Invitation
from functions.domain.ledger import LedgerMonth, Occupation
from functions.domain.membership import Member
from functions.domain.model import Document, Personal
from functions.domain.pacing import WritePause
from functions.domain.rate_limits import Usage
from functions.domain.session import Booking, Client, ClientGuard, Conflict, GoogleCopy, Session
from functions.domain.waitlist.entry import Offered, Place, Queue, WaitlistEntry, Wish
from functions.domain.waitlist.preset import Preset
from tests.domain.builders import BY_OPERATOR, CALENDAR, NOW, SESSION, booking, copy, session

# What operators set up, and what belongs to Google accounts of theirs: no client is in it.
OF_THE_BUSINESS = {
    Account,
    OperatorKey,
    Member,
    Invitation,
    Resource,
    Service,
    Preset,
    Connection,
    Calendar,
    WritePause,
    PendingConsent,
}

IDS: Mapping[type[Any], str] = {
    Session: "id service resources series waitlist",
    GoogleCopy: "calendar event home",
    Conflict: "calendar",
    Booking: "id session service resources entry series",
    Queue: "id",
    Place: "",
    Wish: "sessions resource",
    Offered: "booking",
    WaitlistEntry: "id service booking",
    HistoryRecord: "id session booking resource calendar service entry",
    OutboxRecord: "id subject",
    StoredAnswer: "id about",
    Erasure: "id kept sessions",
    MirrorEvent: "id calendar series session spared",
    LedgerMonth: "resource month",
    Occupation: "session service",
}
WORDS_OF_OURS: Mapping[type[Any], str] = {
    Session: "accepted",
    GoogleCopy: "error",
    Conflict: "reason",
    Place: "passed_because",
    HistoryRecord: "what author_kind",
    OutboxRecord: "about",
    Occupation: "conflict accepted",
}
OTHER: Mapping[type[Any], Mapping[str, str]] = {
    Session: {"meet_link": "a room, not who is in it"},
    GoogleCopy: {"etag": "Google's", "left": "Google's", "updated": "Google's"},
    Booking: {"manage_hash": "of a secret; emptied with the client"},
    Place: {"level": "an operator's class of clients, not one of them", "category": "the same"},
    WaitlistEntry: {"manage_hash": "of a secret; emptied with the client"},
    HistoryRecord: {
        "author_name": "of an operator's key or of a rule",
        "before": "times, statuses and numbers (`test_erasing` looks)",
        "after": "the same",
    },
    Usage: {"id": "a keyed hash, forgotten within days"},
    Erasure: {"client": "a keyed hash, which is what is to be kept", "by": "of an operator's key"},
    MirrorEvent: {
        "recurrence": "rules",
        "etag": "Google's",
        "updated": "Google's",
        "months": "months",
        "malformed": "what is wrong with times",
    },
    EventTime: {"date": "a time", "dateTime": "a time", "timeZone": "a zone"},
}

SAID = "Kim Doe"


def _said_by(type_: Any) -> set[Any]:
    """The types of which a field's values are made, without keys of maps, which are ids."""
    origin, inner = typing.get_origin(type_), typing.get_args(type_)
    if origin is Annotated:
        return _said_by(inner[0])
    if origin is Literal:
        return set()
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _said_by(inner[1])
    if origin is not None:
        return set().union(*(_said_by(each) for each in inner if each is not ...))
    return {type_}


def _holds(type_: type[Any]) -> bool:
    return issubclass(type_, BaseModel) or dataclasses.is_dataclass(type_)


def _kinds_of(base: type[Document]) -> Iterator[type[Document]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds_of(kind)


def _inventory() -> dict[type[Any], dict[str, Any]]:
    """Every document and everything that it is made of, with the fields that can hold text. Those of the business are not looked into."""
    found: dict[type[Any], dict[str, Any]] = {}
    kinds = {type_.__name__: type_ for type_ in _kinds_of(Document)}
    stored = [*(kinds[name] for name in COLLECTIONS), Account, MirrorEvent, LedgerMonth]
    ahead = [type_ for type_ in stored if type_ not in OF_THE_BUSINESS]
    while ahead:
        type_ = ahead.pop()
        if type_ in found or type_ is Client:  # which is personal as a whole
            continue
        hints = typing.get_type_hints(type_, include_extras=True)
        names = (
            type_.model_fields if issubclass(type_, BaseModel) else [each.name for each in dataclasses.fields(type_)]
        )
        found[type_] = {}
        for name in names:
            said = _said_by(hints[name])
            ahead += [each for each in said if isinstance(each, type) and _holds(each)]
            if said & {str, Any} or _marked(hints[name]):
                found[type_][name] = hints[name]
    return found


def _marked(hint: Any) -> bool:
    return any(isinstance(each, Personal) for each in getattr(hint, "__metadata__", ()))


INVENTORY = _inventory()


def _named(type_: type[Any]) -> set[str]:
    return {*IDS.get(type_, "").split(), *WORDS_OF_OURS.get(type_, "").split(), *OTHER.get(type_, {})}


@pytest.mark.parametrize("type_", INVENTORY, ids=lambda type_: type_.__name__)
def test_what_can_hold_text_is_marked_or_named_here(type_: type[Any]) -> None:
    open_fields = {name for name, hint in INVENTORY[type_].items() if not _marked(hint)}
    assert open_fields == _named(type_), f"mark the fields of {type_.__name__} as Personal, or say here what they hold"


# How each document that is marked loses what its marked fields said; None: it is deleted as a whole.
ERASED: Mapping[type[Any], Callable[[Any], Document] | None] = {
    Booking: lambda document: erase_booking(document, [], author=BY_OPERATOR).documents[0],
    WaitlistEntry: lambda document: erase_entry(document, author=BY_OPERATOR).documents[0],
    Place: lambda document: erase_entry(_entry(place=document), author=BY_OPERATOR).documents[0],
    Session: lambda document: _of_session(document),
    GoogleCopy: lambda document: _of_session(session(status="cancelled", copies={CALENDAR: document})),
    HistoryRecord: without_client,
    Erasure: lambda document: finish(document, kept=(), now=NOW).answer,
    ClientGuard: None,
    StoredAnswer: None,
}


def _of_session(document: Session) -> Document:
    documents = erase_booking(booking(reason=SAID), [document], author=BY_OPERATOR).documents
    return next(each for each in documents if isinstance(each, Session))


def _entry(**more: Any) -> WaitlistEntry:
    place = Place(wish=Wish(start=1, end=2), seats=1, client_key="", joined_at=NOW)
    fields: dict[str, Any] = {"id": "e", "service": "cut", "client": Client(), "place": place, "manage_hash": "h"}
    return WaitlistEntry(**{**fields, "created_at": NOW, **more})


EXAMPLES: Mapping[type[Any], Document] = {
    Booking: booking(),
    WaitlistEntry: _entry(),
    Place: _entry().place,
    Session: session(id=SESSION),
    GoogleCopy: copy(),
    HistoryRecord: HistoryRecord(
        id="h", at=NOW, place=0, what="booking.cancelled", author_kind="client", author_name=""
    ),
    Erasure: Erasure(id="e", client="keyed", client_key="", by="front desk", requested_at=NOW),
}


def _marked_fields(type_: type[Any]) -> Iterator[str]:
    return (name for name, hint in INVENTORY[type_].items() if _marked(hint))


def _saying(hint: Any) -> Any:
    """A value of that type which says who it was, as deep as it can."""
    said = _said_by(hint)
    if Client in said:
        return Client(name=SAID, email=SAID, phone=SAID)
    (outer,) = {each for each in _unions(typing.get_args(hint)[0]) if each is not types.NoneType}
    origin = typing.get_origin(outer)
    if origin is tuple:
        return (SAID,)
    if origin is Mapping:
        deeper = typing.get_origin(typing.get_args(outer)[1]) is Mapping
        return {"booking": {"reason": SAID}} if deeper else {"mat": SAID}
    return SAID


def _unions(type_: Any) -> tuple[Any, ...]:
    return typing.get_args(type_) if isinstance(type_, types.UnionType) else (type_,)


def test_every_marked_document_is_known_to_what_erases() -> None:
    assert {type_ for type_ in INVENTORY if any(_marked_fields(type_))} == set(ERASED)


@pytest.mark.parametrize("type_", [each for each, erase in ERASED.items() if erase], ids=lambda each: each.__name__)
def test_nothing_that_is_marked_outlives_the_erasure(type_: type[Any]) -> None:
    said = {name: _saying(INVENTORY[type_][name]) for name in _marked_fields(type_)}
    before = EXAMPLES[type_].model_copy(update=said)
    assert before.model_dump_json().count(SAID) >= len(said)
    erase = ERASED[type_]
    assert erase is not None
    assert SAID not in erase(before).model_dump_json()


def test_the_inventory_sees_a_new_field() -> None:
    class Newer(Booking):
        nickname: str | None = None
        allergies: Annotated[tuple[str, ...], Personal(())] = ()

    hints = typing.get_type_hints(Newer, include_extras=True)
    assert str in _said_by(hints["nickname"])
    assert not _marked(hints["nickname"])
    assert _marked(hints["allergies"])
