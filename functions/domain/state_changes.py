"""The state of sessions, bookings and those who wait, as history keeps it: what each commit changed, so that any of them can be rebuilt from it.

A change is a JSON merge patch (RFC 7396): what differs and nothing else, as deep as maps go; None is what is gone. So a class of 200 records the one
seat that was taken. In a state itself there is no None: what is None is left out.

Left out too, because they are not state: a session's `copies`. They are the sync's notes on what Google holds, change with every write there, and promise
nothing to anybody; the rest of the session says what Google shall hold. Nor is what it says of those who are `waiting`, which follows from the queue and
is in the history of those who stand in it. And because history must not become a second copy of them, which would outlive the
first where somebody asks to be forgotten: who booked or waits, and what they wrote; nor hashes of secrets.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from functions.domain.model import Document
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import WaitlistEntry

State: TypeAlias = dict[str, Any]  # JSON
Subject = Literal["session", "booking", "entry"]  # the field of a history entry that says what it is about

_LEFT_OUT: Mapping[type[Document], Any] = {
    Session: {"copies", "waiting"},
    Booking: {"client", "client_key", "notes", "answers", "manage_hash"},
    WaitlistEntry: {"client": True, "notes": True, "answers": True, "manage_hash": True, "place": {"client_key"}},
}
_SUBJECTS: Mapping[type[Document], Subject] = {Session: "session", Booking: "booking", WaitlistEntry: "entry"}


def subject_of(type_: type[Any]) -> Subject | None:
    """What a history entry calls documents of this type; None for those whose state history does not keep."""
    return _SUBJECTS.get(type_)


def state_of(document: Document | None) -> State:
    """The state fields of a session, booking or waitlist entry; of one that is not there, none."""
    if document is None:
        return {}
    return document.model_dump(mode="json", exclude_none=True, exclude=_LEFT_OUT[type(document)])


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> State:
    """The change that makes `after` of `before`; empty where they are the same."""
    change: State = {key: None for key in before if key not in after}
    for key, value in after.items():
        known = before.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            if inner := difference(known, value):
                change[key] = inner
        elif key not in before or value != known:
            change[key] = value
    return change


def rebuilt(changes: Iterable[Mapping[str, Any]]) -> State:
    """The state after these changes, in the order in which they were committed."""
    state: State = {}
    for change in changes:
        state = _applied(state, change)
    return state


def _applied(state: Mapping[str, Any], change: Mapping[str, Any]) -> State:
    after = dict(state)
    for key, value in change.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, Mapping):
            known = after.get(key)
            after[key] = _applied(known if isinstance(known, Mapping) else {}, value)
        else:
            after[key] = value
    return after
