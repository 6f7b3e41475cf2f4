"""A queue's settings: defaults, limits, and what an update mask changes.

Limits: the field comments of google.cloud.tasks.v2.Queue. Defaults: what `gcloud tasks queues describe` shows of a new queue.
`min_backoff` and `max_backoff` keep their fraction: the comments say whole seconds, the default of 0.1 s says otherwise.
"""

from __future__ import annotations

import math

from google.protobuf import field_mask_pb2

from infra.local.tasks.errors import InvalidArgument, Unimplemented
from infra.local.tasks.messages import Queue, QueueMessage, seconds_of, set_seconds

DEFAULT_RATE = 500.0
DEFAULT_CONCURRENCY = 1000
DEFAULT_ATTEMPTS = 100
DEFAULT_MIN_BACKOFF = 0.1
DEFAULT_MAX_BACKOFF = 3600.0
DEFAULT_DOUBLINGS = 16

_SETTINGS = ("rate_limits", "retry_config", "stackdriver_logging_config")
_OUTPUT_ONLY = ("name", "state", "purge_time", "rate_limits.max_burst_size")


def complete_settings(given: QueueMessage) -> QueueMessage:
    """A new message with the given name and settings, checked, defaults filled in and output-only fields left out.

    Raises InvalidArgument (a value out of its range) or Unimplemented (settings this service does not have).
    """
    _refuse_unsupported(given)
    queue = Queue(name=given.name)
    for field in _SETTINGS:
        if given.HasField(field):
            getattr(queue, field).CopyFrom(getattr(given, field))
    _complete_rate_limits(queue)
    _complete_retry_config(queue)
    return queue


def apply_update(current: QueueMessage, update: QueueMessage, mask: field_mask_pb2.FieldMask) -> QueueMessage:
    """The settings after UpdateQueue; an empty mask means every setting. A masked field that is unset gets its default."""
    _refuse_unsupported(update)
    paths = [path for path in mask.paths if path not in _OUTPUT_ONLY]
    if not mask.IsValidForDescriptor(Queue.DESCRIPTOR):
        raise InvalidArgument("update_mask names a field that a queue does not have.")
    for path in paths:
        if path.partition(".")[0] not in _SETTINGS:
            raise InvalidArgument(f"update_mask names {path!r}, which cannot be updated here.")
    if mask.paths:
        merged = Queue()
        merged.CopyFrom(current)
        field_mask_pb2.FieldMask(paths=paths).MergeMessage(
            update, merged, replace_message_field=True, replace_repeated_field=True
        )
    else:
        merged = update
    settings = complete_settings(merged)
    settings.name = current.name
    return settings


def _refuse_unsupported(queue: QueueMessage) -> None:
    for field in ("app_engine_routing_override", "http_target"):
        if queue.HasField(field):
            raise Unimplemented(f"Queue.{field} is not implemented by the local Cloud Tasks.")


def _complete_rate_limits(queue: QueueMessage) -> None:
    limits = queue.rate_limits
    if limits.max_dispatches_per_second < 0:
        raise InvalidArgument("RateLimits.maxDispatchesPerSecond cannot be negative.")
    if limits.max_dispatches_per_second > 500:
        raise InvalidArgument("RateLimits.maxDispatchesPerSecond must be less than or equal to 500.")
    if limits.max_concurrent_dispatches < 0:
        raise InvalidArgument("RateLimits.maxConcurrentDispatches cannot be negative.")
    if limits.max_concurrent_dispatches > 5000:
        raise InvalidArgument("RateLimits.maxConcurrentDispatches must be less than or equal to 5000.")
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or DEFAULT_RATE
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or DEFAULT_CONCURRENCY
    # The service sets the burst itself: 10 for a slow queue, 100 for one of 500/s; between them it is our guess.
    limits.max_burst_size = max(10, min(100, math.ceil(limits.max_dispatches_per_second)))


def _complete_retry_config(queue: QueueMessage) -> None:
    retry = queue.retry_config
    if retry.max_attempts < -1:
        raise InvalidArgument("RetryConfig.maxAttempts must be greater or equal to -1.")
    if retry.max_doublings < 0:
        raise InvalidArgument("RetryConfig.maxDoublings cannot be negative.")
    for field, name in (
        ("min_backoff", "minBackoff"),
        ("max_backoff", "maxBackoff"),
        ("max_retry_duration", "maxRetryDuration"),
    ):
        if seconds_of(getattr(retry, field)) < 0:
            raise InvalidArgument(f"RetryConfig.{name} cannot be negative.")
    retry.max_attempts = retry.max_attempts or DEFAULT_ATTEMPTS
    retry.max_doublings = retry.max_doublings or DEFAULT_DOUBLINGS
    if not seconds_of(retry.min_backoff):
        set_seconds(retry.min_backoff, DEFAULT_MIN_BACKOFF)
    if not seconds_of(retry.max_backoff):
        set_seconds(retry.max_backoff, DEFAULT_MAX_BACKOFF)
    if seconds_of(retry.min_backoff) > seconds_of(retry.max_backoff):
        raise InvalidArgument("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")
