"""One mail to those who may decide: what has come to wait for them in the last minutes, which choices there are, and where to decide; and who has declined.

Each thing that began has an outbox record of its own. The first whose time has come takes all the others along, also those of which it has not come yet: they
are claimed in one commit, told in one mail, and forgotten in one commit. So a day that is closed is one mail and not forty.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from functions.adapters.store import queries
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Ref
from functions.domain.inbox_news import InboxNews
from functions.domain.membership import Member
from functions.domain.permissions import OF_ROLE
from functions.domain.resolving import IN_WORDS, WHAT_IT_DOES, Choice, choices_for
from functions.domain.session import Booking, Client, Session
from functions.sync.wording import News, when, zone_of
from functions.sync.work import Work

MOST_IN_FULL = 10


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is said of one session. Without `choices` there is nothing to decide."""

    subject: str
    says: str
    choices: tuple[Choice, ...] = ()


def inbox_news(work: Work, reader: Reader, records: Iterable[OutboxRecord]) -> News | None:
    """From the present state of what these are about (law 4); None where nothing of it is true any more, or nobody may decide."""
    recipients = _who_may_decide(work)
    lines = [line for record in records if (line := _line(work, reader, record)) is not None]
    if not lines or not recipients:
        return None
    first, *others = recipients
    return News(client=first, others=tuple(others), subject=_subject(lines), lines=tuple(_paragraphs(work, lines)))


def _who_may_decide(work: Work) -> list[Client]:
    members: list[Member] = queries.all_of(work.store, work.account, Member)
    may = (each for each in members if "bookings" in OF_ROLE[each.role])
    found = {
        each.email.casefold(): Client(name=each.name or each.email, email=each.email)
        for each in sorted(may, key=lambda each: each.joined_at)
    }
    return list(found.values())


def _line(work: Work, reader: Reader, record: OutboxRecord) -> Line | None:
    news = InboxNews.of(record.about)
    if news is None:
        return None
    return (_conflict if news.what == "conflict" else _declined)(work, reader, news, record.subject)


def _conflict(work: Work, reader: Reader, news: InboxNews, subject: str) -> Line | None:
    session, now = reader.get(Ref(Session, subject)), work.now()
    if session is None or session.conflict is None or not news.waits(session, now):
        return None
    choices = choices_for(session, now)
    reason, times = session.conflict.reason, session.conflict.times
    says = IN_WORDS.get(reason, reason)
    if times is not None and times != session.times:
        says = f"{says} It is there on {when(times.start, zone_of(reader, session.resources[0]))}."
    return Line(subject=_what(reader, session), says=says, choices=choices) if choices else None


def _declined(work: Work, reader: Reader, news: InboxNews, subject: str) -> Line | None:
    booking = reader.get(Ref(Booking, subject))
    session = None if booking is None else reader.get(Ref(Session, booking.session))
    if booking is None or session is None or not news.stands(booking, session, work.now()):
        return None
    who = booking.client.name or "A client"
    says = (
        f"{who} has declined the invitation in their calendar. Their seats are theirs until the booking is cancelled."
    )
    return Line(subject=_what(reader, session), says=says)


def _what(reader: Reader, session: Session) -> str:
    """Which session: its service, with whom, and when."""
    reader.load(Ref(Service, session.service), *(Ref(Resource, name) for name in session.resources))
    service = reader.get(Ref(Service, session.service))
    found = [(name, reader.get(Ref(Resource, name))) for name in session.resources]
    with_whom = ", ".join(name if resource is None else resource.name for name, resource in found)
    called = session.service if service is None else service.name
    return f"{called} ({with_whom}), {when(session.start, zone_of(reader, session.resources[0]))}"


def _subject(lines: list[Line]) -> str:
    waiting = [line for line in lines if line.choices]
    if len(waiting) > 1:
        return f"{len(waiting)} sessions wait for your decision"
    if waiting:
        return f"A session waits for your decision: {waiting[0].subject}"
    return f"A client has declined: {lines[0].subject}" if len(lines) == 1 else f"{len(lines)} clients have declined"


def _paragraphs(work: Work, lines: list[Line]) -> Iterator[str]:
    waiting = sorted(lines, key=lambda line: not line.choices)
    for line in waiting[:MOST_IN_FULL]:
        choices = f" You can choose: {', '.join(line.choices)}." if line.choices else ""
        yield f"{line.subject}: {line.says}{choices}"
    if len(waiting) > MOST_IN_FULL:
        yield f"And {len(waiting) - MOST_IN_FULL} more."
    offered = {choice for line in lines for choice in line.choices}
    if offered:
        yield ""
        yield from (f"{choice}: {WHAT_IT_DOES[choice]}" for choice in Choice if choice in offered)
        address = work.application.settings.booking_url
        yield ""
        yield f"Where to decide: {address}/v1/accounts/{work.account}/conflicts (sign in at {address}/console)."
