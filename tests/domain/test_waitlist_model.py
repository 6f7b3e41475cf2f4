"""Clients book, hold, cancel, join, answer and leave, operators serve and put back, and time passes, in any order: what `World.truth` says holds.

Against a small model of its own: whose turn it is, by counting seats and nothing else.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.domain.errors import HoldLapsed, IllegalMove, SeatFree, SlotTaken
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Session
from functions.domain.waitlist.entry import Place
from functions.domain.waitlist.preset import Preset
from tests.domain.builders import BY_OPERATOR
from tests.domain.waitlist_world import NOON, TEN, World

STARTS = {"ten": TEN, "noon": NOON}
SESSIONS = st.sampled_from([("ten",), ("ten",), ("noon",), ("ten", "noon")])
SEATS = st.sampled_from([1, 1, 1, 2, 3])
PRESETS = st.builds(
    Preset,
    id=st.just("rules"),
    name=st.just("Rules"),
    mode=st.sampled_from(["offer", "autopromote", "splitter", "manual"]),
    party=st.sampled_from(["skip", "strict"]),
    spread=st.sampled_from(["emptiest", "fullest"]),
)


class Line(RuleBasedStateMachine):
    """A class of three at ten and another at noon, and those who wait for either."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.names = (f"c{number:03}" for number in range(10**3))

    @initialize(preset=PRESETS)
    def begin(self, preset: Preset) -> None:
        self.world.preset = preset
        for name, start in STARTS.items():
            self.world.schedule(name, start)

    # ---- What happens

    @rule(start=st.sampled_from(sorted(STARTS)), seats=SEATS, kept=st.booleans())
    def take(self, start: str, seats: int, kept: bool) -> None:
        """Succeeds exactly where as many seats are free that no one who waits could use."""
        name, world = next(self.names), self.world
        may = self.open_to_all(world.sessions[start], seats)
        try:
            (world.hold if kept else world.book)(name, STARTS[start], seats)
        except SlotTaken:
            assert not may
        else:
            assert may

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if names := [b.id for b in self.world.bookings.values() if b.status in ("confirmed", "held")]:
            self.world.cancel(data.draw(st.sampled_from(names)))

    @rule(sessions=SESSIONS, seats=SEATS, priority=st.sampled_from([0, 0, 0, 5]))
    def join(self, sessions: tuple[str, ...], seats: int, priority: int) -> None:
        world = self.world
        open_now = [name for name in sessions if self.open_to_all(world.sessions[name], seats)]
        try:
            world.join(next(self.names), *sessions, seats=seats, priority=priority)
        except SeatFree:
            assert open_now
        else:
            assert not open_now or world.preset.mode == "splitter"

    @rule(data=st.data(), verb=st.sampled_from(["accept", "decline", "leave"]))
    def answer(self, data: st.DataObject, verb: str) -> None:
        if names := sorted(self.world.queue.offered):
            name = data.draw(st.sampled_from(names))
            try:
                getattr(self.world, verb)(name)
            except (HoldLapsed, IllegalMove):
                ran_out = self.world.booked(self.world.entries[name].booking or "").booking
                assert verb == "accept"
                assert ran_out.status == "cancelled" or (ran_out.expires_at or 0) <= self.world.now

    @rule(data=st.data(), verb=st.sampled_from(["leave", "smaller", "larger", "pause"]))
    def change_mind(self, data: st.DataObject, verb: str) -> None:
        if names := sorted(self.world.queue.places):
            name = data.draw(st.sampled_from(names))
            seats = self.world.queue.places[name].seats
            if verb == "leave":
                self.world.leave(name)
            elif verb == "pause":
                self.world.change(name, author=BY_OPERATOR, paused=data.draw(st.booleans()))
            elif 1 <= (wanted := seats + (1 if verb == "larger" else -1)) <= 3:
                self.world.change(name, seats=wanted)

    @rule(data=st.data(), paused=st.booleans())
    def put_on(self, data: st.DataObject, paused: bool) -> None:
        if names := [b.id for b in self.world.bookings.values() if b.status == "confirmed"]:
            self.world.put_on(data.draw(st.sampled_from(names)), paused=paused)

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        if names := [name for name, entry in self.world.entries.items() if entry.status in ("left", "expired")]:
            self.world.put_back(data.draw(st.sampled_from(names)))

    @rule(data=st.data(), as_offer=st.booleans())
    def promote(self, data: st.DataObject, as_offer: bool) -> None:
        """Out of turn, by hand: whenever the seats are there."""
        if names := sorted(self.world.queue.places):
            name = data.draw(st.sampled_from(names))
            place, world = self.world.queue.places[name], self.world
            fits = any(self.left(world.sessions[s]) >= place.seats for s in place.wish.sessions)
            try:
                world.promote(name, as_offer=as_offer)
            except SlotTaken:
                assert not fits
            else:
                assert fits

    @rule(minutes=st.sampled_from([1, 10, 120, 121]))
    def time_passes(self, minutes: int) -> None:
        self.world.now += minutes * MINUTE_MS

    @rule(data=st.data())
    def sweep_a_hold(self, data: st.DataObject) -> None:
        """One that is no offer; the task looks after offers."""
        held = [b.id for b in self.world.bookings.values() if b.status == "held" and b.entry is None]
        if held:
            self.world.lapse(data.draw(st.sampled_from(held)))

    @rule()
    def serve(self) -> None:
        """The task runs to its end: at each of its turns, the one who is served is the one whose turn it is."""
        world = self.world
        for _ in range(100):
            expected = None if self.unsettled() else self.whose_turn()
            before = len(world.history)
            if not world.step():
                assert expected is None
                return
            served = [e.entry for e in world.history[before:] if e.what in ("waitlist.offered", "waitlist.booked")]
            assert served == ([] if expected is None else [expected])
        raise AssertionError("the task never comes to an end")

    @invariant()
    def the_truth(self) -> None:
        self.world.truth()

    # ---- The model

    def left(self, session: Session) -> int:
        held = sum(hold.seats for hold in session.holds.values() if self.world.now < hold.expires_at)
        return session.capacity - sum(session.seats.values()) - held

    def waiting(self) -> list[tuple[str, Place]]:
        """Those who wait and are not left to an operator, in their order."""
        places = [(name, place) for name, place in self.world.queue.places.items() if not place.paused]
        return sorted(places, key=lambda one: (-one[1].priority, one[1].joined_at, one[0]))

    def open_to_all(self, session: Session, seats: int) -> bool:
        left = self.left(session)
        parties = [place.seats for _, place in self.waiting() if session.id in place.wish.sessions]
        if parties and left > 0 and (self.world.preset.party == "strict" or left >= min(parties)):
            return False
        return left >= seats

    def unsettled(self) -> bool:
        offers = (self.world.bookings[offer.booking] for offer in self.world.queue.offered.values())
        return any(b.status != "held" or (b.expires_at or 0) <= self.world.now for b in offers)

    def whose_turn(self) -> str | None:
        if self.world.preset.mode == "manual":
            return None
        kept: set[str] = set()
        for name, place in self.waiting():
            for session in place.wish.sessions:
                at = self.world.sessions[session]
                if self.left(at) >= place.seats and session not in kept and at.start not in place.declined:
                    return name
            if self.world.preset.party == "strict":
                kept |= {s for s in place.wish.sessions if 0 < self.left(self.world.sessions[s]) < place.seats}
        return None


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=60, stateful_step_count=40)
