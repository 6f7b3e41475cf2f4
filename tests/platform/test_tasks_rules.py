"""The local Cloud Tasks' rules that need no server: backoff, rate, names, tombstones, faults, the call to a handler."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from infra.local.tasks.backoff import RETENTION_SECONDS, RetryPolicy
from infra.local.tasks.errors import AlreadyExists, FailedPrecondition, NotFound
from infra.local.tasks.faults import FAITHFUL, DeliveryFaults, FaultPlan
from infra.local.tasks.http_client import HttpClient, HttpRequest
from infra.local.tasks.messages import Queue, Task
from infra.local.tasks.names import under
from infra.local.tasks.oidc import TokenSigner
from infra.local.tasks.persistence import Store
from infra.local.tasks.rate import TokenBucket
from infra.local.tasks.registry import Registry
from infra.local.tasks.scheduler import Schedule, Scheduler, SchedulerTarget
from infra.local.tasks.target import Outcome, call
from tests.platform.local_tasks import REPOSITORY, Answer, Handler

pytest_plugins = ["tests.platform.local_tasks_fixtures"]

LOCATION = "projects/p/locations/europe-west1"
QUEUE = f"{LOCATION}/queues/q"
DAY = 24 * 3600.0


def policy(**settings: Any) -> RetryPolicy:
    defaults = {
        "max_attempts": 100,
        "max_retry_duration": 0.0,
        "min_backoff": 0.1,
        "max_backoff": 3600.0,
        "max_doublings": 16,
    }
    return RetryPolicy(**{**defaults, **settings})


@pytest.mark.parametrize(
    ("settings", "delays"),
    [
        pytest.param(
            {"min_backoff": 10, "max_backoff": 300, "max_doublings": 3},
            [10, 20, 40, 80, 160, 240, 300, 300],
            id="the documentation's example: doubles three times, grows by the last step, stays at the maximum",
        ),
        pytest.param(
            {"min_backoff": 0.5, "max_backoff": 300, "max_doublings": 8},
            [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300],
            id="our pull queue",
        ),
        pytest.param({"min_backoff": 2, "max_backoff": 7, "max_doublings": 0}, [2, 4, 6, 7], id="only linear"),
        pytest.param({"min_backoff": 5, "max_backoff": 5}, [5, 5, 5], id="constant"),
    ],
)
def test_wait_before_each_retry(settings: dict[str, float], delays: list[float]) -> None:
    retry = policy(**settings)
    assert [retry.delay(failures=number) for number in range(1, len(delays) + 1)] == delays


def test_wait_stays_at_the_maximum_after_any_number_of_failures() -> None:
    assert policy(max_doublings=2_000).delay(failures=5_000) == 3600


@pytest.mark.parametrize(
    ("max_attempts", "max_retry_duration", "attempts", "since_first", "exhausted"),
    [
        pytest.param(3, 0, 2, 9e9, False, id="attempts left"),
        pytest.param(3, 0, 3, 0, True, id="attempts used up, no time limit"),
        pytest.param(3, 60, 3, 59, False, id="attempts used up, time left"),
        pytest.param(3, 60, 2, 61, False, id="time used up, attempts left"),
        pytest.param(3, 60, 3, 60, True, id="both used up"),
        pytest.param(-1, 0, 10_000, 9e9, False, id="no limit"),
        pytest.param(-1, 60, 2, 60, True, id="only a time limit"),
    ],
)
def test_attempts_end_when_every_limit_that_is_set_is_reached(
    max_attempts: int, max_retry_duration: float, attempts: int, since_first: float, *, exhausted: bool
) -> None:
    retry = policy(max_attempts=max_attempts, max_retry_duration=max_retry_duration)
    assert retry.exhausted(attempts=attempts, since_first_attempt=since_first) is exhausted


def test_token_bucket_lets_through_the_burst_and_then_the_rate() -> None:
    bucket, now, times = TokenBucket(rate=20, burst=10, now=100.0), 100.0, []
    for _ in range(50):
        now += bucket.wait(now)
        bucket.spend(now)
        times.append(now)
    assert times[9] == 100.0
    assert times[-1] == pytest.approx(102.0, abs=1e-3)
    for first in range(50):
        for last in range(first, 50):
            assert last - first + 1 <= 10 + 20 * (times[last] - times[first]) + 0.001


def test_token_bucket_gains_nothing_by_a_clock_that_steps_back() -> None:
    bucket = TokenBucket(rate=1, burst=1, now=100.0)
    bucket.spend(100.0)
    assert bucket.wait(50.0) == pytest.approx(1, abs=1e-3)
    assert bucket.wait(51.0) == 0


@pytest.mark.parametrize(
    ("name", "prefix", "expected"),
    [
        (QUEUE, "", True),
        (QUEUE, "projects/p", True),
        (QUEUE, "projects/p/", True),
        (QUEUE, QUEUE, True),
        (f"{QUEUE}/tasks/t", QUEUE, True),
        (f"{QUEUE}2", QUEUE, False),
        ("projects/p2/locations/l/queues/q", "projects/p", False),
    ],
)
def test_prefixes_match_whole_segments(name: str, prefix: str, *, expected: bool) -> None:
    assert under(name, prefix) is expected


class Hours:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def registry(tmp_path: Path, clock: Hours) -> Registry:
    registry = Registry(store=Store(tmp_path), clock=clock)
    registry.create_queue(parent=LOCATION, given=Queue(name=QUEUE))
    return registry


def task_named(task_id: str) -> Any:
    return Task(name=f"{QUEUE}/tasks/{task_id}", http_request={"url": "http://127.0.0.1:1/"})


def test_name_of_a_past_task_is_free_after_24_hours(registry: Registry, clock: Hours) -> None:
    task = registry.create_task(parent=QUEUE, given=task_named("t"))
    registry.remove_task(task)
    clock.now += DAY - 1
    with pytest.raises(AlreadyExists):
        registry.create_task(parent=QUEUE, given=task_named("t"))
    clock.now += 1
    assert registry.create_task(parent=QUEUE, given=task_named("t")).name == task.name


def test_name_of_a_deleted_queue_is_free_after_three_days(registry: Registry, clock: Hours) -> None:
    registry.delete_queue(QUEUE)
    clock.now += 3 * DAY - 1
    with pytest.raises(FailedPrecondition):
        registry.create_queue(parent=LOCATION, given=Queue(name=QUEUE))
    clock.now += 1
    assert registry.create_queue(parent=LOCATION, given=Queue(name=QUEUE)).name == QUEUE


def test_expired_names_are_gone_from_the_file_too(registry: Registry, clock: Hours, tmp_path: Path) -> None:
    registry.remove_task(registry.create_task(parent=QUEUE, given=task_named("old")))
    clock.now += DAY
    registry.remove_task(registry.create_task(parent=QUEUE, given=task_named("new")))
    registry._store.close()
    assert [stone.name for stone in Store(tmp_path).tombstones()] == [f"{QUEUE}/tasks/new"]


def test_task_of_31_days_is_not_taken_up_again(registry: Registry, clock: Hours, tmp_path: Path) -> None:
    registry.create_task(parent=QUEUE, given=task_named("t"))
    registry._store.close()
    clock.now += RETENTION_SECONDS
    with pytest.raises(NotFound):
        Registry(store=Store(tmp_path), clock=clock).get_task(f"{QUEUE}/tasks/t")


def test_one_seed_means_one_fate() -> None:
    faults = DeliveryFaults(
        seed=7, duplicate_probability=0.5, delay_seconds=(0.0, 2.0), lose_first_answer_probability=0.5
    )
    fates = [faults.decide(task=f"{QUEUE}/tasks/{number}", attempt=1) for number in range(200)]
    assert fates == [faults.decide(task=f"{QUEUE}/tasks/{number}", attempt=1) for number in range(200)]
    other = faults.model_copy(update={"seed": 8})
    assert fates != [other.decide(task=f"{QUEUE}/tasks/{number}", attempt=1) for number in range(200)]
    assert 60 < sum(1 for fate in fates if fate.duplicate_delays) < 140
    assert 60 < sum(1 for fate in fates if fate.lose_answer) < 140
    assert all(0 <= fate.delay <= 2 for fate in fates)


def test_only_a_first_attempts_answer_is_lost() -> None:
    faults = DeliveryFaults(lose_first_answer_probability=1)
    assert [faults.decide(task="t", attempt=attempt).lose_answer for attempt in (1, 2)] == [True, False]


def test_longest_prefix_decides_and_withdrawing_goes_downwards() -> None:
    plan = FaultPlan()
    general, special = DeliveryFaults(prefix="projects/p", seed=1), DeliveryFaults(prefix=QUEUE, seed=2)
    plan.order(special)
    plan.order(general)
    assert plan.for_queue(QUEUE) == special
    assert plan.for_queue(f"{LOCATION}/queues/other") == general
    assert plan.for_queue("projects/other/locations/l/queues/q") == FAITHFUL
    plan.withdraw("projects/p")
    assert plan.for_queue(QUEUE) == FAITHFUL


def test_queues_file_says_what_production_gets() -> None:
    queues = {queue.pop("name"): queue for queue in json.loads((REPOSITORY / "infra/queues.json").read_text())}
    assert queues["pull"] == queues["push"]
    assert queues["pull"] == {
        "max_dispatches_per_second": 50,
        "max_concurrent_dispatches": 8,
        "max_attempts": 100,
        "min_backoff_seconds": 0.5,
        "max_backoff_seconds": 300,
        "max_doublings": 8,
    }
    assert queues["notify"] == {
        "max_dispatches_per_second": 10,
        "max_concurrent_dispatches": 4,
        "max_attempts": 50,
        "min_backoff_seconds": 5,
        "max_backoff_seconds": 3600,
        "max_doublings": 10,
    }


def outcomes(*urls: str, deadline: float = 5.0) -> list[Outcome]:
    """Calls the URLs one after the other with one client."""

    async def call_all() -> list[Outcome]:
        client = HttpClient()
        requests = [HttpRequest(method="POST", url=url, headers={}, body=b"{}") for url in urls]
        try:
            return [await call(client, request, deadline=deadline, now=0.0) for request in requests]
        finally:
            client.close()

    return asyncio.run(call_all())


def test_call_is_cut_at_its_deadline(handler: Handler) -> None:
    handler.gate.clear()
    (outcome,) = outcomes(handler.url, deadline=0.05)
    assert outcome == Outcome(
        status=None, code=grpc.StatusCode.DEADLINE_EXCEEDED, error="no answer within 0.05 s", retry_after=None
    )


def test_calls_share_a_connection(handler: Handler) -> None:
    assert [outcome.status for outcome in outcomes(*[handler.url] * 5)] == [200] * 5
    assert handler.connections == 1


def test_connection_that_the_handler_closes_is_not_used_again(handler: Handler) -> None:
    handler.answer = lambda received: Answer(headers={"Connection": "close"})
    assert [outcome.status for outcome in outcomes(*[handler.url] * 3)] == [200] * 3
    assert handler.connections == 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Thu, 01 Jan 1970 00:01:30 GMT", 90.0), ("soon", None), ("", None), ("-3", None)],
)
def test_retry_after_is_read_in_both_forms(handler: Handler, value: str, seconds: float | None) -> None:
    handler.answer = lambda received: Answer(status=503, headers={"Retry-After": value} if value else {})
    assert outcomes(handler.url)[0].retry_after == seconds


def test_retry_after_counts_only_for_429_and_503(handler: Handler) -> None:
    handler.answer = lambda received: Answer(status=500, headers={"Retry-After": "7"})
    assert outcomes(handler.url)[0].retry_after is None


def answering_raw(data: bytes) -> Callable[[socket.socket], None]:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(data)

    return serve


@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"SMTP ready\r\n\r\n"],
    ids=["none", "half", "not HTTP"],
)
def test_broken_answer_is_no_answer(data: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answering_raw(data), args=(listener,))
        thread.start()
        (outcome,) = outcomes(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert (outcome.status, outcome.code) == (None, grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http:///x", "http://127.0.0.1:99999/", "http://no.invalid/"])
def test_address_that_cannot_be_reached_is_no_answer(url: str) -> None:
    (outcome,) = outcomes(url)
    assert (outcome.status, outcome.code) == (None, grpc.StatusCode.UNAVAILABLE)


def test_path_is_sent_escaped(handler: Handler) -> None:
    outcomes(f"{handler.url}/a b/ü%20?q=ö&r=%41#fragment")
    assert handler.received[0].path == "/a%20b/%C3%BC%20?q=%C3%B6&r=%41"


def test_schedules_go_on_after_a_failure(handler: Handler, tmp_path: Path) -> None:
    handler.answer_in_turn(Answer(status=500), Answer(status=500), Answer(status=500), Answer())
    wanted = {f"/schedule/{schedule}" for schedule in Schedule}

    def fired_twice() -> bool:
        paths = [received.path for received in handler.received]
        return all(paths.count(path) >= 2 for path in wanted)

    async def run() -> None:
        client = HttpClient()
        scheduler = Scheduler(
            target=SchedulerTarget(url=handler.url, email="tasks@example.com"),
            client=client,
            signer=TokenSigner(tmp_path),
            periods=dict.fromkeys(Schedule, 0.02),
        )
        running = asyncio.create_task(scheduler.run())
        await asyncio.to_thread(handler.wait_until, fired_twice)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        client.close()

    asyncio.run(run())
    assert {received.path for received in handler.received} == wanted
    assert {received.method for received in handler.received} == {"POST"}
