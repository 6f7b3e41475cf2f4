"""Notify: one mail, from the present state: to a client about their booking, those of one series, or their place on a waitlist; to operators about a
calendar, a connection or what waits for them to decide; to somebody who is invited to be one.

The Message-ID is derived from the outbox record, or from those that are told together, so that a mail which is sent again after a lost answer can be told
from another one.
"""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formataddr
from hashlib import sha256

from functions.adapters.mail import MailFailed, send
from functions.adapters.store import queries
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.domain.configuration import Account, Service
from functions.domain.decision import Decision, HistoryEntry, Ref
from functions.domain.inbox_news import InboxNews
from functions.domain.session import Booking, Session
from functions.sync.claims import claim, claim_together, forget_together, unclaim
from functions.sync.inbox_news import inbox_news
from functions.sync.invitation_news import ABOUT_INVITATIONS, invitation_news
from functions.sync.operator_news import is_for_operators, operator_news
from functions.sync.series_news import ABOUT_SERIES, series_news
from functions.sync.waitlist_news import ABOUT_ENTRIES, entry_news, served_lines
from functions.sync.wording import Message, News, when, zone_of
from functions.sync.work import TryLater, Work

# As many are told in one mail: more than ever begin at once, and few enough for one commit.
MOST_TOGETHER = 200

BOOKED = frozenset({"confirmed", "completed", "no_show"})
ABOUT_BOOKINGS: Mapping[str, Message] = {
    "requested": Message("We have your request: {what}", frozenset({"held"})),
    "offered": Message("A seat has come free for you: {what}", frozenset({"held"})),
    "confirmed": Message("Your booking is confirmed: {what}", BOOKED),
    "moved": Message("Your booking has a new time: {what}", BOOKED | {"held"}),
    "meeting": Message("The link to your meeting: {what}", BOOKED),
    "cancelled": Message("Your booking is cancelled: {what}", frozenset({"cancelled"})),
}


def notify(work: Work) -> None:
    """Sends the message `about` the subject, unless a later change has made it untrue. Raises `TryLater`."""
    if InboxNews.of(work.about) is not None:
        _notify_together(work)
        return
    if not claim(work):
        return
    reader = work.store.reader(work.account)
    account, news = reader.get(ACCOUNT), _news(work, reader)
    if account is None or news is None or not news.client.email:
        return  # where seats were only kept, nobody has said who they are
    _send(work, _message(work, account, news))
    if news.told is not None:
        _note(work, news.told)


def _notify_together(work: Work) -> None:
    """With all else that has come to wait for operators and that they have not been told of."""
    waiting = queries.inbox_outbox(work.store, work.account, MOST_TOGETHER)
    claimed = claim_together(work, [each.id for each in waiting])
    if not claimed:
        return
    reader = work.store.reader(work.account)
    account, news = reader.get(ACCOUNT), inbox_news(work, reader, claimed)
    if account is not None and news is not None:
        message = _message(work, account, news)
        if len(claimed) > 1:
            name = sha256(" ".join(sorted(each.id for each in claimed)).encode()).hexdigest()[:33]
            message.replace_header("Message-ID", f"<{name}@{_domain(work)}>")
        _send(work, message, claimed)
    forget_together(work, claimed)


def _send(work: Work, message: EmailMessage, claimed: tuple[OutboxRecord, ...] = ()) -> None:
    try:
        send(message, work.application.settings.mail_url)
    except MailFailed as error:
        unclaim(work, claimed)
        raise TryLater(f"mail: {error}") from error


def _note(work: Work, told: HistoryEntry) -> None:
    work.store.run(work.account, lambda reader: Decision(answer=None, history=(told,)))


def _news(work: Work, reader: Reader) -> News | None:
    if work.about in ABOUT_SERIES:
        return series_news(work, reader)
    if work.about in ABOUT_ENTRIES:
        return entry_news(work, reader)
    if is_for_operators(work.about):
        return operator_news(work, reader)
    if work.about in ABOUT_INVITATIONS:
        return invitation_news(work, reader)
    return _booking_news(work, reader)


def _booking_news(work: Work, reader: Reader) -> News | None:
    booking, message = reader.get(Ref(Booking, work.subject)), ABOUT_BOOKINGS.get(work.about or "")
    if booking is None or message is None or booking.status not in message.true_of:
        return None
    reader.load(Ref(Session, booking.session), Ref(Service, booking.service))
    session, service = reader.get(Ref(Session, booking.session)), reader.get(Ref(Service, booking.service))
    if session is None or service is None:
        return None
    what = f"{service.name}, {when(session.start, zone_of(reader, session.resources[0]))}"
    lines: tuple[str, ...] = ()
    if booking.status == "cancelled" and booking.reason:
        lines = (f"Reason: {booking.reason}.",)
    elif booking.entry is not None and work.about in ("offered", "confirmed"):
        lines = served_lines(work, reader, booking)
    if session.meet_link and booking.status in BOOKED:
        lines = (*lines, f"Your meeting is at {session.meet_link}")
    return News(client=booking.client, subject=message.subject.format(what=what), lines=lines)


def _message(work: Work, account: Account, news: News) -> EmailMessage:
    settings = work.application.settings
    message = EmailMessage()
    message["From"] = formataddr((account.name, settings.mail_from))
    message["To"] = ", ".join(formataddr((each.name, each.email)) for each in (news.client, *news.others))
    message["Subject"] = news.subject
    message["Message-ID"] = f"<{work.outbox}@{_domain(work)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from machines
    more = ["", *news.lines] if news.lines else []
    message.set_content("\n".join([f"Hello {news.client.name},", "", f"{news.subject}.", *more, "", account.name, ""]))
    return message


def _domain(work: Work) -> str:
    return work.application.settings.mail_from.rpartition("@")[2]
