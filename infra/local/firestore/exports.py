"""The exports of the emulator's data: each complete before it counts, the newest one used, older ones removed.

An export is written into a directory of its own and renamed when it is whole, so that whatever is killed at whatever
moment leaves the export before it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_COMPLETE = "export-"
_UNFINISHED = "unfinished-"


class Exports:
    """The exports in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._tidy()

    def newest(self) -> Path | None:
        """The directory of the newest complete export."""
        complete = self._complete()
        return complete[-1] if complete else None

    def write(self, export: Callable[[Path], object]) -> Path:
        """Has ``export`` fill a new directory, then makes it the newest. What ``export`` raises changes nothing."""
        complete = self._complete()
        following = int(complete[-1].name.removeprefix(_COMPLETE)) + 1 if complete else 1
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._directory))
        try:
            export(unfinished)
            finished = unfinished.rename(self._directory / f"{_COMPLETE}{following:08}")
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        self._tidy()
        return finished

    def _complete(self) -> list[Path]:
        return sorted(self._directory.glob(f"{_COMPLETE}*"))

    def _tidy(self) -> None:
        for old in self._complete()[:-1]:
            shutil.rmtree(old, ignore_errors=True)
        for left_over in self._directory.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left_over, ignore_errors=True)
