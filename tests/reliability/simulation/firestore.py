"""Firestore without a network: Google's client library over the engine of the embedded stand-in, whose contract is held against the official emulator
in `tests/platform`. Only the transport is left out, and the file: documents live in a dictionary.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from google.api_core.exceptions import from_grpc_status
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    RunQueryRequest,
    RunQueryResponse,
)

from functions.adapters.store.wire import _decoded
from infra.local.firestore.embedded import names
from infra.local.firestore.embedded.clock import CommitClock
from infra.local.firestore.embedded.commit import Committer, target
from infra.local.firestore.embedded.errors import Refused
from infra.local.firestore.embedded.messages import Document
from infra.local.firestore.embedded.names import Path
from infra.local.firestore.embedded.service import Service
from infra.local.firestore.embedded.storage import CollectionScan
from tests.reliability.simulation.chance import Clock

T = TypeVar("T")

Io = Callable[[str, Callable[[], Any]], Any]
# Told after every commit of the documents that it has written, by path, as they are now (None: it was deleted).
Committed = Callable[[Mapping[str, Mapping[str, Any] | None]], None]
PROJECT = "simulated"


class Documents:
    """What the engine asks of its storage (`storage.Store`), in memory."""

    def __init__(self) -> None:
        self._documents: dict[bytes, tuple[Path, bytes, int]] = {}
        self._last_commit = 0

    def get(self, path: Path) -> Document | None:
        found = self._documents.get(path.key)
        return None if found is None else Document.FromString(found[1])

    def updated(self, path: Path) -> int | None:
        found = self._documents.get(path.key)
        return None if found is None else found[2]

    def last_commit(self) -> int:
        return self._last_commit

    def scan(self, scan: CollectionScan) -> Iterator[Document]:
        parent, below = scan.parent.key, names.end_of_prefix(scan.parent.key)
        found = [
            (key, content)
            for key, (path, content, _) in self._documents.items()
            if (scan.collection is None or path.collection == scan.collection)
            and (parent < key < below if scan.descendants else path.parent_key == parent)
        ]
        for _, content in sorted(found):
            yield Document.FromString(content)

    def write(self, changes: Mapping[Path, Document | None], *, commit_time: int) -> None:
        self._last_commit = commit_time
        for path, document in changes.items():
            if document is None:
                self._documents.pop(path.key, None)
            else:
                content = document.SerializeToString()
                self._documents[path.key] = (path, content, document.update_time.ToMicroseconds())


class _Api:
    """The calls of the client library's transport. `io` is told of each, and may let others go first, or fail it.

    Who reads in a transaction here is a check: nothing runs meanwhile, so that every read is of the same moment anyway.
    """

    def __init__(self, clock: Clock, io: Io, committed: Committed) -> None:
        self._io, self._committed = io, committed
        self._documents: Any = Documents()
        documents = self._documents
        self._service = Service(documents)
        commits = CommitClock(0, now=clock.microseconds)
        self._service._clock, self._service._committer = commits, Committer(documents, commits)

    def batch_get_documents(self, request: Any, **_: Any) -> Iterator[BatchGetDocumentsResponse]:
        raw = _raw(BatchGetDocumentsRequest, request)
        found = self._io("read", lambda: _done(self._service.batch_get_documents(raw)))
        return iter([BatchGetDocumentsResponse.wrap(each) for each in found])

    def run_query(self, request: Any, **_: Any) -> Iterator[RunQueryResponse]:
        raw = _raw(RunQueryRequest, request)
        found = self._io("query", lambda: _done(self._service.run_query(raw)))
        return iter([RunQueryResponse.wrap(each) for each in found])

    def commit(self, request: Any, **_: Any) -> CommitResponse:
        raw = _raw(CommitRequest, request)
        return CommitResponse.wrap(self._io("commit", lambda: self._commit(raw)))

    def _commit(self, raw: Any) -> Any:
        answer = _done(self._service.commit(raw))
        written = dict.fromkeys(target(write) for write in raw.writes)
        self._committed({"/".join(path.segments): self._fields(path) for path in written})
        return answer

    def _fields(self, path: Path) -> Mapping[str, Any] | None:
        stored = self._documents.get(path)
        return None if stored is None else {name: _decoded(value) for name, value in stored.fields.items()}

    def begin_transaction(self, request: Any, **_: Any) -> BeginTransactionResponse:
        return BeginTransactionResponse(transaction=b"the only one")

    def rollback(self, request: Any, **_: Any) -> None:
        return


def _raw(type_: Any, request: Any) -> Any:
    """The protocol buffer of a request, which the library gives in one of three forms."""
    raw = type_.pb(type_({k: v for k, v in request.items() if v is not None}) if isinstance(request, dict) else request)
    raw.ClearField("transaction")
    return raw


def client(clock: Clock, io: Io, committed: Committed) -> firestore.Client:
    """A client with a database of its own."""
    made = firestore.Client(project=PROJECT, credentials=AnonymousCredentials())
    made._firestore_api_internal = _Api(clock, io, committed)
    return made


def _done(call: Coroutine[Any, Any, T]) -> T:
    """The engine's calls are coroutines that wait for nothing."""
    try:
        call.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    except Refused as refusal:
        raise from_grpc_status(refusal.status, str(refusal)) from None
    raise AssertionError("the engine waits for something")
