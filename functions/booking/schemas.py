"""The bodies and queries of the API, and its answers. Unknown fields are refused, so that a typing error does not go unheard."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from functions.adapters.holidays import MAX_HOLIDAYS
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays, Unlimited
from functions.domain.configuration import (
    MOST_QUESTIONS,
    ClientLimits,
    FormQuestion,
    Limits,
    Resource,
    Service,
    ServiceRules,
)
from functions.domain.hours import ClosedPeriod, DateOverride, Holiday, Season, Travel, WeeklyHours
from functions.domain.instants import Millis, Minute, minute_floor, rfc3339_millis
from functions.domain.model import Model
from functions.domain.session import AuthorKind, Client, Conflict
from functions.domain.transitions import BookingStatus
from functions.domain.zones import ZoneName

D = TypeVar("D", bound=BaseModel)

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


def _dated_and_named(document: D) -> D:
    """The dates and the name of something that hours hold; the domain allows any."""
    for value in vars(document).values():
        if isinstance(value, date):
            _within_reason(value)
        elif isinstance(value, str) and _UNPRINTABLE_OR_BREAK.search(value):
            raise ValueError("holds characters that can't be shown on one line")
    return document


def _written_out(value: object) -> object:
    """In an address everything is text, of which pydantic would read a number as a Unix time, and a `+` that was not escaped arrives as a space."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}T", value):
        raise ValueError("must be an instant, such as 2027-03-01T10:00:00Z")
    return value.replace(" ", "+") if isinstance(value, str) else value


def _minute_after(instant: datetime) -> Minute:
    """The first whole minute that lies after an instant."""
    if instant.tzinfo is None:
        raise ValueError("needs an offset, such as 2027-03-01T10:00:00+01:00")
    _within_reason(instant.date())
    return minute_floor(instant) + 1


# As the document says it; what checks it are the validators, which say in words what is wrong.
_LINE = {"pattern": r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$"}
_TEXT = {"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"}

Line = Annotated[str, Field(max_length=200, json_schema_extra=_LINE), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=2000, json_schema_extra=_TEXT), AfterValidator(_text)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r'^[^@\s<>,;:\\"()\[\]]+@[^@\s<>,;:\\"()\[\]]+\.[^@\s<>,;:\\"()\[\]]+$'),
    AfterValidator(_line),
]
Label = Annotated[str, Field(max_length=40, json_schema_extra=_LINE), AfterValidator(_line)]
Phone = Annotated[str, Field(max_length=40, json_schema_extra=_LINE), AfterValidator(_line)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# Strict: a number is no instant here, though pydantic would read it as a Unix time.
Start = Annotated[datetime, Field(strict=True), AfterValidator(_whole_minute)]
AskedStart = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_whole_minute)]
AskedAfter = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_minute_after)]
Day = Annotated[date, AfterValidator(_within_reason)]

# As answers write it: RFC 3339, in UTC.
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

Seats = Annotated[int, Field(ge=1, le=1000)]
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]


# What they must hold stands in `domain.answers`, because the questions are the service's.
Answers = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=4000), AfterValidator(_text)]],
    Field(max_length=50),
]


class Request(Model):
    model_config = ConfigDict(extra="forbid")


class ClientDetails(Request):
    name: Line
    email: Email
    phone: Phone | None = None


class NewHold(Request):
    """Where and when seats are kept, while the client fills in the form."""

    service: Slug
    start: Start
    resource: Slug | None = None
    seats: Seats = 1
    duration_minutes: Minutes | None = None


class NewBooking(NewHold):
    """`answers`: to the service's questions, by their ids."""

    client: ClientDetails
    notes: Text | None = None
    answers: Answers = Field(default_factory=dict)


class NewSeries(NewBooking):
    """The same on `weeks` weeks, `every` so many, at the same wall time."""

    weeks: Annotated[int, Field(ge=2, le=52)]
    every: Annotated[int, Field(ge=1, le=26)] = 1


class Confirm(Request):
    """Who books what was kept. An operator who confirms a request names nobody."""

    client: ClientDetails | None = None
    notes: Text | None = None
    answers: Answers | None = None


class Reschedule(Request):
    start: Start
    duration_minutes: Minutes | None = None


class Move(Reschedule):
    """`resource`: another one of the service's."""

    resource: Slug | None = None


class Cancel(Request):
    """`series`: the bookings that were made together with this one too, those that follow it or all that lie ahead."""

    reason: Text | None = None
    series: Literal["following", "all"] | None = None


# The domain's own, but closed: a typing error in a limit must not be taken for no limit.
class LimitsBody(Limits, extra="forbid"): ...


class ClientLimitsBody(ClientLimits, extra="forbid"): ...


class RollingDaysBody(RollingDays, extra="forbid"): ...


class BookableDaysBody(BookableDays, extra="forbid"): ...


class FixedDatesBody(FixedDates, extra="forbid"): ...


class UnlimitedBody(Unlimited, extra="forbid"): ...


WindowBody = Annotated[
    RollingDaysBody | BookableDaysBody | Annotated[FixedDatesBody, AfterValidator(_dated_and_named)] | UnlimitedBody,
    Field(discriminator="kind"),
]


