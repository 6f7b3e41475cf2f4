"""What went over the wire: the log of calls, and the differences from the discovery document. No bodies, no secrets."""

import logging
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from infra.local.google.discovery import Mismatch

Json = dict[str, Any]

_log = logging.getLogger("google")
_KEPT = 20_000
_SECRET_PARAMETERS = frozenset({"access_token", "oauth_token", "key", "code", "token", "refresh_token"})


@dataclass(frozen=True)
class Call:
    """One call: `id` is the method's name in the discovery document (`events.list`), or empty."""

    seq: int
    time: str
    method: str
    path: str
    query: dict[str, list[str]]
    id: str
    status: int
    user: str
    # "dropped" when the connection was closed in place of an answer, or the reason of a refusal.
    note: str = ""


class Journal:
    """The last calls, and every mismatch until it is cleared."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=_KEPT)
        self.mismatches: list[Mismatch] = []
        self._seq = 0

    def add(
        self,
        *,
        time: str,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        method_id: str,
        status: int,
        user: str,
        note: str = "",
    ) -> None:
        shown: dict[str, list[str]] = {}
        for name, value in query:
            if name not in _SECRET_PARAMETERS:
                shown.setdefault(name, []).append(value)
        self._seq += 1
        self.calls.append(Call(self._seq, time, method, path, shown, method_id, status, user, note))
        _log.info("%s %s %s %s%s", status, method, path, user or "-", f" ({note})" if note else "")

    def since(self, seq: int) -> Json:
        """Calls after that number, how often each method was called, and the number to ask from next time."""
        calls = [call for call in self.calls if call.seq > seq]
        return {
            "calls": [asdict(call) for call in calls],
            "counts": dict(Counter(call.id or f"{call.method} {call.path}" for call in calls)),
            "last": self._seq,
        }

    def mismatch(self, method: str, where: str, problems: Iterable[str]) -> None:
        for problem in problems:
            self.mismatches.append(Mismatch(method, where, problem))
            _log.warning("not as in the discovery document: %s %s: %s", method, where, problem)

    def clear(self) -> None:
        self.calls.clear()
        self.mismatches.clear()
