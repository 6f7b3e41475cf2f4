"""An event of ours that its calendar says is deleted: first its session only notes that it is missing; then all calendars are asked for it; then this decides.

It may have been moved to another calendar (case 113): then that is where the session's event lives now. Where it is nowhere, the service's policy says what
follows (case 100): the session is cancelled, the event is made again, or a person is asked. Only Google's positive word leads here, never an error (law 7);
and where the calendars to which its owner would have moved it can't be asked any more, because their grant is lost, a person is asked, who may know.
"""

from dataclasses import dataclass
from typing import Any, Literal

from functions.domain.cancelling import cancel_session
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.event_ids import MOST_ATTEMPTS, event_id
from functions.domain.inbox_news import news_of_conflict
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import enter
from functions.domain.own_event import GOOGLE, is_disputed
from functions.domain.seating import freed_by, push_pending
from functions.domain.session import Booking, Conflict, GoogleCopy, Session
from functions.domain.standing import Obstacle

DELETE_RULE = Author(kind="rule", name="on_calendar_delete")
CALENDAR_DELETE = "deleted in Google Calendar"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """An event that no calendar has which could be asked. `certain`: all could be asked that its owner is likely to have moved it to."""

    calendar: str
    session: Session
    bookings: tuple[Booking, ...]
    service: Service | None
    certain: bool
    now: Millis

    @property
    def copy(self) -> GoogleCopy:
        return self.session.copies[self.calendar]


def decide_missing(missing: Missing) -> Decision[None]:
    """What follows from the delete. Twice changes nothing more."""
    session, copy = missing.session, missing.copy
    if copy.missing_since is None:
        return Decision(answer=None)
    if session.status == "cancelled":
        unwritten = session.with_copy(_gone(copy, copy.written))
        return Decision(answer=None, documents=(unwritten,), effects=(Effect(kind="push", subject=session.id),))
    if session.end * MINUTE_MS <= missing.now:
        return Decision(answer=None, documents=(session.with_copy(_gone(copy, session.version)),))
    policy = _policy(missing)
    if policy == "restore":
        return make_again(session, missing.calendar, author=DELETE_RULE)
    return _ask(missing) if policy == "ask" else _cancel(missing)


def _policy(missing: Missing) -> Literal["cancel", "restore", "ask"]:
    chosen = None if missing.service is None else missing.service.on_calendar_delete
    policy = chosen or ("ask" if len(missing.session.seats) > 1 else "cancel")
    if policy == "restore" and not can_be_made_again(missing.copy):
        return "ask"
    return "ask" if policy == "cancel" and not missing.certain else policy


def can_be_made_again(copy: GoogleCopy) -> bool:
    return copy.attempt + 1 < MOST_ATTEMPTS


def _gone(copy: GoogleCopy, written: int) -> GoogleCopy:
    return copy.model_copy(update={"gone": True, "missing_since": None, "etag": None, "written": written})


def _cancel(missing: Missing) -> Decision[None]:
    """The push of it looks once more: the event may be where nobody could be asked."""
    session = missing.session
    gone = session.with_copy(_gone(missing.copy, session.version))
    ended = cancel_session(gone, missing.bookings, author=GOOGLE, reason=CALENDAR_DELETE, calendar=missing.calendar)
    return ended.also(effects=freed_by(session, ended.answer.session)).with_answer(None)


