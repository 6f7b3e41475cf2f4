"""freebusy.query: what is busy on up to fifty calendars, merged, with each calendar's error inside the 200."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.calendars import Calendar
from infra.local.google.event_listing import LOCAL_SLACK, local_time
from infra.local.google.event_record import EventRecord, attendee
from infra.local.google.event_store import EventStore
from infra.local.google.event_times import offset_text, parse_instant, seconds, zone
from infra.local.google.event_view import instance_id
from infra.local.google.zones import zone_names

Json = dict[str, Any]
Span = tuple[float, float]

CALENDAR_LIMIT = 50
# Undocumented; others see `timeRangeTooLong` past roughly three months.
LONGEST_SECONDS = 93 * 86400


@handles("freebusy.query")
def query(call: Call) -> Json:
    body = call.body
    for name in ("timeMin", "timeMax"):
        if not body.get(name):
            raise errors.required(f"Missing {name} parameter.")
    try:
        time_min, time_max = parse_instant(body["timeMin"]), parse_instant(body["timeMax"])
    except ValueError as error:
        raise errors.invalid("Invalid time range.") from error
    zone_name = body.get("timeZone") or "UTC"
    if zone_name not in zone_names():
        raise errors.invalid("Invalid time zone.")
    if time_max <= time_min:
        raise errors.time_range_empty()
    if time_max - time_min > LONGEST_SECONDS:
        raise errors.ApiError(
            400, "timeRangeTooLong", "The requested time range is too long.", domain="calendar", location="timeMax"
        )
    limit = min(int(body.get("calendarExpansionMax") or CALENDAR_LIMIT), CALENDAR_LIMIT)
    answers: Json = {}
    for number, item in enumerate(body.get("items") or ()):
        calendar_id = item.get("id") or ""
        if number >= limit:
            answers[calendar_id] = _error("tooManyCalendarsRequested", "calendar")
        else:
            answers[calendar_id] = _calendar(call, calendar_id, (time_min, time_max), zone_name)
    return {
        "kind": "calendar#freeBusy",
        "timeMin": _text(time_min, zone_name),
        "timeMax": _text(time_max, zone_name),
        "calendars": answers,
    }


def _calendar(call: Call, calendar_id: str, window: Span, zone_name: str) -> Json:
    reason = call.world.freebusy_errors.get(calendar_id)
    if reason is not None:
        return _error(reason, "global")
    try:
        calendar = call.world.calendars.resolve(calendar_id, call.person)
    except errors.ApiError:
        return _error("notFound", "global")
    busy = busy_spans(call.world.events(calendar), window)
    return {"busy": [{"start": _text(start, zone_name), "end": _text(end, zone_name)} for start, end in busy]}


def _error(reason: str, domain: str) -> Json:
    # No `busy`: who does not look for `errors` takes the calendar for free, as with Google.
    return {"errors": [{"domain": domain, "reason": reason}]}


def busy_spans(store: EventStore, window: Span) -> list[Span]:
    """Merged and cut to the window."""
    start, end = window
    cut = sorted((max(a, start), min(b, end)) for a, b in _taken(store, window) if a < b and a < end and b > start)
    merged: list[Span] = []
    for a, b in cut:
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], b))
        else:
            merged.append((a, b))
    return merged


def _taken(store: EventStore, window: Span) -> Iterator[Span]:
    zone_name = store.calendar.time_zone
    for start, record in _standing(store, window):
        if blocks(record, store.calendar):
            yield start, seconds(record.body["end"], zone_name)
    for master in store.masters():
        if blocks(master, store.calendar):
            yield from _occurrences(store, master, window)


def _standing(store: EventStore, window: Span) -> Iterable[tuple[float, EventRecord]]:
    for start, record in store.timed(None, window[0]):
        if start >= window[1]:
            break
        yield start, record
    yield from store.long_events()


def _occurrences(store: EventStore, master: EventRecord, window: Span) -> Iterator[Span]:
    series = store.series(master)
    zone_name = master.body["start"].get("timeZone") or store.calendar.time_zone
    changed = store.exceptions(master.id)
    for local in series.walls(since=local_time(window[0], zone_name) - series.length - LOCAL_SLACK):
        start = local.replace(tzinfo=zone(zone_name)).timestamp()
        if start >= window[1]:
            return
        instance = series.instance(local)
        if instance_id(master, instance) not in changed:
            yield start, seconds(instance.end, store.calendar.time_zone)


def blocks(record: EventRecord, calendar: Calendar) -> bool:
    """Transparent and cancelled events do not block, nor do those that the calendar's owner has declined."""
    if record.cancelled or record.body.get("transparency") == "transparent":
        return False
    own = attendee(record.body, calendar.id)
    return own is None or own.get("responseStatus") != "declined"


def _text(instant: float, zone_name: str) -> str:
    return offset_text(datetime.fromtimestamp(instant, UTC), zone_name)
