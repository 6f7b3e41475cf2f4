"""Deliveries that are not faithful, as a test orders them: twice, late, out of order, with the answer lost."""

from __future__ import annotations

import collections
import datetime
from typing import Any

import pytest

from tests.platform.local_tasks import Answer, Handler, Project

pytest_plugins = ["tests.platform.local_tasks_fixtures"]


def seconds(value: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=value)


@pytest.mark.parametrize("extra", [1, 2], ids=["twice", "three times"])
def test_every_delivery_is_repeated(project: Project, handler: Handler, extra: int) -> None:
    queue = project.create_queue()
    project.tasks.order(prefix=queue, duplicate_probability=1, duplicate_count=extra)
    for number in range(5):
        project.create_task(queue, handler.url, f"t{number}")
    project.tasks.wait_until_idle(queue)
    assert collections.Counter(handler.task_ids) == {f"t{number}": 1 + extra for number in range(5)}
    assert {received.headers["x-cloudtasks-taskretrycount"] for received in handler.received} == {"0"}
    results = collections.Counter(delivery["result"] for delivery in project.tasks.log(queue))
    assert results == {"done": 5, "copy": 5 * extra}
    assert project.tasks.counts(queue)["done"] == 5


def test_copy_that_fails_changes_nothing(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 1})
    handler.answer_in_turn(Answer(), Answer(status=500))
    project.tasks.order(prefix=queue, duplicate_probability=1)
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue, within=3600)
    assert [(delivery["result"], delivery["status"]) for delivery in project.tasks.log(queue)] == [
        ("done", 200),
        ("copy", 500),
    ]


def test_copies_count_for_the_concurrency_limit(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 2})
    project.tasks.order(prefix=queue, duplicate_probability=1, duplicate_count=2)
    for _ in range(10):
        project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue)
    assert len(handler.received) == 30
    assert handler.most_running <= 2


def test_deleted_task_has_no_late_copies(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.tasks.order(prefix=queue, duplicate_probability=1)
    handler.gate.clear()
    project.tasks.client.pause_queue(name=queue)
    name = project.create_task(queue, handler.url).name
    project.tasks.client.run_task(name=name)  # its copy waits, as the queue is paused
    handler.wait_until(lambda: handler.running == 1)
    project.tasks.client.delete_task(name=name)
    project.tasks.client.resume_queue(name=queue)
    handler.gate.set()
    project.tasks.wait_until_idle(queue, within=3600)
    assert len(handler.received) == 1


def test_deliveries_are_late_by_a_time_in_the_range(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.tasks.order(prefix=queue, seed=3, delay_seconds=[0.05, 0.2])
    created = {}
    for number in range(10):
        task = project.create_task(queue, handler.url, f"t{number}")
        created[task.name] = task.schedule_time.timestamp()
    project.tasks.wait_until_idle(queue, within=5)
    lateness = [delivery["due"] - created[delivery["task"]] for delivery in project.tasks.log(queue)]
    assert len(lateness) == 10
    assert min(lateness) >= 0.05
    assert len({round(late, 4) for late in lateness}) > 5


def test_flush_takes_the_ordered_delay_away(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.tasks.order(prefix=queue, delay_seconds=[3600, 3600])
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue)
    assert handler.received == []
    project.tasks.flush(queue)
    project.tasks.wait_until_idle(queue)
    assert len(handler.received) == 1


def order_of_20(project: Project, handler: Handler, queue_id: str, **faults: Any) -> list[str]:
    queue = project.create_queue(queue_id, rate_limits={"max_concurrent_dispatches": 1})
    project.tasks.order(prefix=queue, **faults)
    project.tasks.client.pause_queue(name=queue)
    for number in range(20):
        project.create_task(queue, handler.url, f"t{number:02}")
    handler.received.clear()
    project.tasks.client.resume_queue(name=queue)
    project.tasks.wait_until_idle(queue)
    return handler.task_ids


def test_what_is_due_comes_in_an_order_that_the_seed_decides(project: Project, handler: Handler) -> None:
    faithful = order_of_20(project, handler, "faithful")
    assert faithful == [f"t{number:02}" for number in range(20)]
    shuffled = order_of_20(project, handler, "shuffled", reorder=True, seed=1)
    assert sorted(shuffled) == faithful
    assert shuffled != faithful
    assert order_of_20(project, handler, "again", reorder=True, seed=1) == shuffled
    assert order_of_20(project, handler, "other", reorder=True, seed=2) != shuffled


def test_lost_answer_brings_the_task_back(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(0.01)})
    project.tasks.order(prefix=queue, lose_first_answer_probability=1)
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue, within=60)
    log = project.tasks.log(queue)
    assert [(delivery["status"], delivery["answer_lost"], delivery["result"]) for delivery in log] == [
        (200, True, "retry"),
        (200, False, "done"),
    ]
    names = ("retrycount", "executioncount", "previousresponse")
    assert [[received.headers.get(f"x-cloudtasks-task{name}") for name in names] for received in handler.received] == [
        ["0", "0", None],
        ["1", "0", None],
    ]


def test_orders_hold_for_their_queues_until_they_are_withdrawn(project: Project, handler: Handler) -> None:
    noisy, quiet = project.create_queue("noisy"), project.create_queue("quiet")
    project.tasks.order(prefix=noisy, duplicate_probability=1)
    shown = project.tasks.http.get("/control/delivery").json()["delivery"]
    assert [order["duplicate_probability"] for order in shown if order["prefix"] == noisy] == [1]
    for queue in (noisy, quiet):
        project.create_task(queue, handler.url)
        project.tasks.wait_until_idle(queue)
    assert (len(project.tasks.log(noisy)), len(project.tasks.log(quiet))) == (2, 1)
    project.tasks.http.delete("/control/delivery", params={"prefix": project.name}).raise_for_status()
    project.create_task(noisy, handler.url)
    project.tasks.wait_until_idle(noisy)
    assert len(project.tasks.log(noisy)) == 3


@pytest.mark.parametrize(
    "order",
    [
        {"duplicate_probability": 2},
        {"duplicate_count": 3},
        {"delay_seconds": [2, 1]},
        {"delay_seconds": [-1, 1]},
        {"no_such_fault": 1},
    ],
)
def test_bad_order_is_refused(project: Project, order: dict[str, Any]) -> None:
    answer = project.tasks.http.post("/control/delivery", json={"prefix": project.name, **order})
    assert answer.status_code == 400
    assert next(iter(order)) in answer.json()["error"]


def test_every_task_is_done_whatever_is_ordered(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(0.01), "max_backoff": seconds(0.1)})
    project.tasks.order(
        prefix=queue,
        seed=11,
        duplicate_probability=0.5,
        duplicate_count=2,
        delay_seconds=[0, 0.1],
        reorder=True,
        lose_first_answer_probability=0.5,
    )
    for number in range(60):
        project.create_task(queue, handler.url, f"t{number}")
    project.tasks.wait_until_idle(queue, within=60)
    assert set(handler.task_ids) == {f"t{number}" for number in range(60)}
    assert len(handler.received) > 60
    assert project.tasks.counts(queue)["done"] == 60
