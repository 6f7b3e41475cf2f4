"""What operators see of connections: who granted access, what it covers, how its calendars are, and what that means for clients."""

from typing import Literal, Self

from functions.booking.fields import Instant, Request
from functions.booking.schemas import moment
from functions.domain.bookability import Meaning, What, trouble_of_calendar, trouble_of_connection
from functions.domain.calendar import Calendar, Connection, Difference, Ending
from functions.domain.disconnecting import Disconnected, Events, in_words
from functions.domain.instants import rfc3339, rfc3339_millis
from functions.domain.loss import Loss, words
from functions.domain.model import Model
from functions.domain.scopes import GooglePermission, missing_permissions, permissions_of
from functions.domain.transitions import ConnectionStatus
from functions.domain.trouble import of_writing


class ConsentAnswer(Model):
    """Where the person goes who grants access, until `expires_at`. `id`: of the connection that comes of it, unless they have one already."""

    id: str
    consent_url: str
    expires_at: Instant


class PermissionAnswer(Model):
    """A permission that Google was asked for, in the words of its own page, and what it is for."""

    scope: str
    asks: str
    purpose: str

    @classmethod
    def of(cls, permission: GooglePermission) -> "PermissionAnswer":
        return cls(scope=permission.scope, asks=permission.asks, purpose=permission.purpose)


class LossAnswer(Model):
    """Why the access is lost, and what to do about it."""

    reason: Loss
    what: str
    remedy: str

    @classmethod
    def of(cls, connection: Connection) -> "LossAnswer | None":
        """None where it is not lost."""
        if connection.status != "needs_reconnect":
            return None
        meaning = words(connection.loss)
        return cls(reason=connection.loss or Loss.REFUSED, what=meaning.what, remedy=meaning.remedy)


class EndingAnswer(Model):
    """What an operator has ended, and Google has not done its part for yet. `events`: what becomes of those that lie ahead. `last_error`: Google's own word, or
    ours; `trouble` says the same for people.
    """

    events: Events
    since: Instant
    last_error: str | None = None
    trouble: str | None = None

    @classmethod
    def of(cls, ending: Ending) -> "EndingAnswer":
        error, trouble = ending.error, None
        if error is not None:
            trouble = f"Google has not done its part yet ({of_writing(error)}); it is asked again."
        return cls(events=ending.events, since=rfc3339_millis(ending.since), last_error=error, trouble=trouble)


class ConnectionAnswer(Model):
    """`last_error`: Google's own word; `trouble` says the same for people. `since`: when the account was connected. `ending`: it was disconnected, and not all
    of that is done.
    """

    id: str
    email: str
    state: ConnectionStatus
    since: Instant
    scopes: list[str]
    permissions: list[PermissionAnswer]
    missing_permissions: list[PermissionAnswer]
    lost_at: Instant | None = None
    loss: LossAnswer | None = None
    grant_expires_at: Instant | None = None
    probed_at: Instant | None = None
    last_success_at: Instant | None = None
    last_error: str | None = None
    trouble: str | None = None
    ending: EndingAnswer | None = None

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionAnswer":
        return cls(**_connection(connection))


class MeaningAnswer(Model):
    """Something that clients can notice at this moment. `at`: when it begins, where it has not yet."""

    what: What
    resource: str
    services: list[str]
    calendar: str
    since: Instant | None = None
    at: Instant | None = None
    text: str

    @classmethod
    def of(cls, meaning: Meaning) -> "MeaningAnswer":
        return cls(
            what=meaning.what,
            resource=meaning.resource,
            services=list(meaning.services),
            calendar=meaning.calendar,
            since=moment(meaning.since),
            at=moment(meaning.at),
            text=meaning.text,
        )


class DifferenceAnswer(Model):
    """Time that Google and the bookings do not agree about."""

    busy: Literal["only_in_google", "only_here"]
    start: Instant
    end: Instant

    @classmethod
    def of(cls, each: Difference) -> Self:
        return cls(busy=each.busy, start=rfc3339(each.start), end=rfc3339(each.end))


