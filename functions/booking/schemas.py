"""The bodies and queries of the API, and its answers. Unknown fields are refused, so that a typing error does not go unheard."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.domain.configuration import Service
from functions.domain.hours import DateOverride, WeeklyHours, ZoneName
from functions.domain.instants import Minute, minute_floor

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_UNPRINTABLE_OR_BREAK = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _line(text: str) -> str:
    if _UNPRINTABLE_OR_BREAK.search(text):
        raise ValueError("holds characters that can't be shown on one line")
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _text(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise ValueError("holds characters that can't be shown")
    return text


def _whole_minute(instant: datetime) -> Minute:
    if instant.tzinfo is None:
        raise ValueError("needs an offset, such as 2027-03-01T10:00:00+01:00")
    if instant.second or instant.microsecond:
        raise ValueError("must be a whole minute")
    _within_reason(instant.date())
    return minute_floor(instant)


def _within_reason(day: date) -> date:
    if not 1990 <= day.year <= 2200:  # far from the ends of the calendar, where arithmetic overflows
        raise ValueError("is out of range")
    return day


Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=2000), AfterValidator(_text)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s<>,;:\\\"()\[\]]+@[^@\s<>,;:\\\"()\[\]]+\.[^@\s<>,;:\\\"()\[\]]+$"),
    AfterValidator(_line),
]
Phone = Annotated[str, Field(max_length=40), AfterValidator(_line)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# Strict: a number is no instant here, though pydantic would read it as a Unix time.
Start = Annotated[datetime, Field(strict=True), AfterValidator(_whole_minute)]
Day = Annotated[date, AfterValidator(_within_reason)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClientDetails(_Request):
    name: Line
    email: Email
    phone: Phone | None = None


class NewBooking(_Request):
    service: Slug
    start: Start
    client: ClientDetails
    resource: Slug | None = None
    notes: Text | None = None


class Reschedule(_Request):
    start: Start


class Cancel(_Request):
    reason: Text | None = None


class AvailabilityQuery(_Request):
    """Dates in `time_zone`: `start` is the first day, `end` the day after the last."""

    start: Day
    end: Day
    time_zone: ZoneName | None = None
    resource: Slug | None = None


class ResourceBody(_Request):
    name: Line
    time_zone: ZoneName
    hours: tuple[WeeklyHours, ...] = Field(default=(), max_length=100)
    overrides: tuple[DateOverride, ...] = Field(default=(), max_length=1000)


class ServiceBody(_Request):
    name: Line
    duration_minutes: int
    step_minutes: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    notice_minutes: int = 0
    window_days: int = 60
    resources: tuple[Slug, ...]
    active: bool = True


class CalendarBody(_Request):
    """Which resources this calendar blocks, and for which it is the destination of their sessions' events."""

    blocks: tuple[Slug, ...] = ()
    destination_for: tuple[Slug, ...] = ()


class NewConnection(_Request):
    return_to: Annotated[str, Field(max_length=2000)] | None = None


class GrantedConnection(_Request):
    email: Email
    refresh_token: Annotated[str, Field(min_length=1, max_length=2048)]


class ListQuery(_Request):
    start: Day | None = None
    end: Day | None = None
    limit: int = Field(default=100, ge=1, le=500)


class HistoryQuery(_Request):
    session: str | None = None
    booking: str | None = None
    resource: str | None = None
    calendar: str | None = None
    limit: int = Field(default=100, ge=1, le=500)


class PublicService(BaseModel):
    id: str
    name: str
    duration_minutes: int
    resources: tuple[str, ...]

    @classmethod
    def of(cls, service: Service) -> "PublicService":
        return cls(
            id=service.id, name=service.name, duration_minutes=service.duration_minutes, resources=service.resources
        )


class ServiceList(BaseModel):
    services: list[PublicService]


class OpenStart(BaseModel):
    start: str
    end: str
    resources: tuple[str, ...]


class OpenDay(BaseModel):
    date: date
    starts: list[OpenStart]


class Availability(BaseModel):
    """`unknown`: resources whose calendar can't be read at the moment, so that nothing of them is offered."""

    service: str
    time_zone: str
    days: list[OpenDay]
    unknown: list[str]


class BookingAnswer(BaseModel):
    id: str
    session: str
    service: str
    resource: str
    status: str
    start: str
    end: str
    time_zone: str
    calendar_copy: Literal["pending", "written", "none"]
    calendar_error: str | None = None
    conflict: str | None = None
    cancelled_by: str | None = None
    reason: str | None = None
    client: ClientDetails | None = None
    manage_token: str | None = None
    manage_url: str | None = None


class BookingList(BaseModel):
    bookings: list[BookingAnswer]
