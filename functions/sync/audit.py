"""Audit: Google's own free/busy answer against our ledgers, for one calendar (see `domain.drift`).

A difference may only mean that a change is on its way: so the calendar is pulled first and compared again, and what still differs, in the same minutes, is
drift. It is kept with the calendar, goes into the history, makes the calendar be listed in full, and is looked at once more after that. What can't be
compared is unknown, and says so (case 157); the last result stays.
"""

import logging
from dataclasses import replace

from functions.adapters.google_errors import AccessLost, Forbidden, GoogleError, Missing, OurMistake
from functions.adapters.store.documents import ledger_ref, mirror_ref
from functions.adapters.store.queries import family_rows, sessions_with_pending_copies, spared_rows
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.decision import Author, Decision, Effect, HistoryEntry, Ref
from functions.domain.drift import (
    Drift,
    Taken,
    blocked_for_more,
    compare,
    keys_behind,
    own_events,
    questions,
    spared_time,
)
from functions.domain.google_event import MirrorEvent
from functions.domain.instants import minute_of_millis, months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerMonth
from functions.domain.session import Session
from functions.sync.lost_access import lose_connection
from functions.sync.pull import pull
from functions.sync.work import TryLater, Work

log = logging.getLogger(__name__)

AFTER_RELIST = "after_relist"
RELISTED_AFTER_MS = 30_000
RULE = Author(kind="rule", name="audit")
READ_AT_ONCE = 300
MOST_PENDING = 1_000
MOST_KEYS = 20


def audit(work: Work) -> None:
    """Compares the subject calendar with Google. Raises `GoogleError` or `TryLater` where it has to come again."""
    calendar = _calendar(work)
    if calendar is None or not calendar.in_use:
        return
    try:
        _audit(work, calendar)
    except AccessLost as error:
        _note_unknown(work, "Google can't be asked: the connection is lost. Reconnect the account.")
        lose_connection(work, calendar.connection, error)
    except (Missing, Forbidden, OurMistake) as error:
        _note_unknown(work, f"Google does not say what is busy in this calendar ({error.reason}).")
    except GoogleError as error:
        _note_unknown(work, f"Google could not be asked ({error.reason}); it is tried again.")
        raise
    except TryLater:
        _note_unknown(work, "The calendar is being read; it is compared afterwards.")
        raise


def _audit(work: Work, calendar: Calendar) -> None:
    work.google(calendar.connection)  # without a connection nothing can be asked
    drift = _compared(work, calendar if calendar.laid_out else _pulled(work))
    if drift:
        drift = drift.still(_compared(work, _pulled(work, since=work.now())))
    _keep(work, drift)


def _pulled(work: Work, *, since: int = 0) -> Calendar:
    """The calendar, pulled after `since`. Raises `TryLater` where another worker is at it."""
    pull(work)
    calendar = _calendar(work)
    if calendar is None or not calendar.laid_out or (calendar.last_success_at or 0) < since:
        raise TryLater("another worker reads the calendar")
    return calendar


def _calendar(work: Work) -> Calendar | None:
    return work.store.get(work.account, Ref(Calendar, work.subject))


def _compared(work: Work, calendar: Calendar) -> Drift:
    """From the next minute on, to where the ledgers of all its resources are laid out."""
    google = work.google(calendar.connection)
    within = Interval(minute_of_millis(work.now()), min((calendar.horizon, *calendar.projected.values())))
    busy = [each for part in questions(within) for each in google.busy(calendar.google_id, part)]
    reader = work.store.reader(work.account)
    ledgers = _ledgers(reader, calendar, within)
    sessions = _sessions(work, reader, ledgers, within)
    rows = _own_rows(reader, calendar, sessions)
    own = own_events(calendar.id, sessions, rows, calendar_zone=calendar.time_zone)
    taken = {resource: Taken.of(ledgers[resource], calendar.id, work.now()) for resource in calendar.resources}
    drift = compare(busy, taken.values(), own, within=within)
    if drift.only_in_google:  # by invitations to sessions of ours, perhaps
        spared = (_with_spared(reader, calendar, resource, taken[resource]) for resource in taken)
        drift = compare(busy, spared, own, within=within)
    months = [month for resource in calendar.resources for month in ledgers[resource]]
    return _without_what_is_blocked_for_more(reader, calendar, drift, months, within)


def _ledgers(reader: Reader, calendar: Calendar, within: Interval) -> dict[str, list[LedgerMonth]]:
    """By resource: those that it blocks, and those whose sessions are written to it."""
    refs = {
        resource: [ledger_ref(resource, month) for month in months_between(*within)]
        for resource in {*calendar.resources, *calendar.destination_for}
    }
    reader.load(*(ref for each in refs.values() for ref in each))
    return {
        resource: [month for ref in each if (month := reader.get(ref)) is not None] for resource, each in refs.items()
    }


