"""The stand-in as a program: the service's calls on a gRPC port."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import grpc

from infra.local.firestore.embedded import messages
from infra.local.firestore.embedded.errors import Refused, Unimplemented
from infra.local.firestore.embedded.front import Front
from infra.local.firestore.embedded.service import Service
from infra.local.firestore.embedded.storage import Store

_SERVICE = "google.firestore.v1.Firestore"
_FILE = "embedded.sqlite3"
_MAX_MESSAGE_BYTES = 16 * 1024 * 1024  # above Firestore's own limit of a commit, so that that limit is what answers
_STOP_SECONDS = 1.0
_BACKLOG = 512
_OPTIONS = [
    ("grpc.so_reuseport", 0),  # otherwise a second server would silently share the port
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
]
_REFUSED = {
    "CreateDocument": "CreateDocument (use Commit, as the client libraries do)",
    "DeleteDocument": "DeleteDocument (use Commit, as the client libraries do)",
    "UpdateDocument": "UpdateDocument (use Commit, as the client libraries do)",
    "ExecutePipeline": "ExecutePipeline (pipelines)",
    "Listen": "Listen (snapshot listeners)",
    "PartitionQuery": "PartitionQuery",
    "Write": "Write (the streaming form of Commit)",
}

_Answer = Callable[[Any], Awaitable[Any]]

_log = logging.getLogger(__name__)


def data_file(directory: Path) -> Path:
    """The file the documents are kept in."""
    return directory / _FILE


async def serve(*, listener: socket.socket, directory: Path, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Serves on a bound socket until ``stop`` is set; calls ``ready`` once requests are answered."""
    store = Store(data_file(directory))
    service = Service(store)
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, _handlers(service)),))
    try:
        grpc_port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        front = Front(grpc_port=grpc_port, clear=service.clear)
        listening = await asyncio.get_running_loop().create_server(front.connection, sock=listener, backlog=_BACKLOG)
        ready()
        await stop.wait()
        listening.close()
        await server.stop(_STOP_SECONDS)
        front.close()
    finally:
        await server.stop(None)
        store.close()


def _handlers(service: Service) -> dict[str, Any]:
    unary: dict[str, tuple[_Answer, Any]] = {
        "BatchWrite": (service.batch_write, messages.BatchWriteRequest),
        "BeginTransaction": (service.begin_transaction, messages.BeginTransactionRequest),
        "Commit": (service.commit, messages.CommitRequest),
        "GetDocument": (service.get_document, messages.GetDocumentRequest),
        "ListCollectionIds": (service.list_collection_ids, messages.ListCollectionIdsRequest),
        "ListDocuments": (service.list_documents, messages.ListDocumentsRequest),
        "Rollback": (service.rollback, messages.RollbackRequest),
    }
    streaming: dict[str, tuple[_Answer, Any]] = {
        "BatchGetDocuments": (service.batch_get_documents, messages.BatchGetDocumentsRequest),
        "RunAggregationQuery": (service.run_aggregation_query, messages.RunAggregationQueryRequest),
        "RunQuery": (service.run_query, messages.RunQueryRequest),
    }
    handlers: dict[str, Any] = {}
    for name, (answer, request) in unary.items():
        handlers[name] = grpc.unary_unary_rpc_method_handler(
            _unary(answer), request_deserializer=request.FromString, response_serializer=_serialized
        )
    for name, (answer, request) in streaming.items():
        handlers[name] = grpc.unary_stream_rpc_method_handler(
            _streaming(answer), request_deserializer=request.FromString, response_serializer=_serialized
        )
    for name, what in _REFUSED.items():
        # A stream handler answers unary calls as well: the wire is the same.
        handlers[name] = grpc.stream_stream_rpc_method_handler(_refusing(what), response_serializer=_serialized)
    return handlers


def _serialized(response: Any) -> bytes:
    serialized: bytes = response.SerializeToString()
    return serialized


def _unary(answer: _Answer) -> Callable[[Any, Any], Awaitable[Any]]:
    async def handle(request: Any, context: Any) -> Any:
        try:
            return await answer(request)
        except Exception as error:
            await _abort(context, error)

    return handle


def _streaming(answer: _Answer) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def handle(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            responses = await answer(request)
        except Exception as error:
            await _abort(context, error)
        for response in responses:
            yield response

    return handle


def _refusing(what: str) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def refuse(request: Any) -> list[Any]:
        raise Unimplemented(what)

    return _streaming(refuse)


async def _abort(context: Any, error: Exception) -> NoReturn:
    if isinstance(error, Refused):
        await context.abort(error.status, str(error))
    _log.error("a request failed", exc_info=error)
    await context.abort(grpc.StatusCode.UNKNOWN, f"the embedded stand-in failed: {error!r}")
    raise AssertionError("abort always raises")
