"""Disconnect: what is left to do when an operator has ended a connection (see `domain.disconnecting`): events, channels, what we knew, and the access itself.

Each step looks at what is there and makes it right, so coming again is harmless, and a long one goes on in another task. What Google refuses for good it is not
asked again; where it gives no answer the task comes again, until it had time enough. Then the events stay where they are, and all else is done: channels are
stopped and the access is given back if Google lets us now, because afterwards nobody could (case 84).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from functions.adapters import oauth
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import AccessLost, Forbidden, GoogleError, OurMistake, Unavailable, UsageLimit
from functions.adapters.oauth import OAuthUnavailable
from functions.adapters.store import across_accounts, queries
from functions.adapters.store.documents import mirror_ref
from functions.adapters.store.store import Reader
from functions.adapters.vault import CannotOpen
from functions.domain.calendar import Calendar, Connection, Ending
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.disconnecting import asks_google, finish, grant_after
from functions.domain.instants import MINUTE_MS, minute_of_millis
from functions.domain.ledger import LedgerChange
from functions.domain.pacing import WritePause
from functions.domain.session import GoogleCopy, Session
from functions.sync.parting import part_session
from functions.sync.turns import Turn, TurnOver
from functions.sync.work import TryLater, Work
from functions.sync.writing import delete_event, write_copy

log = logging.getLogger(__name__)

SLICE = 250
ENOUGH_FAILURES = 3  # of Google in a row: it need not be asked for the rest before the next time


@dataclass(frozen=True, kw_only=True)
class _Task:
    """`google`: None where it is not asked (any more). `patient`: what it does not do now is asked of it again."""

    work: Work
    connection: Connection
    ending: Ending
    calendars: Mapping[str, Calendar]
    google: GoogleCalendar | None
    patient: bool
    turn: Turn

    def step(self) -> None:
        self.turn.step(self.work.now())


def disconnect(work: Work) -> None:
    """Ends what the subject connection was. Raises `GoogleError` where Google gave no answer."""
    connection = work.store.get(work.account, Ref(Connection, work.subject))
    if connection is None or connection.ending is None:
        return
    google = None
    with suppress(AccessLost):
        google = None if connection.ending.alone else work.opened(connection)
    calendars = {each.id: each for each in queries.calendars_of(work.store, work.account, connection.id)}
    task = _Task(
        work=work,
        connection=connection,
        ending=connection.ending,
        calendars=calendars,
        google=google,
        patient=asks_google(connection.ending, work.now()),
        turn=Turn.of(work),
    )
    try:
        _do(task)
    except TurnOver:
        again = (Effect(kind="disconnect", subject=work.subject),)
        work.store.run(work.account, lambda reader: Decision(answer=None, effects=again))
    except GoogleError as error:
        _note(work, error.reason)
        raise


def _do(task: _Task) -> None:
    _forget_events(task)
    try:
        _part_sessions(task)
        _stop_channels(task)
    except AccessLost:
        task = replace(task, google=None)
        _part_sessions(task)
    _forget_events(task)  # those, too, that somebody was about to write when all began
    given_back = _give_back(task)
    left = _events_left(task)
    _forget_calendars(task)
    task.work.store.run(
        task.work.account, lambda reader: _finished(reader, task, events_left=left, given_back=given_back)
    )


def _finished(reader: Reader, task: _Task, *, events_left: int, given_back: bool) -> Decision[None]:
    connection = reader.get(Ref(Connection, task.connection.id))
    if connection is None or connection.ending is None:
        return Decision(answer=None)
    return finish(connection, events_left=events_left, given_back=given_back)


def _events_left(task: _Task) -> int:
    now = minute_of_millis(task.work.now())
    ahead = queries.sessions_from(task.work.store, task.work.account, now)
    return sum(1 for session in ahead if any(copy.out_of_reach for copy in _all_copies(task, session)))


def _part_sessions(task: _Task) -> None:
    """Every session that has its event in one of the calendars goes on without. One event's trouble does not keep the others from being looked at."""
    failures: list[GoogleError] = []
    for number, session in enumerate(_sessions(task)):
        if number % SLICE == 0:
            task.step()
        try:
            removed = frozenset(_removed(task, session))
        except AccessLost:
            raise
        except GoogleError as error:
            failures.append(error)
            if len(failures) >= ENOUGH_FAILURES:
                break
            continue
        part_session(task.work, session.id, task.calendars.keys(), removed=removed)
    if failures:
        raise failures[0]


def _sessions(task: _Task) -> Iterator[Session]:
    now = minute_of_millis(task.work.now())
    for session in queries.sessions_with_copies(task.work.store, task.work.account, now):
        if _copies(task, session):
            yield session


