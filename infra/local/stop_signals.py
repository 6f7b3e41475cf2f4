"""Being asked to stop: by Ctrl-C, by SIGTERM, by a closed terminal, or by the end of the program that started us."""

from __future__ import annotations

import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Remembers that a stop was asked for. Asking again changes nothing, so a second Ctrl-C does no harm.

    Nothing is raised from the handler: an exception in the middle of starting a child would lose its pid.
    """

    def __init__(self, *, with_parent: bool = False) -> None:
        self._parent = os.getppid() if with_parent else None
        self._asked = False
        for number in _SIGNALS:
            signal.signal(number, self._ask)

    def requested(self) -> bool:
        return self._asked or (self._parent is not None and os.getppid() != self._parent)

    def ask(self) -> None:
        self._asked = True

    def ignore(self) -> None:
        """From now on nothing is left to stop. Python gives handlers up while it ends; one more Ctrl-C must not kill it."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
