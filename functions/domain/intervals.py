"""Half-open intervals of minutes. The one place where intervals are compared, merged and cut."""

from collections.abc import Iterable
from typing import NamedTuple

from functions.domain.instants import Minute


class Interval(NamedTuple):
    """[start, end) in minutes. Where end <= start it holds no time and overlaps nothing."""

    start: Minute
    end: Minute

    def overlaps(self, other: "Interval") -> bool:
        return self.start < other.end and other.start < self.end and self.start < self.end and other.start < other.end

    def within(self, other: "Interval") -> bool:
        return other.start <= self.start and self.end <= other.end


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted, disjoint and not touching; empty ones are dropped."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if interval.end <= interval.start:
            continue
        if merged and interval.start <= merged[-1].end:
            if interval.end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, interval.end)
        else:
            merged.append(interval)
    return merged


def clip(intervals: Iterable[Interval], bounds: Interval) -> list[Interval]:
    """The parts that lie within `bounds`, order kept, nothing empty."""
    cut = (Interval(max(i.start, bounds.start), min(i.end, bounds.end)) for i in intervals)
    return [i for i in cut if i.start < i.end]
