"""When a resource is open, in UTC minutes: its hours, resolved date by date."""

from bisect import bisect_left
from collections.abc import Mapping
from functools import partial

from functions.domain.hours import DayPlan, Hours, Timetable, Week
from functions.domain.instants import DAY_MINUTES, Minute
from functions.domain.intervals import Interval, clip, merge
from functions.domain.zones import FARTHEST, Day, closing, date_of_day, day_runs, opening, zone

# Calling Interval takes twice as long, which counts for a year of openings.
_as_interval = partial(tuple.__new__, Interval)


def openings(hours: Hours, within: Interval) -> list[Interval]:
    """Every opening that touches `within`, whole (not cut), sorted, each once. Starts are counted from the beginning of each.

    Openings can touch or overlap: where the operator says so, and where someone travels east.
    """
    start, end = within
    if end <= start:
        return []
    # An opening lasts until the end of the date after its own, at the latest.
    first, last = (start - FARTHEST) // DAY_MINUTES - 1, (end - 1 + FARTHEST) // DAY_MINUTES
    timetable = hours.timetable
    pairs: list[tuple[Minute, Minute]] = []
    for spell in timetable.between(first, last):
        spell_first, spell_last = max(first, spell.first), min(last, spell.last)
        for run in day_runs(zone(spell.zone), spell_first, spell_last):
            days = range(max(spell_first, run.first), min(spell_last, run.last) + 1)
            if run.offset is None:
                pairs += _near_a_change(timetable, days)
            else:
                pairs += _steady(timetable.special, spell.week, days, run.offset)
    found = sorted(dict.fromkeys(pairs))
    begun, after = bisect_left(found, (start,)), bisect_left(found, (end,))
    touching = [pair for pair in found[:begun] if start < pair[1]] + found[begun:after]
    return list(map(_as_interval, touching))


def open_time(hours: Hours, within: Interval) -> list[Interval]:
    """The open time inside `within`: openings that touch or overlap are one, cut to `within`."""
    return clip(merge(openings(hours, within)), within)


def _steady(special: Mapping[Day, DayPlan], week: Week, days: range, offset: Minute) -> list[tuple[Minute, Minute]]:
    """Far from a change of clocks an edge is a sum. Written for speed: this is what a year of openings costs."""
    get = special.get
    return [
        (midnight + opens, midnight + closes)
        for day in days
        for midnight in (day * DAY_MINUTES - offset,)
        for opens, closes in (get(day) or week[day % 7]).intervals
    ]


def _near_a_change(timetable: Timetable, days: range) -> list[tuple[Minute, Minute]]:
    found = []
    for day in days:
        plan, date_ = timetable.on(day), date_of_day(day)
        zone_ = zone(plan.zone)
        edges = [(opening(date_, opens, zone_), closing(date_, closes, zone_)) for opens, closes in plan.intervals]
        found += [(opens, closes) for opens, closes in edges if opens < closes]
    return found
