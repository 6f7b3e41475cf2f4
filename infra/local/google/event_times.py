"""Start and end of an event as Google writes them: `{"date"}` for all-day, `{"dateTime", "timeZone"}` otherwise.

All-day times are placed on the time line with the calendar's zone (Google's "Calendars and events" guide).
"""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

EventTime = dict[str, Any]


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def is_all_day(value: EventTime) -> bool:
    return "date" in value


def wall(value: EventTime) -> datetime:
    """Local time without offset: midnight of the date, or the clock in the value's own zone."""
    if "date" in value:
        return datetime.combine(date.fromisoformat(value["date"]), time())
    return datetime.fromisoformat(value["dateTime"]).astimezone(zone(value["timeZone"])).replace(tzinfo=None)


def seconds(value: EventTime, calendar_zone: str) -> float:
    """The instant, in seconds since the epoch."""
    if "date" in value:
        day = datetime.combine(date.fromisoformat(value["date"]), time(), zone(calendar_zone))
        return day.timestamp()
    return datetime.fromisoformat(value["dateTime"]).timestamp()


def at_wall(like: EventTime, local: datetime) -> EventTime:
    """An event time of the same kind and zone as `like`, at another local time."""
    if "date" in like:
        return {"date": local.date().isoformat()}
    # A time that a change of clocks skips moves forward, as zoneinfo's fold=0 has it.
    instant = local.replace(tzinfo=zone(like["timeZone"])).astimezone(UTC)
    return {"dateTime": offset_text(instant, like["timeZone"]), "timeZone": like["timeZone"]}


def shown_in(value: EventTime, zone_name: str) -> EventTime:
    """The same time with the offset of the zone the answer is written in. All-day values have none."""
    if "dateTime" not in value:
        return dict(value)
    return {**value, "dateTime": offset_text(datetime.fromisoformat(value["dateTime"]), zone_name)}


def offset_text(instant: datetime, zone_name: str) -> str:
    text = instant.astimezone(zone(zone_name)).replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def parse_instant(text: str) -> float:
    """An RFC 3339 timestamp with an offset, as seconds since the epoch; fractions are ignored, as Google ignores them."""
    return datetime.fromisoformat(text.upper()).replace(microsecond=0).timestamp()
