"""Events of ours that Google may hold although no pull has seen them: the mirror knows of them before Google does.

A full list shows no deleted events. So one that its owner deleted before any pull had seen it, and whose deletion came before a full list (the sync token
had expired, say), would be missed for ever, and its session go on without an event. But a sweep asks Google about every row that the list did not bring:
therefore there is a row from the moment an event is asked for.
"""

from functions.adapters.store.documents import mirror_ref
from functions.adapters.store.store import Reader
from functions.domain.decision import Ref
from functions.domain.google_event import MirrorEvent
from functions.domain.session import GoogleCopy, Session

BEFORE_ANY_LIST = 0  # the generation: whichever full list comes next has not brought it


def expected(reader: Reader, session: Session, copy: GoogleCopy) -> tuple[MirrorEvent, ...]:
    """The row of an event that is about to be inserted, for the commit that asks for it; none where there is one already."""
    if copy.base is not None or reader.get(mirror_ref(copy.calendar, copy.event)) is not None:
        return ()
    row = MirrorEvent(
        id=copy.event, calendar=copy.calendar, kind="single", session=session.id, generation=BEFORE_ANY_LIST
    )
    return (row,)


def may_still_arrive(reader: Reader, row: MirrorEvent) -> bool:
    """Whether the event of a row may be on its way in the hands of a worker: then that Google does not know it says nothing."""
    session = reader.get(Ref(Session, row.session or ""))
    copy = session.copies.get(row.calendar) if session else None
    return session is not None and session.status == "open" and copy is not None and copy.base is None
