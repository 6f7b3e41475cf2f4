"""What is asked of the engine: a service, at the resources that can serve it, at a moment; and the rules that can close a start."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from functions.domain.configuration import Resource, Service
from functions.domain.instants import Millis, Minute
from functions.domain.ledger import LedgerChange, LedgerMonth, apply_changes
from functions.domain.staleness import Staleness


class Closed(StrEnum):
    """The rules that can close a start."""

    INACTIVE = "inactive"
    NOBODY = "nobody_serves"
    DURATION = "duration_not_offered"
    TOO_MANY_SEATS = "too_many_seats"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    OUTSIDE_HOURS = "outside_hours"
    OFF_GRID = "off_grid"
    NOT_SCHEDULED = "not_scheduled"
    SESSION = "session"
    BUFFER = "buffer"
    BUSY = "busy"
    FULL = "full"
    WAITLIST = "waitlist"
    CLOSED = "closed"
    LIMIT = "limit"
    CALENDAR_UNKNOWN = "calendar_unknown"


# Closed because somebody or something has the time or the seats: it may open again.
TAKEN = frozenset({Closed.SESSION, Closed.BUFFER, Closed.BUSY, Closed.FULL, Closed.WAITLIST})


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """What the decision knows of one resource: its rules, its ledger months, and up to which minute its calendars are known.

    `months` must hold every ledger month that a start in question touches with its buffers and, where there are limits, every one that the limits'
    days, weeks and months touch. `least_known` is the calendar that sets `known_until`, and was read last at `last_read`, if ever. `staleness`: the rules
    by which that time counts as known or not.
    """

    resource: Resource
    months: tuple[LedgerMonth, ...]
    known_until: Minute
    least_known: str | None = None
    last_read: Millis | None = None
    staleness: Staleness | None = None


@dataclass(frozen=True, kw_only=True)
class ClientBooking:
    """A booking that counts against a client's limits."""

    service: str
    start: Minute
    end: Minute


@dataclass(frozen=True, kw_only=True)
class Question:
    """A service at its resources (all of them, in its order), asked at `now`.

    `resource`: the client's choice of one. `duration`: theirs too, in minutes; None is the service's own. `client`: their bookings, None where nobody
    knows who asks. `moving`: a session that gives up its time if the answer is used. `from_waitlist`: for somebody whose turn it is, so that seats which
    are kept for those who wait are theirs.
    """

    service: Service
    states: tuple[ResourceState, ...]
    now: Millis
    seats: int = 1
    duration: int | None = None
    resource: str | None = None
    client: tuple[ClientBooking, ...] | None = None
    moving: str | None = None
    from_waitlist: bool = False

    @property
    def length(self) -> int:
        return self.service.duration_minutes if self.duration is None else self.duration

    def after(self, changes: Iterable[LedgerChange]) -> "Question":
        """The same, asked of the ledgers as these changes leave them."""
        before = {(month.resource, month.month): month for state in self.states for month in state.months}
        after = apply_changes(before, changes)
        states = (
            replace(state, months=tuple(m for (name, _), m in after.items() if name == state.resource.id))
            for state in self.states
        )
        return replace(self, states=tuple(states))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Resources that would serve one session together: one of a pool, or all of a set. The first one's openings set the grid."""

    states: tuple[ResourceState, ...]
    ids: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(state.resource.id for state in self.states))

    @property
    def lead(self) -> ResourceState:
        return self.states[0]


def candidates(question: Question) -> tuple[Candidate, ...]:
    """Who could serve, in the service's order. Of a set all must be there."""
    if question.service.assignment == "all":
        whole = len(question.states) == len(question.service.resources)
        return (Candidate(states=question.states),) if whole else ()
    return tuple(
        Candidate(states=(state,)) for state in question.states if question.resource in (None, state.resource.id)
    )


@dataclass(frozen=True, kw_only=True)
class Needs:
    """How much time around a start a session takes, in minutes."""

    before: int
    length: int
    after: int

    @classmethod
    def of(cls, question: Question) -> "Needs":
        service = question.service
        return cls(before=service.buffer_before_minutes, length=question.length, after=service.buffer_after_minutes)

    @property
    def reach(self) -> int:
        """From a start to the end of all that it takes."""
        return self.length + self.after
