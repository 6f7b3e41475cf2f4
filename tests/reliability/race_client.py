"""One process of a race: several clients that call at the same moment, round after round, until its input ends.

`python -m tests.reliability.race_client`. A round: it reads a JSON line of calls, [{"address", "method", "path", "body", "headers"}, …], connects for each of
them and prints `ready`; reads another line, then makes all calls at once, each from a thread of its own; prints the answers as one JSON line,
[[status, body], …].
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60
MOST_AT_ONCE = 64


def connected(call: dict[str, Any]) -> HTTPConnection:
    connection = HTTPConnection(urlsplit(call["address"]).netloc, timeout=TIMEOUT_S)
    connection.connect()
    return connection


def answer(call: dict[str, Any], connection: HTTPConnection, start: Barrier) -> tuple[int, Any]:
    body = json.dumps(call["body"])
    start.wait()
    connection.request(call["method"], call["path"], body, {"Content-Type": "application/json", **call["headers"]})
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    try:
        return response.status, json.loads(said)
    except ValueError:
        return response.status, said


def main() -> None:
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        for line in sys.stdin:
            calls = json.loads(line)
            connections = [connected(call) for call in calls]
            _say("ready")
            sys.stdin.readline()
            start = Barrier(len(calls))
            _say(json.dumps(list(threads.map(answer, calls, connections, [start] * len(calls)))))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
