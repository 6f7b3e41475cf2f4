"""Calendars, who may do what with them, and each person's list of calendars."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from infra.local.google import errors
from infra.local.google.clock import Clock
from infra.local.google.people import Person
from infra.local.google.persistence import Rows

Json = dict[str, Any]
Kind = Literal["normal", "generated", "unwatchable"]

ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
WRITER = "writerWithoutPrivateAccess"


def at_least(role: str, needed: str) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass
class Rule:
    """One line of a calendar's access control; role `none` is a removed one."""

    id: str
    scope: Json
    role: str
    version: int


@dataclass
class Calendar:
    """A calendar. `generated` ones (holidays, birthdays) and `unwatchable` ones have no push."""

    id: str
    summary: str
    time_zone: str
    owner: str
    version: int
    primary: bool = False
    kind: Kind = "normal"
    description: str | None = None
    location: str | None = None
    deleted: bool = False
    # Raised to make every sync token of the calendar's events worthless (410).
    token_epoch: int = 0
    acl: dict[str, Rule] = field(default_factory=dict)

    @property
    def watchable(self) -> bool:
        return self.kind == "normal"

    def role_of(self, email: str) -> str:
        """The strongest role that any rule gives this person."""
        domain = email.rpartition("@")[2]
        best = "none"
        for rule in self.acl.values():
            kind, value = rule.scope["type"], rule.scope.get("value", "").lower()
            if kind == "default" or (kind == "domain" and value == domain) or (kind == "user" and value == email):
                best = max(best, rule.role, key=ROLES.index)
        return best


class Calendars:
    """All calendars, also the deleted ones (whose ids stay taken)."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._by_id: dict[str, Calendar] = {}
        for row in rows.load("calendar"):
            row["acl"] = {key: Rule(**rule) for key, rule in row["acl"].items()}
            self._by_id[row["id"]] = Calendar(**row)

    def __iter__(self) -> Iterator[Calendar]:
        return (calendar for calendar in self._by_id.values() if not calendar.deleted)

    def find(self, calendar_id: str) -> Calendar | None:
        calendar = self._by_id.get(calendar_id) or self._by_id.get(calendar_id.lower())
        return None if calendar is None or calendar.deleted else calendar

    def get(self, calendar_id: str) -> Calendar:
        calendar = self.find(calendar_id)
        if calendar is None:
            raise errors.not_found()
        return calendar

    def resolve(self, calendar_id: str, person: Person, needed: str = "freeBusyReader") -> Calendar:
        """The calendar, if this person may: 404 when they can't see it at all, 403 when the role is too weak."""
        calendar = self.get(person.email if calendar_id == "primary" else calendar_id)
        role = calendar.role_of(person.email)
        if role == "none":
            raise errors.not_found()
        if not at_least(role, needed):
            raise errors.access_level({WRITER: "writer"}.get(needed, needed))
        return calendar

    def create(
        self,
        *,
        owner: str,
        summary: str,
        time_zone: str,
        calendar_id: str | None = None,
        kind: Kind = "normal",
        owner_role: str = "owner",
    ) -> Calendar:
        calendar_id = calendar_id or f"c_{secrets.token_hex(26)}@group.calendar.google.com"
        if calendar_id in self._by_id:
            raise errors.duplicate()
        calendar = Calendar(
            id=calendar_id,
            summary=summary,
            time_zone=time_zone,
            owner=owner,
            version=self._clock.next_version(),
            primary=calendar_id == owner,
            kind=kind,
        )
        self._by_id[calendar_id] = calendar
        self.set_rule(calendar, {"type": "user", "value": owner}, owner_role)
        return calendar

    def set_rule(self, calendar: Calendar, scope: Json, role: str) -> Rule:
        """Give a role to a scope; `none` removes it. Sync tokens notice by the role they carry."""
        if role not in ROLES:
            raise errors.invalid("Invalid role.")
        if scope.get("type") not in ("default", "user", "group", "domain"):
            raise errors.invalid("Invalid scope type.")
        rule_id = "default" if scope["type"] == "default" else f"{scope['type']}:{scope.get('value', '').lower()}"
        rule = Rule(rule_id, dict(scope), role, self._clock.next_version())
        calendar.acl[rule_id] = rule
        self.save(calendar)
        return rule

    def changed(self, calendar: Calendar) -> None:
        calendar.version = self._clock.next_version()
        self.save(calendar)

    def forget(self, calendar: Calendar) -> None:
        del self._by_id[calendar.id]
        self._rows.delete("calendar", calendar.id)

    def save(self, calendar: Calendar) -> None:
        self._rows.put("calendar", calendar.id, asdict(calendar))


@dataclass
class ListEntry:
    """A calendar in one person's list, with what that person set for themselves."""

    email: str
    calendar_id: str
    version: int
    deleted: bool = False
    own: Json = field(default_factory=dict)


class CalendarLists:
    """Each person's list. Only changes of the person's own settings reach the list's feed, as with Google."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._entries: dict[str, dict[str, ListEntry]] = {}
        for row in rows.load("list_entry"):
            self._entries.setdefault(row["email"], {})[row["calendar_id"]] = ListEntry(**row)

    def entries(self, email: str) -> list[ListEntry]:
        """All entries in the order they were added or removed, tombstones too."""
        return list(self._entries.get(email, {}).values())

    def find(self, email: str, calendar_id: str) -> ListEntry | None:
        entry = self._entries.get(email, {}).get(calendar_id)
        return None if entry is None or entry.deleted else entry

    def holders(self, calendar_id: str) -> list[str]:
        return [email for email in self._entries if self.find(email, calendar_id)]

    def put(self, email: str, calendar_id: str, own: Json | None = None) -> ListEntry:
        """Add the calendar, or change what the person set; None keeps what was set."""
        old = self._entries.get(email, {}).get(calendar_id)
        if own is None:
            own = {} if old is None else old.own
        entry = ListEntry(email, calendar_id, self._clock.next_version(), own=own)
        return self._store(entry)

    def remove(self, email: str, calendar_id: str) -> None:
        if self.find(email, calendar_id):
            self._store(ListEntry(email, calendar_id, self._clock.next_version(), deleted=True))

    def forget(self, email: str) -> None:
        for entry in self._entries.pop(email, {}).values():
            self._rows.delete("list_entry", f"{email} {entry.calendar_id}")

    def _store(self, entry: ListEntry) -> ListEntry:
        mine = self._entries.setdefault(entry.email, {})
        mine.pop(entry.calendar_id, None)
        mine[entry.calendar_id] = entry
        self._rows.put("list_entry", f"{entry.email} {entry.calendar_id}", asdict(entry))
        return entry
