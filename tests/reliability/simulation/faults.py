"""What becomes of an I/O: done as it should be, refused before its effect, its answer lost after it, or the process dies on either side of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from google.api_core.exceptions import ServiceUnavailable

from functions.adapters.mail import MailFailed
from functions.adapters.tasks import EnqueueFailed
from tests.reliability.simulation.turns import Died, Worker

# Google's answers, status and reason, that a call may get without having had an effect.
GOOGLE_REFUSES = (
    (503, "backendError"),
    (500, "backendError"),
    (429, "rateLimitExceeded"),
    (403, "rateLimitExceeded"),
    (403, "userRateLimitExceeded"),
    (403, "quotaExceeded"),
)


class GoogleFails(Exception):
    """The answer that Google gives instead of its own."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


@dataclass
class Faults:
    """`chance` of a fault at one I/O. `met` counts what happened, for who wants to know what was covered."""

    chance: float
    note: Callable[[str], None]
    met: Counter[str] = field(default_factory=Counter)

    def around(self, random: Random, worker: Worker, what: str, do: Callable[[], Any]) -> Any:
        if worker.dead:
            raise Died
        if random.random() >= self.chance:
            return do()
        ending = random.choice(("dies before", "dies after", "refused", "refused", "answer lost", "sent twice"))
        kind, worker.struck = what.split()[0], True
        self.met[f"{kind}: {ending}"] += 1
        self.note(f"  {worker.name}: {what}: {ending}")
        if ending == "dies before":
            self._die(worker)
        if ending == "refused":
            raise _refusal(random, kind)
        try:
            answer = do()
        finally:
            if ending == "dies after":
                self._die(worker)
        if ending == "answer lost":
            raise _lost(kind)
        return do() if ending == "sent twice" and kind in ("commit", "google") else answer

    def _die(self, worker: Worker) -> None:
        worker.dead = True
        raise Died


def _refusal(random: Random, kind: str) -> Exception:
    return GoogleFails(*random.choice(GOOGLE_REFUSES)) if kind == "google" else _lost(kind)


def _lost(kind: str) -> Exception:
    match kind:
        case "task":
            return EnqueueFailed("the answer was lost")
        case "google":
            return ConnectionResetError()
        case "mail":
            return MailFailed("the answer was lost")
        case _:
            return ServiceUnavailable("the answer was lost")
