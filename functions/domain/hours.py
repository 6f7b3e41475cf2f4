"""Opening hours as an operator sets them, and what holds on a date. All in wall time, which `openings` resolves to UTC minutes."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache, partial
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from functions.domain.instants import DAY_MINUTES
from functions.domain.model import Model
from functions.domain.zones import Day, ZoneName, day_number

WallIntervals: TypeAlias = tuple[tuple[int, int], ...]

_FIRST = itemgetter(0)


def _wall_time(text: str) -> str:
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and text.isascii() and hour.isdecimal() and minute.isdecimal()):
        raise ValueError(f"{text!r} is not a wall time such as 09:00")
    if int(minute) > 59 or int(hour) * 60 + int(minute) > DAY_MINUTES:
        raise ValueError(f"{text!r} lies outside 00:00 to 24:00")
    return text


@lru_cache(maxsize=2048)
def _minutes(wall_time: str) -> int:
    return int(wall_time[:2]) * 60 + int(wall_time[3:])


WallTime = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}),
    AfterValidator(_wall_time),
]
IsoWeekday = Annotated[int, Field(ge=1, le=7)]


class DailyInterval(Model):
    """Wall times of one opening. An `end` at or before `start` is on the next day; 00:00 to 24:00 is the whole day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: WallTime
    end: WallTime

    def minutes(self) -> tuple[int, int]:
        """Minutes after the local midnight of the day it starts on: (start, end), end after start."""
        start, end = _minutes(self.start), _minutes(self.end)
        return start, end if end > start else end + DAY_MINUTES


class WeeklyHours(DailyInterval):
    """An opening that comes again on every one of `days` (1 is Monday)."""

    days: tuple[IsoWeekday, ...] = Field(min_length=1)


class DateOverride(Model):
    """What is different on one date. `replace`: these intervals hold, and none means closed. `add`: these too. `close`: not these; none named means
    the whole date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    kind: Literal["replace", "add", "close"] = "replace"
    intervals: tuple[DailyInterval, ...] = ()


class _Dates(Model):
    """From `first` to `last`, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last lies before first")
        return self


class ClosedPeriod(_Dates):
    """Closed on all these dates: a holiday, a renovation."""

    name: str = Field(default="", max_length=200)


