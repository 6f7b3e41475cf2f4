"""What every decision about a waitlist is made from, as it was read for one commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from functions.domain.availability import ClientBooking, Offer, Question, ResourceState, offers
from functions.domain.configuration import Service
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.intervals import Interval
from functions.domain.session import Session
from functions.domain.waitlist.entry import Place, Queue, Wish
from functions.domain.waitlist.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Waitlist:
    """A service's queue, with everything that those who wait in it could get.

    `states` hold the service's resources over all that is waited for. `sessions`: those that are waited for by name, by id. `preset` is the service's,
    `presets` those that some sessions have instead, by id. `clients`: by their key, what counts against the limits of those of whom it has been
    read. `time_zone` is the account's.
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
    # The engine's answers, because in one line hundreds ask it the same.
    _asked: dict[object, list[Offer]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_queue(self, queue: Queue) -> "Waitlist":
        return replace(self, queue=queue)

    def rules_of(self, session: Session | None) -> Preset:
        """What holds for a session: its own preset, or the service's."""
        own = None if session is None or session.waitlist is None else self.presets.get(session.waitlist)
        return own or self.preset

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
        if asked not in self._asked:
            self._asked[asked] = offers(question, within)
        return self._asked[asked]

    @property
    def span(self) -> Interval:
        """From the first to the last start that anybody waits for."""
        wishes = [place.wish for place in self.queue.places.values()]
        spans = [span for wish in wishes if (span := self.span_of(wish)) is not None]
        return Interval(min(s.start for s in spans), max(s.end for s in spans)) if spans else Interval(0, 0)

    def span_of(self, wish: Wish) -> Interval | None:
        """The starts that are waited for, as things are now; None where all of it is cancelled."""
        if not wish.sessions:
            return Interval(wish.start, wish.end)
        running = (self.sessions.get(name) for name in wish.sessions)
        starts = {*wish.starts, *(s.start for s in running if s is not None and s.status == "open")}
        return Interval(min(starts), max(starts) + 1) if starts else None

    def is_over(self, start: Minute, preset: Preset) -> bool:
        """Whether automation has ended for what starts then."""
        return (start - preset.cutoff_minutes) * MINUTE_MS <= self.now
