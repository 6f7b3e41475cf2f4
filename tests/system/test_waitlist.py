"""Waiting for a seat, as clients and operators see it: over HTTP, with the tasks that serve the line."""

from typing import Any

from tests.studio import Studio, Waiting, until


def full_class(studio: Studio, seats: int = 2, **rules: Any) -> tuple[str, list[Any]]:
    """A class that is full from its first seat to its last; its start and its bookings."""
    studio.rules(**rules)
    studio.offer(capacity=seats, waitlist="rules")
    start = studio.starts()[0]
    return start, [studio.book(start, client={"name": f"C{n}", "email": f"c{n}@x.example"}) for n in range(seats)]


def became(waiting: Waiting, status: str) -> dict[str, Any]:
    return until(lambda: (answer := waiting.look())["status"] == status and answer)


def test_who_waits_gets_an_offer_of_a_seat_that_comes_free_and_nobody_else_can_take_it(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    assert empty_studio.try_to_book(start).json()["waitlist"] is True
    waiting = empty_studio.wait(start=start)
    assert waiting.look()["position"] == 1
    first.cancel()
    offered = became(waiting, "offered")
    assert offered["offer"]["start"] == start
    assert start not in empty_studio.starts()
    assert empty_studio.try_to_book(start).status_code == 409

    accepted = waiting.do("accept")
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["booking"]["status"] == "confirmed"
    assert waiting.look()["status"] == "booked"
    until(lambda: len(empty_studio.mails()) == 3)
    assert [mail.partition(":")[0] for mail in empty_studio.mails()] == [
        "You are on the waitlist",
        "A seat has come free for you",
        "Your booking is confirmed",
    ]


def test_a_declined_offer_goes_to_the_next_at_once(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
    assert (ann.look()["position"], ben.look()["position"]) == (1, 2)
    first.cancel()
    became(ann, "offered")
    assert ben.status() == "waiting"
    assert ann.do("decline").json()["status"] == "left"
    became(ben, "offered")


def test_a_free_seat_is_booked_and_not_waited_for(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    first.cancel()
    refused = empty_studio.try_to_wait(start=start)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:booking:problem:seat-free"
    assert start in refused.json()["alternatives"]


def test_autopromote_books_the_first_who_fits(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio, mode="autopromote")
    pair, one = empty_studio.wait(client="pair", start=start, seats=2), empty_studio.wait(client="one", start=start)
    first.cancel()
    became(one, "booked")
    seen = empty_studio.look(f"waitlist/{pair.id}")
    assert (seen["status"], seen["passed_over"]) == ("waiting", 1)
    assert seen["passed_because"] == "needs 2 seats together, and 1 is free"


def test_an_offer_that_is_not_answered_goes_to_the_next(empty_studio: Studio) -> None:
    start, (first, _) = full_class(empty_studio)
    ann, ben = (empty_studio.wait(client=name, start=start) for name in ("ann", "ben"))
    first.cancel()
    became(ann, "offered")
    empty_studio.run_out(ann)
    late = ann.do("accept")
    assert late.status_code == 409
    until(lambda: ben.status() == "offered", nudge=lambda: empty_studio.fire("minute"))
    assert ann.status() == "expired"
