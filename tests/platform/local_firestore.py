"""For the test_firestore_* modules: a local Firestore as a process, the real client on it, and several processes to race."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path
from unittest import mock

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition
from google.cloud import firestore

from infra.local.firestore.finding import Backend, obtain
from infra.local.firestore.machine import Machine

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds until a test that waits for a condition gives up
PROCESSES = 4
THREADS_A_PROCESS = 5
BACKENDS = ["embedded"] if os.environ.get("FIRESTORE_BACKEND") == "embedded" else ["official", "embedded"]
_READY = re.compile(r"ready on [\d.]+:(\d+)")


def outside_environment() -> dict[str, str]:
    """Ours without what would choose a backend."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FIRESTORE_")}


def backend_arguments(backend: str) -> tuple[str, ...]:
    """The program's arguments for a backend. The official emulator is never left out in silence."""
    if backend == "embedded":
        return ("--embedded",)
    found = obtain(replace(Machine.this(), environment=outside_environment()), print)
    if found.backend is not Backend.EMULATOR:
        raise AssertionError(f"{found.describe()}\n  to test the stand-in alone: FIRESTORE_BACKEND=embedded")
    return ()


class LocalFirestore:
    """A running `python -m infra.local.firestore`, by default on a port that the system chose."""

    def __init__(self, data: Path, *arguments: str, port: int = 0) -> None:
        self.data = data
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.firestore", f"--port={port}", f"--data={data}", *arguments],
            cwd=REPOSITORY,
            env=outside_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ready = self.wait_for_line(_READY)
        self.port = int(ready.group(1))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def wait_for_line(self, pattern: re.Pattern[str]) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                for line in self._lines:
                    if match := pattern.search(line):
                        return match
                ended = not self._reader.is_alive()
                if ended or not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {pattern.pattern!r} in the log:\n{self.log}")

    def client(self, project: str) -> firestore.Client:
        return connect(self.address, project)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after that signal."""
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


def connect(address: str, project: str) -> firestore.Client:
    """The client as the functions make it: it finds the emulator through the environment."""
    with mock.patch.dict(os.environ, {"FIRESTORE_EMULATOR_HOST": address}):
        return firestore.Client(project=project)


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.02)  # between two looks at another process


def at_once(attempts: Sequence[Callable[[], str]]) -> list[str]:
    """What the attempts return, each made by a thread of its own, all let go at the same moment."""
    barrier = threading.Barrier(len(attempts))

    def run(attempt: Callable[[], str]) -> str:
        barrier.wait(PATIENCE)
        return attempt()

    with ThreadPoolExecutor(len(attempts)) as threads:
        return list(threads.map(run, attempts))


def create(db: firestore.Client, path: str, who: str) -> str:
    """One contender of a race to create a document."""
    try:
        db.document(path).create({"who": who})
    except AlreadyExists:
        return "lost"
    return "won"


def take_seat(db: firestore.Client, path: str, who: str) -> str:
    """One contender for the seats of a document: read, decide, compare and set; a lost race is run again."""
    event = db.document(path)
    while True:
        found = event.get()
        taken = found.get("taken")
        if len(taken) >= found.get("capacity"):
            return "full"
        batch = db.batch()
        option = db.write_option(last_update_time=found.update_time)
        batch.update(event, {"taken": [*taken, who]}, option=option)
        batch.create(event.collection("seats").document(who), {"number": len(taken)})
        try:
            batch.commit()
        except (FailedPrecondition, Aborted):
            continue
        return "won"


def count_up(db: firestore.Client, path: str, who: str) -> str:
    """One contender that increments a counter without reading it."""
    db.document(path).update({"count": firestore.Increment(1)})
    return who


_Contender = Callable[[firestore.Client, str, str], str]
_start_line: Barrier


def count_in_transaction(db: firestore.Client, path: str, who: str) -> str:
    """One contender that reads a counter and writes it in one transaction."""
    counter = db.document(path)

    @firestore.transactional
    def count(transaction: firestore.Transaction) -> None:
        seen = counter.get(transaction=transaction).get("count")
        transaction.update(counter, {"count": seen + 1})

    count(db.transaction())
    return who


class Racers:
    """Several processes with several threads each, waiting to run one of the contenders above at the same moment."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool: Pool = context.Pool(PROCESSES, initializer=_arrive, initargs=(context.Barrier(PROCESSES),))

    def race(self, contender: _Contender, firestore_address: str, project: str, path: str) -> list[str]:
        """What each contender returned."""
        runs = [(contender, firestore_address, project, path, number) for number in range(PROCESSES)]
        results = self._pool.starmap_async(_race, runs, chunksize=1).get(PATIENCE)
        return [result for process in results for result in process]

    def close(self) -> None:
        self._pool.terminate()
        self._pool.join()


def _arrive(start_line: Barrier) -> None:
    global _start_line
    _start_line = start_line


def _race(contender: _Contender, address: str, project: str, path: str, process: int) -> list[str]:
    db = connect(address, project)
    db.document("warm/up").get()
    _start_line.wait(PATIENCE)
    whos = [f"{process}-{thread}" for thread in range(THREADS_A_PROCESS)]
    return at_once([lambda who=who: contender(db, path, who) for who in whos])
