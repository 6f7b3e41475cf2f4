"""The methods of `calendarList`: a person's own list, with tokens, tombstones and pages."""

from typing import Any

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.calendars import Calendar, ListEntry, at_least
from infra.local.google.clock import etag
from infra.local.google.event_input import merge_patch
from infra.local.google.sync_tokens import PageToken, SyncToken, decode_page, decode_sync, encode, fingerprint
from infra.local.google.watching import open_channel

Json = dict[str, Any]

_OWN = (
    "summaryOverride",
    "colorId",
    "backgroundColor",
    "foregroundColor",
    "hidden",
    "selected",
    "defaultReminders",
    "notificationSettings",
)
_DEFAULT_PAGE = 100
_LARGEST_PAGE = 250


def entry_json(call: Call, entry: ListEntry) -> Json:
    calendar = None if entry.deleted else call.world.calendars.find(entry.calendar_id)
    if calendar is None:
        # No accessRole, no summary: tombstones carry the id and little else.
        return {
            "kind": "calendar#calendarListEntry",
            "etag": etag(entry.version),
            "id": entry.calendar_id,
            "deleted": True,
        }
    shown: Json = {
        "kind": "calendar#calendarListEntry",
        "etag": etag(max(entry.version, calendar.version)),
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "accessRole": calendar.role_of(entry.email),
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "defaultReminders": [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        **{name: value for name, value in entry.own.items() if value not in (False, None)},
    }
    if calendar.id == entry.email:
        shown["primary"] = True
    elif not calendar.primary:
        shown["dataOwner"] = calendar.owner
    for name in ("description", "location"):
        if getattr(calendar, name):
            shown[name] = getattr(calendar, name)
    return shown


@handles("calendarList.list")
def list_entries(call: Call) -> Json:
    given = call.parameters
    query = fingerprint(given.get("showHidden", False))
    whole = fingerprint(query, {name: given.get(name) for name in ("syncToken", "showDeleted", "minAccessRole")})
    since = None
    if "syncToken" in given:
        since = _check_token(call, query).version
    place = PageToken(whole, call.world.clock.version, None, 0)
    if "pageToken" in given:
        place = decode_page(given["pageToken"], whole)
    after = place.after[0] if place.after else 0
    entries = [entry for entry in _wanted(call, since) if entry.version > after]
    size = min(given.get("maxResults", _DEFAULT_PAGE), _LARGEST_PAGE)
    limit = call.world.faults.paging("calendarList").max_page
    size = size if limit is None else min(size, limit)
    answer: Json = {
        "kind": "calendar#calendarList",
        "etag": etag(call.world.clock.version),
        "items": [entry_json(call, entry) for entry in entries[:size]],
    }
    if len(entries) > size:
        answer["nextPageToken"] = encode(PageToken(whole, place.upto, [entries[size - 1].version], place.page + 1))
    else:
        fresh = SyncToken("calendarList", call.person.email, place.upto, 0, "", query, {})
        answer["nextSyncToken"] = encode(fresh)
    return answer


def _check_token(call: Call, query: str) -> SyncToken:
    for name in ("minAccessRole", "showOwnOrganizationOnly"):
        if name in call.parameters:
            raise errors.invalid(f"{name} can't be used together with syncToken.", location=name)
    token = decode_sync(call.parameters["syncToken"])
    expired = token.version < call.world.list_tokens_from.get(call.person.email, 0)
    if (token.resource, token.email) != ("calendarList", call.person.email) or expired:
        raise errors.full_sync_required()
    if token.query != query:
        raise errors.invalid("The sync token belongs to a query with other parameters.", location="syncToken")
    return token


def _wanted(call: Call, since: int | None) -> list[ListEntry]:
    entries = sorted(call.world.lists.entries(call.person.email), key=lambda entry: entry.version)
    if since is not None:
        # Hidden entries come with a token too, as a change may be that they were hidden.
        return [entry for entry in entries if entry.version > since]
    given = call.parameters
    wanted = []
    for entry in entries:
        calendar = call.world.calendars.find(entry.calendar_id)
        if entry.deleted or calendar is None:
            if given.get("showDeleted"):
                wanted.append(entry)
        elif _fits(entry, calendar, given):
            wanted.append(entry)
    return wanted


def _fits(entry: ListEntry, calendar: Calendar, given: Json) -> bool:
    if entry.own.get("hidden") and not given.get("showHidden"):
        return False
    return at_least(calendar.role_of(entry.email), given.get("minAccessRole", "freeBusyReader"))


def _entry(call: Call) -> ListEntry:
    calendar_id = call.parameters["calendarId"]
    if calendar_id == "primary":
        calendar_id = call.person.email
    entry = call.world.lists.find(call.person.email, calendar_id)
    if entry is None:
        raise errors.not_found()
    return entry


@handles("calendarList.get")
def get_entry(call: Call) -> Json:
    return entry_json(call, _entry(call))


@handles("calendarList.insert")
def insert_entry(call: Call) -> Json:
    if not call.body.get("id"):
        raise errors.required("Missing calendar id.")
    calendar = call.world.calendars.resolve(call.body["id"], call.person)
    own = {name: call.body[name] for name in _OWN if name in call.body}
    return entry_json(call, call.world.list_calendar(call.person.email, calendar.id, own))


@handles("calendarList.patch")
def patch_entry(call: Call) -> Json:
    entry = _entry(call)
    own = merge_patch(entry.own, {name: call.body[name] for name in _OWN if name in call.body})
    return entry_json(call, call.world.list_calendar(entry.email, entry.calendar_id, own))


@handles("calendarList.update")
def update_entry(call: Call) -> Json:
    entry = _entry(call)
    own = {name: call.body[name] for name in _OWN if call.body.get(name) is not None}
    return entry_json(call, call.world.list_calendar(entry.email, entry.calendar_id, own))


@handles("calendarList.delete")
def delete_entry(call: Call) -> None:
    entry = _entry(call)
    if entry.calendar_id == entry.email:
        raise errors.invalid("The primary calendar can't be taken off the list.")
    call.world.unlist_calendar(entry.email, entry.calendar_id)


@handles("calendarList.watch")
async def watch_list(call: Call) -> Json:
    return await open_channel(call, "calendarList", call.person.email, "users/me/calendarList")
