"""Names that cannot be used again yet."""

from __future__ import annotations

TASK_NAME_SECONDS = 24 * 3600.0  # CreateTask: "It can take up to 24 hours … for the task ID to be released"
QUEUE_NAME_SECONDS = 3 * 24 * 3600.0  # DeleteQueue: "a tombstone window of up to 3 days"


class Tombstones:
    """Held names, each for the same time; epoch seconds."""

    def __init__(self, *, held_for: float) -> None:
        self._held_for = held_for
        self._expiries: dict[str, float] = {}  # in the order of expiry, as every name is held equally long

    def hold(self, name: str, *, now: float) -> float:
        """Holds a name from now on. Returns when it expires."""
        self._expiries.pop(name, None)
        self._expiries[name] = now + self._held_for
        return self._expiries[name]

    def restore(self, name: str, *, expires_at: float) -> None:
        """Only in the order of expiry."""
        self._expiries[name] = expires_at

    def holds(self, name: str, *, now: float) -> bool:
        return self._expiries.get(name, now) > now

    def expire(self, now: float) -> list[str]:
        """Lets go of the names whose time is over and returns them."""
        expired = []
        for name, expires_at in self._expiries.items():
            if expires_at > now:
                break
            expired.append(name)
        self.release(expired)
        return expired

    def release(self, names: list[str]) -> None:
        for name in names:
            self._expiries.pop(name, None)

    @property
    def names(self) -> list[str]:
        return list(self._expiries)
