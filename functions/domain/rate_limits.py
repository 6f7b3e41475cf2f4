"""How much one caller may ask for in a while: counted for a network address, and for a mailbox.

A limit is counted by windows of its length: what the present one holds, and of the one before as much as of it still lies within the limit's length. So
nobody has their whole share at once again because an hour has struck, and there is one number a window to keep instead of a time for every call.
Between two windows of that length it may be exceeded, at most by one share.

Who calls is known by a keyed hash only (`Usage.id`): a list of these tells nobody who they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from functions.domain.errors import RateLimited, TooManyHolds
from functions.domain.instants import Millis
from functions.domain.model import Document

# At these mail services a dot in the name says nothing: k.im and kim are one mailbox.
_WITHOUT_DOTS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `most` of `what` in `per`. `what` names the counts in the document: letters and digits."""

    what: str
    most: int
    per: Millis


class Usage(Document):
    """What one caller had lately. `counts`: by limit and window. `holds`: bookings that keep seats while a form is filled in, and until when.

    Means nothing from `expires_at` on.
    """

    id: str
    counts: Mapping[str, int] = Field(default_factory=dict)
    holds: Mapping[str, Millis] = Field(default_factory=dict)
    expires_at: Millis = 0


@dataclass(frozen=True, kw_only=True)
class OneMore:
    """One more of something, added to whatever the count is when it is written: so callers with one address are not in each other's way.

    `usage`: whose. `gone`: counts of windows that are over.
    """

    usage: str
    count: str
    gone: tuple[str, ...]
    expires_at: Millis


def check(usage: Usage, limit: Limit, now: Millis) -> None:
    """Raises `RateLimited` where one more would be too many."""
    free = free_at(usage, limit, now)
    if free > now:
        raise RateLimited("More came from you than one may ask for in a while.", free_in=free - now)


def free_at(usage: Usage, limit: Limit, now: Millis) -> Millis:
    """The first moment from `now` on at which one more is within the limit, if nothing else comes."""
    window = now // limit.per
    before, present = (usage.counts.get(_count(limit, number), 0) for number in (window - 1, window))
    if present >= limit.most:
        # Not in this window any more. In the next one, as soon as enough of this one is out of sight.
        return (window + 1) * limit.per + _faded(present, limit.most - 1, limit.per)
    return max(now, window * limit.per + _faded(before, limit.most - 1 - present, limit.per))


def _faded(before: int, room: int, per: Millis) -> Millis:
    """How far into a window so much of the one before is out of sight that what counts of it is no more than `room`."""
    return 0 if before <= room else per - room * per // before


def one_more(usage: Usage, limit: Limit, now: Millis) -> OneMore:
    return OneMore(
        usage=usage.id,
        count=_count(limit, now // limit.per),
        gone=tuple(count for count in usage.counts if _is_over(count, now)),
        expires_at=max(usage.expires_at, now + 2 * limit.per),
    )


def with_one_more(usage: Usage, limit: Limit, now: Millis) -> Usage:
    """The same for those who must find the usage as they have read it: no two of them are counted as one."""
    more = one_more(usage, limit, now)
    counts = {count: times for count, times in usage.counts.items() if count not in more.gone}
    counts[more.count] = counts.get(more.count, 0) + 1
    return usage.model_copy(update={"counts": counts, "expires_at": more.expires_at})


def with_hold(usage: Usage, hold: str, *, until: Millis, now: Millis) -> Usage:
    holds = {known: end for known, end in usage.holds.items() if end > now} | {hold: until}
    return usage.model_copy(update={"holds": holds, "expires_at": max(usage.expires_at, until)})


def holds_at(usage: Usage, now: Millis) -> Mapping[str, Millis]:
    """Those whose time is not over. Whether they are still held their bookings know."""
    return {hold: end for hold, end in usage.holds.items() if end > now}


def check_holds(held: Mapping[str, Millis], *, most: int, now: Millis) -> None:
    """Raises `TooManyHolds` where one more would be too many. `held`: those that are, and until when."""
    if len(held) >= most:
        raise TooManyHolds("Finish one of these bookings, or cancel it.", free_in=min(held.values()) - now)


def mailbox(email: str) -> str:
    """The same for all the ways to write one mailbox: capitals, what follows a +, and the dots where the mail service takes none for a difference.

    Only to count by. Somewhere a + may part two people, who then share a limit; that is a smaller harm than a limit that anybody can write themselves
    around.
    """
    name, _, domain = email.strip().casefold().rpartition("@")
    domain = domain.rstrip(".")
    name = name.partition("+")[0] or name
    if domain in _WITHOUT_DOTS:
        name, domain = name.replace(".", ""), _WITHOUT_DOTS[domain]
    return f"{name}@{domain}"


def _count(limit: Limit, window: int) -> str:
    return f"{limit.what}_{limit.per}_{window}"


def _is_over(count: str, now: Millis) -> bool:
    """Whether the window is so long ago that the one after it is over too."""
    _, per, window = count.split("_")
    return (int(window) + 2) * int(per) <= now
