"""Clients book, join, leave and move, in any order: no seat is sold twice, none is lost, and the ledger says what the sessions say."""

from collections import Counter
from itertools import combinations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from functions.domain.appointments import Booked, book, cancel, gives_up_time, may_move, reschedule
from functions.domain.availability import Question, ResourceState
from functions.domain.configuration import Service
from functions.domain.decision import Decision
from functions.domain.errors import SlotTaken
from functions.domain.intervals import Interval
from functions.domain.session import Booking, Session
from functions.domain.transitions import BOOKING, SESSION
from tests.domain.builders import (
    BY_CLIENT,
    EVERY_DAY,
    FAR,
    NOW,
    Ledger,
    apply,
    contents,
    hours,
    minute,
    rebuilt,
    request,
    resource,
    seating,
    service,
    weekly,
)
from tests.domain.waitlist_world import must_be_a_step

RESOURCES = [resource(name, hours=hours(weekly("12:00", "12:00", EVERY_DAY), zone="UTC")) for name in ("anna", "ben")]
BUFFERS = {"buffer_before_minutes": 15, "buffer_after_minutes": 30}
RULES = {"duration_minutes": 60, "step_minutes": 30, "resources": ("anna", "ben")}
SERVICES = (
    service(id="yoga", capacity=3, **RULES, **BUFFERS),
    service(id="duet", capacity=2, assignment="all", **RULES),
)
# Around the end of a month, so that sessions and their buffers lie across it; and few, so that clients meet. The first two overlap.
STARTS = st.sampled_from(
    [minute(f"2027-{start}Z") for start in ("03-31T20:00", "03-31T20:30", "03-31T23:30", "04-01T02:00")]
)
CHOSEN = st.sampled_from([None, None, "anna", "ben"])
SEATS = st.sampled_from([1, 1, 1, 2, 3])
MOSTLY_THE_CLASS = st.sampled_from([0, 0, 0, 1])


class Studio(RuleBasedStateMachine):
    """Two resources, which serve a class of three each and one of two together; and every client's bookings."""

    def __init__(self) -> None:
        super().__init__()
        self.months: Ledger = {}
        self.sessions: dict[str, Session] = {}
        self.bookings: dict[str, Booking] = {}

    @rule(which=MOSTLY_THE_CLASS, seats=SEATS, start=STARTS, chosen=CHOSEN)
    def books(self, which: int, seats: int, start: int, chosen: str | None) -> None:
        rules, number = SERVICES[which], len(self.bookings)
        asked = self._asked(rules, seats=min(seats, rules.capacity), resource=chosen)
        wish = request(start, booking=f"b{number}", session=f"s{number}")
        possible = self._has_room(asked, start)
        try:
            decision = book(wish, seating(asked, start, *self.sessions.values()), author=BY_CLIENT)
        except SlotTaken:
            assert not possible
        else:
            assert possible
            self._commit(decision)

    @rule(which=st.integers(0, 20))
    def cancels(self, which: int) -> None:
        if self._confirmed():
            booking = self._confirmed()[which % len(self._confirmed())]
            decision = cancel(booking, self.sessions[booking.session], now=NOW, author=BY_CLIENT, reason=None)
            self._commit(decision)

    @rule(which=st.integers(0, 20), start=STARTS, chosen=CHOSEN)
    def reschedules(self, which: int, start: int, chosen: str | None) -> None:
        if not self._confirmed():
            return
        booking = self._confirmed()[which % len(self._confirmed())]
        session = self.sessions[booking.session]
        if session.start == start:
            return
        may_move(booking, session, now=NOW)
        moving = session.id if gives_up_time(booking, session) else None
        rules = next(each for each in SERVICES if each.id == booking.service)
        asked = self._asked(rules, seats=booking.seats, resource=chosen, moving=moving)
        possible = self._has_room(asked, start)
        new = f"{booking.id} at {start}, {session.version}"
        try:
            there = seating(asked, start, *self.sessions.values())
            decision = reschedule(booking, session, there, new_session=new, author=BY_CLIENT)
        except SlotTaken:
            assert not possible
        else:
            assert possible
            assert decision.answer.session.start == start
            self._commit(decision)

    @invariant()
    def the_ledger_says_what_the_sessions_say(self) -> None:
        assert contents(self.months) == rebuilt(*self.sessions.values())

    @invariant()
    def no_session_has_more_seats_sold_than_it_has(self) -> None:
        assert all(sum(each.seats.values()) <= each.capacity for each in self.sessions.values())

    @invariant()
    def every_seat_has_one_owner(self) -> None:
        seats = Counter({(s.id, name): count for s in self.sessions.values() for name, count in s.seats.items()})
        assert seats == Counter({(each.session, each.id): each.seats for each in self._confirmed()})

    @invariant()
    def a_session_is_open_just_as_long_as_somebody_sits_in_it(self) -> None:
        assert all((each.status == "open") == bool(each.seats) for each in self.sessions.values())

    @invariant()
    def no_resource_is_in_two_sessions_at_the_same_time(self) -> None:
        for one, other in combinations(self._open(), 2):
            shared = set(one.resources) & set(other.resources)
            assert not (shared and one.occupation.taken.overlaps(other.occupation.taken))

    def _commit(self, decision: Decision[Booked]) -> None:
        names = [(type(each), each.id) for each in decision.documents]  # type: ignore[attr-defined]
        places = [(change.resource, change.month) for change in decision.changes]
        assert len({*names}) == len(names)
        assert len({*places}) == len(places)
        for each in decision.documents:
            if isinstance(each, Session):
                must_be_a_step(SESSION, self.sessions.get(each.id), each, {"open"})
            elif isinstance(each, Booking):
                must_be_a_step(BOOKING, self.bookings.get(each.id), each, {"held", "confirmed"})
        self.months = apply(self.months, decision.changes)
        self.sessions |= {each.id: each for each in decision.documents if isinstance(each, Session)}
        self.bookings |= {each.id: each for each in decision.documents if isinstance(each, Booking)}

    def _asked(self, rules: Service, *, resource: str | None, seats: int, moving: str | None = None) -> Question:
        states = tuple(
            ResourceState(
                resource=each,
                months=tuple(month for (name, _), month in self.months.items() if name == each.id),
                known_until=FAR,
            )
            for each in RESOURCES
        )
        chosen = None if rules.assignment == "all" else resource
        return Question(service=rules, states=states, now=NOW, seats=seats, resource=chosen, moving=moving)

    def _has_room(self, asked: Question, start: int) -> bool:
        """Whether a session that runs then has the seats, or a new one the time; worked out from the sessions alone."""
        rules = asked.service
        needed = Interval(start - rules.buffer_before_minutes, start + 60 + rules.buffer_after_minutes)
        others = [each for each in self._open() if each.id != asked.moving]
        joins = any(
            each.service == rules.id
            and each.start == start
            and asked.resource in (None, *each.resources)
            and sum(each.seats.values()) + asked.seats <= each.capacity
            for each in others
        )
        taken = {name for each in others if each.occupation.taken.overlaps(needed) for name in each.resources}
        if rules.assignment == "all":
            return joins or not taken
        return joins or bool(({asked.resource} if asked.resource else set(rules.resources)) - taken)

    def _confirmed(self) -> list[Booking]:
        return [each for each in self.bookings.values() if each.status == "confirmed"]

    def _open(self) -> list[Session]:
        return [each for each in self.sessions.values() if each.status == "open"]


TestStudio = Studio.TestCase
TestStudio.settings = settings(stateful_step_count=25)
