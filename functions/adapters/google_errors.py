"""Google's errors in one table; nothing else of googleapiclient's escapes the calendar adapter.

Source: the Calendar API's error guide; section 1.4 of the contract notes.
"""

from dataclasses import dataclass


class GoogleError(Exception):
    """Something Google said no to, or did not answer. `reason` is Google's own word for it."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class Unavailable(GoogleError):
    """5xx, a timeout, a broken connection: try again later. Whether a write took effect is not known."""


class RateLimited(GoogleError):
    """Too fast (403 or 429): wait `retry_after_s`, or back off."""


class UsageLimit(GoogleError):
    """403 quotaExceeded: the person's calendar refuses writes for hours."""


class AccessLost(GoogleError):
    """The grant is gone, or not enough: only a person can mend it. `domain.loss` has the reasons.

    `grant`: which grant it was, as it is stored; None where there was none to use. `left`: the scopes that it has still, where Google says so.
    """

    def __init__(
        self,
        reason: str,
        *,
        grant: str | None = None,
        left: tuple[str, ...] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason, retry_after_s=retry_after_s)
        self.grant = grant
        self.left = left


class Forbidden(GoogleError):
    """This account may not do that to this calendar."""


class Missing(GoogleError):
    """404: never existed, or no access."""


class AlreadyGone(GoogleError):
    """410 `deleted`: the event was deleted before."""


class TokenExpired(GoogleError):
    """410 on a list: the sync token is no good any more, list in full."""


class PageExpired(GoogleError):
    """400 on a list with a page token: the page token is no good any more, start this list again."""


class Duplicate(GoogleError):
    """409: an event with that id exists, perhaps deleted."""


class Changed(GoogleError):
    """412: the event is not in the state that our etag named."""


class NotPushable(GoogleError):
    """This calendar can't be watched (generated ones: holidays, birthdays)."""


class OurMistake(GoogleError):
    """Any other 4xx: the request is wrong and repeating it will not help."""


@dataclass(frozen=True)
class _Rule:
    status: int
    reasons: frozenset[str]
    error: type[GoogleError]


_ANY: frozenset[str] = frozenset()
_TABLE = (
    _Rule(403, frozenset({"rateLimitExceeded", "userRateLimitExceeded"}), RateLimited),
    _Rule(429, _ANY, RateLimited),
    _Rule(403, frozenset({"quotaExceeded"}), UsageLimit),
    _Rule(403, frozenset({"insufficientPermissions", "notACalendarUser"}), AccessLost),
    # The API is switched off in our own project: nothing that the person could mend, nor a loss of their grant.
    _Rule(403, frozenset({"accessNotConfigured"}), Unavailable),
    _Rule(401, _ANY, AccessLost),
    _Rule(403, _ANY, Forbidden),
    _Rule(404, _ANY, Missing),
    _Rule(410, frozenset({"deleted"}), AlreadyGone),
    _Rule(410, _ANY, TokenExpired),
    _Rule(409, _ANY, Duplicate),
    _Rule(412, _ANY, Changed),
    _Rule(400, frozenset({"pushNotSupportedForRequestedResource"}), NotPushable),
    _Rule(400, _ANY, OurMistake),
)


def error_of(status: int, reason: str, retry_after_s: float | None = None) -> GoogleError:
    """The error that an HTTP answer of Google's means."""
    if status >= 500:
        return Unavailable(reason or str(status), retry_after_s=retry_after_s)
    for rule in _TABLE:
        if rule.status == status and (not rule.reasons or reason in rule.reasons):
            return rule.error(reason or str(status), retry_after_s=retry_after_s)
    return OurMistake(reason or str(status))
