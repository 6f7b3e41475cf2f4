"""Hours at which nobody is told anything: no offer is made in them, and the time to answer one does not run."""

from functions.domain.hours import DailyInterval, Hours, WeeklyHours
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis
from functions.domain.intervals import Interval
from functions.domain.openings import open_time

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def quiet_until(now: Millis, quiet: DailyInterval | None, time_zone: str) -> Millis | None:
    """When the quiet hours end that it is now; None where it is not quiet."""
    minute = now // MINUTE_MS
    spells = _spells(quiet, time_zone, Interval(minute, minute + 2 * DAY_MINUTES))
    return spells[0].end * MINUTE_MS if spells and spells[0].start <= minute else None


def after_waking(now: Millis, minutes: int, quiet: DailyInterval | None, time_zone: str) -> Millis:
    """The moment by which so many minutes have passed that are not quiet."""
    end = now + minutes * MINUTE_MS
    # Each spell that begins before the end puts it off. The longest offer, with the longest quiet hours around it, is over well before that.
    for spell in _spells(quiet, time_zone, Interval(now // MINUTE_MS, end // MINUTE_MS + 100 * DAY_MINUTES)):
        if spell.start * MINUTE_MS >= end:
            break
        end += spell.end * MINUTE_MS - max(spell.start * MINUTE_MS, now)
    return end


def _spells(quiet: DailyInterval | None, time_zone: str, within: Interval) -> list[Interval]:
    if quiet is None:
        return []
    daily = WeeklyHours(start=quiet.start, end=quiet.end, days=EVERY_DAY)
    return open_time(Hours(time_zone=time_zone, weekly=(daily,)), within)
