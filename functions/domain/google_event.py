"""A Google event as the mirror keeps it: when it is, whether it takes time, whose series it belongs to. No titles, no guests' names.

What blocks time follows section 1.3 of the contract notes: cancelled, transparent and self-declined events are free, everything else with a
time is busy, and what can't be understood is busy where it has a time at all (case 57).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.domain.instants import Millis, Minute, millis_of, minute_ceil, minute_floor
from functions.domain.intervals import Interval
from functions.domain.model import Document
from functions.domain.session import client_key
from functions.domain.zones import midnight, zone

D = TypeVar("D", bound=date)

FREE_EVENT_TYPES = frozenset({"workingLocation", "birthday"})


class Malformed(ValueError):
    """The event's times can't be read."""


class EventTime(Document):
    """Google's `start`, `end` or `originalStartTime`: a date, or a date and time with an offset or a zone."""

    date: str | None = None
    dateTime: str | None = None
    timeZone: str | None = None

    @property
    def all_day(self) -> bool:
        return self.date is not None


class MirrorEvent(Document):
    """One row of a calendar's mirror. `months` are the ledger months that its blocks stand in, for every resource the calendar blocks.

    `session` is set on the events we made; they never block by themselves, the session in the ledger does. Unless they are `disputed`: moved to a time that
    is not the session's, about which a person has to decide. `spared` are resources whose time an open session takes already of which this is another
    copy, an invitation say (case 123). `declined`: by the calendar's owner.
    """

    id: str
    calendar: str
    kind: Literal["single", "master", "exception"]
    series: str | None = None
    cancelled: bool = False
    busy: bool = True
    declined: bool = False
    start: EventTime | None = None
    end: EventTime | None = None
    original_start: EventTime | None = None
    recurrence: tuple[str, ...] = ()
    etag: str | None = None
    updated: str | None = None
    session: str | None = None
    disputed: bool = False
    spared: tuple[str, ...] = ()
    generation: int = 1
    months: tuple[str, ...] = ()
    malformed: str | None = None

    @property
    def block_key(self) -> str:
        """Under which key the ledger holds its blocks: a series is one entry, with all its exceptions."""
        return self.series or self.id


def newest_change(events: Iterable[Mapping[str, Any]]) -> Millis | None:
    """When the last of these changes was made, by Google's clock; None where none of them says so."""
    found = []
    for event in events:
        with suppress(ValueError, TypeError):
            changed = datetime.fromisoformat(event["updated"]) if event.get("updated") else None
            if changed is not None and changed.tzinfo is not None:
                found.append(millis_of(changed))
    return max(found, default=None)


def is_older(event: MirrorEvent, than: str | None) -> bool:
    """Whether this is what the event was before that moment, by Google's clock (its `updated`). Where nobody can say, it is taken for new."""
    try:
        return datetime.fromisoformat(event.updated or "") < datetime.fromisoformat(than or "")
    except (ValueError, TypeError):
        return False


def takes_time(event: Mapping[str, Any]) -> bool:
    """Whether the event's time is busy for the calendar's owner."""
    if event.get("status") == "cancelled" or event.get("transparency") == "transparent":
        return False
    if event.get("eventType") in FREE_EVENT_TYPES:
        return False
    return not declined_by_owner(event)


def declined_by_owner(event: Mapping[str, Any]) -> bool:
    return any(guest.get("self") and _declines(guest) for guest in event.get("attendees") or ())


def declined_by_guests(event: Mapping[str, Any]) -> frozenset[str] | None:
    """The clients' keys of the guests who declined; None where Google left guests out of its answer."""
    if event.get("attendeesOmitted"):
        return None
    guests = event.get("attendees") or ()
    return frozenset(client_key(guest.get("email") or "") for guest in guests if _declines(guest))


def _declines(guest: Mapping[str, Any]) -> bool:
    return guest.get("responseStatus") == "declined"


def interval_of(start: EventTime | None, end: EventTime | None, calendar_zone: str) -> Interval:
    """The event's time in minutes, rounded outward. All-day events run from midnight to midnight of the calendar's zone (case 124).

    A zero-length timed event takes no time (case 127); an all-day event that ends on or before its first day is one day long (case 126).
    Raises `Malformed`.
    """
    if start is None:
        raise Malformed("the event has no start")
    if start.all_day:
        return _all_day_interval(start, end, zone(calendar_zone))
    first = instant_of(start, calendar_zone)
    last = first if end is None else instant_of(end, calendar_zone)
    if last <= first:
        return Interval(minute_floor(first), minute_floor(first))
    return Interval(minute_floor(first), minute_ceil(last))


def _all_day_interval(start: EventTime, end: EventTime | None, zone_: ZoneInfo) -> Interval:
    first = date_of(start)
    last = date_of(end) if end is not None and end.all_day else first
    return Interval(midnight(first, zone_), midnight(max(last, first + timedelta(days=1)), zone_))


def date_of(value: EventTime) -> date:
    try:
        return _computable(date.fromisoformat(value.date or ""))
    except ValueError:
        raise Malformed(f"{value.date!r} is not a date") from None


def instant_of(value: EventTime, calendar_zone: str) -> datetime:
    """The aware datetime. An offset decides (case 131); without one the event's zone does, or else the calendar's (case 130)."""
    try:
        instant = datetime.fromisoformat(value.dateTime or "")
    except ValueError:
        raise Malformed(f"{value.dateTime!r} is not a date and time") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone_or(value.timeZone, calendar_zone))
    return _computable(instant)


def _computable(day: D) -> D:
    """Away from the ends of the calendar, where arithmetic overflows. The year 9999 is how some programs write "for ever"."""
    if day.year < 2:
        raise Malformed(f"the year {day.year} is out of range")
    return day.replace(year=min(day.year, 9998))


def zone_or(name: str | None, fallback: str) -> ZoneInfo:
    try:
        return zone(name) if name else zone(fallback)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return zone(fallback)


def start_minute(value: EventTime, calendar_zone: str) -> Minute:
    """The minute a start falls on, all-day or timed: what an exception's original start is matched by."""
    if value.all_day:
        return midnight(date_of(value), zone(calendar_zone))
    return minute_floor(instant_of(value, calendar_zone))
