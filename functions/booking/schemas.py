"""The bodies of the API, and its answers."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, RootModel

from functions.adapters.holidays import MAX_HOLIDAYS
from functions.booking.fields import (
    Answers,
    Email,
    Honeypot,
    Instant,
    Line,
    Minutes,
    Phone,
    Request,
    Seats,
    Slug,
    Start,
    Text,
    dated_and_named,
)
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays, Unlimited
from functions.domain.configuration import (
    MOST_QUESTIONS,
    ClientLimits,
    FormQuestion,
    Limits,
    OnStale,
    Resource,
    Service,
    ServiceRules,
    StaleAfter,
)
from functions.domain.decision import AuthorKind
from functions.domain.hours import ClosedPeriod, DateOverride, Holiday, Season, Travel, WeeklyHours
from functions.domain.instants import Millis, rfc3339_millis
from functions.domain.model import Model
from functions.domain.origins import MOST_ORIGINS, Origin
from functions.domain.session import Client, Conflict
from functions.domain.transitions import BookingStatus
from functions.domain.zones import ZoneName


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
    """`answers`: to the service's questions, by their ids. `website`: is left empty."""

    client: ClientDetails
    website: Honeypot = ""
    notes: Text | None = None
    answers: Answers = Field(default_factory=dict)


class NewSeries(NewBooking):
    """The same on `weeks` weeks, `every` so many, at the same wall time."""

    weeks: Annotated[int, Field(ge=2, le=52)]
    every: Annotated[int, Field(ge=1, le=26)] = 1


class Confirm(Request):
    """Who books what was kept. An operator who confirms a request names nobody. `website`: is left empty."""

    client: ClientDetails | None = None
    website: Honeypot = ""
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
    RollingDaysBody | BookableDaysBody | Annotated[FixedDatesBody, AfterValidator(dated_and_named)] | UnlimitedBody,
    Field(discriminator="kind"),
]


class ResourceBody(Request):
    """The whole configuration of a resource: what is left out is not kept."""

    name: Line
    time_zone: ZoneName
    hours: tuple[WeeklyHours, ...] = Field(default=(), max_length=100)
    overrides: tuple[Annotated[DateOverride, AfterValidator(dated_and_named)], ...] = Field(default=(), max_length=1000)
    closed: tuple[Annotated[ClosedPeriod, AfterValidator(dated_and_named)], ...] = Field(default=(), max_length=200)
    holidays: tuple[Annotated[Holiday, AfterValidator(dated_and_named)], ...] = Field(
        default=(), max_length=MAX_HOLIDAYS
    )
    seasons: tuple[Annotated[Season, AfterValidator(dated_and_named)], ...] = Field(default=(), max_length=50)
    travel: tuple[Annotated[Travel, AfterValidator(dated_and_named)], ...] = Field(default=(), max_length=200)
    limits: LimitsBody = LimitsBody()
    stale_after_minutes: StaleAfter | None = None
    on_stale: OnStale | None = None


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


class OriginList(Request):
    """The web pages of other sites that may call what clients call, each by its exact origin."""

    allowed_origins: tuple[Origin, ...] = Field(max_length=MOST_ORIGINS)


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
