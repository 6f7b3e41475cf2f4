"""When Google wants no writes to a calendar for a while: how long nobody asks again, and who is told.

Too fast (`rateLimitExceeded`) is a matter of seconds; a person's usage limit (`quotaExceeded`) lasts for hours, and asking again does not
help (case 69). Either way bookings are taken and confirmed as before, their copies wait visibly, and other calendars go on (case 68). What Google
forbids may be allowed again, which nobody tells us (case 74): it is tried again more and more seldom.
"""

from dataclasses import dataclass

from functions.domain.decision import Author, Decision, Effect, HistoryEntry, Ref
from functions.domain.instants import MINUTE_MS, Millis, rfc3339_millis
from functions.domain.model import Document

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SPREAD = 0.25  # what waited comes back over this part of the wait, not all at once


class WritePause(Document):
    """Nothing is written to the calendar `id` `until` then. `refusals`: how often Google has refused in a row. `usage_limit`: it is the long kind.

    A document of its own, so that it is in nobody's way. It goes with the first write that Google takes again.
    """

    id: str
    begun_at: Millis
    until: Millis
    reason: str
    refusals: int = 1
    usage_limit: bool = False

    def holds(self, now: Millis) -> bool:
        return now < self.until

    def next_try(self, now: Millis, *, jitter: float) -> Millis:
        """When to come again. `jitter`: between 0 and 1, another for each that waits."""
        return self.until + int((self.until - now) * SPREAD * jitter)


@dataclass(frozen=True)
class _Waits:
    first: Millis
    most: Millis


_TOO_FAST = _Waits(first=2_000, most=300_000)
_USAGE_LIMIT = _Waits(first=HOUR_MS, most=6 * HOUR_MS)


@dataclass(frozen=True, kw_only=True)
class WriteRefused:
    """`retry_after`: what Google asked for, in milliseconds."""

    calendar: str
    reason: str
    usage_limit: bool
    retry_after: Millis | None = None


def next_try_forbidden(since: Millis, *, now: Millis) -> Millis:
    """When to come again with a write that Google has forbidden `since` then: an hour after, then after as long again each time, and at last daily.

    The same moment whoever asks between two tries.
    """
    again = since + HOUR_MS
    while again <= now:
        again += min(again - since, DAY_MS)
    return again


def pause_writes(
    before: WritePause | None, refused: WriteRefused, *, now: Millis, jitter: float
) -> Decision[WritePause]:
    """Twice as long with every refusal in a row, and at least as long as Google said. `jitter`: between 0 and 1, adds up to a quarter.

    Several writes that were under way and are refused together count as one. A usage limit is told once, however long it lasts.
    """
    begins = before is None or (refused.usage_limit and not before.usage_limit)
    if before is not None and not begins and before.holds(now):
        return Decision(answer=before)
    refusals = 1 if before is None or begins else before.refusals + 1
    waits = _USAGE_LIMIT if refused.usage_limit else _TOO_FAST
    wait = min(waits.most, waits.first * 2 ** min(refusals - 1, 20))
    pause = WritePause(
        id=refused.calendar,
        begun_at=now if before is None or begins else before.begun_at,
        until=now + max(refused.retry_after or 0, int(wait * (1 + SPREAD * jitter))),
        reason=refused.reason,
        refusals=refusals,
        usage_limit=refused.usage_limit or (before is not None and before.usage_limit),
    )
    if not (begins and refused.usage_limit):
        return Decision(answer=pause, documents=(pause,))
    entry = HistoryEntry(
        what="calendar.writes_paused",
        author=Author(kind="google"),
        calendar=pause.id,
        why=pause.reason,
        after={"until": rfc3339_millis(pause.until)},
    )
    told = Effect(kind="notify", subject=pause.id, about="writes_paused")
    return Decision(answer=pause, documents=(pause,), history=(entry,), effects=(told,))


def resume_writes(pause: WritePause) -> Decision[None]:
    """Google has taken a write again."""
    entry = HistoryEntry(
        what="calendar.writes_resumed",
        author=Author(kind="google"),
        calendar=pause.id,
        before={"since": rfc3339_millis(pause.begun_at), "why": pause.reason},
    )
    ended = (Ref(WritePause, pause.id),)
    return Decision(answer=None, deletions=ended, history=(entry,) if pause.usage_limit else ())
