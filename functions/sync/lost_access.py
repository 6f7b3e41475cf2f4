"""A connection whose grant is gone: only a person can mend it. Told apart from network trouble by `AccessLost` alone (case 80)."""

from functions.adapters.store.store import Reader
from functions.domain.calendar import Connection
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.transitions import CONNECTION, step
from functions.sync.work import Work


def lose_connection(work: Work, connection_id: str, reason: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, connection_id))
        if connection is None or connection.status != "active":
            return Decision(answer=None)
        lost = connection.model_copy(
            update={
                "status": step(CONNECTION, connection.status, "lose"),
                "lost_at": work.now(),
                "last_error": reason,
            }
        )
        entry = HistoryEntry(
            what="connection.lost",
            author=Author(kind="google"),
            why=reason,
            before={"status": connection.status},
            after={"status": lost.status, "connection": connection.id},
        )
        return Decision(answer=None, documents=(lost,), history=(entry,))

    work.store.run(work.account, attempt)