def _copies(task: _Task, session: Session) -> list[GoogleCopy]:
    return [copy for copy in _all_copies(task, session) if not copy.out_of_reach]


def _all_copies(task: _Task, session: Session) -> list[GoogleCopy]:
    return [copy for name, copy in session.copies.items() if name in task.calendars]


def _removed(task: _Task, session: Session) -> Iterator[str]:
    """The calendars in which its event is no more, having been deleted where it should be. One that stays is brought up to date once more."""
    if task.google is None or not task.patient or session.end * MINUTE_MS <= task.work.now():
        return
    for copy in _copies(task, session):
        calendar = task.calendars[copy.calendar]
        unwanted = task.ending.events == "remove" or session.status == "cancelled" or copy.leaving is not None
        if copy.left_alone or (unwanted and not copy.told):
            continue
        try:
            if unwanted:
                delete_event(task.google, calendar, copy)
                yield calendar.id
            elif copy.written < session.version:
                write_copy(replace(task.work, subject=session.id), task.google, calendar)
        except (Forbidden, OurMistake, TryLater) as error:
            log.info("the event of session %s stays as it is: %s", session.id, error)
        except UsageLimit as error:
            if unwanted:
                raise
            log.info("the event of session %s stays as it is: %s", session.id, error.reason)


def _stop_channels(task: _Task) -> None:
    for calendar in task.calendars.values():
        channel = calendar.channel
        if task.google is None or channel is None or channel.resource is None:
            continue
        try:
            task.google.stop(channel=channel.id, resource=channel.resource)
        except AccessLost:
            raise
        except GoogleError as error:
            if task.patient and isinstance(error, Unavailable):
                raise
            log.info("a channel could not be stopped: %s", error.reason)  # it ends by itself (case 33)


def _forget_events(task: _Task) -> None:
    """The mirrors, and their blocks in the ledgers, which count for nothing since the connection was ended."""
    work = task.work
    for calendar in task.calendars:
        while _forget_slice(task, calendar):
            pass
    for resource in queries.all_of(work.store, work.account, Resource):
        _forget_blocks(task, resource.id)


def _forget_slice(task: _Task, calendar: str) -> int:
    task.step()

    def attempt(reader: Reader) -> Decision[int]:
        rows = queries.rows_after(reader, calendar, None, SLICE)
        return Decision(answer=len(rows), deletions=tuple(mirror_ref(calendar, row.id) for row in rows))

    return task.work.store.run(task.work.account, attempt)


def _forget_blocks(task: _Task, resource: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        months = queries.ledger_months(reader, resource)
        found = ((month.month, frozenset(month.blocks.keys() & task.calendars.keys())) for month in months)
        changes = (LedgerChange(resource=resource, month=month, cleared=cleared) for month, cleared in found if cleared)
        return Decision(answer=None, changes=tuple(changes))

    task.work.store.run(task.work.account, attempt)


def _forget_calendars(task: _Task) -> None:
    for calendar in task.calendars:
        refs = (Ref(Calendar, calendar), Ref(WritePause, calendar))
        forgotten = Decision(answer=None, deletions=refs)
        task.work.store.run(task.work.account, lambda reader: forgotten)  # noqa: B023  called at once


def _give_back(task: _Task) -> bool:
    """Whether Google knows that the access is ended. Where the person's grant is used by another connection, of whatever account, it is only forgotten here.
    Raises `TryLater` as long as others that were ended before need it.
    """
    work, connection = task.work, task.connection
    if task.ending.alone:
        return False
    others = across_accounts.connections_of_person(work.store, connection.subject)
    grant = grant_after((work.account, connection), others, work.now())
    if grant == "awaited":
        raise TryLater("another connection by the same grant is still being ended")
    if grant == "kept":
        return False
    try:
        token = work.application.vault.open(connection.secret, connection=connection.id)
        oauth.revoke(work.application.settings, token=token)
    except CannotOpen:
        return False
    except OAuthUnavailable as error:
        if task.patient:
            raise Unavailable(f"the access could not be given back ({error})") from None
        log.warning("the access could not be given back (%s), and is forgotten", error)
        return False
    return True


def _note(work: Work, reason: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        connection = reader.get(Ref(Connection, work.subject))
        if connection is None or connection.ending is None or connection.ending.error == reason:
            return Decision(answer=None)
        ending = connection.ending.model_copy(update={"error": reason})
        return Decision(answer=None, documents=(connection.model_copy(update={"ending": ending}),))

    work.store.run(work.account, attempt)
