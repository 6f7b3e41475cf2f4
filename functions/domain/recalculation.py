"""Recalculation: what follows for the sessions ahead when hours, capacity, services or calendars have changed.

A change destroys no booking. A session that can't be kept becomes conflicted, with the reason and since when, and the service's rule follows: it is flagged
for a person to decide, or cancelled. What can be kept again is supported again, first come first. All of it follows from the state (`standing`), so
that deciding twice changes nothing more; and a change that is only proposed is decided by the very same functions (`preview`).

An appointment's session has as many seats as its service says, also when the service says less than are sold: who came last has no seat then, and the
business hears of it before they all stand at the door. A session that was scheduled keeps its own number of seats. What has begun is not cancelled.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from functions.domain.appointments import cancel
from functions.domain.cancelling import cancel_session
from functions.domain.capacity import over_capacity
from functions.domain.decision import Author, Decision, HistoryEntry, in_one_commit
from functions.domain.inbox_news import news_of_conflict
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.ledger import LedgerMonth, Occupation, enter
from functions.domain.seating import freed_by
from functions.domain.session import Booking, Conflict, Session
from functions.domain.standing import SEEN_IN_GOOGLE, Obstacle, Scene, obstacles, precedence

RULE = Author(kind="rule", name="standing")

# What clients read when the rule cancels.
BECAUSE: Mapping[str, str] = {
    Obstacle.NOT_SERVED: "this is not offered any more",
    Obstacle.TAKEN: "something else takes this time",
    Obstacle.OUTSIDE_HOURS: "we are closed at that time",
    Obstacle.OVER_CAPACITY: "there are fewer seats than before",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What becomes of a session that was looked at, why, and to which of its bookings it happens.

    Conflicted for want of seats are only those bookings that have none; of such a session only they are cancelled.
    """

    becomes: Literal["conflicted", "cancelled", "supported"]
    session: Session
    reason: str
    bookings: tuple[Booking, ...]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would follow from a change: for sessions, and for the ledger, whose months are those after it. `sessions`: all that would not be as they were,
    also those of which nobody needs to hear.
    """

    outcomes: tuple[Outcome, ...]
    sessions: Mapping[str, Session]
    months: Mapping[str, tuple[LedgerMonth, ...]]


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """`reason`: what the session is flagged with, or (`cancelled`) why the rule ends it. `accepted`: what still stands in its way and is no conflict.
    `overfull`: some of its bookings have no seats.
    """

    capacity: int
    accepted: tuple[str, ...]
    reason: str | None
    overfull: bool
    rule_cancels: bool
    cancelled: bool


Decisions: TypeAlias = Decision[tuple[Outcome, ...]]


def in_question(scene: Scene) -> tuple[Occupation, ...]:
    """The sessions ahead in the scene's ledgers about which there may be something to decide, first come first.

    From the ledgers alone: of the others, which are as they should be, no more need be read.
    """
    places: dict[str, list[str]] = {}
    entries: dict[str, Occupation] = {}
    for name, months in scene.months.items():
        for entry in {key: entry for month in months for key, entry in month.sessions.items()}.values():
            if scene.now < entry.end * MINUTE_MS and entry.takes_time(scene.now):
                entries[entry.session] = entry
                places.setdefault(entry.session, []).append(name)
    found: list[Occupation] = []
    gone: set[str] = set()
    for entry in sorted(entries.values(), key=precedence):
        verdict = _judge(scene, entry, places[entry.session], gone)
        if verdict.cancelled:
            gone.add(entry.session)
        # Which of several bookings have no seats the ledger doesn't say.
        who_sits = entry.conflict is not None and entry.capacity > 1
        is_, should_be = (
            (entry.conflict, entry.capacity, entry.accepted),
            (verdict.reason, verdict.capacity, verdict.accepted),
        )
        if verdict.cancelled or verdict.overfull or who_sits or is_ != should_be:
            found.append(entry)
    return tuple(found)


def recalculate(scene: Scene, sessions: Iterable[Session], bookings: Iterable[Booking]) -> Decisions:
    """Sets the standing of these sessions and does what their services' rules say. The answer says of which something was changed.

    `bookings`: all that have or hold seats in them.
    """
    seated: dict[str, list[Booking]] = {}
    for booking in bookings:
        seated.setdefault(booking.session, []).append(booking)
    gone: set[str] = set()
    decisions: list[Decisions] = []
    for session in sorted(sessions, key=lambda each: precedence(each.occupation)):
        ahead = session.status == "open" and scene.now < session.end * MINUTE_MS
        if ahead and session.occupation.takes_time(scene.now):
            decision = _settle(session, seated.get(session.id, ()), scene, gone)
            decisions.append(decision)
            gone.update(o.session.id for o in decision.answer if o.session.status == "cancelled")
    return _together(decisions)


def preview(scene: Scene, sessions: Iterable[Session], bookings: Iterable[Booking]) -> Preview:
    """The same for a scene in which the change has been made, with nothing to commit."""
    decision = recalculate(scene, sessions, bookings)
    changed = {document.id: document for document in decision.documents if isinstance(document, Session)}
    return Preview(outcomes=decision.answer, sessions=changed, months=scene.after(decision.changes).months)


def _judge(scene: Scene, entry: Occupation, resources: Sequence[str], gone: Set[str]) -> _Verdict:
    service = scene.services.get(entry.service)
    capacity = entry.capacity if service is None or entry.scheduled else service.capacity
    there = obstacles(scene, replace(entry, capacity=capacity), resources, gone=gone)
    standing = {*there, Obstacle.TAKEN} if _perhaps_still_taken(scene, entry, resources) else {*there}
    accepted = tuple(name for name in entry.accepted if name in SEEN_IN_GOOGLE or name in standing)
    found = tuple(obstacle for obstacle in there if obstacle not in accepted)
    reason = next((each.value for each in Obstacle if each in standing and each not in accepted), None)
    rule_cancels = service is not None and service.on_conflict == "cancel" and scene.now < entry.start * MINUTE_MS
    ending = next((obstacle.value for obstacle in found if obstacle is not Obstacle.OVER_CAPACITY), None)
    if entry.conflict in SEEN_IN_GOOGLE:
        reason, ending = entry.conflict, None
    return _Verdict(
        capacity=capacity,
        accepted=accepted,
        reason=ending if rule_cancels and ending is not None else reason,
        overfull=Obstacle.OVER_CAPACITY in found,
        rule_cancels=rule_cancels,
        cancelled=rule_cancels and ending is not None,
    )


def _perhaps_still_taken(scene: Scene, entry: Occupation, resources: Sequence[str]) -> bool:
    """It was taken; and while a calendar is being laid out anew in the ledger, nothing is known to have come free."""
    known = (scene.known_until.get(name, 0) for name in resources if name in scene.resources)
    return Obstacle.TAKEN in (entry.conflict, *entry.accepted) and any(until < entry.taken_until for until in known)


def _settle(session: Session, bookings: Iterable[Booking], scene: Scene, gone: Set[str]) -> Decisions:
    now = scene.now
    verdict = _judge(scene, session.occupation, session.resources, gone)
    if verdict.cancelled and verdict.reason is not None:
        return _cancelled(session, bookings, verdict.reason)
    counted = tuple(booking for booking in bookings if _counts(booking, session, now))
    resized = session.model_copy(update={"capacity": verdict.capacity, "accepted": verdict.accepted})
    orphans = over_capacity(resized, counted) if verdict.overfull else ()
    if not (orphans and verdict.rule_cancels):
        return _flagged(session, resized, counted, reason=verdict.reason, orphans=orphans, now=now)
    cut = _without(resized, orphans, now)
    after = cut.answer[0].session
    if after.status != "open":  # nobody fits, and nobody is left in it
        return cut
    ended = {booking.id for booking in orphans}
    left = tuple(booking for booking in counted if booking.id not in ended)
    reason = None if verdict.reason == Obstacle.OVER_CAPACITY else verdict.reason
    return _together((cut, _flagged(session, after, left, reason=reason, orphans=(), now=now)))


def _counts(booking: Booking, session: Session, now: Millis) -> bool:
    hold = session.holds.get(booking.id)
    return booking.id in session.seats or (hold is not None and now < hold.expires_at)


def _cancelled(session: Session, bookings: Iterable[Booking], reason: str) -> Decisions:
    decision = cancel_session(session, bookings, author=RULE, reason=BECAUSE[reason])
    after = decision.answer.session
    ended = Outcome(becomes="cancelled", session=after, reason=reason, bookings=decision.answer.bookings)
    return Decision(
        answer=(ended,),
        documents=decision.documents,
        changes=decision.changes,
        history=decision.history,
        effects=(*decision.effects, *freed_by(session, after)),
    )


def _without(session: Session, orphans: tuple[Booking, ...], now: Millis) -> Decisions:
    """The session without those that it has no seats for; it goes on with the others."""
    decisions: list[Decisions] = []
    for orphan in orphans:
        decision = cancel(orphan, session, now=now, author=RULE, reason=BECAUSE[Obstacle.OVER_CAPACITY])
        session = decision.answer.session
        decisions.append(decision.with_answer(()))
    ended = Outcome(becomes="cancelled", session=session, reason=Obstacle.OVER_CAPACITY.value, bookings=orphans)
    return replace(_together(decisions), answer=(ended,))


def _flagged(
    before: Session,
    after: Session,
    bookings: tuple[Booking, ...],
    *,
    reason: str | None,
    orphans: tuple[Booking, ...],
    now: Millis,
) -> Decisions:
    """The session and its bookings, each with what stands in its way now. Since when, counts from the first that did."""
    was = None if before.conflict is None else before.conflict.reason
    since = now if before.conflict is None else before.conflict.since
    conflict = None if reason is None else Conflict(reason=reason, since=since)
    flagged = after.model_copy(update={"conflict": before.conflict if was == reason else conflict})
    without_seats = {booking.id for booking in orphans}
    fresh = tuple(booking for booking in orphans if booking.conflict is None)
    seated = tuple(each for each in bookings if each.conflict is not None and each.id not in without_seats)
    if flagged == before and not fresh and not seated:
        return Decision(answer=())
    no_seat = Conflict(reason=Obstacle.OVER_CAPACITY.value, since=now)
    return Decision(
        answer=_outcomes(flagged, bookings, was=was, reason=reason, fresh=fresh, seated=seated),
        documents=(
            flagged,
            *(booking.model_copy(update={"conflict": no_seat}) for booking in fresh),
            *(booking.model_copy(update={"conflict": None}) for booking in seated),
        ),
        # Also where the ledger says so already: nobody must have changed what this was decided by.
        changes=enter(flagged.resources, flagged.occupation),
        history=(
            *_resized(before, flagged),
            *_about_session(flagged, was=was, reason=reason),
            *_no_more_accepted(before, flagged),
            *(_entry("booking.conflicted", flagged, booking, why=Obstacle.OVER_CAPACITY) for booking in fresh),
            *(_entry("booking.supported", flagged, booking, why="there are seats again") for booking in seated),
        ),
        effects=news_of_conflict(before, flagged),
    )


def _outcomes(
    session: Session,
    bookings: tuple[Booking, ...],
    *,
    was: str | None,
    reason: str | None,
    fresh: tuple[Booking, ...],
    seated: tuple[Booking, ...],
) -> tuple[Outcome, ...]:
    found = []
    if reason is not None and reason != was:
        concerned = fresh if reason == Obstacle.OVER_CAPACITY else bookings
        found.append(Outcome(becomes="conflicted", session=session, reason=reason, bookings=concerned))
    elif fresh:
        found.append(Outcome(becomes="conflicted", session=session, reason=Obstacle.OVER_CAPACITY, bookings=fresh))
    if was is not None and reason is None:
        found.append(Outcome(becomes="supported", session=session, reason=was, bookings=bookings))
    elif seated:
        found.append(Outcome(becomes="supported", session=session, reason=Obstacle.OVER_CAPACITY, bookings=seated))
    return tuple(found)


def _resized(before: Session, after: Session) -> tuple[HistoryEntry, ...]:
    if before.capacity == after.capacity:
        return ()
    was, is_ = {"capacity": before.capacity}, {"capacity": after.capacity}
    return (_entry("session.changed", after, why="its service has as many seats now", before=was, after=is_),)


def _about_session(session: Session, *, was: str | None, reason: str | None) -> tuple[HistoryEntry, ...]:
    if was == reason:
        return ()
    what = "session.supported" if reason is None else "session.conflicted"
    why = f"not {was} any more" if reason is None else reason
    return (_entry(what, session, why=why, before={"conflict": was}, after={"conflict": reason}),)


def _no_more_accepted(before: Session, after: Session) -> tuple[HistoryEntry, ...]:
    """What an operator lived with is over: should it come again, they are asked again."""
    return tuple(
        _entry("session.supported", after, why=f"not {reason} any more", before={"accepted": reason})
        for reason in before.accepted
        if reason not in after.accepted
    )


def _entry(
    what: str,
    session: Session,
    booking: Booking | None = None,
    *,
    why: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> HistoryEntry:
    return HistoryEntry(
        what=what,
        author=RULE,
        session=session.id,
        booking=None if booking is None else booking.id,
        resource=session.resources[0],
        why=why,
        before=before or {},
        after=after or {},
    )


def _together(decisions: Iterable[Decisions]) -> Decisions:
    decisions = tuple(decisions)
    return in_one_commit(decisions, tuple(outcome for one in decisions for outcome in one.answer))
