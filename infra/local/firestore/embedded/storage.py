"""The file the documents are kept in, and what can be asked of it.

One SQLite database in WAL mode. A commit is one SQLite transaction, so a process killed at any moment leaves either
all of it or none. ``synchronous=NORMAL``: a power cut may lose the last commits, never tear one.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from infra.local.firestore.embedded import names
from infra.local.firestore.embedded.messages import Document
from infra.local.firestore.embedded.names import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    database   TEXT    NOT NULL,
    key        BLOB    NOT NULL,
    parent     BLOB    NOT NULL,
    collection TEXT    NOT NULL,
    updated    INTEGER NOT NULL,
    document   BLOB    NOT NULL,
    PRIMARY KEY (database, key)
);
CREATE INDEX IF NOT EXISTS by_collection ON documents (database, collection, parent, key);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_LAST_COMMIT = "last commit in microseconds"


@dataclass(frozen=True, kw_only=True)
class CollectionScan:
    """Which documents a query goes through: ``collection`` None means every one, ``descendants`` a collection group."""

    parent: Path
    collection: str | None
    descendants: bool


class View:
    """The documents as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, path: Path) -> Document | None:
        row = self._connection.execute(
            "SELECT document FROM documents WHERE database = ? AND key = ?", (path.database, path.key)
        ).fetchone()
        return None if row is None else Document.FromString(row[0])

    def updated(self, path: Path) -> int | None:
        """The update time in microseconds, or None where there is no document."""
        row = self._connection.execute(
            "SELECT updated FROM documents WHERE database = ? AND key = ?", (path.database, path.key)
        ).fetchone()
        return None if row is None else int(row[0])

    def last_commit(self) -> int:
        """The time of the newest commit that is seen, in microseconds, 0 when there was none."""
        row = self._connection.execute("SELECT value FROM state WHERE name = ?", (_LAST_COMMIT,)).fetchone()
        return 0 if row is None else int(row[0])

    def scan(self, scan: CollectionScan) -> Iterator[Document]:
        """The documents in the order of their names. Read it to the end before anything is committed."""
        conditions = ["database = ?"]
        values: list[str | bytes] = [scan.parent.database]
        if scan.collection is not None:
            conditions.append("collection = ?")
            values.append(scan.collection)
        if not scan.descendants:
            conditions.append("parent = ?")
            values.append(scan.parent.key)
        elif scan.parent.segments:
            conditions.append("key > ? AND key < ?")
            values += [scan.parent.key, names.end_of_prefix(scan.parent.key)]
        # The conditions are the literals above; every value is bound.
        query = f"SELECT document FROM documents WHERE {' AND '.join(conditions)} ORDER BY key"  # noqa: S608
        for (blob,) in self._connection.execute(query, values):
            yield Document.FromString(blob)

    def first_below(self, above: Path, *, after: bytes) -> tuple[str, ...] | None:
        """The segments of the first document below a document or collection whose key is greater than ``after``."""
        row = self._connection.execute(
            "SELECT key FROM documents WHERE database = ? AND key > ? AND key < ? ORDER BY key LIMIT 1",
            (above.database, max(above.key, after), names.end_of_prefix(above.key)),
        ).fetchone()
        return None if row is None else names.decode_key(row[0])


class Snapshot(View):
    """The documents as they were when it was taken, whatever is committed since. Must be closed."""

    def close(self) -> None:
        self._connection.close()


class Store(View):
    """The newest state, and the only way to change it."""

    def __init__(self, file: FilePath) -> None:
        self._file = file
        connection = _connect(file)
        connection.executescript(_SCHEMA)
        super().__init__(connection)

    def snapshot(self) -> Snapshot:
        connection = _connect(self._file)
        connection.execute("BEGIN")
        connection.execute("SELECT value FROM state").fetchone()  # SQLite takes the snapshot at the first read
        return Snapshot(connection)

    def write(self, changes: Mapping[Path, Document | None], *, commit_time: int) -> None:
        """Stores every document, or removes it where None is given: all of them or none."""
        with self._transaction(commit_time):
            for path, document in changes.items():
                if document is None:
                    self._connection.execute(
                        "DELETE FROM documents WHERE database = ? AND key = ?", (path.database, path.key)
                    )
                else:
                    self._put(path, document)

    def clear(self, database: str, *, commit_time: int) -> None:
        """Removes every document of a database."""
        with self._transaction(commit_time):
            self._connection.execute("DELETE FROM documents WHERE database = ?", (database,))

    @contextmanager
    def _transaction(self, commit_time: int) -> Iterator[None]:
        with self._connection:  # commits, or rolls back what raised
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("REPLACE INTO state VALUES (?, ?)", (_LAST_COMMIT, commit_time))

    def _put(self, path: Path, document: Document) -> None:
        self._connection.execute(
            "REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
            (
                path.database,
                path.key,
                path.parent_key,
                path.collection,
                document.update_time.ToMicroseconds(),
                document.SerializeToString(),
            ),
        )

    def close(self) -> None:
        self._connection.close()


def _connect(file: FilePath) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
