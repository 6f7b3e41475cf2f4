"""The body of an event as a client sends it, checked and put into the form it is stored in.

What Google refuses is refused with its reason; what Google drops or shortens without a word is dropped or shortened.
"""

import re
from datetime import datetime
from typing import Any

from infra.local.google import errors
from infra.local.google.event_times import EventTime, offset_text, seconds, zone
from infra.local.google.recurrence import check_recurrence
from infra.local.google.zones import zone_names

Json = dict[str, Any]

_ID = re.compile(r"[0-9a-v]{5,1024}$")
_KEY_LENGTH = 44
_VALUE_LENGTH = 1024
_PROPERTY_COUNT = 300
_PROPERTY_BYTES = 32 * 1024
_RESPONSES = ("needsAction", "declined", "tentative", "accepted")
_ATTENDEE_FIELDS = ("email", "displayName", "optional", "resource", "responseStatus", "comment", "additionalGuests")
# Field → the value that goes without saying, and that Google leaves out of its answers.
_DEFAULTS: Json = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "endTimeUnspecified": False,
}
_CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
}
_PLAIN = ("summary", "description", "location", "colorId", "eventLabelId")
_COPIED = (
    *_PLAIN,
    *_DEFAULTS,
    "status",
    "recurrence",
    "source",
    "gadget",
    "attachments",
    "outOfOfficeProperties",
    "focusTimeProperties",
    "workingLocationProperties",
    "birthdayProperties",
)
# What a client may set; conferenceData and reminders are treated on their own.
WRITABLE = frozenset({*_COPIED, "start", "end", "attendees", "extendedProperties"})


def check_event_id(event_id: Any) -> str:
    """base32hex, 5 to 1024 characters (the discovery document's words on Event.id)."""
    if not isinstance(event_id, str) or not _ID.match(event_id):
        raise errors.invalid("Invalid resource id value.")
    return event_id


def merge_patch(old: Json, patch: Json) -> Json:
    """Patch semantics: objects merge, arrays are replaced wholesale, null deletes."""
    merged = dict(old)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge_patch(merged[name], value)
        elif isinstance(value, dict):
            merged[name] = merge_patch({}, value)
        else:
            merged[name] = value
    return merged


def read_event(fields: Json, *, calendar_zone: str, organizer: str) -> Json:
    """The writable part of an event in stored form, or the refusal (400)."""
    given = {name: value for name, value in fields.items() if value is not None}
    body: Json = {name: given[name] for name in _COPIED if name in given}
    for name, choices in _CHOICES.items():
        if name in body and body[name] not in choices:
            raise errors.invalid(f"Invalid {name} value.")
    for name, default in _DEFAULTS.items():
        if body.get(name, default) == default:
            body.pop(name, None)
    for name in _PLAIN:
        if body.get(name) == "":
            del body[name]
    body.setdefault("status", "confirmed")
    body |= _read_times(given, calendar_zone)
    if not body.get("recurrence"):
        body.pop("recurrence", None)
    elif "timeZone" not in given["start"] and "dateTime" in given["start"]:
        raise errors.required("Missing time zone definition for start time.")
    else:
        check_recurrence(body["start"], body["end"], body["recurrence"])
    if given.get("attendees"):
        body["attendees"] = read_attendees(given["attendees"], organizer=organizer)
    if given.get("extendedProperties"):
        properties = read_properties(given["extendedProperties"])
        if properties:
            body["extendedProperties"] = properties
    _check_source(body)
    return body


def read_reminders(value: Json) -> Json:
    overrides = value.get("overrides") or []
    if overrides and value.get("useDefault"):
        raise errors.ApiError(
            400,
            "cannotUseDefaultRemindersAndSpecifyOverride",
            "Cannot specify both default reminders and overrides at the same time.",
            domain="calendar",
        )
    if len(overrides) > 5:
        raise errors.invalid("Too many override reminders.")
    for override in overrides:
        if override.get("method") not in ("email", "popup") or not 0 <= override.get("minutes", -1) <= 40320:
            raise errors.invalid("Invalid reminder override.")
    return {"useDefault": bool(value.get("useDefault", False)), **({"overrides": overrides} if overrides else {})}


def read_attendees(entries: list[Json], *, organizer: str) -> list[Json]:
    found: dict[str, Json] = {}
    for entry in entries:
        email = str(entry.get("email") or "").strip().lower()
        if not email:
            raise errors.required("Missing attendee email.")
        if "@" not in email:
            raise errors.invalid("Invalid attendee email.")
        kept = {name: entry[name] for name in _ATTENDEE_FIELDS if entry.get(name) not in (None, False, 0, "")}
        kept["email"] = email
        if email == organizer:
            kept["organizer"] = True
        kept.setdefault("responseStatus", "accepted" if email == organizer else "needsAction")
        if kept["responseStatus"] not in _RESPONSES:
            raise errors.invalid("Invalid attendee response status.")
        found[email] = kept
    return list(found.values())


def read_properties(value: Json) -> Json:
    """Google's limits: a long key is dropped silently, a long value is cut silently, the sums are refused."""
    kept: Json = {}
    for scope in ("private", "shared"):
        pairs = {
            key: str(text)[:_VALUE_LENGTH]
            for key, text in (value.get(scope) or {}).items()
            if len(key) <= _KEY_LENGTH and text is not None
        }
        if pairs:
            kept[scope] = pairs
    count = sum(len(pairs) for pairs in kept.values())
    size = sum(len(key.encode()) + len(text.encode()) for pairs in kept.values() for key, text in pairs.items())
    if count > _PROPERTY_COUNT or size > _PROPERTY_BYTES:
        raise errors.invalid("Too many extended properties.")
    return kept


def _read_times(given: Json, calendar_zone: str) -> Json:
    for name in ("start", "end"):
        if not given.get(name):
            raise errors.required(f"Missing {name} time.")
    start = _read_time(given["start"], "start", calendar_zone)
    end = _read_time(given["end"], "end", calendar_zone)
    if ("date" in start) != ("date" in end):
        raise errors.invalid("The start and end times must either both be date or both be dateTime.")
    length = seconds(end, calendar_zone) - seconds(start, calendar_zone)
    if length < 0 or (length == 0 and "date" in start):
        raise errors.time_range_empty()
    return {"start": start, "end": end}


def _read_time(value: Json, name: str, calendar_zone: str) -> EventTime:
    day, moment, zone_name = value.get("date"), value.get("dateTime"), value.get("timeZone")
    if (day is None) == (moment is None):
        raise errors.invalid(f"Invalid {name} time.")
    if zone_name is not None and zone_name not in zone_names():
        raise errors.invalid(f"Invalid time zone definition for {name} time.")
    if day is not None:
        return {"date": _parsed(day, name)[:10]}
    text = _parsed(moment, name)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        if zone_name is None:
            raise errors.required(f"Missing time zone definition for {name} time.")
        instant = instant.replace(tzinfo=zone(zone_name))
    zone_name = zone_name or calendar_zone
    return {"dateTime": offset_text(instant, zone_name), "timeZone": zone_name}


def _parsed(text: Any, name: str) -> str:
    try:
        return datetime.fromisoformat(str(text).upper()).isoformat()
    except ValueError as error:
        raise errors.invalid(f"Invalid {name} time.") from error


def _check_source(body: Json) -> None:
    source = body.get("source")
    if source is not None and not re.match(r"https?://", str(source.get("url", ""))):
        raise errors.invalid("Invalid source url.")
