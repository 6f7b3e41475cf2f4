"""Push: a session → its event in each destination calendar.

Reads the present state and makes Google match it (law 4). One calendar's trouble does not keep another one from being written (case 68).
"""

import logging

from functions.adapters.google_errors import AccessLost, Forbidden, GoogleError, OurMistake, UsageLimit
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Ref
from functions.domain.session import Session
from functions.sync.lost_access import lose_connection
from functions.sync.work import TryLater, Work
from functions.sync.writing import write_copy

log = logging.getLogger(__name__)


def push(work: Work) -> None:
    """Brings every pending copy of the subject session up to date. Raises `GoogleError` or `TryLater` where one has to wait."""
    session = work.store.get(work.account, Ref(Session, work.subject))
    failed: list[GoogleError | TryLater] = []
    for calendar_id in session.copies if session else ():
        try:
            _push_copy(work, calendar_id)
        except (GoogleError, TryLater) as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _push_copy(work: Work, calendar_id: str) -> None:
    calendar = work.store.get(work.account, Ref(Calendar, calendar_id))
    if calendar is None:
        return
    try:
        write_copy(work, work.google(calendar.connection), calendar)
    except AccessLost as error:
        # It waits visibly as pending; the reconnect pushes again.
        _note_error(work, calendar_id, error)
        if error.reason != "not_connected":
            lose_connection(work, calendar.connection, error.reason)
    except (Forbidden, OurMistake) as error:
        # Coming again would not help before a person has changed something; the outbox record goes, the error stays on the booking.
        log.error("Google refuses a write for session %s: %s", work.subject, error.reason)
        _note_error(work, calendar_id, error)
    except UsageLimit as error:
        _note_error(work, calendar_id, error)
        raise


def _note_error(work: Work, calendar_id: str, error: GoogleError) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar_id) if session else None
        if session is None or copy is None or copy.error == error.reason:
            return Decision(answer=None)
        noted = session.with_copy(copy.model_copy(update={"error": error.reason, "error_since": work.now()}))
        return Decision(answer=None, documents=(noted,))

    work.store.run(work.account, attempt)
