"""Messages on disk, as they came over the wire."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
create table if not exists messages (
    id integer primary key autoincrement,
    received text not null,
    sender text not null,
    recipients text not null,
    content blob not null
)
"""


@dataclass(frozen=True, kw_only=True)
class StoredMessage:
    """One message with its SMTP envelope. `content` is the raw RFC 5322 text; `received` is an aware UTC datetime."""

    id: int
    received: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class MessageStore:
    """A mailbox in one SQLite file. Ids rise and are never used again, so a reader can ask for what came after one."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file)
        with self._database:
            self._database.execute(SCHEMA)

    def add(self, *, sender: str, recipients: tuple[str, ...], content: bytes, received: datetime) -> int:
        """Keep a message; it is on disk when this returns its id."""
        row = (received.astimezone(UTC).isoformat(), sender, json.dumps(recipients), content)
        with self._database:
            cursor = self._database.execute(
                "insert into messages (received, sender, recipients, content) values (?, ?, ?, ?)", row
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def get(self, message_id: int) -> StoredMessage | None:
        row = self._database.execute(f"{_SELECT} where id = ?", (message_id,)).fetchone()
        return None if row is None else _message(row)

    def all(self, *, after: int = 0) -> Iterator[StoredMessage]:
        """The messages with an id above `after`, oldest first."""
        for row in self._database.execute(f"{_SELECT} where id > ? order by id", (after,)):
            yield _message(row)

    def clear(self) -> None:
        with self._database:
            self._database.execute("delete from messages")

    def close(self) -> None:
        self._database.close()


_SELECT = "select id, received, sender, recipients, content from messages"


def _message(row: tuple[int, str, str, str, bytes]) -> StoredMessage:
    message_id, received, sender, recipients, content = row
    return StoredMessage(
        id=message_id,
        received=datetime.fromisoformat(received),
        sender=sender,
        recipients=tuple(json.loads(recipients)),
        content=content,
    )
