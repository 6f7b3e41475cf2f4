"""Erase: forgets a client, one booking and one place on a waitlist after the other, until nothing names them.

The request says what was there when it came; whoever books anew since is a client again. (What comes free since, for a place on a waitlist that was there,
is not booked anew.) What is owed to them, the mail about a booking that is cancelled for it, goes out first. A long list takes several tasks; each goes on
with what still names them.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.queries import all_bookings_of_client, all_entries_of_client, effects_about
from functions.adapters.store.reading_waitlist import read_entry
from functions.adapters.store.store import Reader
from functions.domain.appointments import cancel
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.erasing import Erasure, finish, is_ahead, is_owed, is_waiting, was_booked, was_waiting
from functions.domain.errors import IllegalMove
from functions.domain.instants import Millis
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import WaitlistEntry
from functions.domain.waitlist.leaving import leave
from functions.sync.forgetting import forget_booking, forget_entry, release_guard
from functions.sync.turns import TURN_MS, Turn, TurnOver
from functions.sync.work import TryLater, Work

MOST_A_TASK = 50
OWED_PACE_MS = 30_000


class _Owed(Exception):
    """A mail to the client waits to be sent, for which they must still be known."""


@dataclass
class _Found:
    """What one task came upon: how many wait for a mail to be sent, and which are kept because they lie ahead."""

    owed: int = 0
    kept: list[str] = field(default_factory=list)


def erase(work: Work) -> None:
    """Twice, or two at once, is harmless. Raises `TryLater` as long as a mail to the client is on its way."""
    erasure = work.store.get(work.account, Ref(Erasure, work.subject))
    if erasure is None or erasure.client_key is None:
        return
    turn, found = Turn(ends_at=work.now() + TURN_MS, steps=MOST_A_TASK), _Found()
    try:
        _forget_all(work, erasure, erasure.client_key, turn, found)
    except TurnOver:
        work.store.run(work.account, lambda _: Decision(answer=None, effects=(_again(work, found),)))
        return
    if found.owed:
        raise TryLater("a mail to the client is on its way")
    release_guard(work, erasure.client_key)
    _finish(work, found.kept)


def _forget_all(work: Work, erasure: Erasure, key: str, turn: Turn, found: _Found) -> None:
    """Raises `TurnOver`. Those that are kept are no step: the next task comes upon them too, and has to get past them.

    Places on waitlists come first: to take away an offer's booking alone would put its client back into the line.
    """
    for entry in all_entries_of_client(work.store, work.account, key):
        if not was_waiting(entry, erasure.requested_at):
            continue
        if is_waiting(entry) and not erasure.cancel_future:
            found.kept.append(entry.id)
            continue
        turn.step(work.now())
        try:
            _forget_entry(work, erasure, entry)
        except _Owed:
            found.owed += 1
    for booking in all_bookings_of_client(work.store, work.account, key):
        if not _was_booked(work, booking, erasure.requested_at):
            continue
        if is_ahead(booking, work.now()) and not erasure.cancel_future:
            found.kept.append(booking.id)
            continue
        turn.step(work.now())
        try:
            _forget_booking(work, erasure, booking)
        except _Owed:
            found.owed += 1


def _was_booked(work: Work, booking: Booking, at: Millis) -> bool:
    came_from = None
    if booking.created_at > at and booking.entry is not None:
        came_from = work.store.get(work.account, Ref(WaitlistEntry, booking.entry))
    return was_booked(booking, came_from, at)


def _forget_entry(work: Work, erasure: Erasure, entry: WaitlistEntry) -> None:
    def off(reader: Reader) -> Decision[None]:
        stale_after = work.application.settings.stale_after_seconds * 1000
        state = read_entry(reader, entry.id, now=work.now(), stale_after=stale_after)
        if not is_waiting(state.entry):
            return Decision(answer=None)
        return leave(state.entry, state.offer, state.waitlist, author=erasure.author).with_answer(None)

    if is_waiting(entry):
        work.store.run(work.account, off)
    _nothing_owed(work, entry.id)
    forget_entry(work, entry.id, author=erasure.author, erasure_id=erasure.id)


def _forget_booking(work: Work, erasure: Erasure, booking: Booking) -> None:
    def cancelled(reader: Reader) -> Decision[None]:
        now = reader.get(Ref(Booking, booking.id))
        session = None if now is None else reader.get(Ref(Session, now.session))
        if now is None or session is None or not is_ahead(now, work.now()):
            return Decision(answer=None)
        reader.load(*ledger_refs_of(session))
        return cancel(now, session, now=work.now(), author=erasure.author, reason=None).with_answer(None)

    if is_ahead(booking, work.now()):
        with suppress(IllegalMove):  # it began this very moment, and so is one that was
            work.store.run(work.account, cancelled)
    _nothing_owed(work, booking.id)
    forget_booking(work, booking.id, author=erasure.author, erasure_id=erasure.id)


def _nothing_owed(work: Work, subject: str) -> None:
    """Raises `_Owed` as long as a mail about it waits to be sent and may still be."""
    now = work.now()
    for effect in effects_about(work.store, work.account, subject):
        if effect.kind != "notify":
            continue
        if is_owed(created_at=effect.created_at, not_before=effect.not_before or 0, now=now):
            raise _Owed


def _again(work: Work, found: _Found) -> Effect:
    """At once where all that it came upon is done; else the next one would come upon the same, as long as the mails are on their way."""
    return Effect(kind="erase", subject=work.subject, not_before=work.now() + OWED_PACE_MS if found.owed else None)


def _finish(work: Work, kept: list[str]) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        erasure = reader.get(Ref(Erasure, work.subject))
        if erasure is None:
            return Decision(answer=None)
        return finish(erasure, kept=kept, now=work.now()).with_answer(None)

    work.store.run(work.account, attempt)
