"""The official emulator as a child process: started, asked over HTTP, and gone when this process is."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from infra.local.firestore import client
from infra.local.firestore.jars import Jar
from infra.local.firestore.java import Java

_HERE = Path(__file__).parent
_EXPORT_SECONDS = 300
_STOP_SECONDS = 10
EXPORT_NAME = "export"


class EmulatorFailed(Exception):
    """The emulator ended by itself or did not do what it was asked; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """How to start the emulator. ``heap`` is Java's heap limit in MB; ``seed`` an export to begin with."""

    jar: Jar
    java: Java
    host: str
    port: int
    log: Path
    heap: int
    seed: Path | None

    def command(self) -> list[str]:
        """Java itself, not gcloud (which leaves Java behind when it is stopped), with the flags that start fastest."""
        command = [
            str(self.java.path),
            "-Duser.language=en",  # the emulator's messages exist in English only
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            f"-Xmx{self.heap}m",
            "-XX:+ExitOnOutOfMemoryError",  # dead is better than half alive
            f"-Djava.util.logging.config.file={_HERE / 'quiet.properties'}",
            "-cp",
            str(self.jar.path),
            self.jar.main_class,
            "--host",
            self.host,
            "--port",
            str(self.port),
        ]
        return command if self.seed is None else [*command, "--seed_from_export", str(self.seed)]


class Emulator:
    """A running emulator. It dies with this process, however this process ends: see guard.sh."""

    def __init__(self, start: Start) -> None:
        self._start = start
        with start.log.open("wb") as log:
            self._guard = subprocess.Popen(  # noqa: S603 (a fixed script and a Java we found)
                ["/bin/sh", str(_HERE / "guard.sh"), *start.command()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the wrapper, which exports before it stops the emulator
            )

    def check_alive(self) -> None:
        """Raises EmulatorFailed with the last lines of its log when the emulator has ended."""
        status = self._guard.poll()
        if status is not None:
            lines = self._start.log.read_text(errors="replace").splitlines()[-10:]
            raise EmulatorFailed("\n  ".join([f"the emulator ended with status {status}; its last lines:", *lines]))

    def wait_for_end(self) -> None:
        self._guard.wait()

    def answers(self) -> bool:
        return client.answers(self._start.host, self._start.port)

    def export(self, project: str, directory: Path) -> Path:
        """Writes the project's default database below an existing directory; returns the metadata file.

        The emulator's own ``--export-on-exit`` fails in 1.19.9, so it is asked over HTTP. Raises EmulatorFailed.
        """
        body = {
            "database": f"projects/{project}/databases/(default)",
            "export_directory": str(directory),
            "export_name": EXPORT_NAME,
        }
        path = f"/emulator/v1/projects/{project}:export"
        try:
            answer = client.ask(self._start.host, self._start.port, "POST", path, seconds=_EXPORT_SECONDS, body=body)
        except (OSError, HTTPException) as error:
            raise EmulatorFailed(f"the export failed: {error}") from error
        if answer.status != 200:
            raise EmulatorFailed(f"the export failed: {answer.text}")
        metadata = directory / EXPORT_NAME / f"{EXPORT_NAME}.overall_export_metadata"
        if not metadata.is_file():
            raise EmulatorFailed(f"the export wrote no {metadata}")
        return metadata

    def stop(self) -> None:
        """Ends the emulator at once: all it knows is in memory, and what is worth keeping has been exported."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        try:
            self._guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise EmulatorFailed("the emulator did not end") from error
