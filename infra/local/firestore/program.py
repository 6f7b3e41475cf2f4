"""Running one of the two backends in the foreground until a signal ends it."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import random
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from infra.local.firestore.emulator import EXPORT_NAME, Emulator, EmulatorFailed, Start
from infra.local.firestore.exports import Exports
from infra.local.firestore.finding import Resolution

_READY_SECONDS = 120
_POLL_SECONDS = 0.05
_CHOSEN_PORTS = range(20_000, 32_000)  # below the range that outgoing connections take their ports from
_EXPORTS = "exports"

log = logging.getLogger("firestore")


class PortInUse(Exception):
    """Another program listens on the port."""


class DataInUse(Exception):
    """Another Firestore keeps its data in the directory."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``port`` 0 means any free one. ``export_every`` is in seconds, 0 means only at the end; ``heap`` in MB."""

    host: str
    port: int
    data: Path
    project: str
    export_every: float
    heap: int


class StopSignal:
    """Set by SIGTERM and SIGINT; what already runs is finished in an orderly way, however often they come."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def wake(self) -> None:
        self._event.set()

    def wait(self, seconds: float | None) -> bool:
        return self._event.wait(seconds)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._event.set()


@contextmanager
def data_directory(directory: Path) -> Iterator[None]:
    """Holds the directory for one Firestore at a time. Raises DataInUse."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUse(f"{directory} is in use by another Firestore") from error
        yield


def run_embedded(options: Options) -> None:
    """Serves the embedded stand-in until SIGTERM or SIGINT."""
    with data_directory(options.data), _listener(options.host, options.port) as listener:
        if Exports(options.data / _EXPORTS).newest() is not None:
            log.warning(
                "what the official emulator saved in %s stays there; the stand-in does not read it", options.data
            )
        asyncio.run(_serve_embedded(options, listener))


def run_emulator(options: Options, found: Resolution) -> None:
    """Runs the official emulator until SIGTERM or SIGINT, with its data from and to ``options.data``.

    Raises PortInUse, DataInUse, or EmulatorFailed when it ends by itself or its data cannot be saved.
    """
    stop = StopSignal()
    stop.listen()
    began = time.monotonic()
    with data_directory(options.data):
        with _listener(options.host, options.port) as probe:
            port = probe.getsockname()[1]
        exports = Exports(options.data / _EXPORTS)
        emulator = Emulator(_start(options, found, port=port, saved=exports.newest()))
        try:
            _wait_until_answering(emulator, stop)
            if not stop.asked:
                log.info("ready on %s:%d in %.1f s", options.host, port, time.monotonic() - began)
                _run_until_stopped(emulator, exports, options, stop)
        finally:
            emulator.stop()
    log.info("stopped")


async def _serve_embedded(options: Options, listener: socket.socket) -> None:
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\..*")  # about the age of this Python
    from infra.local.firestore.embedded.server import serve  # half a second the emulator does not need

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    address = f"{options.host}:{listener.getsockname()[1]}"
    await serve(listener=listener, directory=options.data, stop=stop, ready=lambda: log.info("ready on %s", address))
    log.info("stopped")


def _start(options: Options, found: Resolution, *, port: int, saved: Path | None) -> Start:
    if found.jar is None or found.java is None:
        raise ValueError("the emulator and its Java must have been found")
    return Start(
        jar=found.jar,
        java=found.java,
        host=options.host,
        port=port,
        log=options.data / "emulator.log",
        heap=options.heap,
        seed=None if saved is None else saved / EXPORT_NAME / f"{EXPORT_NAME}.overall_export_metadata",
    )


def _wait_until_answering(emulator: Emulator, stop: StopSignal) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not stop.asked and not emulator.answers():
        emulator.check_alive()
        if time.monotonic() > deadline:
            raise EmulatorFailed(f"the emulator did not answer within {_READY_SECONDS} s")
        stop.wait(_POLL_SECONDS)


def _run_until_stopped(emulator: Emulator, exports: Exports, options: Options, stop: StopSignal) -> None:
    def wake_at_the_end_of_the_emulator() -> None:
        emulator.wait_for_end()
        stop.wake()

    threading.Thread(target=wake_at_the_end_of_the_emulator, daemon=True).start()
    # Counted from the end of one export to the start of the next: 0.6 s for 5,000 documents, so 0.5 % at the default.
    while not stop.wait(options.export_every or None):
        try:
            _export(emulator, exports, options.project)
        except EmulatorFailed as error:  # the next one, or the one at the end, may succeed
            log.warning("%s", error)
    emulator.check_alive()
    took = _export(emulator, exports, options.project)
    log.info("saved the data of %s in %.1f s", options.project, took)


def _export(emulator: Emulator, exports: Exports, project: str) -> float:
    began = time.monotonic()
    try:
        exports.write(lambda directory: emulator.export(project, directory))
    except OSError as error:
        raise EmulatorFailed(f"the export cannot be written: {error}") from error
    return time.monotonic() - began


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to the port, which shows that nobody else has it. Raises PortInUse."""
    candidates = [port] if port else random.sample(_CHOSEN_PORTS, 100)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Connections of an earlier run that still wait out their end are no reason to refuse.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for candidate in candidates:
            try:
                listener.bind((host, candidate))
                break
            except OSError as error:
                taken = error
        else:
            raise PortInUse(f"port {port} is in use (needed by firestore)") from taken
        yield listener
