"""`.local/addresses.json`: where everything is, so that other programs can find it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from infra.local.configuration import Configuration, http
from infra.local.ports import HOST
from infra.local.private_file import write_private
from infra.local.supervisor import AlreadyRunning, acquire_lock


class NotRunning(Exception):
    """No platform runs in this directory."""


class Operator(BaseModel):
    email: str
    api_key: str = Field(repr=False)


class GoogleUser(BaseModel):
    email: str
    password: str = Field(repr=False)


class DemoCalendar(BaseModel):
    """A calendar of the demo connection: our id, Google's, the resource whose time it takes, and the stand-in's page where
    a person can change its events."""

    id: str
    google_id: str
    summary: str
    resource: str
    page: str


class FreeSlot(BaseModel):
    """A start that was free when the demo was loaded, to try a first booking with."""

    service: str
    start: str


class Addresses(BaseModel):
    """Base addresses without a trailing slash; `tasks` (gRPC) and `firestore` as host:port, as their clients want them.

    The file stays when the platform stops, with `running` false. The demo's part is null where the demo was not loaded,
    and `google_user` where Google is not our stand-in (`stand_in` false).
    """

    running: bool
    pid: int
    project: str
    booking: str
    webhook: str
    sync: str
    google: str
    stand_in: bool
    tasks: str
    tasks_http: str
    firestore: str
    mail: str
    smtp: str
    account: str | None = None
    operator: Operator | None = None
    google_user: GoogleUser | None = None
    calendars: list[DemoCalendar] = Field(default_factory=list)
    consent_url: str | None = None
    free_slot: FreeSlot | None = None

    @classmethod
    def of(cls, configuration: Configuration, *, pid: int) -> Addresses:
        settings = configuration.functions_environment
        ports = configuration.ports
        google = http(ports.google) if configuration.google.ours else configuration.google.endpoint
        return cls(
            running=True,
            pid=pid,
            project=configuration.project,
            booking=settings["BOOKING_URL"],
            webhook=settings["WEBHOOK_URL"],
            sync=settings["SYNC_URL"],
            google=google,
            stand_in=configuration.google.ours,
            tasks=f"{HOST}:{ports.tasks}",
            tasks_http=http(ports.tasks_http),
            firestore=configuration.firestore,
            mail=http(ports.mail),
            smtp=f"smtp://{HOST}:{ports.smtp}",
        )

    def write(self, directory: Path) -> None:
        """Replace the file at once, readable by its owner only."""
        self._write(_file(directory))

    def write_with_demo(self, directory: Path) -> None:
        """Hand the launcher what the demo loader has found or made; the file is private, a log would not be."""
        self._write(_demo_file(directory))

    def _write(self, file: Path) -> None:
        write_private(file, self.model_dump_json(indent=2) + "\n")


def take_addresses_with_demo(directory: Path) -> Addresses:
    """What the demo loader has handed over."""
    file = _demo_file(directory)
    addresses = Addresses.model_validate_json(file.read_bytes())
    file.unlink()
    return addresses


def read_addresses(directory: Path) -> Addresses | None:
    """What the last run wrote, whether it still runs or not; None where there is nothing that this version understands."""
    try:
        return Addresses.model_validate_json(_file(directory).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def running_addresses(directory: Path) -> Addresses:
    """The addresses of the platform that runs in this directory. Raises NotRunning."""
    addresses = read_addresses(directory)
    # The file alone is no proof: a launcher that was killed had no time to change it.
    if addresses is None or not addresses.running or not _locked(directory):
        raise NotRunning(f"no platform runs in {directory}; start it with `make run`")
    return addresses


def mark_stopped(directory: Path) -> None:
    """Say in the file that nothing runs any more, whichever version wrote it."""
    file = _file(directory)
    try:
        written = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return
    if isinstance(written, dict) and written.get("running"):
        write_private(file, json.dumps({**written, "running": False}, indent=2) + "\n")


def _locked(directory: Path) -> bool:
    try:
        os.close(acquire_lock(directory))
    except AlreadyRunning:
        return True
    return False


def _demo_file(directory: Path) -> Path:
    return directory / "demo.json"


def _file(directory: Path) -> Path:
    return directory / "addresses.json"
