"""The day on which most examples of the engine's rules play: Monday 2027-03-01, in UTC, so that they are easy to read."""

from collections.abc import Iterable
from typing import Any

from functions.domain.availability import Closed, Question, Reason, explain, open_starts
from functions.domain.configuration import Resource
from functions.domain.instants import MINUTE_MS, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, Occupation
from tests.domain.builders import CALENDAR, EVERY_DAY, hours, minute, occupation, resource, span, weekly

DATE = "2027-03-01"
MONDAY = span(f"{DATE}T00:00Z", "2027-03-02T00:00Z")


def on_monday(clock: str) -> int:
    """The minute of `09:00`."""
    return minute(f"{DATE}T{clock}Z")


def monday_now(clock: str) -> int:
    """The moment of `09:00`, in milliseconds."""
    return on_monday(clock) * MINUTE_MS


def at(start: str, end: str, **changes: Any) -> Occupation:
    """A session of the usual service that day, named after its start."""
    return occupation(f"{DATE}T{start}Z", f"{DATE}T{end}Z", **{"session": f"at {start}"} | changes)


def busy(*pairs: str, calendar: str = CALENDAR) -> dict[tuple[str, str], list[Interval]]:
    """Events of that day in a calendar: `10:00-11:00`."""
    found = [Interval(*map(on_monday, pair.split("-"))) for pair in pairs]
    return {(calendar, f"ev{number}"): [interval] for number, interval in enumerate(found)}


def held(seats: int, *, until: int) -> dict[str, Hold]:
    """Seats that are kept for one form, until that moment."""
    return {"form": Hold(seats=seats, expires_at=until)}


def works(*pairs: str, name: str = "anna", zone: str = "UTC", **changes: Any) -> Resource:
    """Who works at these times every day: `09:00-12:00`, which is also what holds where none are given."""
    openings = [weekly(*pair.split("-"), EVERY_DAY) for pair in pairs or ("09:00-12:00",)]
    return resource(name, **{"hours": hours(*openings, zone=zone)} | changes)


def clock(starts: Iterable[int]) -> str:
    """`09:00 10:30`, of starts of one day."""
    return " ".join(rfc3339(start)[11:16] for start in starts)


def open_on_monday(question: Question) -> str:
    return clock(open_starts(question, MONDAY))


def why(question: Question, start: str) -> set[Closed]:
    """The rules that close a start of that day."""
    return {reason.rule for reason in explain(question, on_monday(start))}


def because(rule: Closed, resource: str | None = None, /, **cause: str | int) -> Reason:
    return Reason(rule=rule, resource=resource, cause=cause)
