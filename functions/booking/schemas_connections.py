"""What operators see of connections: who granted access, what it covers, how its calendars are, and what that means for clients."""

from typing import Literal

from functions.booking.fields import Request
from functions.booking.health import calendar_view, loss_view
from functions.domain.bookability import Meaning, What, trouble_of_calendar, trouble_of_connection
from functions.domain.calendar import Calendar, Connection, Ending
from functions.domain.disconnecting import Disconnected, Events, in_words
from functions.domain.instants import Millis, rfc3339_millis
from functions.domain.loss import Loss
from functions.domain.model import Model
from functions.domain.scopes import GooglePermission, missing_permissions, permissions_of
from functions.domain.transitions import ConnectionStatus


class ConsentAnswer(Model):
    """Where the person goes who grants access, until `expires_at`. `id`: of the connection that comes of it, unless they have one already."""

    id: str
    consent_url: str
    expires_at: str


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


class EndingAnswer(Model):
    """What an operator has ended, and Google has not done its part for yet. `events`: what becomes of those that lie ahead."""

    events: Events
    since: str
    trouble: str | None = None

    @classmethod
    def of(cls, ending: Ending) -> "EndingAnswer":
        trouble = (
            None if ending.error is None else f"Google has not done its part yet ({ending.error}); it is asked again."
        )
        return cls(events=ending.events, since=rfc3339_millis(ending.since), trouble=trouble)


class ConnectionAnswer(Model):
    """`last_error`: Google's own word; `trouble` says the same for people. `since`: when the account was connected. `ending`: it was disconnected, and not all
    of that is done.
    """

    id: str
    email: str
    state: ConnectionStatus
    since: str
    scopes: list[str]
    permissions: list[PermissionAnswer]
    missing_permissions: list[PermissionAnswer]
    lost_at: str | None = None
    loss: LossAnswer | None = None
    grant_expires_at: str | None = None
    probed_at: str | None = None
    last_success_at: str | None = None
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
    since: str | None = None
    at: str | None = None
    text: str

    @classmethod
    def of(cls, meaning: Meaning) -> "MeaningAnswer":
        return cls(
            what=meaning.what,
            resource=meaning.resource,
            services=list(meaning.services),
            calendar=meaning.calendar,
            since=_moment(meaning.since),
            at=_moment(meaning.at),
            text=meaning.text,
        )


class DifferenceAnswer(Model):
    """Time that Google and the bookings do not agree about."""

    busy: Literal["only_in_google", "only_here"]
    start: str
    end: str


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
    watched_until: str | None = None
    last_success_at: str | None = None
    last_change_at: str | None = None
    lag_ms: int | None = None
    missing_since: str | None = None
    last_error: str | None = None
    trouble: str | None = None
    next_poll_at: str | None = None
    audited_at: str | None = None
    drift_minutes: int | None = None
    drift: list[DifferenceAnswer]
    audit_error: str | None = None

    @classmethod
    def of(cls, calendar: Calendar) -> "CalendarAnswer":
        return cls.model_validate(calendar_view(calendar) | {"trouble": trouble_of_calendar(calendar)})


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
        "lost_at": _moment(connection.lost_at),
        "loss": loss_view(connection),
        "grant_expires_at": _moment(connection.grant_expires_at),
        "probed_at": _moment(connection.probed_at),
        "last_success_at": _moment(connection.last_success_at),
        "last_error": connection.last_error,
        "trouble": trouble_of_connection(connection),
        "ending": None if connection.ending is None else EndingAnswer.of(connection.ending),
    }


def _about(connection: Connection, meanings: tuple[Meaning, ...]) -> list[MeaningAnswer]:
    return [MeaningAnswer.of(each) for each in meanings if each.connection == connection.id]


def _moment(millis: Millis | None) -> str | None:
    return None if millis is None else rfc3339_millis(millis)
