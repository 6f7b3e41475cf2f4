"""Half-open intervals of minutes. The one place where intervals are compared, merged and cut."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from operator import le
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


def subtract(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What is left of `intervals` without the time that is `taken`: sorted, disjoint and not touching."""
    cuts, left = merge(taken), []
    place = 0
    for start, end in merge(intervals):
        while place < len(cuts) and cuts[place].end <= start:
            place += 1
        for cut in islice(cuts, place, None):
            if cut.start >= end:
                break
            if start < cut.start:
                left.append(Interval(start, cut.start))
            start = cut.end
        if start < end:
            left.append(Interval(start, end))
    return left


def common(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """The time that both hold: sorted, disjoint and not touching."""
    intervals = merge(intervals)
    return subtract(intervals, subtract(intervals, others))


@dataclass(frozen=True)
class Edges:
    """Where intervals begin and where they end, each sorted by itself. None of them is empty.

    That is enough to find the gaps between them: where as many have ended as have begun, there is one. So the k-th gap lies between the k-th end and
    the next beginning, whichever intervals these belong to, and nothing has to be merged.
    """

    begins: list[Minute]
    ends: list[Minute]

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> "Edges":
        flat = list(chain.from_iterable(intervals))
        begins, ends = flat[::2], flat[1::2]
        if any(map(le, ends, begins)):
            held = [(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end]
            begins, ends = [begin for begin, _ in held], [end for _, end in held]
        begins.sort()
        ends.sort()
        return cls(begins, ends)

    @classmethod
    def united(cls, parts: Iterable["Edges"]) -> "Edges":
        """Of all the intervals together. Sorting what is sorted in parts is hardly more than reading it."""
        begins: list[Minute] = []
        ends: list[Minute] = []
        for part in parts:
            begins += part.begins
            ends += part.ends
        begins.sort()
        ends.sort()
        return cls(begins, ends)

    def gaps(self, within: Interval) -> Iterator[tuple[Minute, Minute]]:
        """The time inside `within` that no interval takes, sorted. Where intervals overlap, "gaps" that end before they begin come between.

        An iterator, and the empty ones left in: thousands of them are looked at once, and are not worth an object each.
        """
        first, last = within
        # Of the beginnings that matter the first is after `first`, of the ends the last is before `last`.
        low, high = bisect_right(self.begins, first), bisect_left(self.ends, last)
        before = max(first, self.ends[low - 1]) if low else first
        after = min(last, self.begins[high]) if high < len(self.begins) else last
        ends = chain((before,), islice(self.ends, low, high))
        begins = chain(islice(self.begins, low, high), (after,))
        # Where everything is taken `low` lies beyond `high`, and the one "gap" ends before it begins.
        return zip(ends, begins, strict=True)
