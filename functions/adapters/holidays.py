"""Holidays from an iCalendar file (RFC 5545): the dates of its all-day events. Events with a time of day are no holidays; they are counted.

Files come from everywhere. What can't be read for sure refuses the whole file: a holiday that is left out unheard is a day on which clients book and
nobody is there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from functions.domain.errors import Invalid
from functions.domain.hours import Holiday
from functions.domain.recurrence_rule import TooDense, occurrences, read_rule

if TYPE_CHECKING:
    from icalendar import Component

MAX_HOLIDAYS = 1_000  # of one resource, and so of one file
MAX_EVENTS = 5_000
MAX_RULES = 500
MAX_FRUITLESS = (
    20  # rules that occur nowhere near: half a second each, because dateutil searches the whole calendar for them
)
AHEAD = timedelta(
    days=3 * 366
)  # so far events that come again are written out; no booking window is longer than a year
MAX_DAYS = 366  # of one event
MAX_NAME = 200

# The properties that say when an event is, and where the library puts what it made of each. One sent as a photograph, say, has nothing there.
_WHEN = {
    **dict.fromkeys(("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"), "dt"),
    **dict.fromkeys(("RDATE", "EXDATE"), "dts"),
    "RRULE": "to_ical",
}


@dataclass(frozen=True, kw_only=True)
class HolidayFile:
    """`holidays`: sorted, each date once. `skipped`: how many events were not all-day."""

    holidays: tuple[Holiday, ...]
    skipped: int


def read_holidays(content: bytes, *, since: date) -> HolidayFile:
    """The holidays of a file from `since` on; of a date with several names, the first. Raises `Invalid`, with what to do about the file."""
    events = _events(content)
    all_day = [event for event in events if type(_moment(event, "DTSTART")) is date]
    if sum("RRULE" in event for event in all_day) > MAX_RULES:
        raise Invalid(f"More than {MAX_RULES} events of the file come again by a rule. Send fewer at a time.")
    replaced = _replaced(events)
    names: dict[date, str] = {}
    for event in all_day:
        if str(event.get("STATUS")).upper() == "CANCELLED":
            continue
        name = _name(event)
        for day in _dates(event, replaced.get(_identity(event), set()), since):
            names.setdefault(day, name)
            if len(names) > MAX_HOLIDAYS:
                raise Invalid(f"The file names more than {MAX_HOLIDAYS} dates. Send fewer at a time.")
    holidays = tuple(Holiday(date=day, name=names[day]) for day in sorted(names))
    return HolidayFile(holidays=holidays, skipped=len(events) - len(all_day))


def _events(content: bytes) -> "list[Component]":
    from icalendar import Component  # a tenth of a second that no other request shall wait for

    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(
            "The file is not in UTF-8, as iCalendar files must be. Save it as UTF-8 and send it again."
        ) from None
    try:
        # Bytes, never a str: the library takes a short one for the path of a file to open.
        found = Component.from_ical(content, multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # whatever a broken file makes of it
        raise Invalid("The file is not iCalendar. Export it anew from your calendar program as .ics.") from None
    parts = found if isinstance(found, list) else [found]
    events = [
        event for part in parts if part.name == "VCALENDAR" for event in part.subcomponents if event.name == "VEVENT"
    ]
    if not events:
        raise Invalid("The file holds no events, or was cut off. Export it anew from your calendar program as .ics.")
    if len(events) > MAX_EVENTS:
        raise Invalid(f"The file holds more than {MAX_EVENTS} events. Send fewer at a time.")
    for event in events:
        if (broken := _broken(event)) is not None:
            raise _unreadable(event, broken)
    return events


def _broken(event: "Component") -> str | None:
    """The first property of `_WHEN` that is there and can't be read. Other lines may be broken: a description, say, with a line break in it."""
    failed = {name for name, _ in event.errors}
    no_lines = " ".join(message.upper() for name, message in event.errors if name is None)
    for name, place in _WHEN.items():
        if name in failed or name in no_lines or not all(hasattr(value, place) for value in _all(event, name)):
            return name
    return None


