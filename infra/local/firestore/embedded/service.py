"""The calls of ``google.firestore.v1.Firestore`` that the stand-in serves."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.empty_pb2 import Empty

from infra.local.firestore.embedded import fieldpaths, listing, names
from infra.local.firestore.embedded.aggregation import aggregate, aggregated_fields
from infra.local.firestore.embedded.clock import CommitClock, timestamp
from infra.local.firestore.embedded.commit import Committer, target
from infra.local.firestore.embedded.errors import InvalidArgument, NotFound, Refused, Unimplemented
from infra.local.firestore.embedded.messages import (
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BatchWriteRequest,
    BatchWriteResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    Document,
    DocumentMask,
    GetDocumentRequest,
    ListCollectionIdsRequest,
    ListCollectionIdsResponse,
    ListDocumentsRequest,
    ListDocumentsResponse,
    RollbackRequest,
    RunAggregationQueryRequest,
    RunAggregationQueryResponse,
    RunQueryRequest,
    RunQueryResponse,
    WriteResult,
)
from infra.local.firestore.embedded.names import Path
from infra.local.firestore.embedded.queries import Plan, plan
from infra.local.firestore.embedded.storage import Store
from infra.local.firestore.embedded.transactions import Transaction, Transactions


class Service:
    """Answers requests with responses, or raises Refused.

    Only ``begin_transaction`` awaits anything; every other call runs from its first read to its last write without
    giving up the event loop, which is what makes it atomic.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clock = CommitClock(store.last_commit())
        self._committer = Committer(store, self._clock)
        self._transactions = Transactions(store)

    async def get_document(self, request: GetDocumentRequest) -> Document:
        path = names.parse_document(request.name)
        document = self._get(path, self._reader(request, path.database))
        if document is None:
            raise NotFound(f"document ({request.name}) not found")
        return _masked(document, request)

    async def batch_get_documents(self, request: BatchGetDocumentsRequest) -> list[BatchGetDocumentsResponse]:
        database = names.parse_database(request.database)
        paths = [names.parse_document(name) for name in dict.fromkeys(request.documents)]
        _check_database(paths, database)
        transaction = self._reader(request, database)
        read_time = timestamp(self._clock.read())
        responses: list[BatchGetDocumentsResponse] = []
        for path in paths:
            document = self._get(path, transaction)
            if document is None:
                responses.append(BatchGetDocumentsResponse(missing=path.name, read_time=read_time))
            else:
                found = _masked(document, request)
                responses.append(BatchGetDocumentsResponse(found=found, read_time=read_time))
        return responses

    async def list_documents(self, request: ListDocumentsRequest) -> ListDocumentsResponse:
        parent = names.parse_parent(request.parent)
        self._refuse_transaction(request, "ListDocuments")
        if request.order_by or not request.collection_id:
            raise Unimplemented("ListDocuments with an order or without a collection")
        page = listing.document_ids(
            self._store,
            parent,
            request.collection_id,
            page_size=request.page_size,
            page_token=request.page_token,
            show_missing=request.show_missing,
        )
        paths = [parent.below(request.collection_id, identifier) for identifier in page.ids]
        documents = [self._store.get(path) or Document(name=path.name) for path in paths]
        return ListDocumentsResponse(
            documents=[_masked(document, request) for document in documents], next_page_token=page.next_token
        )

    async def list_collection_ids(self, request: ListCollectionIdsRequest) -> ListCollectionIdsResponse:
        parent = names.parse_parent(request.parent)
        self._refuse_transaction(request, "ListCollectionIds")
        page = listing.collection_ids(self._store, parent, page_size=request.page_size, page_token=request.page_token)
        return ListCollectionIdsResponse(collection_ids=page.ids, next_page_token=page.next_token)

    async def run_query(self, request: RunQueryRequest) -> list[RunQueryResponse]:
        parent = names.parse_parent(request.parent)
        _refuse_explain(request)
        transaction = self._reader(request, parent.database)
        planned = plan(parent, request.structured_query)
        read_time = timestamp(self._clock.read())
        responses = [
            RunQueryResponse(document=planned.projected(document), read_time=read_time)
            for document in self._run(planned, transaction)
        ]
        return responses or [RunQueryResponse(read_time=read_time)]

    async def run_aggregation_query(self, request: RunAggregationQueryRequest) -> list[RunAggregationQueryResponse]:
        parent = names.parse_parent(request.parent)
        _refuse_explain(request)
        transaction = self._reader(request, parent.database)
        asked = request.structured_aggregation_query
        fields = aggregated_fields(asked.aggregations)
        planned = plan(parent, asked.structured_query, aggregated=fields)
        results = aggregate(asked.aggregations, self._run(planned, transaction))
        response = RunAggregationQueryResponse(read_time=timestamp(self._clock.read()))
        for alias, value in results.items():
            response.result.aggregate_fields[alias].CopyFrom(value)
        return [response]

    async def commit(self, request: CommitRequest) -> CommitResponse:
        database = names.parse_database(request.database)
        _check_database([target(write) for write in request.writes], database)
        if request.transaction:
            self._check_transaction(request, database)
        committed = self._committer.commit(list(request.writes))
        return CommitResponse(commit_time=timestamp(committed.time), write_results=committed.results)

    async def batch_write(self, request: BatchWriteRequest) -> BatchWriteResponse:
        """Every write on its own: one that is refused does not hinder the others."""
        paths = [target(write) for write in request.writes]
        _check_database(paths, names.parse_database(request.database))
        if len(set(paths)) != len(paths):
            raise InvalidArgument("the same document cannot be written more than once in a single request")
        response = BatchWriteResponse()
        for write in request.writes:
            status = response.status.add()
            try:
                response.write_results.extend(self._committer.commit([write]).results)
            except Refused as refusal:
                status.code, status.message = refusal.status.value[0], str(refusal)
                response.write_results.append(WriteResult())
        return response

    async def begin_transaction(self, request: BeginTransactionRequest) -> BeginTransactionResponse:
        database = names.parse_database(request.database)
        if request.options.read_only.HasField("read_time"):
            raise Unimplemented("reads at a time in the past")
        read_only = request.options.HasField("read_only")
        transaction = await self._transactions.begin(database, read_only=read_only)
        return BeginTransactionResponse(transaction=transaction.identifier)

    def clear(self, database: str) -> None:
        """Removes every document of a database."""
        self._store.clear(names.parse_database(database), commit_time=self._clock.tick())

    async def rollback(self, request: RollbackRequest) -> Empty:
        names.parse_database(request.database)
        self._transactions.close(request.transaction)
        return Empty()

    def _check_transaction(self, request: CommitRequest, database: str) -> None:
        """Ends the transaction of a commit and raises unless everything it read is still so."""
        transaction = self._transactions.use(request.transaction, database)
        try:
            if transaction.read_only and request.writes:
                raise InvalidArgument("a read-only transaction cannot write")
            if not transaction.read_only:
                transaction.check_unchanged(self._store)
        finally:
            self._transactions.close(request.transaction)

    def _reader(self, request: Any, database: str) -> Transaction | None:
        """The transaction a read belongs to, None for a read of the newest state."""
        if request.HasField("read_time"):
            raise Unimplemented("reads at a time in the past")
        if "new_transaction" in request.DESCRIPTOR.fields_by_name and request.HasField("new_transaction"):
            raise Unimplemented("reads that begin a transaction; begin it with BeginTransaction")
        return self._transactions.use(request.transaction, database) if request.transaction else None

    def _refuse_transaction(self, request: Any, what: str) -> None:
        if request.HasField("read_time") or getattr(request, "transaction", b""):
            raise Unimplemented(f"{what} in a transaction or at a time in the past")

    def _get(self, path: Path, transaction: Transaction | None) -> Document | None:
        return self._store.get(path) if transaction is None else transaction.get(path)

    def _run(self, planned: Plan, transaction: Transaction | None) -> list[Document]:
        return planned.run(self._store) if transaction is None else transaction.run(planned)


def _masked(document: Document, request: Any) -> Document:
    if not request.HasField("mask"):
        return document
    mask: DocumentMask = request.mask
    return fieldpaths.masked(document, [fieldpaths.parse(text) for text in mask.field_paths])


def _check_database(paths: Sequence[Path], database: str) -> None:
    for path in paths:
        if path.database != database:
            raise InvalidArgument(f"{path.name} is not in the database {database}")


def _refuse_explain(request: Any) -> None:
    if request.HasField("explain_options"):
        raise Unimplemented("query explanation (explain_options)")
