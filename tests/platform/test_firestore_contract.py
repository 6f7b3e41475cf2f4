"""What the system relies on in Firestore, held against the official emulator and the embedded stand-in alike.

Documents, preconditions, batches, transactions without contention. See test_firestore_contract_* for the rest.
"""

from __future__ import annotations

import datetime

import pytest
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from google.cloud import firestore
from google.cloud.firestore_v1 import DocumentSnapshot

from tests.platform.local_firestore import LocalFirestore

pytest_plugins = ["tests.platform.local_firestore_fixtures"]

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def test_a_document_is_read_as_it_was_written(db: firestore.Client) -> None:
    bella = db.document("clients/bella")
    written = bella.set({"name": "Bella", "seats": 2})
    found = bella.get()
    assert found.to_dict() == {"name": "Bella", "seats": 2}
    assert found.create_time == found.update_time == written.update_time


def test_a_missing_document_is_read_as_missing(db: firestore.Client) -> None:
    found = db.document("clients/nobody").get()
    assert not found.exists
    assert found.read_time is not None


def test_many_documents_are_read_at_once_present_or_not(db: firestore.Client) -> None:
    names = ["anna", "bela", "nobody"]
    for name in names[:2]:
        db.document(f"clients/{name}").set({"name": name})
    found = {snapshot.id: snapshot for snapshot in db.get_all([db.document(f"clients/{name}") for name in names])}
    assert {name: snapshot.exists for name, snapshot in found.items()} == {"anna": True, "bela": True, "nobody": False}
    assert len({snapshot.read_time for snapshot in found.values()}) == 1


def test_a_read_mask_picks_fields(db: firestore.Client) -> None:
    db.document("sessions/s").set({"where": {"room": "red", "floor": 2}, "seats": 3})
    picked = db.document("sessions/s").get(field_paths=["where.room", "nowhere"])
    assert picked.to_dict() == {"where": {"room": "red"}}


def test_a_read_after_a_write_sees_it(db: firestore.Client) -> None:
    counter = db.document("counters/c")
    for number in range(20):
        counter.set({"number": number})
        assert counter.get().get("number") == number


def test_projects_and_databases_are_apart(local_firestore: LocalFirestore, db: firestore.Client, project: str) -> None:
    db.document("clients/bella").set({"name": "Bella"})
    other_project = local_firestore.client(f"{project}-other")
    assert not other_project.document("clients/bella").get().exists
    other_project.close()


def test_create_refuses_what_exists(db: firestore.Client) -> None:
    db.document("slots/nine").create({"who": "first"})
    with pytest.raises(AlreadyExists):
        db.document("slots/nine").create({"who": "second"})
    assert db.document("slots/nine").get().get("who") == "first"


def test_update_refuses_what_is_missing(db: firestore.Client) -> None:
    with pytest.raises(NotFound):
        db.document("clients/nobody").update({"name": "x"})
    assert not db.document("clients/nobody").get().exists


def test_set_replaces_and_merge_keeps_the_rest(db: firestore.Client) -> None:
    session = db.document("sessions/s")
    session.set({"a": 1, "b": {"x": 1, "y": 2}})
    session.set({"b": {"x": 9}}, merge=True)
    assert session.get().to_dict() == {"a": 1, "b": {"x": 9, "y": 2}}
    session.set({"b": {"z": 3}, "c": 4}, merge=["b"])
    assert session.get().to_dict() == {"a": 1, "b": {"z": 3}}
    session.set({"d": 5})
    assert session.get().to_dict() == {"d": 5}


def test_merge_creates_what_is_missing(db: firestore.Client) -> None:
    db.document("sessions/s").set({}, merge=True)
    assert db.document("sessions/s").get().to_dict() == {}


def test_delete_is_harmless_to_repeat_unless_the_document_must_exist(db: firestore.Client) -> None:
    slot = db.document("slots/nine")
    slot.set({})
    slot.delete()
    slot.delete()
    assert not slot.get().exists
    with pytest.raises(NotFound):
        slot.delete(option=db.write_option(exists=True))


def test_compare_and_set_takes_the_newest_version_only(db: firestore.Client) -> None:
    ledger = db.document("ledgers/march")
    ledger.set({"revision": 1})
    seen = ledger.get()
    ledger.update({"revision": 2}, option=db.write_option(last_update_time=seen.update_time))
    with pytest.raises(FailedPrecondition):
        ledger.update({"revision": 3}, option=db.write_option(last_update_time=seen.update_time))
    with pytest.raises(FailedPrecondition):
        ledger.delete(option=db.write_option(last_update_time=seen.update_time))
    assert ledger.get().get("revision") == 2
    ledger.delete(option=db.write_option(last_update_time=ledger.get().update_time))
    assert not ledger.get().exists


