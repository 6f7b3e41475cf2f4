"""What may be proposed to `POST /preview`, and its answer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from functions.booking.fields import Day, Instant, Request, Seats, Slug
from functions.booking.presets import PresetBody
from functions.booking.schemas import ResourceBody, ServiceBody
from functions.domain.model import Model


class ProposedResource(ResourceBody):
    id: Slug


class ProposedService(ServiceBody):
    id: Slug


class ProposedPreset(PresetBody):
    id: Slug


class ProposedSession(Request):
    """`below`: what would become of bookings that lose their seats; where nothing is said, as if they were orphaned."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")
    capacity: Seats
    below: Literal["orphan", "cancel"] | None = None


class ProposedClosing(Request):
    """What if this resource were away from `first` to `last`, both included?"""

    resource: Slug
    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last lies before first")
        return self


class Proposal(Request):
    """One change that is thought of: a resource, a service or a waitlist preset as it would be put, a session's capacity, or dates on which a resource would
    be closed.
    """

    resource: ProposedResource | None = None
    service: ProposedService | None = None
    preset: ProposedPreset | None = None
    session: ProposedSession | None = None
    closed: ProposedClosing | None = None

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if len(self.model_fields_set) != 1 or all(value is None for value in vars(self).values()):
            raise ValueError("propose one change: resource, service, preset, session or closed")
        return self


class SessionForeseen(Model):
    """`bookings`: those that it would happen to; where there would be too few seats, only those that would have none."""

    session: str
    service: str
    resources: tuple[str, ...]
    start: Instant
    end: Instant
    reason: str
    bookings: tuple[str, ...]


class ServedForeseen(Model):
    """Somebody who waits and would get seats: an offer that they could answer by `expires_at`, or without one a booking."""

    entry: str
    service: str
    seats: int
    start: Instant
    resources: tuple[str, ...]
    expires_at: Instant | None = None


class Foreseen(Model):
    """What would follow from a change. `clients_told`: how many would get a message, which are those of cancelled bookings and who would be served."""

    conflicted: list[SessionForeseen]
    cancelled: list[SessionForeseen]
    supported: list[SessionForeseen]
    offered: list[ServedForeseen]
    clients_told: int
