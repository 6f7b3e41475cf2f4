"""An event that its owner brings back from the bin after its session was cancelled because of the delete (case 102).

Until somebody decides it is their event and takes time like any other, so that nothing is sold twice. The session says in the operator's inbox that it may be
booked again: with those who were cancelled only because of the delete, if its time is free.
"""

from collections.abc import Iterable
from dataclasses import replace

from functions.domain.availability import Question
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import IllegalMove
from functions.domain.google_event import MirrorEvent
from functions.domain.inbox_news import news_of_conflict
from functions.domain.instants import MINUTE_MS, Millis, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerChange, enter, merge_changes
from functions.domain.missing_event import CALENDAR_DELETE
from functions.domain.own_event import GOOGLE
from functions.domain.roster import Roster, must_be_free
from functions.domain.scheduling import must_be_in_reach
from functions.domain.seating import seated, times_of
from functions.domain.session import Booking, Conflict, Session, Times
from functions.domain.transitions import BOOKING, SESSION, step

BROUGHT_BACK = "brought_back"


def may_be_brought_back(event: str, calendar: str, session: Session) -> bool:
    """Whether this is the event by whose delete the session was cancelled."""
    copy = session.copies.get(calendar)
    deleted = session.status == "cancelled" and (session.cancelled_by, session.reason) == ("google", CALENDAR_DELETE)
    return deleted and copy is not None and copy.gone and copy.event == event


def note_brought_back(session: Session, event: MirrorEvent, times: Times | None, now: Millis) -> Decision[None]:
    """`times`: when the event is. Its second delete takes the question away again. An operator who has said to leave it is not asked again."""
    known = session.conflict
    there = not event.cancelled and times is not None and now < times.start * MINUTE_MS
    if not there and known is not None:
        return _noted(session, event, None, why="it is not there any more")
    if not there or times is None or BROUGHT_BACK in session.accepted:
        return Decision(answer=None)
    conflict = Conflict(
        reason=BROUGHT_BACK, since=now if known is None else known.since, calendar=event.calendar, times=times
    )
    return (
        Decision(answer=None)
        if conflict == known
        else _noted(session, event, conflict, why="restored in Google Calendar")
    )


def _noted(session: Session, event: MirrorEvent, conflict: Conflict | None, *, why: str) -> Decision[None]:
    times = None if conflict is None else conflict.times
    entry = HistoryEntry(
        what="session.supported" if conflict is None else "session.brought_back",
        author=GOOGLE,
        session=session.id,
        resource=session.resources[0],
        calendar=event.calendar,
        why=why,
        before={"conflict": None if session.conflict is None else session.conflict.reason},
        after={"conflict": None if conflict is None else conflict.reason}
        | ({} if times is None else {"start": rfc3339(times.start), "end": rfc3339(times.end)}),
    )
    noted = session.model_copy(update={"conflict": conflict})
    return Decision(answer=None, documents=(noted,), history=(entry,), effects=news_of_conflict(session, noted))


def cancelled_by_the_delete(bookings: Iterable[Booking]) -> tuple[Booking, ...]:
    """Those who may be booked again. Where seats were only kept, nobody has said who they are."""
    return tuple(
        booking
        for booking in bookings
        if booking.status == "cancelled"
        and (booking.cancelled_by, booking.reason) == ("google", CALENDAR_DELETE)
        and booking.client.email
    )


def book_again(
    roster: Roster,
    times: Times,
    event: MirrorEvent,
    question: Question,
    *,
    own: tuple[LedgerChange, ...],
    author: Author,
) -> Decision[Roster]:
    """The session and its bookings live again, at the time that the event has now; each client is told.

    `roster`: the session with those who are to be booked again. `question`: the service at the session's resources, over its time. `own`: what takes the
    event itself out of the ledger, in which the session stands for it from now on. Raises `TimeTaken`, `CalendarUnknown`, `StartClosed`, `IllegalMove`.
    """
    session, bookings = roster.session, cancelled_by_the_delete(roster.bookings)
    if not bookings and not session.scheduled:
        raise IllegalMove("Nobody is left to be booked again. Leave the event, or delete it.")
    again = session.moved_to(times.start, times.end, at=question.now)
    must_be_in_reach(Interval(again.start, again.taken_until), question.now)
    must_be_free(question.after(own), again)
    copy = session.copies[event.calendar]
    again = again.model_copy(
        update={
            "status": step(SESSION, session.status, "reopen"),
            "seats": {booking.id: booking.seats for booking in bookings},
            "conflict": None,
            "cancelled_by": None,
            "reason": None,
        }
    ).with_copy(
        copy.model_copy(update={"gone": False, "missing_since": None, "etag": event.etag, "base": times, "asked": ()})
    )
    alive = tuple(_alive(booking, again) for booking in bookings)
    return Decision(
        answer=Roster(session=again, bookings=alive),
        documents=(again, *alive),
        changes=merge_changes((*own, *enter(again.resources, again.occupation))),
        history=_entries(session, again, alive, author),
        effects=(
            Effect(kind="push", subject=again.id),
            *(Effect(kind="notify", subject=booking.id, about="confirmed") for booking in alive),
        ),
    )


def _alive(booking: Booking, session: Session) -> Booking:
    return seated(booking, session).model_copy(
        update={
            "status": step(BOOKING, booking.status, "rebook"),
            "cancelled_by": None,
            "reason": None,
            "requested": False,
        }
    )


def _entries(before: Session, after: Session, bookings: Iterable[Booking], author: Author) -> tuple[HistoryEntry, ...]:
    entry = HistoryEntry(
        what="session.rebooked",
        author=author,
        session=after.id,
        resource=after.resources[0],
        why="its event was restored in Google Calendar",
        before={"status": before.status, **times_of(before)},
        after={"status": after.status, **times_of(after)},
    )
    return (
        entry,
        *(replace(entry, what="booking.confirmed", booking=booking.id) for booking in bookings),
    )


def delete_again(session: Session, calendar: str, *, author: Author) -> Decision[None]:
    """The cancelled session's event, deleted by us this time."""
    copy = session.copies[calendar].model_copy(update={"gone": False, "missing_since": None, "etag": None})
    unwanted = session.model_copy(update={"version": session.version + 1, "conflict": None}).with_copy(copy)
    entry = HistoryEntry(
        what="session.event_deleted",
        author=author,
        session=session.id,
        resource=session.resources[0],
        calendar=calendar,
        why="it had been restored in Google Calendar",
        before={"conflict": BROUGHT_BACK},
        after={"conflict": None},
    )
    return Decision(
        answer=None, documents=(unwanted,), history=(entry,), effects=(Effect(kind="push", subject=session.id),)
    )
