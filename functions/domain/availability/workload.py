"""A workload: hours, service, busy time and a range in one JSON text, so that engines can be compared on the same work.

A list of workloads is a pool. Here is no I/O; `python -m functions.domain.availability` reads the file and prints the starts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from functions.domain.availability import open_starts
from functions.domain.availability.question import Question, ResourceState
from functions.domain.booking_window import Unlimited
from functions.domain.configuration import Duration, Resource, Service
from functions.domain.errors import Invalid
from functions.domain.hours import DailyInterval, DateOverride, Hours, WallTime, WeeklyHours
from functions.domain.instants import DAY_MINUTES, Minute, millis_of, minute_ceil, minute_floor, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerMonth
from functions.domain.model import Model
from functions.domain.zones import ZoneName

CALENDAR = "busy"
MOST_RESOURCES = 50  # of one service; a larger pool is asked in parts


def _instant(value: object) -> datetime:
    """RFC 3339: a number would not say of what, and a time without an offset not where."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{value!r} is not an instant with an offset, such as 2027-03-01T08:00:00Z")
    return instant


def _within_the_calendar(instant: datetime) -> datetime:
    if not 1900 <= instant.year <= 4000:
        raise ValueError(f"the year {instant.year} lies outside 1900 to 4000")
    return instant


def _in_order(between: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    if between[1] < between[0]:
        raise ValueError("it ends before it starts")
    return between


Instant: TypeAlias = Annotated[datetime, PlainValidator(_instant)]
Moment: TypeAlias = Annotated[Instant, AfterValidator(_within_the_calendar)]
Buffer: TypeAlias = Annotated[int, Field(ge=0, le=DAY_MINUTES)]


class WorkloadOverride(Model):
    """The hours of one date instead of the weekly ones: pairs of wall times. None: closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    intervals: tuple[tuple[WallTime, WallTime], ...] = ()


class Workload(Model):
    """One resource and what is asked of it. Lengths are in minutes.

    `range` is the half-open range of starts. `busy` needs no order, and may overlap. Fields that are not known are kept, to be named.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    timezone: ZoneName
    weekly_hours: tuple[WeeklyHours, ...]
    date_overrides: tuple[WorkloadOverride, ...] = ()
    duration_min: Duration
    slot_step_min: int = Field(ge=1, le=DAY_MINUTES)
    buffer_before_min: Buffer = 0
    buffer_after_min: Buffer = 0
    min_notice_min: int = Field(default=0, ge=0, le=365 * DAY_MINUTES)
    now: Moment
    range: Annotated[tuple[Moment, Moment], AfterValidator(_in_order)]
    busy: tuple[tuple[Instant, Instant], ...] = ()

    @field_validator("date_overrides")
    @classmethod
    def _one_override_a_date(cls, overrides: tuple[WorkloadOverride, ...]) -> tuple[WorkloadOverride, ...]:
        dates = [override.date for override in overrides]
        if twice := sorted({day for day in dates if dates.count(day) > 1}):
            raise ValueError(f"{twice[0]} is named twice; put its intervals into one override")
        return overrides

    @property
    def hours(self) -> Hours:
        overrides = (
            DateOverride(
                date=one.date, intervals=tuple(DailyInterval(start=start, end=end) for start, end in one.intervals)
            )
            for one in self.date_overrides
        )
        return Hours(time_zone=self.timezone, weekly=self.weekly_hours, overrides=tuple(overrides))

    @property
    def starts(self) -> Interval:
        """The whole minutes in `range`."""
        return Interval(*map(minute_ceil, self.range))

    @property
    def blocks(self) -> Iterator[Interval]:
        """Busy time in whole minutes, rounded outward. What has no length blocks nothing."""
        return (Interval(minute_floor(start), minute_ceil(end)) for start, end in self.busy if start < end)


class Asked(NamedTuple):
    """A question, and the range of starts that it is about."""

    question: Question
    within: Interval


def read_pool(text: bytes) -> tuple[Workload, ...]:
    """The workloads of a JSON text, which holds one or a list of them. Raises `Invalid`, which names the fields."""
    try:
        if text.lstrip().startswith(b"["):
            return TypeAdapter(tuple[Workload, ...]).validate_json(text)
        return (Workload.model_validate_json(text),)
    except ValidationError as error:
        raise Invalid("\n".join(f"{_path(one['loc'])}{_complaint(one)}" for one in error.errors())) from None


def _path(location: tuple[int | str, ...]) -> str:
    """`busy[3][1]: `, or nothing where it is the text as a whole."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{path.removeprefix('.')}: " if path else ""


def _complaint(error: Mapping[str, Any]) -> str:
    """The message; without pydantic's prefix where it is one of our own."""
    return str(error.get("ctx", {}).get("error") or error["msg"])


def unknown_fields(pool: Iterable[Workload]) -> list[str]:
    """The fields that mean nothing here, and may be misspelt."""
    return sorted({name for workload in pool for name in workload.model_extra or ()})


def questions_of(pool: Iterable[Workload]) -> list[Asked]:
    """One for all members that share service, range and now, as a service is asked at all its resources."""
    alike: dict[object, list[Workload]] = {}
    for workload in pool:
        alike.setdefault((*_service_fields(workload).values(), workload.now, workload.starts), []).append(workload)
    return [
        _question(members[place : place + MOST_RESOURCES])
        for members in alike.values()
        for place in range(0, len(members), MOST_RESOURCES)
    ]


def starts_of(asked: Sequence[Asked]) -> Sequence[Minute]:
    """The open starts of any of them, sorted: the computation that a bench measures."""
    found = [open_starts(question, within) for question, within in asked]
    return found[0] if len(found) == 1 else sorted(set().union(*found))


def _service_fields(workload: Workload) -> dict[str, int]:
    return {
        "duration_minutes": workload.duration_min,
        "step_minutes": workload.slot_step_min,
        "buffer_before_minutes": workload.buffer_before_min,
        "buffer_after_minutes": workload.buffer_after_min,
        "notice_minutes": workload.min_notice_min,
    }


def _question(members: Sequence[Workload]) -> Asked:
    """Of workloads that differ in hours and busy time only."""
    first = members[0]
    states = tuple(_state(f"r{number}", workload) for number, workload in enumerate(members))
    service = Service(
        id="workload",
        name="Workload",
        window=Unlimited(),
        resources=tuple(state.resource.id for state in states),
        **_service_fields(first),
    )
    return Asked(Question(service=service, states=states, now=millis_of(first.now)), first.starts)


def _state(resource_id: str, workload: Workload) -> ResourceState:
    """The resource with its ledger months as the store gives them: those that a start in the range touches with its buffers."""
    first, last = workload.starts
    needed = Interval(first - workload.buffer_before_min, last + workload.duration_min + workload.buffer_after_min)
    months: dict[str, dict[str, tuple[Interval, ...]]] = {month: {} for month in months_between(*needed)}
    for number, block in enumerate(workload.blocks):
        seen = Interval(max(block.start, needed.start), min(block.end, needed.end))
        for month in months_between(*seen) if seen.start < seen.end else ():
            months[month][f"e{number}"] = (block,)
    return ResourceState(
        resource=Resource(id=resource_id, name=resource_id, hours=workload.hours, blocked_by=(CALENDAR,)),
        months=tuple(
            LedgerMonth(resource=resource_id, month=month, blocks={CALENDAR: events})
            for month, events in months.items()
        ),
        known_until=needed.end,
    )
