"""Copies: the sessions that have their event in a calendar, or had it there, follow what has become of it.

Where we may write to it (again), what waits is pushed: a push that could not go through left no task behind, only the pending copy (cases 75, 80 and 83).
Where the calendar is gone, the operator sees that on each booking that had its event there; no booking is cancelled (case 72).
"""

from functions.adapters.store.queries import sessions_with_copies
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.calendar_access import GONE
from functions.domain.decision import Decision, Ref
from functions.domain.instants import MINUTE_MS, minute_of_millis
from functions.domain.session import GoogleCopy, Session
from functions.sync.left_events import look_for
from functions.sync.work import TryLater, Work


def copies(work: Work) -> None:
    """Twice is harmless: a note is written once, and a push writes only what is pending. Raises `TryLater` where what was left there has to be looked for
    once more; what needs no look is done all the same.
    """
    calendar = work.store.get(work.account, Ref(Calendar, work.subject))
    if calendar is None:
        return
    later: TryLater | None = None
    for session in sessions_with_copies(work.store, work.account, minute_of_millis(work.now())):
        if calendar.id not in session.copies:
            continue  # of any resource: an event may have been moved here from the calendar of another one (case 113)
        ahead = session.status == "open" and session.end * MINUTE_MS > work.now()
        copy = session.copies[calendar.id]
        if calendar.state == "gone":
            if ahead or copy.leaving is not None:
                _note(work, session.id, GONE)
            continue
        if copy.out_of_reach:
            try:
                if later is None:  # Google need not be asked for the rest before this task comes again
                    look_for(work, calendar, session)
            except TryLater as error:
                later = error
            continue
        if copy.error == GONE:
            copy = _note(work, session.id, None) or copy
        if session.is_behind(copy):
            _push(work, session)
    if later is not None:
        raise later


def _note(work: Work, session_id: str, error: str | None) -> GoogleCopy | None:
    """The copy as it is then; None where there was nothing to note. What was to leave a calendar has left one that is gone, and not one that is there."""

    def attempt(reader: Reader) -> Decision[GoogleCopy | None]:
        session = reader.get(Ref(Session, session_id))
        copy = None if session is None else session.copies.get(work.subject)
        if session is None or copy is None or copy.error == error:
            return Decision(answer=None)
        update = {"error": error, "error_since": None if error is None else work.now()}
        leaves = {} if copy.leaving is None else {"gone": error is not None}
        noted = copy.model_copy(update=update | leaves)
        return Decision(answer=noted, documents=(session.with_copy(noted),))

    return work.store.run(work.account, attempt)


def _push(work: Work, session: Session) -> None:
    # Named by what asked for it: should this task come twice, the pushes do not; what asks later is answered anew.
    name = f"{work.account}/{session.id}/copies/{work.outbox}"
    body = {"account": work.account, "subject": session.id}
    work.application.tasks.create(Task(kind="push", name=name, body=body))
