"""What it means when an event of ours is not as we left it in Google (law 8).

Three-way: the base is what we last wrote or saw there (`GoogleCopy`), theirs is the event now, ours is the session. Where theirs equals the
base nobody touched it there, whatever our session wants now: an echo, or a write of ours that is still on its way (case 91). Where theirs differs,
somebody moved it, and the service's policy says what follows: the session follows exactly (cases 103 to 107) and the client is told once, because the base
moves in the same commit; or the event is put back; or a person is asked, and both times are taken until they have decided. That it is no longer there is
only noted here: see `missing_event`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from functions.domain.availability import ResourceState
from functions.domain.availability.taken import occupations
from functions.domain.cancelling import cancel_session
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.destinations import gone_from
from functions.domain.event_ids import names_of
from functions.domain.google_event import Malformed, MirrorEvent, interval_of, is_older
from functions.domain.guest_answers import answers_of
from functions.domain.instants import MINUTE_MS, Millis, rfc3339
from functions.domain.ledger import LedgerChange, Occupation, enter, move
from functions.domain.seating import seated, settle_of, times_of
from functions.domain.session import Booking, Conflict, GoogleCopy, Session, Times
from functions.domain.standing import SEEN_IN_GOOGLE, Obstacle, Scene, obstacles

GOOGLE = Author(kind="google")
MOVE_RULE = Author(kind="rule", name="on_calendar_move")
HOST_DECLINED = "declined in Google Calendar"


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
    elsewhere = {copy.event for copy in session.copies.values() if copy.calendar != calendar}
    return not elsewhere.isdisjoint(names_of(event))


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


def decide_inbound(inbound: Inbound) -> Decision[None]:
    """Makes our state follow the event. Writes nothing where nothing changed in Google since we last looked or wrote.

    A list that was asked for before our last write, and is applied after it, shows the event as it was before: that is no move of its owner's.
    """
    if is_older(inbound.event, inbound.base.updated):
        return Decision(answer=None)
    if inbound.event.cancelled:
        return _missing(inbound)
    answers = answers_of(inbound.bookings, inbound.declined_by, author=GOOGLE, now=inbound.now)
    decision = _present(replace(inbound, bookings=answers.bookings))
    written = {document.id for document in decision.documents if isinstance(document, Booking)}
    return decision.also(
        documents=tuple(booking for booking in answers.changed if booking.id not in written), history=answers.history
    )


def _missing(inbound: Inbound) -> Decision[None]:
    """Only noted, and asked about: it may have been moved to another calendar (case 113)."""
    session, base = inbound.session, inbound.base
    if base.left_alone:
        return Decision(answer=None)
    if base.leaving is not None:
        return _left_already(session, base)
    if session.status == "cancelled":  # the push that would have deleted it looks whether it was moved
        gone = base.model_copy(update={"gone": True, "etag": None})
        push = Effect(kind="push", subject=session.id)
        return Decision(answer=None, documents=(session.with_copy(gone),), effects=(push,))
    if inbound.is_past:  # case 101: past ones keep their history
        gone = base.model_copy(update={"gone": True, "etag": None, "written": session.version})
        return Decision(answer=None, documents=(session.with_copy(gone),))
    missing = session.with_copy(base.model_copy(update={"missing_since": inbound.now, "etag": None}))
    return Decision(answer=None, documents=(missing,), effects=(Effect(kind="settle", subject=session.id),))


def _left_already(session: Session, base: GoogleCopy) -> Decision[None]:
    """It was to go from there, whoever took it away. Where we have asked for that, the push that did so takes note of it."""
    if base.leaving != "due":
        return Decision(answer=None)
    return Decision(answer=None, documents=(session.with_copy(gone_from(base)),))


def _leave_again(session: Session, base: GoogleCopy) -> Decision[None]:
    """It is not to be there (any more), and shows all the same."""
    due = session.with_copy(base.model_copy(update={"gone": False, "error": None, "error_since": None}))
    return Decision(answer=None, documents=(due,), effects=(Effect(kind="push", subject=session.id),))


def _present(inbound: Inbound) -> Decision[None]:
    session, base, event = inbound.session, inbound.base, inbound.event
    if base.leaving is not None and base.gone:
        return _leave_again(session, base)
    seen = base.model_copy(update=_seen_there(event))
    times = new_times(event, inbound.calendar_zone)
    if _host_cancels(inbound, times or session.times):
        seen = seen if times is None else seen.model_copy(update={"base": times})
        left = session.with_copy(seen)
        ended = cancel_session(left, inbound.bookings, author=GOOGLE, reason=HOST_DECLINED, calendar=event.calendar)
        return ended.with_answer(None)
    if times is None:
        return _note(session, base, seen)
    if session.status == "cancelled" or times == base.base or times in base.asked:
        # As we left it, or about to be deleted: the etag is the only news, so that our next write fits.
        return _reshaped(inbound, session.with_copy(seen.model_copy(update={"base": times})))
    if times == session.times:
        # Where we were about to put it. What else was to be written, guests say, still is.
        seen = seen.model_copy(update={"base": times})
        return _reshaped(inbound, session.with_copy(seen))
    policy = _move_policy(inbound)
    if base.leaving is not None and policy != "follow":
        # It is about to be deleted there, and stands where it should in another calendar.
        return _note(session, base, seen)
    if policy == "ask":
        return _asked(inbound, times, seen)
    return follow(inbound) if policy == "follow" else put_back(inbound, author=MOVE_RULE)


def _seen_there(event: MirrorEvent) -> dict[str, Any]:
    """What is known of a copy whose event was seen."""
    return {"etag": event.etag, "gone": False, "out_of_reach": False, "missing_since": None, "error": None}


def _host_cancels(inbound: Inbound, times: Times) -> bool:
    """Case 110, where its event still lies ahead."""
    session = inbound.session
    ahead = session.status == "open" and inbound.now < times.start * MINUTE_MS
    rule = inbound.service is not None and inbound.service.on_host_decline == "cancel"
    return rule and ahead and inbound.event.declined and Obstacle.DECLINED not in session.accepted


def _move_policy(inbound: Inbound) -> Literal["follow", "restore", "ask"]:
    """A series can be neither put back by a patch of its times nor laid out as one disputed block: the session goes along and is flagged (case 107)."""
    if inbound.service is None or inbound.event.kind != "single" or inbound.is_past:
        return "follow"
    return inbound.service.on_calendar_move


def _reshaped(inbound: Inbound, after: Session) -> Decision[None]:
    """The time stayed, but a session can't be what the event has become, a series say: that is flagged, once, until it is what it was (case 107)."""
    session = inbound.session
    if new_times(inbound.event, inbound.calendar_zone) != session.times:
        inbound = _timed(inbound)  # ours is on its way there
    after = after.model_copy(update={"accepted": _still_accepted(inbound)})
    flagged = None if session.conflict is None else session.conflict.reason
    reason = _reason_after(inbound, after)
    # What was still to be written waited for the event to be found, or to be reached again.
    waited = inbound.base.missing_since is not None or inbound.base.out_of_reach
    effects = _push_elsewhere(after) if waited else ()
    if session.status != "open" or (reason == flagged and after.accepted == session.accepted):
        return Decision(answer=None, documents=() if after == session else (after,), effects=effects)
    entry = _entry(
        inbound,
        "session.supported" if reason is None else "session.conflicted",
        booking=next(iter(session.seats), None),
        why=reason or f"not {flagged} any more",
        before={"conflict": flagged},
        after={"conflict": reason},
    )
    after = after.model_copy(update={"conflict": _conflict(inbound, reason)})
    changes = enter(session.resources, after.occupation)
    return Decision(
        answer=None, documents=(after,), changes=changes, history=(entry,), effects=(*effects, *settle_of(after))
    )


