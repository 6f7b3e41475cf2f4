"""For the test_tasks_* modules: the local Cloud Tasks as a process, the real client on it, and a handler to deliver to."""

from __future__ import annotations

import collections
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds until a test that waits for a condition gives up
_READY = re.compile(r"gRPC on port (\d+), http on port (\d+)")


class LocalTasks:
    """A running `python -m infra.local.tasks` on ports that the system chose."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.tasks", "--port=0", "--http-port=0", f"--data={data}", *arguments],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log_lines: list[str] = []
        self._logged = threading.Condition()
        threading.Thread(target=self._read_log, daemon=True).start()
        ready = _READY.search(self.wait_for_line("ready"))
        assert ready
        self.grpc_port, self.http_port = int(ready[1]), int(ready[2])
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")
        self.client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self._channel))
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.http_port}", timeout=PATIENCE, trust_env=False)

    @property
    def certs_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/oauth2/v1/certs"

    def wait_for_line(self, part: str) -> str:
        with self._logged:
            found = self._logged.wait_for(lambda: [line for line in self.log_lines if part in line], timeout=PATIENCE)
        assert found, f"no line with {part!r} in {self.log_lines}"
        return found[0]

    def log(self, prefix: str, since: int = 0) -> list[dict[str, Any]]:
        """The finished deliveries of the queues under the prefix."""
        answer = self.http.get("/control/log", params={"prefix": prefix, "since": since})
        return list(answer.raise_for_status().json()["deliveries"])

    def counts(self, queue: str) -> dict[str, Any]:
        answer = self.http.get("/control/queues", params={"prefix": queue})
        return dict(answer.raise_for_status().json()["queues"][queue])

    def wait_until_idle(self, prefix: str, within: float = 0.0) -> None:
        answer = self.http.get("/control/idle", params={"prefix": prefix, "within": within, "timeout": PATIENCE - 1})
        assert answer.json() == {"idle": True}

    def flush(self, prefix: str) -> None:
        self.http.post("/control/flush", json={"prefix": prefix}).raise_for_status()

    def order(self, **faults: Any) -> None:
        self.http.post("/control/delivery", json=faults).raise_for_status()

    def mint(self, **wanted: Any) -> str:
        return str(self.http.post("/control/oidc", json=wanted).raise_for_status().json()["token"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and returns the exit code."""
        self._channel.close()
        self.http.close()
        self._process.send_signal(number)
        return self._process.wait(timeout=PATIENCE)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            with self._logged:
                self.log_lines.append(line.rstrip())
                self._logged.notify_all()


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Handler:
    """A local HTTP server that tasks are delivered to. It remembers what came and answers what the test says."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.running = 0
        self.most_running = 0
        self.connections = 0
        self.answer: Callable[[Received], Answer] = lambda received: Answer()
        self.gate = threading.Event()  # requests wait for it before they are answered
        self.gate.set()
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler_class(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer_in_turn(self, *answers: Answer) -> None:
        """One answer after the other; the last one stays."""
        left = collections.deque(answers)
        self.answer = lambda received: left.popleft() if len(left) > 1 else left[0]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE)

    @property
    def task_ids(self) -> list[str]:
        return [received.headers["x-cloudtasks-taskname"] for received in self.received]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, received: Received) -> Answer:
        with self._changed:
            self.received.append(received)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            answer = self.answer(received)
            self._changed.notify_all()
        self.gate.wait(PATIENCE)
        with self._changed:
            self.running -= 1
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False


def _handler_class(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            handler.connections += 1
            super().setup()

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the other side stopped in the middle, as some tests make it do
                self.close_connection = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = handler.serve(Received(self.command, self.path, headers, body, time.time()))
            lines = [f"HTTP/1.1 {answer.status} x", "Content-Length: 0"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _serve

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return RequestHandler


@dataclass(frozen=True)
class Project:
    """A project of its own on the shared service, so that tests do not meet."""

    tasks: LocalTasks
    id: str

    @property
    def name(self) -> str:
        return f"projects/{self.id}"

    @property
    def location(self) -> str:
        return f"projects/{self.id}/locations/europe-west1"

    def queue_name(self, queue_id: str = "q") -> str:
        return f"{self.location}/queues/{queue_id}"

    def create_queue(self, queue_id: str = "q", **settings: Any) -> str:
        name = self.queue_name(queue_id)
        self.tasks.client.create_queue(parent=self.location, queue={"name": name, **settings})
        return name

    def create_task(self, queue: str, url: str, task_id: str | None = None, **fields: Any) -> tasks_v2.Task:
        http_request = {"url": url, **fields.pop("http_request", {})}
        task: dict[str, Any] = {"http_request": http_request, **fields}
        if task_id is not None:
            task["name"] = f"{queue}/tasks/{task_id}"
        return self.tasks.client.create_task(parent=queue, task=task)
