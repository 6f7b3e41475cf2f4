"""All queues and tasks: the calls of the API as plain functions on what is stored.

A call checks everything first (raising a `Refusal`), then writes to the store, then changes what is in memory.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from infra.local.tasks.backoff import RETENTION_SECONDS
from infra.local.tasks.errors import (
    NO_SUCH_ENTITY,
    NO_SUCH_QUEUE,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
)
from infra.local.tasks.messages import PAUSED, RUNNING, QueueMessage, TaskMessage, seconds_of, set_seconds
from infra.local.tasks.names import check_location, check_queue_name, check_task_name, location_of, queue_of, under
from infra.local.tasks.persistence import Store, Tombstone
from infra.local.tasks.queue import Queue, Task
from infra.local.tasks.queue_config import apply_update, complete_settings
from infra.local.tasks.task_spec import complete_task
from infra.local.tasks.tombstones import QUEUE_NAME_SECONDS, TASK_NAME_SECONDS, Tombstones

Clock = Callable[[], float]


class Registry:
    """`changed` is called with a queue whenever what it can deliver may have changed."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self.queues: dict[str, Queue] = {}
        self.changed: Callable[[Queue], None] = lambda queue: None
        self._store = store
        self._clock = clock
        self._deleted_queues = Tombstones(held_for=QUEUE_NAME_SECONDS)
        self._past_tasks = Tombstones(held_for=TASK_NAME_SECONDS)
        self._load()

    # Queues

    def create_queue(self, *, parent: str, given: QueueMessage) -> Queue:
        check_location(parent)
        check_queue_name(given.name)
        if location_of(given.name) != parent:
            raise InvalidArgument(f"{given.name} must begin with {parent}.")
        if given.name in self.queues:
            raise AlreadyExists("Queue already exists")
        return self._new_queue(complete_settings(given))

    def update_queue(self, *, given: QueueMessage, mask: Any) -> Queue:
        """Changes the settings; creates a queue that does not exist."""
        check_queue_name(given.name)
        queue = self.queues.get(given.name)
        if queue is None:
            return self._new_queue(complete_settings(given))
        settings = apply_update(queue.message, given, mask)
        settings.state = queue.message.state
        if queue.message.HasField("purge_time"):
            settings.purge_time.CopyFrom(queue.message.purge_time)
        self._store.put_queue(settings)
        queue.change(settings, now=self._clock())
        self.changed(queue)
        return queue

    def get_queue(self, name: str) -> Queue:
        check_queue_name(name)
        queue = self.queues.get(name)
        if queue is None:
            raise NotFound(NO_SUCH_QUEUE)
        return queue

    def list_queues(self, *, parent: str, page_size: int, page_token: str) -> tuple[list[Queue], str]:
        check_location(parent)
        names = [name for name in self.queues if location_of(name) == parent]
        page, token = _page(names, size=page_size, largest=9800, token=page_token)
        return [self.queues[name] for name in page], token

    def delete_queue(self, name: str) -> None:
        check_queue_name(name)
        queue = self.queues.get(name)
        if queue is None:
            raise NotFound(NO_SUCH_ENTITY)
        self._bury(queue, list(queue.tasks.values()))
        expires_at = self._deleted_queues.hold(name, now=self._clock())
        self._store.bury_queue(name, Tombstone(name, expires_at))
        del self.queues[name]
        queue.forget_deliveries()
        self.changed(queue)

    def set_paused(self, name: str, *, paused: bool) -> Queue:
        return self._change_message(name, state=PAUSED if paused else RUNNING)

    def purge_queue(self, name: str) -> Queue:
        queue = self.get_queue(name)
        self._bury(queue, list(queue.tasks.values()))
        queue.forget_deliveries()
        return self._change_message(name, purge_time=self._clock())

    # Tasks

    def create_task(self, *, parent: str, given: TaskMessage) -> Task:
        check_queue_name(parent)
        now = self._clock()
        if given.name:
            check_task_name(given.name)
            if queue_of(given.name) != parent:
                raise InvalidArgument(
                    f"The queue name from request ('{parent}') must be the same as the queue name in the named task "
                    f"('{queue_of(given.name)}')."
                )
        queue = self.get_queue(parent)
        name = given.name or f"{parent}/tasks/{uuid.uuid4().hex}"
        message = complete_task(given, name=name, now=now)
        self._release_expired(now)
        if name in queue.tasks:
            raise AlreadyExists("Requested entity already exists")
        if self._past_tasks.holds(name, now=now):
            raise AlreadyExists("The task cannot be created because a task with this name existed too recently.")
        task = Task(message, caller_named=bool(given.name))
        self._store.put_task(task)
        queue.add(task)
        self.changed(queue)
        return task

    def get_task(self, name: str) -> Task:
        check_task_name(name)
        queue = self.queues.get(queue_of(name))
        if queue is None:
            raise NotFound(NO_SUCH_QUEUE)
        task = queue.tasks.get(name)
        if task is not None:
            return task
        if self._past_tasks.holds(name, now=self._clock()):
            raise NotFound(
                "The task no longer exists, though a task with this name existed recently. "
                "The task either successfully completed or was deleted."
            )
        raise NotFound(NO_SUCH_ENTITY)

    def list_tasks(self, *, parent: str, page_size: int, page_token: str) -> tuple[list[Task], str]:
        queue = self.get_queue(parent)
        page, token = _page(queue.tasks, size=page_size, largest=1000, token=page_token)
        return [queue.tasks[name] for name in page], token

    def delete_task(self, name: str) -> None:
        """Also one that is being delivered; what comes of that delivery no longer matters."""
        task = self.get_task(name)
        self.queues[queue_of(name)].cancel_copies(task)
        self.remove_task(task)
        self.changed(self.queues[queue_of(name)])

    # What the dispatcher and the control interface do

    def remove_task(self, task: Task) -> None:
        """The task is done, given up or deleted; its name stays taken for a while."""
        self._bury(self.queues[queue_of(task.name)], [task])

    def save_task(self, task: Task) -> None:
        self._store.put_task(task)

    def under(self, prefix: str) -> list[Queue]:
        return [queue for name, queue in self.queues.items() if under(name, prefix)]

    def reset(self, prefix: str) -> None:
        """Forgets tasks, tombstones and counts below the prefix; the queues stay, with their settings and state."""
        for queue in self.under(prefix):
            self._bury(queue, list(queue.tasks.values()))
            queue.forget_deliveries()
            queue.done = queue.failed = 0
            self.changed(queue)
        for tombstones in (self._deleted_queues, self._past_tasks):
            names = [name for name in tombstones.names if under(name, prefix)]
            self._store.forget_tombstones(names)
            tombstones.release(names)

    def _load(self) -> None:
        now = self._clock()
        for message in self._store.queues():
            self.queues[message.name] = Queue(message, now=now)
        for stone in self._store.tombstones():
            tombstones = self._past_tasks if "/tasks/" in stone.name else self._deleted_queues
            tombstones.restore(stone.name, expires_at=stone.expires_at)
        self._release_expired(now)
        for task in list(self._store.tasks()):
            queue = self.queues[queue_of(task.name)]
            queue.add(task)
            if seconds_of(task.message.create_time) + RETENTION_SECONDS <= now:
                self._bury(queue, [task])

    def _new_queue(self, message: QueueMessage) -> Queue:
        now = self._clock()
        if self._deleted_queues.holds(message.name, now=now):
            raise FailedPrecondition("The queue cannot be created because a queue with this name existed too recently.")
        message.state = RUNNING
        self._store.put_queue(message)
        self.queues[message.name] = Queue(message, now=now)
        return self.queues[message.name]

    def _change_message(self, name: str, *, state: int | None = None, purge_time: float | None = None) -> Queue:
        queue = self.get_queue(name)
        message = type(queue.message)()
        message.CopyFrom(queue.message)
        if state is not None:
            message.state = state
        if purge_time is not None:
            set_seconds(message.purge_time, purge_time)
        self._store.put_queue(message)
        queue.message = message
        self.changed(queue)
        return queue

    def _bury(self, queue: Queue, tasks: list[Task]) -> None:
        now = self._clock()
        # A name the service made up cannot be asked for again by accident; holding it would only cost memory.
        stones = [
            Tombstone(task.name, self._past_tasks.hold(task.name, now=now)) for task in tasks if task.caller_named
        ]
        self._store.bury_tasks([task.name for task in tasks], stones)
        for task in tasks:
            queue.remove(task)

    def _release_expired(self, now: float) -> None:
        expired = self._past_tasks.expire(now) + self._deleted_queues.expire(now)
        if expired:
            self._store.forget_tombstones(expired)


def _page(names: Iterable[str], *, size: int, largest: int, token: str) -> tuple[list[str], str]:
    """A page of the names in order, and the token of the next one (empty when there is none)."""
    if size < 0:
        raise InvalidArgument("page_size cannot be negative.")
    size = min(size or largest, largest)
    try:
        after = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidArgument("page_token is not one that this service gave.") from None
    page = heapq.nsmallest(size + 1, (name for name in names if name > after))
    if len(page) <= size:
        return page, ""
    return page[:size], base64.urlsafe_b64encode(page[size - 1].encode()).decode()
