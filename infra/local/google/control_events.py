"""Control over events themselves: malformed ones, many at once, tombstones that disappear."""

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from infra.local.google.event_times import offset_text
from infra.local.google.event_writes import new_event_id
from infra.local.google.world import World

Json = dict[str, Any]


class EventControl:
    """Addresses below `/control/calendars/{id}/`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def add_raw(self, request: Request) -> Json:
        """Put an event in just as it is given: a bogus rule, the year 0000, no start, a type that Google makes itself.

        It is listed and got, not expanded and not counted as busy, unless `"as": "event"` says that it is sound.
        """
        calendar = self._world.calendars.get(request.path_params["id"])
        given = await request.json()
        body = dict(given["event"])
        event_id = body.pop("id", None) or new_event_id()
        now = self._world.clock.timestamp()
        implied = {
            "status": "confirmed",
            "created": now,
            "updated": now,
            "iCalUID": f"{event_id}@google.com",
            "organizer": {"email": calendar.id},
            "creator": {"email": calendar.owner},
            "sequence": 0,
            "eventType": "default",
        }
        store = self._world.events(calendar)
        known = store.find(event_id)
        body = {**implied, **body}
        if known is None:
            store.add(event_id, body, raw=given.get("as") != "event")
        else:
            store.replace(known, body)
        self._world.touch_events(calendar, body["eventType"])
        return {"id": event_id}

    async def fill(self, request: Request) -> Json:
        """Make many events at once: {"count", "start" (with offset), "minutes", "step_minutes", "prefix"}."""
        calendar = self._world.calendars.get(request.path_params["id"])
        given = await request.json()
        first = datetime.fromisoformat(given["start"])
        step = timedelta(minutes=given.get("step_minutes", 60))
        length = timedelta(minutes=given.get("minutes", 30))
        store = self._world.events(calendar)
        now = self._world.clock.timestamp()
        for number in range(given["count"]):
            event_id = f"{given.get('prefix', 'fill')}{number:08d}"
            start = first + number * step
            times = {
                name: {"dateTime": offset_text(moment, calendar.time_zone), "timeZone": calendar.time_zone}
                for name, moment in (("start", start), ("end", start + length))
            }
            body = {
                "status": "confirmed",
                "summary": f"Event {number}",
                "created": now,
                "updated": now,
                "iCalUID": f"{event_id}@google.com",
                "organizer": {"email": calendar.id},
                "creator": {"email": calendar.owner},
                "sequence": 0,
                "eventType": "default",
                **times,
            }
            store.add(event_id, body)
        self._world.touch_events(calendar)
        return {"count": given["count"]}

    async def forget_deleted(self, request: Request) -> Json:
        """Let tombstones disappear, as Google does after some weeks: get answers 404 then, and the id is free."""
        calendar = self._world.calendars.get(request.path_params["id"])
        store = self._world.events(calendar)
        gone = [record for record in store.from_ordinal(0) if record.cancelled and record.master_id is None]
        for record in gone:
            store.forget(record)
        return {"forgotten": len(gone)}
