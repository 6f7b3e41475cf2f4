"""Every zone of the database and every change of its clock from 2025 to 2030, against the database's own files.

What is expected follows from the spans that `tests.domain.zones` reads there, not from what `zoneinfo` says.
"""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise

import pytest

from functions.domain.hours import Hours
from functions.domain.instants import DAY_MINUTES, Minute
from functions.domain.intervals import Interval
from functions.domain.openings import openings
from functions.domain.zones import closing, opening, zone
from tests.domain.builders import EVERY_DAY, weekly
from tests.domain.zones import Span, Transition, changes, spans, transitions

FIRST, AFTER = date(2025, 1, 1), date(2031, 1, 1)
TABLE = transitions(FIRST.year, AFTER.year - 1)
EPOCH = date(1970, 1, 1)
DAY = 24 * 60 * 60  # seconds, as the offsets of the database


def wall_second(day: date, minutes: int) -> int:
    """A wall time as seconds since the wall's own 1970-01-01T00:00."""
    return (day - EPOCH).days * DAY + minutes * 60


def shown(known: tuple[Span, ...], first: int, after: int) -> list[tuple[int, int]]:
    """The seconds [start, end) during which a clock of these spans shows a wall time from `first` until `after`."""
    times = ((max(start, first - offset), min(end, after - offset)) for start, end, offset in known)
    return [(start, end) for start, end in times if start < end]


@cache
def near(zone_name: str, at: Minute) -> tuple[Span, ...]:
    """The spans of the days around a minute."""
    seconds = at * 60
    return tuple(each for each in spans(zone_name) if each.start < seconds + 9 * DAY and seconds - 9 * DAY < each.end)


