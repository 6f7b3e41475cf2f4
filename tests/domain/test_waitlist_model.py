"""Clients book, hold, cancel, join, answer and leave, operators serve and put back, and time passes, in any order: what `World.truth` says holds.

Against a small model of its own: whose turn it is, by counting seats and nothing else.
"""

from collections.abc import Callable
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

from functions.domain.capacity import Below
from functions.domain.decision import Author
from functions.domain.errors import (
    BelowSeatsSold,
    HoldLapsed,
    IllegalMove,
    Invalid,
    NoWaitlist,
    SeatFree,
    SlotTaken,
    StartClosed,
    TimeTaken,
)
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Booking, Session
from functions.domain.waitlist.entry import Place
from functions.domain.waitlist.preset import Preset
from tests.domain.builders import BY_CLIENT, BY_OPERATOR, service
from tests.domain.waitlist_world import NOON, TEN, World

STARTS = {"ten": TEN, "noon": NOON}
WANTED = st.sampled_from([("ten",), ("ten",), ("noon",), ("ten", "noon")])
NAME = st.sampled_from(sorted(STARTS))
HOURS = (TEN, TEN + 60, NOON, NOON + 60)
SEATS = st.sampled_from([1, 1, 1, 2, 3])
SPREAD = st.sampled_from(["emptiest", "fullest"])
HOW = st.sampled_from(["book", "hold", "ask"])
MODES = ("offer", "autopromote", "splitter", "manual")


