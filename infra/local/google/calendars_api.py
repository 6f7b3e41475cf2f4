"""The methods of `calendars` and `acl`."""

from typing import Any

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.calendars import Calendar, Rule
from infra.local.google.clock import etag
from infra.local.google.event_input import merge_patch
from infra.local.google.event_writes import EventWriter
from infra.local.google.people import check_zone
from infra.local.google.sync_tokens import SyncToken, decode_sync, encode, fingerprint
from infra.local.google.watching import open_channel

Json = dict[str, Any]

_OWN = ("summary", "description", "location", "timeZone")


def _get(call: Call, needed: str = "freeBusyReader") -> Calendar:
    return call.world.calendars.resolve(call.parameters["calendarId"], call.person, needed)


def calendar_json(calendar: Calendar) -> Json:
    shown: Json = {
        "kind": "calendar#calendar",
        "etag": etag(calendar.version),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if not calendar.primary:
        shown["dataOwner"] = calendar.owner
    for name in ("description", "location"):
        if getattr(calendar, name):
            shown[name] = getattr(calendar, name)
    return shown


@handles("calendars.get")
def get_calendar(call: Call) -> Json:
    return calendar_json(_get(call))


@handles("calendars.insert")
def insert_calendar(call: Call) -> Json:
    if not call.body.get("summary"):
        raise errors.required("Missing title.")
    zone_name = call.body.get("timeZone")
    calendar = call.world.add_calendar(
        owner=call.person, summary=call.body["summary"], time_zone=check_zone(zone_name) if zone_name else None
    )
    _apply(call, calendar, calendar_fields(calendar) | call.body)
    return calendar_json(calendar)


@handles("calendars.patch")
def patch_calendar(call: Call) -> Json:
    calendar = _changeable(call)
    _apply(call, calendar, merge_patch(calendar_fields(calendar), call.body))
    return calendar_json(calendar)


@handles("calendars.update")
def update_calendar(call: Call) -> Json:
    calendar = _changeable(call)
    _apply(call, calendar, {"summary": calendar.summary, "timeZone": calendar.time_zone} | call.body)
    return calendar_json(calendar)


@handles("calendars.delete")
def delete_calendar(call: Call) -> None:
    calendar = _get(call, "owner")
    if calendar.primary:
        raise errors.ApiError(
            403, "cannotDeletePrimaryCalendar", "The primary calendar can't be deleted.", domain="calendar"
        )
    call.world.delete_calendar(calendar)


@handles("calendars.clear")
def clear_calendar(call: Call) -> None:
    calendar = _get(call, "owner")
    if not calendar.primary:
        raise errors.invalid("Only a primary calendar can be cleared.")
    writer = EventWriter(call.world, calendar, call.person)
    for record in list(writer.store.from_ordinal(0)):
        if not record.cancelled and record.master_id is None:
            writer.delete(record.id)


def _changeable(call: Call) -> Calendar:
    calendar = _get(call, "owner")
    if_match = call.if_match
    if if_match is not None and if_match != "*" and if_match != etag(calendar.version):
        raise errors.condition_not_met()
    return calendar


def calendar_fields(calendar: Calendar) -> Json:
    fields = {"summary": calendar.summary, "timeZone": calendar.time_zone}
    return fields | {name: getattr(calendar, name) for name in ("description", "location") if getattr(calendar, name)}


def _apply(call: Call, calendar: Calendar, fields: Json) -> None:
    """Calendar properties change; neither its events nor anybody's list tells of it, as with Google."""
    zone_name = check_zone(fields.get("timeZone") or "UTC")
    calendar.summary = fields.get("summary") or calendar.summary
    calendar.description = fields.get("description") or None
    calendar.location = fields.get("location") or None
    if zone_name != calendar.time_zone:
        calendar.time_zone = zone_name
        call.world.events(calendar).reindex()
    call.world.calendars.changed(calendar)


# Access control


def rule_json(rule: Rule) -> Json:
    return {
        "kind": "calendar#aclRule",
        "etag": etag(rule.version),
        "id": rule.id,
        "scope": rule.scope,
        "role": rule.role,
    }


@handles("acl.list")
def list_rules(call: Call) -> Json:
    calendar = _get(call, "owner")
    version, shows_deleted = 0, bool(call.parameters.get("showDeleted"))
    resource, query = f"acl {calendar.id}", fingerprint("acl")
    if "pageToken" in call.parameters:
        raise errors.invalid("Invalid page token value.", location="pageToken")
    if "syncToken" in call.parameters:
        token = decode_sync(call.parameters["syncToken"])
        if (token.resource, token.email) != (resource, call.person.email):
            raise errors.full_sync_required()
        version, shows_deleted = token.version, True
    rules = [r for r in calendar.acl.values() if r.version > version and (shows_deleted or r.role != "none")]
    fresh = SyncToken(resource, call.person.email, call.world.clock.version, 0, "", query, {})
    return {
        "kind": "calendar#acl",
        "etag": etag(call.world.clock.version),
        "items": [rule_json(rule) for rule in rules],
        "nextSyncToken": encode(fresh),
    }


@handles("acl.get")
def get_rule(call: Call) -> Json:
    return rule_json(_rule(call, _get(call, "owner")))


@handles("acl.insert")
def insert_rule(call: Call) -> Json:
    calendar = _get(call, "owner")
    if not call.body.get("role") or not call.body.get("scope"):
        raise errors.required("Required: role and scope")
    return _set_rule(call, calendar, call.body["scope"], call.body["role"])


@handles("acl.patch")
def patch_rule(call: Call) -> Json:
    calendar = _get(call, "owner")
    rule = _rule(call, calendar)
    return _set_rule(call, calendar, rule.scope, call.body.get("role") or rule.role)


@handles("acl.update")
def update_rule(call: Call) -> Json:
    return patch_rule(call)


@handles("acl.delete")
def delete_rule(call: Call) -> None:
    calendar = _get(call, "owner")
    _set_rule(call, calendar, _rule(call, calendar).scope, "none")


@handles("acl.watch")
async def watch_rules(call: Call) -> Json:
    calendar = _get(call, "owner")
    return await open_channel(call, "acl", calendar.id, f"calendars/{calendar.id}/acl")


def _rule(call: Call, calendar: Calendar) -> Rule:
    rule = calendar.acl.get(call.parameters["ruleId"])
    if rule is None or rule.role == "none":
        raise errors.not_found()
    return rule


def _set_rule(call: Call, calendar: Calendar, scope: Json, role: str) -> Json:
    own = scope.get("type") == "user" and str(scope.get("value", "")).lower() == calendar.owner
    if own and role != "owner":
        raise errors.ApiError(403, "cannotChangeOwnAcl", "Cannot change your own access level.", domain="calendar")
    call.world.give_role(calendar, scope, role)
    kind = scope["type"]
    return rule_json(calendar.acl["default" if kind == "default" else f"{kind}:{str(scope['value']).lower()}"])
