"""What clients, operators and time do, one row each: what tests kill and what benches count.

Each has clients of its own and a service of its own (`Run`); `settle` is what comes after.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reliability.crash_run import Run

TEN_MINUTES, HOUR, EIGHT_DAYS = 10 * 60_000, 3_600_000, 8 * 24 * 3_600_000


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`prepare` sets the scene, undisturbed, and answers with what the operation needs of it; `effects`: how many side effects it has at least.

    `in_google`: whether the calendar has a part in it; where others show the same part it has not. `lives`: also what a process lives through is tried,
    an answer that is lost and what is sent twice; most operations, which do the same in another order, are only killed.
    """

    act: Callable[[Run, Any], object]
    prepare: Callable[[Run], Any] = lambda run: run.offer()
    effects: int
    in_google: bool = True
    lives: bool = False


def prepared(*steps: Callable[[Run], Any], **offer: Any) -> Callable[[Run], Any]:
    """A service that is offered so, and then what these steps make, one after the other; a single thing where it is one step."""

    def prepare(run: Run) -> Any:
        run.offer(**offer)
        made = [step(run) for step in steps]
        return made[0] if len(made) == 1 else made

    return prepare


def later(milliseconds: int) -> Callable[[Run, Any], None]:
    def pass_(run: Run, _: Any) -> None:
        run.world.later += milliseconds + 1

    return pass_


def booked(run: Run) -> Any:
    return run.book()


def both_booked(run: Run) -> Any:
    run.book(client="lee")
    run.world.settle()
    return run.book()


def wanted_by_kim(run: Run) -> Any:
    """Lee has it, Kim waits for it; Lee's booking and Kim's place."""
    lees = run.book(client="lee")
    return lees, run.wait()


def offered_to_kim(run: Run) -> Any:
    lees, kims = wanted_by_kim(run)
    run.world.settle()
    run.does(lees, "cancel")
    return kims


def kims_turn_comes(run: Run) -> tuple[Any, Any]:
    """A class of two in which Lee and Mia sit, and for which Kim waits; Lee's booking and Kim's place."""
    lees = run.book(client="lee")
    run.book(client="mia")
    return lees, run.wait()


def freed_for_an_operator(run: Run) -> Any:
    lees, kims = kims_turn_comes(run)
    run.world.settle()
    run.does(lees, "cancel")
    return kims


def offered_before_lee(run: Run) -> Any:
    kims = offered_to_kim(run)
    run.world.settle()
    run.wait("lee")
    return kims


def wanted_event(run: Run) -> Any:
    """An event with one seat, which Lee has and Kim waits for."""
    session = run.schedule(capacity=1)
    run.book(client="lee")
    run.wait()
    return session


def sold_out(run: Run) -> Any:
    """An event with two seats, which Lee and Kim have."""
    session = run.schedule()
    run.book(client="lee")
    run.world.settle()
    run.book()
    return session


def of_session(verb: str, body: Any = None) -> Callable[[Run, Any], object]:
    """What an operator does to a session."""
    method, path = ("PATCH", "") if verb == "change" else ("POST", f"/{verb}")
    return lambda run, session: run.operator(method, f"sessions/{session['id']}{path}", body)


def closes(run: Run) -> object:
    """The resource has no hours any more."""
    return run.operator("PUT", f"resources/{run.resource}", {"name": "Anna", "time_zone": "UTC"})


def in_conflict(run: Run) -> Any:
    made = run.book()
    closes(run)
    run.world.settle()
    return made


EVENT = {"kind": "event", "capacity": 2}

