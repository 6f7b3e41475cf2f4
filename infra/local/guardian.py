"""A small process that outlives the launcher just long enough to stop its parts.

The launcher holds the other end of this program's standard input and names each process group it starts. When the pipe
ends, however the launcher came to its end (kill -9 included), whatever still runs is stopped in the usual order. A pipe
rather than Linux's PR_SET_PDEATHSIG: it works on macOS too, reaches the parts' own children, keeps the order of
stopping (Firestore saves its data last), and needs no code between fork and exec in a program with gRPC threads.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from infra.local.process_groups import Group, stop

ROOT = Path(__file__).resolve().parents[2]


class Guardian:
    """The launcher's side. `inherited` are descriptors (the lock) that stay open until every part has ended."""

    def __init__(self, *, inherited: Sequence[int] = ()) -> None:
        reading, self._writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.guardian"],
            cwd=ROOT,
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Out of the terminal's reach: Ctrl-C and a closed terminal are the launcher's to handle.
            start_new_session=True,
            pass_fds=tuple(inherited),
        )
        os.close(reading)

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, group: Group) -> None:
        self._say({"watch": asdict(group)})

    def forget(self, group: Group) -> None:
        """The group has ended; its number may be given to somebody else."""
        self._say({"forget": group.pgid})

    def close(self) -> None:
        """Let the guardian go, after it has stopped whatever is still there."""
        os.close(self._writing)
        self._process.wait()

    def _say(self, message: dict[str, object]) -> None:
        os.write(self._writing, json.dumps(message).encode() + b"\n")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, Group] = {}
    for line in sys.stdin:
        message = json.loads(line)
        if "watch" in message:
            group = Group(**message["watch"])
            groups[group.pgid] = group
        else:
            groups.pop(message["forget"], None)
    stop(list(groups.values()))


if __name__ == "__main__":
    main()
