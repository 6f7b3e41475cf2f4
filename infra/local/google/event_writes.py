"""Creating, changing and deleting events: one way for the API and for the pages, so that etags, tombstones and pushes
are the same whoever acts."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.google import errors, invitations
from infra.local.google.calendars import Calendar, at_least
from infra.local.google.conference import completed, conference_part, is_pending
from infra.local.google.event_input import WRITABLE, check_event_id, merge_patch, read_event, read_reminders
from infra.local.google.event_record import EventRecord, attendee
from infra.local.google.event_store import EventStore
from infra.local.google.event_targets import Target, find_target
from infra.local.google.event_types import check_event_type
from infra.local.google.people import Person
from infra.local.google.world import World

Json = dict[str, Any]

# What an attendee may change on their own copy although it belongs to everybody.
_OPEN_TO_ATTENDEES = frozenset({"attendees", "updated"})
_BASE32HEX = "0123456789abcdefghijklmnopqrstuv"


def new_event_id() -> str:
    return "".join(secrets.choice(_BASE32HEX) for _ in range(26))


@dataclass(frozen=True)
class EventWriter:
    """One person writing to one calendar; the caller has seen to it that the role allows writing."""

    world: World
    calendar: Calendar
    person: Person
    conference_version: int = 0
    attachments: bool = False

    @property
    def store(self) -> EventStore:
        return self.world.events(self.calendar)

    def insert(self, fields: Json) -> EventRecord:
        """409 for an id or iCalUID that is taken, also by a deleted event."""
        _check_reminders(fields)
        event_id, uid = fields.get("id"), fields.get("iCalUID")
        if event_id and uid:
            raise errors.invalid("Only one of id and iCalUID can be given.")
        event_id = check_event_id(event_id) if event_id else new_event_id()
        if self.store.find(event_id) or self.store.instance_of(event_id):
            raise errors.duplicate()
        if uid and self.store.by_uid(uid):
            raise errors.duplicate()
        body = self._new_body(fields, uid=uid or f"{event_id}@google.com", organizer=self.own_organizer())
        record = self.store.add(event_id, body)
        self._set_reminders(record, fields)
        self._settle(record, before=set())
        return record

    def import_event(self, fields: Json) -> EventRecord:
        """A private copy of an event from elsewhere, known by its iCalUID; again with the same one replaces it."""
        _check_reminders(fields)
        uid = fields.get("iCalUID")
        if not uid:
            raise errors.required("Missing iCalUID.")
        if fields.get("eventType", "default") != "default":
            raise errors.event_type_restriction("Only default events can be imported.")
        organizer = fields.get("organizer") or self.own_organizer()
        kept = {name: organizer[name] for name in ("email", "displayName") if organizer.get(name)}
        body = self._new_body(fields, uid=uid, organizer=kept or self.own_organizer())
        body["sequence"] = fields.get("sequence", 0)
        known = next((r for r in self.store.by_uid(uid) if r.master_id is None), None)
        if known is None:
            record = self.store.add(new_event_id(), body)
        else:
            record = known
            self.store.replace(record, {**body, "created": record.body["created"]})
        self._set_reminders(record, fields)
        self.world.touch_events(self.calendar)
        return record

    def patch(self, event_id: str, patch: Json, *, if_match: str | None = None) -> EventRecord:
        """Change what is mentioned. 410 when the event is deleted, 412 when it changed meanwhile."""
        target = self._changeable(event_id, if_match, patch, restores=False)
        old = {name: value for name, value in target.body.items() if name in WRITABLE}
        if patch.get("attendeesOmitted") and patch.get("attendees"):
            patch = {**patch, "attendees": _with_answers(old.get("attendees", []), patch["attendees"])}
        merged = merge_patch(old, {name: value for name, value in patch.items() if name in WRITABLE})
        return self._change(target, merged, patch, replace=False)

    def update(self, event_id: str, fields: Json, *, if_match: str | None = None) -> EventRecord:
        """Replace the whole event: what is not mentioned is cleared."""
        target = self._changeable(event_id, if_match, fields, restores=True)
        given = {name: value for name, value in fields.items() if name in WRITABLE}
        if fields.get("attendeesOmitted") and given.get("attendees"):
            given["attendees"] = _with_answers(target.body.get("attendees", []), given["attendees"])
        return self._change(target, given, fields, replace=True)

    def delete(self, event_id: str, *, if_match: str | None = None) -> None:
        """410 `deleted` the second time."""
        target = find_target(self.store, event_id)
        self._check_private(target.body)
        if target.cancelled:
            raise errors.gone()
        target.check_match(if_match)
        self._cancel(target)

    # Steps

    def _changeable(self, event_id: str, if_match: str | None, fields: Json, *, restores: bool) -> Target:
        target = find_target(self.store, event_id)
        self._check_private(target.body)
        if target.cancelled:
            master_stands = target.master is not None and not target.master.cancelled
            if not (fields.get("status") in ("confirmed", "tentative") and (restores or master_stands)):
                raise errors.gone()
            if "organizer" not in target.body:
                raise errors.forbidden("The event has moved to another calendar.")
        target.check_match(if_match)
        return target

    def _check_private(self, body: Json) -> None:
        private = body.get("visibility") in ("private", "confidential")
        if private and not at_least(self.calendar.role_of(self.person.email), "writer"):
            raise errors.forbidden("Private events are closed to writers without private access.")

    def _change(self, target: Target, fields: Json, given: Json, *, replace: bool) -> EventRecord:
        old = target.body
        _check_reminders(given)
        if given.get("eventType") not in (None, old.get("eventType", "default")):
            raise errors.event_type_restriction("The event type can't be changed.")
        if target.is_instance and fields.get("recurrence"):
            raise errors.invalid("An instance of a recurring event can't become a recurring event itself.")
        new = self._read(fields, old["organizer"]["email"], old.get("eventType", "default"))
        if not self.attachments:
            new |= {name: old[name] for name in ("attachments",) if name in old}
        if new["status"] == "cancelled":
            return self._cancel(target)
        system = {name: value for name, value in old.items() if name not in WRITABLE}
        conference = conference_part(old, given, version=self.conference_version, replace=replace)
        for name in ("conferenceData", "hangoutLink"):
            system.pop(name, None)
        body = {**system, **new, **conference}
        changed = {name for name in {*old, *body} if old.get(name) != body.get(name)}
        home = invitations.organizer_store(self.world, old, self.calendar)
        answer_to = None
        if home is not None and not self._is_attached(home, target):
            home = None
        if home is not None:
            body, answer_to = self._as_attendee(home, target, body, changed)
        elif changed & {"start", "end", "recurrence"}:
            body["sequence"] = old.get("sequence", 0) + 1
        record = self._save(target, body, given, changed)
        if answer_to is not None:
            answer_to()
        return record

    def _is_attached(self, home: EventStore, target: Target) -> bool:
        try:
            return find_target(home, target.id).body.get("iCalUID") == target.body.get("iCalUID")
        except errors.ApiError:
            return False

    def _save(self, target: Target, body: Json, given: Json, changed: set[str]) -> EventRecord:
        old = target.body
        before = set() if target.record is None else invitations.emails(old)
        only_reminders = not changed and set(given) <= {"reminders"}
        if not only_reminders:
            body["updated"] = self.world.clock.timestamp()
        record = target.record
        if record is None:
            before = invitations.emails(old)
            record = self.store.add(target.id, body, reminders=dict(target.master.reminders) if target.master else {})
        else:
            self.store.replace(record, body)
        if record.master_id is not None:
            record.overrides = sorted({*record.overrides, *(changed & WRITABLE)})
        elif record.master:
            self._inherit(record, changed)
        self._set_reminders(record, given)
        self._settle(record, before=before)
        return record

    def _inherit(self, master: EventRecord, changed: set[str]) -> None:
        """Exceptions follow their master in all that was not set on themselves."""
        followed = (changed & WRITABLE) - {"start", "end", "recurrence", "status"}
        for exception in self.store.exceptions(master.id).values():
            names = followed - set(exception.overrides)
            if exception.cancelled or not names:
                continue
            before = invitations.emails(exception.body)
            body = {name: value for name, value in exception.body.items() if name not in names}
            body |= {name: master.body[name] for name in names if name in master.body}
            self.store.replace(exception, {**body, "updated": master.body["updated"]})
            self._settle(exception, before=before)

    def _settle(self, record: EventRecord, *, before: set[str]) -> None:
        self.world.touch_events(self.calendar, record.event_type)
        if record.organizer == self.calendar.id:
            invitations.spread(self.world, record, before=before)
        if is_pending(record.body):
            schedule_conference(self.world, self.store, record)

    def _cancel(self, target: Target) -> EventRecord:
        old = target.body
        home = invitations.organizer_store(self.world, old, self.calendar)
        updated = self.world.clock.timestamp()
        body = {**old, "status": "cancelled", "updated": updated, "sequence": old.get("sequence", 0) + 1}
        before = invitations.emails(old)
        if target.record is None:
            record = self.store.add(target.id, body)
        else:
            record = target.record
            self.store.replace(record, body)
        self.world.touch_events(self.calendar, record.event_type)
        if record.organizer == self.calendar.id:
            invitations.spread(self.world, record, before=before)
        elif home is not None and self._is_attached(home, target):
            self._answer(home, target.id, {"responseStatus": "declined"})
        return record

    # An attendee's copy

    def _as_attendee(
        self, home: EventStore, target: Target, body: Json, changed: set[str]
    ) -> tuple[Json, Callable[[], None] | None]:
        """What of a change stays on the attendee's copy, and what is to be done on the organizer's."""
        old = target.body
        shared = (changed & invitations.SHARED) - _OPEN_TO_ATTENDEES
        if shared and not old.get("guestsCanModify"):
            raise errors.for_non_organizer()
        own = attendee(body, self.calendar.id)
        known = {entry["email"] for entry in old.get("attendees", ())}
        added = [entry for entry in body.get("attendees", ()) if entry["email"] not in known]
        may_invite = old.get("guestsCanInviteOthers", True)
        values = {name: body.get(name) for name in shared}
        properties = body.get("extendedProperties", {}).get("shared")
        if properties != old.get("extendedProperties", {}).get("shared"):
            values["sharedProperties"] = properties
        local = {name: value for name, value in body.items() if name not in invitations.SHARED}
        local |= {name: value for name, value in old.items() if name in invitations.SHARED}
        if own == attendee(old, self.calendar.id) and not values and not (added and may_invite):
            return local, None
        return local, lambda: self._answer(home, target.id, own or {}, values=values, added=added if may_invite else [])

    def _answer(
        self,
        home: EventStore,
        event_id: str,
        own: Json,
        *,
        values: Json | None = None,
        added: list[Json] | None = None,
    ) -> None:
        """Carry an attendee's answer, and what else they may change, to the organizer's copy and to all others."""
        target = find_target(home, event_id)
        if target.cancelled:
            return
        body = dict(target.body)
        entries = [
            {**entry, **own} if entry["email"] == self.calendar.id else entry for entry in body.get("attendees", ())
        ]
        body["attendees"] = [*entries, *(added or ())]
        values = dict(values or {})
        if "sharedProperties" in values:
            pairs = {**body.get("extendedProperties", {}), "shared": values.pop("sharedProperties")}
            body["extendedProperties"] = {scope: found for scope, found in pairs.items() if found}
        body |= values
        body = {name: value for name, value in body.items() if value is not None}
        writer = EventWriter(self.world, home.calendar, self.person)
        writer._save(target, body, {}, {"attendees", *values})

    # Parts

    def _read(self, fields: Json, organizer: str, event_type: str, *, conference: bool = False) -> Json:
        body = read_event(fields, calendar_zone=self.calendar.time_zone, organizer=organizer)
        if not self.attachments:
            body.pop("attachments", None)
        if event_type == "fromGmail":
            return body
        return check_event_type(event_type, body, self.calendar, conference=conference)

    def _new_body(self, fields: Json, *, uid: str, organizer: Json) -> Json:
        event_type = fields.get("eventType") or "default"
        if event_type == "fromGmail":
            raise errors.event_type_restriction("Events of type fromGmail can't be created.")
        new = self._read(fields, organizer["email"], event_type, conference=bool(fields.get("conferenceData")))
        if new["status"] == "cancelled":
            raise errors.invalid("Invalid status value.")
        now = self.world.clock.timestamp()
        body = {
            **new,
            "created": now,
            "updated": now,
            "creator": {"email": self.person.email},
            "organizer": organizer,
            "iCalUID": uid,
            "sequence": 0,
            "eventType": event_type,
            **conference_part({}, fields, version=self.conference_version, replace=True),
        }
        if fields.get("privateCopy"):
            body["privateCopy"] = True
        return body

    def own_organizer(self) -> Json:
        if self.calendar.primary:
            return {"email": self.calendar.id}
        return {"email": self.calendar.id, "displayName": self.calendar.summary}

    def _set_reminders(self, record: EventRecord, given: Json) -> None:
        reminders = given.get("reminders")
        if "reminders" not in given:
            return
        record.reminders = {name: value for name, value in record.reminders.items() if name != self.person.email}
        if reminders:
            record.reminders[self.person.email] = read_reminders(reminders)


def _check_reminders(given: Json) -> None:
    if given.get("reminders"):
        read_reminders(given["reminders"])


def _with_answers(old: list[Json], given: list[Json]) -> list[Json]:
    """`attendeesOmitted` on a change: only the participants that are mentioned are meant."""
    answers = {str(entry.get("email", "")).lower(): entry for entry in given}
    return [{**entry, **answers.get(entry["email"], {})} for entry in old]


def schedule_conference(world: World, store: EventStore, record: EventRecord) -> None:
    """Make the conference a moment later, as a change of its own."""

    def finish() -> None:
        if store.find(record.id) is not record or record.cancelled or not is_pending(record.body):
            return
        body = completed(record.body, fail=world.conference.fail)
        store.replace(record, {**body, "updated": world.clock.timestamp()})
        world.touch_events(store.calendar, record.event_type)
        invitations.spread(world, record, before=invitations.emails(record.body))

    world.later(world.conference.delay_ms / 1000, finish)
