"""Deliveries of the local Cloud Tasks: what a handler gets, when, how often, and what its answer leads to."""

from __future__ import annotations

import datetime
import itertools

import grpc
import pytest
from google.cloud import tasks_v2

from tests.platform.local_tasks import Answer, Handler, Project, Received

pytest_plugins = ["tests.platform.local_tasks_fixtures"]


def seconds(value: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=value)


def in_seconds(value: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + seconds(value)


def failing(status: int = 500) -> Answer:
    return Answer(status=status)


def test_handler_gets_the_request_and_the_headers_of_the_service(project: Project, handler: Handler) -> None:
    queue = project.create_queue("pull")
    task = project.create_task(
        queue,
        f"{handler.url}/tasks/pull?account=a",
        "calendar-1",
        http_request={
            "body": b'{"calendar": "c"}',
            "headers": {
                "Content-Type": "application/json",
                "X-Trace": "t",
                "User-Agent": "me",
                "X-CloudTasks-Fake": "1",
            },
        },
    )
    project.tasks.wait_until_idle(queue)
    (received,) = handler.received
    assert (received.method, received.path, received.body) == ("POST", "/tasks/pull?account=a", b'{"calendar": "c"}')
    assert {name: value for name, value in received.headers.items() if name != "x-cloudtasks-tasketa"} == {
        "host": handler.url.removeprefix("http://"),
        "content-length": "17",
        "content-type": "application/json",
        "x-trace": "t",
        "user-agent": "Google-Cloud-Tasks",
        "x-cloudtasks-queuename": "pull",
        "x-cloudtasks-taskname": "calendar-1",
        "x-cloudtasks-taskretrycount": "0",
        "x-cloudtasks-taskexecutioncount": "0",
    }
    assert float(received.headers["x-cloudtasks-tasketa"]) == pytest.approx(task.schedule_time.timestamp(), abs=2e-6)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_is_delivered(project: Project, handler: Handler, method: str) -> None:
    queue = project.create_queue()
    body = b"x" if method in ("PUT", "PATCH") else b""
    project.create_task(queue, handler.url, http_request={"http_method": tasks_v2.HttpMethod[method], "body": body})
    project.tasks.wait_until_idle(queue)
    assert [(received.method, received.body) for received in handler.received] == [(method, body)]


def test_deliveries_share_connections(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 2})
    for _ in range(20):
        project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue)
    assert len(handler.received) == 20
    assert handler.connections <= 2


def test_tasks_come_in_the_order_of_their_schedule_times_and_not_before(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 1})
    due = {name: in_seconds(later) for name, later in (("third", 0.3), ("first", 0.1), ("second", 0.2))}
    for name, schedule_time in due.items():
        project.create_task(queue, handler.url, name, schedule_time=schedule_time)
    project.tasks.wait_until_idle(queue, within=5)
    assert handler.task_ids == ["first", "second", "third"]
    for received in handler.received:
        assert received.at >= due[received.headers["x-cloudtasks-taskname"]].timestamp()


def test_idle_looks_as_far_ahead_as_it_is_asked_to(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.create_task(queue, handler.url, schedule_time=in_seconds(3600))
    project.tasks.wait_until_idle(queue)
    answer = project.tasks.http.get("/control/idle", params={"prefix": queue, "within": 4000, "timeout": 0.01})
    assert (answer.status_code, answer.json()) == (504, {"idle": False})


def test_flush_delivers_what_is_scheduled_for_later(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 1})
    other = project.create_queue("other")
    for number in range(3):
        project.create_task(queue, handler.url, f"t{number}", schedule_time=in_seconds(3600 - number))
    project.create_task(other, handler.url, "other", schedule_time=in_seconds(3600))
    project.tasks.flush(queue)
    project.tasks.wait_until_idle(queue)
    assert handler.task_ids == ["t2", "t1", "t0"]
    assert project.tasks.counts(other)["scheduled"] == 1


def test_failed_task_is_tried_again_after_the_backoff(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(0.05), "max_backoff": seconds(1)})
    handler.answer_in_turn(failing(), failing(404), Answer())
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue, within=5)
    first, second, third = project.tasks.log(queue)
    assert [delivery["status"] for delivery in (first, second, third)] == [500, 404, 200]
    assert [delivery["result"] for delivery in (first, second, third)] == ["retry", "retry", "done"]
    assert (first["retry_in"], second["retry_in"]) == (0.05, 0.1)
    for before, after in ((first, second), (second, third)):
        assert after["due"] == pytest.approx(before["finished_at"] + before["retry_in"], abs=2e-6)
        assert after["at"] >= after["due"]


