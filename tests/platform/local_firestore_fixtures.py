"""The fixtures of the test_firestore_* modules, which take them with `pytest_plugins`."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import firestore

from tests.platform.local_firestore import BACKENDS, LocalFirestore, Racers, backend_arguments
from tests.platform.local_firestore_machines import Bench


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def local_firestore(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFirestore]:
    local = LocalFirestore(tmp_path_factory.mktemp("firestore"), *backend_arguments(backend))
    yield local
    assert local.end(signal.SIGINT) == 0


@pytest.fixture
def project() -> str:
    """A project of the test's own: nothing another test wrote is in it."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def db(local_firestore: LocalFirestore, project: str) -> Iterator[firestore.Client]:
    client = local_firestore.client(project)
    yield client
    client.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()
