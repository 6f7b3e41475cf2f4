"""What we ask Google for, and what each permission is for: the least that the system can do its work with.

A person may leave out any of them. What then is missing is named in words that they find on Google's own page, with what it is for.
"""

from collections.abc import Collection
from dataclasses import dataclass

_PREFIX = "https://www.googleapis.com/auth/"


@dataclass(frozen=True, kw_only=True)
class GooglePermission:
    """A scope of Google's. `held_by`: broader scopes that hold it too (Google's list of Calendar scopes)."""

    name: str
    asks: str
    purpose: str
    held_by: frozenset[str] = frozenset()

    @property
    def scope(self) -> str:
        return f"{_PREFIX}{self.name}"

    @property
    def in_words(self) -> str:
        return f"{self.asks} ({self.name}): {self.purpose}"


CALENDAR_LIST = GooglePermission(
    name="calendar.calendarlist.readonly",
    asks="See the list of your Google calendars",
    purpose="to choose which of them close time to bookings, and which one receives the bookings.",
    held_by=frozenset({"calendar", "calendar.readonly", "calendar.calendarlist"}),
)
EVENTS = GooglePermission(
    name="calendar.events",
    asks="View and edit events on all your calendars",
    purpose="to keep time free of bookings in which there is an event, and to write the bookings themselves.",
    held_by=frozenset({"calendar"}),
)
FREE_BUSY = GooglePermission(
    name="calendar.freebusy",
    asks="View your availability in your calendars",
    purpose="to prove every night that what is offered is free in Google too.",
    held_by=frozenset({"calendar", "calendar.readonly"}),
)
CALENDAR_PERMISSIONS = (CALENDAR_LIST, EVENTS, FREE_BUSY)

# Who the person is: Google's stable id of them, and their address. Nobody can leave these out.
IDENTITY = ("openid", "email")
SCOPES = (*IDENTITY, *(permission.scope for permission in CALENDAR_PERMISSIONS))


def missing_permissions(granted: Collection[str]) -> tuple[GooglePermission, ...]:
    """What we need and these scopes do not hold."""
    short = {scope.removeprefix(_PREFIX) for scope in granted}
    return tuple(each for each in CALENDAR_PERMISSIONS if each.name not in short and not each.held_by & short)


def permissions_of(granted: Collection[str]) -> tuple[GooglePermission, ...]:
    """Those of ours that these scopes hold."""
    missing = missing_permissions(granted)
    return tuple(each for each in CALENDAR_PERMISSIONS if each not in missing)