def test_backoff_doubles_then_grows_by_its_last_step_up_to_the_maximum(project: Project, handler: Handler) -> None:
    queue = project.create_queue(
        retry_config={
            "max_attempts": 9,
            "min_backoff": seconds(10),
            "max_backoff": seconds(300),
            "max_doublings": 3,
        }
    )
    handler.answer = lambda received: failing()
    project.create_task(queue, handler.url)
    for attempts in range(1, 9):
        project.tasks.wait_until_idle(queue)
        assert len(handler.received) == attempts
        project.tasks.flush(queue)
    project.tasks.wait_until_idle(queue)
    log = project.tasks.log(queue)
    assert [delivery["attempt"] for delivery in log] == list(range(1, 10))
    assert [delivery["retry_in"] for delivery in log] == [10, 20, 40, 80, 160, 240, 300, 300, None]
    assert log[-1]["result"] == "failed"


def test_retry_headers_tell_of_the_attempts_before(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    handler.answer_in_turn(failing(503), failing(404), failing(302), Answer())
    task = project.create_task(queue, handler.url)
    for _ in range(3):
        project.tasks.wait_until_idle(queue)
        project.tasks.flush(queue)
    project.tasks.wait_until_idle(queue)
    names = ("retrycount", "executioncount", "previousresponse", "retryreason")
    assert [[received.headers.get(f"x-cloudtasks-task{name}") for name in names] for received in handler.received] == [
        ["0", "0", None, None],
        ["1", "0", "503", ""],
        ["2", "1", "404", ""],
        ["3", "2", "302", ""],
    ]
    etas = [float(received.headers["x-cloudtasks-tasketa"]) for received in handler.received]
    assert etas == sorted(etas)
    assert etas[0] == pytest.approx(task.schedule_time.timestamp(), abs=2e-6)


def test_task_tells_of_its_attempts(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(100)})
    handler.answer_in_turn(failing(429), failing())
    name = project.create_task(queue, handler.url).name
    project.tasks.wait_until_idle(queue)
    task = project.tasks.client.get_task(name=name)
    (delivery,) = project.tasks.log(queue)
    assert (task.dispatch_count, task.response_count) == (1, 1)
    assert task.schedule_time.timestamp() == pytest.approx(delivery["finished_at"] + 100, abs=2e-6)
    assert task.first_attempt.dispatch_time == task.last_attempt.dispatch_time
    assert task.last_attempt.response_time.timestamp() == pytest.approx(delivery["finished_at"], abs=2e-6)
    assert task.last_attempt.response_status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert task.last_attempt.response_status.message == "HTTP status code 429"


def test_task_is_given_up_after_max_attempts(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"max_attempts": 3, "min_backoff": seconds(0.01)})
    handler.answer = lambda received: failing()
    project.create_task(queue, handler.url, "t")
    project.tasks.wait_until_idle(queue, within=60)
    assert len(handler.received) == 3
    counts = project.tasks.counts(queue)
    assert (counts["failed"], counts["done"], counts["scheduled"]) == (1, 0, 0)
    assert list(project.tasks.client.list_tasks(parent=queue)) == []


def test_attempts_go_on_while_max_retry_duration_lasts(project: Project, handler: Handler) -> None:
    queue = project.create_queue(
        retry_config={"max_attempts": 2, "max_retry_duration": seconds(3600), "min_backoff": seconds(0.01)}
    )
    handler.answer_in_turn(failing(), failing(), failing(), Answer())
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue, within=60)
    assert [delivery["result"] for delivery in project.tasks.log(queue)] == ["retry", "retry", "retry", "done"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_makes_the_wait_longer(project: Project, handler: Handler, status: int) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(5)})
    handler.answer_in_turn(
        Answer(status=status, headers={"Retry-After": "77"}), Answer(status=status, headers={"Retry-After": "1"})
    )
    project.create_task(queue, handler.url)
    project.tasks.wait_until_idle(queue)
    project.tasks.flush(queue)
    project.tasks.wait_until_idle(queue)
    assert [delivery["retry_in"] for delivery in project.tasks.log(queue)] == [77, 10]


def test_unreachable_handler_is_tried_again(project: Project) -> None:
    queue = project.create_queue(retry_config={"max_attempts": 2, "min_backoff": seconds(0.01)})
    project.create_task(queue, "http://127.0.0.1:1/")
    project.tasks.wait_until_idle(queue, within=60)
    first, second = project.tasks.log(queue)
    assert (first["status"], first["result"], second["result"]) == (None, "retry", "failed")
    assert "Connect" in first["error"]


def test_rate_is_never_exceeded(project: Project, handler: Handler) -> None:
    rate, burst, number = 50, 50, 75
    queue = project.create_queue(rate_limits={"max_dispatches_per_second": rate})
    project.tasks.client.pause_queue(name=queue)
    for _ in range(number):
        project.create_task(queue, handler.url)
    project.tasks.client.resume_queue(name=queue)
    project.tasks.wait_until_idle(queue)
    times = sorted(delivery["at"] for delivery in project.tasks.log(queue))
    assert len(times) == number
    for (first, start), (last, end) in itertools.combinations(enumerate(times), 2):
        assert last - first + 1 <= burst + rate * (end - start) + 0.01


