"""Connecting a Google account to an account of the running platform, through the operator API."""

from __future__ import annotations

from typing import Any

from infra.local.client import BookingApi
from infra.local.waiting import wait_until

CALENDARS_WITHIN_SECONDS = 60


def active_connection(api: BookingApi, *, email: str) -> str | None:
    """The id of this Google account's connection, where there is one that works."""
    for connection in api.get("/connections")["connections"]:
        if connection["email"] == email and connection["state"] == "active":
            return str(connection["id"])
    return None


def connect_granted(api: BookingApi, *, email: str, refresh_token: str) -> str:
    """Connect with a token that Google has granted already; returns the connection's id."""
    return str(api.post("/connections/grants", {"email": email, "refresh_token": refresh_token})["id"])


def wait_for_calendars(api: BookingApi, connection: str, *, at_least: int = 1) -> list[dict[str, Any]]:
    """The connection's calendars, once a task has listed them. Raises TimeoutError."""

    def listed() -> list[dict[str, Any]] | None:
        calendars: list[dict[str, Any]] = api.get(f"/connections/{connection}/calendars")["calendars"]
        return calendars if len(calendars) >= at_least else None

    return wait_until(listed, within=CALENDARS_WITHIN_SECONDS, what="the connection's calendars were listed")
