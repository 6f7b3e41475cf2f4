"""Delivers what is due, as fast as each queue allows, and settles what the answers mean.

One event loop, no threads: a queue is looked at when something changes (a task comes, an answer comes, settings change)
and when its timer says that something becomes due. Nothing polls.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import grpc

from infra.local.tasks.backoff import RETENTION_SECONDS
from infra.local.tasks.faults import FaultDecision, FaultPlan
from infra.local.tasks.http_client import HttpClient, HttpRequest
from infra.local.tasks.journal import LONGEST_BODY, Entry, Journal, Result
from infra.local.tasks.messages import seconds_of, set_seconds
from infra.local.tasks.names import queue_of, short
from infra.local.tasks.oidc import TokenSigner
from infra.local.tasks.queue import Delivery, Queue, Task
from infra.local.tasks.registry import Clock, Registry
from infra.local.tasks.target import ANSWER_LOST, Outcome, call, delivery_request

log = logging.getLogger("tasks")


@dataclass(frozen=True, slots=True)
class _Begun:
    """A delivery that is under way."""

    queue: Queue
    delivery: Delivery
    request: HttpRequest
    attempt: int
    at: float
    lose_answer: bool


@dataclass(frozen=True, slots=True)
class _Settled:
    result: Result
    retry_in: float | None = None


class Dispatcher:
    """Made within a running event loop."""

    def __init__(
        self,
        *,
        registry: Registry,
        client: HttpClient,
        signer: TokenSigner,
        faults: FaultPlan,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._client = client
        self._signer = signer
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._timers: dict[Queue, asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._waiters: set[asyncio.Future[None]] = set()
        self._stopped = False
        registry.changed = self._look_at
        for queue in registry.queues.values():
            self._look_at(queue)

    def run_now(self, name: str) -> Task:
        """RunTask: delivers at once, whatever the queue's state and limits and also while an attempt is running."""
        task = self._registry.get_task(name)
        queue = self._registry.queues[queue_of(name)]
        now = self._clock()
        queue.unschedule(task)
        set_seconds(task.message.schedule_time, now)
        self._begin(queue, Delivery(task=task, due=now), now)
        return task

    def flush(self, prefix: str) -> None:
        """Whatever waits is due now; rate, concurrency and pauses still hold."""
        for queue in self._registry.under(prefix):
            queue.make_due(self._clock())
            self._look_at(queue)

    async def wait_until_idle(self, *, prefix: str, within: float, timeout: float) -> bool:
        """Whether, before `timeout` seconds are over, nothing runs and nothing is due in the next `within` seconds."""
        give_up_at = self._loop.time() + timeout
        while any(queue.busy(until=self._clock() + within) for queue in self._registry.under(prefix)):
            waiter = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait_for(waiter, give_up_at - self._loop.time())
            except TimeoutError:
                return False
            finally:
                self._waiters.discard(waiter)
            if self._stopped:
                return False
        return True

    async def stop(self, *, grace: float) -> None:
        """Begins nothing more, waits `grace` seconds for running deliveries, then cuts them: they come again at the next start."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._wake_waiters()
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        for delivery in self._running:
            delivery.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _look_at(self, queue: Queue) -> None:
        if self._stopped:
            return
        while (delivery := queue.take(now := self._clock(), self._faults)) is not None:
            self._begin(queue, delivery, now)
        self._set_timer(queue)
        self._wake_waiters()

    def _set_timer(self, queue: Queue) -> None:
        timer = self._timers.pop(queue, None)
        if timer is not None:
            timer.cancel()
        now = self._clock()
        wake = queue.next_wake(now)
        if wake is not None:
            self._timers[queue] = self._loop.call_later(max(0.0, wake - now), self._look_at, queue)

    def _wake_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _begin(self, queue: Queue, delivery: Delivery, now: float) -> None:
        task, attempt = delivery.task, delivery.attempt
        request = delivery_request(task, attempt=attempt, tokens=self._signer)
        queue.running += 1
        decision = FaultDecision()
        if delivery.copy_of_attempt is None:
            task.waiting = None
            task.in_flight += 1
            _record_dispatch(task, now)
            decision = self._faults.for_queue(queue.name).decide(task=task.name, attempt=attempt)
            for delay in decision.duplicate_delays:
                queue.schedule_copy(task, attempt=attempt, due=now + delay)
        begun = _Begun(
            queue=queue,
            delivery=delivery,
            request=request,
            attempt=attempt,
            at=now,
            lose_answer=decision.lose_answer,
        )
        running = self._loop.create_task(self._deliver(begun))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _deliver(self, begun: _Begun) -> None:
        deadline = seconds_of(begun.delivery.task.message.dispatch_deadline)
        try:
            answer = await call(self._client, begun.request, deadline=deadline, now=begun.at)
        except Exception as error:  # a fault of ours must not hold the queue's place for ever
            log.exception("delivery of %s broke", begun.delivery.task.name)
            answer = Outcome(status=None, code=grpc.StatusCode.INTERNAL, error=repr(error))
        now = self._clock()
        begun.queue.running -= 1
        settled = self._settle(begun, ANSWER_LOST if begun.lose_answer else answer, now)
        self._journal.add(_entry(begun, answer=answer, settled=settled, now=now))
        self._look_at(begun.queue)

    def _settle(self, begun: _Begun, outcome: Outcome, now: float) -> _Settled:
        queue, task = begun.queue, begun.delivery.task
        if begun.delivery.copy_of_attempt is not None:
            return _Settled(Result.COPY)
        task.in_flight -= 1
        if task.removed:
            return _Settled(Result.DISCARDED)
        _record_response(task, outcome, now)
        if outcome.succeeded:
            queue.done += 1
            self._registry.remove_task(task)
            return _Settled(Result.DONE)
        if _given_up(queue, task, now):
            queue.failed += 1
            self._registry.remove_task(task)
            log.error("%s: %s; given up after attempt %d", _label(task), outcome.error, begun.attempt)
            return _Settled(Result.FAILED)
        if task.in_flight or task.waiting is not None:  # after RunTask: the attempt that is still to end decides
            self._registry.save_task(task)
            return _Settled(Result.RETRY)
        wait = max(queue.retry.delay(failures=begun.attempt), outcome.retry_after or 0.0)
        set_seconds(task.message.schedule_time, now + wait)
        self._registry.save_task(task)
        queue.schedule(task)
        log.warning("%s: %s; attempt %d in %g s", _label(task), outcome.error, begun.attempt + 1, round(wait, 3))
        return _Settled(Result.RETRY, retry_in=wait)


def _record_dispatch(task: Task, now: float) -> None:
    message = task.message
    message.dispatch_count += 1
    if not message.HasField("first_attempt"):
        set_seconds(message.first_attempt.dispatch_time, now)
    message.last_attempt.Clear()
    message.last_attempt.schedule_time.CopyFrom(message.schedule_time)
    set_seconds(message.last_attempt.dispatch_time, now)


def _record_response(task: Task, outcome: Outcome, now: float) -> None:
    message = task.message
    task.previous_response = outcome.status
    set_seconds(message.last_attempt.response_time, now)
    message.last_attempt.response_status.code = outcome.code.value[0]
    message.last_attempt.response_status.message = outcome.error or ""
    if outcome.status is not None:
        message.response_count += 1
        if outcome.status < 500:
            task.execution_count += 1


def _given_up(queue: Queue, task: Task, now: float) -> bool:
    message = task.message
    since_first = now - seconds_of(message.first_attempt.dispatch_time)
    too_old = now - seconds_of(message.create_time) >= RETENTION_SECONDS
    return too_old or queue.retry.exhausted(attempts=message.dispatch_count, since_first_attempt=since_first)


def _entry(begun: _Begun, *, answer: Outcome, settled: _Settled, now: float) -> Entry:
    return Entry(
        queue=begun.queue.name,
        task=begun.delivery.task.name,
        method=begun.request.method,
        url=begun.request.url,
        body=begun.request.body[:LONGEST_BODY].decode(errors="replace"),
        attempt=begun.attempt,
        due=begun.delivery.due,
        at=begun.at,
        finished_at=now,
        status=answer.status,
        error=answer.error,
        answer_lost=begun.lose_answer,
        result=settled.result,
        retry_in=settled.retry_in,
    )


def _label(task: Task) -> str:
    return f"{short(queue_of(task.name))}/{short(task.name)}"
