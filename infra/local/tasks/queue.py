"""A queue's tasks and what is next to deliver. Knows the time it is told and nothing of connections."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, field

from infra.local.tasks.backoff import RetryPolicy
from infra.local.tasks.faults import FaultPlan
from infra.local.tasks.messages import PAUSED, QueueMessage, TaskMessage, seconds_of
from infra.local.tasks.rate import TokenBucket

_order = itertools.count()


@dataclass(slots=True, eq=False)
class Task:
    """A task that is neither done nor given up. `message` holds what the API shows of it."""

    message: TaskMessage
    caller_named: bool
    execution_count: int = 0  # answers other than 5xx
    previous_response: int | None = None  # the last attempt's status, where it had one
    in_flight: int = 0
    waiting: Delivery | None = None
    copies: list[Delivery] = field(default_factory=list)
    removed: bool = False  # done, given up, deleted or purged

    @property
    def name(self) -> str:
        return str(self.message.name)


@dataclass(slots=True, eq=False)
class Delivery:
    """One call to make: the task's next attempt, or an extra copy of an attempt (a fault)."""

    task: Task
    due: float
    copy_of_attempt: int | None = None
    delayed: bool = False  # a delay that was ordered has been added
    cancelled: bool = False

    @property
    def attempt(self) -> int:
        """1 for the first."""
        return self.copy_of_attempt or int(self.task.message.dispatch_count) + 1


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """`pending` is due and not begun, `scheduled` due later; `done` and `failed` count since the start or a reset."""

    pending: int
    scheduled: int
    running: int
    done: int
    failed: int


class Queue:
    """Hands out deliveries when they are due and the queue's state, rate and concurrency allow them."""

    def __init__(self, message: QueueMessage, *, now: float) -> None:
        self.message = message
        self.retry = RetryPolicy.of(message)
        self.tasks: dict[str, Task] = {}
        self.running = 0
        self.done = 0
        self.failed = 0
        limits = message.rate_limits
        self._bucket = TokenBucket(rate=limits.max_dispatches_per_second, burst=limits.max_burst_size, now=now)
        self._waiting: list[tuple[float, int, Delivery]] = []  # a heap by due time, then by order of arrival
        self._ready: deque[Delivery] = deque()  # due, held back by rate, concurrency or a pause

    @property
    def name(self) -> str:
        return str(self.message.name)

    @property
    def paused(self) -> bool:
        return bool(self.message.state == PAUSED)

    def change(self, message: QueueMessage, *, now: float) -> None:
        self.message = message
        self.retry = RetryPolicy.of(message)
        limits = message.rate_limits
        self._bucket.change(rate=limits.max_dispatches_per_second, burst=limits.max_burst_size, now=now)

    def add(self, task: Task) -> None:
        self.tasks[task.name] = task
        self.schedule(task)

    def schedule(self, task: Task) -> None:
        """The next attempt, at the task's schedule time, in place of one that waits already."""
        self.unschedule(task)
        task.waiting = Delivery(task=task, due=seconds_of(task.message.schedule_time))
        self._push(task.waiting)

    def schedule_copy(self, task: Task, *, attempt: int, due: float) -> None:
        task.copies.append(Delivery(task=task, due=due, copy_of_attempt=attempt, delayed=True))
        self._push(task.copies[-1])

    def unschedule(self, task: Task) -> None:
        if task.waiting is not None:
            task.waiting.cancelled = True
            task.waiting = None

    def remove(self, task: Task) -> None:
        """Takes the task out. Copies that are still to come stay: a late duplicate of a done task is their point."""
        self.unschedule(task)
        task.removed = True
        self.tasks.pop(task.name, None)

    def cancel_copies(self, task: Task) -> None:
        for copy in task.copies:
            copy.cancelled = True

    def forget_deliveries(self) -> None:
        """Nothing that waits is delivered, copies included."""
        self._waiting.clear()
        self._ready.clear()

    def make_due(self, now: float) -> None:
        """Everything that waits is due now, in the order it was due, without the delays that faults would add."""
        self._promote_all()
        for delivery in self._ready:
            delivery.due = min(delivery.due, now)

    def take(self, now: float, faults: FaultPlan) -> Delivery | None:
        """The delivery to make now, or None: nothing is due, or the queue is paused, at its rate or at its concurrency."""
        if self.paused or self.running >= self.message.rate_limits.max_concurrent_dispatches:
            return None
        self._promote(now, faults)
        if not self._has_ready() or self._bucket.wait(now):
            return None
        self._bucket.spend(now)
        return self._pick(faults)

    def next_wake(self, now: float) -> float | None:
        """When `take` may answer differently by the passing of time alone."""
        if self.paused or self.running >= self.message.rate_limits.max_concurrent_dispatches:
            return None
        if self._has_ready():
            return now + self._bucket.wait(now)
        return self._next_due()

    def busy(self, *, until: float) -> bool:
        """Whether a delivery runs, or can begin by `until`. What waits in a paused queue cannot."""
        if self.running or self.paused:
            return self.running > 0
        due = self._next_due()
        return self._has_ready() or (due is not None and due <= until)

    def counts(self, now: float) -> QueueCounts:
        due = [task.waiting.due for task in self.tasks.values() if task.waiting is not None]
        pending = sum(1 for at in due if at <= now)
        return QueueCounts(
            pending=pending, scheduled=len(due) - pending, running=self.running, done=self.done, failed=self.failed
        )

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._waiting, (delivery.due, next(_order), delivery))

    def _promote(self, now: float, faults: FaultPlan) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            delivery = heapq.heappop(self._waiting)[2]
            if delivery.cancelled:
                continue
            if not delivery.delayed:
                delivery.delayed = True
                delay = faults.for_queue(self.name).decide(task=delivery.task.name, attempt=delivery.attempt).delay
                if delay:
                    delivery.due = now + delay
                    self._push(delivery)
                    continue
            self._ready.append(delivery)

    def _promote_all(self) -> None:
        while self._waiting:
            delivery = heapq.heappop(self._waiting)[2]
            delivery.delayed = True
            self._ready.append(delivery)

    def _next_due(self) -> float | None:
        while self._waiting and self._waiting[0][2].cancelled:
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None

    def _has_ready(self) -> bool:
        while self._ready and self._ready[0].cancelled:
            self._ready.popleft()
        return bool(self._ready)

    def _pick(self, faults: FaultPlan) -> Delivery:
        while True:
            chosen = faults.choose(faults.for_queue(self.name), len(self._ready))
            self._ready.rotate(-chosen)
            delivery = self._ready.popleft()
            self._ready.rotate(chosen)
            if not delivery.cancelled:
                return delivery
