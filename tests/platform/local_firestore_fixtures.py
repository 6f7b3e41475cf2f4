"""The fixtures of the test_firestore_* modules, which take them with `pytest_plugins`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from google.cloud import firestore

from infra.local.firestore.finding import Backend, obtain
from infra.local.firestore.machine import Machine
from tests.platform.local_firestore import LocalFirestore, Racers, outside_environment

EMBEDDED_ONLY = os.environ.get("FIRESTORE_BACKEND") == "embedded"
BACKENDS = ["embedded"] if EMBEDDED_ONLY else ["official", "embedded"]


def backend_arguments(backend: str) -> tuple[str, ...]:
    """The program's arguments for a backend. The official emulator is never left out in silence."""
    if backend == "embedded":
        return ("--embedded",)
    found = obtain(replace(Machine.this(), environment=outside_environment()), print)
    if found.backend is not Backend.EMULATOR:
        pytest.fail(f"{found.describe()}\n  or test the stand-in alone: FIRESTORE_BACKEND=embedded", pytrace=False)
    return ()


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def local_firestore(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFirestore]:
    local = LocalFirestore(tmp_path_factory.mktemp("firestore"), *backend_arguments(backend))
    yield local
    assert local.end() == 0


@pytest.fixture
def project() -> str:
    """A project of the test's own: nothing another test wrote is in it."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def db(local_firestore: LocalFirestore, project: str) -> Iterator[firestore.Client]:
    client = local_firestore.client(project)
    yield client
    client.close()


@pytest.fixture(scope="session")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()
