"""The queues of `infra/queues.json`, made in the local Cloud Tasks with Google's own client, as production's are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

from infra.local.configuration import TASKS_LOCATION
from infra.local.guardian import ROOT

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import Queue

QUEUES_FILE = ROOT / "infra" / "queues.json"


class QueueSettings(TypedDict):
    name: str
    max_dispatches_per_second: float
    max_concurrent_dispatches: int
    max_attempts: int
    min_backoff_seconds: float
    max_backoff_seconds: float
    max_doublings: int


def create_queues(address: str, *, project: str) -> None:
    """Create every queue, or bring those that exist to their settings: UpdateQueue does either.

    `address` is the local Cloud Tasks as host:port.
    """
    # Half a second of imports that only a run with tasks pays.
    import grpc
    from google.cloud.tasks_v2 import CloudTasksClient
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    queues: list[QueueSettings] = json.loads(QUEUES_FILE.read_text())
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        for settings in queues:
            queue = _queue(f"projects/{project}/locations/{TASKS_LOCATION}", settings)
            client.update_queue(queue=queue, retry=None, timeout=10)


def _queue(parent: str, settings: QueueSettings) -> Queue:
    from google.cloud.tasks_v2 import Queue, RateLimits, RetryConfig

    return Queue(
        name=f"{parent}/queues/{settings['name']}",
        rate_limits=RateLimits(
            max_dispatches_per_second=settings["max_dispatches_per_second"],
            max_concurrent_dispatches=settings["max_concurrent_dispatches"],
        ),
        retry_config=RetryConfig(
            max_attempts=settings["max_attempts"],
            min_backoff=timedelta(seconds=settings["min_backoff_seconds"]),
            max_backoff=timedelta(seconds=settings["max_backoff_seconds"]),
            max_doublings=settings["max_doublings"],
        ),
    )
