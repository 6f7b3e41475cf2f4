"""A client is forgotten: who they were and what they wrote goes; what happened, and every number, stays.

A booking keeps its session, its seats and what became of it; neither the ledger nor a session's seats are touched. Of what is still to come nobody is
forgotten: a seat that is sold belongs to somebody. So it is cancelled first, or the client is forgotten without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from functions.domain.decision import Author, Decision, Effect, HistoryEntry, Ref
from functions.domain.errors import StillBooked
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, rfc3339
from functions.domain.model import Document, Personal
from functions.domain.seating import push_of
from functions.domain.session import Booking, GoogleCopy, Session
from functions.domain.waitlist.entry import WaitlistEntry

D = TypeVar("D", bound=Document)

RETENTION = Author(kind="rule", name="retention")
# What a retention task is about that makes findable what was stored by a version which forgot nobody.
TO_BE_FOUND = "to be found"
# How long whoever is to be forgotten is kept for the sake of a mail to them that does not go out.
OWED_MS = 600_000


class Erasure(Document):
    """A request to forget a client, and how far it has come. `client` is a keyed hash of their e-mail address, by which whoever knows the address can tell
    that it was theirs. `client_key` finds what is theirs, until all of it is gone.

    `cancel_future`: what lies ahead of them is cancelled, and not `kept`. `sessions`: whose events in Google are written anew.
    """

    id: str
    client: str
    client_key: Annotated[str | None, Personal()]
    by: str
    cancel_future: bool = False
    requested_at: Millis
    finished_at: Millis | None = None
    bookings: int = 0
    entries: int = 0
    kept: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    @property
    def author(self) -> Author:
        return Author(kind="operator", name=self.by)

    def counting(self, *, bookings: int = 0, entries: int = 0, sessions: Iterable[str] = ()) -> "Erasure":
        update = {
            "bookings": self.bookings + bookings,
            "entries": self.entries + entries,
            "sessions": tuple(dict.fromkeys((*self.sessions, *sessions))),
        }
        return self.model_copy(update=update)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is held of one client."""

    bookings: tuple[Booking, ...]
    entries: tuple[WaitlistEntry, ...]


def is_ahead(booking: Booking, now: Millis) -> bool:
    """Whether somebody is expected. A hold that ran out is nobody's, also before it is cleared away."""
    lapsed = booking.status == "held" and (booking.expires_at or 0) <= now
    return booking.status in ("held", "confirmed") and booking.start * MINUTE_MS > now and not lapsed


def is_waiting(entry: WaitlistEntry) -> bool:
    return entry.status in ("waiting", "offered")


def was_waiting(entry: WaitlistEntry, at: Millis) -> bool:
    """Whether they were in line by then. Who was put on the waitlist with a booking is in line as long as they have had that."""
    return min(entry.created_at, entry.place.joined_at) <= at


def was_booked(booking: Booking, came_from: WaitlistEntry | None, at: Millis) -> bool:
    """Whether it goes back to then: also what came free later, for a place on a waitlist (`came_from`) that they had by then. That is as old once it is
    forgotten itself.
    """
    return booking.created_at <= at or (came_from is not None and was_waiting(came_from, at))


def is_owed(*, created_at: Millis, not_before: Millis, now: Millis) -> bool:
    """Whether a mail that has not gone out is waited for: not one that is for later, and not for ever. What it tells may be long after the request."""
    return not_before <= now < max(created_at, not_before) + OWED_MS


def request_erasure(erasure: Erasure, held: Held, under_way: Iterable[Erasure]) -> Decision[Erasure]:
    """Begins to forget a client; or answers with what is `under_way` already and does as much. Raises `StillBooked`."""
    for other in under_way:
        if other.cancel_future or not erasure.cancel_future:
            return Decision(answer=other)
    bookings = [booking for booking in held.bookings if is_ahead(booking, erasure.requested_at)]
    waiting = [entry for entry in held.entries if is_waiting(entry)]
    if (bookings or waiting) and not erasure.cancel_future:
        raise StillBooked(
            "Cancel what lies ahead of this client first, or send cancel_future: true.",
            bookings=[{"id": booking.id, "start": rfc3339(booking.start)} for booking in bookings],
            waitlist=[entry.id for entry in waiting],
        )
    entry = HistoryEntry(
        what="client.erasure_requested",
        author=erasure.author,
        after={"client": erasure.client, "erasure": erasure.id, "cancel_future": erasure.cancel_future},
    )
    return Decision(
        answer=erasure,
        documents=(erasure,),
        history=(entry,),
        effects=(Effect(kind="erase", subject=erasure.id),),
    )


