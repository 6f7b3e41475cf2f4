"""Runs calls at the same moment from several processes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: Any


def race(calls: Sequence[dict[str, Any]], *, processes: int) -> list[Answer]:
    """The answers to `calls`, spread over `processes`; all are made once every process is ready."""
    shares = [list(calls[number::processes]) for number in range(processes)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.race_client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in shares
    ]
    for process, share in zip(running, shares, strict=True):
        assert process.stdin is not None
        process.stdin.write(json.dumps({"calls": share}) + "\n")
        process.stdin.flush()
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [Answer(*one) for process in running for one in json.loads(process.communicate(timeout=120)[0])]
