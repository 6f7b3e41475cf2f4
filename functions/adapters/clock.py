"""Where the present comes from: asked once at the edge of each request, then passed on as a value."""

import time


def now_millis() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000