def test_compare_and_set_refuses_a_document_that_is_gone(db: firestore.Client) -> None:
    with pytest.raises(FailedPrecondition):
        db.document("ledgers/gone").update({"x": 1}, option=db.write_option(last_update_time=LONG_AGO))
    with pytest.raises(FailedPrecondition):
        db.document("ledgers/gone").delete(option=db.write_option(last_update_time=LONG_AGO))


def test_a_document_made_anew_is_another_version(db: firestore.Client) -> None:
    slot = db.document("slots/nine")
    slot.set({"who": "anna"})
    seen = slot.get()
    slot.delete()
    slot.set({"who": "anna"})
    assert slot.get().create_time > seen.create_time
    with pytest.raises(FailedPrecondition):
        slot.update({"who": "bela"}, option=db.write_option(last_update_time=seen.update_time))


def test_update_times_rise_strictly(db: firestore.Client) -> None:
    counter = db.document("counters/c")
    times = [counter.set({"number": number}).update_time for number in range(30)]
    assert times == sorted(set(times))
    assert counter.get().update_time == times[-1]


def test_a_write_that_changes_nothing_keeps_the_update_time(db: firestore.Client) -> None:
    session = db.document("sessions/s")
    first = session.set({"seats": 2}).update_time
    assert session.set({"seats": 2}).update_time == first
    assert session.update({"seats": 2}).update_time == first
    assert session.get().update_time == first
    assert session.set({"seats": 2.0}).update_time > first  # another type is another value


def test_a_batch_is_written_whole_at_one_time(db: firestore.Client) -> None:
    batch = db.batch()
    batch.create(db.document("bookings/b"), {"seats": 1})
    batch.set(db.document("sessions/s"), {"taken": 1})
    results = batch.commit()
    assert len({result.update_time for result in results}) == 1
    assert db.document("bookings/b").get().update_time == db.document("sessions/s").get().update_time


@pytest.mark.parametrize(
    "refused",
    ["create of what exists", "update of what is missing", "stale version", "too large", "reserved field name"],
)
def test_a_batch_with_one_refused_write_leaves_nothing(db: firestore.Client, refused: str) -> None:
    session = db.document("sessions/s")
    session.set({"taken": 0})
    batch = db.batch()
    batch.update(session, {"taken": 1})
    batch.create(db.document("bookings/b"), {"seats": 1})
    match refused:
        case "create of what exists":
            batch.create(session, {})
        case "update of what is missing":
            batch.update(db.document("sessions/missing"), {"x": 1})
        case "stale version":
            batch.update(session, {"taken": 2}, option=db.write_option(last_update_time=LONG_AGO))
        case "too large":
            batch.set(db.document("sessions/large"), {"text": "x" * 1_048_576})
        case "reserved field name":
            batch.set(db.document("sessions/other"), {"__x__": 1})
    with pytest.raises((AlreadyExists, NotFound, FailedPrecondition, InvalidArgument)):
        batch.commit()
    assert session.get().to_dict() == {"taken": 0}
    assert not db.document("bookings/b").get().exists


def test_writes_of_a_batch_see_the_ones_before(db: firestore.Client) -> None:
    session = db.document("sessions/s")
    batch = db.batch()
    batch.create(session, {"a": 1})
    batch.update(session, {"b": firestore.Increment(2)})
    batch.set(session, {"c": 3}, merge=True)
    results = batch.commit()
    assert session.get().to_dict() == {"a": 1, "b": 2, "c": 3}
    assert {result.update_time for result in results} == {session.get().update_time}


def test_a_batch_of_500_is_one_commit(db: firestore.Client) -> None:
    batch = db.batch()
    for number in range(500):
        batch.set(db.document(f"many/{number:03}"), {"number": number})
    batch.commit()
    assert len(list(db.collection("many").select([]).stream())) == 500


@pytest.mark.parametrize("document_id", ["__x__", ".", "..", "x" * 1501])
def test_ids_that_firestore_refuses(db: firestore.Client, document_id: str) -> None:
    with pytest.raises(InvalidArgument):
        db.document("things", document_id).set({})


def test_collection_ids_are_held_to_the_same_rules(db: firestore.Client) -> None:
    with pytest.raises(InvalidArgument):
        db.document("__things__/a").set({})


@pytest.mark.parametrize("document_id", ["é😀 %2F", "__", "a.b", "`quoted`", "x" * 1500, "~!@#$&*()"])
def test_ids_that_firestore_takes(db: firestore.Client, document_id: str) -> None:
    db.document("things", document_id).set({"x": 1})
    assert [reference.id for reference in db.collection("things").list_documents()] == [document_id]
    assert db.document("things", document_id).get().get("x") == 1


