"""The methods of `settings` and `colors`, as far as a calendar program needs them."""

from typing import Any

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.clock import etag
from infra.local.google.sync_tokens import SyncToken, decode_sync, encode, fingerprint
from infra.local.google.watching import open_channel

Json = dict[str, Any]


def _settings(call: Call) -> dict[str, str]:
    return {
        "autoAddHangouts": "false",
        "dateFieldOrder": "DMY",
        "defaultEventLength": "60",
        "format24HourTime": "true",
        "hideInvitations": "false",
        "hideWeekends": "false",
        "locale": "en",
        "showDeclinedEvents": "true",
        "useKeyboardShortcuts": "true",
        "weekStart": "1",
        **call.person.settings,
        "timezone": call.person.time_zone,
    }


def _json(call: Call, name: str, value: str) -> Json:
    version = call.person.settings_version
    return {"kind": "calendar#setting", "etag": etag(version), "id": name, "value": value}


@handles("settings.list")
def list_settings(call: Call) -> Json:
    changed = _settings(call)
    if "pageToken" in call.parameters:
        raise errors.invalid("Invalid page token value.", location="pageToken")
    if "syncToken" in call.parameters:
        token = decode_sync(call.parameters["syncToken"])
        if (token.resource, token.email) != ("settings", call.person.email):
            raise errors.full_sync_required()
        if token.version >= call.person.settings_version:
            changed = {}
    version = call.world.clock.version
    fresh = SyncToken("settings", call.person.email, version, 0, "", fingerprint("settings"), {})
    return {
        "kind": "calendar#settings",
        "etag": etag(version),
        "items": [_json(call, name, value) for name, value in sorted(changed.items())],
        "nextSyncToken": encode(fresh),
    }


@handles("settings.get")
def get_setting(call: Call) -> Json:
    settings = _settings(call)
    name = call.parameters["setting"]
    if name not in settings:
        raise errors.not_found()
    return _json(call, name, settings[name])


@handles("settings.watch")
async def watch_settings(call: Call) -> Json:
    return await open_channel(call, "settings", call.person.email, "users/me/settings")


@handles("colors.get")
def get_colors(call: Call) -> Json:
    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": {"14": {"background": "#9fe1e7", "foreground": "#1d1d1d"}},
        "event": {"1": {"background": "#a4bdfc", "foreground": "#1d1d1d"}},
    }
