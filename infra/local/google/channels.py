"""Notification channels: who wants to hear of changes to what, where, and until when."""

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from infra.local.google import errors
from infra.local.google.persistence import Rows

Json = dict[str, Any]
ResourceKind = Literal["events", "acl", "calendarList", "settings"]

DEFAULT_TTL_SECONDS = 604_800
# Undocumented with Google; a week is what others have seen as the most one gets.
MAX_TTL_SECONDS = 604_800
_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}$")


@dataclass(frozen=True)
class Resource:
    """What is watched: a calendar's events or access rules, or a person's list or settings."""

    kind: ResourceKind
    target: str
    uri: str

    @property
    def id(self) -> str:
        """The same for every channel on the resource, as with Google."""
        return hashlib.sha256(f"{self.kind} {self.target}".encode()).hexdigest()[:27]


@dataclass
class Channel:
    """One channel. Its id stays taken after it ended."""

    id: str
    email: str
    client_id: str
    kind: str
    target: str
    resource_id: str
    resource_uri: str
    address: str
    token: str | None
    expiration_ms: int
    event_types: list[str]
    last_message: int = 0
    stopped: bool = False


class Channels:
    """All channels ever opened."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._by_id = {row["id"]: Channel(**row) for row in rows.load("channel")}

    def open(self, resource: Resource, request: Json, *, email: str, client_id: str, now_ms: int) -> Channel:
        """Open a channel from the body of a watch call, or refuse it (400)."""
        channel_id = request.get("id")
        if not isinstance(channel_id, str) or not _ID.match(channel_id):
            raise errors.invalid("Invalid channel id.", location="id")
        if request.get("type") not in ("web_hook", "webhook"):
            raise errors.invalid("Unknown channel type.", location="type")
        token = request.get("token")
        if token is not None and len(token) > 256:
            raise errors.invalid("The channel token is too long.", location="token")
        check_address(request.get("address"))
        if channel_id in self._by_id:
            raise errors.ApiError(
                400, "channelIdNotUnique", f"Channel id {channel_id} not unique", location="id", domain="global"
            )
        channel = Channel(
            id=channel_id,
            email=email,
            client_id=client_id,
            kind=resource.kind,
            target=resource.target,
            resource_id=resource.id,
            resource_uri=resource.uri,
            address=str(request["address"]),
            token=token,
            expiration_ms=_expiration(request, now_ms),
            event_types=[],
        )
        self._by_id[channel_id] = channel
        self.save(channel)
        return channel

    def stop(self, channel_id: str, resource_id: str, *, email: str, client_id: str, now_ms: int) -> Channel:
        """End a channel: only its own user and client may, and only with both ids (404 otherwise)."""
        channel = self._by_id.get(channel_id)
        if channel is None or channel.resource_id != resource_id or not self._live(channel, now_ms):
            raise errors.ApiError(404, "notFound", f"Channel '{channel_id}' not found for project.")
        if (channel.email, channel.client_id) != (email, client_id):
            raise errors.ApiError(404, "notFound", f"Channel '{channel_id}' not found for project.")
        channel.stopped = True
        self.save(channel)
        return channel

    def live(self, kind: str, target: str, now_ms: int) -> list[Channel]:
        return [c for c in self._by_id.values() if (c.kind, c.target) == (kind, target) and self._live(c, now_ms)]

    def all(self) -> list[Channel]:
        return list(self._by_id.values())

    def expire(self, channels: Iterable[Channel], now_ms: int) -> int:
        count = 0
        for channel in channels:
            if self._live(channel, now_ms):
                channel.expiration_ms = now_ms
                self.save(channel)
                count += 1
        return count

    def forget(self, email: str) -> None:
        for channel in [c for c in self._by_id.values() if c.email == email]:
            del self._by_id[channel.id]
            self._rows.delete("channel", channel.id)

    def save(self, channel: Channel) -> None:
        self._rows.put("channel", channel.id, asdict(channel))

    @staticmethod
    def _live(channel: Channel, now_ms: int) -> bool:
        return not channel.stopped and channel.expiration_ms > now_ms


def check_address(address: Any) -> None:
    """HTTPS, as with Google; plain HTTP is let through to this machine only, where there is no certificate."""
    parts = urlsplit(address if isinstance(address, str) else "")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _loopback(parts.hostname):
        return
    raise errors.ApiError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")


def push_not_supported() -> errors.ApiError:
    return errors.ApiError(
        400, "pushNotSupportedForRequestedResource", "Push notifications are not supported by this resource."
    )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _expiration(request: Json, now_ms: int) -> int:
    """Unix milliseconds: the smallest of what was asked for and what is allowed."""
    ends = [now_ms + DEFAULT_TTL_SECONDS * 1000]
    ttl = (request.get("params") or {}).get("ttl")
    try:
        if ttl is not None:
            ends = [now_ms + int(ttl) * 1000]
        if request.get("expiration") is not None:
            ends = [int(request["expiration"])] if ttl is None else [*ends, int(request["expiration"])]
    except ValueError as error:
        raise errors.invalid("Invalid channel expiration.", location="expiration") from error
    end = min(*ends, now_ms + MAX_TTL_SECONDS * 1000)
    if end <= now_ms:
        raise errors.invalid("The channel expiration is in the past.", location="expiration")
    return end
