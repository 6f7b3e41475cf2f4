"""The fixtures of the test_tasks_* modules, which take them with `pytest_plugins`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.platform.local_tasks import Handler, LocalTasks, Project


@pytest.fixture(scope="session")
def local_tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTasks]:
    tasks = LocalTasks(tmp_path_factory.mktemp("tasks"))
    yield tasks
    assert tasks.end() == 0


@pytest.fixture
def project(local_tasks: LocalTasks) -> Iterator[Project]:
    project = Project(local_tasks, f"test-{uuid.uuid4().hex[:12]}")
    yield project
    local_tasks.http.post("/control/reset", json={"prefix": project.name}).raise_for_status()


@pytest.fixture
def handler() -> Iterator[Handler]:
    handler = Handler()
    yield handler
    handler.close()
