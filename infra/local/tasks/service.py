"""The gRPC side: google.cloud.tasks.v2.CloudTasks as a generic handler over the client library's own messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from google.cloud.tasks_v2.types import cloudtasks
from google.protobuf import empty_pb2

from infra.local.tasks.dispatcher import Dispatcher
from infra.local.tasks.errors import Refusal, Unimplemented
from infra.local.tasks.messages import BASIC, FULL, QueueMessage, TaskMessage
from infra.local.tasks.messages import Task as TaskMessageClass
from infra.local.tasks.queue import Task
from infra.local.tasks.registry import Registry

SERVICE = "google.cloud.tasks.v2.CloudTasks"

Method = Callable[[Any], Any]


def generic_handler(*, registry: Registry, dispatcher: Dispatcher) -> grpc.GenericRpcHandler:
    """Methods that are not here (batch calls, IAM, CMEK, locations) are answered UNIMPLEMENTED by gRPC itself."""
    service = _Service(registry=registry, dispatcher=dispatcher)
    methods: dict[str, tuple[Method, Any]] = {
        "CreateQueue": (service.create_queue, cloudtasks.CreateQueueRequest),
        "UpdateQueue": (service.update_queue, cloudtasks.UpdateQueueRequest),
        "GetQueue": (service.get_queue, cloudtasks.GetQueueRequest),
        "ListQueues": (service.list_queues, cloudtasks.ListQueuesRequest),
        "DeleteQueue": (service.delete_queue, cloudtasks.DeleteQueueRequest),
        "PurgeQueue": (service.purge_queue, cloudtasks.PurgeQueueRequest),
        "PauseQueue": (service.pause_queue, cloudtasks.PauseQueueRequest),
        "ResumeQueue": (service.resume_queue, cloudtasks.ResumeQueueRequest),
        "CreateTask": (service.create_task, cloudtasks.CreateTaskRequest),
        "GetTask": (service.get_task, cloudtasks.GetTaskRequest),
        "ListTasks": (service.list_tasks, cloudtasks.ListTasksRequest),
        "DeleteTask": (service.delete_task, cloudtasks.DeleteTaskRequest),
        "RunTask": (service.run_task, cloudtasks.RunTaskRequest),
    }
    return grpc.method_handlers_generic_handler(
        SERVICE, {name: _rpc(method, request_class.pb()) for name, (method, request_class) in methods.items()}
    )


def _rpc(method: Method, request_class: Any) -> grpc.RpcMethodHandler[Any, Any]:
    async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return method(request)
        except Refusal as refusal:
            # abort raises; nothing has changed yet, as refusals come before any change.
            await context.abort(refusal.code, str(refusal))

    handler: Callable[[Any, Any], Awaitable[Any]] = answer
    return grpc.unary_unary_rpc_method_handler(
        handler,
        request_deserializer=request_class.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )


class _Service:
    def __init__(self, *, registry: Registry, dispatcher: Dispatcher) -> None:
        self._registry = registry
        self._dispatcher = dispatcher

    def create_queue(self, request: Any) -> QueueMessage:
        return self._registry.create_queue(parent=request.parent, given=request.queue).message

    def update_queue(self, request: Any) -> QueueMessage:
        return self._registry.update_queue(given=request.queue, mask=request.update_mask).message

    def get_queue(self, request: Any) -> QueueMessage:
        return self._registry.get_queue(request.name).message

    def list_queues(self, request: Any) -> Any:
        if request.filter:
            raise Unimplemented("ListQueuesRequest.filter is not implemented by the local Cloud Tasks.")
        queues, token = self._registry.list_queues(
            parent=request.parent, page_size=request.page_size, page_token=request.page_token
        )
        return cloudtasks.ListQueuesResponse.pb()(queues=[queue.message for queue in queues], next_page_token=token)

    def delete_queue(self, request: Any) -> empty_pb2.Empty:
        self._registry.delete_queue(request.name)
        return empty_pb2.Empty()

    def purge_queue(self, request: Any) -> QueueMessage:
        return self._registry.purge_queue(request.name).message

    def pause_queue(self, request: Any) -> QueueMessage:
        return self._registry.set_paused(request.name, paused=True).message

    def resume_queue(self, request: Any) -> QueueMessage:
        return self._registry.set_paused(request.name, paused=False).message

    def create_task(self, request: Any) -> TaskMessage:
        task = self._registry.create_task(parent=request.parent, given=request.task)
        return _view(task, request.response_view)

    def get_task(self, request: Any) -> TaskMessage:
        return _view(self._registry.get_task(request.name), request.response_view)

    def list_tasks(self, request: Any) -> Any:
        tasks, token = self._registry.list_tasks(
            parent=request.parent, page_size=request.page_size, page_token=request.page_token
        )
        views = [_view(task, request.response_view) for task in tasks]
        return cloudtasks.ListTasksResponse.pb()(tasks=views, next_page_token=token)

    def delete_task(self, request: Any) -> empty_pb2.Empty:
        self._registry.delete_task(request.name)
        return empty_pb2.Empty()

    def run_task(self, request: Any) -> TaskMessage:
        return _view(self._dispatcher.run_now(request.name), request.response_view)


def _view(task: Task, asked: int) -> TaskMessage:
    """A copy to answer with; only FULL shows the body."""
    message = TaskMessageClass()
    message.CopyFrom(task.message)
    message.view = FULL if asked == FULL else BASIC
    if message.view == BASIC:
        message.http_request.ClearField("body")
    return message
