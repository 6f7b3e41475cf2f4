"""Mails about a calendar, to the person whose Google account it is reached through: the only address of an operator's that we have."""

from collections.abc import Mapping

from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Ref
from functions.domain.session import Client
from functions.sync.wording import News
from functions.sync.work import Work

ABOUT_CALENDARS: Mapping[str, str] = {"calendar_drifted": "Your calendar and your bookings did not agree: {calendar}"}


def calendar_news(work: Work, reader: Reader) -> News | None:
    """None where they agree again, or nobody can be told."""
    calendar = reader.get(Ref(Calendar, work.subject))
    connection = None if calendar is None else reader.get(Ref(Connection, calendar.connection))
    if calendar is None or connection is None or not calendar.drift_minutes:
        return None
    return News(
        client=Client(name=connection.email, email=connection.email),
        subject=ABOUT_CALENDARS[work.about or ""].format(calendar=calendar.summary),
        lines=(
            f"Google and the booking system differ about {calendar.drift_minutes} minutes in this calendar.",
            "It is being read again from its beginning. The health page says whether they agree afterwards, and where they differ.",
        ),
    )
