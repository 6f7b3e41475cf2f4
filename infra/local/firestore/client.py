"""What programs ask of a running Firestore over plain HTTP; both backends answer it on their one port."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

_POLL_SECONDS = 0.05
_CLEAR_SECONDS = 60


class NotReady(Exception):
    """Firestore did not answer in time."""


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


def answers(host: str, port: int) -> bool:
    """Whether Firestore is ready for requests, its saved data included."""
    try:
        return ask(host, port, "GET", "/", seconds=2).status == 200
    except (OSError, HTTPException):
        return False


def wait_ready(host: str, port: int, *, seconds: float = 60, alive: Callable[[], bool] = lambda: True) -> None:
    """Returns as soon as Firestore answers. Raises NotReady after ``seconds``, or once ``alive`` says it has ended."""
    deadline = time.monotonic() + seconds
    while not answers(host, port):
        if not alive():
            raise NotReady(f"the Firestore that was to answer on {host}:{port} has ended")
        if time.monotonic() > deadline:
            raise NotReady(f"no Firestore answers on {host}:{port} within {seconds} s")
        time.sleep(_POLL_SECONDS)


def clear(host: str, port: int, project: str, *, database: str = "(default)") -> None:
    """Removes every document of a project's database. Raises OSError where no Firestore answers."""
    path = f"/emulator/v1/projects/{quote(project)}/databases/{quote(database, safe='()')}/documents"
    answer = ask(host, port, "DELETE", path, seconds=_CLEAR_SECONDS)
    if answer.status != 200:
        raise OSError(f"DELETE {path} answered {answer.status}: {answer.text}")


def ask(host: str, port: int, method: str, path: str, *, seconds: float, body: object = None) -> Answer:
    """One HTTP call, past any proxy; ``body`` is sent as JSON. Raises OSError or HTTPException."""
    connection = HTTPConnection(host, port, timeout=seconds)
    try:
        if body is None:
            connection.request(method, path)
        else:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    finally:
        connection.close()
