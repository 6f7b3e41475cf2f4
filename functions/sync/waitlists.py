"""Promote: what is free goes to those who wait for it, in their order; what they wait for in vain, and offers that ran out, come to an end.

Step by step, each one commit from a new reading: so it does not matter when this runs, how often, or that two do at once.
"""

import os
from collections.abc import Set
from contextlib import suppress
from dataclasses import replace

from functions.adapters.google_errors import GoogleError
from functions.adapters.signing import new_managed_id
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.reading import not_fresh
from functions.adapters.store.reading_waitlist import read_client_bookings, read_waitlist
from functions.adapters.store.store import Reader
from functions.adapters.sync_function import FOR_A_SALE
from functions.domain.appointments import Booked
from functions.domain.decision import Decision, Ref
from functions.domain.event_ids import session_id
from functions.domain.session import Booking, Session
from functions.domain.waitlist import answering, leaving, serving
from functions.domain.waitlist.entry import Queue, WaitlistEntry
from functions.domain.waitlist.passing import nobody_served
from functions.domain.waitlist.serving import NewIds, Turn
from functions.domain.waitlist.snapshot import Waitlist
from functions.sync.pull import pull
from functions.sync.work import TryLater, Work

MOST_STEPS = 500  # of one task; a longer line comes again


def promote(work: Work) -> None:
    """Serves whoever waits for the subject service, until there is nothing left to do. Raises `TryLater` for a line that is longer than one task.

    Nobody is given time of calendars that were read too long ago: those are read first, as for any other sale. Where they can't be, what is known counts.
    """
    asked: set[str] = set()
    for _ in range(MOST_STEPS):
        try:
            if not work.store.run(work.account, lambda reader: _step(work, reader, asked)):
                return
        except _NotFresh as stale:
            _refresh(work, stale.calendars)
            asked.update(stale.calendars)
    raise TryLater("more are waiting than one task serves")


class _NotFresh(Exception):
    """These calendars have to be pulled before somebody gets time of them."""

    def __init__(self, calendars: frozenset[str]) -> None:
        super().__init__(f"{len(calendars)} calendars")
        self.calendars = calendars


def _refresh(work: Work, calendars: frozenset[str]) -> None:
    for calendar in sorted(calendars):
        with suppress(GoogleError):
            pull(replace(work, subject=calendar, about=FOR_A_SALE))


def _step(work: Work, reader: Reader, asked: Set[str]) -> Decision[bool]:
    """The next thing to do about the queue, and whether there was one. `asked`: calendars that were pulled for it, or could not be."""
    queue = reader.get(Ref(Queue, work.subject))
    if queue is None or not queue.size:
        return Decision(answer=False)
    stale_after = work.application.settings.stale_after_seconds * 1000
    waitlist = read_waitlist(reader, work.subject, now=work.now(), stale_after=stale_after)
    ended = _settle_offers(reader, waitlist) or _give_up(reader, waitlist)
    if ended is not None:
        return ended
    turn, waitlist = _next_turn(work, reader, waitlist)
    if turn is None:
        return nobody_served(waitlist).with_answer(False)
    given = [state.resource for state in waitlist.states if state.resource.id in turn.opening.choice.resources]
    stale = {each.id for each in not_fresh(reader, waitlist.service, given, now=waitlist.now)} - asked
    if stale:
        raise _NotFresh(frozenset(stale))
    return _serve(work, reader, waitlist, turn)


def _settle_offers(reader: Reader, waitlist: Waitlist) -> Decision[bool] | None:
    """The first offer that has come to an end, by the clock or by what somebody did to its booking."""
    offered = waitlist.queue.offered
    reader.load(*(Ref(Booking, offer.booking) for offer in offered.values()))
    for name, offer in offered.items():
        booking = reader.get(Ref(Booking, offer.booking))
        if booking is None or (booking.status == "held" and waitlist.now < (booking.expires_at or 0)):
            continue
        entry, session = reader.get(Ref(WaitlistEntry, name)), reader.get(Ref(Session, booking.session))
        if entry is None or session is None:
            continue
        reader.load(*ledger_refs_of(session))
        settled = answering.settle(entry, Booked(booking, session), waitlist)
        if not settled.writes_nothing:
            return settled.with_answer(True)
    return None


def _give_up(reader: Reader, waitlist: Waitlist) -> Decision[bool] | None:
    """The first for whom nothing is left to wait for."""
    for name, place in waitlist.queue.places.items():
        if waitlist.is_hopeless(place) and (entry := reader.get(Ref(WaitlistEntry, name))) is not None:
            ended = leaving.give_up(entry, waitlist)
            if not ended.writes_nothing:
                return ended.with_answer(True)
    return None


def _next_turn(work: Work, reader: Reader, waitlist: Waitlist) -> tuple[Turn | None, Waitlist]:
    return serving.next_turn_within_limits(
        waitlist, lambda key: read_client_bookings(reader, work.store, waitlist.service, key)
    )


def _serve(work: Work, reader: Reader, waitlist: Waitlist, turn: Turn) -> Decision[bool]:
    entry = reader.get(Ref(WaitlistEntry, turn.entry))
    if entry is None:
        raise TryLater(f"there is no entry {turn.entry}")
    booking = new_managed_id(work.application.settings.signing_keys)
    ids = NewIds(booking=booking.id, session=session_id(os.urandom(16)), manage_hash=booking.manage_hash)
    return serving.serve(waitlist, turn, entry, ids=ids).with_answer(True)
