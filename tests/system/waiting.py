"""What the tests of waitlists share: classes that are full, and moments at which everything that follows has been done."""

import time
from typing import Any

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Ref
from functions.domain.ledger import enter
from functions.domain.session import Session
from tests.studio import DAY, Booked, Studio, Waiting, until

TEN = f"{DAY}T10:00:00Z"
NOON = f"{DAY}T12:00:00Z"


def full_class(studio: Studio, seats: int = 2, *, start: str | None = None, **rules: Any) -> tuple[str, list[Booked]]:
    """Appointments for several, full at one start: that start, and its bookings."""
    studio.rules(**rules)
    studio.offer(capacity=seats, waitlist="rules")
    start = start or studio.starts()[0]
    return start, [studio.book(start, client=studio.details(f"c{number}")) for number in range(seats)]


def full_event(studio: Studio, start: str = TEN, seats: int = 2, **rules: Any) -> tuple[str, list[Booked]]:
    """A session of an event that an operator scheduled, full: its id, and its bookings."""
    studio.rules(**rules)
    studio.offer(kind="event", capacity=seats, waitlist="rules")
    session = studio.schedule(start, service="consult", minutes=30, capacity=seats)
    clients = (studio.details(f"c{number}") for number in range(seats))
    return session, [studio.book(start, client=client) for client in clients]


def has_rules(studio: Studio, session: str, preset: str) -> None:
    """A session gets a preset of its own."""
    studio.store.client.document(f"accounts/{studio.account}/sessions/{session}").update({"waitlist": preset})


def lower_capacity(studio: Studio, session_id: str, capacity: int) -> None:
    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, session_id))
        assert session is not None
        reader.load(*ledger_refs_of(session))
        smaller = session.model_copy(update={"capacity": capacity})
        return Decision(answer=None, documents=(smaller,), changes=enter(smaller.resources, smaller.occupation))

    studio.store.run(studio.account, attempt)


def all_done(studio: Studio) -> None:
    """Everything that follows from what happened until now has been done, but for what is not due yet."""
    outbox = studio.store.client.collection(f"accounts/{studio.account}/outbox")

    def nothing_left() -> bool:
        now = int(time.time() * 1000)
        records = [snapshot.to_dict() or {} for snapshot in outbox.stream()]
        return not [record for record in records if (record.get("not_before") or 0) <= now]

    until(nothing_left)


def run_out(studio: Studio, waiting: Waiting) -> None:
    """The offer's time is over, in every document that says when; nobody waits two hours. The sweep finds the queue due."""
    past = int(time.time() * 1000) - 1
    account = studio.store.client.document(f"accounts/{studio.account}")
    entry = account.collection("waitlist").document(waiting.id).get().to_dict()
    booking = account.collection("bookings").document(entry["booking"])
    session = booking.get().to_dict()["session"]
    booking.update({"expires_at": past})
    account.collection("sessions").document(session).update({f"holds.`{booking.id}`.expires_at": past})
    for resource in account.collection("resources").stream():
        for month in resource.reference.collection("months").stream():
            held = (month.to_dict() or {}).get("sessions", {}).get(session)
            if held and booking.id in held["holds"]:
                seats, _ = held["holds"][booking.id]
                month.reference.update({f"sessions.`{session}`.holds.`{booking.id}`": [seats, past]})
    account.collection("queues").document("consult").update({"look_at": past})
