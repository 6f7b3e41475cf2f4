"""The protobuf messages of tasks_v2 as plain protobuf classes, and times as epoch seconds.

Plain, not proto-plus: whether a message field is set is asked with `HasField`, never by truth value.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from google.cloud import tasks_v2
from google.protobuf import duration_pb2, timestamp_pb2

# The classes are made at run time from descriptors, so a type checker knows nothing of their fields.
QueueMessage: TypeAlias = Any
TaskMessage: TypeAlias = Any

Queue: Any = tasks_v2.Queue.pb()
Task: Any = tasks_v2.Task.pb()

RUNNING = int(tasks_v2.Queue.State.RUNNING)
PAUSED = int(tasks_v2.Queue.State.PAUSED)
BASIC = int(tasks_v2.Task.View.BASIC)
FULL = int(tasks_v2.Task.View.FULL)

_MICROS = 1_000_000


def seconds_of(time: timestamp_pb2.Timestamp | duration_pb2.Duration) -> float:
    return time.seconds + time.nanos / 1e9


def set_seconds(time: timestamp_pb2.Timestamp | duration_pb2.Duration, seconds: float) -> None:
    """Truncated to the microsecond, as the service stores times."""
    micros = int(seconds * _MICROS)
    time.seconds = micros // _MICROS
    time.nanos = micros % _MICROS * 1000
