"""What a request costs at Firestore: every call that the client library makes, counted where it leaves this process."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, CommitRequest


@dataclass
class Wire:
    """The requests that went out, in their order: batched reads, commits, and by name what else was called. `found` counts the documents of queries."""

    reads: list[Any] = field(default_factory=list)
    commits: list[Any] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    found: int = 0

    def clear(self) -> None:
        for calls in (self.reads, self.commits, self.others):
            calls.clear()
        self.found = 0

    @property
    def round_trips(self) -> int:
        return len(self.reads) + len(self.commits) + len(self.others)

    @property
    def documents_read(self) -> list[int]:
        """By each batched read. One that is not there is paid for too."""
        return [len(BatchGetDocumentsRequest(request).documents) for request in self.reads]

    @property
    def documents_written(self) -> list[int]:
        return [len(CommitRequest(request).writes) for request in self.commits]

    @property
    def contended(self) -> list[str]:
        """The collections of the documents that were written only if they were still as read: what two writers can be in each other's way about."""
        guarded = [
            write
            for request in self.commits
            for write in CommitRequest(request).writes
            if "update_time" in write.current_document
        ]
        return sorted((write.update.name or write.delete or write.verify).split("/")[-2] for write in guarded)


def tap(client: firestore.Client) -> Wire:
    """Counts from now on, for as long as the client lives."""
    wire, api = Wire(), client._firestore_api
    batch_get, commit, run_query = api.batch_get_documents, api.commit, api.run_query

    def counted_get(request: Any, **options: Any) -> Any:
        wire.reads.append(request)
        return batch_get(request=request, **options)

    def counted_commit(request: Any, **options: Any) -> Any:
        wire.commits.append(request)
        return commit(request=request, **options)

    def counted_query(request: Any, **options: Any) -> Iterator[Any]:
        wire.others.append("run_query")
        found = 0
        for response in run_query(request=request, **options):
            found += bool(response.document)
            yield response
        wire.found += max(1, found)  # a query that finds nothing is paid for as one read

    def counted(name: str) -> Any:
        call = getattr(api, name)

        def other(*arguments: Any, **options: Any) -> Any:
            wire.others.append(name)
            return call(*arguments, **options)

        return other

    api.batch_get_documents, api.commit, api.run_query = counted_get, counted_commit, counted_query
    for name in ("get_document", "list_documents", "begin_transaction", "run_aggregation_query"):
        setattr(api, name, counted(name))
    return wire