class CalendarAnswer(Model):
    """`blocks`: the resources whose time its events close. `destination_for`: those whose bookings are written to it. `watched`: Google tells of changes."""

    id: str
    connection: str
    google_id: str
    summary: str
    primary: bool
    role: str
    can_write: bool
    time_zone: str
    blocks: list[str]
    destination_for: list[str]
    state: Literal["active", "gone"]
    watched: bool
    watchable: bool
    watched_until: Instant | None = None
    last_success_at: Instant | None = None
    last_change_at: Instant | None = None
    lag_ms: int | None = None
    missing_since: Instant | None = None
    last_error: str | None = None
    trouble: str | None = None
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
                "blocks": list(calendar.resources),
                "watched": channel is not None and channel.resource is not None,
                "watched_until": None if channel is None else moment(channel.expires_at),
                "last_success_at": moment(calendar.last_success_at),
                "last_change_at": moment(calendar.last_change_at),
                "missing_since": moment(calendar.missing_since),
                "trouble": trouble_of_calendar(calendar),
                "next_poll_at": moment(calendar.next_poll_at),
                "audited_at": moment(calendar.audited_at),
                "drift": [DifferenceAnswer.of(each) for each in calendar.drift],
            }
        )


class CalendarList(Model):
    calendars: list[CalendarAnswer]


class ConnectionListed(ConnectionAnswer):
    """`for_clients`: empty, where clients notice nothing."""

    for_clients: list[MeaningAnswer]

    @classmethod
    def seen(cls, connection: Connection, meanings: tuple[Meaning, ...]) -> "ConnectionListed":
        return cls(**_connection(connection), for_clients=_about(connection, meanings))


class ConnectionList(Model):
    connections: list[ConnectionListed]


class ReviewedConnection(ConnectionListed):
    calendars: list[CalendarAnswer]

    @classmethod
    def reviewed(
        cls, connection: Connection, calendars: list[Calendar], meanings: tuple[Meaning, ...]
    ) -> "ReviewedConnection":
        return cls(
            **_connection(connection),
            for_clients=_about(connection, meanings),
            calendars=[CalendarAnswer.of(each) for each in calendars],
        )


class DisconnectQuery(Request):
    """`events`: what becomes of those of bookings that lie ahead in Google Calendar."""

    events: Events | None = None


class DisconnectedAnswer(Model):
    """What follows, in words, and by id: the resources that no calendar closes time of any more, and those whose bookings are written to none."""

    id: str
    email: str
    state: ConnectionStatus
    events: Events | None = None
    events_ahead: int
    without_calendar: list[str]
    without_destination: list[str]
    follows: list[str]

    @classmethod
    def of(cls, ended: Disconnected, ahead: int) -> "DisconnectedAnswer":
        connection = ended.connection
        return cls(
            id=connection.id,
            email=connection.email,
            state=connection.status,
            events=None if connection.ending is None else connection.ending.events,
            events_ahead=ahead,
            without_calendar=[each.id for each in ended.blocked if not each.blocked_by],
            without_destination=[each.id for each in ended.received],
            follows=list(in_words(ended, ahead)),
        )


def _connection(connection: Connection) -> dict[str, object]:
    return {
        "id": connection.id,
        "email": connection.email,
        "state": connection.status,
        "since": rfc3339_millis(connection.connected_at),
        "scopes": list(connection.scopes),
        "permissions": [PermissionAnswer.of(each) for each in permissions_of(connection.scopes)],
        "missing_permissions": [PermissionAnswer.of(each) for each in missing_permissions(connection.scopes)],
        "lost_at": moment(connection.lost_at),
        "loss": LossAnswer.of(connection),
        "grant_expires_at": moment(connection.grant_expires_at),
        "probed_at": moment(connection.probed_at),
        "last_success_at": moment(connection.last_success_at),
        "last_error": connection.last_error,
        "trouble": trouble_of_connection(connection),
        "ending": None if connection.ending is None else EndingAnswer.of(connection.ending),
    }


def _about(connection: Connection, meanings: tuple[Meaning, ...]) -> list[MeaningAnswer]:
    return [MeaningAnswer.of(each) for each in meanings if each.connection == connection.id]
