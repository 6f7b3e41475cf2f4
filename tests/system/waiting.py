"""What the tests of waitlists share: classes that are full, and moments at which everything that follows has been done."""

import time
from typing import Any

from tests.studio import DAY, Booked, Studio, until

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
    assert studio.change_session(session, waitlist=preset).ok


def lower_capacity(studio: Studio, session: str, capacity: int) -> None:
    assert studio.change_session(session, capacity=capacity, below="orphan").ok


def all_done(studio: Studio) -> None:
    """Everything that follows from what happened until now has been done, but for what is not due yet."""
    outbox = studio.store.client.collection(f"accounts/{studio.account}/outbox")

    def nothing_left() -> bool:
        now = int(time.time() * 1000)
        records = [snapshot.to_dict() or {} for snapshot in outbox.stream()]
        return not [record for record in records if (record.get("not_before") or 0) <= now]

    until(nothing_left)


def all_mails(studio: Studio, client: str = "kim") -> list[str]:
    """Subjects of all that a client is told of what happened until now, the oldest first: nothing more is on its way."""
    all_done(studio)
    return studio.mails(client)
