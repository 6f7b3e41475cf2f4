"""What may be asked about free time, and the answers."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from functions.booking.fields import AskedAfter, AskedStart, Day, Instant, Minutes, Request, Seats, Slug
from functions.domain.availability import DayClosed
from functions.domain.model import Model
from functions.domain.zones import ZoneName

Date: TypeAlias = date  # for models that have a field of that name


class SeatsQuery(Request):
    """What a client would book: how many seats, at which resource, for how many minutes."""

    seats: Seats = 1
    resource: Slug | None = None
    duration: Minutes | None = None


class ServiceQuery(SeatsQuery):
    """`time_zone`: whose dates count; the resource's where none is given."""

    time_zone: ZoneName | None = None


class AvailabilityQuery(ServiceQuery):
    """Dates in `time_zone`: `start` is the first day, `end` the day after the last."""

    start: Day
    end: Day


class NextQuery(ServiceQuery):
    """`after`: an instant that the start must lie after."""

    after: AskedAfter | None = None


class OverviewQuery(ServiceQuery):
    """`months` calendar months in `time_zone`, the first of them `month`, as 2027-03."""

    month: Annotated[str, Field(pattern=r"^(199\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])$")]
    months: Annotated[int, Field(ge=1, le=12)] = 1


class ExplainQuery(SeatsQuery):
    start: AskedStart


class OpenStart(TypedDict):
    """`resources`: those of which any can serve it or, of a service that needs a set, all of them. There are thousands, so this is no model."""

    start: Instant
    end: Instant
    resources: tuple[str, ...]
    seats_left: NotRequired[int]


class OpenDay(Model):
    """A date of the caller's. `closed`: why it has no starts."""

    date: date
    starts: list[OpenStart]
    closed: DayClosed | None = None


class Availability(Model):
    """`unknown`: resources whose calendar can't be read at the moment, so that nothing of them is offered."""

    service: str
    time_zone: str
    duration_minutes: int
    days: list[OpenDay]
    unknown: list[str]


class NextStart(Model):
    """The first open start, and its date where the caller is; None where there is none as far as can be booked, and then why."""

    start: OpenStart | None
    date: Date | None = None
    closed: DayClosed | None = None


class DayCount(Model):
    date: date
    starts: int
    closed: DayClosed | None = None


class Overview(Model):
    """How many starts each date has."""

    service: str
    time_zone: str
    days: list[DayCount]


class ClosedBy(Model):
    """A rule that closes a start, at which resource (None: at all of them), and what caused it: ids, instants, numbers."""

    rule: str
    resource: str | None
    cause: Mapping[str, Any]


class Explanation(Model):
    start: Instant
    open: bool
    reasons: list[ClosedBy]