def expected(change: Transition, wall_times: tuple[int, int]) -> Iterator[Interval]:
    """What is open of each date around the change: from the first to the last time at which the clock shows a time of the interval."""
    day = EPOCH + timedelta(days=change.at // DAY_MINUTES)
    for each in (day + timedelta(days=away) for away in range(-4, 4)):
        times = shown(near(change.zone, change.at), *(wall_second(each, minutes) for minutes in wall_times))
        if times:
            yield Interval(times[0][0] // 60, times[-1][1] // 60)


def around(change: Transition) -> Interval:
    return Interval(change.at - 30 * 60, change.at + 30 * 60)


@cache
def open_daily(zone_name: str, start: str, end: str) -> Hours:
    return Hours(time_zone=zone_name, weekly=(weekly(start, end, EVERY_DAY),))


def starts(opening: Interval, step: int) -> range:
    return range(opening.start, opening.end, step)


def test_the_table_has_what_there_is_to_be_afraid_of() -> None:
    """If the database loses one of these, another zone must be found that does it."""
    shifts = {abs(change.after - change.before) for change in TABLE}
    assert shifts >= {30, 60, 120}
    before = [datetime.fromtimestamp((change.at + change.before) * 60, UTC) for change in TABLE]
    after = [datetime.fromtimestamp((change.at + change.after) * 60, UTC) for change in TABLE]
    both = list(zip(before, after, strict=True))
    assert any(old.date() < new.date() or (old.time() == datetime.min.time() and old < new) for old, new in both)
    assert any(old.date() > new.date() for old, new in both)  # from midnight back into the day before
    assert any(new.time() == datetime.min.time() and new < old for old, new in both)  # back to midnight
    assert any(offset % 60 for change in TABLE for offset in change[2:])
    close = [later.at - sooner.at for sooner, later in pairwise(TABLE) if sooner.zone == later.zone]
    assert min(close) < 45 * DAY_MINUTES  # Ramadan in Morocco
    assert len(TABLE) > 2_000


@pytest.mark.parametrize("wall_times", ["00:00-24:00", "00:30-05:15", "22:00-06:00", "02:00-03:00", "23:45-23:30"])
def test_what_is_open_around_every_change(wall_times: str) -> None:
    start, end = wall_times.split("-")
    minutes = weekly(start, end, EVERY_DAY).minutes()
    for change in TABLE:
        within = around(change)
        wanted = sorted({open_ for open_ in expected(change, minutes) if open_.overlaps(within)})
        assert openings(open_daily(change.zone, start, end), within) == wanted, change


def test_no_start_lies_in_a_skipped_hour_and_every_one_is_a_time_of_its_date() -> None:
    """A grid counted in wall time would go on through the hour that is skipped. A time that the clock repeats is offered along with what it repeats."""
    for change in TABLE:
        zone_ = zoneinfo.ZoneInfo(change.zone)
        within = Interval(change.at - 6 * 60, change.at + 6 * 60)
        for interval in openings(open_daily(change.zone, "00:30", "05:15"), within):
            walls = [f"{datetime.fromtimestamp(start * 60, zone_):%H:%M}" for start in starts(interval, 15)]
            repeated = {
                start for start in starts(interval, 15) if change.at <= start < change.at + change.before - change.after
            }
            planned = [
                "00:30" <= wall < "05:15" or start in repeated
                for start, wall in zip(starts(interval, 15), walls, strict=True)
            ]
            assert all(planned), change
            assert walls[0] == "00:30" or interval.start == change.at, change


@pytest.mark.parametrize("step", [15, 30])
def test_round_the_clock_every_step_is_offered_once(step: int) -> None:
    for change in TABLE:
        found = openings(open_daily(change.zone, "00:00", "24:00"), around(change))
        offered = [start for interval in found for start in starts(interval, step)]
        assert offered == list(range(found[0].start, found[-1].end, step)), change


@cache
def lengths_of_dates(known: tuple[Span, ...]) -> list[int]:
    """The minutes during which the clock shows each date of the years: a day's, unless it changes near."""
    lengths = [DAY_MINUTES] * (AFTER - FIRST).days
    for change in known[1:]:
        day = EPOCH + timedelta(days=change.start // DAY)
        for each in (day + timedelta(days=away) for away in range(-2, 3)):
            if FIRST <= each < AFTER:
                times = shown(known, wall_second(each, 0), wall_second(each, DAY_MINUTES))
                lengths[(each - FIRST).days] = sum(end - start for start, end in times) // 60
    return lengths


def in_these_years(known: tuple[Span, ...]) -> tuple[Span, ...]:
    """Cut to the years and a day, so that zones which agree on them are the same."""
    first, after = wall_second(FIRST, 0) - 2 * DAY, wall_second(AFTER, 0) + 2 * DAY
    cut = (Span(max(first, start), min(after, end), offset) for start, end, offset in known)
    return tuple(span for span in cut if span.start < span.end)


def test_every_date_is_open_as_long_as_the_clock_shows_it() -> None:
    """All dates of all years in one zone of each behaviour; one year of them in the others, whose changes the tests above visit."""
    behaviours = set()
    for name in sorted(zoneinfo.available_timezones()):
        known = in_these_years(spans(name))
        lengths = lengths_of_dates(known)[: 365 if known in behaviours else None]
        behaviours.add(known)
        first = shown(known, wall_second(FIRST, 0), wall_second(FIRST, 1))[0][0] // 60
        edges = [*accumulate(lengths, initial=first)]
        assert openings(open_daily(name, "00:00", "24:00"), Interval(first, edges[-1])) == list(pairwise(edges)), name
    assert len(behaviours) > 50


def unusual() -> list[tuple[str, Span, Span]]:
    """Of all changes there ever were: those by seconds, by much, over midnight, near another one or near the end of a year; each once."""
    found = {}
    for name in sorted(zoneinfo.available_timezones()):
        for old, new in changes(name):
            day_before, day_after = ((new.start + each.offset) // DAY for each in (old, new))
            of_year = (EPOCH + timedelta(days=day_after)).timetuple().tm_yday
            plain = abs(new.offset - old.offset) == 3600 and day_before == day_after and new.end - new.start > 30 * DAY
            if not plain or not 4 < of_year < 362:
                found[new.start, old.offset, new.offset] = (name, old, new)
    return list(found.values())


def test_edges_around_the_unusual_changes_of_all_times() -> None:
    """Skipped and repeated days, offsets with seconds, midnights that came twice."""
    table = unusual()
    assert {abs(new.offset - old.offset) for _, old, new in table} >= {DAY, 30 * 60, 20 * 60}
    for name, old, new in table[::4]:  # hundreds are enough
        zone_ = zone(name)
        walls = {new.start + each.offset + away * 60 for each in (old, new) for away in (-61, -1, 0, 1, 29, 61)}
        for wall in walls:
            day, minutes = EPOCH + timedelta(days=wall // DAY), wall % DAY // 60
            second = wall_second(day, minutes)
            before, from_then_on = (
                shown(near(name, new.start // 60), *times) for times in ((-(2**59), second), (second, 2**59))
            )
            assert closing(day, minutes, zone_) == before[-1][1] // 60, (name, day, minutes)
            assert opening(day, minutes, zone_) == from_then_on[0][0] // 60, (name, day, minutes)


def test_no_clock_changes_twice_within_three_days() -> None:
    """`functions.domain.zones` samples offsets that far apart; a shorter one it would miss."""
    for name in zoneinfo.available_timezones():
        assert all(new.end - new.start > 3 * DAY for _, new in changes(name)), name
