"""An event of ours that somebody moved: the session follows exactly (cases 103 to 107), the event is put back, or a person is asked, and both times are
taken until they have decided. By the service's policy, or because an operator has decided (see `resolving`).

Clients are told once, because what we last saw there moves in the same commit.
"""

from collections.abc import Iterator
from typing import Any, Literal

from functions.domain.availability.taken import occupations
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.event_standing import asks_elsewhere, conflict_of, reason_after, standing_of, still_accepted
from functions.domain.inbox_news import news_of_conflict
from functions.domain.instants import MINUTE_MS, rfc3339
from functions.domain.ledger import Occupation, enter, move
from functions.domain.own_event import (
    GOOGLE,
    Inbound,
    entry_of,
    is_disputed,
    new_times,
    note,
    seen_there,
)
from functions.domain.seating import left_by_those_who_wait, push_pending, seated, settle_of, times_of
from functions.domain.session import Booking, Conflict, GoogleCopy, Session, Times
from functions.domain.standing import Obstacle

MOVE_RULE = Author(kind="rule", name="on_calendar_move")


def move_policy(inbound: Inbound) -> Literal["follow", "restore", "ask"]:
    """A series can be neither put back by a patch of its times nor laid out as one disputed block: the session goes along and is flagged (case 107)."""
    if inbound.service is None or inbound.event.kind != "single" or inbound.is_past:
        return "follow"
    return inbound.service.on_calendar_move


def ask(inbound: Inbound, times: Times, seen: GoogleCopy) -> Decision[None]:
    """The session stays where it was, and the base what it was, so that an event which is moved back is in order again."""
    session = inbound.session
    after = session.with_copy(seen)
    known = session.conflict
    if known is not None and is_disputed(session, inbound.event.calendar):
        if known.times == times:
            return note(session, inbound.base, seen)
        conflict = known.model_copy(update={"times": times})
    else:
        conflict = Conflict(reason=Obstacle.MOVED, since=inbound.now, calendar=inbound.event.calendar, times=times)
    after = after.model_copy(update={"conflict": conflict})
    entry = entry_of(
        inbound,
        "session.conflicted",
        booking=next(iter(session.seats), None),
        why=conflict.reason,
        before={"conflict": None if known is None else known.reason, **times_of(session)},
        after={"conflict": conflict.reason, "start": rfc3339(times.start), "end": rfc3339(times.end)},
    )
    changes = enter(session.resources, after.occupation)
    told = news_of_conflict(session, after)
    return Decision(answer=None, documents=(after,), changes=changes, history=(entry,), effects=told)


def put_back(inbound: Inbound, *, author: Author) -> Decision[None]:
    """The session stays, and the event is written back to its time: what is there now is the base of that write. Nobody needs to be told."""
    session, event = inbound.session, inbound.event
    times = new_times(event, inbound.calendar_zone) or session.times
    seen = inbound.base.model_copy(update={**seen_there(event), "base": times, "asked": ()})
    as_timed = inbound.at_session_time()
    kept = session.model_copy(update={"version": session.version + 1, "accepted": still_accepted(as_timed)})
    kept = kept.with_copy(seen)
    kept = kept.model_copy(update={"conflict": conflict_of(inbound, reason_after(as_timed, kept))})
    entry = entry_of(
        inbound,
        "session.restored",
        booking=next(iter(session.seats), None),
        why=None,
        before={"start": rfc3339(times.start), "end": rfc3339(times.end)},
        after=times_of(session),
        author=author,
    )
    return Decision(
        answer=None,
        documents=(kept,),
        changes=enter(kept.resources, kept.occupation) if kept.occupation != session.occupation else (),
        history=(entry,),
        effects=(
            Effect(kind="push", subject=session.id),
            *settle_of(session, kept),
            *news_of_conflict(session, kept),
        ),
    )


def follow(inbound: Inbound, *, author: Author = GOOGLE) -> Decision[None]:
    """The session goes to where its event is, with everybody in it."""
    session, event = inbound.session, inbound.event
    times = new_times(event, inbound.calendar_zone) or session.times
    moved = _arrived(inbound, session.moved_to(times.start, times.end, at=inbound.now))
    moved = left_by_those_who_wait(moved, inbound.service)
    reason = standing_of(inbound, moved)
    seen = inbound.base.model_copy(update=seen_there(event))
    # Something else of ours that was still on its way stays pending; the time itself is what Google holds already.
    written = seen.written if seen.written < session.version else moved.version
    conflict = session.conflict if asks_elsewhere(inbound) else conflict_of(inbound, reason, anew=True)
    moved = moved.model_copy(update={"conflict": conflict}).with_copy(
        seen.model_copy(update={"base": times, "asked": (), "written": written})
    )
    ahead = moved.end * MINUTE_MS > inbound.now  # case 106: into the past, nobody is reminded of it
    return Decision(
        answer=None,
        documents=(moved, *(_along(booking, moved) for booking in inbound.bookings)),
        changes=move(session.resources, session.occupation, moved.occupation),
        history=_moved_entries(inbound, moved, reason, author),
        effects=(
            *push_pending(moved),
            *settle_of(session, moved),
            *news_of_conflict(session, moved),
            *(Effect(kind="notify", subject=booking, about="moved") for booking in session.seats if ahead),
        ),
    )


def _arrived(inbound: Inbound, moved: Session) -> Session:
    """After whoever is at its new time already, even where they came in this very moment, or by a clock that is ahead: one of the two is in conflict."""
    there = (entry.placed_at for entry in _there(inbound, moved))
    return moved.model_copy(update={"moved_at": max((inbound.now, *(placed_at + 1 for placed_at in there)))})


def _there(inbound: Inbound, session: Session) -> Iterator[Occupation]:
    """The other sessions that take some of its time."""
    for state in inbound.states:
        for entry in occupations(state, inbound.now, without=session.id).values():
            if entry.taken.overlaps(session.occupation.taken):
                yield entry


def _moved_entries(inbound: Inbound, moved: Session, why: str | None, author: Author) -> tuple[HistoryEntry, ...]:
    """One, of the session and of the booking it was made for; where there are several, each of them has one of its own."""
    bookings = [booking.id for booking in inbound.bookings]
    alone = bookings[0] if len(bookings) == 1 else None
    told: dict[str, Any] = {"why": why, "before": times_of(inbound.session), "after": times_of(moved), "author": author}
    return (
        entry_of(inbound, "session.moved", booking=alone, **told),
        *(entry_of(inbound, "booking.moved", booking=booking, **told) for booking in bookings if booking != alone),
    )


def _along(booking: Booking, moved: Session) -> Booking:
    """Who had no seat before the move has none after it."""
    return seated(booking, moved).model_copy(update={"conflict": booking.conflict})
