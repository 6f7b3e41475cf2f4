"""Pull: Google's change feed → mirror → ledger, for one calendar.

Law 5: a page's effects and the cursor move together, and the cursor moves last. What a crash leaves half done is done again from the same cursor,
which is harmless: rows are replaced by id, blocks computed anew, events of ours compared by content. A long list goes on from task to task (`turns`),
and holds no more than a page of it in memory (case 66).
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from random import random

from functions.adapters.google_calendar import BOUNDED_FINGERPRINT, LIST_FINGERPRINT, EventPage, GoogleCalendar
from functions.adapters.google_errors import (
    AccessLost,
    Forbidden,
    GoogleError,
    Missing,
    OurMistake,
    PageExpired,
    TokenExpired,
    Unavailable,
)
from functions.adapters.store.store import Reader
from functions.adapters.tasks import Task
from functions.domain.calendar import Bounds, Calendar, Cursor
from functions.domain.calendar_access import found, with_role
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Refusal
from functions.domain.google_event import newest_change
from functions.domain.horizon import projected_time
from functions.domain.instants import Millis
from functions.sync.leases import (
    Held,
    LeaseLost,
    abandon,
    acquire,
    ask_about_changes,
    held_calendar,
    pause,
    release,
    renewed,
)
from functions.sync.lost_access import lose_connection
from functions.sync.missing_calendars import CalendarMissing, believe_or_look_again
from functions.sync.orphans import send_away_orphan
from functions.sync.pages import apply_page, sweep_old_generation
from functions.sync.projection import project_where_needed
from functions.sync.turns import Turn, TurnOver
from functions.sync.work import Work

log = logging.getLogger(__name__)

LOOK_AGAIN_MS = 30_000
COME_BACK_MS = 1_000
LONGEST_WAIT_S = 3600.0  # polls go on meanwhile anyway


def pull(work: Work) -> None:
    """Brings the subject calendar up to date. Raises `GoogleError` where it could not, having let go of the lease."""
    send_away_orphan(work)
    held = acquire(work)
    if held is None:
        return
    try:
        _while_it_is_there(work, held)
    except LeaseLost:
        log.info("another worker took over calendar %s", held.calendar)
    except TurnOver:
        with suppress(LeaseLost):
            pause(work, held)
    except AccessLost as error:
        # Only a person can mend it: coming again would not help, so the task counts as done (case 80).
        _let_go(work, held, f"{type(error).__name__}: {error.reason}")
        calendar = work.store.get(work.account, Ref(Calendar, held.calendar))
        if calendar is not None:
            lose_connection(work, calendar.connection, error)
    except (Forbidden, OurMistake) as error:
        # Nor here: the calendar says what is wrong, and the next poll looks whether it still is.
        log.error("Google refuses to list calendar %s: %s", held.calendar, error.reason)
        _let_go(work, held, f"{type(error).__name__}: {error.reason}")
    except GoogleError as error:
        _let_go(work, held, f"{type(error).__name__}: {error.reason}")
        if error.retry_after_s is None:
            raise
        _come_back(work, error.retry_after_s)
    except Exception as error:
        _let_go(work, held, type(error).__name__)
        raise


def _let_go(work: Work, held: Held, error: str) -> None:
    with suppress(LeaseLost, Refusal):  # contended: the lease then runs out by itself
        abandon(work, held, error)


def _come_back(work: Work, after_s: float) -> None:
    """Google has named a time to wait, which the queue does not know of (case 68). One task for all that were refused together."""
    due = work.now() + int(min(after_s, LONGEST_WAIT_S) * 1000)
    bucket = -(-due // COME_BACK_MS)
    _pull_later(work, f"refused/{bucket}", bucket * COME_BACK_MS)


def _while_it_is_there(work: Work, held: Held) -> None:
    try:
        _until_nobody_asks(work, held)
    except CalendarMissing as missing:
        believe_or_look_again(work, held, missing.google)


def _until_nobody_asks(work: Work, held: Held) -> None:
    """Passes until nobody has asked for a further one meanwhile. Google was said to have news where a notification asked, or somebody did meanwhile."""
    turn = Turn.of(work)
    told_of_news = work.about == "notified"
    while True:
        brought_news = _catch_up(work, held, turn)
        if told_of_news and not brought_news:
            _look_again(work)
        if release(work, held):
            return
        told_of_news = True


def _look_again(work: Work) -> None:
    """Google's lists may lag behind its notifications: an empty one does not say that nothing has happened (case 21). Once for all that come together."""
    bucket = work.now() // LOOK_AGAIN_MS
    _pull_later(work, f"look-again/{bucket}", (bucket + 2) * LOOK_AGAIN_MS)


def _pull_later(work: Work, occasion: str, moment: Millis) -> None:
    work.application.tasks.create(
        Task(
            kind="pull",
            name=f"{work.account}/{work.subject}/{occasion}",
            body={"account": work.account, "subject": work.subject},
            not_before_ms=moment,
        )
    )


@dataclass(frozen=True, kw_only=True)
class _List:
    """The list that is under way. `newest`: when the last of the changes that it has brought was made, by Google's clock."""

    begun_at: Millis
    goes_on: bool  # from another task
    newest: Millis | None = None


