"""What a task may be when it is created, and how it is stored.

Limits: the field comments of google.cloud.tasks.v2.Task and HttpRequest. The size limit is the documented one (a task of
100 KB); the real service was seen to take about ten times as much, so what passes here passes there.
"""

from __future__ import annotations

import re

from google.cloud import tasks_v2

from infra.local.tasks.errors import InvalidArgument, Unimplemented
from infra.local.tasks.messages import Task, TaskMessage, seconds_of, set_seconds

MAX_TASK_BYTES = 100 * 1024
MAX_HEADER_BYTES = 80 * 1024
MAX_URL_LENGTH = 2083
MAX_SCHEDULE_AHEAD = 30 * 24 * 3600.0
DEFAULT_DEADLINE = 600.0
MIN_DEADLINE = 15.0
MAX_DEADLINE = 1800.0

_METHODS_WITH_BODY = {tasks_v2.HttpMethod.POST, tasks_v2.HttpMethod.PUT, tasks_v2.HttpMethod.PATCH}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


def complete_task(given: TaskMessage, *, name: str, now: float) -> TaskMessage:
    """The task as it is stored: checked, defaults filled in, output-only fields as for a new task.

    A `schedule_time` that is unset or past becomes `now`. Raises InvalidArgument or Unimplemented.
    """
    if given.HasField("app_engine_http_request"):
        raise Unimplemented("App Engine targets are not implemented by the local Cloud Tasks.")
    if given.HasField("retry_config"):
        raise Unimplemented("Task.retry_config is not implemented by the local Cloud Tasks.")
    if not given.HasField("http_request"):
        raise InvalidArgument("Task.http_request is required.")
    _check_http_request(given.http_request)
    task = Task(name=name, http_request=given.http_request)
    task.http_request.http_method = task.http_request.http_method or tasks_v2.HttpMethod.POST
    set_seconds(task.dispatch_deadline, _dispatch_deadline(given))
    set_seconds(task.schedule_time, _schedule_time(given, now))
    task.create_time.seconds = int(now)
    if task.ByteSize() > MAX_TASK_BYTES:
        raise InvalidArgument("Task size too large")
    return task


def _check_http_request(request: TaskMessage) -> None:
    if request.HasField("oauth_token"):
        raise Unimplemented("HttpRequest.oauth_token is not implemented by the local Cloud Tasks.")
    if request.HasField("oidc_token") and not request.oidc_token.service_account_email:
        raise InvalidArgument("HttpRequest.oidc_token.service_account_email is required.")
    if not request.url:
        raise InvalidArgument("HttpRequest.url is required.")
    if not request.url.startswith(("http://", "https://")):
        raise InvalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    if len(request.url) > MAX_URL_LENGTH:
        raise InvalidArgument(f"HttpRequest.url must be at most {MAX_URL_LENGTH} characters long.")
    if request.http_method not in set(tasks_v2.HttpMethod):
        raise InvalidArgument("HttpRequest.http_method is not a method.")
    method = request.http_method or tasks_v2.HttpMethod.POST
    if request.body and method not in _METHODS_WITH_BODY:
        raise InvalidArgument("HttpRequest.body is allowed only with POST, PUT and PATCH.")
    if sum(len(key) + len(value) for key, value in request.headers.items()) >= MAX_HEADER_BYTES:
        raise InvalidArgument("HttpRequest.headers must be smaller than 80KB.")
    for key, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(key) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidArgument(f"HttpRequest.headers has an invalid header {key!r}.")


def _dispatch_deadline(given: TaskMessage) -> float:
    if not given.HasField("dispatch_deadline"):
        return DEFAULT_DEADLINE
    deadline = seconds_of(given.dispatch_deadline)
    if not MIN_DEADLINE <= deadline <= MAX_DEADLINE:
        raise InvalidArgument("Task.dispatchDeadline must be between [15s, 30m].")
    return deadline


def _schedule_time(given: TaskMessage, now: float) -> float:
    if not given.HasField("schedule_time"):
        return now
    schedule_time = seconds_of(given.schedule_time)
    if schedule_time > now + MAX_SCHEDULE_AHEAD:
        raise InvalidArgument(
            f"The Task.scheduleTime, {given.schedule_time.ToJsonString()}, is too far in the future. "
            "Schedule time must be no more than 720h in the future."
        )
    return max(schedule_time, now)
