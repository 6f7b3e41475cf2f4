"""The operator's inbox: what a person has to decide about a session, in plain words, with the choices that resolve it and what each of them does.

It is derived from the sessions themselves, so that it can't be out of step with them: a session is in it as long as it has a conflict.
"""

from collections.abc import Mapping
from enum import StrEnum

from functions.domain.brought_back import BROUGHT_BACK
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import ChoiceNotOffered
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import enter
from functions.domain.missing_event import go_on_without
from functions.domain.roster import Roster, noted
from functions.domain.seating import push_pending, settle_of
from functions.domain.session import Booking, Session
from functions.domain.standing import Obstacle


class Choice(StrEnum):
    KEEP = "keep"
    MOVE = "move"
    CANCEL = "cancel"
    RESTORE = "restore"
    FOLLOW = "follow"
    REBOOK = "rebook"
    LEAVE = "leave"
    DELETE = "delete"


IN_WORDS: Mapping[str, str] = {
    Obstacle.DELETED: "Its event was deleted in Google Calendar, and is in no other calendar that can be read.",
    Obstacle.MOVED: "Its event was moved in Google Calendar. Both times are taken until you decide.",
    Obstacle.ALL_DAY: "Its event was made an all-day event in Google Calendar.",
    Obstacle.RECURRING: "Its event was made a recurring series in Google Calendar. Make it a single event there again, or decide here.",
    Obstacle.DECLINED: "Its host declined it in Google Calendar.",
    Obstacle.NOT_SERVED: "Its service is not offered there any more.",
    Obstacle.TAKEN: "Something else takes its time.",
    Obstacle.OUTSIDE_HOURS: "It lies outside the opening hours.",
    Obstacle.OVER_CAPACITY: "More seats of it are promised than there are.",
    BROUGHT_BACK: "It was cancelled because its event was deleted in Google Calendar, and now the event is there again. It takes time until you decide.",
}

WHAT_IT_DOES: Mapping[Choice, str] = {
    Choice.KEEP: "It stays as it is, and you are not asked about this again for as long as it lasts. Nobody is told.",
    Choice.MOVE: "It moves to the start that you give, with everybody in it; each client is told.",
    Choice.CANCEL: "It is cancelled with all its bookings; each client is told, with the reason if you give one.",
    Choice.RESTORE: "Its event is put back into Google Calendar, at its time. Nobody is told.",
    Choice.FOLLOW: "It moves to where its event is, with everybody in it; each client is told.",
    Choice.REBOOK: "It is booked again, at the time of its event, with those who were cancelled because of the delete; each client is told.",
    Choice.LEAVE: "It stays cancelled. The event is its owner's from now on, and takes their time.",
    Choice.DELETE: "It stays cancelled. The event is deleted in Google Calendar, and its time is free.",
}

_OFFERED: Mapping[str, tuple[Choice, ...]] = {
    Obstacle.DELETED: (Choice.RESTORE, Choice.KEEP, Choice.CANCEL),
    Obstacle.MOVED: (Choice.FOLLOW, Choice.RESTORE, Choice.CANCEL),
    Obstacle.ALL_DAY: (Choice.KEEP, Choice.MOVE, Choice.CANCEL),
    Obstacle.RECURRING: (Choice.KEEP, Choice.CANCEL),
    Obstacle.DECLINED: (Choice.KEEP, Choice.CANCEL),
    Obstacle.NOT_SERVED: (Choice.KEEP, Choice.CANCEL),
    Obstacle.TAKEN: (Choice.KEEP, Choice.MOVE, Choice.CANCEL),
    Obstacle.OUTSIDE_HOURS: (Choice.KEEP, Choice.MOVE, Choice.CANCEL),
    Obstacle.OVER_CAPACITY: (Choice.KEEP, Choice.CANCEL),
    BROUGHT_BACK: (Choice.REBOOK, Choice.LEAVE, Choice.DELETE),
}


# What follows of itself from something that is accepted: a series takes its own first time, and a whole day is never all open.
_GOES_WITH: Mapping[str, str] = {Obstacle.RECURRING: Obstacle.TAKEN, Obstacle.ALL_DAY: Obstacle.OUTSIDE_HOURS}


def choices_for(session: Session, now: Millis) -> tuple[Choice, ...]:
    """What can be chosen: nothing where it is in no conflict, or over; once it has begun, only to let it be."""
    if session.conflict is None or (session.status == "cancelled" and not session.in_conflict(BROUGHT_BACK)):
        return ()
    if session.start * MINUTE_MS <= now and session.status == "open":
        return (Choice.KEEP,)
    times = session.conflict.times
    if session.status == "cancelled" and times is not None and times.start * MINUTE_MS <= now:
        return (Choice.LEAVE,)
    return _OFFERED.get(session.conflict.reason, (Choice.KEEP, Choice.CANCEL))


def must_be_offered(session: Session, choice: Choice, now: Millis) -> None:
    """Raises `ChoiceNotOffered`, which names those that are."""
    offered = choices_for(session, now)
    if choice in offered:
        return
    if not offered:
        raise ChoiceNotOffered("There is nothing to decide about this session (any more).", choices=[])
    raise ChoiceNotOffered(f"Here you can choose {', '.join(offered)}.", choices=list(offered))


def keep(roster: Roster, *, author: Author) -> Decision[Roster]:
    """It is as it is: out of the inbox, and not flagged again for the same reason while that lasts (see `recalculation` and `inbound`)."""
    session, conflict = roster.session, roster.session.conflict
    if conflict is None:
        return Decision(answer=roster)
    also = (_GOES_WITH[conflict.reason],) if conflict.reason in _GOES_WITH else ()
    accepted = tuple(str(reason) for reason in dict.fromkeys((*session.accepted, conflict.reason, *also)))
    kept = session.model_copy(update={"conflict": None, "accepted": accepted})
    copy = kept.copies.get(conflict.calendar or "")
    if copy is not None and conflict.reason == Obstacle.DELETED:
        kept = go_on_without(kept, copy.calendar)
    if copy is not None and conflict.reason == Obstacle.MOVED:
        kept = kept.with_copy(copy.model_copy(update={"base": conflict.times, "asked": ()}))
    bookings = tuple(booking.model_copy(update={"conflict": None}) for booking in roster.bookings if booking.conflict)
    seated = {booking.id: booking for booking in bookings}
    return Decision(
        answer=Roster(session=kept, bookings=tuple(seated.get(each.id, each) for each in roster.bookings)),
        documents=(kept, *bookings),
        changes=enter(kept.resources, kept.occupation) if kept.status == "open" else (),
        history=(
            _accepted(kept, conflict.reason, author),
            *(_accepted(kept, conflict.reason, author, booking) for booking in bookings),
        ),
        # Something else may stand in its way that could not show behind this; and what was to be written waited for the answer.
        effects=(
            Effect(kind="recalculate", subject=kept.resources[0]),
            *(push_pending(kept) if conflict.reason == Obstacle.MOVED else ()),
            *settle_of(session, kept),
        )
        if kept.status == "open"
        else (),
    )


def _accepted(session: Session, reason: str, author: Author, booking: Booking | None = None) -> HistoryEntry:
    what = "session.accepted" if booking is None else "booking.supported"
    why = "it stays as it is"
    return noted(session, what, author, booking=booking, why=why, before={"conflict": reason}, after={"conflict": None})
