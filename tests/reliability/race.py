"""Races: calls at the same moment, from several processes to several instances of the booking function.

The processes are started once; each round of a race costs its calls and little else.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.studio import Studio

PROBLEM = "urn:booking:problem:"


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def problem(self) -> str:
        """The slug of the problem's type; empty for what was granted."""
        return str(self.body["type"]).removeprefix(PROBLEM) if self.status >= 400 else ""


@dataclass(frozen=True, kw_only=True)
class Call:
    path: str
    method: str = "POST"
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


Round = Sequence[Call]


def wish(studio: Studio, start: str, number: int = 0, *, to: str = "bookings", key: str = "", **more: Any) -> Call:
    """What one of the studio's clients books."""
    who = {"name": f"Client {number}", "email": f"client{number}@{studio.account}.example"}
    body = {"service": "consult", "start": start, "client": who} | more
    return Call(path=f"{_path(studio)}/{to}", body=body, headers={"Idempotency-Key": key} if key else {})


def to_booking(studio: Studio, booking: str, verb: str, token: str, **body: Any) -> Call:
    """What somebody who has `token` does to a booking."""
    headers = {"Authorization": f"Bearer {token}"}
    return Call(path=f"{_path(studio)}/bookings/{booking}/{verb}", body=body, headers=headers)


def to_entry(studio: Studio, entry: str, verb: str, token: str) -> Call:
    """What somebody who has `token` does to a place on a waitlist."""
    return Call(path=f"{_path(studio)}/waitlist/{entry}/{verb}", headers={"Authorization": f"Bearer {token}"})


def to_session(studio: Studio, session: str, **changes: Any) -> Call:
    """What an operator changes of a session."""
    return Call(method="PATCH", path=f"{_path(studio)}/sessions/{session}", body=changes, headers=studio.operator)


def _path(studio: Studio) -> str:
    return f"/v1/accounts/{studio.account}"


@dataclass
class Tally:
    """How a race's calls were answered. `contended`: those who were told to try again, because too many wanted the same document."""

    rounds: int = 0
    granted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    contended: int = 0

    def count(self, answers: Iterable[Answer]) -> None:
        self.rounds += 1
        for answer in answers:
            if answer.status < 400:
                self.granted += 1
            elif answer.status < 500:
                self.refused[answer.problem] += 1
            else:
                assert (answer.status, answer.problem) == (503, "contended"), answer
                self.contended += 1

    def __str__(self) -> str:
        refused = ", ".join(f"{times} {slug}" for slug, times in sorted(self.refused.items())) or "0"
        return f"{self.rounds} rounds: {self.granted} granted, refused {refused}, {self.contended} contended"


class Racers:
    """Client processes. As a context manager they start on entering and stop on leaving.

    `addresses` are those of the instances; the calls of a round go to them in turns.
    """

    def __init__(self, addresses: Sequence[str], *, processes: int = 4) -> None:
        self._addresses = addresses
        self._wanted = processes
        self._processes: list[subprocess.Popen[str]] = []
        self.tallies: dict[str, Tally] = {}

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.reliability.race_client"]
        for _ in range(self._wanted):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.communicate(timeout=30)  # closes what it reads from, and so it ends

    def race(self, what: str, rounds: Iterable[Round]) -> list[list[Answer]]:
        """The answers to each round's calls, in their order, less those that were contended. Fails for any other answer of 500 or more."""
        tally = self.tallies.setdefault(what, Tally())
        every = []
        for calls in rounds:
            answers = self._run(calls)
            tally.count(answers)
            every.append([answer for answer in answers if answer.status < 500])
        return every

    def once(self, what: str, calls: Round) -> list[Answer]:
        return self.race(what, [calls])[0]

    def _run(self, calls: Round) -> list[Answer]:
        addressed = [asdict(call) | {"address": address} for call, address in zip(calls, cycle(self._addresses))]
        # Each instance's calls are spread over all processes.
        shares = [addressed[number :: len(self._processes)] for number in range(len(self._processes))]
        taking_part = [(process, share) for process, share in zip(self._processes, shares, strict=True) if share]
        for process, share in taking_part:
            self._tell(process, json.dumps(share))
        for process, _ in taking_part:
            assert self._hear(process) == "ready"
        for process, _ in taking_part:
            self._tell(process, "go")
        answers = [iter(json.loads(self._hear(process))) for process, _ in taking_part]
        return [Answer(*next(answers[number % len(self._processes)])) for number in range(len(calls))]

    @staticmethod
    def _tell(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _hear(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().rstrip("\n")
