"""For the tests of the launcher: a folder and ports of its own, parts of the worst kind, and a way to find leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from infra.local.addresses import Addresses, running_addresses
from infra.local.configuration import Configuration
from infra.local.guardian import ROOT
from infra.local.parts import Part
from infra.local.ports import HOST, Ports, variable
from infra.local.supervisor import Supervisor

GONE_WITHIN_SECONDS = 20
READY_WITHIN_SECONDS = 60

# A part of the worst kind, told by its arguments what to do: PORT, a file that gets its name when SIGTERM comes, its
# name, then any of dies, never-ready, ignores-sigterm, has-a-stubborn-child.
STUB = """
import http.server, os, pathlib, signal, subprocess, sys, time
port, order, name, *habits = sys.argv[1:]
print(f"{name} started", flush=True)
def stop(number, frame):
    with open(order, "a") as stream:
        stream.write(name + "\\n")
    if "ignores-sigterm" not in habits:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
if "has-a-stubborn-child" in habits:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", ignore])
if "dies" in habits:
    print("the last thing it said", flush=True)
    sys.exit(7)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if "never-ready" in habits else 200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
while True:
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""


class Sandbox:
    """A folder for one test, and a mark that every process started in it inherits, by which leftovers are found."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.ports = Ports.free()
        self.mark = str(uuid.uuid4())
        own = ("FIRESTORE_EMULATOR_HOST", "GOOGLE_", "LOCAL_", "POLL_")
        inherited = {name: value for name, value in environment.items() if not name.startswith(own)}
        self.environment = {
            **inherited,
            **{variable(name): str(getattr(self.ports, name)) for name in Ports.names()},
            "LOCAL_DIRECTORY": str(directory / "run"),
            "LAUNCHER_TEST": self.mark,
        }

    def processes(self) -> dict[int, str]:
        """The command line of every process that carries the mark, the launcher's guardian included."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"LAUNCHER_TEST={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def kill_leftovers(self) -> None:
        """So that a test that fails leaves nobody either."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_until_nobody_is_left(self) -> None:
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.05)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.05)

    def stub(self, name: str, *habits: str, stop_stage: int = 0, **changes: object) -> Part:
        program = self.directory / "stub.py"
        program.write_text(STUB)
        port = getattr(self.ports, name)
        part = Part(
            name=name,
            about="a stub",
            command=(sys.executable, str(program), str(port), str(self.directory / "order"), name, *habits),
            environment=self.environment,
            address=f"http://{HOST}:{port}",
            health=f"http://{HOST}:{port}/",
            stop_stage=stop_stage,
            stopped_within=5,
        )
        return replace(part, **changes)

    def supervisor(self, *parts: Part) -> Supervisor:
        return Supervisor(self.directory / "run", parts)

    def configuration(self, **environment: str) -> Configuration:
        return Configuration.from_environment(environment, directory=self.directory / "run", ports=self.ports)

    def launch(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Launched:
        return Launched(self, arguments, environment or {})


class Launched:
    """`python -m infra.local` as a process of its own, as a shell starts it."""

    def __init__(self, sandbox: Sandbox, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.directory = sandbox.directory / "run"
        self.output = sandbox.directory / f"output-{uuid.uuid4()}"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local", *arguments],
                cwd=ROOT,
                env={**sandbox.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def logs(self) -> str:
        """All parts' logs, those of the run before included."""
        return "".join(log.read_text() for log in (self.directory / "logs").iterdir())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while text not in self.text:
            ended = self.process.poll()
            assert ended is None, f"ended with {ended} and did not say {text!r}:\n{self.text}"
            assert time.monotonic() < deadline, f"did not say {text!r}:\n{self.text}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        self.wait_for("The logs:")

    def addresses(self) -> Addresses:
        return running_addresses(self.directory)

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.exit_code()

    def exit_code(self) -> int:
        return self.process.wait(timeout=GONE_WITHIN_SECONDS)
