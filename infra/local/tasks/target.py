"""One delivery: the request that reaches the handler, and what its answer means.

Headers as the real service sends them (docs "Create HTTP target tasks"; for retries the public conformance records of
aertje/cloud-tasks-emulator): TaskPreviousResponse and TaskRetryReason only after an attempt that was answered, the reason empty,
and TaskExecutionCount leaves 5xx answers out.
"""

from __future__ import annotations

import asyncio
import email.utils
from dataclasses import dataclass
from typing import Protocol

import grpc
from google.cloud import tasks_v2

from infra.local.tasks.http_client import CallFailed, HttpClient, HttpRequest
from infra.local.tasks.messages import seconds_of
from infra.local.tasks.names import queue_of, short
from infra.local.tasks.queue import Task

_REPLACED_HEADERS = {"host", "content-length", "user-agent", "connection", "transfer-encoding"}
_RESERVED_PREFIXES = ("x-google-", "x-appengine-", "x-cloudtasks-")

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class TokenSource(Protocol):
    def token(self, *, audience: str, email: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is None when no answer came; `retry_after` is what a 429 or 503 asks for, in seconds."""

    status: int | None
    code: grpc.StatusCode
    error: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299


ANSWER_LOST = Outcome(
    status=None, code=grpc.StatusCode.UNAVAILABLE, error="answer lost (ordered by POST /control/delivery)"
)


def delivery_request(task: Task, *, attempt: int, tokens: TokenSource) -> HttpRequest:
    http = task.message.http_request
    headers = {
        name: value
        for name, value in http.headers.items()
        if name.lower() not in _REPLACED_HEADERS and not name.lower().startswith(_RESERVED_PREFIXES)
    }
    headers["User-Agent"] = "Google-Cloud-Tasks"
    headers["X-CloudTasks-QueueName"] = short(queue_of(task.name))
    headers["X-CloudTasks-TaskName"] = short(task.name)
    headers["X-CloudTasks-TaskRetryCount"] = str(attempt - 1)
    headers["X-CloudTasks-TaskExecutionCount"] = str(task.execution_count)
    headers["X-CloudTasks-TaskETA"] = f"{seconds_of(task.message.schedule_time):.6f}"
    if task.previous_response is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(task.previous_response)
        headers["X-CloudTasks-TaskRetryReason"] = ""
    if http.HasField("oidc_token"):
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        token = tokens.token(audience=http.oidc_token.audience or http.url, email=http.oidc_token.service_account_email)
        headers["Authorization"] = f"Bearer {token}"
    method = tasks_v2.HttpMethod(http.http_method).name
    return HttpRequest(method=method, url=http.url, headers=headers, body=http.body)


async def call(client: HttpClient, request: HttpRequest, *, deadline: float, now: float) -> Outcome:
    """Makes the call; after `deadline` seconds it is cut and counts as not answered."""
    try:
        async with asyncio.timeout(deadline):
            response = await client.call(request)
    except TimeoutError:
        return Outcome(status=None, code=grpc.StatusCode.DEADLINE_EXCEEDED, error=f"no answer within {deadline:g} s")
    except CallFailed as error:
        return Outcome(status=None, code=grpc.StatusCode.UNAVAILABLE, error=str(error))
    status = response.status
    if 200 <= status <= 299:
        return Outcome(status=status, code=grpc.StatusCode.OK)
    return Outcome(
        status=status,
        code=_CODES.get(status, grpc.StatusCode.UNKNOWN),
        error=f"HTTP status code {status}",
        # "The retry specified in the Retry-After HTTP response header is considered" (HttpRequest, of 429 and 503).
        retry_after=_retry_after(response.headers.get("retry-after", ""), now) if status in (429, 503) else None,
    )


def _retry_after(value: str, now: float) -> float | None:
    """Seconds from now, of either form (RFC 9110, 10.2.3); None where there is none that can be read."""
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None
