"""Tasks of the local Cloud Tasks: creating, naming, reading and deleting them, through the real client."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from tests.platform.local_tasks import Answer, Handler, Project

pytest_plugins = ["tests.platform.local_tasks_fixtures"]

NOWHERE = "http://127.0.0.1:1/"
View = tasks_v2.Task.View


def in_seconds(seconds: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)


@pytest.fixture
def paused(project: Project) -> str:
    name = project.create_queue()
    project.tasks.client.pause_queue(name=name)
    return name


def test_task_is_stored_with_its_defaults(project: Project, paused: str) -> None:
    before = in_seconds(0)
    task = project.create_task(paused, NOWHERE)
    assert task.name.startswith(f"{paused}/tasks/")
    assert task.http_request.http_method == tasks_v2.HttpMethod.POST
    assert task.dispatch_deadline == datetime.timedelta(minutes=10)
    assert before <= task.schedule_time <= in_seconds(0)
    assert task.create_time == task.schedule_time.replace(microsecond=0)
    assert (task.dispatch_count, task.response_count) == (0, 0)
    assert not task._pb.HasField("first_attempt")
    assert project.tasks.client.get_task(name=task.name) == task


def test_unnamed_tasks_get_names_of_their_own(project: Project, paused: str) -> None:
    assert len({project.create_task(paused, NOWHERE).name for _ in range(20)}) == 20


def test_past_schedule_time_becomes_now(project: Project, paused: str) -> None:
    before = in_seconds(0)
    assert project.create_task(paused, NOWHERE, schedule_time=in_seconds(-3600)).schedule_time >= before


def test_schedule_time_is_kept_to_the_microsecond(project: Project, paused: str) -> None:
    wanted = in_seconds(3600).replace(microsecond=123456)
    task = project.create_task(paused, NOWHERE, schedule_time=wanted)
    assert project.tasks.client.get_task(name=task.name).schedule_time == wanted
    assert project.tasks.counts(paused)["scheduled"] == 1


def test_only_the_full_view_shows_the_body(project: Project, paused: str) -> None:
    client = project.tasks.client
    given = {"url": NOWHERE, "body": b"secret", "headers": {"X-Kind": "pull"}}
    basic = client.create_task(parent=paused, task={"http_request": given})
    full = client.create_task(request={"parent": paused, "task": {"http_request": given}, "response_view": View.FULL})
    assert (basic.view, basic.http_request.body) == (View.BASIC, b"")
    assert (full.view, full.http_request.body) == (View.FULL, b"secret")
    for view, body in ((View.VIEW_UNSPECIFIED, b""), (View.BASIC, b""), (View.FULL, b"secret")):
        got = client.get_task(request={"name": basic.name, "response_view": view})
        listed = list(client.list_tasks(request={"parent": paused, "response_view": view}))
        assert [task.http_request.body for task in (got, *listed)] == [body] * 3
        assert dict(got.http_request.headers) == {"X-Kind": "pull"}


def test_list_is_paged(project: Project, paused: str) -> None:
    names = sorted(project.create_task(paused, NOWHERE, f"t{number}").name for number in range(7))
    pages = list(project.tasks.client.list_tasks(request={"parent": paused, "page_size": 3}).pages)
    assert [[task.name for task in page.tasks] for page in pages] == [names[:3], names[3:6], names[6:]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"name": "t"}, "Task name must be formatted", id="name without a queue"),
        pytest.param({"name": "{queue}/tasks/not a valid id"}, 'Task ID "not a valid id"', id="bad id"),
        pytest.param({"name": "{queue}/tasks/" + "a" * 501}, "between 1 and 500", id="id too long"),
        pytest.param({"name": "{queue}-other/tasks/t"}, "must be the same as the queue name", id="another queue"),
        pytest.param({"schedule_time": 31 * 24 * 3600}, "too far in the future", id="more than 30 days ahead"),
        pytest.param({"dispatch_deadline": 14.9}, "dispatchDeadline", id="deadline under 15 seconds"),
        pytest.param({"dispatch_deadline": 1801}, "dispatchDeadline", id="deadline over 30 minutes"),
        pytest.param({"http_request": None}, "http_request is required", id="no target"),
        pytest.param({"http_request": {}}, "url is required", id="no URL"),
        pytest.param({"http_request": {"url": "ftp://example.com/"}}, "must start with", id="not HTTP"),
        pytest.param({"http_request": {"url": "http://h/" + "a" * 2083}}, "at most 2083", id="URL too long"),
        pytest.param({"http_request": {"url": NOWHERE, "body": b"x" * 102_401}}, "too large", id="over 100 KB"),
        pytest.param(
            {"http_request": {"url": NOWHERE, "body": b"x", "http_method": tasks_v2.HttpMethod.GET}},
            "POST, PUT and PATCH",
            id="body with GET",
        ),
        pytest.param(
            {"http_request": {"url": NOWHERE, "headers": {"X": "a" * 81_920}}},
            "smaller than 80KB",
            id="headers too large",
        ),
        pytest.param(
            {"http_request": {"url": NOWHERE, "headers": {"X": "a\r\nY: b"}}},
            "invalid header",
            id="line end in a header",
        ),
        pytest.param(
            {"http_request": {"url": NOWHERE, "oidc_token": {"audience": "a"}}}, "email", id="token without an account"
        ),
    ],
)
def test_bad_task_is_refused_and_leaves_nothing(
    project: Project, paused: str, fields: dict[str, Any], message: str
) -> None:
    task: dict[str, Any] = {"http_request": {"url": NOWHERE}, **fields}
    if "name" in task:
        task["name"] = task["name"].format(queue=paused)
    if "schedule_time" in task:
        task["schedule_time"] = in_seconds(task["schedule_time"])
    if "dispatch_deadline" in task:
        task["dispatch_deadline"] = datetime.timedelta(seconds=task["dispatch_deadline"])
    with pytest.raises(exceptions.InvalidArgument, match=message):
        project.tasks.client.create_task(parent=paused, task=task)
    assert list(project.tasks.client.list_tasks(parent=paused)) == []


@pytest.mark.parametrize(
    "task",
    [
        {"app_engine_http_request": {"relative_uri": "/x"}},
        {"http_request": {"url": NOWHERE, "oauth_token": {"service_account_email": "a@example.com"}}},
        {"http_request": {"url": NOWHERE}, "retry_config": {"max_attempts": 2}},
    ],
    ids=["App Engine target", "OAuth token", "task-level retries"],
)
def test_task_that_is_not_done_here_is_unimplemented(project: Project, paused: str, task: dict[str, Any]) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        project.tasks.client.create_task(parent=paused, task=task)


def test_limits_themselves_are_allowed(project: Project, paused: str) -> None:
    task = project.create_task(
        paused,
        NOWHERE,
        "a" * 500,
        schedule_time=in_seconds(30 * 24 * 3600 - 60),
        dispatch_deadline=datetime.timedelta(seconds=15),
        http_request={"body": b"x" * 100_000},
    )
    assert task.dispatch_deadline == datetime.timedelta(seconds=15)


def test_name_is_taken_while_the_task_waits(project: Project, paused: str) -> None:
    project.create_task(paused, NOWHERE, "t")
    with pytest.raises(exceptions.AlreadyExists, match="Requested entity already exists"):
        project.create_task(paused, NOWHERE, "t")


def test_name_is_taken_while_the_task_runs_and_after_it_was_done(project: Project, handler: Handler) -> None:
    queue = project.create_queue()
    handler.gate.clear()
    project.create_task(queue, handler.url, "t")
    handler.wait_until(lambda: handler.running == 1)
    with pytest.raises(exceptions.AlreadyExists):
        project.create_task(queue, handler.url, "t")
    handler.gate.set()
    project.tasks.wait_until_idle(queue)
    with pytest.raises(exceptions.AlreadyExists, match="existed too recently"):
        project.create_task(queue, handler.url, "t")
    assert handler.task_ids == ["t"]


def test_name_is_taken_after_the_task_was_deleted(project: Project, paused: str) -> None:
    project.tasks.client.delete_task(name=project.create_task(paused, NOWHERE, "t").name)
    with pytest.raises(exceptions.AlreadyExists, match="existed too recently"):
        project.create_task(paused, NOWHERE, "t")


def test_name_is_taken_in_its_own_queue_only(project: Project, paused: str) -> None:
    project.create_task(paused, NOWHERE, "t")
    other = project.create_queue("other")
    project.tasks.client.pause_queue(name=other)
    assert project.create_task(other, NOWHERE, "t").name == f"{other}/tasks/t"


def test_reset_frees_the_names_under_its_prefix_only(project: Project, paused: str) -> None:
    other = Project(project.tasks, f"{project.id}-other")
    kept = other.create_queue()
    for queue in (paused, kept):
        project.tasks.client.delete_task(
            name=project.create_task(queue, NOWHERE, "t", schedule_time=in_seconds(60)).name
        )
    project.tasks.http.post("/control/reset", json={"prefix": project.name}).raise_for_status()
    assert project.create_task(paused, NOWHERE, "t").name == f"{paused}/tasks/t"
    with pytest.raises(exceptions.AlreadyExists):
        project.create_task(kept, NOWHERE, "t")


@pytest.mark.parametrize("call", ["get_task", "delete_task", "run_task"])
def test_missing_task_is_not_found(project: Project, paused: str, call: str) -> None:
    ask = getattr(project.tasks.client, call)
    gone = project.create_task(paused, NOWHERE, "gone").name
    project.tasks.client.delete_task(name=gone)
    with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
        ask(name=f"{paused}/tasks/never")
    with pytest.raises(exceptions.NotFound, match="no longer exists"):
        ask(name=gone)
    with pytest.raises(exceptions.NotFound):
        ask(name=f"{project.queue_name('missing')}/tasks/t")
    with pytest.raises(exceptions.InvalidArgument):
        ask(name=f"{paused}/tasks/not a valid id")


def test_deleted_task_is_not_delivered(project: Project, paused: str, handler: Handler) -> None:
    project.create_task(paused, handler.url, "keep")
    project.tasks.client.delete_task(name=project.create_task(paused, handler.url, "drop").name)
    project.tasks.client.resume_queue(name=paused)
    project.tasks.wait_until_idle(paused)
    assert handler.task_ids == ["keep"]


def test_task_deleted_while_it_runs_is_not_tried_again(project: Project, handler: Handler) -> None:
    queue = project.create_queue(retry_config={"min_backoff": datetime.timedelta(seconds=0.01)})
    handler.gate.clear()
    handler.answer = lambda received: Answer(status=500)
    name = project.create_task(queue, handler.url, "t").name
    handler.wait_until(lambda: handler.running == 1)
    project.tasks.client.delete_task(name=name)
    handler.gate.set()
    project.tasks.wait_until_idle(queue, within=60)
    assert [delivery["result"] for delivery in project.tasks.log(queue)] == ["discarded"]
