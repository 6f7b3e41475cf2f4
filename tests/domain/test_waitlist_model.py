"""Clients book, hold, cancel, join, answer and leave, operators serve and put back, and time passes, in any order: what `World.truth` says holds.

Against a small model of its own: whose turn it is, by counting seats and nothing else.
"""

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.domain.decision import Author
from functions.domain.errors import HoldLapsed, IllegalMove, SeatFree, SlotTaken
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Session
from functions.domain.waitlist.entry import Place
from functions.domain.waitlist.preset import Preset
from tests.domain.builders import BY_CLIENT, BY_OPERATOR, service
from tests.domain.waitlist_world import NOON, TEN, World

STARTS = {"ten": TEN, "noon": NOON}
WANTED = st.sampled_from([("ten",), ("ten",), ("noon",), ("ten", "noon")])
SEATS = st.sampled_from([1, 1, 1, 2, 3])
MODES = ("offer", "autopromote", "splitter", "manual")


class Line(RuleBasedStateMachine):
    """A class of three at ten and another at noon, both full at first, and those who wait for either."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.names = (f"c{number:03}" for number in range(10**3))

    mode: ClassVar[str]
    party: ClassVar[str]

    @initialize(spread=st.sampled_from(["emptiest", "fullest"]))
    def begin(self, spread: str) -> None:
        self.world.preset = Preset(id="rules", name="Rules", mode=self.mode, party=self.party, spread=spread)
        self.schedule()
        for start in STARTS.values():
            for _ in range(3):
                self.world.book(next(self.names), start)

    def schedule(self) -> None:
        for name, start in STARTS.items():
            self.world.schedule(name, start)

    # ---- What happens

    @rule(start=st.sampled_from(sorted(STARTS)), seats=SEATS, kept=st.booleans())
    def take(self, start: str, seats: int, kept: bool) -> None:
        """Succeeds exactly where as many seats are free that no one who waits could use."""
        name, world = next(self.names), self.world
        may = self.open_to_all(STARTS[start], seats)
        try:
            (world.hold if kept else world.book)(name, STARTS[start], seats)
        except SlotTaken:
            assert not may
        else:
            assert may

    @precondition(lambda self: self.booked("confirmed"))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.world.cancel(data.draw(st.sampled_from(self.booked("confirmed"))))
        self.perhaps_serve(data)

    @precondition(lambda self: self.booked("held"))
    @rule(data=st.data(), author=st.sampled_from([BY_CLIENT, BY_OPERATOR]))
    def cancel_what_is_kept(self, data: st.DataObject, author: Author) -> None:
        self.world.cancel(data.draw(st.sampled_from(self.booked("held"))), author)
        self.perhaps_serve(data)

    @rule(wanted=WANTED, seats=SEATS, priority=st.sampled_from([0, 0, 0, 5]))
    def join(self, wanted: tuple[str, ...], seats: int, priority: int) -> None:
        world = self.world
        open_now = [name for name in wanted if self.open_to_all(STARTS[name], seats)]
        try:
            self.wait(next(self.names), wanted, seats=seats, priority=priority)
        except SeatFree:
            assert open_now
        else:
            assert not open_now or world.preset.mode == "splitter"

    def wait(self, name: str, wanted: tuple[str, ...], **more: int) -> None:
        self.world.join(name, *wanted, **more)

    @precondition(lambda self: self.world.queue.offered)
    @rule(data=st.data(), verb=st.sampled_from(["accept", "decline", "leave"]))
    def answer(self, data: st.DataObject, verb: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.queue.offered)))
        booking = self.world.booked(self.world.entries[name].booking or "").booking
        over = (booking.expires_at or 0) <= self.world.now
        try:
            getattr(self.world, verb)(name)
        except (HoldLapsed, IllegalMove):
            assert booking.status == "cancelled" or (verb == "accept" and over)
        else:
            assert verb == "leave" or booking.status == "held"
            assert verb != "accept" or not over

    @precondition(lambda self: self.world.queue.places)
    @rule(data=st.data(), verb=st.sampled_from(["leave", "smaller", "larger", "pause"]))
    def change_mind(self, data: st.DataObject, verb: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.queue.places)))
        seats = self.world.queue.places[name].seats
        if verb == "leave":
            self.world.leave(name)
        elif verb == "pause":
            self.world.change(name, author=BY_OPERATOR, paused=data.draw(st.booleans()))
        elif 1 <= (wanted := seats + (1 if verb == "larger" else -1)) <= 3:
            self.world.change(name, seats=wanted)

    @precondition(lambda self: self.booked("confirmed"))
    @rule(data=st.data(), paused=st.booleans())
    def put_on(self, data: st.DataObject, paused: bool) -> None:
        self.world.put_on(data.draw(st.sampled_from(self.booked("confirmed"))), paused=paused)
        self.perhaps_serve(data)

    @precondition(lambda self: self.ended())
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.ended()))
        place = self.world.entries[name].place
        wanted = {*self.world.waitlist.starts_of(place.wish)} - {*place.declined}
        try:
            self.world.put_back(name)
        except IllegalMove:
            assert not wanted
        else:
            assert wanted

    @precondition(lambda self: self.world.queue.places)
    @rule(data=st.data(), as_offer=st.booleans())
    def promote(self, data: st.DataObject, as_offer: bool) -> None:
        """Out of turn, by hand: whenever the seats are there."""
        name = data.draw(st.sampled_from(sorted(self.world.queue.places)))
        place = self.world.queue.places[name]
        fits = any(self.left(start) >= place.seats for start in place.wish.starts)
        try:
            self.world.promote(name, as_offer=as_offer)
        except SlotTaken:
            assert not fits
        else:
            assert fits

    @rule(minutes=st.sampled_from([1, 10, 120, 121]), data=st.data())
    def time_passes(self, minutes: int, data: st.DataObject) -> None:
        self.world.now += minutes * MINUTE_MS
        self.perhaps_serve(data)

    @precondition(lambda self: self.booked("held"))
    @rule(data=st.data())
    def sweep(self, data: st.DataObject) -> None:
        """A hold; of an offer the task takes care."""
        name = data.draw(st.sampled_from(self.booked("held")))
        if not self.world.bookings[name].is_offer:
            self.world.lapse(name)

    def perhaps_serve(self, data: st.DataObject) -> None:
        """The task comes soon after, but other things may come before."""
        if data.draw(st.booleans()):
            self.serve()

    @rule()
    def serve(self) -> None:
        """The task runs to its end: at each of its turns, the one who is served is the one whose turn it is."""
        world = self.world
        for _ in range(100):
            expected = None if self.unsettled() else self.whose_turn()
            before = len(world.history)
            if not world.step():
                assert expected is None
                self.everybody_knows_why()
                return
            served = [e.entry for e in world.history[before:] if e.what in ("waitlist.offered", "waitlist.booked")]
            assert served == ([] if expected is None else [expected])
        raise AssertionError("the task never comes to an end")

    def everybody_knows_why(self) -> None:
        """Who waits while a seat that they would want is free, if not for so many, reads why; and nobody else does."""
        for place in self.world.queue.places.values():
            ahead = [start for start in place.wish.starts if start >= self.world.waitlist.earliest]
            assert any(self.left(start) for start in ahead) == (place.passed_because is not None)

    @invariant()
    def the_truth(self) -> None:
        self.world.truth()

    # ---- The model

    def booked(self, status: str) -> list[str]:
        return [booking.id for booking in self.world.bookings.values() if booking.status == status]

    def ended(self) -> list[str]:
        return [name for name, entry in self.world.entries.items() if entry.status in ("left", "expired")]

    def running(self, start: int) -> Session | None:
        """The session that takes the time at that start."""
        here = [s for s in self.world.sessions.values() if s.status == "open" and s.start == start]
        taking = [s for s in here if s.scheduled or s.seats or self.kept_in(s)]
        assert len(taking) <= 1
        return taking[0] if taking else None

    def kept_in(self, session: Session) -> int:
        return sum(hold.seats for hold in session.holds.values() if self.world.now < hold.expires_at)

    def left(self, start: int) -> int:
        session = self.running(start)
        return 3 if session is None else session.capacity - sum(session.seats.values()) - self.kept_in(session)

    def waiting(self) -> list[tuple[str, Place]]:
        """Those who wait and are not left to an operator, in their order."""
        places = [(name, place) for name, place in self.world.queue.places.items() if not place.paused]
        return sorted(places, key=lambda one: (-one[1].priority, one[1].joined_at, one[0]))

    def open_to_all(self, start: int, seats: int) -> bool:
        left = self.left(start)
        parties = [place.seats for _, place in self.waiting() if start in {*place.wish.starts} - {*place.declined}]
        if self.running(start) and parties and left > 0 and (self.strict or left >= min(parties)):
            return False
        return left >= seats

    @property
    def strict(self) -> bool:
        return self.world.preset.party == "strict"

    def unsettled(self) -> bool:
        offers = (self.world.bookings[offer.booking] for offer in self.world.queue.offered.values())
        over = any(b.status != "held" or (b.expires_at or 0) <= self.world.now for b in offers)
        return over or any({*place.wish.starts} <= {*place.declined} for place in self.world.queue.places.values())

    def whose_turn(self) -> str | None:
        if self.world.preset.mode == "manual":
            return None
        kept: set[int] = set()
        for name, place in self.waiting():
            wanted = {*place.wish.starts} - {*place.declined}
            if any(self.left(start) >= place.seats for start in wanted - kept):
                return name
            if self.strict:
                kept |= {start for start in wanted if 0 < self.left(start) < place.seats}
        return None


class Appointments(Line):
    """The same where nothing is scheduled: a session begins with its first booking, ends with its last, and may begin again."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(service=service(capacity=3), marks_at_once=False)

    def schedule(self) -> None:
        pass

    def wait(self, name: str, wanted: tuple[str, ...], **more: int) -> None:
        self.world.join(name, starts=tuple(STARTS[start] for start in wanted), **more)

    @rule(start=st.sampled_from(sorted(STARTS)), seats=SEATS, kept=st.booleans())
    def take(self, start: str, seats: int, kept: bool) -> None:
        """A session that begins anew keeps seats for those who wait for its start from the next look on."""
        super().take(start, seats, kept)
        self.serve()
        self.world.truth(marks=True)


@pytest.mark.parametrize("party", ["skip", "strict"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [Line, Appointments])
def test_whatever_happens_the_line_is_served_in_order_and_every_seat_has_one_owner(
    kind: type[Line], mode: str, party: str
) -> None:
    machine = type("Machine", (kind,), {"mode": mode, "party": party})
    run_state_machine_as_test(machine, settings=settings(max_examples=20, stateful_step_count=40))
