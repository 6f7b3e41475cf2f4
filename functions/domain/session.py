"""Sessions and bookings: what is sold, and what we know of its copy in Google.

One session is one Google event a destination calendar, however many clients sit in it. The ledger holds the time, the session the seats.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field

from functions.domain.decision import AuthorKind
from functions.domain.instants import Millis, Minute
from functions.domain.ledger import Hold, Occupation, Waiting
from functions.domain.model import Document, Personal
from functions.domain.transitions import BookingStatus, SessionStatus


class Times(Document):
    """When an event is: half-open, in minutes."""

    start: Minute
    end: Minute


class GoogleCopy(Document):
    """A session's event in one destination calendar: the last state that we wrote there or saw there.

    `base` is what Google last confirmed to hold; `asked` holds the times of every write that is not confirmed yet, committed before it is sent,
    so that a write whose answer was lost is still known as ours (case 92). What is neither, somebody changed in Google: see `inbound`. `written`
    is the session version that Google holds (0: nothing yet); behind `Session.version` the copy is pending. `missing_since`: its calendar said then that
    it is deleted, and what follows is not decided yet (see `missing_event`); nothing is written there until it is. `gone`: it is no longer there, and that
    is settled. `out_of_reach`: the connection to its calendar was ended and the event left where it is; nothing is written there unless that calendar is
    reached again, and then it is known as ours.

    `wrote` and `writing` are to what the event says as `base` and `asked` are to its times: marks (see `google_copy`) of the texts and guests that we
    put there, so that the owner's own can be told from ours. `forgets`: somebody who was in it is forgotten; the next write replaces its texts, also those
    that its owner changed, because these may say who that was. `left`: the etag at which the event said exactly that and nothing else. `updated`: Google's
    time of the state that we last confirmed; what a list tells of a time before is old news. `meeting`: what became of the video meeting that we asked
    for with it. `error`: why it is pending, since `error_since`.

    `home`: the destination in whose place the calendar is, where its owner took the event to another one. `leaving`: the calendar is no destination of the
    session's any more, and the event is to be deleted there (see `destinations`): that is `due`; or it was `asked` for, and may have been done; or that,
    and by now it is to come `back`.
    """

    calendar: str
    event: str
    attempt: int = 0
    etag: str | None = None
    written: int = 0
    base: Times | None = None
    asked: tuple[Times, ...] = ()
    wrote: Annotated[tuple[str, ...], Personal(())] = ()
    writing: Annotated[tuple[str, ...], Personal(())] = ()
    forgets: bool = False
    left: str | None = None
    updated: str | None = None
    meeting: Literal["asked", "made", "failed"] | None = None
    missing_since: Millis | None = None
    gone: bool = False
    out_of_reach: bool = False
    error: str | None = None
    error_since: Millis | None = None
    home: str | None = None
    leaving: Literal["due", "asked", "back"] | None = None

    @property
    def told(self) -> bool:
        """Whether Google may have an event of it: one that was written, or is being written."""
        return self.base is not None or bool(self.asked)

    @property
    def has_left(self) -> bool:
        """Its event is gone from a calendar in which it is not to be any more: another one that has its id is none of the session's."""
        return self.leaving is not None and self.gone

    @property
    def left_alone(self) -> bool:
        """Nothing is written there: it is not decided what becomes of it, or the session goes on without it."""
        return self.gone or self.out_of_reach or self.missing_since is not None


class Conflict(Document):
    """Why a session can't be kept as promised, and since when. Where its event in Google is what a person has to decide about: in which `calendar` it is,
    and at which `times`, where those are not the session's.
    """

    reason: str
    since: Millis
    calendar: str | None = None
    times: Times | None = None


