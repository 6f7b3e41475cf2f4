"""Finding what an event id names: a stored event, an exception, or an occurrence that only its master knows."""

from dataclasses import dataclass
from typing import Any

from infra.local.google import errors
from infra.local.google.clock import etag
from infra.local.google.event_record import EventRecord
from infra.local.google.event_store import EventStore
from infra.local.google.event_view import View, instance_body
from infra.local.google.recurrence import Instance

Json = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """The event under an id; `record` is missing while an occurrence has not been changed on its own."""

    id: str
    body: Json
    record: EventRecord | None
    master: EventRecord | None = None
    instance: Instance | None = None

    @property
    def etag(self) -> str:
        source = self.record or self.master
        return etag(source.version if source is not None else 0)

    @property
    def cancelled(self) -> bool:
        return self.body.get("status") == "cancelled"

    @property
    def is_instance(self) -> bool:
        return "recurringEventId" in self.body

    def show(self, view: View) -> Json:
        if self.record is not None:
            return view.show(self.record)
        if self.master is None or self.instance is None:
            raise errors.not_found()
        return view.show_instance(self.master, self.instance)

    def check_match(self, if_match: str | None) -> None:
        """412 unless the client's ETag is the present one (`*` fits any)."""
        if if_match is None or if_match.strip() == "*":
            return
        if self.etag not in [part.strip().removeprefix("W/") for part in if_match.split(",")]:
            raise errors.condition_not_met()


def find_target(store: EventStore, event_id: str) -> Target:
    """404 when there never was such an event, or its tombstone is gone."""
    record = store.find(event_id)
    if record is not None:
        master = store.find(record.master_id) if record.master_id else None
        return Target(event_id, record.body, record, master)
    found = store.instance_of(event_id)
    if found is None:
        raise errors.not_found()
    master, instance = found
    body = instance_body(master, instance)
    return Target(event_id, body, None, master, instance)
