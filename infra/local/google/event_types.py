"""What the special kinds of events may and may not be (Google's "Calendar event types" guide)."""

from typing import Any

from infra.local.google import errors
from infra.local.google.calendars import Calendar
from infra.local.google.event_times import wall

Json = dict[str, Any]

_PROPERTIES = {
    "outOfOffice": "outOfOfficeProperties",
    "focusTime": "focusTimeProperties",
    "workingLocation": "workingLocationProperties",
    "birthday": "birthdayProperties",
}
_DECLINE_MODES = ("declineNone", "declineAllConflictingInvitations", "declineOnlyNewConflictingInvitations")


def check_event_type(event_type: str, body: Json, calendar: Calendar, *, conference: bool) -> Json:
    """The body with what its kind implies, or the refusal (400)."""
    if event_type not in (*_PROPERTIES, "default"):
        raise errors.event_type_restriction(f"Events of type {event_type} can't be created.")
    for kind, name in _PROPERTIES.items():
        if name in body and kind != event_type:
            raise errors.invalid(f"{name} needs the event type {kind}.")
    if event_type == "default":
        return body
    if not calendar.primary:
        raise errors.event_type_restriction(f"Events of type {event_type} live on a primary calendar only.")
    if "attendees" in body or conference:
        raise errors.event_type_restriction(f"Events of type {event_type} have neither attendees nor a conference.")
    if event_type == "birthday":
        return _birthday(body)
    if _PROPERTIES[event_type] not in body:
        raise errors.ApiError(
            400, f"malformed{event_type[0].upper()}{event_type[1:]}Event", "Missing properties.", domain="calendar"
        )
    if event_type == "workingLocation":
        return _working_location(body)
    if "date" in body["start"]:
        raise errors.event_type_restriction(f"Events of type {event_type} can't be all-day.")
    if body.get("transparency") == "transparent":
        raise errors.event_type_restriction(f"Events of type {event_type} block time.")
    mode = body[_PROPERTIES[event_type]].get("autoDeclineMode", "declineNone")
    if mode not in _DECLINE_MODES:
        raise errors.invalid("Invalid autoDeclineMode.")
    return body


def _working_location(body: Json) -> Json:
    kind = body["workingLocationProperties"].get("type")
    if kind not in ("homeOffice", "officeLocation", "customLocation"):
        raise errors.invalid("Invalid working location type.")
    if "date" in body["start"] and (wall(body["end"]) - wall(body["start"])).days != 1:
        raise errors.event_type_restriction("An all-day working location lasts one day.")
    return {**body, "transparency": "transparent", "visibility": "public"}


def _birthday(body: Json) -> Json:
    one_day = "date" in body["start"] and (wall(body["end"]) - wall(body["start"])).days == 1
    yearly = any("FREQ=YEARLY" in line.upper() for line in body.get("recurrence", ()))
    if not one_day or not yearly:
        raise errors.event_type_restriction("A birthday is a yearly all-day event of one day.")
    if body.get("birthdayProperties", {}).get("type", "birthday") != "birthday":
        raise errors.event_type_restriction("Only birthdays of type birthday can be created.")
    return {
        **body,
        "birthdayProperties": {"type": "birthday"},
        "transparency": "transparent",
        "visibility": "private",
    }