class Session(Document):
    """One occurrence of a service. `taken_*` are its time with buffers; `seats` maps bookings to how many seats they have, `holds` those that are
    not decided yet to how many are kept for them, and until when.

    `scheduled` by an operator, or come into being with its first booking; those of one repeated scheduling share `series`. `closed`: an operator
    sells no more of it. `waitlist`: the preset that holds for this one instead of the service's. `waiting`: who waits for it, in short.
    `meet_link`: to its video meeting, once Google has made one. `moved_at`: when it came to its present time, where that was after it was made.
    `accepted`: reasons for a conflict that an operator has seen and lives with, for as long as they last and the session stays where it is.
    """

    id: str
    service: str
    resources: tuple[str, ...]
    start: Minute
    end: Minute
    taken_from: Minute
    taken_until: Minute
    capacity: int = 1
    scheduled: bool = False
    status: SessionStatus = "open"
    seats: Mapping[str, int] = Field(default_factory=dict)
    holds: Mapping[str, Hold] = Field(default_factory=dict)
    version: int = 1
    copies: Mapping[str, GoogleCopy] = Field(default_factory=dict)
    conflict: Conflict | None = None
    accepted: tuple[str, ...] = ()
    closed: bool = False
    series: str | None = None
    waitlist: str | None = None
    waiting: Waiting | None = None
    meet_link: str | None = None
    cancelled_by: AuthorKind | None = None
    reason: Annotated[str | None, Personal()] = None
    created_at: Millis
    moved_at: Millis | None = None

    @property
    def occupation(self) -> Occupation:
        return Occupation(
            session=self.id,
            service=self.service,
            start=self.start,
            end=self.end,
            taken_from=self.taken_from,
            taken_until=self.taken_until,
            capacity=self.capacity,
            seats=sum(self.seats.values()),
            holds=self.holds,
            scheduled=self.scheduled,
            closed=self.closed,
            waiting=self.waiting,
            placed_at=self.created_at if self.moved_at is None else self.moved_at,
            conflict=None if self.conflict is None else self.conflict.reason,
            accepted=self.accepted,
        )

    @property
    def times(self) -> Times:
        return Times(start=self.start, end=self.end)

    def with_copy(self, copy: GoogleCopy) -> "Session":
        return self.model_copy(update={"copies": {**self.copies, copy.calendar: copy}})

    @property
    def present_copies(self) -> tuple[GoogleCopy, ...]:
        """Those in calendars that it is to be in, and that are kept in step."""
        return tuple(copy for copy in self.copies.values() if copy.leaving is None and not copy.out_of_reach)

    @property
    def copy_pending(self) -> bool:
        """Also where the session is cancelled and an event of it has left its calendar, until it was looked for in the others."""
        return any(
            self.is_behind(copy) or (copy.missing_since is not None and (self.status == "cancelled" or not copy.gone))
            for copy in self.copies.values()
        )

    def is_behind(self, copy: GoogleCopy) -> bool:
        """Whether its calendar does not hold yet what it is to hold."""
        if copy.out_of_reach:
            return False
        if copy.leaving is not None or (copy.gone and self.status == "open"):
            return copy.leaving is not None and not copy.gone
        return copy.written < self.version

    def in_conflict(self, reason: str) -> bool:
        return self.conflict is not None and self.conflict.reason == reason

    def moved_to(self, start: Minute, end: Minute, *, at: Millis) -> "Session":
        """The same session at another time, to which it comes `at` that moment; its buffers keep their lengths. Who waits for an event goes with it, who
        waits for a start does not.
        """
        waiting = self.waiting if self.scheduled else None
        return self.model_copy(
            update={
                "start": start,
                "end": end,
                "taken_from": start - (self.start - self.taken_from),
                "taken_until": end + (self.taken_until - self.end),
                "waiting": None if waiting is None else replace(waiting, until=waiting.until + start - self.start),
                "version": self.version + 1,
                "accepted": (),
                "moved_at": at,
            }
        )


class Client(Document):
    """Who booked, as they told us. Nothing yet, while a client still fills in the form."""

    name: str = ""
    email: str = ""
    phone: str | None = None

    @property
    def key(self) -> str:
        """The same for the same client, by e-mail address: what their limits are counted by."""
        return client_key(self.email)


# In place of whoever is forgotten: to people it says so, to a machine it is nobody who could be told, counted or found.
ERASED_CLIENT = Client(name="erased client")


def client_key(email: str) -> str:
    return sha256(email.strip().casefold().encode()).hexdigest()[:32]


class ClientGuard(Document):
    """Says nothing; stands in every commit that counts a client's bookings, so that no two of them count at the same time."""

    id: Annotated[str, Personal()]


class Booking(Document):
    """A client's seats in a session. `manage_hash` is the hash of the token that proves the booking is theirs.

    While it is `held`, its seats are kept until `expires_at`: for a client who fills in the form, or (`requested`) until an operator has decided, or
    (`entry`) as an offer to that entry of the waitlist. `start` and `resources` are its session's, written with every move of it, so that
    bookings can be listed by them. Those booked together on several weeks share `series`. `conflict`: the seats are sold, but not there any more.
    `declined_at`: the client said no to the invitation in their own calendar then; their seats are theirs until they cancel.
    """

    id: str
    session: str
    service: str
    start: Minute
    resources: tuple[str, ...]
    client: Annotated[Client, Personal(ERASED_CLIENT)]
    client_key: Annotated[str, Personal("")] = ""
    seats: int = 1
    notes: Annotated[str | None, Personal()] = None
    answers: Annotated[Mapping[str, str], Personal({})] = Field(default_factory=dict)
    entry: str | None = None
    series: str | None = None
    conflict: Conflict | None = None
    declined_at: Millis | None = None
    expires_at: Millis | None = None
    requested: bool = False
    status: BookingStatus = "confirmed"
    manage_hash: str
    cancelled_by: AuthorKind | None = None
    reason: Annotated[str | None, Personal()] = None
    created_at: Millis

    @property
    def is_offer(self) -> bool:
        """Kept for somebody who waits, until they have said whether they want it."""
        return self.status == "held" and self.entry is not None
