"""Lapse: a hold whose time is over is cleared away. Its seats have been free since that moment; this frees the documents."""

from dataclasses import replace

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.domain import holding
from functions.domain.decision import Decision, Ref
from functions.domain.session import Booking, Session
from functions.sync.waitlists import promote
from functions.sync.work import TryLater, Work

CLOCKS_DIFFER_MS = 60_000


def lapse(work: Work) -> None:
    """Raises `TryLater` where the task came before the hold is over: clocks differ."""

    def attempt(reader: Reader) -> Decision[bool]:
        booking = reader.get(Ref(Booking, work.subject))
        session = reader.get(Ref(Session, booking.session)) if booking else None
        if booking is None or session is None:
            return Decision(answer=True)
        reader.load(*ledger_refs_of(session))
        now = work.now()
        # A hold that goes on for longer was made a request meanwhile, and has a task of its own for its end.
        ahead = booking.expires_at - now if booking.status == "held" and booking.expires_at is not None else 0
        return holding.lapse(booking, session, now=now).with_answer(not 0 < ahead <= CLOCKS_DIFFER_MS)

    booking = work.store.get(work.account, Ref(Booking, work.subject))
    if booking is not None and booking.entry is not None:
        # An offer: with it the next in line is served.
        promote(replace(work, subject=booking.service))
    if not work.store.run(work.account, attempt):
        raise TryLater("the hold is not over yet")
