"""What every decision about a waitlist is made from, as it was read for one commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from functions.domain.availability import ClientBooking, Offer, Question, ResourceState, offers
from functions.domain.configuration import Service
from functions.domain.errors import IllegalMove
from functions.domain.instants import MINUTE_MS, Millis, Minute, minute_of_millis
from functions.domain.intervals import Interval
from functions.domain.session import Session
from functions.domain.waitlist.entry import Place, Queue, WaitlistEntry, Wish
from functions.domain.waitlist.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Waitlist:
    """A service's queue, with everything that those who wait in it could get.

    `states` hold the service's resources over all that is waited for. `sessions`, by id: the running ones that are waited for or could be given out.
    `preset` is the service's, `presets` those that some sessions have instead, by id. `clients`: by their key, what counts against the limits of
    those of whom it has been read. `time_zone` is the account's.
    """

    service: Service
    states: tuple[ResourceState, ...]
    queue: Queue
    preset: Preset
    time_zone: str
    now: Millis
    presets: Mapping[str, Preset] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    clients: Mapping[str, tuple[ClientBooking, ...]] = field(default_factory=dict)
    # The engine's answers, because in one line hundreds ask it the same. The same states give the same answers, so copies share them.
    answered: dict[object, list[Offer]] = field(default_factory=dict, repr=False, compare=False)

    def with_queue(self, queue: Queue) -> "Waitlist":
        return replace(self, queue=queue)

    def with_client(self, key: str, bookings: tuple[ClientBooking, ...]) -> "Waitlist":
        return replace(self, clients={**self.clients, key: bookings})

    def place_of(self, entry: WaitlistEntry) -> Place:
        """Where somebody waits. Raises `IllegalMove` where they do not, or not any more by the time the queue was read."""
        if entry.status != "waiting":
            raise IllegalMove(f"This one is {entry.status}, and waits no longer.", current_status=entry.status)
        if entry.id not in self.queue.places:
            raise IllegalMove("This place has changed a moment ago. Look at it again.")
        return self.queue.places[entry.id]

    # Rules

    @property
    def rules(self) -> tuple[Preset, ...]:
        """All that hold for anything of this service, each once."""
        return tuple(dict.fromkeys((self.preset, *self.presets.values())))

    def rules_of(self, session: Session | None) -> Preset:
        """What holds for a session: its own preset, or the service's."""
        own = None if session is None or session.waitlist is None else self.presets.get(session.waitlist)
        return own or self.preset

    def rules_for(self, wish: Wish) -> Preset:
        """What somebody's turn goes by: the rules of the first of the sessions that they name, else the service's."""
        return self.rules_of(self.sessions.get(wish.sessions[0]) if wish.sessions else None)

    def room_in(self, session: Session | None) -> int:
        """The largest party that there could ever be room for, in this session or (None) in a new one."""
        if session is None:
            return self.service.capacity
        # Of an appointment nobody may ask for more than the service has, also where a session is larger from an earlier time.
        return min(session.capacity, self.service.capacity) if self.service.kind == "appointment" else session.capacity

    # What is open

    def question(self, place: Place, *, seats: int | None = None, from_waitlist: bool = True) -> Question:
        return Question(
            service=self.service,
            states=self.states,
            now=self.now,
            seats=place.seats if seats is None else seats,
            duration=place.wish.duration,
            resource=place.wish.resource,
            client=self.clients.get(place.client_key),
            from_waitlist=from_waitlist,
        )

    def offers(self, question: Question, within: Interval) -> list[Offer]:
        """What is open, as the engine says."""
        asked = (question.seats, question.duration, question.resource, question.client, question.from_waitlist, within)
        if asked not in self.answered:
            self.answered[asked] = offers(question, within)
        return self.answered[asked]

    # What is waited for

    @property
    def earliest(self) -> Minute:
        """The first minute at which anything may begin that is booked now."""
        return minute_of_millis(self.now) + self.service.notice_minutes

    def starts_of(self, wish: Wish) -> tuple[Minute, ...]:
        """The starts of what is named, as things are now; none where it is cancelled, or where nothing is named."""
        if not wish.sessions:
            return wish.starts
        running = (self.sessions.get(name) for name in wish.sessions)
        return tuple(sorted({s.start for s in running if s is not None and s.status == "open"}))

    def span_of(self, wish: Wish) -> Interval | None:
        """From the first start that is waited for to the last, as things are now; None where all of it is cancelled."""
        if wish.is_range:
            return Interval(wish.start, wish.end)
        starts = self.starts_of(wish)
        return Interval(starts[0], starts[-1] + 1) if starts else None

    def names(self, wish: Wish, session: Session) -> bool:
        """Whether it is waited for in particular, and not as one of a range."""
        if self.service.kind == "event" or wish.is_range:
            return session.id in wish.sessions
        length = self.service.duration_minutes if wish.duration is None else wish.duration
        return (
            wish.accepts(session.start, session.id)
            and session.end - session.start == length
            and wish.resource in (None, *session.resources)
        )

    def is_hopeless(self, place: Place) -> bool:
        """Whether nothing is left that this one could get: it has begun or is about to, is cancelled, or they did not want it."""
        if place.wish.is_range:
            return place.wish.end <= self.earliest
        return not any(start >= self.earliest for start in {*self.starts_of(place.wish)} - {*place.declined})

    @cached_property
    def span(self) -> Interval:
        """From the first to the last start that anybody waits for, and that can still be had."""
        spans = [span for place in self.queue.places.values() if (span := self.span_of(place.wish)) is not None]
        if not spans:
            return Interval(0, 0)
        return Interval(max(self.earliest, min(s.start for s in spans)), max(s.end for s in spans))

    def is_over(self, start: Minute, preset: Preset) -> bool:
        """Whether automation has ended for what starts then."""
        return (start - preset.cutoff_minutes) * MINUTE_MS <= self.now
