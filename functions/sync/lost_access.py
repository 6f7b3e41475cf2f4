"""A connection whose grant is gone, or good again. Told apart from network trouble by `AccessLost` alone (case 80)."""

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.domain.calendar import Connection
from functions.domain.connecting import lose, may_mend_itself, regain
from functions.domain.decision import Author, Decision, Ref
from functions.sync.work import Work


def lose_connection(work: Work, connection_id: str, reason: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, connection_id))
        return Decision(answer=None) if connection is None else lose(connection, reason, now=work.now())

    work.store.run(work.account, attempt)


def regain_connection(work: Work, connection_id: str) -> None:
    """Google answered to the grant that we have: where it was given up, it is taken up again."""

    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None or not may_mend_itself(connection):
            return Decision(answer=None)
        calendars = queries.calendars_of(work.store, work.account, connection_id)
        return regain(connection, calendars, granted=None, author=Author(kind="google")).with_answer(None)

    work.store.run(work.account, attempt)