def test_concurrency_is_never_exceeded(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 3})
    handler.gate.clear()
    for _ in range(30):
        project.create_task(queue, handler.url)
    handler.wait_until(lambda: handler.running == 3)
    counts = project.tasks.counts(queue)
    assert (counts["running"], counts["pending"]) == (3, 27)
    handler.gate.set()
    project.tasks.wait_until_idle(queue)
    assert len(handler.received) == 30
    assert handler.most_running == 3


def test_limits_of_one_queue_do_not_hold_up_another(project: Project, handler: Handler) -> None:
    slow = project.create_queue("slow", rate_limits={"max_concurrent_dispatches": 1})
    fast = project.create_queue("fast")
    blocked = Handler()
    try:
        blocked.gate.clear()
        for _ in range(2):
            project.create_task(slow, blocked.url)
        blocked.wait_until(lambda: blocked.running == 1)
        for _ in range(5):
            project.create_task(fast, handler.url)
        project.tasks.wait_until_idle(fast)
    finally:
        blocked.close()
    assert len(handler.received) == 5


def test_raised_limit_takes_effect_at_once(project: Project, handler: Handler) -> None:
    queue = project.create_queue(rate_limits={"max_concurrent_dispatches": 1})
    handler.gate.clear()
    for _ in range(4):
        project.create_task(queue, handler.url)
    handler.wait_until(lambda: handler.running == 1)
    project.tasks.client.update_queue(queue={"name": queue, "rate_limits": {"max_concurrent_dispatches": 4}})
    handler.wait_until(lambda: handler.running == 4)
    handler.gate.set()
    project.tasks.wait_until_idle(queue)


def test_run_delivers_at_once_also_from_a_paused_queue(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    project.tasks.client.pause_queue(name=queue)
    name = project.create_task(queue, handler.url, "t", schedule_time=in_seconds(3600)).name
    project.create_task(queue, handler.url, "stays", schedule_time=in_seconds(3600))
    assert project.tasks.client.run_task(name=name).dispatch_count == 1
    project.tasks.wait_until_idle(queue)
    assert handler.task_ids == ["t"]
    assert [task.name for task in project.tasks.client.list_tasks(parent=queue)] == [f"{queue}/tasks/stays"]


def test_run_that_fails_leaves_the_task_to_its_backoff(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(50)})
    handler.answer = lambda received: failing()
    name = project.create_task(queue, handler.url, schedule_time=in_seconds(3600)).name
    project.tasks.client.run_task(name=name)
    project.tasks.wait_until_idle(queue)
    (delivery,) = project.tasks.log(queue)
    task = project.tasks.client.get_task(name=name)
    assert task.schedule_time.timestamp() == pytest.approx(delivery["finished_at"] + 50, abs=2e-6)


def test_run_beside_a_running_attempt_ends_with_the_first_success(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(50)})
    handler.gate.clear()
    name = project.create_task(queue, handler.url).name
    handler.wait_until(lambda: handler.running == 1)
    project.tasks.client.run_task(name=name)
    handler.wait_until(lambda: handler.running == 2)
    handler.gate.set()
    project.tasks.wait_until_idle(queue, within=3600)
    assert sorted(delivery["result"] for delivery in project.tasks.log(queue)) == ["discarded", "done"]
    assert project.tasks.counts(queue)["done"] == 1


def test_log_can_be_read_from_a_number_on(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    for task_id in ("first", "second"):
        project.create_task(queue, handler.url, task_id)
        project.tasks.wait_until_idle(queue)
    first, second = project.tasks.log(queue)
    assert [delivery["task"] for delivery in (first, second)] == [f"{queue}/tasks/first", f"{queue}/tasks/second"]
    assert (first["url"], first["attempt"], first["error"]) == (handler.url, 1, None)
    assert project.tasks.log(queue, since=first["number"]) == [second]


def test_no_task_is_lost_or_doubled_when_many_come_at_once(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": seconds(0.01)})
    failed_once: set[str] = set()

    def fail_each_once(received: Received) -> Answer:
        task_id = received.headers["x-cloudtasks-taskname"]
        if task_id in failed_once:
            return Answer()
        failed_once.add(task_id)
        return failing()

    handler.answer = fail_each_once
    for number in range(150):
        project.create_task(queue, handler.url, f"t{number}")
    project.tasks.wait_until_idle(queue, within=60)
    assert sorted(handler.task_ids) == sorted([f"t{number}" for number in range(150)] * 2)
    assert project.tasks.counts(queue)["done"] == 150
