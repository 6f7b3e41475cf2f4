"""A connection whose grant is gone, or good again. Told apart from network trouble by `AccessLost` alone (case 80)."""

import hmac

from functions.adapters.google_errors import AccessLost
from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.domain.calendar import Connection
from functions.domain.connecting import lose, regain
from functions.domain.decision import Author, Decision, Ref
from functions.sync.work import TryLater, Work


def lose_connection(work: Work, connection_id: str, error: AccessLost) -> None:
    """Raises `TryLater` where the account has been connected anew since: what failed was the old grant, and the new one may do."""
    grant = error.grant
    if grant is None:
        return  # it was lost, or ended, before

    def attempt(reader: Reader) -> Decision[bool]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None:
            return Decision(answer=True)
        if not hmac.compare_digest(connection.secret, grant):
            return Decision(answer=connection.status != "active")
        return lose(connection, error.reason, left=error.left, now=work.now()).with_answer(True)

    if not work.store.run(work.account, attempt):
        raise TryLater("the access was granted anew meanwhile")


def regain_connection(work: Work, connection_id: str, scopes: tuple[str, ...]) -> None:
    """Google answered to the grant that we have, which has these scopes: where it was given up, it is taken up again."""

    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None or connection.status != "needs_reconnect":
            return Decision(answer=None)
        calendars = queries.calendars_of(work.store, work.account, connection_id)
        return regain(connection, calendars, granted=None, scopes=scopes, author=Author(kind="google")).with_answer(
            None
        )

    work.store.run(work.account, attempt)
