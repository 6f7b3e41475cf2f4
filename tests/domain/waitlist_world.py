"""A business in memory: what the store would hold after each decision about a class and those who wait for it.

`World` reads and commits as the functions do, without store and network; `truth` says what must hold at every moment.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar

from functions.adapters.store.history import history_records
from functions.domain import appointments, holding
from functions.domain.appointments import Booked, BookingRequest
from functions.domain.attendance import Verb, note_attendance
from functions.domain.availability import ClientBooking, Question, ResourceState
from functions.domain.capacity import Below, set_capacity
from functions.domain.configuration import Resource, Service
from functions.domain.decision import AnyRef, Author, Decision, Effect, HistoryEntry
from functions.domain.instants import MINUTE_MS
from functions.domain.ledger import enter, move
from functions.domain.missing_event import Missing, decide_missing
from functions.domain.recalculation import in_question, recalculate
from functions.domain.roster import Roster, cancel_roster, move_session, set_closed
from functions.domain.seating import gives_up_time, seated
from functions.domain.session import Booking, Client, Session
from functions.domain.standing import Obstacle, Scene
from functions.domain.transitions import BOOKING, ENTRY, SESSION, Table
from functions.domain.waitlist import answering, joining, leaving, serving
from functions.domain.waitlist.entry import Queue, WaitlistEntry, Wish
from functions.domain.waitlist.keeping import waiting_for
from functions.domain.waitlist.passing import nobody_served
from functions.domain.waitlist.preset import RULE, Preset
from functions.domain.waitlist.snapshot import Waitlist
from tests.domain.builders import (
    BY_CLIENT,
    BY_OPERATOR,
    CALENDAR,
    EVERY_DAY,
    FAR,
    NOW,
    Ledger,
    apply,
    contents,
    copy,
    hours,
    minute,
    rebuilt,
    resource,
    seating,
    service,
    weekly,
)

A = TypeVar("A")

TEN = minute("2027-03-01T10:00Z")
NOON = minute("2027-03-01T12:00Z")
ALWAYS = hours(weekly("00:00", "24:00", EVERY_DAY), zone="UTC")
EVENT = {"kind": "event", "capacity": 3, "duration_minutes": 60, "step_minutes": 60}


def rules(**changes: Any) -> Preset:
    return Preset(**{"id": "rules", "name": "Rules"} | changes)


def person(name: str) -> Client:
    return Client(name=name.title(), email=f"{name.replace(' ', '')}@example.com")


@dataclass
class World:
    """One service, what is booked of it and who waits. Every id is the name that the test gave."""

    service: Service = field(default_factory=lambda: service(**EVENT))
    preset: Preset = field(default_factory=rules)
    resources: tuple[Resource, ...] = field(default_factory=lambda: (resource("anna", hours=ALWAYS),))
    presets: dict[str, Preset] = field(default_factory=dict)
    time_zone: str = "UTC"
    now: int = NOW
    sessions: dict[str, Session] = field(default_factory=dict)
    bookings: dict[str, Booking] = field(default_factory=dict)
    entries: dict[str, WaitlistEntry] = field(default_factory=dict)
    queue: Queue = field(default_factory=lambda: Queue(id="cut"))
    ledger: Ledger = field(default_factory=dict)
    history: list[HistoryEntry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    made: int = 0
    looks_at_history: bool = True  # at what each commit says of itself; that takes its time
    marks_at_once: bool = True  # a session says who waits for it in every commit, and not from the next look on

    # Reading

    @property
    def states(self) -> tuple[ResourceState, ...]:
        return tuple(
            ResourceState(
                resource=each,
                months=tuple(month for month in self.ledger.values() if month.resource == each.id),
                known_until=FAR,
            )
            for each in self.resources
        )

    @property
    def waitlist(self) -> Waitlist:
        return Waitlist(
            service=self.service,
            states=self.states,
            queue=self.queue,
            preset=self.preset,
            presets=self.presets,
            sessions=self.sessions,
            time_zone=self.time_zone,
            now=self.now,
        )

    def question(self, **more: Any) -> Question:
        return Question(service=self.service, states=self.states, now=self.now, **more)

    def booked(self, booking: str) -> Booked:
        found = self.bookings[booking]
        return Booked(found, self.sessions[found.session])

    # Committing

    def commit(self, decision: Decision[A]) -> A:
        """Raises `ForgottenHistory` as the store would."""
        if self.looks_at_history:
            history_records(decision, self._as_read, commit_id="", now=self.now)
        return self._written(decision)

    def _written(self, decision: Decision[A]) -> A:
        for document in decision.documents:
            match document:
                case Session():
                    must_be_a_step(SESSION, self.sessions.get(document.id), document, {"open"})
                    self.sessions[document.id] = document
                case Booking():
                    must_be_a_step(BOOKING, self.bookings.get(document.id), document, {"held", "confirmed"})
                    self.bookings[document.id] = document
                case WaitlistEntry():
                    must_be_a_step(ENTRY, self.entries.get(document.id), document, {"waiting"})
                    self.entries[document.id] = document
                case Queue():
                    self.queue = document
                case _:
                    raise AssertionError(document)
        self.ledger = apply(self.ledger, decision.changes)
        self.history += decision.history
        self.effects += decision.effects
        return decision.answer

    def _as_read(self, ref: AnyRef) -> Any:
        known: dict[type[Any], Mapping[str, Any]] = {
            Session: self.sessions,
            Booking: self.bookings,
            WaitlistEntry: self.entries,
        }
        return known[ref.type].get(ref.id)

    def schedule(self, name: str, start: int = TEN, **changes: Any) -> Session:
        made = Session(
            id=name,
            service=self.service.id,
            start=start,
            end=start + self.service.duration_minutes,
            taken_from=start,
            taken_until=start + self.service.duration_minutes,
            created_at=self.now,
            **{"capacity": self.service.capacity, "scheduled": True, "resources": ("anna",)} | changes,
        )
        self._written(Decision(answer=None, documents=(made,), changes=enter(made.resources, made.occupation)))
        return made

    def full(self, name: str = "ten", start: int = TEN, **changes: Any) -> Session:
        """A session that is scheduled, and sold out to people whose names begin with its own."""
        made = self.schedule(name, start, **changes)
        for number in range(made.capacity):
            self.book(f"{name}{number}", start)
        return made

    def moves(self, moved: Session) -> None:
        """Somebody moves a session, in Google for one."""
        before = self.sessions[moved.id]
        self._written(
            Decision(
                answer=None,
                documents=(moved, *(seated(self.bookings[name], moved) for name in (*moved.seats, *moved.holds))),
                changes=move(moved.resources, before.occupation, moved.occupation),
            )
        )

    def is_cancelled(self, name: str) -> None:
        """Somebody deletes the session's event in Google, and it is in no other calendar."""
        session = self.sessions[name].with_copy(copy(missing_since=self.now))
        missing = Missing(
            calendar=CALENDAR,
            session=session,
            bookings=tuple(self.bookings[booking] for booking in (*session.seats, *session.holds)),
            service=self.service.model_copy(update={"on_calendar_delete": "cancel"}),
            certain=True,
            now=self.now,
        )
        self.commit(decide_missing(missing))

    def has_rules(self, session: str, preset: Preset) -> None:
        """A session gets rules of its own."""
        self.presets[preset.id] = preset
        self.sessions[session] = self.sessions[session].model_copy(update={"waitlist": preset.id})

    # What people do

    def request(self, name: str, start: int) -> BookingRequest:
        return BookingRequest(booking=name, session=f"of {name}", manage_hash="hash", start=start, client=person(name))

    def book(self, name: str, start: int = TEN, seats: int = 1) -> Booked:
        there = seating(self.question(seats=seats), start, *self.sessions.values())
        return self.commit(appointments.book(self.request(name, start), there, author=BY_CLIENT))

    def hold(self, name: str, start: int = TEN, seats: int = 1) -> Booked:
        there = seating(self.question(seats=seats), start, *self.sessions.values())
        return self.commit(holding.hold(self.request(name, start), there, author=BY_CLIENT))

    def ask(self, name: str, start: int = TEN, seats: int = 1) -> Booked:
        """A request, which an operator has to confirm."""
        there = seating(self.question(seats=seats), start, *self.sessions.values())
        return self.commit(holding.ask(self.request(name, start), there, author=BY_CLIENT))

    def confirm(self, name: str, author: Author) -> Booked:
        booking, session = (booked := self.booked(name)).booking, booked.session
        said = {"client": booking.client, "notes": booking.notes, "question": self.question(), "author": author}
        return self.commit(holding.confirm(booking, session, **said))

    def reschedule(self, name: str, start: int) -> Booked:
        booked = self.booked(name)
        booking, session = booked.booking, booked.session
        moving = session.id if gives_up_time(booking, session) else None
        asked = self.question(seats=booking.seats, moving=moving)
        self.made += 1
        return self.commit(
            appointments.reschedule(
                booking,
                session,
                seating(asked, start, *self.sessions.values()),
                new_session=f"moved to {self.made}",
                author=BY_CLIENT,
            )
        )

    def cancel(self, name: str, author: Author = BY_CLIENT) -> Booked:
        booked = self.booked(name)
        return self.commit(
            appointments.cancel(booked.booking, booked.session, now=self.now, author=author, reason=None)
        )

    def lapse(self, name: str) -> Booked:
        booked = self.booked(name)
        return self.commit(holding.lapse(booked.booking, booked.session, now=self.now))

    def join(
        self,
        name: str,
        *sessions: str,
        starts: tuple[int, ...] = (),
        asked: joining.Asked | None = None,
        seats: int = 1,
        **more: Any,
    ) -> WaitlistEntry:
        """For these sessions (the one at ten, if nothing is named), for any of these starts, or for whatever is asked."""
        asked = asked or joining.Asked(sessions=sessions or ("ten",))
        wish = Wish(starts=starts, start=starts[0], end=starts[-1] + 1) if starts else None
        fields: dict[str, Any] = {
            "entry": name,
            "manage_hash": "hash",
            "client": person(name),
            "wish": wish or joining.wish_of(asked, self.waitlist),
            "seats": seats,
        }
        return self.commit(joining.join(joining.Join(**fields | more), self.waitlist, author=BY_CLIENT))

    def accept(self, name: str) -> Booked:
        entry = self.entries[name]
        return self.commit(answering.accept(entry, self.booked(entry.booking or ""), self.waitlist, author=BY_CLIENT))

    def decline(self, name: str) -> WaitlistEntry:
        entry = self.entries[name]
        return self.commit(answering.decline(entry, self.booked(entry.booking or ""), self.waitlist, author=BY_CLIENT))

    def leave(self, name: str, *, author: Author = BY_CLIENT) -> WaitlistEntry:
        entry = self.entries[name]
        offer = self.booked(entry.booking) if entry.booking else None
        return self.commit(leaving.leave(entry, offer, self.waitlist, author=author))

    def change(self, name: str, *, author: Author = BY_CLIENT, **wanted: Any) -> WaitlistEntry:
        return self.commit(leaving.change(self.entries[name], leaving.Change(**wanted), self.waitlist, author=author))

    def put_back(self, name: str) -> WaitlistEntry:
        return self.commit(leaving.put_back(self.entries[name], self.waitlist, author=BY_OPERATOR))

    def put_on(self, booking: str, *, paused: bool = True) -> WaitlistEntry:
        booked = self.booked(booking)
        known = self.entries.get(booked.booking.entry or "")
        if known is None or known.status != "booked":
            known = leaving.entry_of(booked.booking, entry=f"again {booking}", manage_hash="hash", now=self.now)
        return self.commit(leaving.put_on(booked, known, self.waitlist, author=BY_OPERATOR, paused=paused))

    def offer(self, name: str, *sessions: str, **more: Any) -> Booked:
        """Somebody who waits, and has an offer because a seat came free."""
        if name not in self.entries:
            self.join(name, *sessions, **more)
        booking = next(iter(self.sessions[sessions[0] if sessions else "ten"].seats))
        self.cancel(booking)
        self.serve_all()
        return self.booked(self.entries[name].booking or "")

    def promote(self, name: str, *, as_offer: bool = False, **what: Any) -> Booked:
        turn = serving.turn_of(
            self.waitlist,
            self.entries[name],
            session=what.get("session"),
            start=what.get("start"),
            as_offer=as_offer,
        )
        return self._serve(turn, self.waitlist, author=BY_OPERATOR)

    # What operators do to a session

    def roster(self, session: str) -> Roster:
        there = self.sessions[session]
        bookings = (self.bookings[name] for name in (*there.seats, *there.holds))
        return Roster(session=there, bookings=tuple(sorted(bookings, key=lambda each: (each.created_at, each.id))))

    def resize(self, session: str, capacity: int, below: Below | None = None) -> Roster:
        return self.commit(set_capacity(self.roster(session), capacity, below=below, now=self.now, author=BY_OPERATOR))

    def close(self, session: str, closed: bool) -> Roster:
        return self.commit(set_closed(self.roster(session), closed=closed, now=self.now, author=BY_OPERATOR))

    def call_off(self, session: str) -> Roster:
        return self.commit(cancel_roster(self.roster(session), now=self.now, author=BY_OPERATOR, reason=None))

    def put_at(self, session: str, start: int) -> Roster:
        return self.commit(move_session(self.roster(session), start, self.question(), author=BY_OPERATOR))

    def attend(self, name: str, verb: Verb) -> Booked:
        booking, session = (booked := self.booked(name)).booking, booked.session
        return self.commit(note_attendance(booking, session, verb, now=self.now, author=BY_OPERATOR))

    # What the tasks do

    def recalculate(self) -> None:
        """The sessions are looked at again."""
        scene = Scene(
            resources={each.id: each for each in self.resources},
            services={self.service.id: self.service},
            months={state.resource.id: state.months for state in self.states},
            now=self.now,
            known_until={each.id: FAR for each in self.resources},
        )
        sessions = [self.sessions[entry.session] for entry in in_question(scene)]
        self.commit(recalculate(scene, sessions, self.bookings.values()))

    def step(self) -> bool:
        """One step of the task that serves the line; False where there was nothing to do."""
        for name, offer in self.queue.offered.items():
            settled = answering.settle(self.entries[name], self.booked(offer.booking), self.waitlist)
            if not settled.writes_nothing:
                self.commit(settled)
                return True
        for name, place in self.queue.places.items():
            if self.waitlist.is_hopeless(place):
                self.commit(leaving.give_up(self.entries[name], self.waitlist))
                return True
        turn, waitlist = serving.next_turn_within_limits(self.waitlist, self.bookings_of)
        if turn is None:
            self.commit(nobody_served(waitlist))
            return False
        self._serve(turn, waitlist)
        return True

    def bookings_of(self, client_key: str) -> tuple[ClientBooking, ...]:
        """What counts against a client's limits."""
        theirs = (b for b in self.bookings.values() if b.client_key == client_key and b.status != "cancelled")
        sessions = [self.sessions[booking.session] for booking in theirs]
        return tuple(ClientBooking(service=self.service.id, start=s.start, end=s.end) for s in sessions)

    def serve_all(self) -> list[str]:
        """Runs the task to its end; who was served, in that order."""
        before = len(self.history)
        while self.step():
            pass
        served = ("waitlist.offered", "waitlist.booked")
        return [entry.entry or "" for entry in self.history[before:] if entry.what in served]

    def _serve(self, turn: serving.Turn, waitlist: Waitlist, author: Author = RULE) -> Booked:
        self.made += 1
        ids = serving.NewIds(booking=f"turn {self.made}", session=f"made {self.made}", manage_hash="hash")
        return self.commit(serving.serve(waitlist, turn, self.entries[turn.entry], ids=ids, author=author))

    # What must hold

    def truth(self, *, marks: bool = False) -> None:
        """`marks`: the task has just looked."""
        assert contents(self.ledger) == rebuilt(*self.sessions.values())
        for session in self.sessions.values():
            self._truth_of(session)
            if session.status == "open" and (marks or self.marks_at_once):
                assert session.waiting == waiting_for(session, self.waitlist)
        waiting = {name: entry.place for name, entry in self.entries.items() if entry.status == "waiting"}
        assert set(waiting) == set(self.queue.places)
        offered = {name: entry.booking for name, entry in self.entries.items() if entry.status == "offered"}
        assert offered == {name: offer.booking for name, offer in self.queue.offered.items()}

    def _truth_of(self, session: Session) -> None:
        promised = [b for b in self.bookings.values() if b.session == session.id and self._counts(b)]
        flagged = [b for b in promised if b.conflict is not None and b.conflict.reason == Obstacle.OVER_CAPACITY]
        seated = sum(b.seats for b in promised if b not in flagged)
        assert seated <= session.capacity, "no seat is sold twice, but where an operator took it away and both know"
        assert not flagged or session.in_conflict(Obstacle.OVER_CAPACITY)
        owners = {b.id: b for b in self.bookings.values() if b.session == session.id and b.status != "cancelled"}
        sold = {name: b.seats for name, b in owners.items() if b.status in ("confirmed", "completed", "no_show")}
        kept = {name: b.seats for name, b in owners.items() if b.status == "held"}
        assert session.seats == sold, "every seat has exactly one owner"
        assert {name: hold.seats for name, hold in session.holds.items()} == kept

    def _counts(self, booking: Booking) -> bool:
        """Whether its seats are sold, or kept for somebody at the moment."""
        return booking.status != "cancelled" and not (
            booking.status == "held" and (booking.expires_at or 0) <= self.now
        )


Living = TypeVar("Living", Session, Booking, WaitlistEntry)


def must_be_a_step(table: Table, before: Living | None, after: Living, first: Set[str]) -> None:
    """What a commit writes goes from one status to another by a single step of the table, or begins with one of the `first`."""
    if before is None:
        assert after.status in first
    elif before.status != after.status:
        steps = {(status, to) for (status, _), to in table.items()}
        assert (before.status, after.status) in steps, f"{after.id}: {before.status} to {after.status}"


def at(text: str) -> int:
    """The millisecond at which a minute of that Monday begins."""
    return minute(f"2027-03-01T{text}Z") * MINUTE_MS
