"""From the start of a function's process to its first answer, beside a process of the same framework that only imports the client library the function needs.

Each is started anew in turns with its rival, with compiled modules on disk as a deployment has them. The first answer is one that does the function's work: a
notification that leaves a task behind, a month's availability.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import requests

from functions.adapters.settings import read_settings
from functions.adapters.signing import ChannelClaim, channel_token
from infra.local.guardian import ROOT
from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.bench.measured import Measured
from tests.studio import DAY, Studio

STARTS = 15
WEBHOOK_BAR, BOOKING_BAR = 1.1, 1.25
READY_WITHIN_S = 60

BARE = """
import functions_framework
{imports}

@functions_framework.http
def bare(request):
    return "ok"
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """How a process is started, and the request that is its first."""

    source: Path
    target: str
    environment: Mapping[str, str]
    ask: Callable[[str], requests.Response]

    def seconds(self) -> float:
        """Until the first answer."""
        port = Ports.free().booking
        command = [sys.executable, "-m", "functions_framework", "--source", str(self.source), "--target", self.target]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=dict(self.environment),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, until=began + READY_WITHIN_S)
            self.ask(f"http://127.0.0.1:{port}").raise_for_status()
            return time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, *, until: float) -> None:
    """With as little work as can be: the process that starts needs the machine."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if time.perf_counter() > until:
                raise
            time.sleep(0.005)


def cold_starts(platform: Platform, new_studio: Callable[[], Studio]) -> list[Measured]:
    studio = new_studio()
    studio.open()
    studio.offer()
    with tempfile.TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": f"{folder}/compiled"}
        environment = {**os.environ, **platform.configuration.functions_environment, **compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def start(function: str, ask: Callable[[str], requests.Response]) -> Start:
            source = ROOT / "functions" / function / "main.py"
            return Start(source=source, target=function, environment=environment, ask=ask)

        def bare(name: str, imports: str) -> Start:
            source = Path(folder) / name / "main.py"
            source.parent.mkdir()
            source.write_text(BARE.format(imports=imports))
            return Start(source=source, target="bare", environment=environment, ask=requests.get)

        return [
            *_compared(
                "webhook",
                start("webhook", _notification(platform)),
                bare("t", "from google.cloud import tasks_v2"),
                WEBHOOK_BAR,
            ),
            *_compared(
                "booking",
                start("booking", _availability(studio)),
                bare("f", "from google.cloud import firestore"),
                BOOKING_BAR,
            ),
        ]


def _notification(platform: Platform) -> Callable[[str], requests.Response]:
    key = read_settings(platform.configuration.functions_environment).signing_keys[0]

    def ask(address: str) -> requests.Response:
        # A calendar that nobody has, each time another one: a task is made, and there is nothing for it to do.
        claim = ChannelClaim(account="cold", calendar=uuid.uuid4().hex, expires=int(time.time()) + 3600)
        token = channel_token(key, "cold", claim)
        return requests.post(address, headers={"X-Goog-Channel-ID": "cold", "X-Goog-Channel-Token": token}, timeout=30)

    return ask


def _availability(studio: Studio) -> Callable[[str], requests.Response]:
    month = f"start={DAY}&end={DAY + timedelta(days=28)}&time_zone=UTC"
    path = f"/v1/accounts/{studio.account}/services/consult/availability?{month}"
    return lambda address: requests.get(f"{address}{path}", timeout=30)


def _compared(name: str, ours: Start, bare: Start, bar: float) -> list[Measured]:
    for each in (ours, bare):
        each.seconds()  # compiles
    times: dict[Start, list[float]] = {ours: [], bare: []}
    for turn in range(STARTS):
        # Each is first in turn: what the one leaves behind, a task or a warm disk, must not always meet the other.
        for each in (ours, bare) if turn % 2 else (bare, ours):
            times[each].append(each.seconds())
    our_time, bare_time = (statistics.median(taken) for taken in times.values())
    return [
        Measured(what=f"cold start of {name} to its first answer", value=our_time * 1000, unit="ms"),
        Measured(what="  framework and client library alone", value=bare_time * 1000, unit="ms"),
        Measured(what=f"  {name} / alone", value=our_time / bare_time, unit="x", budget=bar),
    ]
