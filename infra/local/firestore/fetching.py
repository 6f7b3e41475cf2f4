"""Fetching the emulator: by gcloud where it installs components, else Google's published jar, checked before use."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

from infra.local.firestore.gcloud import Sdk

Report = Callable[[str], None]

_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 30  # for the connection and between two chunks
_INSTALL_SECONDS = 900
_PARTIAL = ".partial-"
_ABANDONED_SECONDS = 3600


class CannotFetch(Exception):
    """Something could not be had; the message says what and why."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """A published jar. It is stored as ``name``, and only if it has exactly this SHA-256."""

    url: str
    sha256: str
    name: str
    java_needed: int


# The version, address, checksum and Java that firebase-tools 15.34.2 names.
PUBLISHED = Download(
    url="https://storage.googleapis.com/firebase-preview-drop/emulator/cloud-firestore-emulator-v1.22.0.jar",
    sha256="9b6498b7f62714d67f48f59b3818883cd682dbcd46b9f59511de81c97bb5166c",
    name="cloud-firestore-emulator-v1.22.0.jar",
    java_needed=21,
)


def download(wanted: Download, directory: Path, report: Report) -> Path:
    """Fetches a file into ``directory``: it appears there whole and checked, or not at all. Raises CannotFetch."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        descriptor, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=directory)
    except OSError as error:
        raise CannotFetch(f"{directory} cannot be written: {error}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            checksum = _receive(wanted.url, file, report)
        if checksum != wanted.sha256:
            raise CannotFetch(f"{wanted.url} has the SHA-256 {checksum}, not {wanted.sha256}: it is not used")
        target = directory / wanted.name
        Path(partial).replace(target)
    except (OSError, HTTPException) as error:
        raise CannotFetch(f"{wanted.url} cannot be fetched: {error}") from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def install_component(sdk: Sdk, report: Report) -> None:
    """Has gcloud install the emulator. Raises CannotFetch."""
    report(f"installing the Firestore emulator: {' '.join(sdk.install_command)}")
    try:
        done = subprocess.run(  # noqa: S603 (gcloud, found on this machine's own search path)
            sdk.install_command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"gcloud could not install the emulator: {error}") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise CannotFetch(f"gcloud could not install the emulator: {lines[-1] if lines else 'it gave no reason'}")


def _remove_abandoned(directory: Path) -> None:
    """Removes what a killed download left. A recent one may still be another process's."""
    for partial in directory.glob(f"{_PARTIAL}*"):
        if time.time() - partial.stat().st_mtime > _ABANDONED_SECONDS:
            partial.unlink(missing_ok=True)


def _receive(url: str, file: IO[bytes], report: Report) -> str:
    """Writes what the address answers and returns its SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 (the address is a constant)
        total = int(response.headers.get("Content-Length") or 0)
        received = tenths = 0
        report(f"fetching {url}" + (f" ({_megabytes(total)} MB)" if total else ""))
        while chunk := response.read(_CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            if total and received * 10 // total > tenths:
                tenths = received * 10 // total
                report(f"fetched {_megabytes(received)} of {_megabytes(total)} MB")
    if received < total:
        raise CannotFetch(f"{url} broke off after {received} of {total} bytes")
    return digest.hexdigest()


def _megabytes(size: int) -> int:
    return round(size / 1_000_000)
