"""What operators send about a client's personal data, and the answers: everything that is held of one person, and how far their erasure is."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from functions.booking.fields import Email, Instant, Request
from functions.booking.lists import Told
from functions.domain.configuration import RetentionDays
from functions.domain.model import Model
from functions.domain.session import client_key


class WhoseData(Request):
    """In the body and not in the address, which web servers note down."""

    email: Email

    @property
    def key(self) -> str:
        return client_key(self.email)


class Erase(WhoseData):
    """`confirm`: the same address once more. `cancel_future`: what lies ahead of the client is cancelled, and they are taken off waitlists."""

    confirm: str
    cancel_future: bool = False

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if client_key(self.confirm) != self.key:
            raise ValueError("confirm must be the same address once more: what is erased can't be brought back")
        return self


class ErasureAnswer(Model):
    """How far an erasure is. `events_pending`: sessions whose events in Google still have to be written anew; they are as soon as their calendars can be
    written to. `kept`: bookings and places on waitlists that lie ahead. `client`: a keyed hash of the address.
    """

    id: str
    status: Literal["running", "done"]
    client: str
    by: str
    cancel_future: bool
    requested_at: Instant
    finished_at: Instant | None = None
    bookings: int
    waitlist: int
    kept: tuple[str, ...]
    events_pending: int


class ExportedClient(Model):
    """As they told it the business with one of their bookings."""

    name: str
    email: str
    phone: str | None = None


class ExportedEvent(Model):
    """What we write about the client into an event of the business's Google Calendar; others, who may be in it too, are left out. What its owner wrote there in
    place of that, or besides it, is in their calendar alone: we hold none of it.
    """

    calendar: str
    event: str
    summary: str
    description: str
    guest: bool


class ExportedBooking(Model):
    id: str
    service: str
    session: str
    resources: tuple[str, ...]
    start: Instant
    end: Instant | None = None
    seats: int
    status: str
    client: ExportedClient
    notes: str | None = None
    answers: Mapping[str, str]
    series: str | None = None
    waitlist: str | None = None
    requested: bool
    declined_at: Instant | None = None
    cancelled_by: str | None = None
    reason: str | None = None
    created_at: Instant
    events: list[ExportedEvent]


class ExportedEntry(Model):
    """A place on a waitlist, for any of these `sessions`, or a start in [start, end)."""

    id: str
    service: str
    sessions: tuple[str, ...]
    start: Instant
    end: Instant
    resource: str | None = None
    seats: int
    status: str
    client: ExportedClient
    notes: str | None = None
    answers: Mapping[str, str]
    priority: int
    level: str | None = None
    category: str | None = None
    joined_at: Instant
    booking: str | None = None
    ended_by: str | None = None
    reason: str | None = None
    created_at: Instant


class ExportedAnswer(Model):
    """What a request was answered, kept for a day in case it is sent again."""

    kept_until: Instant
    body: Mapping[str, Any]


class ClientExport(Model):
    """Everything that is held of one person."""

    email: str
    exported_at: Instant
    bookings: list[ExportedBooking]
    waitlist: list[ExportedEntry]
    history: list[Told]
    answers: list[ExportedAnswer]


class Retention(Request):
    """So many days after their sessions have ended clients are forgotten; null: never."""

    days: RetentionDays | None
