"""All sessions, bookings and waitlist entries of an account: as their history tells them, and as they are stored. The two must be the same."""

from functions.adapters.store import queries
from functions.adapters.store.rebuilding import rebuilt_booking, rebuilt_entry, rebuilt_session
from functions.adapters.store.store import Store
from functions.domain.session import Booking, Session
from functions.domain.state_changes import State, state_of
from functions.domain.waitlist.entry import WaitlistEntry

REBUILT = {Session: rebuilt_session, Booking: rebuilt_booking, WaitlistEntry: rebuilt_entry}

States = dict[str, State]  # by id


def retold(store: Store, account: str) -> tuple[States, States]:
    told, stored = {}, {}
    for type_, rebuild in REBUILT.items():
        for document in queries.all_of(store, account, type_):
            told[document.id] = rebuild(store, account, document.id)
            stored[document.id] = state_of(document)
    return told, stored