class Holiday(Model):
    """A date on which nobody works, often imported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    name: str = Field(default="", max_length=200)


class Season(_Dates):
    """Weekly hours that hold on these dates instead of the usual ones."""

    name: str = Field(default="", max_length=200)
    weekly: tuple[WeeklyHours, ...] = ()


class Travel(_Dates):
    """Dates that are spent in another zone: the hours of these dates are wall time there."""

    time_zone: ZoneName


@dataclass(frozen=True, kw_only=True, slots=True)
class DayPlan:
    """The hours of one date. `rule` says where they come from, `name` which holiday, period or season it is.

    `intervals`: minutes after the local midnight of that date in `zone`, (start, end), sorted; an end above 1440 is on the next day.
    """

    intervals: WallIntervals
    zone: str
    rule: Literal["weekly", "season", "override", "holiday", "closed_period"]
    name: str = ""


class Hours(Model):
    """When a resource works: weekly hours in its zone, and what is different on some dates.

    The narrower rule wins: an override of the date, then a holiday, then a closed period, then a season, then the weekly hours. So an override can
    open a holiday. An interval belongs to the date on which it starts, also what of it lies beyond midnight.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    time_zone: ZoneName
    weekly: tuple[WeeklyHours, ...] = ()
    overrides: tuple[DateOverride, ...] = ()
    closed: tuple[ClosedPeriod, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    seasons: tuple[Season, ...] = ()
    travel: tuple[Travel, ...] = ()

    @model_validator(mode="after")
    def _one_override_a_date(self) -> Self:
        dates = [override.date for override in self.overrides]
        if len(dates) != len(set(dates)):
            raise ValueError("two overrides name the same date; put their intervals into one")
        return self

    @model_validator(mode="after")
    def _one_place_and_season_at_a_time(self) -> Self:
        for what, periods in (("seasons", self.seasons), ("travels", self.travel)):
            ordered = sorted(periods, key=lambda period: period.first)
            if any(later.first <= earlier.last for earlier, later in pairwise(ordered)):
                raise ValueError(f"two {what} hold on the same date")
        return self

    @cached_property
    def timetable(self) -> "Timetable":
        """These hours laid out by date, once for all that is asked of them."""
        return _timetable(self)

    def on(self, day: date) -> DayPlan:
        """What holds on a date. An override that adds or closes starts from what would hold without it.

        Intervals that overlap or touch stay apart, because starts are counted from each one's opening. A closing that cuts one in two makes two.
        """
        return self.timetable.on(day_number(day))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("timetable", None)  # it was laid out from the fields before the update
        return copied


Week: TypeAlias = tuple[DayPlan, ...]  # the plan of a day is week[day % 7]


class Spell(NamedTuple):
    """Dates in a row, `first` to `last`, in one zone and under one rule."""

    first: Day
    last: Day
    zone: str
    week: Week


@dataclass(frozen=True)
class Timetable:
    """Hours laid out by date. `spells` follow each other over all dates there are; `special` are the dates of holidays and overrides."""

    spells: tuple[Spell, ...]
    special: Mapping[Day, DayPlan]

    def on(self, day: Day) -> DayPlan:
        return self.special.get(day) or self.spells[self._index(day)].week[day % 7]

    def between(self, first: Day, last: Day) -> tuple[Spell, ...]:
        """The spells that hold on some date from `first` to `last`."""
        return self.spells[self._index(first) : self._index(last) + 1]

    def _index(self, day: Day) -> int:
        return max(0, bisect_right(self.spells, day, key=_FIRST) - 1)


def _timetable(hours: Hours) -> Timetable:
    spells = tuple(_spells(hours))
    usual = Timetable(spells, {})
    holidays: dict[Day, DayPlan] = {}
    for holiday in hours.holidays:
        day = day_number(holiday.date)
        plan = DayPlan(intervals=(), zone=usual.on(day).zone, rule="holiday", name=holiday.name)
        holidays.setdefault(day, plan)
    without_overrides = Timetable(spells, holidays)
    special = dict(holidays)
    for override in hours.overrides:
        day = day_number(override.date)
        special[day] = _overridden(without_overrides.on(day), override)
    return Timetable(spells, special)


def _overridden(plan: DayPlan, override: DateOverride) -> DayPlan:
    named = _in_order(override.intervals)
    match override.kind:
        case "replace":
            intervals = named
        case "add":
            intervals = tuple(sorted({*plan.intervals, *named}))
        case "close":
            intervals = _without(plan.intervals, named) if named else ()
    return DayPlan(intervals=intervals, zone=plan.zone, rule="override")


def _in_order(intervals: Iterable[DailyInterval]) -> WallIntervals:
    return tuple(sorted({interval.minutes() for interval in intervals}))


def _without(intervals: WallIntervals, cuts: WallIntervals) -> WallIntervals:
    """What the cuts leave of each interval."""
    left = set(intervals)
    for first, last in cuts:
        pieces = [piece for start, end in left for piece in ((start, min(end, first)), (max(start, last), end))]
        left = {(start, end) for start, end in pieces if start < end}
    return tuple(sorted(left))


_Period = TypeVar("_Period", bound=_Dates)
_Held: TypeAlias = tuple[Day, Day, _Period]


def _spells(hours: Hours) -> Iterator[Spell]:
    """All dates, cut wherever a closed period, a season or a journey begins or ends."""
    closed, seasons, travel = _apart(hours.closed), _apart(hours.seasons), _apart(hours.travel)
    edges = {edge for first, last, _ in (*closed, *seasons, *travel) for edge in (first, last + 1)}
    weekly = cache(partial(_week, hours))
    for first, after in pairwise(sorted({day_number(date.min), *edges, day_number(date.max) + 1})):
        journey, season, period = _holding(travel, first), _holding(seasons, first), _holding(closed, first)
        zone_name = journey.time_zone if journey else hours.time_zone
        if period:
            plan = DayPlan(intervals=(), zone=zone_name, rule="closed_period", name=period.name)
            yield Spell(first, after - 1, zone_name, (plan,) * 7)
        else:
            yield Spell(first, after - 1, zone_name, weekly(zone_name, season))


def _week(hours: Hours, zone_name: str, season: Season | None) -> Week:
    """The plans of a week in the order of `Spell.week`: day 0 was a Thursday."""
    weekly = hours.weekly if season is None else season.weekly
    by_weekday = [_in_order(each for each in weekly if weekday in each.days) for weekday in (4, 5, 6, 7, 1, 2, 3)]
    if season is None:
        return tuple(DayPlan(intervals=intervals, zone=zone_name, rule="weekly") for intervals in by_weekday)
    return tuple(
        DayPlan(intervals=intervals, zone=zone_name, rule="season", name=season.name) for intervals in by_weekday
    )


def _apart(periods: Iterable[_Period]) -> list[_Held[_Period]]:
    """In order, no two on the same date: the one that began first holds."""
    apart: list[_Held[_Period]] = []
    free = day_number(date.min)
    for period in sorted(periods, key=attrgetter("first")):
        first, last = max(free, day_number(period.first)), day_number(period.last)
        if first <= last:
            apart.append((first, last, period))
            free = last + 1
    return apart


def _holding(periods: Sequence[_Held[_Period]], day: Day) -> _Period | None:
    index = bisect_right(periods, day, key=_FIRST) - 1
    if index < 0 or periods[index][1] < day:
        return None
    return periods[index][2]
