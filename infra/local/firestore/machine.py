"""What the search for an emulator may look at. Tests hand in a machine of their own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Machine:
    """``python`` is the interpreter whose environment may be given a Java runtime."""

    environment: Mapping[str, str]
    home: Path
    python: Path

    @classmethod
    def this(cls) -> Machine:
        return cls(environment=dict(os.environ), home=Path.home(), python=Path(sys.executable))

    @property
    def cache(self) -> Path:
        """Where a fetched emulator is kept, for every checkout of this repository."""
        root = self.environment.get("XDG_CACHE_HOME")
        return (Path(root) if root else self.home / ".cache") / "booking-calendar" / "firestore"

    @property
    def firebase_cache(self) -> Path:
        """Where firebase-tools keeps its emulators."""
        root = self.environment.get("FIREBASE_EMULATORS_PATH")
        return Path(root) if root else self.home / ".cache" / "firebase" / "emulators"

    def which(self, program: str) -> Path | None:
        found = shutil.which(program, path=self.environment.get("PATH", ""))
        return Path(found) if found else None
