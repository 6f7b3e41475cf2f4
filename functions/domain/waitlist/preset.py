"""How a waitlist works: named rules that an operator makes, assigns to services, and may override for one session."""

from typing import Literal, Self

from pydantic import Field, model_validator

from functions.domain.decision import Author
from functions.domain.hours import DailyInterval
from functions.domain.instants import DAY_MINUTES
from functions.domain.model import Document

MOST_QUIET_MINUTES = 20 * 60

Mode = Literal["manual", "autopromote", "offer", "splitter"]


class PresetRules(Document):
    """Lengths are in minutes.

    `mode`: nothing happens until an operator promotes somebody; or the first that fits is booked; or gets an offer, which really holds the seats for
    `offer_minutes`; or (splitter) everybody who waits is booked into one of several sessions that they accept, so that these fill as `spread` says.
    `party`: whether a party that is too large for the seats that are left is passed over (`skip`), or everybody waits until it fits (`strict`).
    Who waits is served by priority, then in the order of `levels` and of `categories` (what is not named comes last), then by the time they joined.
    `cutoff_minutes` before a session starts automation ends: from then on its seats are anybody's. `paused` by an operator: nothing happens by itself.
    `quiet`: wall times of the account at which rules tell nobody anything: nothing is offered or booked then, and the time to answer does not run.
    """

    name: str
    mode: Mode = "offer"
    party: Literal["skip", "strict"] = "skip"
    offer_minutes: int = Field(default=120, ge=5, le=14 * DAY_MINUTES)
    cutoff_minutes: int = Field(default=60, ge=0, le=30 * DAY_MINUTES)
    spread: Literal["emptiest", "fullest"] = "emptiest"
    levels: tuple[str, ...] = Field(default=(), max_length=20)
    categories: tuple[str, ...] = Field(default=(), max_length=20)
    quiet: DailyInterval | None = None
    paused: bool = False

    @model_validator(mode="after")
    def _wakes_up(self) -> Self:
        if self.quiet is not None:
            start, end = self.quiet.minutes()
            if end - start > MOST_QUIET_MINUTES:
                raise ValueError("quiet hours may be 20 hours long at most, or no offer could ever be answered")
        return self


class Preset(PresetRules):
    """Rules by the id under which services and sessions name them."""

    id: str


RULE = Author(kind="rule", name="waitlist")

# What holds where a service names no preset.
USUAL = Preset(id="usual", name="Usual")