def _still_accepted(inbound: Inbound) -> tuple[str, ...]:
    """What an operator lives with, less what is over in Google. Where there is another copy, it may be that one which it was about."""
    session = inbound.session
    if len(session.present_copies) > 1 or session.status != "open":
        return session.accepted
    over = SEEN_IN_GOOGLE - _strange(inbound.event)
    return tuple(reason for reason in session.accepted if reason not in over)


def _reason_after(inbound: Inbound, after: Session) -> str | None:
    conflict = inbound.session.conflict
    seen = next((each.value for each in Obstacle if each in _strange(inbound.event) - {*after.accepted}), None)
    if conflict is None or conflict.reason not in SEEN_IN_GOOGLE:
        return seen or (None if conflict is None else conflict.reason)
    # Where there is another copy, it may be that one which it is about.
    elsewhere = (
        len(after.present_copies) > 1 if conflict.calendar is None else conflict.calendar != inbound.event.calendar
    )
    if elsewhere:
        return conflict.reason
    return seen or _standing(inbound, after)


def _strange(event: MirrorEvent) -> frozenset[Obstacle]:
    """What the event has become that a session can't be, and that its owner is not coming."""
    found = {Obstacle.DECLINED} if event.declined else set()
    if event.start is not None and event.start.all_day:
        found.add(Obstacle.ALL_DAY)
    if event.kind != "single":
        found.add(Obstacle.RECURRING)
    return frozenset(found)


def _note(session: Session, base: GoogleCopy, seen: GoogleCopy) -> Decision[None]:
    return Decision(answer=None) if seen == base else Decision(answer=None, documents=(session.with_copy(seen),))


def _asked(inbound: Inbound, times: Times, seen: GoogleCopy) -> Decision[None]:
    """The session stays where it was, and the base what it was, so that an event which is moved back is in order again."""
    session = inbound.session
    after = session.with_copy(seen)
    known = session.conflict
    if known is not None and is_disputed(session, inbound.event.calendar):
        if known.times == times:
            return _note(session, inbound.base, seen)
        conflict = known.model_copy(update={"times": times})
    else:
        conflict = Conflict(reason=Obstacle.MOVED, since=inbound.now, calendar=inbound.event.calendar, times=times)
    after = after.model_copy(update={"conflict": conflict})
    entry = _entry(
        inbound,
        "session.conflicted",
        booking=next(iter(session.seats), None),
        why=conflict.reason,
        before={"conflict": None if known is None else known.reason, **times_of(session)},
        after={"conflict": conflict.reason, "start": rfc3339(times.start), "end": rfc3339(times.end)},
    )
    changes = enter(session.resources, after.occupation)
    return Decision(answer=None, documents=(after,), changes=changes, history=(entry,))


