"""What operators see of connections, and of the calendars that they reach."""

from typing import Literal, Self

from functions.booking.schemas import Instant, moment
from functions.domain.calendar import Calendar, Connection, Difference
from functions.domain.instants import rfc3339
from functions.domain.model import Model
from functions.domain.transitions import ConnectionStatus


class ConsentAnswer(Model):
    """A consent that was begun. `id`: that of the connection it will make; `consent_url`: where the person who grants it goes, within ten minutes."""

    id: str
    consent_url: str


class ConnectionAnswer(Model):
    """A Google account that was granted. `scopes`: what Google was asked to allow, and did."""

    id: str
    email: str
    state: ConnectionStatus
    scopes: tuple[str, ...]
    last_error: str | None = None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        return cls(
            id=connection.id,
            email=connection.email,
            state=connection.status,
            scopes=connection.scopes,
            last_error=connection.last_error,
        )


class ConnectionList(Model):
    connections: list[ConnectionAnswer]


class DifferenceAnswer(Model):
    """Time that Google and this system do not agree about: busy in the one of them alone."""

    busy: Literal["only_in_google", "only_here"]
    start: Instant
    end: Instant

    @classmethod
    def of(cls, each: Difference) -> Self:
        return cls(busy=each.busy, start=rfc3339(each.start), end=rfc3339(each.end))


class CalendarAnswer(Model):
    """A calendar: what it does, how fresh it is, and whether it agrees with Google (`drift_minutes`, as of `audited_at`).

    `blocks`: the resources whose time it takes; `destination_for`: those whose sessions are written to it. `watched`: Google tells of its changes; one that
    is not `watchable` is read from time to time. `lag_ms`: how long the last change took from Google to here. `missing_since`: Google does not list it.
    """

    id: str
    connection: str
    google_id: str
    summary: str
    primary: bool
    role: str
    can_write: bool
    time_zone: str
    blocks: tuple[str, ...]
    destination_for: tuple[str, ...]
    state: Literal["active", "gone"]
    watched: bool
    watchable: bool
    watched_until: Instant | None = None
    last_success_at: Instant | None = None
    last_change_at: Instant | None = None
    lag_ms: int | None = None
    missing_since: Instant | None = None
    last_error: str | None = None
    next_poll_at: Instant | None = None
    audited_at: Instant | None = None
    drift_minutes: int | None = None
    drift: list[DifferenceAnswer]
    audit_error: str | None = None

    @classmethod
    def of(cls, calendar: Calendar) -> Self:
        """Cursor and channel tokens stay inside."""
        same = calendar.model_dump(include=set(cls.model_fields) & set(Calendar.model_fields) - {"drift"})
        channel = calendar.channel
        return cls(
            **same
            | {
                "can_write": calendar.can_write,
                "blocks": calendar.resources,
                "watched": channel is not None and channel.resource is not None,
                "watchable": calendar.watchable,
                "watched_until": None if channel is None else moment(channel.expires_at),
                "last_success_at": moment(calendar.last_success_at),
                "last_change_at": moment(calendar.last_change_at),
                "missing_since": moment(calendar.missing_since),
                "next_poll_at": moment(calendar.next_poll_at),
                "audited_at": moment(calendar.audited_at),
                "drift": [DifferenceAnswer.of(each) for each in calendar.drift],
            }
        )


class CalendarList(Model):
    calendars: list[CalendarAnswer]
