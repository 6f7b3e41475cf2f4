"""Starts parts, waits until each really answers, notices one that dies, and stops them all."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local import logs
from infra.local.guardian import ROOT, Guardian
from infra.local.health import answers
from infra.local.parts import Part
from infra.local.process_groups import Group, stop

POLL_SECONDS = 0.05


class PartFailed(Exception):
    """A part died or never became ready. The message names it, says what happened and quotes its last log lines."""

    def __init__(self, part: Part, what: str, *, log: Path) -> None:
        self.part = part
        lines = logs.last_lines(log)
        quoted = "\n".join(f"  {line}" for line in lines) if lines else "  (it logged nothing)"
        super().__init__(f"{part.name} {what}. Its last log lines ({log}):\n{quoted}")


class AlreadyRunning(Exception):
    """Another launcher has this directory, or what it left is still being stopped."""


class StopRequested(Exception):
    """Somebody asked to stop while parts were still starting."""


class Supervisor:
    """Runs parts as child processes, with their logs in `directory/logs`.

    One supervisor at a time has a directory. Parts are stopped by `stop`, or, if this process is killed, by its
    guardian. A part that dies is not started again: `check` raises PartFailed.
    """

    def __init__(self, directory: Path, parts: Sequence[Part], *, stop_requested: Callable[[], bool] = lambda: False):
        self.parts = tuple(parts)
        self._directory = directory
        self._stop_requested = stop_requested
        self._running: dict[str, _Running] = {}
        self._lock: int | None = None
        self._guardian: Guardian | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def acquired(self) -> bool:
        """Whether this supervisor has its directory."""
        return self._lock is not None

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each part that was started."""
        return {name: running.process.pid for name, running in self._running.items()}

    def log(self, name: str) -> Path:
        return self._directory / "logs" / f"{name}.log"

    def acquire(self) -> None:
        """Take the directory, before anything in it is touched; `stop` gives it free. Raises AlreadyRunning."""
        if self._lock is None:
            self._lock = acquire_lock(self._directory)

    def start(
        self, *, on_ready: Callable[[Part], None] = lambda part: None, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        """Start every part and wait until all are ready.

        `on_ready` is called for each as it becomes ready, `on_wait` between looks. Raises PartFailed, AlreadyRunning,
        or StopRequested; in each case nothing is left running.
        """
        try:
            self.acquire()
            assert self._lock is not None
            self._guardian = Guardian(inherited=(self._lock,))
            for part in self.parts:
                logs.fresh(self.log(part.name))
            self._start_in_order(on_ready, on_wait)
        except BaseException:
            self.stop()
            raise

    def run_once(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], text: str) -> OneShot:
        """Start a short-lived helper under the same care as a part; `text` is its standard input."""
        helper = Part(name=name, about="", command=tuple(command), environment=environment, address="", health="")
        logs.fresh(self.log(name))
        running = self._spawn(helper, stdin=subprocess.PIPE)
        assert running.process.stdin is not None
        try:
            running.process.stdin.write(text.encode())
            running.process.stdin.close()
        except BrokenPipeError:  # it died at once; whoever waits for it sees how
            pass
        return OneShot(running)

    def finished(self, helper: OneShot) -> int | None:
        """The helper's exit code once it has ended (negative: the signal that ended it), None before."""
        running = helper.running
        code = running.process.poll()
        if code is not None and self._running.pop(running.part.name, None) is not None:
            assert self._guardian is not None
            self._guardian.forget(running.group)
        return code

    def check(self) -> None:
        """Raise PartFailed if a part has ended by itself."""
        for running in self._running.values():
            code = running.process.poll()
            if code is not None and running.part in self.parts:
                raise PartFailed(running.part, _ended(code), log=self.log(running.part.name))

    def stop(self) -> list[str]:
        """Stop everything, in order, and give the directory free. Harmless to repeat. Returns the parts that had to be
        killed because they did not stop in time."""
        killed = {group.pgid for group in stop([running.group for running in self._running.values()], reap=self._reap)}
        names = [name for name, running in self._running.items() if running.process.pid in killed]
        self._reap()
        self._running.clear()
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        return names

    def _start_in_order(self, on_ready: Callable[[Part], None], on_wait: Callable[[], None]) -> None:
        names = {part.name for part in self.parts}
        ready: set[str] = set()
        while len(ready) < len(self.parts):
            for part in self.parts:
                if part.name not in self._running and names & set(part.after) <= ready:
                    self._spawn(part)
            for running in [item for name, item in self._running.items() if name not in ready]:
                if self._became_ready(running):
                    ready.add(running.part.name)
                    on_ready(running.part)
            self.check()
            if self._stop_requested():
                raise StopRequested
            on_wait()
            if len(ready) < len(self.parts):
                time.sleep(POLL_SECONDS)

    def _spawn(self, part: Part, *, stdin: int = subprocess.DEVNULL) -> _Running:
        with self.log(part.name).open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the launcher's own list of parts
                part.command,
                cwd=ROOT,
                env=dict(part.environment),
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = _Running(part=part, process=process)
        self._running[part.name] = running
        assert self._guardian is not None
        self._guardian.watch(running.group)
        return running

    def _became_ready(self, running: _Running) -> bool:
        # Died first: somebody else may be answering on its port.
        code = running.process.poll()
        if code is not None:
            raise PartFailed(running.part, _ended(code), log=self.log(running.part.name))
        if answers(running.part.health):
            return True
        if time.monotonic() > running.started + running.part.ready_within:
            what = f"was not ready within {running.part.ready_within:g} s ({running.part.health} did not answer 200)"
            raise PartFailed(running.part, what, log=self.log(running.part.name))
        return False

    def _reap(self) -> None:
        for running in self._running.values():
            running.process.poll()


class _Running:
    def __init__(self, *, part: Part, process: subprocess.Popen[bytes]) -> None:
        self.part = part
        self.process = process
        self.started = time.monotonic()
        self.group = Group(pgid=process.pid, stage=part.stop_stage, grace=part.stopped_within)


@dataclass(frozen=True)
class OneShot:
    """A helper that is expected to end."""

    running: _Running


def acquire_lock(directory: Path) -> int:
    """Take the directory for this process; the descriptor returned holds it until it is closed everywhere.

    Raises AlreadyRunning.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(f"{directory} is in use: a platform runs in it, or one is still stopping") from None
    return descriptor


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
