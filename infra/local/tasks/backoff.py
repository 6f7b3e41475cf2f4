"""When a failed task is tried again, and when no more. Rules: google.cloud.tasks.v2.RetryConfig."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.tasks.messages import QueueMessage, seconds_of

# "After a task is 31 days old, the task will be deleted regardless" (CreateQueue).
RETENTION_SECONDS = 31 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A queue's retry settings; times in seconds. `max_attempts` -1 and `max_retry_duration` 0 mean without limit."""

    max_attempts: int
    max_retry_duration: float
    min_backoff: float
    max_backoff: float
    max_doublings: int

    @classmethod
    def of(cls, queue: QueueMessage) -> RetryPolicy:
        retry = queue.retry_config
        return cls(
            max_attempts=retry.max_attempts,
            max_retry_duration=seconds_of(retry.max_retry_duration),
            min_backoff=seconds_of(retry.min_backoff),
            max_backoff=seconds_of(retry.max_backoff),
            max_doublings=retry.max_doublings,
        )

    def delay(self, *, failures: int) -> float:
        """Seconds to wait after the given number of failed attempts (1 or more).

        The wait doubles `max_doublings` times, then grows by its last value each time, up to `max_backoff`.
        """
        doublings = min(failures - 1, self.max_doublings)
        if doublings > 62:  # beyond any backoff; 2.0 ** large overflows
            return self.max_backoff
        step = self.min_backoff * 2.0**doublings
        return min(self.max_backoff, step * max(1, failures - doublings))

    def exhausted(self, *, attempts: int, since_first_attempt: float) -> bool:
        """Whether there is no further attempt: every limit that is set has been reached."""
        if self.max_attempts == -1 and not self.max_retry_duration:
            return False
        enough_attempts = self.max_attempts == -1 or attempts >= self.max_attempts
        enough_time = not self.max_retry_duration or since_first_attempt >= self.max_retry_duration
        return enough_attempts and enough_time
