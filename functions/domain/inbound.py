"""What it means when an event of ours is not as we left it in Google (law 8).

Three-way: the base is what we last wrote or saw there (`GoogleCopy`), theirs is the event now, ours is the session. Where theirs equals the
base nobody touched it there, whatever our session wants now: an echo, or a write of ours that is still on its way (case 91). Where theirs differs,
somebody moved it: the session follows exactly (cases 103 to 107) and the client is told once, because the base moves in the same commit. Deleted
there: the session is cancelled with that reason (case 100), never on anything but Google's positive word (law 7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.domain.availability import ResourceState
from functions.domain.cancelling import cancel_session
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.google_event import Malformed, MirrorEvent, interval_of, is_older
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import enter, move
from functions.domain.seating import seated, times_of
from functions.domain.session import Booking, Conflict, GoogleCopy, Session, Times
from functions.domain.standing import SEEN_IN_GOOGLE, Obstacle, Scene, obstacles

GOOGLE = Author(kind="google")
CALENDAR_DELETE = "deleted in Google Calendar"


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """An event of ours as a pull found it, with everything that a decision about it reads.

    `states` hold the session's resources over the months of its old and of its new time; `service` is None where it is gone. `calendar_zone` places
    all-day times.
    """

    event: MirrorEvent
    session: Session
    bookings: tuple[Booking, ...]
    states: tuple[ResourceState, ...]
    service: Service | None
    calendar_zone: str
    now: Millis

    @property
    def base(self) -> GoogleCopy:
        return self.session.copies[self.event.calendar]


def event_is_ours(event_id: str, calendar: str, session: Session | None) -> bool:
    """By id and by what the session itself says: a copy of the event carries the same properties but another id (case 114).

    Where the session is cancelled and Google was known to have let go of its event, an event that is there all the same was brought back by its owner
    (case 102): it is theirs now, and takes time like any other, because availability must not say free where the calendar shows an event.
    """
    copy = session.copies.get(calendar) if session else None
    if session is None or copy is None or copy.event != event_id:
        return False
    return session.status == "open" or copy.written < session.version


def new_times(event: MirrorEvent, calendar_zone: str) -> Times | None:
    """When the event is; None where that can't be read or holds no time."""
    try:
        interval = interval_of(event.start, event.end, calendar_zone)
    except Malformed:
        return None
    return Times(start=interval.start, end=interval.end) if interval.start < interval.end else None


def decide_inbound(inbound: Inbound) -> Decision[None]:
    """Makes our state follow the event. Writes nothing where nothing changed in Google since we last looked or wrote.

    A list that was asked for before our last write, and is applied after it, shows the event as it was before: that is no move of its owner's.
    """
    if is_older(inbound.event, inbound.base.updated):
        return Decision(answer=None)
    if inbound.event.cancelled:
        return _deleted(inbound)
    return _present(inbound)


def _deleted(inbound: Inbound) -> Decision[None]:
    session, base = inbound.session, inbound.base
    if base.gone:
        return Decision(answer=None)
    gone = base.model_copy(update={"gone": True, "etag": None, "written": session.version})
    past = session.end * MINUTE_MS <= inbound.now
    if session.status == "cancelled" or past:  # case 101: past ones keep their history
        return Decision(answer=None, documents=(session.with_copy(gone),))
    gone = gone.model_copy(update={"written": session.version + 1})
    ended = cancel_session(
        session.with_copy(gone),
        inbound.bookings,
        author=GOOGLE,
        reason=CALENDAR_DELETE,
        calendar=inbound.event.calendar,
    )
    return ended.with_answer(None)


def _present(inbound: Inbound) -> Decision[None]:
    session, base, event = inbound.session, inbound.base, inbound.event
    seen = base.model_copy(update={"etag": event.etag, "gone": False, "error": None})
    times = new_times(event, inbound.calendar_zone)
    if times is None:
        return _note(session, base, seen)
    if session.status == "cancelled" or times == base.base or times in base.asked:
        # As we left it, or about to be deleted: the etag is the only news, so that our next write fits.
        return _reshaped(inbound, session.with_copy(seen.model_copy(update={"base": times})))
    if times == session.times:
        seen = seen.model_copy(update={"base": times, "written": session.version})
        return _reshaped(inbound, session.with_copy(seen))
    return _moved(inbound, times, seen)


