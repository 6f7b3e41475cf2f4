"""Seats that are kept for those who wait: each session says in short who waits for it by name, so that nobody else takes a seat that comes free.

The session and the ledger say it in the same commit in which the queue changes.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from functions.domain.decision import Decision
from functions.domain.ledger import Waiting, enter, merge_changes
from functions.domain.session import Session
from functions.domain.waitlist.entry import Queue
from functions.domain.waitlist.preset import Preset
from functions.domain.waitlist.snapshot import Waitlist

A = TypeVar("A")


def waiting_for(session: Session, queue: Queue, preset: Preset) -> Waiting | None:
    """Who waits for this session, less those about whom an operator decides by hand; None where there is nobody."""
    if session.status != "open":
        return None
    parties = [place.seats for place in queue.places.values() if session.id in place.wish.sessions and not place.paused]
    if not parties:
        return None
    until = session.start - preset.cutoff_minutes
    return Waiting(smallest=min(parties), until=until, strict=preset.party == "strict")


def keeping(decision: Decision[A], waitlist: Waitlist, sessions: Iterable[str]) -> Decision[A]:
    """The decision, in which these sessions also say who waits for them after it. `waitlist` holds the queue as it is then."""
    written = {document.id: document for document in decision.documents if isinstance(document, Session)}
    changed: dict[str, Session] = {}
    for name in sorted({*sessions}):
        session = written.get(name) or waitlist.sessions.get(name)
        if session is None:
            continue
        waiting = waiting_for(session, waitlist.queue, waitlist.rules_of(session))
        if waiting != session.waiting:
            changed[name] = session.model_copy(update={"waiting": waiting})
    others = [each for each in decision.documents if not (isinstance(each, Session) and each.id in changed)]
    ledger = [change for s in changed.values() if s.status == "open" for change in enter(s.resources, s.occupation)]
    return replace(
        decision,
        documents=(*others, *changed.values()),
        changes=merge_changes((*decision.changes, *ledger)),
    )
