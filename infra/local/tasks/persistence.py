"""Queues, tasks and tombstones on disk, in one SQLite file.

Every change is on its way to the file before it is answered: it survives the end of this process. WAL without a sync a commit
(`synchronous=NORMAL`) keeps a commit at some tens of microseconds; a power cut may lose the last of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.tasks.messages import Queue as QueueMessageClass
from infra.local.tasks.messages import QueueMessage
from infra.local.tasks.messages import Task as TaskMessageClass
from infra.local.tasks.queue import Task

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, message BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
  name TEXT PRIMARY KEY, message BLOB NOT NULL, caller_named INTEGER NOT NULL, execution_count INTEGER NOT NULL,
  previous_response INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones (name TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
"""


class DataInUse(Exception):
    """Another process has the data directory open."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    name: str
    expires_at: float


class Store:
    """Belongs to the thread that opened it, and to one process at a time."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "tasks.sqlite3", isolation_level=None, timeout=0)
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            raise DataInUse(f"{directory} is in use by another process") from None

    def close(self) -> None:
        self._db.close()

    def queues(self) -> list[QueueMessage]:
        rows = self._db.execute("SELECT message FROM queues ORDER BY name")
        return [QueueMessageClass.FromString(message) for (message,) in rows]

    def tasks(self) -> Iterator[Task]:
        for message, named, executions, previous in self._db.execute(
            "SELECT message, caller_named, execution_count, previous_response FROM tasks"
        ):
            yield Task(TaskMessageClass.FromString(message), bool(named), executions, previous)

    def tombstones(self) -> list[Tombstone]:
        rows = self._db.execute("SELECT name, expires_at FROM tombstones ORDER BY expires_at")
        return [Tombstone(name, expires_at) for name, expires_at in rows]

    def put_queue(self, queue: QueueMessage) -> None:
        self._db.execute("INSERT OR REPLACE INTO queues VALUES (?, ?)", (queue.name, queue.SerializeToString()))

    def put_task(self, task: Task) -> None:
        row = (
            task.name,
            task.message.SerializeToString(),
            task.caller_named,
            task.execution_count,
            task.previous_response,
        )
        self._db.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)", row)

    def bury_tasks(self, names: Iterable[str], tombstones: Iterable[Tombstone]) -> None:
        """Removes tasks and holds their names, in one commit."""
        with self._commit():
            self._db.executemany("DELETE FROM tasks WHERE name = ?", ((name,) for name in names))
            self._put_tombstones(tombstones)

    def bury_queue(self, name: str, tombstone: Tombstone) -> None:
        with self._commit():
            self._db.execute("DELETE FROM queues WHERE name = ?", (name,))
            self._put_tombstones([tombstone])

    def forget_tombstones(self, names: Iterable[str]) -> None:
        with self._commit():
            self._db.executemany("DELETE FROM tombstones WHERE name = ?", ((name,) for name in names))

    def _put_tombstones(self, tombstones: Iterable[Tombstone]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO tombstones VALUES (?, ?)", ((stone.name, stone.expires_at) for stone in tombstones)
        )

    @contextmanager
    def _commit(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
