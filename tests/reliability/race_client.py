"""One process of a race: several clients that call at the same moment.

`python -m tests.reliability.race_client`, a JSON line on standard input: {"calls": [{"method", "url", "body", "headers"}, …]}. Prints `ready`, waits for
another line, then makes all calls at once, each from a thread of its own, and prints the answers as one JSON line: [[status, body], …].
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import requests


def call(request: dict[str, Any], session: requests.Session, start: Barrier) -> tuple[int, Any]:
    start.wait()
    answer = session.request(
        request["method"], request["url"], json=request.get("body"), headers=request.get("headers"), timeout=60
    )
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, answer.text


def main() -> None:
    calls = json.loads(sys.stdin.readline())["calls"]
    sessions = [requests.Session() for _ in calls]
    start = Barrier(len(calls))
    with ThreadPoolExecutor(len(calls)) as threads:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        answers = list(threads.map(call, calls, sessions, [start] * len(calls)))
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
