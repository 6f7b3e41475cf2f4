"""Read, decide, commit with preconditions; again where another was faster.

There are no read locks and no read-write transactions: every document that is written must be in the state in which it was read (its update
time), or must still not exist. That is right under any interleaving, and on a hot document far faster than transactions.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import uuid4

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound
from google.cloud import firestore

from functions.adapters.clock import now_millis
from functions.adapters.store.documents import decode, path_of
from functions.adapters.store.line import Lines
from functions.adapters.store.wire import Stored, read
from functions.domain.decision import AnyRef, Decision, Ref
from functions.domain.errors import Contended, Refusal

if TYPE_CHECKING:
    from google.cloud.firestore_v1.base_document import DocumentSnapshot

    from functions.adapters.store.records import OutboxRecord

A = TypeVar("A")
D = TypeVar("D")

MAX_ATTEMPTS = 12

Dispatch: TypeAlias = "Callable[[str, list[OutboxRecord]], None]"


@dataclass
class Reader:
    """Reads one account's documents and remembers in which state each was, for the preconditions of the commit."""

    client: firestore.Client
    account: str
    seen: dict[AnyRef, Stored] = field(default_factory=dict)
    along: list[AnyRef] = field(default_factory=list)
    round_trips: int = 0

    def read_along(self, *refs: AnyRef) -> None:
        """These are read with whatever is read next, in its round trip."""
        self.along.extend(refs)

    def load(self, *refs: AnyRef) -> None:
        """Reads what has not been read yet, in one round trip."""
        wanted = {path_of(self.account, ref): ref for ref in refs if ref not in self.seen}
        if not wanted:
            return
        wanted |= {path_of(self.account, ref): ref for ref in self.along if ref not in self.seen}
        self.along.clear()
        self.round_trips += 1
        self.seen |= {wanted[path]: stored for path, stored in read(self.client, wanted).items()}

    def get(self, ref: Ref[D]) -> D | None:
        """The document, read now if it has not been; None where there is none."""
        self.load(ref)
        fields = self.seen[ref].fields
        return None if fields is None else decode(ref, fields)

    def as_read(self, ref: Ref[D]) -> D | None:
        """The document as it was read; None where it was not there, or was not read and so must be new."""
        fields = self.stored(ref).fields
        return None if fields is None else decode(ref, fields)

    def adopt(self, ref: Ref[D], snapshot: "DocumentSnapshot[Any]") -> D:
        """Takes in a document that a query found, so that it can be written with a precondition."""
        found = self.seen[ref] = Stored.of(snapshot)
        return decode(ref, found.fields or {})

    def stored(self, ref: AnyRef) -> Stored:
        """The document as read; as one that is not there where it was not read, and so must be new."""
        return self.seen.get(ref, Stored())

    def still_so(self) -> bool:
        """Whether all that was read was true at one moment: it came in one round trip, or is now as it was."""
        if self.round_trips < 2:
            return True
        again = Reader(self.client, self.account)
        again.load(*self.seen)
        return all(again.stored(ref).updated == stored.updated for ref, stored in self.seen.items())


class Store:
    """All state of all accounts. `dispatch` makes Cloud Tasks of a commit's effects; what it fails to enqueue, the sweep does."""

    def __init__(self, client: firestore.Client, dispatch: Dispatch) -> None:
        self.client = client
        self._dispatch = dispatch
        self._lines = Lines()

    def reader(self, account: str) -> Reader:
        return Reader(self.client, account)

    def get(self, account: str, ref: Ref[D]) -> D | None:
        return self.reader(account).get(ref)

    def run(self, account: str, attempt: Callable[[Reader], Decision[A]], *, line: str = "") -> A:
        """Makes the decision and commits it; again from a new reading as long as others are faster. Raises `Contended` in the end.

        Raises `ForgottenHistory`, a mistake in the code, where state changes and the decision's history does not say so.
        A refusal rests on what was read as much as a commit does, and is given only where all of that was true at one moment. `line`: what many may want at
        the same time, a service say; writers who are in each other's way hold up only those of the account who want the same.
        """
        from functions.adapters.store.committing import outbox_records

        commit_id, line = uuid4().hex, f"{account}/{line}"
        for tries in range(MAX_ATTEMPTS):
            try:
                with self._lines.turn(line):
                    reader = self.reader(account)
                    decision = attempt(reader)
                    outbox = outbox_records(decision.effects, commit_id, now_millis())
                    if not decision.writes_nothing:
                        self._commit(reader, decision, outbox, commit_id)
            except Refusal:
                if reader.still_so():
                    raise
                continue
            except (FailedPrecondition, AlreadyExists, Aborted, NotFound):
                if not self._committed(account, decision, commit_id):
                    self._lines.collided(line)
                    time.sleep(random.uniform(0, min(0.4, 0.01 * 2**tries)))  # noqa: S311  jitter
                    continue
            self._dispatch(account, outbox)
            return decision.answer
        raise Contended("Nothing was changed. Try the same call again in a moment.")

    def _commit(self, reader: Reader, decision: Decision[A], outbox: list["OutboxRecord"], commit_id: str) -> None:
        from functions.adapters.store.committing import commit

        commit(reader, decision, outbox, commit_id)

    def _committed(self, account: str, decision: Decision[A], commit_id: str) -> bool:
        from functions.adapters.store.committing import is_committed

        return is_committed(self.reader(account), decision, commit_id)
