"""A session and events of its that are to be no concern of ours any more: their connection was ended, or their calendar is forgotten."""

from collections.abc import Set

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Ref
from functions.domain.disconnecting import part
from functions.domain.session import Session
from functions.sync.work import Work


def part_session(work: Work, session_id: str, calendars: Set[str], *, removed: frozenset[str]) -> None:
    """The session goes on without its events in these calendars."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_id))
        if session is None:
            return Decision(answer=None)
        reader.load(*ledger_refs_of(session))
        return part(session, calendars, removed=removed)

    work.store.run(work.account, attempt)
