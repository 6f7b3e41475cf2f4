"""`python -m infra.local.firestore` with either backend: signals, restarts, what is kept, ports, what is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.firestore.client import NotReady, answers, clear, wait_ready
from infra.local.firestore.exports import Exports
from tests.platform.local_firestore import (
    PATIENCE,
    REPOSITORY,
    LocalFirestore,
    backend_arguments,
    eventually,
    outside_environment,
)
from tests.platform.local_firestore_machines import Bench

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

Start = Callable[..., LocalFirestore]


@pytest.fixture
def start(tmp_path: Path, backend: str) -> Iterator[Start]:
    """Starts the program on one data directory; what still runs at the end is killed."""
    started: list[LocalFirestore] = []

    def start(*arguments: str, port: int = 0) -> LocalFirestore:
        local = LocalFirestore(tmp_path / "data", *backend_arguments(backend), *arguments, port=port)
        started.append(local)
        return local

    yield start
    for local in started:
        if local.running:
            local.end(signal.SIGKILL)


def answers_at(local: LocalFirestore) -> bool:
    return answers("127.0.0.1", local.port)


def test_documents_are_there_after_a_restart_and_after_a_kill(start: Start, backend: str, tmp_path: Path) -> None:
    stopped = start("--project=shop")
    db = stopped.client("shop")
    db.document("clients/bella").set({"name": "Bella", "visits": [1, 2.5, None]})
    db.document("clients/bella/notes/n").set({"text": "é😀"})
    db.document("clients/gone").set({})
    db.document("clients/gone").delete()
    seen = db.document("clients/bella").get().update_time
    assert stopped.end() == 0

    killed = start("--project=shop", "--export-every=1")
    db = killed.client("shop")
    found = db.document("clients/bella").get()
    assert found.to_dict() == {"name": "Bella", "visits": [1, 2.5, None]}
    assert found.update_time >= seen
    assert db.document("clients/bella/notes/n").get().get("text") == "é😀"
    assert [snapshot.id for snapshot in db.collection("clients").stream()] == ["bella"]
    db.document("clients/bella/notes/n").delete()
    assert db.document("clients/bella").update({"visits": ["a last one"]}).update_time > found.update_time
    if backend == "official":
        exports = tmp_path / "data" / "exports"
        eventually(lambda: _holds(exports, b"a last one"), "an export while it runs")
    killed.end(signal.SIGKILL)
    eventually(lambda: not answers_at(killed), "the emulator has gone with its wrapper")

    again = start("--project=shop", port=killed.port)
    db = again.client("shop")
    assert db.document("clients/bella").get().get("visits") == ["a last one"]
    assert not db.document("clients/bella/notes/n").get().exists


def test_an_export_that_is_not_finished_does_not_count(tmp_path: Path) -> None:
    exports = Exports(tmp_path)
    first = exports.write(lambda directory: (directory / "data").write_text("whole"))

    def fail(directory: Path) -> None:
        (directory / "data").write_text("half")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        exports.write(fail)
    (tmp_path / "unfinished-killed").mkdir()
    assert Exports(tmp_path).newest() == first
    assert (first / "data").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [first]


def test_the_newest_export_is_used_and_older_ones_go(tmp_path: Path) -> None:
    exports = Exports(tmp_path)
    written = [exports.write(lambda directory: None) for _ in range(11)]
    assert exports.newest() == written[-1]
    assert list(tmp_path.iterdir()) == [written[-1]]


def test_clear_empties_one_project(local_firestore: LocalFirestore, project: str) -> None:
    db, other = local_firestore.client(project), local_firestore.client(f"{project}-other")
    for client in (db, other):
        client.document("a/b/c/d").set({"x": 1})
    clear("127.0.0.1", local_firestore.port, project)
    assert not db.document("a/b/c/d").get().exists
    assert list(db.collections()) == []
    assert other.document("a/b/c/d").get().exists
    clear("127.0.0.1", local_firestore.port, project)  # harmless to repeat
    db.document("a/b").create({})


def test_it_answers_plain_http(local_firestore: LocalFirestore) -> None:
    wait_ready("127.0.0.1", local_firestore.port)
    assert answers_at(local_firestore)


def test_a_port_in_use_is_named(backend: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port), "--data", str(tmp_path), *backend_arguments(backend))
    assert ended.returncode == 3
    assert f"port {port} is in use (needed by firestore)" in ended.stderr


def test_data_in_use_is_named(local_firestore: LocalFirestore, backend: str) -> None:
    ended = run("--port=0", "--data", str(local_firestore.data), *backend_arguments(backend))
    assert ended.returncode == 1
    assert f"{local_firestore.data} is in use by another Firestore" in ended.stderr


def test_only_loopback_is_served(tmp_path: Path) -> None:
    ended = run("--host=0.0.0.0", "--data", str(tmp_path), "--embedded")
    assert ended.returncode == 2
    assert "0.0.0.0 is not a loopback address" in ended.stderr


def test_waiting_for_what_has_ended_is_given_up() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(NotReady):
            wait_ready("127.0.0.1", unused.getsockname()[1], alive=lambda: False)


# An emulator that never answers, or ends by itself: a shell script in Java's place.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_java_never_outlives_the_program(bench: Bench, number: signal.Signals) -> None:
    pid_file = bench.root / "pid"
    bench.cached("1.19.8")
    bench.java(then=f"echo $$ > {pid_file}.new; /bin/mv {pid_file}.new {pid_file}; exec /bin/sleep 600")
    program = subprocess.Popen(
        [sys.executable, "-m", "infra.local.firestore", "--port=0", f"--data={bench.root / 'data'}"],
        cwd=REPOSITORY,
        env=bench.process_environment,
        stderr=subprocess.DEVNULL,
    )
    eventually(pid_file.exists, "Java has started")
    program.send_signal(number)
    assert program.wait(PATIENCE) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    eventually(lambda: not _runs(int(pid_file.read_text())), "Java has ended")


def test_an_emulator_that_ends_by_itself_is_reported(bench: Bench) -> None:
    bench.cached("1.19.8")
    bench.java(then="echo 'Exception in thread main: out of luck'; exit 7")
    ended = run("--port=0", "--data", str(bench.root / "data"), environment=bench.process_environment)
    assert ended.returncode == 1
    assert "the emulator ended with status 7" in ended.stderr
    assert "out of luck" in ended.stderr


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.local.firestore", *arguments],
        cwd=REPOSITORY,
        env=environment or outside_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Where nobody collects orphans (a container without an init) an ended process stays as a zombie.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def _holds(exports: Path, text: bytes) -> bool:
    """Whether a complete export has that text."""
    try:
        return any(text in file.read_bytes() for file in exports.glob("export-*/**/output-*"))
    except FileNotFoundError:  # a newer export has taken its place
        return False
