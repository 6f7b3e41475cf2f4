"""The history of a commit: its entries as records, with what the commit changes of the state of all that they are about.

The changes are found here, from the documents as they were read and as they are written, and not told by the decisions: so none can be forgotten.
"""

from collections.abc import Callable
from typing import Any

from functions.adapters.store.documents import collection_of
from functions.adapters.store.encoding import ref_of
from functions.adapters.store.records import HistoryRecord
from functions.domain.decision import AnyRef, Decision, HistoryEntry
from functions.domain.instants import Millis
from functions.domain.model import Document
from functions.domain.state_changes import State, Subject, difference, state_of, subject_of


class ForgottenHistory(Exception):
    """A decision changes a session, booking or waitlist entry, and no history entry of it is about that (law 9). A mistake in the decision."""


def record_id(commit_id: str, place: int) -> str:
    """In the order of their ids the records of one commit are in their own."""
    return f"{commit_id}{place:03}"


def history_records(
    decision: Decision[Any], as_read: Callable[[AnyRef], Any | None], *, commit_id: str, now: Millis
) -> list[HistoryRecord]:
    """Raises `ForgottenHistory`. `as_read`: a document as the decision found it, None where there was none."""
    state: dict[int, dict[str, State]] = {}
    for document in decision.documents:
        subject = subject_of(type(document))
        if subject is None:
            continue
        change = difference(state_of(as_read(ref_of(document))), state_of(document))
        if change:
            place = _place_of_entry(decision, subject, document, change)
            state.setdefault(place, {})[subject] = change
    _nothing_vanishes(decision)
    return [
        _record(entry, commit_id=commit_id, place=place, now=now, state=state.get(place, {}))
        for place, entry in enumerate(decision.history)
    ]


def _place_of_entry(decision: Decision[Any], subject: Subject, document: Document, change: State) -> int:
    """Of the first entry about the document."""
    name = ref_of(document).id
    for place, entry in enumerate(decision.history):
        if getattr(entry, subject) == name:
            return place
    fields = ", ".join(sorted(change))
    raise ForgottenHistory(
        f"{collection_of(type(document))}/{name} changes ({fields}); no history entry has it as {subject}"
    )


def _nothing_vanishes(decision: Decision[Any]) -> None:
    for ref in decision.deletions:
        if subject_of(ref.type) is not None:
            raise ForgottenHistory(
                f"{collection_of(ref.type)}/{ref.id} is deleted; such things end, and their history goes on"
            )


def _record(entry: HistoryEntry, *, commit_id: str, place: int, now: Millis, state: dict[str, State]) -> HistoryRecord:
    return HistoryRecord(
        id=record_id(commit_id, place),
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
        state=state,
    )


def without_client(record: HistoryRecord) -> HistoryRecord:
    """What happened stays, and so does what rules say of it. What people wrote as a reason goes: the client's own words, or words about them."""
    state = {
        subject: {name: value for name, value in change.items() if not (name == "reason" and isinstance(value, str))}
        for subject, change in record.state.items()
    }
    by_people = record.author_kind in ("client", "operator")
    return record.model_copy(update={"why": None if by_people else record.why, "state": state})
