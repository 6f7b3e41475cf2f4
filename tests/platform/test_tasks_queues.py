"""Queues of the local Cloud Tasks, through the real client."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.protobuf import field_mask_pb2

from tests.platform.local_tasks import REPOSITORY, Handler, Project

pytest_plugins = ["tests.platform.local_tasks_fixtures"]


QUEUES = json.loads((REPOSITORY / "infra/queues.json").read_text())


def seconds(value: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=value)


def test_new_queue_gets_the_services_defaults(project: Project) -> None:
    name = project.create_queue()
    queue = project.tasks.client.get_queue(name=name)
    assert queue.name == name
    assert queue.state == tasks_v2.Queue.State.RUNNING
    limits, retry = queue.rate_limits, queue.retry_config
    assert (limits.max_dispatches_per_second, limits.max_burst_size, limits.max_concurrent_dispatches) == (
        500.0,
        100,
        1000,
    )
    assert (retry.max_attempts, retry.max_doublings) == (100, 16)
    assert (retry.min_backoff, retry.max_backoff) == (seconds(0.1), seconds(3600))
    assert not queue._pb.HasField("purge_time")


@pytest.mark.parametrize("settings", QUEUES, ids=lambda queue: queue["name"])
def test_our_queues_can_be_created_as_the_file_says(project: Project, settings: dict[str, Any]) -> None:
    name = project.create_queue(
        settings["name"],
        rate_limits={
            "max_dispatches_per_second": settings["max_dispatches_per_second"],
            "max_concurrent_dispatches": settings["max_concurrent_dispatches"],
        },
        retry_config={
            "max_attempts": settings["max_attempts"],
            "min_backoff": seconds(settings["min_backoff_seconds"]),
            "max_backoff": seconds(settings["max_backoff_seconds"]),
            "max_doublings": settings["max_doublings"],
        },
    )
    queue = project.tasks.client.get_queue(name=name)
    assert queue.rate_limits.max_dispatches_per_second == settings["max_dispatches_per_second"]
    assert queue.rate_limits.max_concurrent_dispatches == settings["max_concurrent_dispatches"]
    assert queue.retry_config.max_attempts == settings["max_attempts"]
    assert queue.retry_config.max_doublings == settings["max_doublings"]
    assert queue.retry_config.min_backoff == seconds(settings["min_backoff_seconds"])
    assert queue.retry_config.max_backoff == seconds(settings["max_backoff_seconds"])


def test_queue_cannot_be_created_twice(project: Project) -> None:
    project.create_queue()
    with pytest.raises(exceptions.AlreadyExists, match="Queue already exists"):
        project.create_queue()


@pytest.mark.parametrize("queue_id", ["under_score", "", "a" * 101, "sp ace", "q/tasks/t", "ü"])
def test_bad_queue_name_is_refused(project: Project, queue_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        project.create_queue(queue_id)


def test_queue_outside_its_parent_is_refused(project: Project) -> None:
    name = f"{project.name}/locations/elsewhere/queues/q"
    with pytest.raises(exceptions.InvalidArgument, match="must begin with"):
        project.tasks.client.create_queue(parent=project.location, queue={"name": name})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_limits": {"max_dispatches_per_second": -1}}, "maxDispatchesPerSecond cannot be negative"),
        ({"rate_limits": {"max_dispatches_per_second": 501}}, "less than or equal to 500"),
        ({"rate_limits": {"max_concurrent_dispatches": -1}}, "maxConcurrentDispatches cannot be negative"),
        ({"rate_limits": {"max_concurrent_dispatches": 5001}}, "less than or equal to 5000"),
        ({"retry_config": {"max_attempts": -2}}, "greater or equal to -1"),
        ({"retry_config": {"max_doublings": -1}}, "maxDoublings cannot be negative"),
        ({"retry_config": {"min_backoff": seconds(-1)}}, "minBackoff cannot be negative"),
        ({"retry_config": {"max_retry_duration": seconds(-1)}}, "maxRetryDuration cannot be negative"),
        (
            {"retry_config": {"min_backoff": seconds(10), "max_backoff": seconds(5)}},
            "minBackoff must be less than or equal",
        ),
    ],
)
def test_settings_out_of_range_are_refused(project: Project, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        project.create_queue(**settings)
    with pytest.raises(exceptions.NotFound):
        project.tasks.client.get_queue(name=project.queue_name())


@pytest.mark.parametrize(
    "settings",
    [
        {"app_engine_routing_override": {"service": "worker"}},
        {"http_target": {"http_method": tasks_v2.HttpMethod.PUT}},
    ],
    ids=["App Engine routing", "queue-level HTTP target"],
)
def test_settings_that_are_not_done_here_are_unimplemented(project: Project, settings: dict[str, Any]) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        project.create_queue(**settings)


def test_calls_that_are_not_done_here_are_unimplemented(project: Project) -> None:
    queue = project.create_queue()
    with pytest.raises(exceptions.MethodNotImplemented):
        project.tasks.client.get_iam_policy(request={"resource": queue})
    with pytest.raises(exceptions.MethodNotImplemented):
        project.tasks.client.list_queues(request={"parent": project.location, "filter": "state: PAUSED"})


def test_missing_queue_is_not_found(project: Project) -> None:
    client, name = project.tasks.client, project.queue_name("missing")
    for ask in (client.get_queue, client.delete_queue, client.purge_queue, client.pause_queue, client.resume_queue):
        with pytest.raises(exceptions.NotFound):
            ask(name=name)
    with pytest.raises(exceptions.NotFound):
        client.list_tasks(parent=name)
    with pytest.raises(exceptions.NotFound):
        project.create_task(name, "http://127.0.0.1:1/")


def test_list_is_paged_by_name_and_keeps_to_its_location(project: Project) -> None:
    names = [project.create_queue(f"q{number}") for number in range(5)]
    other = Project(project.tasks, f"{project.id}-other")
    other.create_queue("elsewhere")
    pages = list(project.tasks.client.list_queues(request={"parent": project.location, "page_size": 2}).pages)
    assert [[queue.name for queue in page.queues] for page in pages] == [names[:2], names[2:4], names[4:]]
    assert [queue.name for queue in other.tasks.client.list_queues(parent=other.location)] == [
        other.queue_name("elsewhere")
    ]


def test_bad_page_is_refused(project: Project) -> None:
    for bad in ({"page_token": "?"}, {"page_size": -1}):
        with pytest.raises(exceptions.InvalidArgument):
            project.tasks.client.list_queues(request={"parent": project.location, **bad})


def test_update_changes_what_the_mask_names(project: Project) -> None:
    name = project.create_queue(
        rate_limits={"max_dispatches_per_second": 20, "max_concurrent_dispatches": 5},
        retry_config={"max_attempts": 7, "max_doublings": 3},
    )
    updated = project.tasks.client.update_queue(
        queue={
            "name": name,
            "rate_limits": {"max_dispatches_per_second": 30},
            "retry_config": {"max_attempts": 9, "max_doublings": 1},
        },
        update_mask=field_mask_pb2.FieldMask(paths=["rate_limits", "retry_config.max_attempts"]),
    )
    assert updated == project.tasks.client.get_queue(name=name)
    assert updated.rate_limits.max_dispatches_per_second == 30
    assert updated.rate_limits.max_concurrent_dispatches == 1000, "named with its message, unset: back to the default"
    assert (updated.retry_config.max_attempts, updated.retry_config.max_doublings) == (9, 3)


def test_update_without_a_mask_changes_every_setting_but_not_the_state(project: Project) -> None:
    name = project.create_queue(retry_config={"max_attempts": 7, "max_doublings": 3})
    project.tasks.client.pause_queue(name=name)
    updated = project.tasks.client.update_queue(
        queue={"name": name, "retry_config": {"max_attempts": 9}, "state": tasks_v2.Queue.State.RUNNING}
    )
    assert (updated.retry_config.max_attempts, updated.retry_config.max_doublings) == (9, 16)
    assert updated.state == tasks_v2.Queue.State.PAUSED


def test_update_creates_a_queue_that_is_missing(project: Project) -> None:
    project.tasks.client.update_queue(queue={"name": project.queue_name(), "retry_config": {"max_attempts": 4}})
    assert project.tasks.client.get_queue(name=project.queue_name()).retry_config.max_attempts == 4


@pytest.mark.parametrize("path", ["http_target", "no_such_field", "retry_config.no_such_field"])
def test_update_with_a_bad_mask_is_refused(project: Project, path: str) -> None:
    name = project.create_queue()
    with pytest.raises(exceptions.InvalidArgument):
        project.tasks.client.update_queue(queue={"name": name}, update_mask=field_mask_pb2.FieldMask(paths=[path]))


def test_deleted_queue_takes_its_tasks_along_and_its_name_stays_taken(project: Project, handler: Handler) -> None:
    client, name = project.tasks.client, project.create_queue()
    client.pause_queue(name=name)
    project.create_task(name, handler.url, "t")
    client.delete_queue(name=name)
    with pytest.raises(exceptions.NotFound):
        client.get_task(name=f"{name}/tasks/t")
    with pytest.raises(exceptions.NotFound):
        project.create_task(name, handler.url)
    with pytest.raises(exceptions.FailedPrecondition, match="existed too recently"):
        project.create_queue()
    project.tasks.http.post("/control/reset", json={"prefix": project.name}).raise_for_status()
    project.create_queue()
    project.tasks.wait_until_idle(project.name)
    assert handler.received == []


def test_paused_queue_takes_tasks_and_delivers_them_when_resumed(project: Project, handler: Handler) -> None:
    client, name = project.tasks.client, project.create_queue()
    assert client.pause_queue(name=name).state == tasks_v2.Queue.State.PAUSED
    for number in range(3):
        project.create_task(name, handler.url, f"t{number}")
    project.tasks.wait_until_idle(name)
    assert project.tasks.counts(name) == {
        "paused": True,
        "pending": 3,
        "scheduled": 0,
        "running": 0,
        "done": 0,
        "failed": 0,
    }
    assert handler.received == []
    assert client.resume_queue(name=name).state == tasks_v2.Queue.State.RUNNING
    project.tasks.wait_until_idle(name)
    assert sorted(handler.task_ids) == ["t0", "t1", "t2"]
    assert project.tasks.counts(name)["done"] == 3


def test_purge_deletes_what_waits_and_nothing_that_comes_after(project: Project, handler: Handler) -> None:
    client, name = project.tasks.client, project.create_queue()
    client.pause_queue(name=name)
    for number in range(3):
        project.create_task(name, handler.url, f"before-{number}")
    purged = client.purge_queue(name=name)
    assert purged._pb.HasField("purge_time")
    assert list(client.list_tasks(parent=name)) == []
    project.create_task(name, handler.url, "after")
    with pytest.raises(exceptions.AlreadyExists):
        project.create_task(name, handler.url, "before-0")
    client.resume_queue(name=name)
    project.tasks.wait_until_idle(name)
    assert handler.task_ids == ["after"]


def test_delivery_that_runs_during_a_purge_changes_nothing_any_more(project: Project, handler: Handler) -> None:
    name = project.create_queue()
    handler.gate.clear()
    project.create_task(name, handler.url, "t")
    handler.wait_until(lambda: handler.running == 1)
    project.tasks.client.purge_queue(name=name)
    handler.gate.set()
    project.tasks.wait_until_idle(name)
    assert [delivery["result"] for delivery in project.tasks.log(name)] == ["discarded"]
    assert project.tasks.counts(name)["done"] == 0
