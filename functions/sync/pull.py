"""Pull: Google's change feed → mirror → ledger, for one calendar.

Law 5: a page's effects and the cursor move together, and the cursor moves last. What a crash leaves half done is done again from the same cursor,
which is harmless: rows are replaced by id, blocks computed anew, events of ours compared by content.
"""

import logging
import random
from contextlib import suppress

from functions.adapters.google_calendar import LIST_FINGERPRINT, EventPage, GoogleCalendar
from functions.adapters.google_errors import AccessLost, GoogleError, PageExpired, TokenExpired, Unavailable
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Cursor
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Refusal
from functions.domain.instants import Millis
from functions.sync.leases import (
    Held,
    LeaseLost,
    abandon,
    acquire,
    ask_about_changes,
    held_calendar,
    release,
    renewed,
)
from functions.sync.lost_access import lose_connection
from functions.sync.pages import apply_page, sweep_old_generation
from functions.sync.projection import project_where_needed
from functions.sync.work import Work

log = logging.getLogger(__name__)

POLL_JITTER = 0.25


def pull(work: Work) -> None:
    """Brings the subject calendar up to date. Raises `GoogleError` where it could not, having let go of the lease."""
    held = acquire(work)
    if held is None:
        return
    try:
        while True:
            _catch_up(work, held)
            if release(work, held):
                return
    except LeaseLost:
        log.info("another worker took over calendar %s", held.calendar)
    except AccessLost as error:
        # Only a person can mend it: coming again would not help, so the task counts as done (case 80).
        _let_go(work, held, f"{type(error).__name__}: {error.reason}")
        calendar = work.store.get(work.account, Ref(Calendar, held.calendar))
        if calendar is not None:
            lose_connection(work, calendar.connection, error.reason)
    except GoogleError as error:
        _let_go(work, held, f"{type(error).__name__}: {error.reason}")
        raise
    except Exception as error:
        _let_go(work, held, type(error).__name__)
        raise


def _let_go(work: Work, held: Held, error: str) -> None:
    with suppress(LeaseLost, Refusal):  # contended: the lease then runs out by itself
        abandon(work, held, error)


def _catch_up(work: Work, held: Held) -> None:
    """One pass to the end of the feed."""
    calendar = project_where_needed(work, held)
    google = work.google(calendar.connection)
    at_the_beginning = calendar.cursor.sync_token is None and calendar.cursor.page_token is None
    if calendar.cursor.fingerprint != LIST_FINGERPRINT or at_the_beginning:
        calendar = _begin_full_list(work, held)
    # A list that an earlier pull began says, as its sync token does, how things were then: another one brings what has come since.
    started = None if calendar.cursor.page_token is not None else work.now()
    while True:
        full_list = calendar.cursor.sync_token is None
        try:
            page = google.events_page(
                calendar.google_id, sync_token=calendar.cursor.sync_token, page_token=calendar.cursor.page_token
            )
        except TokenExpired:
            if full_list and calendar.cursor.page_token is None:
                raise Unavailable("fullSyncRequired for a full list") from None  # case 48: not in circles
            calendar, started = _begin_full_list(work, held), started or work.now()
            continue
        except PageExpired:  # case 67: this list again from its beginning
            started = started or work.now()
            again = calendar.cursor.model_copy(update={"page_token": None})
            calendar = _begin_full_list(work, held) if full_list else _move_cursor(work, held, again)
            continue
        if page.next_page_token is None and page.next_sync_token is None:
            raise Unavailable("a page without a token")  # case 51
        if _apply(work, held, google, page, full_list=full_list, started=started):
            if started is not None:
                return
            started = work.now()
        calendar = _present(work, held)


def _apply(
    work: Work, held: Held, google: GoogleCalendar, page: EventPage, *, full_list: bool, started: Millis | None
) -> bool:
    """Applies a page and moves the cursor past it; True where it was the last of its list."""
    apply_page(work, held, page)
    cursor = _present(work, held).cursor
    if page.next_page_token is not None:
        _move_cursor(work, held, cursor.model_copy(update={"page_token": page.next_page_token}))
        return False
    if full_list:
        sweep_old_generation(work, held, google)
    _finish(work, held, page, cursor, started)
    return True


def _begin_full_list(work: Work, held: Held) -> Calendar:
    """A new generation from the first page. What is known of the old one keeps blocking until the sweep at the end (cases 45 to 47).

    Also where a full list is asked for again: what its first pages had brought may be gone since, and would be taken for brought by this one.
    """
    generation = _present(work, held).cursor.generation + 1
    return _move_cursor(work, held, Cursor(generation=generation, fingerprint=LIST_FINGERPRINT))


def _present(work: Work, held: Held) -> Calendar:
    return held_calendar(work.store.reader(work.account), held)


def _move_cursor(work: Work, held: Held, cursor: Cursor) -> Calendar:
    def attempt(reader: Reader) -> Decision[Calendar]:
        moved = renewed(held_calendar(reader, held), work.now()).model_copy(update={"cursor": cursor})
        return Decision(answer=moved, documents=(moved,))

    return work.store.run(work.account, attempt)


def _finish(work: Work, held: Held, page: EventPage, cursor: Cursor, started: Millis | None) -> None:
    """The end of the feed: the new sync token, and how fresh the calendar is: as of the moment before its list was asked for, if that is known."""

    def attempt(reader: Reader) -> Decision[None]:
        now = work.now()
        calendar, asked = ask_about_changes(renewed(held_calendar(reader, held), now))
        done = calendar.model_copy(
            update={
                "cursor": cursor.model_copy(update={"sync_token": page.next_sync_token, "page_token": None}),
                "role": page.access_role or calendar.role,
                "last_success_at": calendar.last_success_at if started is None else started,
                "last_error": None,
                "next_poll_at": now + _poll_interval(work, calendar, now, jitter),
            }
        )
        return Decision(answer=None, documents=(done,), effects=asked)

    jitter = random.uniform(1 - POLL_JITTER, 1 + POLL_JITTER)  # noqa: S311  spreads polls, no secret
    work.store.run(work.account, attempt)


def _poll_interval(work: Work, calendar: Calendar, now: Millis, jitter: float) -> int:
    settings = work.application.settings
    watched = calendar.channel is not None and calendar.channel.alive(now)
    return int((settings.poll_watched_seconds if watched else settings.poll_unwatched_seconds) * 1000 * jitter)
