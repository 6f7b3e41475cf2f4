"""What the store writes is what Google's own library reads, and the other way round; and its preconditions hold."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.cloud import firestore

from functions.adapters.store.store import Store
from functions.adapters.store.wire import GONE, Commit, Stored, read

EVERYTHING: dict[str, Any] = {
    "nothing": None,
    "yes": True,
    "no": False,
    "number": -(2**62),
    "zero": 0,
    "part": 0.5,
    "text": "Zoë \N{SPOUTING WHALE}",
    "empty": "",
    "moment": datetime(2027, 3, 1, 9, 0, 0, 123456, tzinfo=UTC),
    "list": [1, "two", None, {"three": []}],
    "no list": [],
    "map": {"0digit first": {"with.dot": 1, "with`tick": 2, "with\\slash": 3}},
    "no map": {},
}


@pytest.fixture
def client(store: Store) -> firestore.Client:
    return store.client


@pytest.fixture
def path() -> str:
    return f"accounts/{uuid.uuid4().hex}/things/one"


def commit(client: firestore.Client, write: str, *arguments: Any, **more: Any) -> None:
    made = Commit(client)
    getattr(made, write)(*arguments, **more)
    made.send()


def stored(client: firestore.Client, path: str) -> Stored:
    return read(client, [path])[path]


def test_what_is_created_is_what_the_library_reads(client: firestore.Client, path: str) -> None:
    commit(client, "create", path, EVERYTHING)
    assert client.document(path).get().to_dict() == EVERYTHING


def test_what_the_library_wrote_is_what_is_read(client: firestore.Client, path: str) -> None:
    client.document(path).set(EVERYTHING)
    found = stored(client, path)
    assert found.fields == EVERYTHING
    snapshot = client.document(path).get()
    assert found == Stored.of(snapshot)


def test_several_are_read_at_once_and_what_is_not_there_is_told(client: firestore.Client, path: str) -> None:
    client.document(path).set({"a": 1})
    found = read(client, [path, path + "more"])
    assert found[path].fields == {"a": 1}
    assert found[path + "more"] == Stored()


def test_an_update_touches_the_fields_it_names(client: firestore.Client, path: str) -> None:
    commit(client, "create", path, {"a": 1, "b": 1, "map": {"x": 1, "0y.z": 1, "w": {"v": 1}}})
    fields = {
        ("a",): {"deep": [1]},
        ("map", "x"): GONE,
        ("map", "0y.z"): 2,
        ("map", "new`one", "er"): 3,
        ("map", "w", "v"): GONE,
        ("c",): GONE,
    }
    commit(client, "update", path, fields, last=stored(client, path).updated)
    assert stored(client, path).fields == {
        "a": {"deep": [1]},
        "b": 1,
        "map": {"0y.z": 2, "new`one": {"er": 3}, "w": {}},
    }


def test_counting_leaves_everything_else_as_it_is(client: firestore.Client, path: str) -> None:
    commit(client, "count", path, ("guarded",))
    commit(client, "update", path, {("a",): 1}, last=stored(client, path).updated)
    before = stored(client, path)
    commit(client, "count", path, ("guarded",), last=before.updated)
    after = stored(client, path)
    assert (before.fields, after.fields) == ({"guarded": 1, "a": 1}, {"guarded": 2, "a": 1})
    assert before.updated != after.updated


def test_what_was_changed_meanwhile_is_not_changed_again(client: firestore.Client, path: str) -> None:
    commit(client, "create", path, {"a": 1})
    old = stored(client, path).updated
    commit(client, "update", path, {("a",): 2}, last=old)
    for write, arguments in (("update", ({("a",): 3},)), ("count", ("guarded",)), ("delete", ())):
        with pytest.raises(FailedPrecondition):
            commit(client, write, path, *arguments, last=old)
    with pytest.raises(AlreadyExists):
        commit(client, "create", path, {"a": 3})
    assert stored(client, path).fields == {"a": 2}
    commit(client, "delete", path, last=stored(client, path).updated)
    assert stored(client, path) == Stored()
    with pytest.raises((NotFound, FailedPrecondition)):
        commit(client, "update", path, {("a",): 3}, last=old)


def test_all_writes_are_made_or_none(client: firestore.Client, path: str) -> None:
    client.document(path).set({"a": 0})
    made = Commit(client)
    made.create(path + "more", {"a": 1})
    made.create(path, {"a": 1})
    with pytest.raises(AlreadyExists):
        made.send()
    assert stored(client, path + "more") == Stored()


def test_what_no_document_holds_is_refused(client: firestore.Client, path: str) -> None:
    with pytest.raises(TypeError, match="bytes is not stored"):
        Commit(client).create(path, {"a": b"1"})
