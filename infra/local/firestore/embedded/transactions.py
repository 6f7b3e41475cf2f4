"""Transactions: isolation by checking, at the commit, everything that was read; order by letting one in at a time.

A transaction reads from a snapshot taken when it begins. Its commit is refused with ABORTED when a document or the
answer of a query it read has changed since. That check alone makes it serializable. Because a crowd on one document
would otherwise mostly abort, read-write transactions of a database are let in one after the other, first come, first
served; one that takes longer than its lease loses its turn, not its life. (Production takes pessimistic locks; see the
package's docstring for the official emulator.)
"""

import asyncio
import itertools
import secrets
from collections import deque
from dataclasses import dataclass, field

from infra.local.firestore.embedded.errors import Aborted, InvalidArgument
from infra.local.firestore.embedded.messages import Document
from infra.local.firestore.embedded.names import Path
from infra.local.firestore.embedded.queries import Plan
from infra.local.firestore.embedded.storage import Snapshot, Store

_TURN_SECONDS = 2.0  # as long as the official emulator waits for a lock
_IDLE_SECONDS = 60.0  # https://firebase.google.com/docs/firestore/quotas, idle expiration

_SESSION_BYTES = 8
_COUNTER_BYTES = 8

Signature = tuple[tuple[str, int], ...]


def signature(documents: list[Document]) -> Signature:
    """Tells two answers of a query apart: which documents, in which order, in which versions."""
    return tuple((document.name, document.update_time.ToMicroseconds()) for document in documents)


@dataclass(kw_only=True)
class Transaction:
    identifier: bytes
    database: str
    read_only: bool
    snapshot: Snapshot
    documents: dict[Path, int | None] = field(default_factory=dict)
    queries: list[tuple[Plan, Signature]] = field(default_factory=list)

    def get(self, path: Path) -> Document | None:
        document = self.snapshot.get(path)
        self.documents[path] = None if document is None else document.update_time.ToMicroseconds()
        return document

    def run(self, plan: Plan) -> list[Document]:
        documents = plan.run(self.snapshot)
        self.queries.append((plan, signature(documents)))
        return documents

    def check_unchanged(self, store: Store) -> None:
        """Raises Aborted when something that was read is no longer what it was."""
        if store.last_commit() == self.snapshot.last_commit():
            return
        for path, updated in self.documents.items():
            if store.updated(path) != updated:
                raise Aborted(f"{path.name} was changed after the transaction read it")
        for plan, seen in self.queries:
            if signature(plan.run(store)) != seen:
                raise Aborted("the answer of a query was changed after the transaction read it")


class Turns:
    """Lets one holder in at a time, in the order of arrival."""

    def __init__(self) -> None:
        self._holder: bytes | None = None
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()

    async def enter(self, holder: bytes) -> None:
        if self._holder is None:
            self._holder = holder
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((holder, turn))
        try:
            await turn
        except asyncio.CancelledError:  # the client gave up, perhaps in the moment it was let in
            self.leave(holder)
            raise

    def leave(self, holder: bytes) -> None:
        """Ends a turn; without effect for one that does not have it."""
        if self._holder != holder:
            return
        self._holder = None
        while self._waiting and self._holder is None:
            following, turn = self._waiting.popleft()
            if not turn.done():
                self._holder = following
                turn.set_result(None)


class Transactions:
    """The open transactions of the server."""

    def __init__(
        self, store: Store, *, turn_seconds: float = _TURN_SECONDS, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._store = store
        self._turn_seconds = turn_seconds
        self._idle_seconds = idle_seconds
        self._open: dict[bytes, _Open] = {}
        self._turns: dict[str, Turns] = {}
        self._session = secrets.token_bytes(_SESSION_BYTES)  # tells this server's ids from an earlier one's
        self._issued = itertools.count()

    async def begin(self, database: str, *, read_only: bool) -> Transaction:
        """Opens a transaction; a read-write one waits until the ones before it have ended or lost their turn."""
        identifier = self._session + next(self._issued).to_bytes(_COUNTER_BYTES, "big")
        turns = self._turns.setdefault(database, Turns())
        if not read_only:
            await turns.enter(identifier)
        transaction = Transaction(
            identifier=identifier, database=database, read_only=read_only, snapshot=self._store.snapshot()
        )
        self._open[identifier] = _Open(transaction, timers=self._start_timers(transaction))
        return transaction

    def use(self, identifier: bytes, database: str) -> Transaction:
        """The open transaction of that id, kept from idling; raises InvalidArgument when there is none."""
        opened = self._open.get(identifier)
        if opened is None or opened.transaction.database != database:
            raise InvalidArgument("the transaction is invalid or closed")
        opened.stop_timers()
        opened.timers = self._start_timers(opened.transaction)
        return opened.transaction

    def close(self, identifier: bytes) -> None:
        """Ends a transaction. Closing twice is harmless; an id this server never gave is refused."""
        opened = self._open.pop(identifier, None)
        if opened is not None:
            opened.stop_timers()
            opened.transaction.snapshot.close()
            self._turns[opened.transaction.database].leave(identifier)
        elif len(identifier) != _SESSION_BYTES + _COUNTER_BYTES or not identifier.startswith(self._session):
            raise InvalidArgument("invalid transaction")

    def _start_timers(self, transaction: Transaction) -> list[asyncio.TimerHandle]:
        loop = asyncio.get_running_loop()
        identifier = transaction.identifier
        turns = self._turns[transaction.database]
        return [
            loop.call_later(self._turn_seconds, turns.leave, identifier),
            loop.call_later(self._idle_seconds, self.close, identifier),
        ]


@dataclass
class _Open:
    transaction: Transaction
    timers: list[asyncio.TimerHandle]

    def stop_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
