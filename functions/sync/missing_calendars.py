"""A calendar that Google answers 404 for: looked for again, and believed to be gone only then (cases 38 and 72)."""

from random import random

from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar
from functions.domain.calendar_access import disappear, is_confirmed, missed, next_look
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.instants import Millis
from functions.sync.leases import Held, held_calendar, let_go
from functions.sync.work import Work


class CalendarMissing(Exception):
    """404 for the list of a calendar's events: deleted, or not for us any more, or a moment's weakness of Google's."""

    def __init__(self, google: GoogleCalendar) -> None:
        super().__init__("the calendar's events are not there")
        self.google = google


def believe_or_look_again(work: Work, held: Held, google: GoogleCalendar) -> None:
    """Counts it. Asks for another look where it is not confirmed yet; else the calendar is gone. Lets go of the lease either way."""
    calendar = held_calendar(work.store.reader(work.account), held)
    still_listed = google.lists_calendar(calendar.google_id)

    def attempt(reader: Reader) -> Decision[None]:
        now = work.now()
        seen = missed(let_go(held_calendar(reader, held)), now=now)
        if still_listed or not is_confirmed(seen, now=now):
            polled = work.poll_intervals.after_failure(now=now, jitter=jitter)
            return _wait(seen, polled, look=None if still_listed else next_look(seen, now=now))
        names = sorted({*seen.resources, *seen.destination_for})
        reader.load(*(Ref(Resource, name) for name in names))
        return disappear(seen, [r for name in names if (r := reader.get(Ref(Resource, name))) is not None], now=now)

    jitter = random()  # noqa: S311  spreads polls, no secret
    work.store.run(work.account, attempt)


def _wait(calendar: Calendar, polled: Millis, *, look: Millis | None) -> Decision[None]:
    """What is in a person's list and shows no events contradicts itself: that is left to the polls."""
    waiting = calendar.model_copy(update={"last_error": "Missing: notFound", "next_poll_at": polled})
    looks = () if look is None else (Effect(kind="pull", subject=calendar.id, about="missing", not_before=look),)
    return Decision(answer=None, documents=(waiting,), effects=looks)
