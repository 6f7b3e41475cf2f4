"""What the tests of recurrence ask and compare with: the busy time of a series within the spring of 2027."""

from datetime import date, datetime, timedelta
from typing import Any

from functions.domain.intervals import Interval, merge
from functions.domain.recurrence import series_blocks
from tests.domain.builders import BERLIN, row, span, spans

SPRING = span("2027-02-01T00:00Z", "2027-05-01T00:00Z")
MONDAYS = ["2027-03-01", "2027-03-08", "2027-03-15", "2027-03-22", "2027-03-29", "2027-04-05", "2027-04-12"]


def blocks(
    master: dict[str, Any] | None,
    *exceptions: dict[str, Any],
    within: Interval = SPRING,
    zone: str = BERLIN,
) -> list[Interval]:
    rows = [row(each) for each in exceptions]
    return series_blocks(row(master) if master else None, rows, calendar_zone=zone, horizon=within)


def hours_from(*starts: str) -> list[Interval]:
    return spans(*(f"{start}/{_hour_later(start)}" for start in starts))


def _hour_later(start: str) -> str:
    return (datetime.fromisoformat(start) + timedelta(hours=1)).isoformat()


def days(*dates: str) -> list[Interval]:
    """Whole days in Berlin, before the clock changes."""
    return merge(
        span(f"{day}T00:00+01:00", f"{date.fromisoformat(day) + timedelta(days=1)}T00:00+01:00") for day in dates
    )
