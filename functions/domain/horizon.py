"""How far ahead the ledgers hold what stands in calendars: nothing beyond is known, and so nothing beyond is offered."""

from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, month_bounds, month_of
from functions.domain.intervals import Interval

# The longest booking window, a session and its buffers, and slack until the daily schedule rolls it on.
HORIZON_DAYS = 400
ROLL_WHEN_BELOW_DAYS = 390


def new_horizon(now: Millis) -> Minute:
    """How far a projection that begins now goes."""
    return (now // MINUTE_MS // DAY_MINUTES + HORIZON_DAYS) * DAY_MINUTES


def horizon_is_short(horizon: Minute, now: Millis) -> bool:
    """Whether it is time to roll the horizon on."""
    return horizon < now // MINUTE_MS + ROLL_WHEN_BELOW_DAYS * DAY_MINUTES


def projected_time(now: Millis, horizon: Minute) -> Interval:
    """The time for which the ledger holds events: from the beginning of this month to the calendar's horizon."""
    return Interval(month_bounds(month_of(now // MINUTE_MS))[0], horizon)