def finish(erasure: Erasure, *, kept: Iterable[str], now: Millis) -> Decision[Erasure]:
    """Everything is gone but what was `kept`, because it lies ahead. Finishing twice is once."""
    if erasure.finished_at is not None:
        return Decision(answer=erasure)
    done = erased(erasure).model_copy(update={"finished_at": now, "kept": tuple(kept)})
    counts = {"bookings": done.bookings, "waitlist": done.entries, "kept": len(done.kept)}
    entry = HistoryEntry(
        what="client.erased",
        author=erasure.author,
        after={"client": done.client, "erasure": done.id, **counts},
    )
    return Decision(answer=done, documents=(done,), history=(entry,))


def erase_booking(booking: Booking, sessions: Iterable[Session], *, author: Author) -> Decision[tuple[Session, ...]]:
    """Forgets whose booking it was. `sessions`: the one that it sits or last sat in, and others that it sat in before. Answers with those whose events
    have to be written anew.

    It rests on each session: whoever asks at the same moment to write their name to Google for the first time has it in no copy yet.
    """
    sessions = tuple(sessions)
    # Nor does the link open it any more: it was theirs.
    after = erased(booking).model_copy(update={"manage_hash": ""})
    changed = [(before, _forgetting(before, booking)) for before in sessions]
    rewritten = tuple(after for before, after in changed if after.version > before.version)
    told = HistoryEntry(
        what="booking.erased",
        author=author,
        session=booking.session,
        booking=booking.id,
        resource=booking.resources[0],
        service=booking.service,
    )
    others = tuple(
        HistoryEntry(what="session.client_erased", author=author, session=session.id, resource=session.resources[0])
        for before, session in changed
        if session.id != booking.session and session.version > before.version
    )
    return Decision(
        answer=rewritten,
        documents=(after, *(session for before, session in changed if session != before)),
        guards=tuple(Ref(Session, session.id) for session in sessions),
        history=(told, *others),
        effects=tuple(effect for session in rewritten for effect in push_of(session)),
    )


def erase_entry(entry: WaitlistEntry, *, author: Author) -> Decision[None]:
    """Forgets who waited."""
    after = erased(entry).model_copy(update={"manage_hash": ""})
    told = HistoryEntry(what="waitlist.erased", author=author, entry=entry.id, service=entry.service)
    return Decision(answer=None, documents=(after,), history=(told,))


def retained_from(days: int, now: Millis) -> Minute:
    """Of sessions that ended before that minute the clients are forgotten."""
    return now // MINUTE_MS - days * DAY_MINUTES


def erased(document: D) -> D:
    """The document, with everything in it that is marked as personal replaced; in those that it holds, too."""
    update: dict[str, object] = {}
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        mark = next((each for each in field.metadata if isinstance(each, Personal)), None)
        if mark is not None:
            update[name] = mark.erased
        elif isinstance(value, Document):
            update[name] = erased(value)
    return document.model_copy(update=update)


def says_why(session: Session, booking: Booking) -> bool:
    """Whether the reason for which the session was cancelled is what was said about this very booking: an appointment's, in whose history it stands too."""
    return booking.session == session.id and not session.scheduled and session.reason == booking.reason is not None


def _forgetting(session: Session, booking: Booking) -> Session:
    """The session without what it knows of the client. An event that Google has is written anew; what was in a deleted one we need not know."""
    is_open = session.status == "open"
    copies = {name: _forgetting_copy(copy, is_open=is_open) for name, copy in session.copies.items()}
    rewritten = is_open and any(copy.forgets for copy in copies.values())
    return session.model_copy(
        update={
            "copies": copies,
            "version": session.version + rewritten,
            "reason": None if says_why(session, booking) else session.reason,
        }
    )


def _forgetting_copy(copy: GoogleCopy, *, is_open: bool) -> GoogleCopy:
    if not is_open or copy.gone:
        return erased(copy)
    return copy.model_copy(update={"forgets": bool(copy.base or copy.asked)})