class Line(RuleBasedStateMachine):
    """A class of three at ten and another at noon, both full at first, and those who wait for either."""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.new_world()
        self.names = (f"c{number:03}" for number in range(10**3))

    mode: ClassVar[str]
    party: ClassVar[str]

    def new_world(self) -> World:
        return World(looks_at_history=False)

    @initialize(spread=SPREAD)
    def begin(self, spread: str) -> None:
        self.world = self.new_world()
        self.world.preset = Preset(id="rules", name="Rules", mode=self.mode, party=self.party, spread=spread)
        self.schedule()
        for start in STARTS.values():
            for _ in range(3):
                self.world.book(next(self.names), start)

    def schedule(self) -> None:
        for name, start in STARTS.items():
            self.world.schedule(name, start)

    # ---- What happens

    @rule(start=st.sampled_from(sorted(STARTS)), seats=SEATS, how=HOW)
    def take(self, start: str, seats: int, how: str) -> None:
        """Succeeds exactly where as many seats are free that no one who waits could use."""
        name, when = next(self.names), self.when(start)
        may = self.open_to_all(when, seats)
        try:
            getattr(self.world, how)(name, when, seats)
        except (SlotTaken, StartClosed):
            assert not may
        else:
            assert may

    @precondition(lambda self: self.booked("confirmed"))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.world.cancel(data.draw(st.sampled_from(self.booked("confirmed"))))
        self.perhaps_serve(data)

    @precondition(lambda self: self.kept_for_a_form())
    @rule(data=st.data(), author=st.sampled_from([BY_CLIENT, BY_OPERATOR]))
    def confirm(self, data: st.DataObject, author: Author) -> None:
        """A hold or a request; also one whose time is over, as long as nobody else has what it kept."""
        booking = self.world.bookings[data.draw(st.sampled_from(self.kept_for_a_form()))]
        over = not self.counts(booking)
        try:
            self.world.confirm(booking.id, author)
        except HoldLapsed:
            assert (over and self.left(booking.start) < booking.seats) or self.is_overfull(booking.session)
        assert self.left(booking.start) >= 0 or self.is_overfull(booking.session)

    @precondition(lambda self: self.booked("confirmed"))
    @rule(data=st.data(), to=st.sampled_from(sorted(STARTS)))
    def reschedule(self, data: st.DataObject, to: str) -> None:
        """Goes where anybody else could book, and nowhere else; what is left behind is free."""
        booking, when = self.world.bookings[data.draw(st.sampled_from(self.booked("confirmed")))], self.when(to)
        if when == booking.start:
            return
        may = self.open_to_all(when, booking.seats)
        try:
            moved = self.world.reschedule(booking.id, when)
        except (SlotTaken, StartClosed):
            assert not may
        else:
            assert may
            assert moved.session.start == moved.booking.start == when
            assert moved.session.id == booking.session or booking.id not in self.world.sessions[booking.session].seats
        self.perhaps_serve(data)

    @precondition(lambda self: self.booked("held"))
    @rule(data=st.data(), author=st.sampled_from([BY_CLIENT, BY_OPERATOR]))
    def cancel_what_is_kept(self, data: st.DataObject, author: Author) -> None:
        self.world.cancel(data.draw(st.sampled_from(self.booked("held"))), author)
        self.perhaps_serve(data)

    @rule(wanted=WANTED, seats=SEATS, priority=st.sampled_from([0, 0, 0, 5]))
    def join(self, wanted: tuple[str, ...], seats: int, priority: int) -> None:
        world = self.world
        open_now = [name for name in wanted if self.open_to_all(self.when(name), seats)]
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
            without = self.is_overfull(booking.session)
            assert booking.status == "cancelled" or (verb == "accept" and (over or without))
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
        elif 1 <= (wanted := seats + (1 if verb == "larger" else -1)) <= self.most(self.world.queue.places[name]):
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
        wanted = self.wanted_by(self.world.entries[name].place)
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
        fits = any(self.left(start) >= place.seats for start in self.world.waitlist.starts_of(place.wish))
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

    @precondition(lambda self: len(self.world.history) > 30)
    @rule(spread=SPREAD)
    def the_day_is_over(self, spread: str) -> None:
        """Nobody waits any more, nothing is kept for anybody, and of everybody who booked it is known whether they came. Another day begins."""
        world = self.world
        world.now = (NOON + 24 * 60) * MINUTE_MS
        self.serve()
        for name in self.booked("held"):
            world.lapse(name)
        assert not world.queue.size
        assert {entry.status for entry in world.entries.values()} <= {"booked", "left", "expired"}
        for number, name in enumerate(self.booked("confirmed")):
            for verb in ("complete", "miss")[: 1 + number % 2]:
                world.attend(name, verb)
        assert {booking.status for booking in world.bookings.values()} <= {"cancelled", "completed", "no_show"}
        world.truth()
        self.begin(spread)

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
            ahead = [
                start for start in self.world.waitlist.starts_of(place.wish) if start >= self.world.waitlist.earliest
            ]
            assert any(self.left(start) > 0 for start in ahead) == (place.passed_because is not None)

    @invariant()
    def the_truth(self) -> None:
        self.world.truth()

    # ---- The model

    def booked(self, status: str) -> list[str]:
        return [booking.id for booking in self.world.bookings.values() if booking.status == status]

    def kept_for_a_form(self) -> list[str]:
        return [name for name in self.booked("held") if not self.world.bookings[name].is_offer]

    def counts(self, booking: Booking) -> bool:
        """Whether its seats are kept for somebody at the moment."""
        return self.world.now < (booking.expires_at or 0)

    def is_overfull(self, session: str) -> bool:
        """An operator has taken away seats that were sold."""
        there = self.world.sessions[session]
        return sum(there.seats.values()) + self.kept_in(there) > there.capacity

    def when(self, name: str) -> int:
        return STARTS[name]

    def most(self, place: Place) -> int:
        """The largest party that they may be."""
        return 3

    def room(self, start: int) -> int:
        """The largest party that there is room for once nobody else is there."""
        return 3

    def wanted_by(self, place: Place) -> set[int]:
        return {*self.world.waitlist.starts_of(place.wish)} - {*place.declined}

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
        here = [place.seats for _, place in self.waiting() if start in self.wanted_by(place)]
        parties = [seats for seats in here if seats <= self.room(start)]
        if self.running(start) and parties and left > 0 and (self.strict or left >= min(parties)):
            return False
        return left >= seats

    @property
    def strict(self) -> bool:
        return self.world.preset.party == "strict"

    def unsettled(self) -> bool:
        offers = (self.world.bookings[offer.booking] for offer in self.world.queue.offered.values())
        over = any(b.status != "held" or (b.expires_at or 0) <= self.world.now for b in offers)
        return over or any(self.is_hopeless(place) for place in self.world.queue.places.values())

    def is_hopeless(self, place: Place) -> bool:
        return not any(self.world.now <= start * MINUTE_MS for start in self.wanted_by(place))

    def whose_turn(self) -> str | None:
        if self.world.preset.mode == "manual":
            return None
        kept: set[int] = set()
        for name, place in self.waiting():
            wanted = self.wanted_by(place)
            if any(self.left(start) >= place.seats for start in wanted - kept):
                return name
            if self.strict:
                kept |= {start for start in wanted if 0 < self.left(start) < place.seats <= self.room(start)}
        return None


class Appointments(Line):
    """The same where nothing is scheduled: a session begins with its first booking, ends with its last, and may begin again."""

    def new_world(self) -> World:
        return World(service=service(capacity=3), marks_at_once=False, looks_at_history=False)

    def schedule(self) -> None:
        pass

    def wait(self, name: str, wanted: tuple[str, ...], **more: int) -> None:
        self.world.join(name, starts=tuple(STARTS[start] for start in wanted), **more)

    @rule(start=st.sampled_from(sorted(STARTS)), seats=SEATS, how=HOW)
    def take(self, start: str, seats: int, how: str) -> None:
        """A session that begins anew keeps seats for those who wait for its start from the next look on."""
        super().take(start, seats, how)
        self.serve()
        self.world.truth(marks=True)

    @precondition(lambda self: self.booked("confirmed"))
    @rule(data=st.data(), to=st.sampled_from(sorted(STARTS)))
    def reschedule(self, data: st.DataObject, to: str) -> None:
        super().reschedule(data, to)
        self.serve()
        self.world.truth(marks=True)


