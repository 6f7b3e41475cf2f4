"""The token bucket that keeps a queue to `max_dispatches_per_second` with bursts of `max_burst_size`."""

from __future__ import annotations

# A timer set for the moment of the next token may come a rounding error early.
_ROUNDING = 1e-6


class TokenBucket:
    """Starts full. Times are epoch seconds; a clock that steps back adds no tokens."""

    def __init__(self, *, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at = now

    def change(self, *, rate: float, burst: int, now: float) -> None:
        """New settings; the tokens in the bucket stay, up to the new burst."""
        self._fill(now)
        self._rate = rate
        self._burst = burst
        self._tokens = min(self._tokens, burst)

    def wait(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        self._fill(now)
        return max(0.0, (1 - _ROUNDING - self._tokens) / self._rate)

    def spend(self, now: float) -> None:
        """Takes a token. Only after `wait` has answered 0."""
        self._fill(now)
        self._tokens = max(0.0, self._tokens - 1)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
