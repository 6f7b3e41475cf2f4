"""Seats that are kept for those who wait: each session says in short who waits for it by name, so that nobody else takes a seat that comes free.

The session and the ledger say it in the same commit in which the queue changes. Kept are seats of sessions that run. Free time, in which an appointment
may begin anew, and what is waited for as any start of a range, go to who waits as soon as they are free, but are not closed to others.
"""

from dataclasses import replace
from typing import TypeVar

from functions.domain.decision import Decision
from functions.domain.ledger import Waiting, enter, merge_changes
from functions.domain.session import Session
from functions.domain.waitlist.entry import Place
from functions.domain.waitlist.snapshot import Waitlist

A = TypeVar("A")


def waiting_for(session: Session, waitlist: Waitlist) -> Waiting | None:
    """Who waits for this session and could have a seat in it, so that one is worth keeping; None where there is nobody."""
    ends_with_its_booking = session.capacity == 1 and not session.scheduled
    if session.status != "open" or ends_with_its_booking:
        return None
    parties = [place.seats for place in waitlist.queue.places.values() if _could_have(place, session, waitlist)]
    if not parties:
        return None
    preset = waitlist.rules_of(session)
    until = session.start - preset.cutoff_minutes
    return Waiting(smallest=min(parties), until=until, strict=preset.party == "strict")


def _could_have(place: Place, session: Session, waitlist: Waitlist) -> bool:
    """Not those about whom an operator decides by hand, who did not want it, whom a limit keeps out, or who are more than it holds."""
    return (
        waitlist.names(place.wish, session)
        and not place.paused
        and session.start not in place.declined
        and session.start not in place.limited
        and place.seats <= waitlist.room_in(session)
    )


def keeping(decision: Decision[A], waitlist: Waitlist) -> Decision[A]:
    """The decision, in which the sessions also say who waits for them after it. `waitlist` holds the queue as it is then."""
    written = {document.id: document for document in decision.documents if isinstance(document, Session)}
    changed: dict[str, Session] = {}
    for name, session in sorted({**waitlist.sessions, **written}.items()):
        waiting = waiting_for(session, waitlist)
        if waiting != session.waiting:
            changed[name] = session.model_copy(update={"waiting": waiting})
    others = [each for each in decision.documents if not (isinstance(each, Session) and each.id in changed)]
    ledger = [change for s in changed.values() if s.status == "open" for change in enter(s.resources, s.occupation)]
    return replace(
        decision,
        documents=(*others, *changed.values()),
        changes=merge_changes((*decision.changes, *ledger)),
    )
