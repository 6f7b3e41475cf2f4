"""The stand-in's own time and its count of changes. Clients must order by neither; both only have to grow."""

from datetime import UTC, datetime

from infra.local.google.persistence import Rows


def rfc3339(instant: datetime) -> str:
    """UTC with milliseconds, as in `created` and `updated`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


class Clock:
    """Now, in UTC, and the version number of each change across everything that is stored."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._row = next(iter(rows.load("version")), {"last": 0})

    def now(self) -> datetime:
        return datetime.now(UTC)

    def timestamp(self) -> str:
        return rfc3339(self.now())

    @property
    def version(self) -> int:
        return int(self._row["last"])

    def next_version(self) -> int:
        self._row["last"] += 1
        self._rows.put("version", "version", self._row)
        return int(self._row["last"])


def etag(version: int) -> str:
    """A quoted number like Google's, unique for each change."""
    return f'"{3_000_000_000_000_000 + version * 2}"'
