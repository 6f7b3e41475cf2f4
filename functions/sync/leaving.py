"""A session's event, taken out of a calendar that is no destination of the session's any more.

That we ask for it is committed first: whatever happens to the answer, its end is known as ours.
"""

from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import Forbidden, OurMistake
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.destinations import left
from functions.domain.session import GoogleCopy, Session
from functions.sync.strays import block_where_it_is
from functions.sync.work import Work
from functions.sync.writing import delete_event


def leave(work: Work, google: GoogleCalendar, calendar: Calendar) -> bool:
    """Whether Google took a write for it. Raises `GoogleError`."""
    copy = _ask(work, calendar)
    if copy is None:
        return False
    try:
        was_there = delete_event(google, calendar, copy)
    except (Forbidden, OurMistake):
        _take_back(work, calendar)
        raise
    _confirm(work, calendar, copy)
    if not was_there:  # its owner may have moved it to where we do not delete it (case 113)
        block_where_it_is(work, work.subject, copy.event)
    return True


def _ask(work: Work, calendar: Calendar) -> GoogleCopy | None:
    def attempt(reader: Reader) -> Decision[GoogleCopy | None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar.id) if session else None
        if session is None or copy is None or copy.leaving is None or copy.gone:
            return Decision(answer=None)
        if copy.leaving != "due":
            return Decision(answer=copy)
        asked = copy.model_copy(update={"leaving": "asked"})
        return Decision(answer=asked, documents=(session.with_copy(asked),))

    return work.store.run(work.account, attempt)


def _take_back(work: Work, calendar: Calendar) -> None:
    """Google has refused: the event is there, and if its owner deletes it, that is as good. What is to come back has not left."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar.id) if session else None
        if session is None or copy is None or copy.leaving not in ("asked", "back"):
            return Decision(answer=None)
        refused = copy.model_copy(update={"leaving": "due" if copy.leaving == "asked" else None})
        return Decision(answer=None, documents=(session.with_copy(refused),))

    work.store.run(work.account, attempt)


def _confirm(work: Work, calendar: Calendar, copy: GoogleCopy) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, work.subject))
        known = session.copies.get(calendar.id) if session else None
        if session is None or known is None or known.event != copy.event or known.leaving is None:
            return Decision(answer=None)
        after = left(session, calendar.id)
        again = (Effect(kind="push", subject=session.id),) if known.leaving == "back" else ()
        return Decision(answer=None, documents=(after,), effects=again)

    work.store.run(work.account, attempt)
