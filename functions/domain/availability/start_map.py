"""Which starts are open, as one byte for each: the engine's working memory.

The starts of a gap between taken times are opened with one slice, and a rule that closes a period closes it with one. The row is as fine as it must
be for every start in question to have its own byte, usually one a step.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from math import gcd
from typing import NamedTuple, TypeAlias

from functions.domain.instants import Minute
from functions.domain.intervals import Edges, Interval

# Sorted, each once. Four bytes a start: a year may have tens of thousands, and a list of them would take ten times the room.
Starts: TypeAlias = "array[Minute]"


def starts_of(sorted_minutes: Iterable[Minute]) -> Starts:
    return array("i", sorted_minutes)


class Run(NamedTuple):
    """Starts on the grid of one opening: every step from `first` to `last`."""

    first: Minute
    last: Minute


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every start in question: `row` has a byte for each `cell` minutes from `base` on, 1 where there is a start."""

    base: Minute
    cell: int
    row: bytearray

    @classmethod
    def of(cls, runs: Sequence[Run], step: int) -> "Grid":
        """Of runs with the same step. They may overlap. A cell is as long as it can be for every start to begin one."""
        base = min(run.first for run in runs)
        cell = gcd(step, *[run.first - base for run in runs])
        row = bytearray((max(run.last for run in runs) - base) // cell + 1)
        for first, last in runs:
            place = (first - base) // cell
            row[place : (last - base) // cell + 1 : step // cell] = b"\x01" * ((last - first) // step + 1)
        return cls(base=base, cell=cell, row=row)

    @property
    def end(self) -> Minute:
        """After every start."""
        return self.base + len(self.row) * self.cell


class StartMap:
    """The starts of a grid that are open: none at first."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._row = bytearray(len(grid.row))

    def open_between(self, taken: Edges, *, before: int, reach: int) -> None:
        """Opens every start s whose [s - before, s + reach) is free of all that is taken."""
        row, grid_row, base, cell = self._row, self.grid.row, self.grid.base, self.grid.cell
        within = Interval(base - before, base + (len(row) - 1) * cell + reach)
        # The first start that fits is at or after `begin + before`, the last at or before `end - reach`.
        low_shift, high_shift = base - before - cell + 1, base + reach - cell
        needed = before + reach
        for begin, end in taken.gaps(within):
            if end - begin >= needed:
                low, high = (begin - low_shift) // cell, (end - high_shift) // cell
                row[low:high] = grid_row[low:high]

    def close_within(self, periods: Iterable[Interval]) -> None:
        """Closes every start in one of these half-open periods."""
        size, base, cell = len(self._row), self.grid.base, self.grid.cell
        for start, end in periods:
            low, high = max(0, -((base - start) // cell)), min(size, -((base - end) // cell))
            if low < high:
                self._row[low:high] = bytes(high - low)

    def open_too(self, other: "StartMap") -> None:
        """Opens what is open in a map of the same grid."""
        union = int.from_bytes(self._row, "big") | int.from_bytes(other._row, "big")
        self._row = bytearray(union.to_bytes(len(self._row), "big"))

    def all_open(self) -> bool:
        return self._row == self.grid.row

    def starts(self) -> Starts:
        """Those that are open, sorted."""
        return starts_of(compress(range(self.grid.base, self.grid.end, self.grid.cell), self._row))
