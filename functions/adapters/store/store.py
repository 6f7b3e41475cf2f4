"""Read, decide, commit with preconditions; again where another was faster.

There are no read locks and no read-write transactions: every document that is written must be in the state in which it was read (its update
time), or must still not exist. That is right under any interleaving, and on a hot document far faster than transactions.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound
from google.cloud import firestore

from functions.adapters.clock import now_millis
from functions.adapters.store.documents import (
    change_fields,
    decode,
    encode,
    new_month_fields,
    path_of,
    ref_of,
)
from functions.adapters.store.records import HistoryRecord, OutboxRecord
from functions.domain.decision import AnyRef, Decision, Effect, HistoryEntry, Ref
from functions.domain.errors import Contended, Refusal
from functions.domain.ledger import LedgerMonth, ledger_id

if TYPE_CHECKING:
    from google.cloud.firestore_v1.base_document import DocumentSnapshot

A = TypeVar("A")
D = TypeVar("D")

MAX_ATTEMPTS = 12
# How long an effect may take before the sweep enqueues it again: longer than a task normally needs with a few retries.
SWEEP_AFTER_MS = 120_000

Dispatch = Callable[[str, list[OutboxRecord]], None]


@dataclass
class Reader:
    """Reads one account's documents and remembers in which state each was, for the preconditions of the commit."""

    client: firestore.Client
    account: str
    seen: "dict[AnyRef, DocumentSnapshot[Any]]" = field(default_factory=dict)
    round_trips: int = 0

    def load(self, *refs: AnyRef) -> None:
        """Reads what has not been read yet, in one round trip."""
        wanted = {path_of(self.account, ref): ref for ref in refs if ref not in self.seen}
        if not wanted:
            return
        self.round_trips += 1
        for snapshot in self.client.get_all([self.client.document(path) for path in wanted]):
            self.seen[wanted[snapshot.reference.path]] = snapshot

    def get(self, ref: Ref[D]) -> D | None:
        """The document, read now if it has not been; None where there is none."""
        self.load(ref)
        snapshot = self.seen[ref]
        return decode(ref, snapshot.to_dict() or {}) if snapshot.exists else None

    def adopt(self, ref: Ref[D], snapshot: "DocumentSnapshot[Any]") -> D:
        """Takes in a document that a query found, so that it can be written with a precondition."""
        self.seen[ref] = snapshot
        return decode(ref, snapshot.to_dict() or {})

    def still_so(self) -> bool:
        """Whether all that was read was true at one moment: it came in one round trip, or is now as it was."""
        if self.round_trips < 2:
            return True
        again = Reader(self.client, self.account)
        again.load(*self.seen)
        return all(again.state(ref) == self.state(ref) for ref in self.seen)

    def state(self, ref: AnyRef) -> Any | None:
        """The update time of a document as read; None where it was not there, or was not read and so must be new."""
        snapshot = self.seen.get(ref)
        return snapshot.update_time if snapshot is not None and snapshot.exists else None