def _catch_up(work: Work, held: Held, turn: Turn) -> bool:
    """One pass to the end of the feed; whether it brought news. Raises `TurnOver` on the way, with all that was done kept."""
    calendar = project_where_needed(work, held, turn)
    google = work.google(calendar.connection)
    if calendar.relist or calendar.cursor.at_rest or calendar.cursor.fingerprint != _fingerprint(calendar):
        calendar = _begin_full_list(work, held)
    under_way = calendar.cursor.page_token is not None
    this = _List(begun_at=calendar.cursor.begun_at or work.now(), goes_on=under_way)
    while True:
        turn.step(work.now())
        page = _page(work, held, google, calendar)
        if page is not None and page.access_role not in ("", calendar.role):
            calendar = _adopt_role(work, held, page.access_role)
        if page is None or calendar.cursor.fingerprint != _fingerprint(calendar):
            # Not by this token, or not in this form any more (cases 49, 74 and 75).
            calendar, this = _begin_full_list(work, held), _List(begun_at=work.now(), goes_on=False)
            continue
        apply_page(work, held, page)
        if not calendar.cursor.in_full:
            this = replace(this, newest=max(filter(None, (this.newest, newest_change(page.events))), default=None))
        if page.next_page_token is not None:
            calendar = _turn_page(work, held, page.next_page_token, this)
            continue
        if calendar.cursor.in_full:
            sweep_old_generation(work, held, google, turn)
        _finish(work, held, page, this)
        return this.newest is not None


def _page(work: Work, held: Held, google: GoogleCalendar, calendar: Calendar) -> EventPage | None:
    """The next page; None where its token is good no more, and a full list has to follow (cases 45 and 46).

    Raises `Unavailable`, and so comes again with growing waits and not in circles, where that was a full list itself (case 48) or a page of it came too late
    (case 67): the list begins again then, what is mirrored stays.
    """
    cursor = calendar.cursor
    try:
        page = google.events_page(
            calendar.google_id, sync_token=cursor.sync_token, page_token=cursor.page_token, bounds=cursor.bounds
        )
    except TokenExpired:
        if cursor.in_full:
            _move_cursor(work, held, cursor.model_copy(update={"page_token": None}))
            raise Unavailable("fullSyncRequired for a full list") from None
        return None
    except PageExpired:
        _move_cursor(work, held, cursor.model_copy(update={"page_token": None}))
        raise Unavailable("the page token came too late") from None
    except Missing:
        raise CalendarMissing(google) from None
    if page.next_page_token is None and page.next_sync_token is None:
        raise Unavailable("a page without a token")  # case 51: what we have stays as it is
    return page


def _fingerprint(calendar: Calendar) -> str:
    return BOUNDED_FINGERPRINT if calendar.free_busy_only else LIST_FINGERPRINT


def _begin_full_list(work: Work, held: Held) -> Calendar:
    """A new generation from the first page. What is known of the old one keeps blocking until the sweep at the end (cases 45 to 47)."""
    calendar = _present(work, held)
    reach = projected_time(work.now(), calendar.horizon)
    cursor = Cursor(
        generation=calendar.cursor.generation + 1,
        fingerprint=_fingerprint(calendar),
        bounds=Bounds(start=reach.start, end=reach.end) if calendar.free_busy_only else None,
    )
    return _move_cursor(work, held, cursor, relist=False)


def _present(work: Work, held: Held) -> Calendar:
    return held_calendar(work.store.reader(work.account), held)


def _turn_page(work: Work, held: Held, page_token: str, this: _List) -> Calendar:
    update = {"page_token": page_token, "begun_at": this.begun_at}
    return _move_cursor(work, held, _present(work, held).cursor.model_copy(update=update))


def _move_cursor(work: Work, held: Held, cursor: Cursor, **more: bool) -> Calendar:
    def attempt(reader: Reader) -> Decision[Calendar]:
        moved = renewed(held_calendar(reader, held), work.now()).model_copy(update={"cursor": cursor, **more})
        return Decision(answer=moved, documents=(moved,))

    return work.store.run(work.account, attempt)


def _adopt_role(work: Work, held: Held, role: str) -> Calendar:
    """Each page says what we may do: nothing else tells (case 74)."""

    def attempt(reader: Reader) -> Decision[Calendar]:
        return with_role(held_calendar(reader, held), role)

    return work.store.run(work.account, attempt)


def _finish(work: Work, held: Held, page: EventPage, this: _List) -> None:
    """The end of the feed: the new sync token, and how fresh the calendar is: as of the moment before its list was asked for.

    One that took several tasks is as old as its beginning, and followed at once by another for what has changed meanwhile.
    """

    def attempt(reader: Reader) -> Decision[None]:
        now = work.now()
        calendar, asked = ask_about_changes(renewed(found(held_calendar(reader, held)), now))
        # What has bounds is listed in full again the next time: the window of its token would not slide.
        token = page.next_sync_token if calendar.cursor.bounds is None else None
        update = {
            "cursor": calendar.cursor.model_copy(update={"sync_token": token, "page_token": None, "begun_at": None}),
            "last_success_at": this.begun_at,
            "last_error": None,
            "next_poll_at": work.poll_intervals.next_poll(calendar, now=now, jitter=jitter),
            "dirty": calendar.dirty + (this.goes_on and calendar.cursor.bounds is None),
        }
        if this.newest is not None:
            update |= {"last_change_at": this.newest, "lag_ms": now - this.newest}
        return Decision(answer=None, documents=(calendar.model_copy(update=update),), effects=asked)

    jitter = random()  # noqa: S311  spreads polls, no secret
    work.store.run(work.account, attempt)