OPERATIONS = {
    "book": Operation(act=lambda run, _: run.book(), effects=10, lives=True),
    "book into a running class": Operation(
        prepare=prepared(lambda run: run.book(client="lee"), capacity=3),
        act=lambda run, _: run.book(),
        effects=10,
        lives=True,
    ),
    "hold": Operation(act=lambda run, _: run.hold(), effects=2),
    "confirm a hold": Operation(
        prepare=prepared(lambda run: run.hold()),
        act=lambda run, held: run.does(held, "confirm", run.who()),
        effects=10,
        lives=True,
    ),
    "cancel": Operation(
        prepare=prepared(booked), act=lambda run, made: run.does(made, "cancel"), effects=9, lives=True
    ),
    "cancel one of two": Operation(
        prepare=prepared(both_booked, capacity=2), act=lambda run, made: run.does(made, "cancel"), effects=10
    ),
    "reschedule the session": Operation(
        prepare=prepared(booked),
        act=lambda run, made: run.does(made, "reschedule", {"start": run.at(11)}),
        effects=10,
        lives=True,
    ),
    "reschedule into another session": Operation(
        prepare=prepared(lambda run: run.book(11, client="lee"), booked, capacity=3),
        act=lambda run, made: run.does(made[1], "reschedule", {"start": run.at(11)}),
        effects=14,
        lives=True,
    ),
    "reschedule out of a class": Operation(
        prepare=prepared(both_booked, capacity=3),
        act=lambda run, made: run.does(made, "reschedule", {"start": run.at(11)}),
        effects=14,
    ),
    "lapse of a hold": Operation(
        prepare=prepared(lambda run: run.hold()), act=later(TEN_MINUTES), effects=2, lives=True
    ),
    "request": Operation(prepare=prepared(confirmation="operator"), act=lambda run, _: run.book(), effects=6),
    "confirm a request": Operation(
        prepare=prepared(booked, confirmation="operator"),
        act=lambda run, made: run.operator("POST", f"bookings/{made['id']}/confirm"),
        effects=10,
        lives=True,
    ),
    "lapse of a request": Operation(
        prepare=prepared(booked, confirmation="operator"), act=later(EIGHT_DAYS), effects=5
    ),
    "submit a hold as a request": Operation(
        prepare=prepared(lambda run: run.hold(), confirmation="operator"),
        act=lambda run, held: run.does(held, "confirm", run.who()),
        effects=6,
    ),
    "complete": Operation(
        prepare=prepared(booked),
        act=lambda run, made: (later(EIGHT_DAYS)(run, None), run.operator("POST", f"bookings/{made['id']}/complete")),
        effects=1,
    ),
    "miss": Operation(
        prepare=prepared(booked),
        act=lambda run, made: (later(EIGHT_DAYS)(run, None), run.operator("POST", f"bookings/{made['id']}/no-show")),
        effects=1,
        in_google=False,
    ),
    "cancel a series": Operation(
        prepare=prepared(lambda run: run.create("series", {"start": run.at(9), "weeks": 2, **run.who()})),
        act=lambda run, made: run.does(made["bookings"][0], "cancel", {"series": "all"}),
        effects=7,
        in_google=False,
    ),
    "join a waitlist": Operation(
        prepare=prepared(lambda run: run.book(client="lee")), act=lambda run, _: run.wait(), effects=5, in_google=False
    ),
    "cancel what somebody waits for": Operation(
        prepare=prepared(wanted_by_kim), act=lambda run, made: run.does(made[0], "cancel"), effects=12
    ),
    "cancel, and the next in line is booked": Operation(
        prepare=prepared(kims_turn_comes, capacity=2, waitlist="autopromote"),
        act=lambda run, made: run.does(made[0], "cancel"),
        effects=9,
        in_google=False,
    ),
    "accept an offer": Operation(
        prepare=prepared(offered_to_kim), act=lambda run, made: run.waiter_does(made, "accept"), effects=9, lives=True
    ),
    "decline an offer": Operation(
        prepare=prepared(offered_before_lee),
        act=lambda run, made: run.waiter_does(made, "decline"),
        effects=5,
        in_google=False,
    ),
    "an offer runs out": Operation(
        prepare=prepared(offered_before_lee), act=later(3 * HOUR), effects=5, in_google=False
    ),
    "leave a waitlist": Operation(
        prepare=prepared(wanted_by_kim),
        act=lambda run, made: run.waiter_does(made[1], "leave"),
        effects=2,
        in_google=False,
    ),
    "leave with an offer": Operation(
        prepare=prepared(offered_before_lee),
        act=lambda run, made: run.waiter_does(made, "leave"),
        effects=5,
        in_google=False,
    ),
    "an operator changes a place": Operation(
        prepare=prepared(wanted_by_kim),
        act=lambda run, made: run.operator("PATCH", f"waitlist/{made[1]['id']}", {"priority": 5}),
        effects=3,
        in_google=False,
    ),
    # An operator who does again what is done already is told so.
    "promote by hand": Operation(
        prepare=prepared(freed_for_an_operator, capacity=2, waitlist="manual"),
        act=lambda run, made: run.operator("POST", f"waitlist/{made['id']}/promote", once=True),
        effects=5,
        in_google=False,
    ),
    "put a booking on the waitlist": Operation(
        prepare=prepared(booked),
        act=lambda run, made: run.operator_makes(f"bookings/{made['id']}/waitlist"),
        effects=5,
        in_google=False,
    ),
    "schedule an event": Operation(prepare=prepared(**EVENT), act=lambda run, _: run.schedule(), effects=6),
    "repeat an event": Operation(
        prepare=prepared(**EVENT),
        act=lambda run, _: run.schedule(repeat={"rule": "FREQ=WEEKLY;COUNT=2"}),
        effects=3,
        in_google=False,
    ),
    "close an event": Operation(
        prepare=prepared(sold_out, **EVENT),
        act=of_session("change", {"closed": True}),
        effects=3,
        in_google=False,
    ),
    "cancel an event": Operation(prepare=prepared(sold_out, **EVENT), act=of_session("cancel"), effects=12),
    "move an event": Operation(
        prepare=prepared(sold_out, **EVENT),
        act=lambda run, session: run.operator("PATCH", f"sessions/{session['id']}", {"start": run.at(11)}),
        effects=12,
        lives=True,
    ),
    "an event loses a seat that is sold": Operation(
        prepare=prepared(sold_out, **EVENT),
        act=of_session("change", {"capacity": 1, "below": "cancel"}),
        effects=5,
        in_google=False,
    ),
    "an event loses a seat whose client keeps the booking": Operation(
        prepare=prepared(sold_out, **EVENT),
        act=of_session("change", {"capacity": 1, "below": "orphan"}),
        effects=3,
        in_google=False,
    ),
    "an event gets a seat that somebody waits for": Operation(
        prepare=prepared(wanted_event, **EVENT), act=of_session("change", {"capacity": 2}), effects=5, in_google=False
    ),
    "an operator moves a booking": Operation(
        prepare=prepared(booked),
        act=lambda run, made: run.operator("POST", f"bookings/{made['id']}/move", {"start": run.at(11)}),
        effects=5,
        in_google=False,
    ),
    "an operator lives with a conflict": Operation(
        prepare=prepared(in_conflict),
        act=lambda run, made: run.operator(
            "POST", f"conflicts/{made['session']}/resolve", {"choice": "keep"}, once=True
        ),
        effects=3,
        in_google=False,
    ),
    "a service has fewer seats than it sold": Operation(
        prepare=prepared(both_booked, capacity=2),
        act=lambda run, _: run.offer(capacity=1),
        effects=4,
        in_google=False,
    ),
    "hours change, and a booking is in conflict": Operation(
        prepare=prepared(booked), act=lambda run, _: closes(run), effects=3, in_google=False
    ),
    "hours change, and a booking is cancelled": Operation(
        prepare=prepared(booked, on_conflict="cancel"), act=lambda run, _: closes(run), effects=6
    ),
    "book a series": Operation(
        act=lambda run, _: run.create("series", {"start": run.at(9), "weeks": 2, **run.who()}), effects=10
    ),
    "make a service": Operation(prepare=lambda run: None, act=lambda run, _: run.offer(), effects=1),
    "change a service": Operation(act=lambda run, _: run.offer(capacity=2), effects=1),
    "change a resource": Operation(
        act=lambda run, _: run.operator("PUT", f"resources/{run.resource}", {"name": "Ben", "time_zone": "UTC"}),
        effects=1,
    ),
}
