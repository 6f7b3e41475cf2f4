"""What operators see of how well calendars and bookings are in step."""

from typing import Literal, Self

from functions.booking.fields import Instant
from functions.booking.schemas import moment
from functions.booking.schemas_connections import CalendarAnswer, LossAnswer
from functions.domain.calendar import Connection
from functions.domain.health import Reason
from functions.domain.instants import Millis, rfc3339_millis
from functions.domain.model import Model
from functions.domain.pacing import WritePause
from functions.domain.transitions import ConnectionStatus


class HealthOfConnection(Model):
    """`lost_at`: since when it can't be used, and has to be granted again. `probed_at`: when it was last tried out."""

    id: str
    email: str
    state: ConnectionStatus
    lost_at: Instant | None = None
    loss: LossAnswer | None = None
    grant_expires_at: Instant | None = None
    probed_at: Instant | None = None
    last_success_at: Instant | None = None
    last_error: str | None = None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        return cls(
            id=connection.id,
            email=connection.email,
            state=connection.status,
            lost_at=moment(connection.lost_at),
            loss=LossAnswer.of(connection),
            grant_expires_at=moment(connection.grant_expires_at),
            probed_at=moment(connection.probed_at),
            last_success_at=moment(connection.last_success_at),
            last_error=connection.last_error,
        )


class HealthOfCalendar(CalendarAnswer):
    """`unreadable_events`: how many of its events can't be read. `writes_paused_until`: Google wants none before, and why."""

    unreadable_events: int = 0
    writes_paused_until: Instant | None = None
    writes_paused_because: str | None = None

    def with_pause(self, pause: WritePause | None, now: Millis) -> Self:
        if pause is None or not (pause.usage_limit or pause.holds(now)):
            return self
        paused = {"writes_paused_until": rfc3339_millis(pause.until), "writes_paused_because": pause.reason}
        return self.model_copy(update=paused)


class HealthReason(Model):
    """One thing to look at; of which calendar or connection, if it is of one."""

    text: str
    calendar: str | None = None
    connection: str | None = None

    @classmethod
    def of(cls, reason: Reason) -> Self:
        return cls(text=reason.text, calendar=reason.calendar, connection=reason.connection)


class Health(Model):
    """Whether calendars and bookings are in step, and what to look at where they are not.

    `pending_copies`: sessions of which Google has not been told all yet. `overdue_effects`: what should have been done by now, since `overdue_since`.
    """

    status: Literal["ok", "attention"]
    well: bool
    reasons: list[HealthReason]
    connections: list[HealthOfConnection]
    calendars: list[HealthOfCalendar]
    pending_copies: int
    overdue_effects: int
    overdue_since: Instant | None = None
