"""The names of the time zones that exist here."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> frozenset[str]:
    """IANA names; read once, since looking means walking the whole zone directory."""
    return frozenset(available_timezones())
