"""Push: a session → its event in each destination calendar.

Reads the present state and makes Google match it (law 4). One calendar's trouble does not keep another one from being written (case 68): where Google
wants no writes to one for a while, its copies wait, visibly, and this task comes again then.
"""

import logging
import random
from collections.abc import Callable, Iterable

from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import (
    AccessLost,
    Forbidden,
    GoogleError,
    OurMistake,
    RateLimited,
    Unavailable,
    UsageLimit,
)
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.pacing import WritePause, WriteRefused, next_try_forbidden, pause_writes, resume_writes
from functions.domain.session import GoogleCopy, Session
from functions.sync.leaving import leave
from functions.sync.lost_access import lose_connection
from functions.sync.parting import part_session
from functions.sync.work import TryLater, Work
from functions.sync.writing import write_copy

log = logging.getLogger(__name__)

Write = Callable[[Work, GoogleCalendar, Calendar], bool]


def push(work: Work) -> None:
    """Brings every pending copy of the subject session up to date. Raises `GoogleError` or `TryLater` where one has to wait."""
    session = work.store.get(work.account, Ref(Session, work.subject))
    if session is None:
        return
    behind = [copy for copy in session.copies.values() if session.is_behind(copy)]
    failed = _push_copies(work, write_copy, (copy for copy in behind if copy.leaving is None))
    if any(copy.leaving is not None for copy in behind) and _stands_elsewhere(work):
        failed += _push_copies(work, leave, (copy for copy in behind if copy.leaving is not None))
    if failed:
        raise failed[0]


def _push_copies(work: Work, write: Write, copies: Iterable[GoogleCopy]) -> list[GoogleError | TryLater]:
    failed: list[GoogleError | TryLater] = []
    for copy in copies:
        try:
            _push_copy(work, write, copy.calendar)
        except (GoogleError, TryLater) as error:
            failed.append(error)
    return failed


def _stands_elsewhere(work: Work) -> bool:
    """Whether the session's event is in each calendar that it is to be in, so that it may go from the others: it is never nowhere."""
    session = work.store.get(work.account, Ref(Session, work.subject))
    return session is not None and (
        session.status != "open" or all(copy.base is not None or copy.gone for copy in session.present_copies)
    )


def _push_copy(work: Work, write: Write, calendar_id: str) -> None:
    reader = work.store.reader(work.account)
    reader.load(Ref(Calendar, calendar_id), Ref(WritePause, calendar_id))
    calendar, pause = reader.get(Ref(Calendar, calendar_id)), reader.get(Ref(WritePause, calendar_id))
    if calendar is None:  # forgotten with its connection, after somebody who knew of it had decided
        part_session(work, work.subject, {calendar_id}, removed=frozenset())
        return
    if calendar.state == "gone":
        return  # should it come back, its copies are looked after (`copies`)
    if pause is not None and pause.holds(work.now()):
        _come_again(work, pause)
        return
    try:
        if write(work, work.google(calendar.connection), calendar) and pause is not None:
            _resume(work, calendar_id)
    except (RateLimited, UsageLimit) as error:
        _come_again(work, _pause(work, calendar_id, error))
    except AccessLost as error:
        # It waits visibly as pending; the reconnect pushes again.
        _note_error(work, calendar_id, error.reason)
        lose_connection(work, calendar.connection, error)
    except Forbidden as error:
        log.error("Google refuses a write for session %s: %s", work.subject, error.reason)
        _note_error(work, calendar_id, error.reason)
        if calendar.can_write:
            _come_again_slowly(work, calendar_id)
    except OurMistake as error:
        # Coming again would not help; the outbox record goes, the error stays on the booking.
        log.error("Google refuses a write for session %s: %s", work.subject, error.reason)
        _note_error(work, calendar_id, error.reason)
    except Unavailable as error:
        _note_error(work, calendar_id, error.reason)
        raise


def _pause(work: Work, calendar_id: str, error: RateLimited | UsageLimit) -> WritePause:
    refused = WriteRefused(
        calendar=calendar_id,
        reason=error.reason,
        usage_limit=isinstance(error, UsageLimit),
        retry_after=None if error.retry_after_s is None else int(error.retry_after_s * 1000),
    )
    jitter = random.random()  # noqa: S311  spreads retries, no secret
    return work.store.run(
        work.account,
        lambda reader: pause_writes(reader.get(Ref(WritePause, calendar_id)), refused, now=work.now(), jitter=jitter),
    )


def _resume(work: Work, calendar_id: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        pause = reader.get(Ref(WritePause, calendar_id))
        return Decision(answer=None) if pause is None else resume_writes(pause)

    work.store.run(work.account, attempt)


def _come_again(work: Work, pause: WritePause) -> None:
    """This task is done, and another one is due when the pause is over: a task that fails would come back much sooner, again and again."""
    jitter = random.random()  # noqa: S311  the same
    again = Effect(kind="push", subject=work.subject, not_before=pause.next_try(work.now(), jitter=jitter))
    _note_error(work, pause.id, pause.reason, again)


def _come_again_slowly(work: Work, calendar_id: str) -> None:
    """Google says no, though it had said that we may: our role has changed, or it is this event. Where a pull learns of another role, `copies` pushes;
    but of one that was taken and given back between two pulls nobody hears.
    """
    session = work.store.get(work.account, Ref(Session, work.subject))
    copy = session.copies.get(calendar_id) if session else None
    if session is None or copy is None or copy.error_since is None:
        return
    is_over = session.end * MINUTE_MS <= work.now()
    if is_over and not copy.forgets:  # who is to be forgotten is to be so in what is over, too
        return
    again = next_try_forbidden(copy.error_since, now=work.now())
    # Named by its time, so that however many pushes of this session are refused until then, one comes.
    name = f"{work.account}/{session.id}/forbidden/{calendar_id}/{again}"
    body = {"account": work.account, "subject": session.id}
    work.application.tasks.create(Task(kind="push", name=name, body=body, not_before_ms=again))


def _note_error(work: Work, calendar_id: str, reason: str, *effects: Effect) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, work.subject))
        copy = session.copies.get(calendar_id) if session else None
        if session is None or copy is None or copy.error == reason:
            return Decision(answer=None, effects=effects)
        if not session.is_behind(copy):  # any more: another task was faster
            return Decision(answer=None, effects=effects)
        noted = session.with_copy(copy.model_copy(update={"error": reason, "error_since": work.now()}))
        return Decision(answer=None, documents=(noted,), effects=effects)

    work.store.run(work.account, attempt)