class Store:
    """All state of all accounts. `dispatch` makes Cloud Tasks of a commit's effects; what it fails to enqueue, the sweep does."""

    def __init__(self, client: firestore.Client, dispatch: Dispatch) -> None:
        self.client = client
        self._dispatch = dispatch

    def reader(self, account: str) -> Reader:
        return Reader(self.client, account)

    def get(self, account: str, ref: Ref[D]) -> D | None:
        return self.reader(account).get(ref)

    def run(self, account: str, attempt: Callable[[Reader], Decision[A]]) -> A:
        """Makes the decision and commits it; again from a new reading as long as others are faster. Raises `Contended` in the end.

        A refusal rests on what was read as much as a commit does, and is given only where all of that was true at one moment.
        """
        commit_id = uuid4().hex
        for tries in range(MAX_ATTEMPTS):
            reader = self.reader(account)
            try:
                decision = attempt(reader)
            except Refusal:
                if reader.still_so():
                    raise
                continue
            if decision.writes_nothing:
                return decision.answer
            outbox = _outbox_records(decision.effects, commit_id, now_millis())
            try:
                self._commit(reader, decision, outbox, commit_id)
            except (FailedPrecondition, AlreadyExists, Aborted, NotFound):
                if not self._committed(account, decision, commit_id):
                    time.sleep(random.uniform(0, min(0.4, 0.01 * 2**tries)))  # noqa: S311  jitter
                    continue
            self._dispatch(account, outbox)
            return decision.answer
        raise Contended("Nothing was changed. Try the same call again in a moment.")

    def _commit(self, reader: Reader, decision: Decision[A], outbox: list[OutboxRecord], commit_id: str) -> None:
        batch = self.client.batch()
        for document in decision.documents:
            ref = ref_of(document)
            self._write(batch, reader, ref, encode(document))
        for change in decision.changes:
            ref = Ref(LedgerMonth, ledger_id(change.resource, change.month))
            if reader.state(ref) is None:
                batch.create(self._document(reader.account, ref), new_month_fields(change))
            else:
                fields = {
                    self.client.field_path(*path): firestore.DELETE_FIELD if value is None else value
                    for path, value in change_fields(change).items()
                }
                self._update(batch, reader, ref, fields)
        for touch in decision.touches:
            # An increment and no precondition: it can't fail, and it makes every decision fail that read the month before.
            month = self._document(reader.account, Ref(LedgerMonth, ledger_id(touch.resource, touch.month)))
            batch.set(month, {"configured": firestore.Increment(1)}, merge=True)
        for ref in set(decision.guards) - _written(decision):
            # Firestore verifies nothing that it does not write, so a guard is written too; it can't be taken for the state of anything.
            if reader.state(ref) is None:
                batch.create(self._document(reader.account, ref), {"guarded": 1})
            else:
                self._update(batch, reader, ref, {"guarded": firestore.Increment(1)})
        for ref in decision.deletions:
            state = reader.state(ref)
            option = self.client.write_option(last_update_time=state) if state is not None else None
            batch.delete(self._document(reader.account, ref), option=option)
        now = now_millis()
        for place, entry in enumerate(decision.history):
            record = _history_record(entry, commit_id, place, now)
            batch.create(self._document(reader.account, Ref(HistoryRecord, record.id)), encode(record))
        for effect in outbox:
            batch.create(self._document(reader.account, Ref(OutboxRecord, effect.id)), encode(effect))
        batch.commit()

    def _write(self, batch: firestore.WriteBatch, reader: Reader, ref: AnyRef, fields: dict[str, Any]) -> None:
        if reader.state(ref) is None:
            batch.create(self._document(reader.account, ref), fields)
        else:
            # An update of every top-level field replaces the document, and unlike a set it takes a precondition.
            self._update(batch, reader, ref, fields)

    def _update(self, batch: firestore.WriteBatch, reader: Reader, ref: AnyRef, fields: dict[str, Any]) -> None:
        option = self.client.write_option(last_update_time=reader.state(ref))
        batch.update(self._document(reader.account, ref), fields, option=option)

    def _committed(self, account: str, decision: Decision[A], commit_id: str) -> bool:
        """Whether this very commit went through although its answer said no: Google's client sends a commit again when the first answer is lost."""
        if decision.history:
            return self.get(account, Ref(HistoryRecord, f"{commit_id}0")) is not None
        if decision.effects:
            return self.get(account, Ref(OutboxRecord, f"{commit_id}0")) is not None
        return False

    def _document(self, account: str, ref: AnyRef) -> firestore.DocumentReference:
        return self.client.document(path_of(account, ref))


def _written(decision: Decision[A]) -> set[AnyRef]:
    months = (Ref(LedgerMonth, ledger_id(change.resource, change.month)) for change in decision.changes)
    return {*(ref_of(document) for document in decision.documents), *months}


def _outbox_records(effects: Iterable[Effect], commit_id: str, now: int) -> list[OutboxRecord]:
    return [
        OutboxRecord(
            id=f"{commit_id}{place}",
            kind=effect.kind,
            subject=effect.subject,
            about=effect.about,
            created_at=now,
            not_before=effect.not_before,
            due_at=max(now, effect.not_before or 0) + SWEEP_AFTER_MS,
        )
        for place, effect in enumerate(effects)
    ]


def _history_record(entry: HistoryEntry, commit_id: str, place: int, now: int) -> HistoryRecord:
    return HistoryRecord(
        id=f"{commit_id}{place}",
        at=now,
        place=place,
        what=entry.what,
        author_kind=entry.author.kind,
        author_name=entry.author.name,
        session=entry.session,
        booking=entry.booking,
        resource=entry.resource,
        calendar=entry.calendar,
        service=entry.service,
        entry=entry.entry,
        why=entry.why,
        before=entry.before,
        after=entry.after,
    )
