"""`make clean`: forget what the platform kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.local.supervisor import acquire_lock


def clean(directory: Path) -> None:
    """Delete the directory with all data, logs and secrets. Raises AlreadyRunning where a platform uses it."""
    if not directory.exists():
        print(f"Nothing to forget: {directory} does not exist.")
        return
    if not _ours(directory):
        raise ValueError(f"{directory} holds no data of this platform; it is not deleted")
    lock = acquire_lock(directory)
    try:
        shutil.rmtree(directory)
    finally:
        os.close(lock)
    print(f"Forgot {directory}.")


def _ours(directory: Path) -> bool:
    return (directory / "lock").exists() or (directory / "secrets.json").exists() or not any(directory.iterdir())
