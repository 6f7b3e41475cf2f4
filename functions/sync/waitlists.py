"""Promote: what is free goes to those who wait for it, in their order; what they wait for in vain, and offers that ran out, come to an end.

Step by step, each one commit from a new reading: so it does not matter when this runs, how often, or that two do at once.
"""

import os
from dataclasses import replace

from functions.adapters.signing import manage_token, secret_hash
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.reading_waitlist import read_client_bookings, read_waitlist
from functions.adapters.store.store import Reader
from functions.domain.appointments import Booked
from functions.domain.decision import Decision, Ref
from functions.domain.event_ids import session_id
from functions.domain.session import Booking, Session
from functions.domain.waitlist import answering, leaving, serving
from functions.domain.waitlist.entry import Queue, WaitlistEntry
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.serving import NewIds, Turn
from functions.domain.waitlist.snapshot import Waitlist
from functions.sync.work import TryLater, Work

MOST_STEPS = 500  # of one task; a longer line comes again
LOOK_AGAIN_MS = 15 * 60_000


def promote(work: Work) -> None:
    """Serves whoever waits for the subject service, until there is nothing left to do. Raises `TryLater` for a line that is longer than one task."""
    for _ in range(MOST_STEPS):
        if not work.store.run(work.account, lambda reader: _step(work, reader)):
            return
    raise TryLater("more are waiting than one task serves")


def _step(work: Work, reader: Reader) -> Decision[bool]:
    """The next thing to do about the queue, and whether there was one."""
    queue = reader.get(Ref(Queue, work.subject))
    if queue is None or queue.is_empty:
        return Decision(answer=False)
    waitlist = _read(work, reader)
    for decision in (_settle_offers(reader, waitlist), _give_up(reader, waitlist)):
        if decision is not None:
            return decision
    turn, waitlist = _next_turn(work, reader, waitlist)
    if turn is not None:
        return _serve(work, reader, waitlist, turn)
    return _look_again(waitlist)


def _read(work: Work, reader: Reader) -> Waitlist:
    stale_after = work.application.settings.stale_after_seconds * 1000
    return read_waitlist(reader, work.subject, now=work.now(), stale_after=stale_after)


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
    for name, place in waitlist.queue.places.items():
        if leaving.is_hopeless(place, waitlist) and (entry := reader.get(Ref(WaitlistEntry, name))) is not None:
            return leaving.give_up(entry, waitlist).with_answer(True)
    return None


def _next_turn(work: Work, reader: Reader, waitlist: Waitlist) -> tuple[Turn | None, Waitlist]:
    """Of whoever's turn it seems to be their other bookings are read, where the service limits them; then it is asked again."""
    while (turn := serving.next_turn(waitlist)) is not None:
        key = turn.place.client_key
        if not waitlist.service.client_limits.any or key in waitlist.clients:
            break
        bookings = read_client_bookings(reader, work.store, waitlist.service, key)
        waitlist = replace(waitlist, clients={**waitlist.clients, key: bookings})
    return turn, waitlist


def _serve(work: Work, reader: Reader, waitlist: Waitlist, turn: Turn) -> Decision[bool]:
    entry = reader.get(Ref(WaitlistEntry, turn.entry))
    if entry is None:
        return Decision(answer=False)
    booking = session_id(os.urandom(16))
    token = manage_token(work.application.settings.signing_keys[0], booking)
    ids = NewIds(booking=booking, session=session_id(os.urandom(16)), manage_hash=secret_hash(token))
    return serving.serve(waitlist, turn, entry, ids=ids, running=running_session(reader, turn)).with_answer(True)


def running_session(reader: Reader, turn: Turn) -> Session | None:
    chosen = turn.opening.choice.session
    session = None if chosen is None else reader.get(Ref(Session, chosen))
    if session is not None:
        reader.load(*ledger_refs_of(session))
    return session


def _look_again(waitlist: Waitlist) -> Decision[bool]:
    """Nobody can be served now. What sessions say of those who wait is made right, and the sweep comes by later: the clock opens and closes things too."""
    queue = waitlist.queue
    if queue.look_at is None or queue.look_at <= waitlist.now:
        queue = queue.model_copy(update={"look_at": waitlist.now + LOOK_AGAIN_MS})
    documents = (queue,) if queue != waitlist.queue else ()
    return keeping(Decision(answer=False, documents=documents), waitlist, waitlist.sessions)
