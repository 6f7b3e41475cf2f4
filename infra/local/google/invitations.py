"""Copies of an event on its attendees' calendars, and their answers back to the organizer.

The organizer's copy holds the truth. A person who exists here and is invited gets a copy under the same id and iCalUID
on their primary calendar; what they may change for themselves (reminders, colour, transparency, private properties)
stays on their copy, their answer goes to the organizer and from there to every copy.
"""

from typing import Any

from infra.local.google.calendars import Calendar
from infra.local.google.event_record import EventRecord
from infra.local.google.event_store import EventStore
from infra.local.google.world import World

Json = dict[str, Any]

SHARED = frozenset(
    {
        "summary",
        "description",
        "location",
        "start",
        "end",
        "recurrence",
        "recurringEventId",
        "originalStartTime",
        "attendees",
        "organizer",
        "creator",
        "created",
        "updated",
        "sequence",
        "iCalUID",
        "status",
        "conferenceData",
        "hangoutLink",
        "attachments",
        "source",
        "guestsCanInviteOthers",
        "guestsCanModify",
        "guestsCanSeeOtherGuests",
        "anyoneCanAddSelf",
        "endTimeUnspecified",
        "eventType",
    }
)
_AT_FIRST = ("visibility", "transparency")


def emails(body: Json) -> set[str]:
    return {entry["email"] for entry in body.get("attendees", ())}


def organizer_store(world: World, body: Json, reader: Calendar) -> EventStore | None:
    """Where the organizer's copy lives, if that is here and not the reader's own calendar."""
    email = body.get("organizer", {}).get("email", "")
    calendar = world.calendars.find(email)
    return None if calendar is None or calendar.id == reader.id else world.events(calendar)


def spread(world: World, record: EventRecord, *, before: set[str]) -> None:
    """Bring every attendee's copy up to date with the organizer's; `before` are those invited until now."""
    if record.body.get("privateCopy") or record.raw:
        return
    invited = set() if record.cancelled else emails(record.body)
    for email in sorted(invited | before):
        calendar = world.primary(email)
        if calendar is None or calendar.id == record.calendar_id:
            continue
        store = world.events(calendar)
        copy = store.find(record.id)
        if copy is not None and copy.body.get("iCalUID") != record.body.get("iCalUID"):
            continue  # another event sits under this id there
        if email not in invited:
            withdraw(world, store, copy, record.body["updated"])
        elif copy is None:
            first = {name: record.body[name] for name in _AT_FIRST if name in record.body}
            store.add(record.id, {**first, **_shared(record.body, {})})
            world.touch_events(calendar, record.event_type)
        else:
            _refresh(world, store, copy, record, email)


def withdraw(world: World, store: EventStore, copy: EventRecord | None, updated: str) -> None:
    """Cancel a copy."""
    if copy is None or copy.cancelled:
        return
    store.replace(copy, {**copy.body, "status": "cancelled", "updated": updated})
    world.touch_events(store.calendar, copy.event_type)


def _refresh(world: World, store: EventStore, copy: EventRecord, record: EventRecord, email: str) -> None:
    answer = next(entry["responseStatus"] for entry in record.body["attendees"] if entry["email"] == email)
    if copy.cancelled and answer == "declined":
        return  # they took it off their calendar
    own = {name: value for name, value in copy.body.items() if name not in SHARED}
    body = {**own, **_shared(record.body, copy.body)}
    if _essence(body) != _essence(copy.body):
        store.replace(copy, body)
        world.touch_events(store.calendar, record.event_type)


def _shared(source: Json, copy: Json) -> Json:
    shared = {name: value for name, value in source.items() if name in SHARED}
    properties = {
        "private": copy.get("extendedProperties", {}).get("private"),
        "shared": source.get("extendedProperties", {}).get("shared"),
    }
    kept = {scope: pairs for scope, pairs in properties.items() if pairs}
    return {**shared, "extendedProperties": kept} if kept else shared


def _essence(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "updated" and value != {}}
