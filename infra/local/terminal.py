"""What `make run` shows: one line a part, then everybody's log lines with a prefix of fixed width."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.local.logs import Follower, description, for_terminal
from infra.local.parts import Part

# After so long a part's log is shown while it starts: it may be fetching something.
PATIENCE_SECONDS = 5


class Terminal:
    """Writes to standard output. When that is gone (`make run | head`) it asks to stop instead of failing."""

    def __init__(self, names: Sequence[str], *, log: Callable[[str], Path], on_gone: Callable[[], None]) -> None:
        self._log = log
        self._on_gone = on_gone
        self._width = max(len(name) for name in (*names, "demo"))
        self._started = time.monotonic()
        self._followers: dict[str, Follower] = {}
        self._starting = set(names)

    def say(self, text: str = "") -> None:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            # Python closes standard output once more at exit; give it something it can close.
            sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
            self._on_gone()

    def ready(self, part: Part) -> None:
        self._starting.discard(part.name)
        described = description(self._log(part.name), part.described_by) if part.described_by else []
        about, *more = described or [part.about]
        self.say("\n".join([f"{part.name:<{self._width}}  ready  {part.address:<22}  {about}", *more]))

    def follow(self, name: str, *, from_now: bool = False) -> None:
        """Show a part's log lines; `from_now` leaves out what it has logged so far."""
        if name in self._followers:
            return
        follower = self._followers[name] = Follower(self._log(name))
        if from_now:
            follower.skip()

    def while_starting(self) -> None:
        if time.monotonic() - self._started > PATIENCE_SECONDS:
            for name in self._starting:
                self.follow(name)
        self.show_logs()

    def show_logs(self) -> None:
        for name, follower in self._followers.items():
            for line in follower.new_lines():
                shown = for_terminal(name, line)
                if shown is not None:
                    self.say(f"{name:<{self._width}} | {shown}")
