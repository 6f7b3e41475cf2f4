"""Everything there is: accounts, grants, calendars, events, channels, trouble. One process, one thread, no locks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.google.calendars import Calendar, Calendars, Kind, ListEntry
from infra.local.google.calendars import CalendarLists as Lists
from infra.local.google.channels import Channel, Channels, Resource, ResourceKind
from infra.local.google.clock import Clock
from infra.local.google.conference import ConferenceSettings
from infra.local.google.discovery import Discovery, calendar_discovery
from infra.local.google.event_record import EventRecord
from infra.local.google.event_store import EventStore
from infra.local.google.faults import Faults
from infra.local.google.grants import Client, Grants
from infra.local.google.journal import Journal
from infra.local.google.keys import SigningKey
from infra.local.google.people import People, Person
from infra.local.google.persistence import Rows
from infra.local.google.push import Pusher, now_ms

Json = dict[str, Any]


@dataclass
class Touched:
    """What changed since the last commit, and by what kinds of events."""

    kind: ResourceKind
    target: str
    event_types: set[str] = field(default_factory=set)


class World:
    """The whole state. `commit` writes it to disk and tells the watchers; nothing leaves before that."""

    def __init__(self, *, directory: Path, public_url: str, client: Client) -> None:
        self.public_url = public_url
        self.client = client
        self.rows = Rows(directory)
        self.clock = Clock(self.rows)
        self.key = SigningKey(self.rows)
        self.people = People(self.rows)
        self.grants = Grants(self.rows, lambda: self.clock.now().timestamp())
        self.discovery: Discovery = calendar_discovery()
        self.faults = Faults()
        self.journal = Journal()
        self.pusher = Pusher()
        self.conference = ConferenceSettings()
        # Calendar → the error it shows inside the answer of a freebusy query.
        self.freebusy_errors: dict[str, str] = {}
        # Person → the version from which their calendar list sync tokens are good.
        self.list_tokens_from: dict[str, int] = {}
        self._load()
        self.rows.flush()

    def _load(self) -> None:
        self.calendars = Calendars(self.rows, self.clock)
        self.lists = Lists(self.rows, self.clock)
        self.channels = Channels(self.rows)
        self._touched: dict[tuple[str, str], Touched] = {}
        stored: dict[str, list[EventRecord]] = {}
        for row in self.rows.load("event"):
            stored.setdefault(row["calendar_id"], []).append(EventRecord(**row))
        self._stores: dict[str, EventStore] = {}
        for calendar in self.calendars:
            store = EventStore(calendar, self.rows, self.clock)
            store.load(stored.get(calendar.id, []))
            self._stores[calendar.id] = store

    def events(self, calendar: Calendar) -> EventStore:
        if calendar.id not in self._stores:
            self._stores[calendar.id] = EventStore(calendar, self.rows, self.clock)
        return self._stores[calendar.id]

    # Changes

    def touch_events(self, calendar: Calendar, event_type: str = "default") -> None:
        self._touch("events", calendar.id).event_types.add(event_type)
        self.faults.changed(calendar.id)

    def touch(self, kind: ResourceKind, target: str) -> None:
        self._touch(kind, target)

    def _touch(self, kind: ResourceKind, target: str) -> Touched:
        return self._touched.setdefault((kind, target), Touched(kind, target))

    def commit(self) -> None:
        """Keep what changed and notify: one message a channel, however much changed at once."""
        touched, self._touched = self._touched, {}
        for change in touched.values():
            for channel in self.channels.live(change.kind, change.target, now_ms()):
                if self._may_hear(channel, change):
                    self.pusher.send(channel, "exists")
                    self.channels.save(channel)
        self.rows.flush()

    def _may_hear(self, channel: Channel, change: Touched) -> bool:
        calendar = self.calendars.find(change.target) if change.kind in ("events", "acl") else None
        if calendar is not None and calendar.role_of(channel.email) == "none":
            return False
        return not channel.event_types or bool(change.event_types & set(channel.event_types))

    def later(self, seconds: float, change: Callable[[], None]) -> None:
        """Make a further change after a while, such as a conference that is ready."""

        def run() -> None:
            change()
            self.commit()

        asyncio.get_running_loop().call_later(seconds, run)

    def resource(self, kind: ResourceKind, target: str, path: str) -> Resource:
        return Resource(kind, target, f"{self.public_url}/calendar/v3/{path}?alt=json")

    # People and calendars together

    def add_person(self, *, email: str, password: str, name: str, time_zone: str) -> Person:
        """A person with their primary calendar, which is in their list from the start."""
        person = self.people.create(email=email, name=name, password=password, time_zone=time_zone)
        calendar = self.calendars.create(
            owner=person.email, summary=person.email, time_zone=time_zone, calendar_id=person.email
        )
        self.lists.put(person.email, calendar.id, {"selected": True})
        return person

    def add_calendar(
        self,
        *,
        owner: Person,
        summary: str,
        time_zone: str | None = None,
        calendar_id: str | None = None,
        kind: Kind = "normal",
        role: str = "owner",
    ) -> Calendar:
        calendar = self.calendars.create(
            owner=owner.email,
            summary=summary,
            time_zone=time_zone or owner.time_zone,
            calendar_id=calendar_id,
            kind=kind,
            owner_role=role,
        )
        self.list_calendar(owner.email, calendar.id)
        return calendar

    def list_calendar(self, email: str, calendar_id: str, own: Json | None = None) -> ListEntry:
        entry = self.lists.put(email, calendar_id, own)
        self.touch("calendarList", email)
        return entry

    def unlist_calendar(self, email: str, calendar_id: str) -> None:
        self.lists.remove(email, calendar_id)
        self.touch("calendarList", email)

    def give_role(self, calendar: Calendar, scope: Json, role: str) -> None:
        """Change access; who has none left also loses the calendar from their list."""
        self.calendars.set_rule(calendar, scope, role)
        self.touch("acl", calendar.id)
        for email in self.lists.holders(calendar.id):
            if calendar.role_of(email) == "none":
                self.unlist_calendar(email, calendar.id)

    def delete_calendar(self, calendar: Calendar) -> None:
        """The calendar is gone for everybody (404); lists tell it with a tombstone."""
        for email in self.lists.holders(calendar.id):
            self.unlist_calendar(email, calendar.id)
        self.touch_events(calendar)
        calendar.deleted = True
        self.calendars.changed(calendar)
        self.events(calendar).forget_all()
        self._stores.pop(calendar.id, None)

    def primary(self, email: str) -> Calendar | None:
        person = self.people.find(email)
        return self.calendars.find(person.email) if person is not None else None

    # Reset

    def forget_person(self, person: Person) -> None:
        """Remove a person with all they own, as if they had never been."""
        self.grants.revoke_grant(person.email)
        self.channels.forget(person.email)
        for calendar in [c for c in self.calendars if c.owner == person.email]:
            self.delete_calendar(calendar)
            self.calendars.forget(calendar)
        self.lists.forget(person.email)
        self.people.delete(person)

    def reset(self) -> None:
        """Forget everything but the signing key and the count of changes."""
        version = self.clock.version
        self.rows.clear()
        self.rows.put("version", "version", {"last": version})
        self.people = People(self.rows)
        self.grants = Grants(self.rows, lambda: self.clock.now().timestamp())
        self.faults.reset()
        self.freebusy_errors.clear()
        self.conference = ConferenceSettings()
        self.journal.clear()
        self.pusher.reset()
        self._load()
        self.rows.flush()
