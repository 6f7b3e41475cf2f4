"""Why a whole date offers nothing: the answer for clients, who are told no more than they can use."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from functions.domain.availability.engine import open_starts
from functions.domain.availability.question import TAKEN, Closed, Question
from functions.domain.instants import Minute
from functions.domain.intervals import Interval


class DayClosed(StrEnum):
    """Of several rules that close a date the one is named that would open it last."""

    FULL = "full"
    CLOSED = "closed"
    LIMIT = "limit_reached"
    CALENDAR_UNREACHABLE = "calendar_unreachable"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    NO_HOURS = "no_hours"
    INACTIVE = "inactive"


_LIFTED: tuple[tuple[DayClosed, frozenset[Closed]], ...] = (
    (DayClosed.FULL, TAKEN),
    (DayClosed.CLOSED, frozenset({Closed.CLOSED})),
    (DayClosed.LIMIT, frozenset({Closed.LIMIT})),
    (DayClosed.CALENDAR_UNREACHABLE, frozenset({Closed.CALENDAR_UNKNOWN})),
    (DayClosed.TOO_SOON, frozenset({Closed.TOO_SOON})),
    (DayClosed.TOO_FAR, frozenset({Closed.TOO_FAR})),
)


def why_days_are_closed(question: Question, days: Mapping[date, Interval]) -> dict[date, DayClosed]:
    """For each of these dates, which all offer nothing, the reason. Rules are lifted one after the other until a start appears."""
    if not question.service.active:
        return dict.fromkeys(days, DayClosed.INACTIVE)
    found: dict[date, DayClosed] = {}
    ignoring: frozenset[Closed] = frozenset()
    for reason, rules in _LIFTED:
        ignoring |= rules
        left = {day: interval for day, interval in days.items() if day not in found}
        if not left:
            break
        around = Interval(min(i.start for i in left.values()), max(i.end for i in left.values()))
        starts = open_starts(question, around, ignoring=ignoring)
        found |= {day: reason for day, interval in left.items() if _any_in(starts, interval)}
    return {day: found.get(day, DayClosed.NO_HOURS) for day in days}


def _any_in(starts: Sequence[Minute], interval: Interval) -> bool:
    place = bisect_left(starts, interval.start)
    return place < len(starts) and starts[place] < interval.end
