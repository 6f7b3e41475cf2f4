"""Races on one document, from threads and from processes, held against both backends.

Only what the official emulator can do: no read-write transactions with contention, in which it livelocks.
"""

from __future__ import annotations

from google.api_core.exceptions import Aborted, AlreadyExists
from google.cloud import firestore

from tests.platform.local_firestore import (
    PROCESSES,
    THREADS_A_PROCESS,
    LocalFirestore,
    Racers,
    at_once,
    count_up,
    create,
    take_seat,
)

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

THREADS = 20
CONTENDERS = PROCESSES * THREADS_A_PROCESS
CAPACITY = 5


def test_of_20_threads_one_creates_the_document(db: firestore.Client) -> None:
    results = at_once([lambda who=str(who): create(db, "slots/nine", who) for who in range(THREADS)])
    assert sorted(results) == ["lost"] * (THREADS - 1) + ["won"]
    assert results[int(db.document("slots/nine").get().get("who"))] == "won"


def test_of_4_processes_one_creates_the_document(
    racers: Racers, local_firestore: LocalFirestore, db: firestore.Client, project: str
) -> None:
    results = racers.race(create, local_firestore.address, project, "slots/nine")
    assert sorted(results) == ["lost"] * (CONTENDERS - 1) + ["won"]
    process, thread = map(int, db.document("slots/nine").get().get("who").split("-"))
    assert results[process * THREADS_A_PROCESS + thread] == "won"


def test_20_threads_take_no_more_than_5_seats(db: firestore.Client) -> None:
    db.document("events/class").set({"capacity": CAPACITY, "taken": []})
    results = at_once([lambda who=str(who): take_seat(db, "events/class", who) for who in range(THREADS)])
    _check_seats(db, results, [str(who) for who in range(THREADS)])


def test_4_processes_take_no_more_than_5_seats(
    racers: Racers, local_firestore: LocalFirestore, db: firestore.Client, project: str
) -> None:
    db.document("events/class").set({"capacity": CAPACITY, "taken": []})
    results = racers.race(take_seat, local_firestore.address, project, "events/class")
    whos = [f"{process}-{thread}" for process in range(PROCESSES) for thread in range(THREADS_A_PROCESS)]
    _check_seats(db, results, whos)


def test_increments_of_4_processes_are_all_counted(
    racers: Racers, local_firestore: LocalFirestore, db: firestore.Client, project: str
) -> None:
    db.document("counters/c").set({"count": 0})
    racers.race(count_up, local_firestore.address, project, "counters/c")
    assert db.document("counters/c").get().get("count") == CONTENDERS


def test_a_set_of_documents_has_one_owner(db: firestore.Client) -> None:
    """Half of the contenders ask in one order, half in the other."""
    units = ("a", "b", "c")

    def take_all(who: int) -> str:
        batch = db.batch()
        for unit in units if who % 2 else units[::-1]:
            batch.create(db.document(f"units/{unit}"), {"who": who})
        try:
            batch.commit()
        except (AlreadyExists, Aborted):
            return "lost"
        return "won"

    results = at_once([lambda who=who: take_all(who) for who in range(THREADS)])
    assert sorted(results) == ["lost"] * (THREADS - 1) + ["won"]
    owners = {snapshot.get("who") for snapshot in db.collection("units").stream()}
    assert owners == {results.index("won")}


def _check_seats(db: firestore.Client, results: list[str], whos: list[str]) -> None:
    assert sorted(results) == ["full"] * (len(whos) - CAPACITY) + ["won"] * CAPACITY
    winners = {who for who, result in zip(whos, results, strict=True) if result == "won"}
    assert set(db.document("events/class").get().get("taken")) == winners
    seats = {snapshot.id: snapshot.get("number") for snapshot in db.collection("events/class/seats").stream()}
    assert set(seats) == winners
    assert sorted(seats.values()) == list(range(CAPACITY))
