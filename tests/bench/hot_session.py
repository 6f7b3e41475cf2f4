"""A popular class opens: 20 clients at once, 200 seats, one session. Beside it the bare minimum under the same contention: as many contenders who each add
to one document by compare and set, ten times: all at once as it is usually written, and one after the other as our own writers of one instance go
(`adapters.store.line`), which is the harder bar.

Every seat that is sold changes the same session and the same ledger month, so that of those who try at the same time one wins and the others try again.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

from flask import Request
from google.api_core.exceptions import Aborted, FailedPrecondition
from google.cloud import firestore

from infra.local.platform import Platform
from tests.bench.measured import Measured
from tests.bench.stage import Stage
from tests.wire import tap

SEATS = 200
CLIENTS = 20
LEAST = 0.5
ROUNDS = 3


def hot_session(platform: Platform) -> list[Measured]:
    stage = Stage.over(platform)
    classes = [f"class{number}" for number in range(ROUNDS)]
    stage.set_up(*classes, capacity=SEATS)
    for name in classes:
        assert stage.answer(stage.booking(name, step=9)).status_code == 201
    wire, turned_away = tap(stage.application.store.client), count()

    def book(request: Request) -> None:
        while (answer := stage.answer(request)).status_code == 503:
            next(turned_away)
        assert answer.status_code == 201

    ours, bare, in_line, tries = 0.0, 0.0, 0.0, 0
    for name in classes:
        requests = iter([stage.booking(name) for _ in range(SEATS)])
        wire.clear()
        ours += _by_all(lambda requests=requests: book(next(requests)))  # type: ignore[misc]
        tries += len(wire.commits)
        bare += _by_all(_adding(stage, name))
        in_line += _by_all(_one_after_the_other(_adding(stage, name)))
    sold = SEATS * ROUNDS
    return [
        Measured(what=f"bookings of one class of {SEATS} seats by {CLIENTS} clients", value=sold / ours, unit="/s"),
        Measured(what="  bare compare and set of one document", value=sold / bare, unit="/s"),
        Measured(what="  bookings / bare compare and set", value=bare / ours, unit="x", at_least=LEAST),
        Measured(what="  the same, one after the other", value=sold / in_line, unit="/s"),
        Measured(what="  bookings / one after the other", value=in_line / ours, unit="x", at_least=LEAST),
        Measured(what="  commits tried for each booking", value=tries / sold, unit="x"),
        Measured(what="  told to come again (503)", value=next(turned_away), unit=""),
    ]


def _by_all(work: Callable[[], None]) -> float:
    """The seconds until all clients have done it as often as their share of the seats is."""

    def share(_: int) -> None:
        for _ in range(SEATS // CLIENTS):
            work()

    with ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        list(clients.map(share, range(CLIENTS)))
        return time.perf_counter() - began


def _adding(stage: Stage, name: str) -> Callable[[], None]:
    client = stage.application.store.client
    document = client.document(f"accounts/{stage.account}/counters/{name}")
    document.set({"sold": 0})

    def add() -> None:
        for tries in count():
            try:
                _add(client, document)
            except (FailedPrecondition, Aborted):
                time.sleep(random.uniform(0, min(0.4, 0.01 * 2**tries)))  # as it is usually written
            else:
                return

    return add


def _one_after_the_other(work: Callable[[], None]) -> Callable[[], None]:
    turn = Lock()

    def in_turn() -> None:
        with turn:
            work()

    return in_turn


def _add(client: firestore.Client, document: firestore.DocumentReference) -> None:
    found = document.get()
    sold = (found.to_dict() or {})["sold"]
    document.update({"sold": sold + 1}, option=client.write_option(last_update_time=found.update_time))
