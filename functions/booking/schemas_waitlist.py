"""What clients and operators send about places on a waitlist, and the answers."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from functions.booking.fields import Honeypot, Instant, Label, Minutes, Request, Seats, Slug, Start, Text
from functions.booking.schemas import BookingAnswer, ClientAnswer, ClientDetails
from functions.domain.configuration import MOST_QUESTIONS, QuestionId
from functions.domain.model import Model
from functions.domain.transitions import EntryStatus
from functions.domain.waitlist.entry import MOST_SESSIONS

Priority = Annotated[int, Field(ge=-1000, le=1000)]


class Join(Request):
    """What is waited for: `sessions` by their ids; or a `start`; or any start from `start` on, before `end`.

    `resource` and `duration_minutes` go with starts. `priority`, `level` and `category` are for operators to say.
    `website`: is left empty.
    """

    service: Slug
    sessions: tuple[Slug, ...] = Field(default=(), max_length=MOST_SESSIONS)
    start: Start | None = None
    end: Start | None = None
    resource: Slug | None = None
    duration_minutes: Minutes | None = None
    seats: Seats = 1
    client: ClientDetails
    website: Honeypot = ""
    notes: Text | None = None
    answers: Mapping[QuestionId, Text] = Field(default_factory=dict, max_length=MOST_QUESTIONS)
    priority: Priority = 0
    level: Label | None = None
    category: Label | None = None

    @model_validator(mode="after")
    def _says_what_for(self) -> Self:
        if bool(self.sessions) == (self.start is not None):
            raise ValueError("name sessions, or a start (with an end, for any start from one to the other)")
        if self.end is not None and (self.start is None or self.end <= self.start):
            raise ValueError("end must be after start")
        if self.sessions and (self.resource is not None or self.duration_minutes is not None):
            raise ValueError("sessions say themselves with whom they are and how long they last")
        return self


class ChangePlace(Request):
    """What is left out stays; `level` and `category` are taken away by null. Clients may change `seats`, the rest is for operators."""

    seats: Seats = 1
    priority: Priority = 0
    level: Label | None = None
    category: Label | None = None
    paused: bool = False


class Promote(Request):
    """What an operator gives somebody who waits: this session or start, or whatever of what they wait for is free. `as_offer`: they are asked first."""

    session: Slug | None = None
    start: Start | None = None
    as_offer: bool = False


class PutOn(Request):
    """`paused`: an operator decides about them by hand from now on, so that the seat they leave is the next one's."""

    paused: bool = True


class OfferAnswer(Model):
    """Seats that are kept until `expires_at`, if the client wants them."""

    session: str
    start: Instant
    end: Instant
    resource: str
    seats: int
    expires_at: Instant


class EntryAnswer(Model):
    """A place on a waitlist. What is waited for lies in [start, end), at these `starts` where any are named. `position` counts those who are served
    before, of those who want the same, plus one. `passed_over`: how often somebody behind was served first; `passed_because`: why what is free now
    is not for this one. Why they were passed over each time is in the history of the entry.
    """

    id: str
    service: str
    status: EntryStatus
    seats: int
    sessions: tuple[str, ...]
    starts: tuple[str, ...]
    start: Instant
    end: Instant
    resource: str | None = None
    position: int | None = None
    offer: OfferAnswer | None = None
    booking: str | None = None
    reason: str | None = None
    joined_at: Instant
    priority: int | None = None
    level: str | None = None
    category: str | None = None
    paused: bool | None = None
    passed_over: int | None = None
    passed_because: str | None = None
    client: ClientAnswer | None = None
    manage_token: str | None = None
    manage_url: str | None = None


class Accepted(Model):
    """What an accepted offer has become."""

    entry: EntryAnswer
    booking: BookingAnswer
