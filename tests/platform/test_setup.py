"""Setting up on a fresh machine: what is missing is named with the command that installs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.guardian import ROOT

TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (TOO_OLD, ["Python 3.11 or later is needed", "apt-get install python3 python3-venv"]),
        (WITHOUT_VENV, [f"Python {VERSION} has no venv module", f"apt-get install python{VERSION}-venv"]),
    ],
    ids=["python-too-old", "no-venv-module"],
)
def test_a_missing_prerequisite_is_named_with_the_command_that_installs_it(
    tmp_path: Path, python: str, said: list[str]
) -> None:
    fake = tmp_path / "python3"
    fake.write_text(python)
    fake.chmod(0o755)

    done = subprocess.run(
        ["sh", str(ROOT / "infra" / "local" / "setup.sh")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(fake)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert [line for line in said if line not in done.stderr] == []
    assert not (tmp_path / ".venv").exists()
