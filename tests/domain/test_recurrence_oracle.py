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


@st.composite
def daily_series(draw: st.DrawFn) -> tuple[dict[str, Any], str, list[tuple[datetime, timedelta]]]:
    """A rule of every n-th day, some excluded, and the wall times that it means."""
    zone = draw(ZONES)
    # Half past the hour and away from 01:00 to 03:00: what is skipped or repeated has its own examples.
    wall = datetime(2027, 3, 1) + timedelta(days=draw(st.integers(0, 240)), hours=draw(st.integers(4, 22)), minutes=30)  # noqa: DTZ001
    length = timedelta(minutes=draw(st.integers(1, 3 * DAY_MINUTES)))
    step, count = draw(st.integers(1, 9)), draw(st.integers(1, 30))
    walls = [wall + timedelta(days=n * step) for n in range(count)]
    gone = draw(st.lists(st.sampled_from(walls), unique=True, max_size=3))
    first = wall.replace(tzinfo=ZoneInfo(zone))
    last = (first.astimezone(UTC) + length).astimezone(ZoneInfo(zone))
    lines = [f"RRULE:FREQ=DAILY;INTERVAL={step};COUNT={count}"]
    lines += [f"EXDATE;TZID={zone}:{each:%Y%m%dT%H%M%S}" for each in gone]
    master = google_event("ser1", first.isoformat(), last.isoformat(), recurrence=lines)
    master["start"]["timeZone"] = master["end"]["timeZone"] = zone
    return master, zone, [(each, length) for each in walls if each not in gone]


@given(daily_series(), st.integers(0, 300), st.integers(1, 120))
def test_a_daily_series_is_its_days_one_by_one(
    made: tuple[dict[str, Any], str, list[tuple[datetime, timedelta]]], first_day: int, length: int
) -> None:
    master, zone, walls = made
    start = minute("2027-02-15T00:00Z") + first_day * DAY_MINUTES
    within = Interval(start, start + length * DAY_MINUTES)
    expected = []
    for wall, lasts in walls:
        seconds = wall.replace(tzinfo=ZoneInfo(zone)).timestamp()
        expected.append(Interval(int(seconds // 60), int((seconds + lasts.total_seconds()) // 60)))
    assert blocks(master, within=within, zone="Asia/Tokyo") == merge(i for i in expected if i.overlaps(within))


@given(daily_series(), st.data())
def test_every_exception_replaces_exactly_one_occurrence(
    made: tuple[dict[str, Any], str, list[tuple[datetime, timedelta]]], data: st.DataObject
) -> None:
    master, zone, walls = made
    within = span("2027-01-01T00:00Z", "2029-01-01T00:00Z")
    if not walls:
        return
    chosen = data.draw(st.lists(st.sampled_from([wall for wall, _ in walls]), unique=True))
    cancelled = [exception(each.replace(tzinfo=ZoneInfo(zone)).isoformat()) for each in chosen]
    left = [(wall, lasts) for wall, lasts in walls if wall not in chosen]
    expected = []
    for wall, lasts in left:
        seconds = wall.replace(tzinfo=ZoneInfo(zone)).timestamp()
        expected.append(Interval(int(seconds // 60), int((seconds + lasts.total_seconds()) // 60)))
    assert blocks(master, *cancelled, within=within) == merge(expected)
