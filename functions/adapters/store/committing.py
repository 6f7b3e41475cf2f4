"""A decision as one commit: its documents and changes of ledgers, each under the condition that it still is as it was read; its history and its effects.

By itself, because whoever only reads loads none of this.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from functions.adapters.clock import now_millis
from functions.adapters.store.documents import path_of
from functions.adapters.store.encoding import change_fields, count_fields, differences, encode, new_month_fields, ref_of
from functions.adapters.store.history import history_records, record_id
from functions.adapters.store.records import HistoryRecord, OutboxRecord
from functions.adapters.store.store import Reader
from functions.adapters.store.wire import Commit
from functions.domain.decision import AnyRef, Decision, Effect, Ref
from functions.domain.ledger import LedgerMonth, ledger_id
from functions.domain.rate_limits import Usage

A = TypeVar("A")

# How long an effect may take before the sweep enqueues it again: longer than a task normally needs with a few retries.
SWEEP_AFTER_MS = 120_000


def commit(reader: Reader, decision: Decision[A], outbox: list[OutboxRecord], commit_id: str) -> None:
    history = history_records(decision, reader.as_read, commit_id=commit_id, now=now_millis())
    batch = Commit(reader.client)
    for document in decision.documents:
        _write(batch, reader, ref_of(document), encode(document))
    for change in decision.changes:
        ref = Ref(LedgerMonth, ledger_id(change.resource, change.month))
        path, before = path_of(reader.account, ref), reader.stored(ref)
        if before.updated is None:
            batch.create(path, new_month_fields(change))
        else:
            batch.update(path, change_fields(change), last=before.updated)
    for touch in decision.touches:
        # It has no precondition and so can't fail, and it makes every decision fail that read the month before.
        month = Ref(LedgerMonth, ledger_id(touch.resource, touch.month))
        batch.count(path_of(reader.account, month), ("configured",))
    for ref in set(decision.guards) - _written(decision):
        # Firestore verifies nothing that it does not write, so a guard is written too; it can't be taken for the state of anything.
        path, before = path_of(reader.account, ref), reader.stored(ref)
        if before.updated is None:
            batch.create(path, {"guarded": 1})
        else:
            batch.count(path, ("guarded",), last=before.updated)
    for more in decision.counts:
        usage = path_of(reader.account, Ref(Usage, more.usage))
        batch.count(usage, ("counts", more.count), fields=count_fields(more))
    for ref in decision.deletions:
        batch.delete(path_of(reader.account, ref), last=reader.stored(ref).updated)
    for record in history:
        batch.create(path_of(reader.account, Ref(HistoryRecord, record.id)), encode(record))
    for effect in outbox:
        batch.create(path_of(reader.account, Ref(OutboxRecord, effect.id)), encode(effect))
    batch.send()


def is_committed(reader: Reader, decision: Decision[A], commit_id: str) -> bool:
    """Whether this very commit went through although its answer said no: Google's client sends a commit again when the first answer is lost."""
    if decision.history:
        return reader.get(Ref(HistoryRecord, record_id(commit_id, 0))) is not None
    if decision.effects:
        return reader.get(Ref(OutboxRecord, f"{commit_id}0")) is not None
    return False


def _write(batch: Commit, reader: Reader, ref: AnyRef, fields: dict[str, Any]) -> None:
    path, before = path_of(reader.account, ref), reader.stored(ref)
    if before.fields is None:
        batch.create(path, fields)
    else:
        # What does not differ is as it was read, by the precondition. Where nothing does, that is still to be held.
        changed = differences(before.fields, fields) or {(name,): value for name, value in fields.items()}
        batch.update(path, changed, last=before.updated)


def _written(decision: Decision[A]) -> set[AnyRef]:
    months = (Ref(LedgerMonth, ledger_id(change.resource, change.month)) for change in decision.changes)
    return {*(ref_of(document) for document in decision.documents), *months, *decision.deletions}


def outbox_records(effects: Iterable[Effect], commit_id: str, now: int) -> list[OutboxRecord]:
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
