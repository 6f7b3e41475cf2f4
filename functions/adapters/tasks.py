"""Cloud Tasks: one HTTP task an effect, with an OIDC token that the sync function verifies. A task carries ids, never payloads (law 4).

Names make creation idempotent for as long as Cloud Tasks remembers them: an outbox record's task is named by the record, a notification's pull by
calendar and time bucket. Names are hashed, because names that share a prefix slow the service down.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from functions.adapters.settings import Settings

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

QUEUES: Mapping[str, str] = {
    "pull": "pull",
    "watch": "pull",
    "discover": "pull",
    "disconnect": "pull",
    "audit": "pull",
    "unwatch": "pull",
    "copies": "push",
    "redirect": "push",
    "push": "push",
    "notify": "notify",
    "lapse": "rules",
    "promote": "rules",
    "recalculate": "rules",
    "settle": "rules",
    "erase": "rules",
    "retention": "rules",
    "people": "rules",
}
CREATE_TIMEOUT_S = 5.0


class EnqueueFailed(Exception):
    """The task may not exist. Whoever promised it must say so (the webhook answers 503) or leave it to the sweep."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`kind` names the handler under /tasks/; `body` holds ids only; `not_before_ms` is an instant; `name` is hashed before use."""

    kind: str
    name: str
    body: Mapping[str, str]
    not_before_ms: int | None = None


class Tasks:
    """Creates tasks. The client is made at first use, so that a process pays for it only when it enqueues."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: CloudTasksClient | None = None
        self._lock = Lock()

    def create(self, task: Task) -> None:
        """The task exists afterwards, or existed under this name before. Raises `EnqueueFailed`."""
        from google.api_core.exceptions import AlreadyExists, GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        settings = self._settings
        queue = f"projects/{settings.project}/locations/{settings.tasks_location}/queues/{QUEUES[task.kind]}"
        try:
            self._connected().create_task(
                request={"parent": queue, "task": self._message(queue, task)}, timeout=CREATE_TIMEOUT_S
            )
        except AlreadyExists:
            return
        except (GoogleAPIError, GoogleAuthError) as error:
            raise EnqueueFailed(f"{type(error).__name__} while creating a {task.kind} task") from error

    def _message(self, queue: str, task: Task) -> object:
        from google.cloud import tasks_v2
        from google.protobuf.timestamp_pb2 import Timestamp

        schedule = Timestamp()
        if task.not_before_ms is not None:
            schedule.FromMilliseconds(task.not_before_ms)
        return tasks_v2.Task(
            name=f"{queue}/tasks/{sha256(task.name.encode()).hexdigest()[:40]}",
            schedule_time=schedule if task.not_before_ms is not None else None,
            http_request=tasks_v2.HttpRequest(
                url=f"{self._settings.sync_url}/tasks/{task.kind}",
                http_method=tasks_v2.HttpMethod.POST,
                headers={"Content-Type": "application/json"},
                body=json.dumps(dict(task.body)).encode(),
                oidc_token=tasks_v2.OidcToken(
                    service_account_email=self._settings.tasks_service_account, audience=self._settings.sync_url
                ),
            ),
        )

    def _connected(self) -> "CloudTasksClient":
        with self._lock:
            if self._client is None:
                self._client = _client(self._settings.tasks_emulator)
            return self._client


def _client(emulator: str | None) -> "CloudTasksClient":
    from google.cloud import tasks_v2

    if emulator is None:
        return tasks_v2.CloudTasksClient()
    import grpc
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    # The client has no variable of its own for this: an address alone would make it try TLS.
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(emulator)))
