"""An event of ours, as a pull found it: which events those are, and what a decision about one reads.

Only that, with no I/O: `adapters.store.own_events` reads it and commits the event's row with what was decided, and `sync.own_events` has it decided while a
calendar is pulled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.domain.availability import ResourceState
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.event_ids import names_of, session_of
from functions.domain.google_event import Malformed, MirrorEvent, interval_of
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.session import Booking, GoogleCopy, Session, Times
from functions.domain.standing import Obstacle

GOOGLE = Author(kind="google")


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """An event of ours as a pull found it, with everything that a decision about it reads.

    `states` hold the session's resources over the months of its old and of its new time; `service` is None where it is gone. `calendar_zone` places
    all-day times. `declined_by`: the clients' keys of the guests who declined; None where that is not known.
    """

    event: MirrorEvent
    session: Session
    bookings: tuple[Booking, ...]
    states: tuple[ResourceState, ...]
    service: Service | None
    calendar_zone: str
    now: Millis
    declined_by: frozenset[str] | None = None

    @property
    def base(self) -> GoogleCopy:
        return self.session.copies[self.event.calendar]

    @property
    def is_past(self) -> bool:
        return self.session.end * MINUTE_MS <= self.now

    def at_session_time(self) -> "Inbound":
        """With the event as it is once it has the session's time: no whole day any more; what else it has become, it still is."""
        return replace(self, event=self.event.model_copy(update={"start": None, "end": None}))


def event_is_ours(event_id: str, calendar: str, session: Session | None) -> bool:
    """By id and by what the session itself says: a copy of the event carries the same properties but another id (case 114).

    Where the session is cancelled and Google was known to have let go of its event, an event that is there all the same was brought back by its owner
    (case 102): it is theirs now, and takes time like any other, because availability must not say free where the calendar shows an event.
    """
    copy = session.copies.get(calendar) if session else None
    if session is None or copy is None or copy.event != event_id:
        return False
    within_reach = copy.model_copy(update={"out_of_reach": False})
    return session.status == "open" or (session.is_behind(within_reach) and not copy.gone)


def is_another_copy(event: Mapping[str, Any], calendar: str, session: Session) -> bool:
    """Whether this is the event of an open session, in a calendar that the session did not put it in: an invitation to it (case 123), or the event itself,
    moved there by its owner, before the calendar that it left said so (case 113). By id, or else by iCalUID.
    """
    if session.status != "open":
        return False
    elsewhere = {copy.event for copy in session.copies.values() if copy.calendar != calendar and not copy.has_left}
    return not elsewhere.isdisjoint(names_of(event))


def is_spared_for(session: Session, event: str) -> bool:
    """Whether the event still takes no time because the session does. Another event of ours that was the session's before is none of it any more."""
    of_it = {copy.event for copy in session.copies.values() if not copy.has_left}
    return session.status == "open" and (session_of(event) is None or event in of_it)


def is_disputed(session: Session, calendar: str) -> bool:
    """Whether somebody has to decide about a time that its event has in this calendar."""
    return (
        session.in_conflict(Obstacle.MOVED) and session.conflict is not None and session.conflict.calendar == calendar
    )


def new_times(event: MirrorEvent, calendar_zone: str) -> Times | None:
    """When the event is; None where that can't be read or holds no time."""
    try:
        interval = interval_of(event.start, event.end, calendar_zone)
    except Malformed:
        return None
    return Times(start=interval.start, end=interval.end) if interval.start < interval.end else None


def seen_there(event: MirrorEvent) -> dict[str, Any]:
    """What is known of a copy whose event was seen."""
    return {"etag": event.etag, "gone": False, "out_of_reach": False, "missing_since": None, "error": None}


def note(session: Session, base: GoogleCopy, seen: GoogleCopy) -> Decision[None]:
    """What was seen, and nothing that follows from it."""
    return Decision(answer=None) if seen == base else Decision(answer=None, documents=(session.with_copy(seen),))


def entry_of(
    inbound: Inbound,
    what: str,
    *,
    booking: str | None,
    why: str | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    author: Author = GOOGLE,
) -> HistoryEntry:
    """What the event has made of its session, or of one of the bookings in it."""
    return HistoryEntry(
        what=what,
        author=author,
        session=inbound.session.id,
        booking=booking,
        resource=inbound.session.resources[0],
        calendar=inbound.event.calendar,
        why=why,
        before=before or {},
        after=after or {},
    )
