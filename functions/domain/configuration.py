"""What an operator sets up: the account, its resources and services. Read-only to clients; changed only by operators."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from functions.domain.booking_window import RollingDays, Window
from functions.domain.hours import Hours
from functions.domain.instants import DAY_MINUTES, Millis
from functions.domain.model import Document
from functions.domain.origins import MOST_ORIGINS, Origin
from functions.domain.permissions import EVERYTHING, Permission
from functions.domain.zones import ZoneName

Count = Annotated[int, Field(ge=1, le=10_000)]
Duration = Annotated[int, Field(ge=1, le=7 * DAY_MINUTES)]
StaleAfter = Annotated[int, Field(ge=1, le=365 * DAY_MINUTES)]
OnStale = Literal["close", "keep"]
QuestionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MOST_QUESTIONS = 20  # that one service asks
# What a client booked earlier in the same month counts against a limit, so it is not forgotten sooner.
RetentionDays = Annotated[int, Field(ge=31, le=3650)]


class Account(Document):
    """A business that uses the system. Everything below `accounts/{id}` is its own.

    `allowed_origins`: the web pages of other sites that may call what clients call.
    `retention_days`: so long after their session has ended its clients are forgotten (see `erasing`); None: never.
    """

    id: str
    name: str
    time_zone: ZoneName
    created_at: Millis
    allowed_origins: tuple[Origin, ...] = Field(default=(), max_length=MOST_ORIGINS)
    retention_days: RetentionDays | None = None


class OperatorKey(Document):
    """An API key of an operator, stored as its hash only (law 12). `made_by`: the id of the person or the key that made it; None from the command line."""

    id: str  # the hash
    name: str
    created_at: Millis
    made_by: str | None = None
    permissions: frozenset[Permission] = EVERYTHING


class Limits(Document):
    """The most there may be of something in a day, an ISO week and a month of the resource's zone. None: no limit."""

    per_day: Count | None = None
    per_week: Count | None = None
    per_month: Count | None = None

    @property
    def any(self) -> bool:
        return (self.per_day, self.per_week, self.per_month) != (None, None, None)


class ClientLimits(Limits):
    """Of one client's bookings of the service. `at_once`: the most that may lie ahead at the same time."""

    at_once: Count | None = None

    @property
    def any(self) -> bool:
        return super().any or self.at_once is not None


class Resource(Document):
    """A person, room or thing whose time is taken.

    `limits` count its sessions of whatever service. `blocked_by` and `destination` are ids of calendars. A calendar names its resources too
    (`CalendarLink`); both sides change in one commit. `stale_after_minutes` and `on_stale`: where it has rules of its own for calendars that can't be read
    (see `domain.staleness`).
    """

    id: str
    name: str
    hours: Hours
    limits: Limits = Limits()
    stale_after_minutes: StaleAfter | None = None
    on_stale: OnStale | None = None
    blocked_by: tuple[str, ...] = ()
    destination: str | None = None