class Operated(Line):
    """Sessions that an operator gives more seats or fewer, closes and opens, moves and calls off while people book, wait and have offers."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        super().__init__()

    def schedule(self) -> None:
        self.ids = {name: name for name in STARTS}
        super().schedule()

    @rule(name=NAME, capacity=st.integers(1, 5), below=st.sampled_from(["orphan", "cancel", None]))
    def resize(self, name: str, capacity: int, below: Below | None) -> None:
        """Nobody loses a seat unless the operator has said what becomes of them; and then those who came last."""
        before = {b.id: b for b in self.world.roster(self.ids[name]).bookings if b.id in self.seated(name)}
        try:
            self.operator(lambda: self.world.resize(self.ids[name], capacity, below))
        except BelowSeatsSold:
            assert below is None
            assert sum(booking.seats for booking in before.values()) > capacity
            return
        lost = {*before} - {*self.seated(name)}
        assert lost <= {*self.without_seats(name)} if below == "orphan" else not lost or below == "cancel"
        assert all(sum(b.seats for b in before.values()) > capacity for _ in lost)

    @rule(name=NAME, closed=st.booleans())
    def close(self, name: str, closed: bool) -> None:
        self.operator(lambda: self.world.close(self.ids[name], closed))

    @rule(name=NAME, hour=st.sampled_from(HOURS))
    def move(self, name: str, hour: int) -> None:
        """Everybody in it goes along, unless the other session is there."""
        before = self.world.roster(self.ids[name])
        others = {self.when(other) for other in STARTS if other != name}
        try:
            self.operator(lambda: self.world.put_at(self.ids[name], hour))
        except TimeTaken:
            assert hour in others
            return
        assert hour not in others
        assert {self.world.bookings[booking.id].start for booking in before.bookings} <= {hour}

    @precondition(lambda self: self.world.queue.size > 1)
    @rule(name=NAME)
    def call_off(self, name: str) -> None:
        """Everybody in it loses their booking. There is another one instead, which nobody has booked or waits for yet."""
        gone = self.world.roster(self.ids[name])
        self.operator(lambda: self.world.call_off(self.ids[name]))
        assert {self.world.bookings[booking.id].status for booking in gone.bookings} <= {"cancelled"}
        self.ids[name] = f"{name} after {len(self.world.sessions)}"
        self.world.schedule(self.ids[name], gone.session.start)

    def operator(self, act: Callable[[], object]) -> None:
        """What an operator does, and what it asks to be done: with that the sessions say again who waits for them."""
        before = len(self.world.effects)
        act()
        if {"promote", "recalculate"} & {effect.kind for effect in self.world.effects[before:]}:
            self.serve()

    @rule()
    def serve(self) -> None:
        self.world.recalculate()
        super().serve()

    # ---- The model

    def when(self, name: str) -> int:
        return self.world.sessions[self.ids[name]].start

    def left(self, start: int) -> int:
        session = self.running(start)
        return 0 if session is None or session.closed else super().left(start)

    def room(self, start: int) -> int:
        session = self.running(start)
        return 0 if session is None else session.capacity

    def most(self, place: Place) -> int:
        return max(self.world.sessions[name].capacity for name in place.wish.sessions)

    def wait(self, name: str, wanted: tuple[str, ...], **more: int) -> None:
        sessions = [self.world.sessions[self.ids[each]] for each in wanted]
        try:
            self.world.join(name, *(session.id for session in sessions), **more)
        except NoWaitlist:
            assert all(session.closed for session in sessions)
        except Invalid:
            assert more["seats"] > max(session.capacity for session in sessions)

    def seated(self, name: str) -> list[str]:
        """Whose seats are there, or are kept for them at the moment."""
        there = self.world.roster(self.ids[name]).bookings
        return [b.id for b in there if b.conflict is None and (b.status == "confirmed" or self.counts(b))]

    def without_seats(self, name: str) -> list[str]:
        return [b.id for b in self.world.roster(self.ids[name]).bookings if b.conflict is not None]


@pytest.mark.parametrize("party", ["skip", "strict"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [Line, Appointments, Operated])
def test_whatever_happens_the_line_is_served_in_order_and_every_seat_has_one_owner(
    kind: type[Line], mode: str, party: str
) -> None:
    machine = type("Machine", (kind,), {"mode": mode, "party": party})
    run_state_machine_as_test(machine, settings=settings(max_examples=14, stateful_step_count=40))
