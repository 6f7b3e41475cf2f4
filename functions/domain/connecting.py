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
from functions.domain.transitions import CONNECTION, step

# Google's words for what only the person themselves can undo, by granting once more.
ONLY_BY_GRANT = frozenset({"invalid_grant", "insufficientPermissions"})


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What a person has granted us. `secret`: the refresh token, sealed for the connection that it is for."""

    subject: str
    email: str
    scopes: tuple[str, ...]
    secret: str


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


def lose(connection: Connection, reason: str, *, now: Millis) -> Decision[None]:
    """Nobody but a person can mend it. Once: a connection that is lost already stays as it is."""
    if connection.status != "active":
        return Decision(answer=None)
    lost = connection.model_copy(
        update={"status": step(CONNECTION, connection.status, "lose"), "lost_at": now, "last_error": reason}
    )
    entry = HistoryEntry(
        what="connection.lost",
        author=Author(kind="google"),
        why=reason,
        before={"status": connection.status},
        after={"status": lost.status, "connection": connection.id},
    )
    return Decision(answer=None, documents=(lost,), history=(entry,))


def may_mend_itself(connection: Connection) -> bool:
    """Whether a lost connection may be good again without a new grant: an administrator can bring back whom they had suspended (case 85)."""
    return connection.status == "needs_reconnect" and connection.last_error not in ONLY_BY_GRANT


def regain(
    connection: Connection, calendars: Iterable[Calendar], *, granted: Granted | None, author: Author
) -> Decision[Connection]:
    """Access is back: by what was `granted` anew, or because the old grant is good again (None).

    `calendars`: those of the connection. Each that is in use is pulled and watched at once, and what waits to be written to it is pushed.
    """
    regained = connection.model_copy(
        update={
            "status": step(CONNECTION, connection.status, "reconnect"),
            "lost_at": None,
            "last_error": None,
            **({} if granted is None else vars(granted)),
        }
    )
    entry = HistoryEntry(
        what="connection.regained",
        author=author,
        before={"status": connection.status},
        after={"status": regained.status, "connection": connection.id, "email": regained.email},
    )
    used = [calendar for calendar in calendars if calendar.in_use]
    effects = (
        *(Effect(kind="pull", subject=calendar.id) for calendar in used),
        *(Effect(kind="watch", subject=calendar.id) for calendar in used),
        *(Effect(kind="copies", subject=calendar.id) for calendar in used if calendar.destination_for),
    )
    # A grant that is new may reach other calendars.
    discovery = () if granted is None else (Effect(kind="discover", subject=connection.id),)
    return Decision(answer=regained, documents=(regained,), history=(entry,), effects=(*discovery, *effects))