class FormQuestion(Document):
    """What a client is asked when they book. `kind`: a line or a text of their own, yes or no, or one of `choices`."""

    id: QuestionId
    label: str = Field(min_length=1, max_length=200)
    kind: Literal["line", "text", "yes_no", "choice"] = "line"
    required: bool = False
    choices: tuple[str, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _has_choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice has choices, and nothing else has")
        return self


class ServiceRules(Document):
    """What can be booked, and how. Lengths are in minutes.

    `kind`: the starts of an appointment follow from its resources' hours; an event is offered only where an operator scheduled a session.
    `durations`: those that a client may choose from; none named means `duration_minutes` alone, which is what who does not choose gets.
    `offset_minutes`: how long after an opening the first start lies. Then every `step_minutes`.
    `buffer_*_minutes` are preparation and clean-up: they take the resource's time on either side of the session, inside or outside its hours,
    and add up between two neighbours.
    `limits` count the service's sessions at all its resources; `client_limits` one client's bookings of it.
    `capacity`: the seats of a session. Where it is more than one, others join a session that runs already, at its very start.
    `confirmation`: at once, or by an operator, until whose decision a request keeps its seats.
    `client_*_until_minutes`: how long before the start clients may still cancel or reschedule by themselves; operators always may.
    `questions` are part of the form. `on_full`: whether who finds it full may wait, by the rules of the preset `waitlist` (None: the usual ones).
    `fresh_for_minutes`: a calendar that was read longer ago than that is read before the service is sold (0: each time). One that can't be read makes its
    time unknown after `stale_after_minutes` (None: the deployment's setting), and that is closed; or, to `keep`, sold by what was known last. Where a
    resource has rules of its own for that, these hold.
    `clients_as_guests`: whether clients are guests of the event in Google; its text says who comes either way.
    `meet`: each session has a video meeting (Google Meet), made with its event.
    `on_conflict`: what becomes of a session that can't be kept as it was sold: it is flagged for a person to decide, or cancelled.
    `on_calendar_*`, `on_host_decline`: what becomes of one whose event was deleted, moved or declined in Google Calendar by its owner. None for a delete:
    it is cancelled, unless more than one booking sits in it; then a person is asked.
    `assignment`: any one of `resources`, one that the client must choose, or all of them at the same time (the first one's openings then set the grid).
    `pick`: which of any: the first that is free in the order given; the one of highest priority; or the one with the fewest sessions that day
    in proportion to its weight. Each falls back on the next, down to the order.
    """

    name: str
    kind: Literal["appointment", "event"] = "appointment"
    duration_minutes: Duration
    durations: tuple[Duration, ...] = Field(default=(), max_length=20)
    step_minutes: int = Field(ge=1, le=DAY_MINUTES)
    offset_minutes: int = Field(default=0, ge=0, lt=DAY_MINUTES)
    buffer_before_minutes: int = Field(default=0, ge=0, le=DAY_MINUTES)
    buffer_after_minutes: int = Field(default=0, ge=0, le=DAY_MINUTES)
    notice_minutes: int = Field(default=0, ge=0, le=365 * DAY_MINUTES)
    window: Window = RollingDays(days=60)
    limits: Limits = Limits()
    client_limits: ClientLimits = ClientLimits()
    capacity: int = Field(default=1, ge=1, le=1000)
    show_seats_left: bool = True
    confirmation: Literal["instant", "operator"] = "instant"
    client_cancel_until_minutes: int = Field(default=0, ge=0, le=365 * DAY_MINUTES)
    client_reschedule_until_minutes: int = Field(default=0, ge=0, le=365 * DAY_MINUTES)
    questions: tuple[FormQuestion, ...] = Field(default=(), max_length=MOST_QUESTIONS)
    on_full: Literal["close", "waitlist"] = "waitlist"
    waitlist: str | None = None
    fresh_for_minutes: int = Field(default=5, ge=0, le=DAY_MINUTES)
    stale_after_minutes: StaleAfter | None = None
    on_stale: OnStale = "close"
    on_conflict: Literal["flag", "cancel"] = "flag"
    clients_as_guests: bool = True
    meet: bool = False
    on_calendar_delete: Literal["cancel", "restore", "ask"] | None = None
    on_calendar_move: Literal["follow", "restore", "ask"] = "follow"
    on_host_decline: Literal["flag", "cancel"] = "flag"
    resources: tuple[str, ...] = Field(min_length=1, max_length=50)
    assignment: Literal["any", "choice", "all"] = "any"
    pick: Literal["order", "priority", "least_busy"] = "order"
    priorities: Mapping[str, int] = Field(default_factory=dict)
    weights: Mapping[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)
    active: bool = True

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if len({question.id for question in self.questions}) != len(self.questions):
            raise ValueError("two questions have the same id")
        if self.durations and self.duration_minutes not in self.durations:
            raise ValueError("duration_minutes must be one of durations")
        if strangers := sorted({*self.priorities, *self.weights} - set(self.resources)):
            raise ValueError(f"priorities and weights name what is not among the resources: {', '.join(strangers)}")
        return self

    def offers_duration(self, minutes: int) -> bool:
        return minutes == self.duration_minutes or minutes in self.durations


class Service(ServiceRules):
    """A service by its id."""

    id: str
