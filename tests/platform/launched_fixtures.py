"""The fixture of the tests of the launcher, which take it with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.platform.launched import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path, environment: Mapping[str, str]) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path, environment)
    yield sandbox
    sandbox.kill_leftovers()
