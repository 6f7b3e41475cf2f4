"""watch and channels.stop."""

import asyncio
from typing import Any
from urllib.parse import quote

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.channels import Channel, ResourceKind
from infra.local.google.push import now_ms

Json = dict[str, Any]

_SYNC_WAIT_SECONDS = 15


async def open_channel(
    call: Call, kind: ResourceKind, target: str, path: str, *, event_types: list[str] | None = None
) -> Json:
    """Open a channel and send its sync message, which may well arrive before this answer does."""
    world = call.world
    resource = world.resource(kind, target, quote(path))
    channel = world.channels.open(
        resource, call.body, email=call.person.email, client_id=call.client_id, now_ms=now_ms()
    )
    channel.event_types = list(event_types or ())
    task = world.pusher.send(channel, "sync")
    world.channels.save(channel)
    if world.pusher.behaviour(target).sync_before_answer:
        await asyncio.wait({task}, timeout=_SYNC_WAIT_SECONDS)
    return channel_json(channel)


def channel_json(channel: Channel) -> Json:
    shown: Json = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": str(channel.expiration_ms),
    }
    return shown if channel.token is None else {**shown, "token": channel.token}


@handles("channels.stop")
def stop_channel(call: Call) -> None:
    channel_id, resource_id = call.body.get("id"), call.body.get("resourceId")
    if not channel_id or not resource_id:
        raise errors.required("Required: id and resourceId")
    call.world.channels.stop(
        channel_id, resource_id, email=call.person.email, client_id=call.client_id, now_ms=now_ms()
    )
