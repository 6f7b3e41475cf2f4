"""What a request costs at Firestore, counted where the client library leaves this process (design page, section 11)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.platform import Platform
from tests.in_process import application_of, booking_client
from tests.studio import Booked, Studio, until
from tests.wire import Wire, tap


@pytest.fixture
def wire_and_client(platform: Platform) -> tuple[Wire, Any]:
    """The booking function in this process, with every Firestore call counted."""
    application = application_of(platform)
    return tap(application.store.client), booking_client(application)


def test_availability_of_one_month_is_one_round_trip_of_four_documents(
    studio: Studio, wire_and_client: tuple[Wire, Any]
) -> None:
    wire, client = wire_and_client
    studio.open(zone="UTC")
    first = (datetime.now(UTC).date().replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=32)).replace(day=1)
    address = f"/v1/accounts/{studio.account}/services/consult/availability?start={first}&end={last}&time_zone=UTC"

    until(lambda: client.get(address).json["days"])  # the first request learns what the service needs
    wire.clear()
    answer = client.get(address)
    assert answer.json["days"]
    # Service, resource, its calendar, and the month.
    assert (wire.documents_read, wire.commits, wire.others) == ([4], [], [])


def test_a_booking_is_one_read_and_one_commit_before_its_answer(
    studio: Studio, wire_and_client: tuple[Wire, Any]
) -> None:
    wire, client = wire_and_client
    nine, half_past = studio.starts()[:2]

    def book(start: str) -> int:
        body = {"service": "consult", "start": start, "client": {"name": "Kim", "email": studio.client_email}}
        address = f"/v1/accounts/{studio.account}/bookings"
        return int(client.post(address, json=body, headers={"Idempotency-Key": start}).status_code)

    assert book(nine) == 201
    wire.clear()
    assert book(half_past) == 201
    assert (len(wire.reads), len(wire.commits), wire.others) == (1, 1, [])
    # Two bookings can be in each other's way about the month of their resource, and about how often one mailbox has booked.
    assert (wire.documents_read, wire.documents_written, wire.contended) == ([8], [9], ["months", "usage"])


def test_joining_a_class_that_one_has_seen_is_no_dearer(studio: Studio, wire_and_client: tuple[Wire, Any]) -> None:
    wire, client = wire_and_client
    studio.offer(capacity=8)
    nine = studio.starts()[0]
    studio.book(nine).written()
    body = {"service": "consult", "start": nine, "client": {"name": "Kim", "email": studio.client_email}}
    address = f"/v1/accounts/{studio.account}/bookings"

    def join() -> Booked:
        joined = client.post(address, json=body)
        assert joined.status_code == 201
        return Booked(studio, joined.json["id"], joined.json["session"], joined.json["manage_token"])

    # The first booking through this instance learns that there is a session to join.
    join().written()  # the push of a change writes to the session too; not while we count
    wire.clear()
    joined = join()
    assert (len(wire.reads), len(wire.commits), wire.others) == (1, 1, [])
    assert (wire.documents_read, wire.documents_written, wire.contended) == ([8], [8], ["months", "sessions", "usage"])

    joined.written()
    # Those who hold are counted by where they come from, exactly: many from one address wait for each other there too.
    wire.clear()
    held = client.post(f"/v1/accounts/{studio.account}/holds", json={"service": "consult", "start": nine})
    assert held.status_code == 201
    assert (len(wire.reads), len(wire.commits), wire.contended) == (1, 1, ["months", "sessions", "usage"])
