"""Trouble on demand: calls that fail before or after their effect, limits, odd pages, late lists."""

import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.local.google import errors

Json = dict[str, Any]

_DOMAINS = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "quotaExceeded": "usageLimits",
    "accessNotConfigured": "usageLimits",
    "fullSyncRequired": "calendar",
}


@dataclass
class Fault:
    """Fail the next `times` calls that match.

    `before`: the call has no effect. `after`: it has, and the answer is lost. `drop` closes the connection in place of
    an answer. Calls are those of the Calendar API; one of the token endpoint fails only where `method` names it (`oauth.token`, `oauth.revoke`).
    """

    method: str = ""
    path: str = ""
    user: str = ""
    times: int = 1
    when: Literal["before", "after"] = "before"
    status: int = 503
    reason: str = "backendError"
    message: str = "Backend Error"
    retry_after: int | None = None
    drop: bool = False
    delay_ms: int = 0

    def matches(self, *, http_method: str, method_id: str, path: str, user: str) -> bool:
        if self.method and self.method not in (http_method, method_id):
            return False
        if method_id.startswith("oauth.") and self.method != method_id:
            return False
        if self.user and self.user != user:
            return False
        return re.search(self.path, path) is not None

    def error(self) -> errors.ApiError:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        domain = _DOMAINS.get(self.reason, "global")
        return errors.ApiError(self.status, self.reason, self.message, domain=domain, headers=headers)


@dataclass
class RateLimit:
    """So many calls a minute for one person, sliding."""

    per_minute: int
    status: int = 403
    reason: str = "rateLimitExceeded"
    seen: deque[float] = field(default_factory=deque)

    def check(self, now: float) -> None:
        while self.seen and self.seen[0] <= now - 60:
            self.seen.popleft()
        if len(self.seen) >= self.per_minute:
            raise errors.ApiError(self.status, self.reason, "Rate Limit Exceeded", domain="usageLimits")
        self.seen.append(now)


@dataclass
class Paging:
    """`max_page` caps every page; every `empty_every`-th page, the first one included, is empty and has a successor."""

    max_page: int | None = None
    empty_every: int | None = None


class Faults:
    """All trouble that is ordered at the moment; none of it survives a restart."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.ordered: list[Fault] = []
        self.limits: dict[str, RateLimit] = {}
        self.usage_limited: set[str] = set()
        self._paging: dict[str, Paging] = {}
        # Calendar → how many incremental lists after the next change still show nothing.
        self.lag: dict[str, int] = {}
        self._lagging: dict[str, int] = {}

    def take(self, when: str, *, http_method: str, method_id: str, path: str, user: str) -> Fault | None:
        """The fault this call runs into, counted down."""
        for fault in self.ordered:
            if fault.when == when and fault.matches(http_method=http_method, method_id=method_id, path=path, user=user):
                fault.times -= 1
                if fault.times <= 0:
                    self.ordered.remove(fault)
                return fault
        return None

    def check_limits(self, email: str, *, writes: bool) -> None:
        limit = self.limits.get(email) or self.limits.get("*")
        if limit is not None:
            limit.check(time.monotonic())
        if writes and (email in self.usage_limited or "*" in self.usage_limited):
            raise errors.ApiError(403, "quotaExceeded", "Calendar usage limits exceeded.", domain="usageLimits")

    def set_paging(self, calendar_id: str, paging: Paging) -> None:
        self._paging[calendar_id] = paging

    def paging(self, calendar_id: str) -> Paging:
        return self._paging.get(calendar_id) or self._paging.get("*") or Paging()

    def changed(self, calendar_id: str) -> None:
        lag = self.lag.get(calendar_id) or self.lag.get("*")
        if lag:
            self._lagging[calendar_id] = lag

    def lags(self, calendar_id: str) -> bool:
        """Whether this incremental list must act as if the last change had not happened yet."""
        left = self._lagging.get(calendar_id, 0)
        if left:
            self._lagging[calendar_id] = left - 1
        return left > 0
