"""The mail about a calendar to which Google wants no writes for hours, to the person whose Google account it is: the only operator's address we have."""

from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.pacing import WritePause
from functions.domain.session import Client
from functions.domain.zones import zone
from functions.sync.wording import News, when
from functions.sync.work import Work

ABOUT_PAUSES = frozenset({"writes_paused"})


def pause_news(work: Work, reader: Reader) -> News | None:
    """None where Google takes writes again, or nobody can be told."""
    pause, calendar = reader.get(Ref(WritePause, work.subject)), reader.get(Ref(Calendar, work.subject))
    connection = None if calendar is None else reader.get(Ref(Connection, calendar.connection))
    if pause is None or calendar is None or connection is None:
        return None
    return News(
        client=Client(name=connection.email, email=connection.email),
        subject=f"Google takes no entries for your calendar at the moment: {calendar.summary}",
        lines=(
            f"Google says that the usage limits of this account are reached ({pause.reason}); that can last for hours.",
            "Bookings are taken and confirmed as before. They come into the calendar as soon as Google lets them.",
            f"The next try is on {when(-(-pause.until // MINUTE_MS), zone(calendar.time_zone))}.",
        ),
    )
