"""The parts' logs: whole in a file each, and readable on the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

LONGEST_LINE = 400

# Lines that say only that the platform watches itself. They stay in the files.
_NOISE = re.compile(r"/healthz|/schedule/(minute|quarter|daily)|FutureWarning|warnings\.warn\(")


def fresh(file: Path) -> None:
    """Make room for a new log; the one before stays as `<name>.1`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        file.replace(file.with_name(file.name + ".1"))
    file.touch()


def last_lines(file: Path, count: int = 20) -> list[str]:
    """The last lines of a log, oldest first; empty lines left out."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if line.strip()][-count:]


def description(file: Path, words: str) -> list[str]:
    """What a log says after these words, with the indented lines below it; empty where it does not say them."""
    lines = iter(file.read_text(encoding="utf-8", errors="replace").splitlines())
    for line in lines:
        _before, found, after = line.partition(words)
        if found:
            return [after, *takewhile(lambda below: below.startswith(" "), lines)]
    return []


class Follower:
    """Reads what a log has gained since the last look, line by line.

    Parts write straight into their files: a launcher that is slow, or gone, never blocks one on a full pipe.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self._unfinished = b""

    def new_lines(self) -> Iterator[str]:
        """The complete lines since the last call."""
        if not self._file.exists():
            return
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            gained = stream.read()
        self._offset += len(gained)
        *lines, self._unfinished = (self._unfinished + gained).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", errors="replace").rstrip("\r")

    def skip(self) -> None:
        """Leave out what is there now."""
        for _line in self.new_lines():
            pass


def for_terminal(name: str, line: str) -> str | None:
    """A part's log line as the terminal shows it, or None where it would only be noise."""
    line = line.removeprefix(f"{name} ")  # the prefix says it already
    if not line.strip() or _NOISE.search(line):
        return None
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " …"
