"""Every query over all accounts: what the schedules look for, and what a person has in any of them. Those within one account are in `queries`;
`tests/system/test_queries.py` holds both against the declared indexes.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

from google.cloud.firestore_v1.base_query import FieldFilter

from functions.adapters.store.documents import ACCOUNT, collection_of, decode, path_of
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Store
from functions.adapters.store.wire import read
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Account
from functions.domain.decision import Ref
from functions.domain.instants import Millis
from functions.domain.membership import Member
from functions.domain.person import Person
from functions.domain.waitlist.entry import Queue

D = TypeVar("D")

SWEEP_PAGE = 300


def due_outbox(store: Store, now: Millis) -> Iterator[tuple[str, OutboxRecord]]:
    """Effects of all accounts that should have been done by now, with their accounts."""
    return _due(store, "outbox", "due_at", OutboxRecord, now)


def calendars_due(store: Store, field: str, now: Millis) -> Iterator[tuple[str, Calendar]]:
    """Calendars of all accounts whose `next_poll_at` or `renew_at` has come."""
    return _due(store, "calendars", field, Calendar, now)


def queues_due(store: Store, now: Millis) -> Iterator[tuple[str, Queue]]:
    """Waitlists of all accounts that somebody is in and that nothing has looked at for a while."""
    return _due(store, "queues", "look_at", Queue, now)


def _due(store: Store, group: str, field: str, type_: type[D], now: Millis) -> Iterator[tuple[str, D]]:
    """Whatever is due, what has been the longest first; read page by page, so that whoever has seen enough leaves the rest unread."""
    due = store.client.collection_group(group).where(filter=FieldFilter(field, "<=", now))
    query = due.order_by(field).limit(SWEEP_PAGE)
    page = list(query.stream())
    while page:
        yield from (_with_account(snapshot, type_) for snapshot in page)
        page = list(query.start_after(page[-1]).stream()) if len(page) == SWEEP_PAGE else []


def calendars_in_use(store: Store) -> Iterator[tuple[str, Calendar]]:
    query = store.client.collection_group("calendars").where(filter=FieldFilter("next_poll_at", ">", 0))
    for snapshot in query.stream():
        yield _with_account(snapshot, Calendar)


def calendars_watched_elsewhere(store: Store, address: str) -> Iterator[tuple[str, Calendar]]:
    """Calendars of all accounts whose channel was opened with another address of ours than this one (case 35)."""
    query = store.client.collection_group("calendars").where(filter=FieldFilter("channel.address", "!=", address))
    for snapshot in query.stream():
        yield _with_account(snapshot, Calendar)


def connections_held(store: Store) -> Iterator[tuple[str, Connection]]:
    """Connections of all accounts that nobody has ended."""
    held = FieldFilter("status", "in", ["active", "needs_reconnect"])
    for snapshot in store.client.collection_group("connections").where(filter=held).stream():
        yield _with_account(snapshot, Connection)


def accounts_that_forget(store: Store) -> Iterator[str]:
    """The accounts that have set how long they keep their clients' data."""
    query = store.client.collection("accounts").where(filter=FieldFilter("retention_days", ">", 0))
    for snapshot in query.stream():
        yield snapshot.id


def all_connections(store: Store) -> Iterator[tuple[str, Connection]]:
    """Of all accounts, whatever became of them."""
    for snapshot in store.client.collection_group("connections").stream():
        yield _with_account(snapshot, Connection)


def memberships(store: Store, person: str) -> list[tuple[Account, Member]]:
    """The accounts that a person belongs to, and as what. One query, and one batched read."""
    query = store.client.collection_group(collection_of(Member)).where(filter=FieldFilter("id", "==", person))
    found = [_with_account(snapshot, Member) for snapshot in query.stream()]
    stored = read(store.client, (path_of(account, ACCOUNT) for account, _ in found)) if found else {}
    both = ((stored[path_of(account, ACCOUNT)].fields, member) for account, member in found)
    return [(decode(ACCOUNT, fields), member) for fields, member in both if fields is not None]


def people_from_before(store: Store, at: Millis) -> Iterator[Person]:
    """Who signed in for the first time before."""
    query = store.client.collection("people").where(filter=FieldFilter("created_at", "<", at))
    for snapshot in query.stream():
        yield decode(Ref(Person, snapshot.id), snapshot.to_dict() or {})


def holds_grant(store: Store, subject: str) -> bool:
    """Whether any account has a connection that needs what this person has granted."""
    return any(connection.needs_grant for _, connection in connections_of_person(store, subject))


def connections_of_person(store: Store, subject: str) -> list[tuple[str, Connection]]:
    """Of all accounts, whatever became of them: Google knows one grant of a person's for all of us."""
    same = FieldFilter("subject", "==", subject)
    found = store.client.collection_group("connections").where(filter=same).stream()
    return [_with_account(snapshot, Connection) for snapshot in found]


def _with_account(snapshot: Any, type_: type[Any]) -> tuple[str, Any]:
    return snapshot.reference.path.split("/")[1], decode(Ref(type_, snapshot.id), snapshot.to_dict())
