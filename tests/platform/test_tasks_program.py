"""The local Cloud Tasks as a program: ports, signals, what it keeps across a restart, schedules."""

from __future__ import annotations

import datetime
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.auth.transport import requests
from google.cloud import tasks_v2
from google.oauth2 import id_token

from infra.local.tasks.__main__ import main
from tests.platform.local_tasks import PATIENCE, REPOSITORY, Answer, Handler, LocalTasks, Project

pytest_plugins = ["tests.platform.local_tasks_fixtures"]

Start = Callable[..., LocalTasks]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program on one data directory; what still runs at the end is killed."""
    started: list[LocalTasks] = []

    def start(*arguments: str) -> LocalTasks:
        started.append(LocalTasks(tmp_path / "data", *arguments))
        return started[-1]

    yield start
    for tasks in started:
        if tasks.running:
            tasks.end(signal.SIGKILL)


@dataclass(frozen=True)
class Ended:
    code: int | str | None
    said: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs the program in this process; only for starts that fail at once."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tasks", *arguments])
        with pytest.raises(SystemExit) as exit:
            sys.exit(main())
        return Ended(exit.value.code, capsys.readouterr().err)

    return run


def in_an_hour() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)


def test_it_is_healthy_when_it_says_ready(local_tasks: LocalTasks) -> None:
    assert local_tasks.http.get("/healthz").status_code == 200


def test_sigterm_stops_it_with_exit_code_0_also_during_a_delivery(start: Start, handler: Handler) -> None:
    tasks = start()
    handler.gate.clear()
    project = Project(tasks, "p")
    project.create_task(project.create_queue(), handler.url)
    handler.wait_until(lambda: handler.running == 1)
    assert tasks.end(signal.SIGTERM) == 0
    assert not any("Traceback" in line for line in tasks.log_lines)


@pytest.mark.parametrize("taken", ["--port", "--http-port"])
def test_port_in_use_is_named_with_exit_code_3(run: Callable[..., Ended], tmp_path: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ports = {"--port": 0, "--http-port": 0, taken: port}
        ended = run("--data", str(tmp_path), *[f"{name}={number}" for name, number in ports.items()])
    assert ended == Ended(3, f"port {port} is in use (needed by tasks)\n")


def test_second_instance_does_not_share_the_ports(local_tasks: LocalTasks, tmp_path: Path) -> None:
    arguments = ["--data", str(tmp_path), "--port", str(local_tasks.grpc_port), "--http-port", "0"]
    ended = subprocess.run(
        [sys.executable, "-m", "infra.local.tasks", *arguments],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1] == f"port {local_tasks.grpc_port} is in use (needed by tasks)"


def test_data_directory_belongs_to_one_process(run: Callable[..., Ended], local_tasks: LocalTasks) -> None:
    ended = run("--data", str(local_tasks.data), "--port", "0", "--http-port", "0")
    assert ended == Ended(1, f"{local_tasks.data} is in use by another process\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "elsewhere.example"])
def test_only_loopback_is_listened_on(run: Callable[..., Ended], tmp_path: Path, host: str) -> None:
    ended = run("--data", str(tmp_path), "--host", host)
    assert ended.code == 2
    assert "argument --host" in ended.said


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_restart_keeps_queues_tasks_and_taken_names(start: Start, handler: Handler, end: signal.Signals) -> None:
    tasks = start()
    project = Project(tasks, f"p{uuid.uuid4().hex}")
    queue = project.create_queue(retry_config={"max_attempts": 7, "min_backoff": datetime.timedelta(seconds=100)})
    paused, deleted = project.create_queue("paused"), project.create_queue("deleted")
    tasks.client.pause_queue(name=paused)
    tasks.client.delete_queue(name=deleted)
    project.create_task(queue, handler.url, "done")
    tasks.wait_until_idle(queue)
    handler.answer = lambda received: Answer(status=404)
    project.create_task(queue, handler.url, "failed-once", http_request={"body": b"payload"})
    tasks.wait_until_idle(queue)
    project.create_task(queue, handler.url, "later", schedule_time=in_an_hour())
    project.create_task(paused, handler.url, "held")
    key_ids = list(tasks.http.get("/oauth2/v1/certs").json())
    before = list(tasks.client.list_tasks(request={"parent": queue, "response_view": tasks_v2.Task.View.FULL}))
    tasks.end(end)

    tasks = start()
    project = Project(tasks, project.id)
    assert tasks.client.get_queue(name=queue).retry_config.max_attempts == 7
    assert tasks.counts(paused)["paused"] is True
    after = list(tasks.client.list_tasks(request={"parent": queue, "response_view": tasks_v2.Task.View.FULL}))
    assert after == before
    assert [task.name.rpartition("/")[2] for task in after] == ["failed-once", "later"]
    for taken in ("done", "failed-once", "later"):
        with pytest.raises(exceptions.AlreadyExists):
            project.create_task(queue, handler.url, taken)
    with pytest.raises(exceptions.FailedPrecondition):
        project.create_queue("deleted")
    assert list(tasks.http.get("/oauth2/v1/certs").json()) == key_ids
    handler.received.clear()
    handler.answer = lambda received: Answer()
    tasks.client.resume_queue(name=paused)
    tasks.flush(project.name)
    tasks.wait_until_idle(project.name)
    assert sorted(handler.task_ids) == ["failed-once", "held", "later"]
    retried = next(got for got in handler.received if got.headers["x-cloudtasks-taskname"] == "failed-once")
    assert retried.body == b"payload"
    assert retried.headers["x-cloudtasks-taskretrycount"] == "1"
    assert retried.headers["x-cloudtasks-taskexecutioncount"] == "1"
    assert retried.headers["x-cloudtasks-taskpreviousresponse"] == "404"


def test_delivery_cut_off_by_a_crash_is_made_again(start: Start, handler: Handler) -> None:
    tasks = start()
    project = Project(tasks, "p")
    queue = project.create_queue()
    handler.gate.clear()
    project.create_task(queue, handler.url, "t")
    handler.wait_until(lambda: handler.running == 1)
    tasks.end(signal.SIGKILL)
    handler.gate.set()

    tasks = start()
    tasks.wait_until_idle(queue)
    assert handler.task_ids == ["t", "t"]
    with pytest.raises(exceptions.AlreadyExists):
        Project(tasks, "p").create_task(queue, handler.url, "t")


def test_schedule_is_fired_on_order_with_a_token_for_the_target(start: Start, handler: Handler) -> None:
    account = "scheduler@example.iam.gserviceaccount.com"
    tasks = start("--scheduler-target", handler.url + "/", "--service-account", account)
    for schedule in ("minute", "quarter", "daily"):
        answer = tasks.http.post(f"/control/schedule/{schedule}")
        assert (answer.status_code, answer.json()) == (200, {"status": 200, "error": None})
    assert [(got.method, got.path) for got in handler.received] == [
        ("POST", "/schedule/minute"),
        ("POST", "/schedule/quarter"),
        ("POST", "/schedule/daily"),
    ]
    token = handler.received[0].headers["authorization"].removeprefix("Bearer ")
    claims = id_token.verify_token(token, requests.Request(), audience=handler.url, certs_url=tasks.certs_url)
    assert claims["email"] == account
    handler.answer = lambda received: Answer(status=503, headers={"Connection": "close"})
    assert tasks.http.post("/control/schedule/minute").json()["status"] == 503
    assert "HTTP status code 503" in tasks.wait_for_line("schedule minute")
    assert tasks.http.post("/control/schedule/yearly").status_code == 404
    handler.close()
    answer = tasks.http.post("/control/schedule/daily")
    assert (answer.status_code, answer.json()["status"]) == (502, None)
    tasks.wait_for_line("schedule daily")
    assert tasks.end(signal.SIGINT) == 0
    assert len([line for line in tasks.log_lines if "schedule" in line]) == 2
    assert not any("Traceback" in line for line in tasks.log_lines)


def test_there_are_no_schedules_without_a_target(local_tasks: LocalTasks) -> None:
    answer = local_tasks.http.post("/control/schedule/minute")
    assert answer.status_code == 409
    assert "--scheduler-target" in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/control/log?since=x"),
        ("GET", "/control/idle?timeout=-1"),
        ("GET", "/control/queues?unknown=1"),
        ("POST", "/control/oidc"),
    ],
)
def test_bad_control_call_is_400(local_tasks: LocalTasks, method: str, path: str) -> None:
    answer = local_tasks.http.request(method, path)
    assert answer.status_code == 400
    assert answer.json()["error"]
