"""Bookings on different resources, beside the bare minimum: a loop of the same batched read and of a commit of the same documents, and nothing else.

Both go through Google's client library to the same Firestore, from the same process, in turns. The loop's documents are those that a real booking was
seen to read and to write, under new ids each time; it decides nothing, checks nothing and makes no model of anything. A booking is everything from
the parsed HTTP request to its answer, but not the enqueuing of what comes after it.
"""

import statistics
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, CommitRequest

from infra.local.platform import Platform
from tests.bench.measured import Measured, each_ms
from tests.bench.stage import Stage
from tests.wire import tap

RESOURCES = 40
ROUNDS = 8
THREADS = 4
LEAST = 0.7


@dataclass(frozen=True, kw_only=True)
class Written:
    """A document that a commit wrote: made by it, or changed at these fields; `guarded`, only if it was still as it was read."""

    path: str
    made: bool
    guarded: bool
    fields: Mapping[tuple[str, ...], Any]


@dataclass(frozen=True, kw_only=True)
class Bare:
    """The same documents, read and committed without a thought."""

    client: firestore.Client
    reads: Sequence[str]
    writes: Sequence[Written]

    def __call__(self) -> None:
        client = self.client
        new = {write.path.rpartition("/")[2]: uuid.uuid4().hex for write in self.writes if write.made}
        found = client.get_all([client.document(path) for path in self.reads])
        updated = {snapshot.reference.path: snapshot.update_time for snapshot in found}
        batch = client.batch()
        for write in self.writes:
            if write.made:
                parent, _, id_ = write.path.rpartition("/")
                batch.create(client.document(f"{parent}/{new[id_]}"), {path[0]: v for path, v in write.fields.items()})
            else:
                option = client.write_option(last_update_time=updated[write.path]) if write.guarded else None
                fields = {
                    client.field_path(*(new.get(part, part) for part in path)): value
                    for path, value in write.fields.items()
                }
                batch.update(client.document(write.path), fields, option=option)
        batch.commit()


def bare_loops(stage: Stage, names: Sequence[str]) -> list[Bare]:
    """For each of these resources the loop of what a booking of its service reads and writes, as it is seen to do so now."""
    client = stage.application.store.client
    wire = tap(client)
    loops = []
    for name in names:
        wire.clear()
        stage.book(stage.booking(name, step=1))
        (read,), (commit,) = wire.reads, wire.commits
        loops.append(
            Bare(
                client=client,
                reads=[_path(document) for document in BatchGetDocumentsRequest(read).documents],
                writes=[_written(write, client) for write in CommitRequest(commit).writes],
            )
        )
    return loops


def _path(name: str) -> str:
    return name.partition("/documents/")[2]


def _written(write: Any, client: firestore.Client) -> Written:
    fields = _helpers.decode_dict(write.update.fields, client)
    made = not write.update_mask.field_paths
    paths = [(name,) for name in fields] if made else [_parts(path) for path in write.update_mask.field_paths]
    counted = {
        _parts(each.field_path): firestore.Increment(each.increment.integer_value) for each in write.update_transforms
    }
    return Written(
        path=_path(write.update.name),
        made=made,
        guarded="update_time" in write.current_document,
        fields={path: _at(fields, path) for path in paths} | counted,
    )


def _parts(path: str) -> tuple[str, ...]:
    return tuple(FieldPath.from_api_repr(path).parts)


def _at(fields: Any, path: Sequence[str]) -> Any:
    for part in path:
        fields = fields[part]
    return fields


def throughput(platform: Platform) -> list[Measured]:
    stage = Stage.over(platform)
    booked, plain = ([f"{kind}{number}" for number in range(RESOURCES)] for kind in ("booked", "plain"))
    stage.set_up(*booked, *plain)
    for name in (*booked, *plain):
        stage.book(
            stage.booking(name)
        )  # whoever booked there before; and the first of an instance learns what a service needs
    loops = bare_loops(stage, plain)
    for name in booked:
        stage.book(stage.booking(name, step=1))
    return [*_one_at_a_time(stage, booked, loops), *_several(stage, booked, loops)]


def _one_at_a_time(stage: Stage, booked: Sequence[str], loops: Sequence[Bare]) -> list[Measured]:
    ours, bare = [], []
    for step in range(2, 2 + ROUNDS):
        for name, loop in zip(booked, loops, strict=True):
            request = stage.booking(name, step)
            ours += each_ms(lambda request=request: stage.book(request), repetitions=1)  # type: ignore[misc]
            bare += each_ms(loop, repetitions=1)
    return _compared("one at a time", 1000 / statistics.median(ours), 1000 / statistics.median(bare))


def _several(stage: Stage, booked: Sequence[str], loops: Sequence[Bare]) -> list[Measured]:
    """A few threads of one process, each with resources of its own, as an instance that serves several requests; the two in turns, a round each."""
    ours, bare = [], []
    with ThreadPoolExecutor(THREADS) as threads:
        for step in range(2 + ROUNDS, 2 + 2 * ROUNDS):
            requests = [stage.booking(name, step) for name in booked]
            ours.append(_seconds(lambda requests=requests: list(threads.map(stage.book, requests))))  # type: ignore[misc]
            bare.append(_seconds(lambda: list(threads.map(lambda loop: loop(), loops))))
    many = len(booked)
    return _compared(f"by {THREADS} threads", many / statistics.median(ours), many / statistics.median(bare))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _compared(how: str, ours: float, bare: float) -> list[Measured]:
    return [
        Measured(what=f"bookings on different resources, {how}", value=ours, unit="/s"),
        Measured(what="  bare loop of the same documents", value=bare, unit="/s"),
        Measured(what="  bookings / bare loop", value=ours / bare, unit="x", at_least=LEAST),
    ]