def put_back(inbound: Inbound, *, author: Author) -> Decision[None]:
    """The session stays, and the event is written back to its time: what is there now is the base of that write. Nobody needs to be told."""
    session, event = inbound.session, inbound.event
    times = new_times(event, inbound.calendar_zone) or session.times
    seen = inbound.base.model_copy(update={**_seen_there(event), "base": times, "asked": ()})
    timed = _timed(inbound)
    kept = session.model_copy(update={"version": session.version + 1, "accepted": _still_accepted(timed)})
    kept = kept.with_copy(seen)
    kept = kept.model_copy(update={"conflict": _conflict(inbound, _reason_after(timed, kept))})
    entry = _entry(
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
        effects=(Effect(kind="push", subject=session.id), *settle_of(kept)),
    )


def _timed(inbound: Inbound) -> Inbound:
    """As the event is once it has the session's time: no whole day any more; what else it has become, it still is."""
    return replace(inbound, event=inbound.event.model_copy(update={"start": None, "end": None}))


def follow(inbound: Inbound, *, author: Author = GOOGLE) -> Decision[None]:
    """The session goes to where its event is, with everybody in it."""
    session, event = inbound.session, inbound.event
    times = new_times(event, inbound.calendar_zone) or session.times
    moved = _arrived(inbound, session.moved_to(times.start, times.end, at=inbound.now))
    reason = _standing(inbound, moved)
    seen = inbound.base.model_copy(update=_seen_there(event))
    # Something else of ours that was still on its way stays pending; the time itself is what Google holds already.
    written = seen.written if seen.written < session.version else moved.version
    conflict = session.conflict if _asks_elsewhere(inbound) else _conflict(inbound, reason, anew=True)
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
            *_push_elsewhere(moved),
            *settle_of(moved),
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


def _asks_elsewhere(inbound: Inbound) -> bool:
    """Whether a person is asked about its event in another calendar, which is missing: that counts before all that this one shows (see `standing`)."""
    conflict = inbound.session.conflict
    return conflict is not None and conflict.reason == Obstacle.DELETED and conflict.calendar != inbound.event.calendar


def _conflict(inbound: Inbound, reason: str | None, *, anew: bool = False) -> Conflict | None:
    known = inbound.session.conflict
    if reason is None or (known is not None and known.reason == reason and not anew):
        return None if reason is None else known
    calendar = inbound.event.calendar if reason in SEEN_IN_GOOGLE else None
    return Conflict(reason=reason, since=inbound.now, calendar=calendar)


def _moved_entries(inbound: Inbound, moved: Session, why: str | None, author: Author) -> tuple[HistoryEntry, ...]:
    """One, of the session and of the booking it was made for; where there are several, each of them has one of its own."""
    bookings = [booking.id for booking in inbound.bookings]
    alone = bookings[0] if len(bookings) == 1 else None
    told: dict[str, Any] = {"why": why, "before": times_of(inbound.session), "after": times_of(moved), "author": author}
    return (
        _entry(inbound, "session.moved", booking=alone, **told),
        *(_entry(inbound, "booking.moved", booking=booking, **told) for booking in bookings if booking != alone),
    )


def _entry(
    inbound: Inbound,
    what: str,
    *,
    booking: str | None,
    why: str | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    author: Author = GOOGLE,
) -> HistoryEntry:
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


def _along(booking: Booking, moved: Session) -> Booking:
    """Who had no seat before the move has none after it."""
    return seated(booking, moved).model_copy(update={"conflict": booking.conflict})


def _standing(inbound: Inbound, session: Session) -> str | None:
    """Why the session can't be kept at the time that it has in Google as it was promised; None where it can."""
    strange = _strange(inbound.event) - {*session.accepted}
    return next((each.value for each in Obstacle if each in strange), None) or _blocked(inbound, session)


def _blocked(inbound: Inbound, session: Session) -> str | None:
    """By the time itself, and by what else is in it: the event's own block, where it was disputed, stands for the session."""
    own = {(inbound.event.calendar, inbound.event.id): None}
    scene = Scene(
        resources={state.resource.id: state.resource for state in inbound.states},
        services={} if inbound.service is None else {inbound.service.id: inbound.service},
        months={state.resource.id: state.months for state in inbound.states},
        now=inbound.now,
    ).after(
        LedgerChange(resource=month.resource, month=month.month, blocks=own)
        for state in inbound.states
        for month in state.months
    )
    found = obstacles(scene, session.occupation, session.resources)
    return next((each.value for each in found if each not in session.accepted), None)


def _push_elsewhere(session: Session) -> tuple[Effect, ...]:
    return (Effect(kind="push", subject=session.id),) if session.copy_pending else ()
