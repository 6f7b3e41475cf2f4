"""The raw protobuf classes behind google-cloud-firestore's types.

The client library's own classes are proto-plus wrappers; the server works on the plain messages, which are several
times faster and can be told apart from "unset" with ``HasField``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message

    class _Raw(Message):
        def __init__(self, **fields: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

    class Aggregation(_Raw): ...

    class BatchGetDocumentsRequest(_Raw): ...

    class BatchGetDocumentsResponse(_Raw): ...

    class BatchWriteRequest(_Raw): ...

    class BatchWriteResponse(_Raw): ...

    class BeginTransactionRequest(_Raw): ...

    class BeginTransactionResponse(_Raw): ...

    class CommitRequest(_Raw): ...

    class CommitResponse(_Raw): ...

    class Cursor(_Raw): ...

    class Document(_Raw): ...

    class DocumentMask(_Raw): ...

    class FieldTransform(_Raw): ...

    class Filter(_Raw): ...

    class GetDocumentRequest(_Raw): ...

    class ListCollectionIdsRequest(_Raw): ...

    class ListCollectionIdsResponse(_Raw): ...

    class ListDocumentsRequest(_Raw): ...

    class ListDocumentsResponse(_Raw): ...

    class RollbackRequest(_Raw): ...

    class RunAggregationQueryRequest(_Raw): ...

    class RunAggregationQueryResponse(_Raw): ...

    class RunQueryRequest(_Raw): ...

    class RunQueryResponse(_Raw): ...

    class StructuredQuery(_Raw): ...

    class Value(_Raw): ...

    class Write(_Raw): ...

    class WriteResult(_Raw): ...
else:
    from google.cloud.firestore_v1.types import common, document, firestore, query, write

    Aggregation = query.StructuredAggregationQuery.Aggregation.pb()
    BatchGetDocumentsRequest = firestore.BatchGetDocumentsRequest.pb()
    BatchGetDocumentsResponse = firestore.BatchGetDocumentsResponse.pb()
    BatchWriteRequest = firestore.BatchWriteRequest.pb()
    BatchWriteResponse = firestore.BatchWriteResponse.pb()
    BeginTransactionRequest = firestore.BeginTransactionRequest.pb()
    BeginTransactionResponse = firestore.BeginTransactionResponse.pb()
    CommitRequest = firestore.CommitRequest.pb()
    CommitResponse = firestore.CommitResponse.pb()
    Cursor = query.Cursor.pb()
    Document = document.Document.pb()
    DocumentMask = common.DocumentMask.pb()
    FieldTransform = write.DocumentTransform.FieldTransform.pb()
    Filter = query.StructuredQuery.Filter.pb()
    GetDocumentRequest = firestore.GetDocumentRequest.pb()
    ListCollectionIdsRequest = firestore.ListCollectionIdsRequest.pb()
    ListCollectionIdsResponse = firestore.ListCollectionIdsResponse.pb()
    ListDocumentsRequest = firestore.ListDocumentsRequest.pb()
    ListDocumentsResponse = firestore.ListDocumentsResponse.pb()
    RollbackRequest = firestore.RollbackRequest.pb()
    RunAggregationQueryRequest = firestore.RunAggregationQueryRequest.pb()
    RunAggregationQueryResponse = firestore.RunAggregationQueryResponse.pb()
    RunQueryRequest = firestore.RunQueryRequest.pb()
    RunQueryResponse = firestore.RunQueryResponse.pb()
    StructuredQuery = query.StructuredQuery.pb()
    Value = document.Value.pb()
    Write = write.Write.pb()
    WriteResult = write.WriteResult.pb()