def _unreadable(event: "Component", what: str) -> Invalid:
    return Invalid(f"“{_name(event)}” can't be read: {what}. Mend or remove that event, and send the file again.")


def _name(event: "Component") -> str:
    text = next(iter(_all(event, "SUMMARY")), "")
    printable = "".join(each if each.isprintable() else " " for each in str(text))
    return " ".join(printable.split())[:MAX_NAME].strip()


def _identity(event: "Component") -> str:
    return str(event.get("UID", ""))


def _all(event: "Component", name: str) -> list[Any]:
    found = event.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _moment(event: "Component", name: str) -> Any:
    """The value of a property that may come once; None where it is not there."""
    found = _all(event, name)
    if len(found) > 1:
        raise _unreadable(event, f"it has more than one {name}")
    return found[0].dt if found else None


def _replaced(events: "Iterable[Component]") -> dict[str, set[date]]:
    """By UID the dates of a series for which the file holds an event of their own, perhaps a cancelled one."""
    found: dict[str, set[date]] = {}
    for event in events:
        original = _moment(event, "RECURRENCE-ID")
        if original is not None:
            found.setdefault(_identity(event), set()).add(_date(event, original))
    return found


def _dates(event: "Component", replaced: set[date], since: date) -> Iterator[date]:
    length = _days(event)
    # Back to those that began before `since` and still go on.
    reach = timedelta(days=min(length, MAX_DAYS))
    for start in _starts(event, since=since - reach, until=since + AHEAD) - replaced:
        if (numbers := range(max(0, (since - start).days), length)) and length > MAX_DAYS:
            raise _unreadable(event, "it lasts longer than a year")
        try:
            yield from (start + timedelta(days=number) for number in numbers)
        except OverflowError:
            raise _unreadable(event, "it goes on beyond the end of the calendar") from None


def _days(event: "Component") -> int:
    """How many dates it lasts. DTEND is the date after the last (RFC 5545, 3.6.1)."""
    start, end, duration = (_moment(event, name) for name in ("DTSTART", "DTEND", "DURATION"))
    if end is not None:
        if type(end) is not date:
            raise _unreadable(event, "it begins with a date and ends with a time")
        return max(1, int((end - start).days))
    if not isinstance(duration, timedelta | None):
        raise _unreadable(event, "DURATION")
    return 1 if duration is None else max(1, duration.days)


def _starts(event: "Component", *, since: date, until: date) -> set[date]:
    """Its own date, and those of a series from `since` to `until`."""
    found = {_moment(event, "DTSTART"), *_listed(event, "RDATE")}
    begin, first, last = (datetime.combine(day, time()) for day in (_moment(event, "DTSTART"), since, until))
    for value in _all(event, "RRULE"):
        try:
            rule = read_rule(value.to_ical().decode(), begin, until_of=_last_moment)
            found |= {wall.date() for wall in occurrences(rule, begin, since=first, until=last, exact=True)}
        except (ValueError, TypeError, OverflowError):
            raise _unreadable(event, "RRULE says nothing that can be computed") from None
        except TooDense:
            raise _unreadable(event, "RRULE comes again too often to be counted") from None
    return found - _listed(event, "EXDATE")


def _listed(event: "Component", name: str) -> set[date]:
    return {_date(event, value.dt) for values in _all(event, name) for value in values.dts}


def _last_moment(until: str) -> datetime:
    """Of an all-day series only the date of UNTIL counts (case 143)."""
    return datetime.combine(date.fromisoformat(until[:8]), time())


def _date(event: "Component", value: Any) -> date:
    moment = value[0] if isinstance(value, tuple) else value  # RDATE may be a period; its start counts
    if isinstance(moment, datetime):
        return moment.date()
    if not isinstance(moment, date):
        raise _unreadable(event, f"{moment} is no date")
    return moment