def _ask(missing: Missing) -> Decision[None]:
    """Its time stays taken, and the copy stays noted as missing: if the event comes back by itself there is nothing left to ask."""
    session = missing.session
    known = session.conflict
    # Where another event of it was moved to, time is taken until that is decided: then this is asked (`settle_of`).
    elsewhere = session.in_conflict(Obstacle.MOVED) and not is_disputed(session, missing.calendar)
    if elsewhere or session.in_conflict(Obstacle.DELETED):
        return Decision(answer=None)
    conflict = Conflict(reason=Obstacle.DELETED, since=missing.now, calendar=missing.calendar)
    asked = session.model_copy(update={"conflict": conflict})
    entry = _entry(
        session,
        "session.conflicted",
        GOOGLE,
        calendar=missing.calendar,
        why=conflict.reason,
        before={"conflict": None if known is None else known.reason},
        after={"conflict": conflict.reason},
    )
    return Decision(
        answer=None,
        documents=(asked,),
        changes=enter(asked.resources, asked.occupation),
        history=(entry,),
        # As long as it was asked where this one is to be, nothing was written elsewhere.
        effects=(
            *(push_pending(asked) if session.in_conflict(Obstacle.MOVED) else ()),
            *news_of_conflict(session, asked),
        ),
    )


def make_again(session: Session, calendar: str, *, author: Author) -> Decision[None]:
    """With an id of its own, because Google takes none twice. Nobody needs to be told: the session is what it was."""
    copy = session.copies[calendar]
    again = GoogleCopy(
        calendar=calendar, event=event_id(session.id, calendar, copy.attempt + 1), attempt=copy.attempt + 1
    )
    restored = _no_longer_asked(session, calendar).with_copy(again)
    entry = _entry(
        session,
        "session.restored",
        author,
        calendar=calendar,
        why=CALENDAR_DELETE,
        before={"event": copy.event},
        after={"event": again.event},
    )
    # Whatever else stands in its way could not show behind the question.
    asked = restored.conflict != session.conflict
    return Decision(
        answer=None,
        documents=(restored,),
        changes=enter(restored.resources, restored.occupation) if asked else (),
        history=(entry,),
        effects=(
            Effect(kind="push", subject=session.id),
            # The one that it was may be beside another event of the session's; and another may be missing too.
            Effect(kind="settle", subject=session.id),
            *((Effect(kind="recalculate", subject=session.resources[0]),) if asked else ()),
        ),
    )


def go_on_without(session: Session, calendar: str) -> Session:
    """The session without an event in that calendar, from now on."""
    return session.with_copy(_gone(session.copies[calendar], session.version))


def rehomed(session: Session, left: str, calendar: str) -> Decision[Session]:
    """The event, found in another calendar: from now on it is the session's copy there, and what the calendar that it left says of it is nothing."""
    copies = {name: copy for name, copy in session.copies.items() if name != left}
    known = session.copies[left]
    home = known.home or left
    copy = known.model_copy(
        update={
            "calendar": calendar,
            "home": None if home == calendar else home,
            "missing_since": None,
            "gone": False,
        }
    )
    if session.status == "cancelled":  # it is still to be deleted, there
        copy = copy.model_copy(update={"written": min(copy.written, session.version - 1)})
    conflict = session.conflict
    if conflict is not None and conflict.calendar == left:
        conflict = conflict.model_copy(update={"calendar": calendar})
    moved = session.model_copy(update={"copies": {**copies, calendar: copy}, "conflict": conflict})
    entry = _entry(
        session,
        "session.moved_calendar",
        GOOGLE,
        calendar=calendar,
        why="its event was moved to another calendar",
        before={"calendar": left},
        after={"calendar": calendar},
    )
    return Decision(answer=moved, documents=(moved,), history=(entry,))


def _no_longer_asked(session: Session, calendar: str) -> Session:
    """Neither what is to become of an event that is missing, nor where this one is to be, which was moved before it was deleted."""
    over = session.in_conflict(Obstacle.DELETED) or is_disputed(session, calendar)
    return session.model_copy(update={"conflict": None}) if over else session


def _entry(session: Session, what: str, author: Author, *, calendar: str, why: str, **more: Any) -> HistoryEntry:
    return HistoryEntry(
        what=what,
        author=author,
        session=session.id,
        booking=next(iter(session.seats), None),
        resource=session.resources[0],
        calendar=calendar,
        why=why,
        **more,
    )
