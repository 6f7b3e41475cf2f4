"""Mails to operators: about a calendar that did not agree with the bookings, one that takes no entries for hours, and a Google account whose access is lost."""

from collections.abc import Callable, Mapping

from functions.adapters.store import queries
from functions.adapters.store.store import Reader
from functions.domain.calendar import Calendar, Connection
from functions.domain.decision import Author, HistoryEntry, Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.loss import Reminder, words
from functions.domain.membership import Member
from functions.domain.pacing import WritePause
from functions.domain.permissions import OF_ROLE
from functions.domain.session import Client
from functions.domain.zones import zone
from functions.sync.wording import News, when, zone_of_account
from functions.sync.work import Work

OfCalendar = Callable[[Work, Reader, Calendar, Connection], News | None]


def is_for_operators(about: str | None) -> bool:
    return about in _OF_CALENDARS or Reminder.of(about) is not None


def operator_news(work: Work, reader: Reader) -> News | None:
    """From the present state of the subject (law 4); None where it is not true any more, or nobody can be told."""
    reminder = Reminder.of(work.about)
    if reminder is not None:
        return _lost(work, reader, reminder)
    calendar = reader.get(Ref(Calendar, work.subject))
    connection = None if calendar is None else reader.get(Ref(Connection, calendar.connection))
    if calendar is None or connection is None:
        return None
    return _OF_CALENDARS[work.about or ""](work, reader, calendar, connection)


def _recipients(work: Work, connection: Connection) -> tuple[Client, ...]:
    """Who is told of what becomes of a connection: whose Google account it is, and the members who may connect it again. An address is told once."""
    members: list[Member] = queries.all_of(work.store, work.account, Member)
    told = {connection.email.casefold(): Client(name=connection.email, email=connection.email)}
    for member in sorted(members, key=lambda each: each.joined_at):
        if "connections" in OF_ROLE[member.role]:
            told[member.email.casefold()] = Client(name=member.name or member.email, email=member.email)
    return tuple(told.values())


def _news(recipients: tuple[Client, ...], subject: str, *lines: str, told: HistoryEntry | None = None) -> News:
    first, *others = recipients
    return News(client=first, others=tuple(others), subject=subject, lines=lines, told=told)


def _drifted(work: Work, reader: Reader, calendar: Calendar, connection: Connection) -> News | None:
    if not calendar.drift_minutes:
        return None
    return _news(
        _recipients(work, connection),
        f"Your calendar and your bookings did not agree: {calendar.summary}",
        f"Google and the booking system differ about {calendar.drift_minutes} minutes in this calendar.",
        "It is being read again from its beginning. The health page says whether they agree afterwards, and where they differ.",
    )


def _paused(work: Work, reader: Reader, calendar: Calendar, connection: Connection) -> News | None:
    pause = reader.get(Ref(WritePause, calendar.id))
    if pause is None:
        return None
    return _news(
        _recipients(work, connection),
        f"Google takes no entries for your calendar at the moment: {calendar.summary}",
        f"Google says that the usage limits of this account are reached ({pause.reason}); that can last for hours.",
        "Bookings are taken and confirmed as before. They come into the calendar as soon as Google lets them.",
        f"The next try is on {when(-(-pause.until // MINUTE_MS), zone(calendar.time_zone))}.",
    )


_OF_CALENDARS: Mapping[str, OfCalendar] = {"calendar_drifted": _drifted, "writes_paused": _paused}


def _lost(work: Work, reader: Reader, reminder: Reminder) -> News | None:
    """None where it has been mended, or lost once more since: that loss has messages of its own."""
    connection = reader.get(Ref(Connection, work.subject))
    if connection is None or not reminder.holds(connection):
        return None
    since = when(reminder.lost_at // MINUTE_MS, zone_of_account(reader))
    meaning = words(connection.loss)
    used = sorted(each.summary for each in queries.calendars_of(work.store, work.account, connection.id) if each.in_use)
    first, recipients = reminder.day == 0, _recipients(work, connection)
    return _news(
        recipients,
        f"{'Your Google account is not connected any more' if first else 'Still not connected'}: {connection.email}",
        f"{meaning.what} Nothing is read or written there since {since}.",
        f"What to do: {meaning.remedy}",
        *((f"This concerns: {', '.join(used)}.",) if used else ()),
        "Bookings are kept, and written there once the account is connected again. What is added or moved there meanwhile is not seen here, so after a while"
        " its times are not offered any more, unless you have set it otherwise. The health page says which.",
        *(("This is the last message about it.",) if reminder.is_last else ()),
        told=HistoryEntry(
            what="connection.told",
            author=Author(kind="system"),
            why=connection.loss,
            after={
                "connection": connection.id,
                "day": reminder.day,
                "to": [each.email for each in recipients],
            },
        ),
    )
