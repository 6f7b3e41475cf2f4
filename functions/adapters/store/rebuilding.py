"""The present state of a session, booking or waitlist entry, from its history alone (law 9): what `state_of` says of the stored document.

A field that a later version of the code added stands in the history from its first change on.
"""

from functions.adapters.store.queries import history_in_order
from functions.adapters.store.store import Store
from functions.domain.state_changes import State, Subject, rebuilt


def rebuilt_session(store: Store, account: str, session: str) -> State:
    return _rebuilt(store, account, "session", session)


def rebuilt_booking(store: Store, account: str, booking: str) -> State:
    return _rebuilt(store, account, "booking", booking)


def rebuilt_entry(store: Store, account: str, entry: str) -> State:
    return _rebuilt(store, account, "entry", entry)


def _rebuilt(store: Store, account: str, subject: Subject, name: str) -> State:
    records = history_in_order(store, account, subject, name)
    return rebuilt(record.state[subject] for record in records if subject in record.state)
