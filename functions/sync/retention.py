"""Retention: an account forgets its clients so many days after their sessions have ended, as it has set.

The schedule asks once a day. What still names a client is found by that, so there is nothing to remember between two tasks.
"""

from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.queries import bookings_to_forget, entries_to_forget
from functions.domain.decision import Decision, Effect
from functions.domain.erasing import RETENTION, is_waiting, retained_from
from functions.sync.forgetting import forget_booking, forget_entry, release_guard
from functions.sync.work import Work

MOST_A_TASK = 50


def retain(work: Work) -> None:
    """Forgets a slice, the oldest first; a further task goes on where there is more."""
    account = work.store.get(work.account, ACCOUNT)
    if account is None or account.retention_days is None:
        return
    before = retained_from(account.retention_days, work.now())
    bookings = bookings_to_forget(work.store, work.account, before, MOST_A_TASK)
    entries = entries_to_forget(work.store, work.account, before, MOST_A_TASK)
    forgotten = [forget_booking(work, each.id, author=RETENTION, ended_by=before) for each in bookings]
    # Who still waits for what is long over will be told so, and is found the next time.
    forgotten += [forget_entry(work, each.id, author=RETENTION) for each in entries if not is_waiting(each)]
    for key in dict.fromkeys(each.client_key for each in bookings if each.client_key):
        release_guard(work, key)
    # Of a slice in which nobody was forgotten there will be nobody the next time either.
    if max(len(bookings), len(entries)) == MOST_A_TASK and any(forgotten):
        again = Effect(kind="retention", subject=work.subject)
        work.store.run(work.account, lambda _: Decision(answer=None, effects=(again,)))
