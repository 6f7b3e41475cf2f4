"""One stored event: what a calendar keeps of it, before it is shown to anybody."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class EventRecord:
    """A single event, a recurring master, or an exception of one, on one calendar.

    `body` is in Google's form without what depends on the reader (self flags, reminders, hidden details). `version` is
    the number of the last change and orders the calendar's change log. `ordinal` is the place in the calendar's list.
    """

    calendar_id: str
    id: str
    ordinal: int
    version: int
    body: Json
    # E-mail → that person's reminders.
    reminders: dict[str, Json] = field(default_factory=dict)
    # Of an exception: the fields that were set on it and no longer follow its master.
    overrides: list[str] = field(default_factory=list)
    # Former schedules with the version that replaced them, so that vanished instances can be told to a client that
    # reads instances only.
    past: list[Json] = field(default_factory=list)
    # Put in by a test as it is, against the rules; neither checked nor expanded.
    raw: bool = False

    @property
    def cancelled(self) -> bool:
        return bool(self.body.get("status") == "cancelled")

    @property
    def master(self) -> bool:
        return bool(self.body.get("recurrence")) and not self.raw

    @property
    def master_id(self) -> str | None:
        return self.body.get("recurringEventId")

    @property
    def event_type(self) -> str:
        return str(self.body.get("eventType", "default"))

    @property
    def organizer(self) -> str:
        return str(self.body.get("organizer", {}).get("email", ""))

    @property
    def schedule(self) -> Json:
        return {name: self.body.get(name) for name in ("start", "end", "recurrence")}


def attendee(body: Json, email: str) -> Json | None:
    """The entry of this address among the attendees."""
    for entry in body.get("attendees", ()):
        if str(entry.get("email", "")).lower() == email:
            return dict(entry)
    return None
