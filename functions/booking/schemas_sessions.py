"""The bodies with which operators schedule sessions and change them, and what they see of a session."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from functions.booking.fields import Instant, Line, Minutes, Request, Seats, Slug, Start, Text
from functions.booking.schemas import ConflictAnswer, moment
from functions.booking.schemas_availability import ClosedBy
from functions.domain.decision import AuthorKind
from functions.domain.instants import DAY_MINUTES, Minute, rfc3339, rfc3339_millis
from functions.domain.ledger import Hold
from functions.domain.model import Model
from functions.domain.session import GoogleCopy, Session
from functions.domain.transitions import SessionStatus

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


class KeptSeats(Model):
    """Seats that are kept until `expires_at`."""

    seats: int
    expires_at: Instant

    @classmethod
    def of(cls, hold: Hold) -> Self:
        return cls(seats=hold.seats, expires_at=rfc3339_millis(hold.expires_at))


class CopyAnswer(Model):
    """A session's event in one calendar. `written`: the version of the session that Google holds (0: none yet). `missing_since`: the calendar said then that
    it is deleted, and what follows is not decided yet; `gone`: it is. `error`: why it is behind.
    """

    event: str
    written: int
    meeting: Literal["asked", "made", "failed"] | None = None
    missing_since: Instant | None = None
    gone: bool
    error: str | None = None
    error_since: Instant | None = None

    @classmethod
    def of(cls, copy: GoogleCopy) -> Self:
        return cls(
            event=copy.event,
            written=copy.written,
            meeting=copy.meeting,
            missing_since=moment(copy.missing_since),
            gone=copy.gone,
            error=copy.error,
            error_since=moment(copy.error_since),
        )


class SessionAnswer(Model):
    """One occurrence of a service. `seats`: how many each booking has; `holds`: what is kept for bookings that are not decided yet; `copies`: its event in
    each calendar that it is written to, by calendar. `accepted`: reasons for a conflict that an operator has seen and lives with.
    """

    id: str
    service: str
    resources: tuple[str, ...]
    start: Instant
    end: Instant
    capacity: int
    scheduled: bool
    status: SessionStatus
    closed: bool
    seats: Mapping[str, int]
    holds: Mapping[str, KeptSeats]
    version: int
    copies: Mapping[str, CopyAnswer]
    conflict: ConflictAnswer | None = None
    accepted: tuple[str, ...]
    series: str | None = None
    waitlist: str | None = None
    meet_link: str | None = None
    cancelled_by: AuthorKind | None = None
    reason: str | None = None
    created_at: Instant
    moved_at: Instant | None = None

    @classmethod
    def of(cls, session: Session) -> Self:
        return cls(
            id=session.id,
            service=session.service,
            resources=session.resources,
            start=rfc3339(session.start),
            end=rfc3339(session.end),
            capacity=session.capacity,
            scheduled=session.scheduled,
            status=session.status,
            closed=session.closed,
            seats=session.seats,
            holds={booking: KeptSeats.of(hold) for booking, hold in session.holds.items()},
            version=session.version,
            copies={calendar: CopyAnswer.of(copy) for calendar, copy in session.copies.items()},
            conflict=None if session.conflict is None else ConflictAnswer.of(session.conflict),
            accepted=session.accepted,
            series=session.series,
            waitlist=session.waitlist,
            meet_link=session.meet_link,
            cancelled_by=session.cancelled_by,
            reason=session.reason,
            created_at=rfc3339_millis(session.created_at),
            moved_at=moment(session.moved_at),
        )


class SkippedStart(Model):
    """A start that was taken, and what takes its time."""

    start: Instant
    reasons: list[ClosedBy]


class ScheduledSessions(Model):
    """`series`: what sessions of one rule share. `skipped`: starts that were taken, and so left out."""

    sessions: list[SessionAnswer]
    series: str | None = None
    skipped: list[SkippedStart]


def _minute(value: object) -> Minute:
    assert isinstance(value, int)  # the validator made a minute of the instant
    return value
