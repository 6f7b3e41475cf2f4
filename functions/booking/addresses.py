"""Which module answers at which addresses.

A module is loaded by the first request that needs it: a new instance is mostly asked what is free, and that answer should not wait for the rules of the
waitlist. Routes themselves are declared next to their handlers, in each module's `ROUTES`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module

from werkzeug.routing import Map

from functions.booking.routing import Route, map_of

# Every module with routes, and the heads of their addresses.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "accounts": ("accounts", "account"),
    "availability": ("services/availability", "services/next", "services/overview", "services/explain"),
    "changing": ("bookings/cancel", "bookings/reschedule", "bookings/move"),
    "clients": ("services", "bookings", "holds", "bookings/confirm"),
    "conflicts": ("conflicts", "conflicts/resolve"),
    "connections": ("connections", "connections/calendars"),
    "consents": ("oauth", "connections", "connections/refresh"),
    "console": ("console",),
    "disconnecting": ("connections",),
    "documentation": ("openapi.json", "docs"),
    "grants": ("connections",),
    "health": ("health", "calendars", "calendars/pull", "calendars/audit"),
    "invitation_page": ("invitation",),
    "invitations": ("invitations",),
    "keys": ("keys",),
    "lists": ("bookings", "sessions", "waitlist", "history"),
    "me": ("me",),
    "members": ("members",),
    "operators": (
        "resources",
        "resources/holidays",
        "services",
        "calendars",
        "bookings/complete",
        "bookings/no-show",
        "sessions",
    ),
    "origins": ("origins",),
    "personal_data": ("clients", "erasures", "retention"),
    "presets": ("presets",),
    "preview": ("preview",),
    "series": ("series",),
    "sessions": ("sessions", "sessions/clone", "sessions/cancel"),
    "signing_in": ("signin", "signout"),
    "waitlist": (
        "waitlist",
        "waitlist/accept",
        "waitlist/decline",
        "waitlist/leave",
        "waitlist/promote",
        "waitlist/put-back",
        "bookings/waitlist",
    ),
}


def head(path: str) -> str:
    """What an address is about, without ids: `services/next` of `/v1/accounts/studio/services/massage/next`, `oauth` of `/oauth/callback`, `me` of `/v1/me`."""
    parts = path.strip("/").split("/")
    if parts[0] != "v1":
        return parts[0]
    if parts[1:2] != ["accounts"] or len(parts) == 2:
        return "/".join(parts[1:2])
    return "/".join(parts[3::2]) or "account"


def map_at(path: str) -> Map:
    """The routes that an address can be one of."""
    return _map_of(_modules_at().get(head(path), ()))


def routes_of(modules: Iterable[str]) -> Iterator[Route]:
    for module in modules:
        yield from import_module(f"functions.booking.{module}").ROUTES


@cache
def _map_of(modules: tuple[str, ...]) -> Map:
    return map_of(routes_of(modules))


@cache
def _modules_at() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for module, heads in ADDRESSES.items():
        for each in heads:
            found[each] = (*found.get(each, ()), module)
    return found
