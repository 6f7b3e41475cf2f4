"""`make run`: start the platform, load the demo, show the logs until asked to stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection

from infra.local import logs
from infra.local.addresses import Addresses, take_addresses_with_demo
from infra.local.configuration import Configuration
from infra.local.platform import FUNCTIONS, Platform
from infra.local.ports import PortInUse
from infra.local.stop_signals import StopSignals
from infra.local.summary import summary
from infra.local.supervisor import AlreadyRunning, OneShot, PartFailed, StopRequested
from infra.local.terminal import Terminal

OK, FAILED, MISUSED, PORT_IN_USE = 0, 1, 2, 3

_LOOK_EVERY_SECONDS = 0.1


class DemoFailed(Exception):
    """The demo could not be loaded; the message quotes its last log lines."""


def run(configuration: Configuration, *, only: Collection[str] | None, with_parent: bool) -> int:
    """Run the platform in the foreground; returns the exit code."""
    signals = StopSignals(with_parent=with_parent)
    platform = Platform(configuration, only=only, stop_requested=signals.requested)
    names = [part.name for part in platform.parts]
    terminal = Terminal(names, log=platform.supervisor.log, on_gone=signals.ask)
    code = OK
    try:
        _Run(platform, terminal, signals).until_stopped()
    except StopRequested:
        pass
    except PortInUse as error:
        return _refuse(str(error), PORT_IN_USE)
    except AlreadyRunning as error:
        return _refuse(str(error), MISUSED)
    except (PartFailed, DemoFailed) as error:
        terminal.show_logs()
        print(f"\n{error}\nStopping everything.", file=sys.stderr, flush=True)
        code = FAILED
    finally:
        killed = platform.stop()
        signals.ignore()
    terminal.show_logs()
    for name in killed:
        terminal.say(f"{name} did not stop in time and was killed")
    terminal.say("Stopped." if code == OK else "Stopped after a failure.")
    return code


def _refuse(message: str, code: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return code


class _Run:
    def __init__(self, platform: Platform, terminal: Terminal, signals: StopSignals) -> None:
        self._platform = platform
        self._configuration = platform.configuration
        self._terminal = terminal
        self._signals = signals

    def until_stopped(self) -> None:
        self._say_what_is_not_ours()
        self._platform.start(on_ready=self._terminal.ready, on_wait=self._terminal.while_starting)
        for part in self._platform.parts:
            self._terminal.follow(part.name, from_now=True)
        addresses = self._platform.addresses
        if self._platform.runs(*FUNCTIONS, "tasks"):
            addresses = self._load_demo()
        if self._signals.requested():
            return
        addresses.write(self._configuration.directory)
        names = [part.name for part in self._platform.parts]
        self._terminal.say(summary(addresses, parts=names, directory=self._configuration.directory))
        while not self._signals.requested():
            self._look()
        self._terminal.say("\nStopping …")

    def _say_what_is_not_ours(self) -> None:
        google = self._configuration.google
        if not google.ours:
            self._terminal.say(
                f"Google is {google.endpoint} (tokens from {google.token}); the stand-in is not started."
            )
        if not self._configuration.firestore_is_ours:
            self._terminal.say(
                f"Firestore is {self._configuration.firestore} (FIRESTORE_EMULATOR_HOST); not started here."
            )

    def _load_demo(self) -> Addresses:
        self._terminal.say("\nLoading the demo account …")
        helper = self._platform.supervisor.run_once(
            "demo",
            [sys.executable, "-m", "infra.local", "demo", "--directory", str(self._configuration.directory)],
            environment=self._configuration.functions_environment,
            text=self._platform.addresses.model_dump_json(),
        )
        code = self._wait_for(helper)
        if code is None:
            return self._platform.addresses
        if code != 0:
            log = self._platform.supervisor.log("demo")
            lines = "\n".join(f"  {line}" for line in logs.last_lines(log))
            raise DemoFailed(f"The demo could not be loaded (exit code {code}). Its last log lines ({log}):\n{lines}")
        return take_addresses_with_demo(self._configuration.directory)

    def _wait_for(self, helper: OneShot) -> int | None:
        while not self._signals.requested():
            self._look()
            code = self._platform.supervisor.finished(helper)
            if code is not None:
                return code
        return None

    def _look(self) -> None:
        self._terminal.show_logs()
        self._platform.supervisor.check()
        time.sleep(_LOOK_EVERY_SECONDS)
