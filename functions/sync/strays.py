"""Strays: events of a session that their owner moved to a calendar in which the session has another one (case 113).

As long as they are the session's they take no time there, because it does. Nobody moves or deletes them: once they are not, they take time like any event.
"""

from functions.adapters.store import queries
from functions.adapters.store.documents import mirror_ref
from functions.domain.calendar import Calendar
from functions.sync.pages import spare_no_more
from functions.sync.work import Work


def block_where_it_is(work: Work, session: str, *events: str) -> None:
    """Looks for these events in every calendar. Harmless where they are still the session's."""
    reader = work.store.reader(work.account)
    calendars: list[Calendar] = queries.all_of(work.store, work.account, Calendar)
    places = [(calendar.id, event) for calendar in calendars for event in events]
    reader.load(*(mirror_ref(*place) for place in places))
    for calendar, event in places:
        row = reader.get(mirror_ref(calendar, event))
        if row is not None and row.spared:
            spare_no_more(work, calendar, event, session=session)
