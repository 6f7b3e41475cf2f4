"""How far ahead a service can be booked: the last date on which a start may lie, in the resource's zone.

Dates, not hours from now: a day comes within reach as a whole, at midnight, and what is offered does not creep from minute to minute.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from functions.domain.model import Document

MAX_DAYS = 365  # what the calendars' horizon is made for, see `mirroring`


class RollingDays(Document):
    """Today and so many days after it."""

    kind: Literal["rolling_days"] = "rolling_days"
    days: int = Field(ge=0, le=MAX_DAYS)


class BookableDays(Document):
    """So many days on which the resource opens at all, today among them if it opens today."""

    kind: Literal["bookable_days"] = "bookable_days"
    days: int = Field(ge=1, le=MAX_DAYS)


class FixedDates(Document):
    """From `first` to `last`, both included."""

    kind: Literal["fixed_dates"] = "fixed_dates"
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last lies before first")
        return self


class Unlimited(Document):
    """As far as the resource's calendars are known."""

    kind: Literal["unlimited"] = "unlimited"


Window: TypeAlias = Annotated[RollingDays | BookableDays | FixedDates | Unlimited, Field(discriminator="kind")]


class Dates(Document):
    """First and last date of a window; None where it has no such end."""

    first: date | None = None
    last: date | None = None


def dates_of(window: Window, *, today: date, opens_on: Callable[[date], bool]) -> Dates:
    match window:
        case RollingDays():
            return Dates(last=today + timedelta(days=window.days))
        case FixedDates():
            return Dates(first=window.first, last=window.last)
        case BookableDays():
            return Dates(last=_last_bookable(window.days, today, opens_on))
        case Unlimited():
            return Dates()


def _last_bookable(count: int, today: date, opens_on: Callable[[date], bool]) -> date:
    """The `count`-th date from today on which it opens; a year ahead where there are not so many until then."""
    day, last = today, today + timedelta(days=MAX_DAYS)
    while day < last:
        count -= opens_on(day)
        if not count:
            return day
        day += timedelta(days=1)
    return last
