"""An event as one reader sees it: self flags, reminders, details hidden by role, times in the reader's zone."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from infra.local.google.calendars import Calendar, at_least
from infra.local.google.clock import etag
from infra.local.google.event_record import EventRecord, attendee
from infra.local.google.event_times import shown_in
from infra.local.google.recurrence import Instance

Json = dict[str, Any]

_WITHOUT_DETAILS = (
    "status",
    "created",
    "updated",
    "start",
    "end",
    "recurrence",
    "recurringEventId",
    "originalStartTime",
    "transparency",
    "iCalUID",
    "sequence",
    "eventType",
)
_TIMES = ("start", "end", "originalStartTime")


class RawEvent(dict[str, Any]):
    """An event that a test put in against the rules: not held against the discovery document."""


@dataclass(frozen=True)
class View:
    """Who reads which calendar, and how the answer is to be written."""

    calendar: Calendar
    role: str
    email: str
    public_url: str
    time_zone: str | None = None
    max_attendees: int | None = None

    @property
    def zone_name(self) -> str:
        return self.time_zone or self.calendar.time_zone

    def show(self, record: EventRecord) -> Json:
        """A stored event with all that this reader may see."""
        return self._show(record, record.id, record.body)

    def show_instance(self, master: EventRecord, instance: Instance) -> Json:
        """An occurrence that is nothing but its master at another time."""
        return self._show(master, instance_id(master, instance), instance_body(master, instance))

    def show_change(self, record: EventRecord) -> Json:
        """An event in a list: deleted ones as tombstones."""
        return tombstone(record.id, record.body, self.zone_name) if record.cancelled else self.show(record)

    def details_hidden(self, body: Json) -> bool:
        if not at_least(self.role, "reader"):
            return True
        private = body.get("visibility") in ("private", "confidential")
        return private and not at_least(self.role, "writer") and attendee(body, self.email) is None

    def _show(self, record: EventRecord, event_id: str, body: Json) -> Json:
        if record.raw:
            return RawEvent({"kind": "calendar#event", "etag": etag(record.version), "id": event_id, **body})
        shown: Json = {"kind": "calendar#event", "etag": etag(record.version), "id": event_id}
        if self.details_hidden(body):
            shown |= {name: body[name] for name in _WITHOUT_DETAILS if name in body}
            shown["visibility"] = "private"
        else:
            shown |= body
            shown["htmlLink"] = f"{self.public_url}/calendar/{quote(self.calendar.id, safe='')}?event={quote(event_id)}"
            shown["reminders"] = record.reminders.get(self.email, {"useDefault": True})
            for name in ("creator", "organizer"):
                if name in body:
                    shown[name] = self._flagged(body[name])
            if "attendees" in body:
                shown |= self._attendees(body)
        for name in _TIMES:
            if name in shown:
                shown[name] = shown_in(shown[name], self.zone_name)
        return shown

    def _flagged(self, who: Json) -> Json:
        return {**who, "self": True} if who.get("email") == self.calendar.id else dict(who)

    def _attendees(self, body: Json) -> Json:
        entries = [self._flagged(entry) for entry in body["attendees"]]
        own = [entry for entry in entries if entry.get("self")]
        if body.get("guestsCanSeeOtherGuests") is False and body["organizer"].get("email") != self.calendar.id:
            visible = [entry for entry in entries if entry.get("self") or entry.get("organizer")]
            return {"attendees": visible, "attendeesOmitted": True}
        if self.max_attendees is not None and len(entries) > self.max_attendees:
            return {"attendees": own, "attendeesOmitted": True}
        return {"attendees": entries}


def instance_id(master: EventRecord, instance: Instance) -> str:
    return f"{master.id}_{instance.suffix}"


def instance_body(master: EventRecord, instance: Instance) -> Json:
    body = {name: value for name, value in master.body.items() if name != "recurrence"}
    body |= {
        "start": instance.start,
        "end": instance.end,
        "recurringEventId": master.id,
        "originalStartTime": instance.original,
    }
    return body


def tombstone(event_id: str, body: Json, zone_name: str) -> Json:
    """The least that Google guarantees of a cancelled event, and no more, so that nobody can lean on the rest."""
    shown: Json = {"id": event_id, "status": "cancelled"}
    if "recurringEventId" in body:
        shown["recurringEventId"] = body["recurringEventId"]
        shown["originalStartTime"] = shown_in(body["originalStartTime"], zone_name)
    return shown
