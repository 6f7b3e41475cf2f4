"""Resource names: what is allowed in them, and how one is made of another.

Formats: the comments of `Queue.name` and `Task.name` in google.cloud.tasks.v2.
"""

from __future__ import annotations

import re

from infra.local.tasks.errors import InvalidArgument

_LOCATION = re.compile(r"projects/[A-Za-z0-9:.-]+/locations/[A-Za-z0-9-]+")
_QUEUE = re.compile(_LOCATION.pattern + r"/queues/[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def check_location(name: str) -> None:
    if not _LOCATION.fullmatch(name):
        raise InvalidArgument("Invalid resource field value in the request.")


def check_queue_name(name: str) -> None:
    if not _QUEUE.fullmatch(name):
        raise InvalidArgument(
            'Queue name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>".'
        )


def check_task_name(name: str) -> None:
    queue, separator, task_id = name.partition("/tasks/")
    if not separator or not _QUEUE.fullmatch(queue):
        raise InvalidArgument(
            "Task name must be formatted: "
            '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"'
        )
    if not _TASK_ID.fullmatch(task_id):
        raise InvalidArgument(
            f'Task ID "{task_id}" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or '
            "underscores (_). Task ID must between 1 and 500 characters."
        )


def queue_of(task_name: str) -> str:
    return task_name.partition("/tasks/")[0]


def location_of(queue_name: str) -> str:
    return queue_name.partition("/queues/")[0]


def short(name: str) -> str:
    """The last segment: a queue's or task's own id."""
    return name.rpartition("/")[2]


def under(name: str, prefix: str) -> bool:
    """Whether `name` is `prefix` or lies below it, by whole path segments; everything lies under an empty prefix."""
    prefix = prefix.rstrip("/")
    return not prefix or name == prefix or name.startswith(prefix + "/")