def _sessions(work: Work, reader: Reader, ledgers: dict[str, list[LedgerMonth]], within: Interval) -> list[Session]:
    """Those that are still to be, and those of which Google has not been told all."""
    ahead = {
        entry.session
        for months in ledgers.values()
        for month in months
        for entry in month.sessions.values()
        if entry.end > within.start
    }
    pending = {each.id for each in sessions_with_pending_copies(work.store, work.account, MOST_PENDING)}
    refs = [Ref(Session, name) for name in sorted(ahead | pending)]
    for start in range(0, len(refs), READ_AT_ONCE):
        reader.load(*refs[start : start + READ_AT_ONCE])
    return [session for ref in refs if (session := reader.get(ref)) is not None]


def _own_rows(reader: Reader, calendar: Calendar, sessions: list[Session]) -> dict[str, MirrorEvent]:
    events = [copy.event for session in sessions if (copy := session.copies.get(calendar.id)) is not None]
    refs = {event: mirror_ref(calendar.id, event) for event in events}
    wanted = list(refs.values())
    for start in range(0, len(wanted), READ_AT_ONCE):
        reader.load(*wanted[start : start + READ_AT_ONCE])
    return {event: row for event, ref in refs.items() if (row := reader.get(ref)) is not None}


def _with_spared(reader: Reader, calendar: Calendar, resource: str, taken: Taken) -> Taken:
    rows = spared_rows(reader, calendar.id, resource)
    return replace(taken, spared=spared_time(rows, calendar_zone=calendar.time_zone))


def _without_what_is_blocked_for_more(
    reader: Reader, calendar: Calendar, drift: Drift, months: list[LedgerMonth], within: Interval
) -> Drift:
    for key in keys_behind(drift, months, calendar.id)[:MOST_KEYS]:
        blocks = [block for month in months for block in month.blocks.get(calendar.id, {}).get(key, ())]
        family = family_rows(reader, calendar.id, key)
        drift = drift.without(blocked_for_more(family, blocks, calendar_zone=calendar.time_zone, within=within))
    return drift


def _keep(work: Work, drift: Drift) -> None:
    """The result, with the calendar. Where there is drift, everything that follows from it in the same commit."""

    def attempt(reader: Reader) -> Decision[None]:
        before = reader.get(Ref(Calendar, work.subject))
        if before is None:
            return Decision(answer=None)
        found = {"drift_minutes": drift.minutes, "drift": drift.examples}
        audited = before.model_copy(update={**found, "audited_at": work.now(), "audit_error": None})
        decision: Decision[None] = Decision(answer=None, documents=(audited,))
        if drift:
            decision = replace(decision, history=(_drifted(work, before, audited),))
        elif before.drift_minutes:
            decision = replace(decision, history=(_in_step(before),))
        if drift and work.about != AFTER_RELIST:
            decision = replace(
                decision, documents=(audited.model_copy(update={"relist": True}),), effects=_consequences(work)
            )
        return decision

    work.store.run(work.account, attempt)
    if drift:
        log.error("calendar %s of %s differs from Google by %s minutes", work.subject, work.account, drift.minutes)


def _consequences(work: Work) -> tuple[Effect, ...]:
    return (
        Effect(kind="pull", subject=work.subject),
        Effect(kind="audit", subject=work.subject, about=AFTER_RELIST, not_before=work.now() + RELISTED_AFTER_MS),
        Effect(kind="notify", subject=work.subject, about="calendar_drifted"),
    )


def _drifted(work: Work, before: Calendar, audited: Calendar) -> HistoryEntry:
    return HistoryEntry(
        what="calendar.drifted",
        author=RULE,
        calendar=before.id,
        why="it still differs after it was listed in full" if work.about == AFTER_RELIST else None,
        before={"drift_minutes": before.drift_minutes or 0},
        after={
            "drift_minutes": audited.drift_minutes,
            "drift": [each.model_dump(mode="json") for each in audited.drift],
        },
    )


def _in_step(before: Calendar) -> HistoryEntry:
    return HistoryEntry(
        what="calendar.in_step",
        author=RULE,
        calendar=before.id,
        before={"drift_minutes": before.drift_minutes},
        after={"drift_minutes": 0},
    )


def _note_unknown(work: Work, why: str) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        if calendar is None or calendar.audit_error == why:
            return Decision(answer=None)
        return Decision(answer=None, documents=(calendar.model_copy(update={"audit_error": why}),))

    work.store.run(work.account, attempt)