class ResourceBody(Request):
    """The whole configuration of a resource: what is left out is not kept."""

    name: Line
    time_zone: ZoneName
    hours: tuple[WeeklyHours, ...] = Field(default=(), max_length=100)
    overrides: tuple[Annotated[DateOverride, AfterValidator(_dated_and_named)], ...] = Field(
        default=(), max_length=1000
    )
    closed: tuple[Annotated[ClosedPeriod, AfterValidator(_dated_and_named)], ...] = Field(default=(), max_length=200)
    holidays: tuple[Annotated[Holiday, AfterValidator(_dated_and_named)], ...] = Field(
        default=(), max_length=MAX_HOLIDAYS
    )
    seasons: tuple[Annotated[Season, AfterValidator(_dated_and_named)], ...] = Field(default=(), max_length=50)
    travel: tuple[Annotated[Travel, AfterValidator(_dated_and_named)], ...] = Field(default=(), max_length=200)
    limits: LimitsBody = LimitsBody()


class FormQuestionBody(FormQuestion, extra="forbid"):
    label: Line
    choices: tuple[Line, ...] = Field(default=(), max_length=50)


class ServiceBody(ServiceRules, extra="forbid"):
    """The whole configuration of a service: what is left out is as usual."""

    name: Line
    window: WindowBody = RollingDaysBody(days=60)
    limits: LimitsBody = LimitsBody()
    client_limits: ClientLimitsBody = ClientLimitsBody()
    questions: tuple[FormQuestionBody, ...] = Field(default=(), max_length=MOST_QUESTIONS)
    waitlist: Slug | None = None
    resources: tuple[Slug, ...] = Field(min_length=1, max_length=50)
    priorities: Mapping[str, Annotated[int, Field(ge=-1000, le=1000)]] = Field(default_factory=dict)


class CalendarBody(Request):
    """Which resources this calendar blocks, and for which it is the destination of their sessions' events."""

    blocks: tuple[Slug, ...] = ()
    destination_for: tuple[Slug, ...] = ()


class NewConnection(Request):
    return_to: Annotated[str, Field(max_length=2000)] | None = None


class GrantedConnection(Request):
    email: Email
    refresh_token: Annotated[str, Field(min_length=1, max_length=2048)]


class PublicService(Model):
    """What a client must know to ask for availability: which lengths and how many seats there are, and whether they choose one of `resources`; and to
    book: what they will be asked.
    """

    id: str
    name: str
    kind: str
    duration_minutes: int
    durations: tuple[int, ...]
    capacity: int
    assignment: str
    resources: tuple[str, ...]
    questions: tuple[FormQuestion, ...]

    @classmethod
    def of(cls, service: Service) -> "PublicService":
        durations = service.durations or (service.duration_minutes,)
        return cls.model_validate(service.model_dump(include=set(cls.model_fields)) | {"durations": durations})


class ServiceList(Model):
    services: list[PublicService]


class ResourceList(Model):
    resources: list[Resource]


class ImportedHolidays(Model):
    """`skipped`: how many events of the file were not all-day."""

    imported: tuple[Holiday, ...]
    skipped: int


def moment(millis: Millis | None) -> str | None:
    """An instant that there may not be, as answers write it."""
    return None if millis is None else rfc3339_millis(millis)


class ConflictAnswer(Model):
    """Why something can't be kept as it was promised, and since when."""

    reason: str
    since: Instant

    @classmethod
    def of(cls, conflict: Conflict) -> "ConflictAnswer":
        return cls(reason=conflict.reason, since=rfc3339_millis(conflict.since))


class ClientAnswer(Model):
    """Who booked, as they told us. Empty while they fill in the form."""

    name: str
    email: str
    phone: str | None = None

    @classmethod
    def of(cls, client: Client) -> Self:
        return cls(name=client.name, email=client.email, phone=client.phone)


class BookingAnswer(Model):
    """A client's seats in a session. `calendar_copy`: whether its event is in Google already. `expires_at`: until when seats are kept that are not booked yet.

    Only operators see `client`, `client_key`, `answers`, `conflict`, `declined_at` and `calendar_error`. The proof that it is the client's own,
    `manage_token`, is in the answer to who made it, and in no other.
    """

    id: str
    session: str
    service: str
    resource: str
    status: BookingStatus
    start: Instant
    end: Instant
    seats: int
    time_zone: str
    expires_at: Instant | None = None
    requested: bool | None = None
    calendar_copy: Literal["pending", "written", "none"]
    meet_link: str | None = None
    calendar_error: str | None = None
    calendar_error_since: Instant | None = None
    conflict: ConflictAnswer | None = None
    declined_at: Instant | None = None
    cancelled_by: AuthorKind | None = None
    reason: str | None = None
    series: str | None = None
    answers: Mapping[str, str] | None = None
    client: ClientAnswer | None = None
    client_key: str | None = None
    manage_token: str | None = None
    manage_url: str | None = None


class SeriesAnswer(Model):
    series: str
    bookings: list[BookingAnswer]


class Cancelled(RootModel[BookingAnswer | SeriesAnswer]):
    """The booking; or those of its series, where the request named a part of it."""
