"""Generated series against the calendar, every day of a rule resolved by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.instants import DAY_MINUTES
from functions.domain.intervals import Interval, merge
from functions.domain.recurrence import series_blocks
from tests.domain.builders import BERLIN, exception, google_event, minute, row, span

ZONES = st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


Occurrence = tuple[datetime, timedelta]


@st.composite
def daily_series(draw: st.DrawFn) -> tuple[dict[str, Any], ZoneInfo, list[Occurrence]]:
    """A rule of every n-th day, some excluded, and what it means: wall times and lengths."""
    name = draw(ZONES)
    zone = ZoneInfo(name)
    # Half past the hour and away from 01:00 to 03:00: what is skipped or repeated has its own examples.
    wall = datetime(2027, 3, 1) + timedelta(days=draw(st.integers(0, 240)), hours=draw(st.integers(4, 22)), minutes=30)  # noqa: DTZ001
    length = timedelta(minutes=draw(st.integers(1, 3 * DAY_MINUTES)))
    step, count = draw(st.integers(1, 9)), draw(st.integers(1, 30))
    walls = [wall + timedelta(days=n * step) for n in range(count)]
    gone = draw(st.lists(st.sampled_from(walls), unique=True, max_size=3))
    first = wall.replace(tzinfo=zone)
    last = (first.astimezone(UTC) + length).astimezone(zone)
    lines = [f"RRULE:FREQ=DAILY;INTERVAL={step};COUNT={count}"]
    lines += [f"EXDATE;TZID={name}:{each:%Y%m%dT%H%M%S}" for each in gone]
    master = google_event("ser1", first.isoformat(), last.isoformat(), recurrence=lines)
    master["start"]["timeZone"] = master["end"]["timeZone"] = name
    return master, zone, [(each, length) for each in walls if each not in gone]


def resolved(occurrences: list[Occurrence], zone: ZoneInfo) -> list[Interval]:
    """Each by itself, by the standard library."""
    found = []
    for wall, length in occurrences:
        seconds = wall.replace(tzinfo=zone).timestamp()
        found.append(Interval(int(seconds // 60), int((seconds + length.total_seconds()) // 60)))
    return found


@given(daily_series(), st.integers(0, 300), st.integers(1, 120))
def test_a_daily_series_is_its_days_one_by_one(
    made: tuple[dict[str, Any], ZoneInfo, list[Occurrence]], first_day: int, length: int
) -> None:
    master, zone, occurrences = made
    start = minute("2027-02-15T00:00Z") + first_day * DAY_MINUTES
    within = Interval(start, start + length * DAY_MINUTES)
    # The calendar's own zone has no say in a series that names one.
    found = series_blocks(row(master), [], calendar_zone="Asia/Tokyo", horizon=within)
    assert found == merge(interval for interval in resolved(occurrences, zone) if interval.overlaps(within))


@given(daily_series(), st.data())
def test_every_exception_removes_exactly_one_occurrence(
    made: tuple[dict[str, Any], ZoneInfo, list[Occurrence]], data: st.DataObject
) -> None:
    master, zone, occurrences = made
    removed = data.draw(st.sets(st.sampled_from(occurrences))) if occurrences else set()
    exceptions = [row(exception(wall.replace(tzinfo=zone).isoformat())) for wall, _ in removed]
    left = [each for each in occurrences if each not in removed]
    years = span("2027-01-01T00:00Z", "2029-01-01T00:00Z")
    found = series_blocks(row(master), exceptions, calendar_zone=BERLIN, horizon=years)
    assert found == merge(resolved(left, zone))
