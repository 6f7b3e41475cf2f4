"""The bodies with which operators schedule sessions, and change them."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from functions.booking.fields import Line, Minutes, Request, Seats, Slug, Start, Text
from functions.domain.instants import DAY_MINUTES, Minute
from functions.domain.model import Model

LONGEST = 7 * DAY_MINUTES


class Repeat(Request):
    """`rule`: an RFC 5545 rule, such as FREQ=WEEKLY;COUNT=10. Its starts have the same wall time in the zone of the (first) resource."""

    rule: Line


class SessionTimes(Request):
    """When, and what is different from the service, or from the session that is cloned. `end` or `duration_minutes`, not both.

    `repeat`: all starts that the rule names, `start` the first of them. Where one of them is taken nothing is scheduled, unless `skip_taken` leaves it out.
    """

    start: Start
    end: Start | None = None
    duration_minutes: Minutes | None = None
    resources: Annotated[tuple[Slug, ...], Field(max_length=50)] | None = None
    capacity: Seats | None = None
    waitlist: Slug | None = None
    repeat: Repeat | None = None
    skip_taken: bool = False

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.end is not None:
            if self.duration_minutes is not None:
                raise ValueError("give end or duration_minutes, not both")
            if not 0 < _minute(self.end) - _minute(self.start) <= LONGEST:
                raise ValueError("end must be after start, and at most 7 days after it")
        return self

    @property
    def length(self) -> int | None:
        """In minutes, if it is given."""
        return self.duration_minutes if self.end is None else _minute(self.end) - _minute(self.start)


class NewSessions(SessionTimes):
    service: Slug


class ClonedSession(SessionTimes):
    """What is left out is as in the session that is cloned."""


class SessionChange(Request):
    """`below`: what becomes of bookings that lose their seats. `waitlist`: a preset, or null for the service's. `start`: it moves with everybody in it."""

    capacity: Seats | None = None
    below: Literal["orphan", "cancel"] | None = None
    closed: bool | None = None
    waitlist: Slug | None = None
    start: Start | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set & {"capacity", "closed", "waitlist", "start"}:
            raise ValueError("say what to change: capacity, closed, waitlist or start")
        if self.below is not None and self.capacity is None:
            raise ValueError("below is about a capacity; give one")
        return self


class SessionEnd(Request):
    """`reason`: what the clients are told."""

    reason: Text | None = None


class ScheduledSessions(Model):
    """`series`: what sessions of one rule share. `skipped`: starts that were taken, with what takes their time."""

    sessions: list[dict[str, Any]]
    series: str | None = None
    skipped: list[dict[str, Any]]


def _minute(value: object) -> Minute:
    assert isinstance(value, int)  # the validator made a minute of the instant
    return value
