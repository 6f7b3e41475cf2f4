"""The engine around every change of clocks in 2025 to 2030, in every zone of the database: sessions of half an hour, every quarter of an hour.

Near a change the wall clock is arithmetic: so many minutes ahead of UTC before it, so many after. What must be open is worked out from that alone.
"""

from collections import Counter, defaultdict
from functools import cache

import pytest

from functions.domain.availability import Question, ResourceState, offers, open_starts
from functions.domain.booking_window import Unlimited
from functions.domain.hours import Hours
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Minute
from functions.domain.intervals import Interval
from tests.domain import oracles
from tests.domain.builders import EVERY_DAY, FAR, resource, service, weekly
from tests.domain.zones import Transition, transitions

LENGTH, STEP = 30, 15
ASKED = service(duration_minutes=LENGTH, step_minutes=STEP, window=Unlimited())
ALWAYS = (0, DAY_MINUTES)
NIGHT = (30, 5 * 60 + 15)  # 00:30 to 05:15: no clock changes later in the day


def table() -> list[Transition]:
    return transitions(2025, 2030)


def question(change: Transition, hours: tuple[int, int]) -> Question:
    start, end = (f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (hours[0], _wrapped(hours[1])))
    of = resource(hours=Hours(time_zone=change.zone, weekly=(weekly(start, end, EVERY_DAY),)))
    state = ResourceState(resource=of, months=(), known_until=FAR)
    return Question(service=ASKED, states=(state,), now=(change.at - 3 * DAY_MINUTES) * MINUTE_MS)


def _wrapped(minutes: int) -> int:
    return minutes - DAY_MINUTES if minutes > DAY_MINUTES else minutes


def around(change: Transition) -> Interval:
    """From the local midnight before the day of the change to the one after the day that follows it."""
    day = (change.at + change.before) // DAY_MINUTES
    return Interval((day - 1) * DAY_MINUTES - change.before, (day + 2) * DAY_MINUTES - change.after)


def wall(change: Transition, minute: Minute) -> int:
    """What the clock shows, in minutes of a calendar without changes."""
    return minute + (change.before if minute < change.at else change.after)


@cache
def found(change: Transition, hours: tuple[int, int]) -> list[Minute]:
    return list(open_starts(question(change, hours), around(change)))


def expected(change: Transition, hours: tuple[int, int]) -> list[Minute]:
    return _expected(change._replace(zone="any"), hours)


@cache
def _expected(change: Transition, hours: tuple[int, int]) -> list[Minute]:
    """An opening lasts from the first to the last minute at which the clock shows a time of it."""
    asked, shown = around(change), defaultdict(list)
    for minute in range(asked.start - DAY_MINUTES, asked.end + DAY_MINUTES):
        today, time = divmod(wall(change, minute), DAY_MINUTES)
        for day, since in ((today, time), (today - 1, time + DAY_MINUTES)):
            if hours[0] <= since < hours[1]:
                shown[day].append(minute)
    starts = (start for open_ in shown.values() for start in range(open_[0], open_[-1] + 2 - LENGTH, STEP))
    return sorted(start for start in starts if start in range(*asked))


def kinds() -> list[Transition]:
    """One of each: by how much, and at which time of the day."""
    return list({(each.after - each.before, (each.at + each.before) % DAY_MINUTES): each for each in table()}.values())


def test_the_table_is_whole() -> None:
    """Both ways, by half an hour, an hour and two, and at midnight."""
    moved = Counter(change.after - change.before for change in table())
    assert moved.keys() == {-120, -60, -30, 30, 60, 120}
    assert len(table()) > 2_000
    assert len(kinds()) > 15
    at_midnight = {change.zone for change in table() if (change.at + change.before) % DAY_MINUTES == 0}
    assert {"Africa/Cairo", "America/Havana", "Asia/Beirut"} <= at_midnight


def test_who_is_always_open_has_a_start_in_every_quarter_of_every_day_however_long_it_is() -> None:
    wrong = []
    for change in table():
        within = around(change)
        if found(change, ALWAYS) != [*range(within.start, within.end, STEP)]:
            wrong.append(change)
    assert wrong == []


def test_at_night_there_are_as_many_starts_as_fit_into_what_the_clock_shows() -> None:
    assert [change for change in table() if found(change, NIGHT) != expected(change, NIGHT)] == []


@pytest.mark.parametrize("minutes_off", [-60, 0, 30])
def test_who_opens_or_closes_as_the_clock_changes_is_open_as_long_as_it_shows_those_hours(minutes_off: int) -> None:
    """In the hours themselves that are skipped or come twice."""
    for change in kinds():
        then = (change.at + change.before + minutes_off) % DAY_MINUTES
        for opens in (then, (then - 240) % DAY_MINUTES):
            hours = (opens, opens + 240)
            assert found(change, hours) == expected(change, hours), change


def test_no_start_is_inside_a_skipped_hour_and_only_a_repeated_one_has_it_twice() -> None:
    """On the wall clock, which is what a client reads. A wall time comes twice where the clock shows it twice, in 2025 to 2030 never else."""
    wrong = []
    for change in table():
        shown = Counter(wall(change, start) for start in found(change, NIGHT))
        low, high = sorted([change.at + change.before, change.at + change.after])
        skipped, repeated = (
            (range(low, high), range(0)) if change.after > change.before else (range(0), range(low, high))
        )
        twice = {time for time, count in shown.items() if count > 1}
        if any(time in skipped for time in shown) or not all(time in repeated for time in twice):
            wrong.append(change)
    assert wrong == []


def test_every_session_lasts_half_an_hour_of_elapsed_time() -> None:
    lengths = {
        choice.end - offer.start
        for change in table()[::5]
        for offer in offers(question(change, NIGHT), around(change))
        for choice in offer.choices
    }
    assert lengths == {LENGTH}


@pytest.mark.parametrize("hours", [pytest.param(ALWAYS, id="always"), pytest.param(NIGHT, id="at night")])
def test_the_oracle_says_the_same(hours: tuple[int, int]) -> None:
    for change in kinds()[::4]:
        assert found(change, hours) == oracles.open_starts(question(change, hours), around(change)), change
