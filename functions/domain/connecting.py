"""A connection to a Google account: made, lost, and regained in place.

The account is whoever Google says it is (its `subject`), never an address, which may change hands (case 82). Regained, a connection keeps its id, and
so its calendars, their cursors and channels: what happened meanwhile is caught up with, not begun anew (case 83).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Author, Decision, Effect, HistoryEntry, in_one_commit
from functions.domain.disconnecting import go_on_alone
from functions.domain.instants import Millis
from functions.domain.loss import loss_by, reminders
from functions.domain.transitions import CONNECTION, step


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What a person has granted us. `secret`: the refresh token, sealed for the connection that it is for. `grant_expires_at`: None of what has no end."""

    subject: str
    email: str
    scopes: tuple[str, ...]
    secret: str
    granted_at: Millis
    grant_expires_at: Millis | None = None


def connect(
    connection_id: str, granted: Granted, *, former: Iterable[Connection] = (), now: Millis, author: Author
) -> Decision[Connection]:
    """`former`: connections to the same account that were ended, and whose end is not done at Google yet."""
    connection = Connection(id=connection_id, status="active", connected_at=now, **vars(granted))
    entry = HistoryEntry(
        what="connection.made",
        author=author,
        after={"connection": connection.id, "email": connection.email, "scopes": list(connection.scopes)},
    )
    effects = (Effect(kind="discover", subject=connection.id),)
    made = Decision(answer=connection, documents=(connection,), history=(entry,), effects=effects)
    return in_one_commit((*map(go_on_alone, former), made), connection)


def lose(connection: Connection, word: str, *, left: tuple[str, ...] | None = None, now: Millis) -> Decision[None]:
    """Access has ended with this word of Google's. Who looks after it is told now, and in some days again unless it is mended.

    A connection that is lost already is the same loss, though the reason may have become another one. `left`: the scopes that are still granted, where Google
    says so: what then is missing can be named.
    """
    loss = loss_by(word, connection, now=now)
    known = connection.status == "needs_reconnect"
    scopes = connection.scopes if left is None else left
    if connection.status == "disconnected" or (known and (connection.loss, connection.scopes) == (loss, scopes)):
        return Decision(answer=None)
    since = connection.lost_at if known and connection.lost_at is not None else now
    lost = connection.model_copy(
        update={
            "status": step(CONNECTION, connection.status, "lose"),
            "lost_at": since,
            "loss": loss,
            "scopes": scopes,
            "last_error": word,
        }
    )
    entry = HistoryEntry(
        what="connection.lost",
        author=Author(kind="google"),
        why=str(loss),
        before={"status": connection.status} | ({"loss": connection.loss and str(connection.loss)} if known else {}),
        after={"status": lost.status, "connection": connection.id},
    )
    told = () if known else reminders(connection.id, lost_at=since)
    return Decision(answer=None, documents=(lost,), history=(entry,), effects=told)


def regain(
    connection: Connection,
    calendars: Iterable[Calendar],
    *,
    granted: Granted | None,
    scopes: tuple[str, ...] = (),
    author: Author,
) -> Decision[Connection]:
    """Access is back: by what was `granted` anew, or because the old grant is good again (None), with these `scopes` where Google says so.

    `calendars`: those of the connection. Each that is in use is pulled and watched at once, and what waits to be written to it, or deleted there, is pushed.
    """
    regained = connection.model_copy(
        update={
            "status": step(CONNECTION, connection.status, "reconnect"),
            "lost_at": None,
            "loss": None,
            "last_error": None,
            **({"scopes": scopes or connection.scopes} if granted is None else vars(granted)),
        }
    )
    entry = HistoryEntry(
        what="connection.regained",
        author=author,
        before={"status": connection.status},
        after={"status": regained.status, "connection": connection.id, "email": regained.email},
    )
    calendars = tuple(calendars)
    used = [calendar for calendar in calendars if calendar.in_use]
    effects = (
        *(Effect(kind="pull", subject=calendar.id) for calendar in used),
        *(Effect(kind="watch", subject=calendar.id) for calendar in used),
        *(
            Effect(kind="copies", subject=calendar.id)
            for calendar in calendars
            if calendar.in_use or (calendar.state == "active" and calendar.formerly_for)
        ),
    )
    # A grant that is new may reach other calendars.
    discovery = () if granted is None else (Effect(kind="discover", subject=connection.id),)
    return Decision(answer=regained, documents=(regained,), history=(entry,), effects=(*discovery, *effects))
