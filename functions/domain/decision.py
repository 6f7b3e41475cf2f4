"""What a decision is: an answer and everything that one commit must write for it (laws 3 and 9).

Decisions are made by pure functions from a snapshot and a command. The store writes `documents`, `changes` and `deletions` with a precondition on the
state in which each was read, the history and the effects in the same commit. Nothing else writes state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from functions.domain.instants import Millis
from functions.domain.ledger import LedgerChange, LedgerTouch, merge_changes
from functions.domain.model import Document
from functions.domain.rate_limits import OneMore

A = TypeVar("A")
B = TypeVar("B")
D = TypeVar("D")

AuthorKind = Literal["client", "operator", "google", "rule", "system"]
EffectKind = Literal[
    "pull",
    "push",
    "notify",
    "watch",
    "discover",
    "disconnect",
    "audit",
    "lapse",
    "promote",
    "recalculate",
    "copies",
    "redirect",
    "settle",
    "erase",
    "retention",
]


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who did it: a client, an operator (by key name), Google, a rule by name, or the system itself."""

    kind: AuthorKind
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One thing that happened, for people to read. `before` and `after` hold only what changed."""

    what: str
    author: Author
    session: str | None = None
    booking: str | None = None
    resource: str | None = None
    calendar: str | None = None
    service: str | None = None
    entry: str | None = None  # of a waitlist
    why: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Something to be done after the commit. `subject` is an id; the handler reads the present state of it (law 4). Not before `not_before`."""

    kind: EffectKind
    subject: str
    about: str | None = None  # notify: which message
    not_before: Millis | None = None


@dataclass(frozen=True)
class Ref(Generic[D]):
    """The place of one document of an account, by type and id. A ledger month's id is `ledger_id(resource, month)`."""

    type: type[D]
    id: str


AnyRef: TypeAlias = Ref[Any]


@dataclass(frozen=True, kw_only=True)
class Decision(Generic[A]):
    """`guards`: documents that the decision rests on and does not change. The commit fails where one is no longer as it was read (law 1).

    `counts`: of what callers had lately, added whatever else has been since. They say nothing of what is sold, and go with a commit or not at all.
    """

    answer: A
    documents: tuple[Document, ...] = ()
    changes: tuple[LedgerChange, ...] = ()
    touches: tuple[LedgerTouch, ...] = ()
    deletions: tuple[AnyRef, ...] = ()
    guards: tuple[AnyRef, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    counts: tuple[OneMore, ...] = ()

    def with_answer(self, answer: "B") -> "Decision[B]":
        return replace(self, answer=answer)  # type: ignore[arg-type,return-value]

    def with_documents(self, *documents: Document) -> "Decision[A]":
        return replace(self, documents=(*self.documents, *documents))

    def with_ledger(self, changes: tuple[LedgerChange, ...]) -> "Decision[A]":
        """With these changes of ledgers instead of its own."""
        return replace(self, changes=changes)

    def also(
        self,
        *,
        documents: tuple[Document, ...] = (),
        history: tuple[HistoryEntry, ...] = (),
        effects: tuple[Effect, ...] = (),
    ) -> "Decision[A]":
        """With more in the same commit."""
        return replace(
            self,
            documents=(*self.documents, *documents),
            history=(*self.history, *history),
            effects=(*self.effects, *effects),
        )

    def counted(self, *counts: OneMore) -> "Decision[A]":
        return replace(self, counts=(*self.counts, *counts))

    def resting_on(self, *refs: AnyRef) -> "Decision[A]":
        """Committed only where these are as they were read, too."""
        return replace(self, guards=(*self.guards, *refs))

    def without(self, refs: tuple[AnyRef, ...]) -> "Decision[A]":
        """With these documents deleted in the same commit."""
        return replace(self, deletions=(*self.deletions, *refs))

    @property
    def writes_nothing(self) -> bool:
        return not (self.documents or self.changes or self.touches or self.deletions or self.history or self.effects)


def in_one_commit(decisions: Iterable[Decision[Any]], answer: A) -> Decision[A]:
    """Several decisions, each made on the state that those before it leave. Of a document that more than one of them writes the last state counts."""
    decisions = tuple(decisions)
    documents = {(type(d), getattr(d, "id", None)): d for decision in decisions for d in decision.documents}
    return Decision(
        answer=answer,
        documents=tuple(documents.values()),
        changes=merge_changes(change for decision in decisions for change in decision.changes),
        touches=_each_once(touch for decision in decisions for touch in decision.touches),
        deletions=_each_once(ref for decision in decisions for ref in decision.deletions),
        guards=_each_once(ref for decision in decisions for ref in decision.guards),
        history=tuple(entry for decision in decisions for entry in decision.history),
        effects=_each_once(effect for decision in decisions for effect in decision.effects),
        counts=tuple(count for decision in decisions for count in decision.counts),
    )


def _each_once(things: Iterable[D]) -> tuple[D, ...]:
    return tuple(dict.fromkeys(things))
