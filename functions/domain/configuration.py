"""What an operator sets up: the account, its resources and services. Read-only to clients; changed only by operators."""

from pydantic import Field

from functions.domain.hours import Hours, ZoneName
from functions.domain.instants import DAY_MINUTES, Millis
from functions.domain.model import Document


class Account(Document):
    """A business that uses the system. Everything below `accounts/{id}` is its own."""

    id: str
    name: str
    time_zone: ZoneName
    created_at: Millis


class OperatorKey(Document):
    """An API key of an operator, stored as its hash only (law 12)."""

    id: str  # the hash
    name: str
    created_at: Millis


class Resource(Document):
    """A person, room or thing whose time is taken.

    `blocked_by` and `destination` are ids of calendars. A calendar names its resources too (`CalendarLink`); both sides change in one commit.
    """

    id: str
    name: str
    hours: Hours
    blocked_by: tuple[str, ...] = ()
    destination: str | None = None


class Service(Document):
    """What can be booked. Lengths are in minutes.

    `buffer_*_minutes` are preparation and clean-up: they take the resource's time on either side of the session, inside or outside its hours,
    and add up between two neighbours.
    """

    id: str
    name: str
    duration_minutes: int = Field(ge=1, le=7 * DAY_MINUTES)
    step_minutes: int = Field(ge=1, le=DAY_MINUTES)
    buffer_before_minutes: int = Field(default=0, ge=0, le=DAY_MINUTES)
    buffer_after_minutes: int = Field(default=0, ge=0, le=DAY_MINUTES)
    notice_minutes: int = Field(default=0, ge=0, le=365 * DAY_MINUTES)
    window_days: int = Field(default=60, ge=1, le=365)
    resources: tuple[str, ...] = Field(min_length=1, max_length=50)
    active: bool = True