def _reshaped(inbound: Inbound, after: Session) -> Decision[None]:
    """The time stayed, but a session can't be what the event has become, a series say: that is flagged, once, until it is what it was (case 107)."""
    session = inbound.session
    flagged = None if session.conflict is None else session.conflict.reason
    reason = _shape(inbound.event)
    if reason is None:
        # Where there is another copy, it may be that one which became something else.
        mended = flagged in SEEN_IN_GOOGLE and len(session.copies) == 1
        reason = _standing(inbound, session) if mended else flagged
    if session.status != "open" or reason == flagged:
        return Decision(answer=None) if after == session else Decision(answer=None, documents=(after,))
    entry = _entry(
        inbound,
        "session.supported" if reason is None else "session.conflicted",
        booking=next(iter(session.seats), None),
        why=reason or f"not {flagged} any more",
        before={"conflict": flagged},
        after={"conflict": reason},
    )
    conflict = None if reason is None else Conflict(reason=reason, since=inbound.now)
    after = after.model_copy(update={"conflict": conflict})
    changes = enter(session.resources, after.occupation)
    return Decision(answer=None, documents=(after,), changes=changes, history=(entry,))


def _shape(event: MirrorEvent) -> str | None:
    """What the event has become that a session can't be; None where it is a single event with times."""
    if event.start is not None and event.start.all_day:
        return Obstacle.ALL_DAY.value
    return Obstacle.RECURRING.value if event.kind != "single" else None


def _note(session: Session, base: GoogleCopy, seen: GoogleCopy) -> Decision[None]:
    return Decision(answer=None) if seen == base else Decision(answer=None, documents=(session.with_copy(seen),))


def _moved(inbound: Inbound, times: Times, seen: GoogleCopy) -> Decision[None]:
    session = inbound.session
    moved = session.moved_to(times.start, times.end, at=inbound.now)
    reason = _standing(inbound, moved)
    # Something else of ours that was still on its way stays pending; the time itself is what Google holds already.
    written = seen.written if seen.written < session.version else moved.version
    moved = moved.model_copy(
        update={"conflict": Conflict(reason=reason, since=inbound.now) if reason else None}
    ).with_copy(seen.model_copy(update={"base": times, "asked": (), "written": written}))
    ahead = moved.end * MINUTE_MS > inbound.now  # case 106: into the past, nobody is reminded of it
    return Decision(
        answer=None,
        documents=(moved, *(_along(booking, moved) for booking in inbound.bookings)),
        changes=move(session.resources, session.occupation, moved.occupation),
        history=_moved_entries(inbound, moved, reason),
        effects=(
            *_push_elsewhere(moved),
            *(Effect(kind="notify", subject=booking, about="moved") for booking in session.seats if ahead),
        ),
    )


def _moved_entries(inbound: Inbound, moved: Session, why: str | None) -> tuple[HistoryEntry, ...]:
    """One, of the session and of the booking it was made for; where there are several, each of them has one of its own."""
    bookings = [booking.id for booking in inbound.bookings]
    alone = bookings[0] if len(bookings) == 1 else None
    before, after = times_of(inbound.session), times_of(moved)
    return (
        _entry(inbound, "session.moved", booking=alone, why=why, before=before, after=after),
        *(
            _entry(inbound, "booking.moved", booking=booking, why=why, before=before, after=after)
            for booking in bookings
            if booking != alone
        ),
    )


def _entry(
    inbound: Inbound,
    what: str,
    *,
    booking: str | None,
    why: str | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> HistoryEntry:
    return HistoryEntry(
        what=what,
        author=GOOGLE,
        session=inbound.session.id,
        booking=booking,
        resource=inbound.session.resources[0],
        calendar=inbound.event.calendar,
        why=why,
        before=before or {},
        after=after or {},
    )


def _along(booking: Booking, moved: Session) -> Booking:
    """Who had no seat before the move has none after it."""
    return seated(booking, moved).model_copy(update={"conflict": booking.conflict})


def _standing(inbound: Inbound, session: Session) -> str | None:
    """Why the session can't be kept at the time that it has in Google as it was promised; None where it can."""
    if (shape := _shape(inbound.event)) is not None:
        return shape
    scene = Scene(
        resources={state.resource.id: state.resource for state in inbound.states},
        services={} if inbound.service is None else {inbound.service.id: inbound.service},
        months={state.resource.id: state.months for state in inbound.states},
        now=inbound.now,
    )
    return next((each.value for each in obstacles(scene, session.occupation, session.resources)), None)


def _push_elsewhere(session: Session) -> tuple[Effect, ...]:
    return (Effect(kind="push", subject=session.id),) if session.copy_pending else ()
