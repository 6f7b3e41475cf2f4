"""Who is refused again and again is not listened to for a while: whoever guesses tokens, tries every start, or sends what is no request.

Kept in the memory of this instance, so a flood of bad requests costs us no writes. Once it is known, no body is read and nothing looked up for it, except
an API key, which might be an operator's: they are listened to at any address. Looks at what is open to everybody are always answered. Another instance
counts for itself; what is granted is counted for all of them together (see `rate_limits`).
"""

from collections import OrderedDict
from threading import Lock

from functions.domain.errors import RateLimited
from functions.domain.instants import Millis
from functions.domain.rate_limits import Limit, Usage, free_at, with_one_more


class RefusedTooOften(RateLimited):
    """So often that this request was not even looked at."""


class Refusals:
    """By network; of as many as there is room for, those who were refused last."""

    def __init__(self, room: int = 10_000) -> None:
        self._room = room
        self._known: OrderedDict[str, Usage] = OrderedDict()
        self._lock = Lock()

    def check(self, network: str, limit: Limit, now: Millis) -> None:
        """Raises `RefusedTooOften`."""
        with self._lock:
            known = self._known.get(network)
        free = now if known is None else free_at(known, limit, now)
        if free > now:
            raise RefusedTooOften("Too many of your requests were refused. Look into why.", free_in=free - now)

    def note(self, network: str, limit: Limit, now: Millis) -> None:
        with self._lock:
            known = self._known.pop(network, None) or Usage(id=network)
            self._known[network] = with_one_more(known, limit, now)
            while len(self._known) > self._room:
                self._known.popitem(last=False)
