"""The one-machine platform: its parts, as `make run` and the tests start them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from infra.local.addresses import Addresses, mark_stopped
from infra.local.configuration import Configuration, http
from infra.local.guardian import ROOT
from infra.local.parts import Part
from infra.local.ports import HOST, check_free
from infra.local.queues import create_queues
from infra.local.supervisor import Supervisor

FUNCTIONS = ("booking", "webhook", "sync")
NAMES = ("firestore", "google", "mail", *FUNCTIONS, "tasks")

# Functions first: nothing new comes in. Firestore last: it saves what the others still wrote.
_STOP_FUNCTIONS, _STOP_TASKS, _STOP_STANDINS, _STOP_FIRESTORE = range(4)


class Platform:
    """Starts the parts that `only` names (all by default), less those the environment says are somebody else's.

    As a context manager it starts on entering and stops on leaving. `stop_requested` is asked while it waits.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        only: Collection[str] | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        self.configuration = configuration
        self.addresses = Addresses.of(configuration, pid=os.getpid())
        parts = [part for part in platform_parts(configuration) if only is None or part.name in only]
        self.supervisor = Supervisor(configuration.directory, parts, stop_requested=stop_requested)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.supervisor.parts

    def runs(self, *names: str) -> bool:
        """Whether all of these parts are started here."""
        return set(names) <= {part.name for part in self.parts}

    def start(
        self, *, on_ready: Callable[[Part], None] = lambda part: None, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        """Start the parts, wait until each answers, and create the queues.

        Raises AlreadyRunning or PortInUse before anything is started, else what `Supervisor.start` raises. In each case
        nothing is left running.
        """
        self.supervisor.acquire()
        try:
            mark_stopped(self.configuration.directory)  # a launcher that was killed could not
            self._check_ports()
            self.supervisor.start(on_ready=on_ready, on_wait=on_wait)
            if self.runs("tasks"):
                create_queues(self.addresses.tasks, project=self.configuration.project)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> list[str]:
        """Stop everything that was started; returns the parts that did not stop in time and were killed."""
        if not self.supervisor.acquired:
            return []
        mark_stopped(self.configuration.directory)
        return self.supervisor.stop()

    def _check_ports(self) -> None:
        needed = {port: part.name for part in self.parts for port in part.port_names}
        check_free(self.configuration.ports, needed=needed)


def part_names(text: str) -> tuple[str, ...]:
    """Names of parts, parted by commas. Raises ValueError where there is no such part."""
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ValueError(f"no such part: {', '.join(unknown)} (there are {', '.join(NAMES)})")
    return names


def platform_parts(configuration: Configuration) -> list[Part]:
    """All parts that run here, in the order in which they are started."""
    parts = [_mail(configuration), *(_function(configuration, name) for name in FUNCTIONS), _tasks(configuration)]
    if configuration.google.ours:
        parts.insert(0, _google(configuration))
    if configuration.firestore_is_ours:
        parts.insert(0, _firestore(configuration))
    return parts


def _firestore(configuration: Configuration) -> Part:
    port = configuration.ports.firestore
    return Part(
        name="firestore",
        about="Firestore",
        described_by="Firestore: ",
        command=_program("firestore", configuration, "--port", port, "--project", configuration.project),
        environment=configuration.environment,
        address=f"{HOST}:{port}",
        health=http(port) + "/",
        port_names=("firestore",),
        stop_stage=_STOP_FIRESTORE,
        # The first run may fetch the emulator; stopping exports the data.
        ready_within=900,
        stopped_within=60,
    )


def _google(configuration: Configuration) -> Part:
    port = configuration.ports.google
    return Part(
        name="google",
        about="Google's accounts and Calendar (stand-in)",
        command=_program(
            "google",
            configuration,
            *("--port", port, "--client-id", configuration.google.client_id),
            *("--redirect-uri", configuration.functions_environment["BOOKING_URL"] + "/oauth/callback"),
            *("--redirect-uri", configuration.functions_environment["BOOKING_URL"] + "/signin/callback"),
        ),
        # The secret does not stand in the command line, where every user of the machine could read it.
        environment={**configuration.environment, "GOOGLE_CLIENT_SECRET": configuration.google.client_secret},
        address=http(port),
        health=http(port) + "/healthz",
        port_names=("google",),
        stop_stage=_STOP_STANDINS,
    )


def _mail(configuration: Configuration) -> Part:
    ports = configuration.ports
    return Part(
        name="mail",
        about="outgoing mail, kept and shown, not delivered",
        command=_program("mail", configuration, "--port", ports.mail, "--smtp-port", ports.smtp),
        environment=configuration.environment,
        address=http(ports.mail),
        health=http(ports.mail) + "/healthz",
        port_names=("mail", "smtp"),
        stop_stage=_STOP_STANDINS,
    )


def _tasks(configuration: Configuration) -> Part:
    ports = configuration.ports
    return Part(
        name="tasks",
        about="Cloud Tasks and the scheduler",
        command=_program(
            "tasks",
            configuration,
            *("--port", ports.tasks, "--http-port", ports.tasks_http),
            *("--scheduler-target", http(ports.sync), "--service-account", configuration.tasks_service_account),
            *("--instance-account", configuration.booking_service_account),
        ),
        environment=configuration.environment,
        address=f"{HOST}:{ports.tasks}",
        health=http(ports.tasks_http) + "/healthz",
        port_names=("tasks", "tasks_http"),
        # What waited for a restart is delivered at once.
        after=("firestore", "sync"),
        stop_stage=_STOP_TASKS,
    )


_FUNCTIONS_ABOUT = {
    "booking": "the HTTP API for clients and operators",
    "webhook": "Google's push notifications arrive here",
    "sync": "tasks and schedules arrive here",
}


def _function(configuration: Configuration, name: str) -> Part:
    port = getattr(configuration.ports, name)
    source = ROOT / "functions" / name / "main.py"
    command = (sys.executable, "-m", "functions_framework", "--source", str(source), "--target", name)
    return Part(
        name=name,
        about=_FUNCTIONS_ABOUT[name],
        command=(*command, "--host", HOST, "--port", str(port)),
        environment=configuration.functions_environment,
        address=http(port),
        health=http(port) + "/healthz",
        port_names=(name,),
        stop_stage=_STOP_FUNCTIONS,
    )


def _program(name: str, configuration: Configuration, *arguments: object) -> tuple[str, ...]:
    data = configuration.directory / "data" / name
    common = (sys.executable, "-m", f"infra.local.{name}", "--host", HOST, "--data", str(data))
    return (*common, *(str(argument) for argument in arguments))
