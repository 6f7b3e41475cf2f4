"""From when until when a service can be booked at all: notice, booking window, and how far the calendars are known."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta

from functions.domain.availability.question import Candidate, Closed, Question
from functions.domain.booking_window import dates_of
from functions.domain.instants import MINUTE_MS, Minute, minute_of_millis
from functions.domain.intervals import Interval
from functions.domain.zones import local_date, midnight, zone

NEVER: Minute = 2**40  # later than any minute there is


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Starts may lie in the window, from `earliest` on. What a session takes, buffers included, must end by `known_until`."""

    earliest: Minute
    window: Interval
    known_until: Minute

    @property
    def starts(self) -> Interval:
        return Interval(max(self.earliest, self.window.start), self.window.end)


def bounds_of(question: Question, candidate: Candidate, *, ignoring: Set[Closed] = frozenset()) -> Bounds:
    """Notice and window are the service's, in the zone of the candidate's first resource."""
    hours = candidate.lead.resource.hours
    zone_ = zone(hours.time_zone)
    today = local_date(question.now // MINUTE_MS, zone_)
    window = dates_of(question.service.window, today=today, opens_on=lambda day: bool(hours.on(day).intervals))
    first = None if Closed.TOO_SOON in ignoring else window.first
    last = None if Closed.TOO_FAR in ignoring else window.last
    earliest = -NEVER
    if Closed.TOO_SOON not in ignoring:
        earliest = minute_of_millis(question.now) + question.service.notice_minutes
    return Bounds(
        earliest=earliest,
        window=Interval(
            -NEVER if first is None else midnight(first, zone_),
            NEVER if last is None else midnight(last + timedelta(days=1), zone_),
        ),
        known_until=NEVER if Closed.CALENDAR_UNKNOWN in ignoring else min(s.known_until for s in candidate.states),
    )
