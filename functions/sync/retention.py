"""Retention: an account forgets its clients so many days after their sessions have ended, as it has set.

The schedule asks once a day. What still names a client is found by that, so there is nothing to remember between two tasks. What was stored before that could
be found is made so when an account begins to forget.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.queries import bookings_to_forget, entries_to_forget, not_found_by_client
from functions.adapters.store.store import Reader
from functions.domain.decision import AnyRef, Decision, Effect
from functions.domain.erasing import RETENTION, TO_BE_FOUND, is_waiting, retained_from
from functions.domain.instants import Minute
from functions.domain.session import Booking
from functions.domain.waitlist.entry import WaitlistEntry
from functions.sync.forgetting import forget_booking, forget_entry, release_guard
from functions.sync.turns import TURN_MS
from functions.sync.work import Work

MOST_A_TASK = 50


def retain(work: Work) -> None:
    """Forgets a slice, the oldest first; a further task goes on where there may be more."""
    account = work.store.get(work.account, ACCOUNT)
    if account is None or account.retention_days is None:
        return
    if work.about == TO_BE_FOUND:
        _make_found(work)
        return
    before = retained_from(account.retention_days, work.now())
    forgotten = list(islice(_forget(work, before), MOST_A_TASK))
    for key in dict.fromkeys(key for key in forgotten if key):
        release_guard(work, key)
    if len(forgotten) == MOST_A_TASK:
        _ask_again(work)


def _forget(work: Work, before: Minute) -> Iterator[str]:
    """One after the other; the key of each client that is forgotten. Whoever can't be yet is passed by, and found the next night."""
    for booking in bookings_to_forget(work.store, work.account, before, at_once=MOST_A_TASK):
        if forget_booking(work, booking.id, author=RETENTION, ended_by=before):
            yield booking.client_key
    for entry in entries_to_forget(work.store, work.account, before, at_once=MOST_A_TASK):
        # Who still waits for what is long over will be told so first.
        if not is_waiting(entry) and forget_entry(work, entry.id, author=RETENTION):
            yield entry.place.client_key


def _make_found(work: Work) -> None:
    """Writes anew, as it is, what does not say whether it names a client. A further task goes on where time is over."""
    ends_at = work.now() + TURN_MS
    refs: list[AnyRef] = list(not_found_by_client(work.store, work.account, Booking))
    refs += not_found_by_client(work.store, work.account, WaitlistEntry)
    for ref in refs:
        if work.now() >= ends_at:
            _ask_again(work, about=TO_BE_FOUND)
            return
        work.store.run(work.account, partial(_as_it_is, ref))


def _as_it_is(ref: AnyRef, reader: Reader) -> Decision[None]:
    document = reader.get(ref)
    return Decision(answer=None, documents=() if document is None else (document,))


def _ask_again(work: Work, *, about: str | None = None) -> None:
    again = Effect(kind="retention", subject=work.subject, about=about)
    work.store.run(work.account, lambda _: Decision(answer=None, effects=(again,)))
