"""What it means when an event of ours is not as we left it in Google (law 8).

Three-way: the base is what we last wrote or saw there (`GoogleCopy`), theirs is the event now, ours is the session. Where theirs equals the
base nobody touched it there, whatever our session wants now: an echo, or a write of ours that is still on its way (case 91). Where theirs differs,
somebody moved it: the session follows exactly (cases 103 to 107) and the client is told once, because the base moves in the same commit. Deleted
there: the session is cancelled with that reason (case 100), never on anything but Google's positive word (law 7).
"""

from dataclasses import dataclass

from functions.domain.availability import Closed, ResourceState
from functions.domain.availability.taken import taken_time
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.google_event import Malformed, MirrorEvent, interval_of
from functions.domain.instants import MINUTE_MS, Millis, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import leave, move
from functions.domain.openings import open_time
from functions.domain.seating import freed_by, seated
from functions.domain.session import Booking, Conflict, GoogleCopy, Session, Times
from functions.domain.transitions import BOOKING, SESSION, step

GOOGLE = Author(kind="google")
CALENDAR_DELETE = "deleted in Google Calendar"
TAKEN = "taken"


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """An event of ours as a pull found it, with everything that a decision about it reads.

    `states` hold the session's resources over the months of its old and of its new time. `calendar_zone` places all-day times.
    """

    event: MirrorEvent
    session: Session
    bookings: tuple[Booking, ...]
    states: tuple[ResourceState, ...]
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
    """Makes our state follow the event. Writes nothing where nothing changed in Google since we last looked or wrote."""
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
    version = session.version + 1
    cancelled = session.with_copy(gone.model_copy(update={"written": version})).model_copy(
        update={
            "status": step(SESSION, session.status, "cancel"),
            "version": version,
            "seats": {},
            "holds": {},
            "cancelled_by": "google",
            "reason": CALENDAR_DELETE,
        }
    )
    ended = tuple(booking for booking in inbound.bookings if (booking.status, "cancel") in BOOKING)
    return Decision(
        answer=None,
        documents=(cancelled, *(_cancelled(booking) for booking in ended)),
        changes=leave(session.resources, session.occupation),
        history=tuple(
            HistoryEntry(
                what="booking.cancelled",
                author=GOOGLE,
                session=session.id,
                booking=booking.id,
                resource=session.resources[0],
                calendar=inbound.event.calendar,
                why=CALENDAR_DELETE,
                before={"status": booking.status},
                after={"status": "cancelled"},
            )
            for booking in ended
        ),
        effects=(
            *_push_elsewhere(cancelled),
            *(
                Effect(kind="notify", subject=booking.id, about="cancelled")
                for booking in ended
                if not booking.is_offer
            ),
            *freed_by(session, cancelled),
        ),
    )


def _cancelled(booking: Booking) -> Booking:
    return booking.model_copy(
        update={
            "status": step(BOOKING, booking.status, "cancel"),
            "cancelled_by": "google",
            "reason": CALENDAR_DELETE,
            "expires_at": None,
        }
    )


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
    """The time stayed, but a session can't be what the event has become, a series say: that is flagged, once (case 107)."""
    session, reason = inbound.session, _shape(inbound.event)
    if (
        session.status == "open"
        and reason is not None
        and (session.conflict is None or session.conflict.reason != reason)
    ):
        entry = HistoryEntry(
            what="session.conflicted",
            author=GOOGLE,
            session=session.id,
            booking=next(iter(session.seats), None),
            resource=session.resources[0],
            calendar=inbound.event.calendar,
            why=reason,
        )
        flagged = after.model_copy(update={"conflict": Conflict(reason=reason, since=inbound.now)})
        return Decision(answer=None, documents=(flagged,), history=(entry,))
    return Decision(answer=None) if after == session else Decision(answer=None, documents=(after,))


def _shape(event: MirrorEvent) -> str | None:
    """What the event has become that a session can't be; None where it is a single event with times."""
    if event.start is not None and event.start.all_day:
        return "all_day"
    return "recurring" if event.kind != "single" else None


def _note(session: Session, base: GoogleCopy, seen: GoogleCopy) -> Decision[None]:
    return Decision(answer=None) if seen == base else Decision(answer=None, documents=(session.with_copy(seen),))


def _moved(inbound: Inbound, times: Times, seen: GoogleCopy) -> Decision[None]:
    session = inbound.session
    moved = session.moved_to(times.start, times.end)
    reason = _standing(inbound, moved)
    # Something else of ours that was still on its way stays pending; the time itself is what Google holds already.
    written = seen.written if seen.written < session.version else moved.version
    moved = moved.model_copy(
        update={"conflict": Conflict(reason=reason, since=inbound.now) if reason else None}
    ).with_copy(seen.model_copy(update={"base": times, "asked": (), "written": written}))
    ahead = moved.end * MINUTE_MS > inbound.now  # case 106: into the past, nobody is reminded of it
    return Decision(
        answer=None,
        documents=(moved, *(seated(booking, moved) for booking in inbound.bookings)),
        changes=move(session.resources, session.occupation, moved.occupation),
        history=(
            HistoryEntry(
                what="session.moved",
                author=GOOGLE,
                session=session.id,
                booking=next(iter(session.seats), None),
                resource=session.resources[0],
                calendar=inbound.event.calendar,
                why=reason,
                before={"start": rfc3339(session.start), "end": rfc3339(session.end)},
                after={"start": rfc3339(moved.start), "end": rfc3339(moved.end)},
            ),
        ),
        effects=(
            *_push_elsewhere(moved),
            *(Effect(kind="notify", subject=booking, about="moved") for booking in session.seats if ahead),
            *freed_by(session, moved),
        ),
    )


def _standing(inbound: Inbound, moved: Session) -> str | None:
    """Why the session can't be kept at its new time as it was promised; None where it can."""
    if (shape := _shape(inbound.event)) is not None:
        return shape
    for state in inbound.states:
        if any(moved.occupation.taken.overlaps(each) for each in taken_time(state, inbound.now, without=moved.id)):
            return TAKEN
        time = Interval(moved.start, moved.end)
        if open_time(state.resource.hours, time) != [time]:
            return Closed.OUTSIDE_HOURS.value
    return None


def _push_elsewhere(session: Session) -> tuple[Effect, ...]:
    return (Effect(kind="push", subject=session.id),) if session.copy_pending else ()
