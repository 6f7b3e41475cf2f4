"""What the stand-in knows, on disk: one SQLite file of JSON rows, written behind the memory.

The state lives in memory. A store marks a row when it changes, and the rows marked during a request are written in one
transaction before its answer leaves, so that what was answered survives the process. A change costs its own rows only.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    """Rows of JSON by (kind, key)."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "google.sqlite3"
        self._db = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        # The file holds what a test or a demo made: a crash of the whole machine may lose it, a crash of ours not.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._changed: dict[tuple[str, str], Row | None] = {}

    def put(self, kind: str, key: str, value: Row) -> None:
        """Mark a row as changed. The value is turned into JSON at the next flush, so it may still change until then."""
        self._changed[(kind, key)] = value

    def delete(self, kind: str, key: str) -> None:
        self._changed[(kind, key)] = None

    def load(self, kind: str) -> Iterator[Row]:
        for (value,) in self._db.execute("SELECT value FROM rows WHERE kind = ?", (kind,)):
            yield json.loads(value)

    def flush(self) -> None:
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        self._db.execute("BEGIN")
        self._db.executemany(
            "REPLACE INTO rows VALUES (?, ?, ?)",
            ((kind, key, json.dumps(value)) for (kind, key), value in changed.items() if value is not None),
        )
        self._db.executemany(
            "DELETE FROM rows WHERE kind = ? AND key = ?", (key for key, value in changed.items() if value is None)
        )
        self._db.execute("COMMIT")

    def clear(self) -> None:
        self._changed = {}
        self._db.execute("DELETE FROM rows WHERE kind != 'key'")

    def close(self) -> None:
        self.flush()
        self._db.close()
