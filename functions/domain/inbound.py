"""What it means when an event of ours is not as we left it in Google (law 8).

Three-way: the base is what we last wrote or saw there (`GoogleCopy`), theirs is the event now, ours is the session. Where theirs equals the
base nobody touched it there, whatever our session wants now: an echo, or a write of ours that is still on its way (case 91). Where theirs differs,
somebody moved it (see `moved_event`). That it is no longer there is only noted here: see `missing_event`.
"""

from dataclasses import replace

from functions.domain.cancelling import cancel_session
from functions.domain.decision import Decision, Effect
from functions.domain.destinations import gone_from
from functions.domain.event_standing import conflict_of, reason_after, still_accepted
from functions.domain.google_event import is_older
from functions.domain.guest_answers import answers_of
from functions.domain.inbox_news import news_of_conflict
from functions.domain.instants import MINUTE_MS
from functions.domain.ledger import enter
from functions.domain.moved_event import MOVE_RULE, ask, follow, move_policy, put_back
from functions.domain.own_event import GOOGLE, Inbound, entry_of, new_times, note, seen_there
from functions.domain.seating import push_pending, settle_of
from functions.domain.session import Booking, GoogleCopy, Session, Times
from functions.domain.standing import Obstacle

HOST_DECLINED = "declined in Google Calendar"


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
        documents=tuple(booking for booking in answers.changed if booking.id not in written),
        history=answers.history,
        effects=answers.effects,
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
    """It was to go from there, whoever took it away, and wherever to. Where we have asked for that, the push that did so takes note of it."""
    gone = gone_from(base)
    if base.leaving != "due" or gone == base:
        return Decision(answer=None)
    looked_for = Effect(kind="settle", subject=session.id)
    return Decision(answer=None, documents=(session.with_copy(gone),), effects=(looked_for,))


def _leave_again(session: Session, base: GoogleCopy) -> Decision[None]:
    """It is not to be there (any more), and shows all the same."""
    due = session.with_copy(base.model_copy(update={"gone": False, "error": None, "error_since": None}))
    return Decision(answer=None, documents=(due,), effects=(Effect(kind="push", subject=session.id),))


def _present(inbound: Inbound) -> Decision[None]:
    session, base, event = inbound.session, inbound.base, inbound.event
    if base.leaving is not None and base.gone:
        return _leave_again(session, base)
    seen = base.model_copy(update=seen_there(event))
    times = new_times(event, inbound.calendar_zone)
    if _host_cancels(inbound, times or session.times):
        seen = seen if times is None else seen.model_copy(update={"base": times})
        left = session.with_copy(seen)
        ended = cancel_session(left, inbound.bookings, author=GOOGLE, reason=HOST_DECLINED, calendar=event.calendar)
        return ended.with_answer(None)
    if times is None:
        return note(session, base, seen)
    if session.status == "cancelled" or times == base.base or times in base.asked:
        # As we left it, or about to be deleted: the etag is the only news, so that our next write fits.
        return _reshaped(inbound, session.with_copy(seen.model_copy(update={"base": times})))
    if times == session.times:
        # Where we were about to put it. What else was to be written, guests say, still is.
        seen = seen.model_copy(update={"base": times})
        return _reshaped(inbound, session.with_copy(seen))
    policy = move_policy(inbound)
    if base.leaving is not None and policy != "follow":
        # It is about to be deleted there, and stands where it should in another calendar.
        return note(session, base, seen)
    if policy == "ask":
        return ask(inbound, times, seen)
    return follow(inbound) if policy == "follow" else put_back(inbound, author=MOVE_RULE)


def _host_cancels(inbound: Inbound, times: Times) -> bool:
    """Case 110, where its event still lies ahead."""
    session = inbound.session
    ahead = session.status == "open" and inbound.now < times.start * MINUTE_MS
    rule = inbound.service is not None and inbound.service.on_host_decline == "cancel"
    return rule and ahead and inbound.event.declined and Obstacle.DECLINED not in session.accepted


def _reshaped(inbound: Inbound, after: Session) -> Decision[None]:
    """The time stayed, but a session can't be what the event has become, a series say: that is flagged, once, until it is what it was (case 107)."""
    session = inbound.session
    if new_times(inbound.event, inbound.calendar_zone) != session.times:
        inbound = inbound.at_session_time()  # ours is on its way there
    after = after.model_copy(update={"accepted": still_accepted(inbound)})
    flagged = None if session.conflict is None else session.conflict.reason
    reason = reason_after(inbound, after)
    # What was still to be written waited for the event to be found or reached again, or until nobody is to decide about its time any more.
    found = inbound.base.missing_since is not None or inbound.base.out_of_reach
    waited = found or (flagged == Obstacle.MOVED and reason != flagged)
    effects = push_pending(after) if waited else ()
    if session.status != "open" or (reason == flagged and after.accepted == session.accepted):
        return Decision(answer=None, documents=() if after == session else (after,), effects=effects)
    entry = entry_of(
        inbound,
        "session.supported" if reason is None else "session.conflicted",
        booking=next(iter(session.seats), None),
        why=reason or f"not {flagged} any more",
        before={"conflict": flagged},
        after={"conflict": reason},
    )
    after = after.model_copy(update={"conflict": conflict_of(inbound, reason)})
    changes = enter(session.resources, after.occupation)
    return Decision(
        answer=None,
        documents=(after,),
        changes=changes,
        history=(entry,),
        effects=(*effects, *settle_of(session, after), *news_of_conflict(session, after)),
    )
