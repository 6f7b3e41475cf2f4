"""What only the embedded stand-in is held to: contended transactions, what it refuses, its own parts."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest
from google.api_core.exceptions import Aborted, GoogleAPICallError, InvalidArgument, MethodNotImplemented
from google.cloud import firestore
from google.cloud.firestore_v1.query_profile import ExplainOptions
from google.cloud.firestore_v1.types import Document, Value, Write
from google.cloud.firestore_v1.vector import Vector
from hypothesis import given
from hypothesis import strategies as st

from infra.local.firestore.client import ask
from infra.local.firestore.embedded import errors
from infra.local.firestore.embedded.clock import CommitClock
from infra.local.firestore.embedded.commit import Committer
from infra.local.firestore.embedded.messages import Document as RawDocument
from infra.local.firestore.embedded.messages import Write as RawWrite
from infra.local.firestore.embedded.names import Path, decode_key, encode_key, end_of_prefix
from infra.local.firestore.embedded.storage import Store
from infra.local.firestore.embedded.transactions import Transaction, Transactions
from tests.platform.local_firestore import (
    PROCESSES,
    THREADS_A_PROCESS,
    LocalFirestore,
    Racers,
    at_once,
    count_in_transaction,
)

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

DATABASE = "projects/shop/databases/(default)"


@pytest.fixture(scope="session")
def backend() -> str:
    return "embedded"


class Calls:
    """The calls a client makes for a transaction, one by one."""

    def __init__(self, db: firestore.Client) -> None:
        self._api = db._firestore_api
        self._database = db._database_string

    def begin(self) -> bytes:
        return bytes(self._api.begin_transaction(request={"database": self._database}).transaction)

    def read(self, transaction: bytes, path: str) -> None:
        name = f"{self._database}/documents/{path}"
        list(
            self._api.batch_get_documents(
                request={"database": self._database, "documents": [name], "transaction": transaction}
            )
        )

    def commit(self, transaction: bytes, path: str) -> None:
        document = Document(name=f"{self._database}/documents/{path}", fields={"x": Value(integer_value=1)})
        self._api.commit(
            request={"database": self._database, "writes": [Write(update=document)], "transaction": transaction}
        )


@pytest.fixture
def calls(db: firestore.Client) -> Calls:
    return Calls(db)


def test_transactions_of_20_threads_lose_nothing(db: firestore.Client) -> None:
    db.document("counters/c").set({"count": 0})
    at_once([lambda: count_in_transaction(db, "counters/c", "") for _ in range(20)])
    assert db.document("counters/c").get().get("count") == 20


def test_transactions_of_4_processes_lose_nothing(
    racers: Racers, local_firestore: LocalFirestore, db: firestore.Client, project: str
) -> None:
    db.document("counters/c").set({"count": 0})
    racers.race(count_in_transaction, local_firestore.address, project, "counters/c")
    assert db.document("counters/c").get().get("count") == PROCESSES * THREADS_A_PROCESS


def test_a_query_in_a_transaction_sees_no_phantoms(db: firestore.Client) -> None:
    """Each contender books only if nothing is booked; the query of all is empty until one has."""

    @firestore.transactional
    def book(transaction: firestore.Transaction, who: int) -> str:
        if list(db.collection("bookings").limit(1).stream(transaction=transaction)):
            return "full"
        transaction.create(db.document(f"bookings/{who}"), {})
        return "won"

    results = at_once([lambda who=who: book(db.transaction(), who) for who in range(10)])
    assert sorted(results) == ["full"] * 9 + ["won"]
    assert len(list(db.collection("bookings").stream())) == 1


@pytest.mark.parametrize("change", ["update", "delete", "create"])
def test_a_plain_write_to_what_a_transaction_read_aborts_it(db: firestore.Client, calls: Calls, change: str) -> None:
    ledger = db.document("ledgers/march")
    if change != "create":
        ledger.set({"taken": 1})
    transaction = calls.begin()
    calls.read(transaction, "ledgers/march")
    if change == "delete":
        ledger.delete()
    else:
        ledger.set({"taken": 2})
    with pytest.raises(Aborted):
        calls.commit(transaction, "bookings/b")
    assert not db.document("bookings/b").get().exists


def test_a_transaction_that_wrote_nothing_it_read_is_still_checked(db: firestore.Client, calls: Calls) -> None:
    """Write skew: each of two reads what the other writes."""
    first = calls.begin()
    calls.read(first, "a/1")
    db.document("a/1").set({})  # what the other one does, in one go
    with pytest.raises(Aborted):
        calls.commit(first, "a/2")


def test_writes_elsewhere_do_not_abort_a_transaction(db: firestore.Client, calls: Calls) -> None:
    db.document("ledgers/march").set({"taken": 1})
    transaction = calls.begin()
    calls.read(transaction, "ledgers/march")
    db.document("ledgers/april").set({"taken": 1})
    db.document("ledgers/march").set({"taken": 1})  # changes nothing
    calls.commit(transaction, "bookings/b")
    assert db.document("bookings/b").get().exists


def test_a_transaction_is_over_once_committed(calls: Calls) -> None:
    transaction = calls.begin()
    calls.commit(transaction, "a/b")
    with pytest.raises(InvalidArgument):
        calls.commit(transaction, "a/b")
    with pytest.raises(InvalidArgument):
        calls.read(transaction, "a/b")


def test_what_it_does_not_serve_is_refused_by_name(db: firestore.Client) -> None:
    things = db.collection("things")
    root = f"{db._database_string}/documents"
    refused = {
        "explain": lambda: list(things.stream(explain_options=ExplainOptions(analyze=True))),
        "vector": lambda: things.document("v").set({"v": Vector([1.0, 2.0])}),
        "PartitionQuery": lambda: list(db.collection_group("things").get_partitions(2)),
        "CreateDocument": lambda: db._firestore_api.create_document(
            request={"parent": root, "collection_id": "things", "document": Document()}
        ),
        "Listen": lambda: list(db._firestore_api.listen(requests=iter([{"database": db._database_string}]))),
        "time in the past": lambda: db._firestore_api.get_document(
            request={"name": f"{root}/things/a", "read_time": {"seconds": 1}}
        ),
    }
    for what, call in refused.items():
        with pytest.raises(MethodNotImplemented, match=what):
            call()


def test_a_commit_is_at_most_ten_mebibytes(db: firestore.Client) -> None:
    batch = db.batch()
    for number in range(11):
        batch.set(db.document(f"large/{number}"), {"text": "x" * 1_000_000})
    with pytest.raises(GoogleAPICallError) as refused:
        batch.commit(retry=None)
    assert refused.value.grpc_status_code.name == "INVALID_ARGUMENT"
    assert list(db.collection("large").stream()) == []


def test_plain_http_that_it_does_not_know_is_not_found(local_firestore: LocalFirestore) -> None:
    assert ask("127.0.0.1", local_firestore.port, "GET", "/nothing", seconds=5).status == 404
    assert ask("127.0.0.1", local_firestore.port, "POST", "/", seconds=5, body={}).status == 404


def test_a_plain_request_may_come_in_pieces(local_firestore: LocalFirestore) -> None:
    with socket.create_connection(("127.0.0.1", local_firestore.port), timeout=5) as connection:
        for piece in (b"G", b"ET / HT", b"TP/1.1\r\n", b"Host: x\r\n\r\n"):
            connection.sendall(piece)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


# The parts by themselves.


@pytest.fixture
def store(tmp_path: FilePath) -> Iterator[Store]:
    store = Store(tmp_path / "documents.sqlite3")
    yield store
    store.close()


def test_commit_times_rise_though_the_clock_stands_or_goes_back() -> None:
    readings = iter([1000, 1000, 500, 2000])
    clock = CommitClock(0, now=lambda: next(readings))
    assert [clock.tick() for _ in range(4)] == [1000, 1001, 1002, 2000]


def test_commit_times_rise_across_a_restart(store: Store, tmp_path: FilePath) -> None:
    def write(number: int) -> RawWrite:
        document = RawDocument(name=f"{DATABASE}/documents/a/b")
        document.fields["n"].integer_value = number
        return RawWrite(update=document)

    late = Committer(store, CommitClock(0, now=lambda: 9000)).commit([write(1)])
    reopened = Store(tmp_path / "documents.sqlite3")
    early = Committer(reopened, CommitClock(reopened.last_commit(), now=lambda: 10)).commit([write(2)])
    reopened.close()
    assert early.time == late.time + 1


def test_a_turn_that_is_not_used_passes_on(store: Store) -> None:
    async def scenario() -> None:
        transactions = Transactions(store, turn_seconds=0.01)
        abandoned = await transactions.begin(DATABASE, read_only=False)
        following = await asyncio.wait_for(transactions.begin(DATABASE, read_only=False), 10)
        assert transactions.use(abandoned.identifier, DATABASE) is abandoned  # it lost its turn, not its life
        transactions.close(abandoned.identifier)
        transactions.close(following.identifier)

    asyncio.run(scenario())


def test_turns_come_in_order_and_pass_over_who_left(store: Store) -> None:
    async def scenario() -> list[str]:
        transactions = Transactions(store)
        order: list[str] = []
        first = await transactions.begin(DATABASE, read_only=False)

        async def take(name: str) -> None:
            transaction = await transactions.begin(DATABASE, read_only=False)
            order.append(name)
            transactions.close(transaction.identifier)

        waiting = [asyncio.create_task(take(name)) for name in ("second", "gave up", "third")]
        await asyncio.sleep(0)  # lets each of them take its place
        waiting[1].cancel()
        transactions.close(first.identifier)
        await asyncio.gather(*waiting, return_exceptions=True)
        return order

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == ["second", "third"]


def test_who_gives_up_in_the_moment_of_its_turn_passes_it_on(store: Store) -> None:
    async def scenario() -> None:
        transactions = Transactions(store)
        first = await transactions.begin(DATABASE, read_only=False)
        second = asyncio.create_task(transactions.begin(DATABASE, read_only=False))
        third = asyncio.create_task(transactions.begin(DATABASE, read_only=False))
        await asyncio.sleep(0)
        transactions.close(first.identifier)  # the second is let in …
        second.cancel()  # … and gives up before it runs
        transactions.close((await third).identifier)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_read_only_transactions_do_not_queue(store: Store) -> None:
    async def scenario() -> None:
        transactions = Transactions(store)
        writer = await transactions.begin(DATABASE, read_only=False)
        reader = await transactions.begin(DATABASE, read_only=True)
        for transaction in (writer, reader):
            transactions.close(transaction.identifier)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_an_idle_transaction_expires(store: Store) -> None:
    async def scenario() -> None:
        transactions = Transactions(store, idle_seconds=0.01)
        idle = await transactions.begin(DATABASE, read_only=False)
        await asyncio.wait_for(_closed(idle), 10)
        with pytest.raises(errors.InvalidArgument):
            transactions.use(idle.identifier, DATABASE)

    asyncio.run(scenario())


async def _closed(transaction: Transaction) -> None:
    while True:
        try:
            transaction.snapshot.last_commit()
        except sqlite3.ProgrammingError:
            return
        await asyncio.sleep(0)


def test_ids_of_another_run_are_refused(store: Store) -> None:
    async def scenario() -> None:
        earlier = await Transactions(store).begin(DATABASE, read_only=True)
        with pytest.raises(errors.InvalidArgument):
            Transactions(store).close(earlier.identifier)
        earlier.snapshot.close()

    asyncio.run(scenario())


segments = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4).map(tuple)


@given(segments, segments)
def test_keys_sort_like_names(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    as_bytes = [[segment.encode() for segment in path] for path in (one, other)]
    assert (encode_key(one) < encode_key(other)) == (as_bytes[0] < as_bytes[1])


@given(segments, segments)
def test_keys_below_a_document_are_those_between_it_and_its_end(above: tuple[str, ...], below: tuple[str, ...]) -> None:
    key = encode_key(above)
    assert key < encode_key(above + below) < end_of_prefix(key)
    inside = below[: len(above)] == above
    assert (key <= encode_key(below) < end_of_prefix(key)) == inside


@given(segments)
def test_keys_are_read_back(path: tuple[str, ...]) -> None:
    assert decode_key(encode_key(path)) == path
    assert Path(DATABASE, path).name == "/".join((DATABASE, "documents", *path))
