"""What single fields of the API's bodies and queries may hold, and the base of them all."""

import re
from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from functions.domain.instants import Minute, minute_floor
from functions.domain.model import Model

D = TypeVar("D", bound=BaseModel)

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_UNPRINTABLE_OR_BREAK = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _line(text: str) -> str:
    if _UNPRINTABLE_OR_BREAK.search(text):
        raise ValueError("holds characters that can't be shown on one line")
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _text(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise ValueError("holds characters that can't be shown")
    return text


def _whole_minute(instant: datetime) -> Minute:
    if instant.tzinfo is None:
        raise ValueError("needs an offset, such as 2027-03-01T10:00:00+01:00")
    if instant.second or instant.microsecond:
        raise ValueError("must be a whole minute")
    _within_reason(instant.date())
    return minute_floor(instant)


def _within_reason(day: date) -> date:
    if not 1990 <= day.year <= 2200:  # far from the ends of the calendar, where arithmetic overflows
        raise ValueError("is out of range")
    return day


def dated_and_named(document: D) -> D:
    """The dates and the name of something that hours hold; the domain allows any."""
    for value in vars(document).values():
        if isinstance(value, date):
            _within_reason(value)
        elif isinstance(value, str) and _UNPRINTABLE_OR_BREAK.search(value):
            raise ValueError("holds characters that can't be shown on one line")
    return document


def _written_out(value: object) -> object:
    """In an address everything is text, of which pydantic would read a number as a Unix time, and a `+` that was not escaped arrives as a space."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}T", value):
        raise ValueError("must be an instant, such as 2027-03-01T10:00:00Z")
    return value.replace(" ", "+") if isinstance(value, str) else value


def _minute_after(instant: datetime) -> Minute:
    """The first whole minute that lies after an instant."""
    if instant.tzinfo is None:
        raise ValueError("needs an offset, such as 2027-03-01T10:00:00+01:00")
    _within_reason(instant.date())
    return minute_floor(instant) + 1


# As the document says it; what checks it are the validators, which say in words what is wrong.
_LINE = {"pattern": r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$"}
_TEXT = {"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"}

Line = Annotated[str, Field(max_length=200, json_schema_extra=_LINE), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=2000, json_schema_extra=_TEXT), AfterValidator(_text)]
Email = Annotated[
    str,
    Field(max_length=254, pattern=r'^[^@\s<>,;:\\"()\[\]]+@[^@\s<>,;:\\"()\[\]]+\.[^@\s<>,;:\\"()\[\]]+$'),
    AfterValidator(_line),
]
Label = Annotated[str, Field(max_length=40, json_schema_extra=_LINE), AfterValidator(_line)]
Phone = Annotated[str, Field(max_length=40, json_schema_extra=_LINE), AfterValidator(_line)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
# Strict: a number is no instant here, though pydantic would read it as a Unix time.
Start = Annotated[datetime, Field(strict=True), AfterValidator(_whole_minute)]
AskedStart = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_whole_minute)]
AskedAfter = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_minute_after)]
Day = Annotated[date, AfterValidator(_within_reason)]

# As answers write it: RFC 3339, in UTC.
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

Seats = Annotated[int, Field(ge=1, le=1000)]
Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60)]


# What they must hold stands in `domain.answers`, because the questions are the service's.
Answers = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=4000), AfterValidator(_text)]],
    Field(max_length=50),
]


class Request(Model):
    """Unknown fields are refused, so that a typing error does not go unheard."""

    model_config = ConfigDict(extra="forbid")


def _left_empty(text: str) -> str:
    if text:
        raise ValueError("must be left empty")
    return text


# A field that no person sees on a page, for programs that fill in every form they find.
Honeypot = Annotated[str, Field(json_schema_extra={"maxLength": 0}), AfterValidator(_left_empty)]