def test_a_document_is_at_most_one_mebibyte(db: firestore.Client) -> None:
    thing = db.document("things/a")
    # Name (16 + 7 + 2), overhead 32, two field names of 2, two strings with one byte each beyond their length.
    fits = 1_048_576 - 25 - 32 - 4 - 2
    thing.set({"a": "x" * (fits // 2), "b": "y" * (fits - fits // 2)})
    with pytest.raises(InvalidArgument):
        thing.set({"a": "x" * (fits // 2 + 1), "b": "y" * (fits - fits // 2)})


@pytest.mark.parametrize("fields", [{"a": [[1]]}, {"a": {"__x__": 1}}, {"x" * 1501: 1}], ids=["array", "name", "long"])
def test_fields_that_firestore_refuses(db: firestore.Client, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        db.document("things/a").set(fields)


def test_maps_nest_twenty_deep_and_no_deeper(db: firestore.Client) -> None:
    value: object = 1
    for _ in range(20):
        value = {"in": value}
    db.document("things/a").set({"in": value})
    with pytest.raises(InvalidArgument):
        db.document("things/a").set({"out": {"in": value}})


def test_documents_are_listed_in_pages_with_those_that_only_have_children(db: firestore.Client) -> None:
    for name in "edcba":
        db.document(f"things/{name}").set({"x": 1})
    db.document("things/ghost/parts/p").set({})
    listed = [reference.id for reference in db.collection("things").list_documents(page_size=2)]
    assert listed == ["a", "b", "c", "d", "e", "ghost"]


def test_collections_are_listed(db: firestore.Client) -> None:
    db.document("things/a/parts/p").set({})
    db.document("things/a/pages/p/lines/l").set({})
    db.document("others/a").set({})
    assert [collection.id for collection in db.collections()] == ["others", "things"]
    assert [collection.id for collection in db.document("things/a").collections()] == ["pages", "parts"]


def test_recursive_delete_takes_what_is_below(db: firestore.Client) -> None:
    for path in ("things/a", "things/a/parts/p", "things/b/parts/q", "others/o"):
        db.document(path).set({"x": 1})
    db.recursive_delete(db.collection("things"))
    assert [collection.id for collection in db.collections()] == ["others"]


def test_a_bulk_writer_writes(db: firestore.Client) -> None:
    writer = db.bulk_writer()
    for number in range(25):
        writer.create(db.document(f"many/{number:02}"), {"number": number})
    writer.close()
    assert [snapshot.get("number") for snapshot in db.collection("many").stream()] == list(range(25))


def test_a_transaction_reads_and_writes(db: firestore.Client) -> None:
    ledger = db.document("ledgers/march")
    ledger.set({"taken": 1})

    @firestore.transactional
    def take(transaction: firestore.Transaction) -> int:
        taken: int = ledger.get(transaction=transaction).get("taken")
        transaction.update(ledger, {"taken": taken + 1})
        transaction.create(db.document(f"seats/{taken}"), {})
        return taken + 1

    assert take(db.transaction()) == 2
    assert ledger.get().get("taken") == 2
    assert db.document("seats/1").get().exists


def test_a_transaction_that_raises_writes_nothing(db: firestore.Client) -> None:
    ledger = db.document("ledgers/march")
    ledger.set({"taken": 1})

    @firestore.transactional
    def fail(transaction: firestore.Transaction) -> None:
        ledger.get(transaction=transaction)
        transaction.update(ledger, {"taken": 9})
        raise LookupError

    with pytest.raises(LookupError):
        fail(db.transaction())
    ledger.update({"free": True})  # the transaction holds nothing any more
    assert ledger.get().to_dict() == {"taken": 1, "free": True}


def test_a_refused_write_in_a_transaction_undoes_all_of_it(db: firestore.Client) -> None:
    db.document("seats/1").set({})

    @firestore.transactional
    def take(transaction: firestore.Transaction) -> None:
        transaction.set(db.document("ledgers/march"), {"taken": 1})
        transaction.create(db.document("seats/1"), {})

    with pytest.raises(AlreadyExists):
        take(db.transaction())
    assert not db.document("ledgers/march").get().exists


def test_a_read_only_transaction_sees_one_moment(db: firestore.Client) -> None:
    ledger, session = db.document("ledgers/march"), db.document("sessions/s")
    batch = db.batch()
    batch.set(ledger, {"revision": 1})
    batch.set(session, {"revision": 1})
    batch.commit()

    @firestore.transactional
    def read(transaction: firestore.Transaction) -> list[DocumentSnapshot]:
        first = ledger.get(transaction=transaction)
        session.set({"revision": 2})
        return [first, session.get(transaction=transaction), *session.parent.stream(transaction=transaction)]

    assert [found.get("revision") for found in read(db.transaction(read_only=True))] == [1, 1, 1]
    assert session.get().get("revision") == 2
