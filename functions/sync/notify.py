"""Notify: one mail to the client about their booking, or those of one series, from their present state.

The Message-ID is derived from the outbox record, so that a mail which is sent again after a lost answer can be told from another one.
"""

from email.message import EmailMessage
from email.utils import formataddr

from functions.adapters.mail import MailFailed, send
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.domain.configuration import Account, Service
from functions.domain.decision import Ref
from functions.domain.session import Booking, Session
from functions.sync.claims import claim, unclaim
from functions.sync.series_news import ABOUT_SERIES, News, series_news
from functions.sync.wording import when, zone_of
from functions.sync.work import TryLater, Work

SUBJECTS = {
    "requested": "We have your request: {what}",
    "confirmed": "Your booking is confirmed: {what}",
    "moved": "Your booking has a new time: {what}",
    "cancelled": "Your booking is cancelled: {what}",
}
# The statuses of a booking in which a message about it still says the truth.
TRUE_OF = {
    "requested": {"held"},
    "confirmed": {"confirmed", "completed", "no_show"},
    "moved": {"held", "confirmed", "completed", "no_show"},
    "cancelled": {"cancelled"},
}


def notify(work: Work) -> None:
    """Sends the message `about` the subject booking, or its series, unless a later change has made it untrue. Raises `TryLater`."""
    if not claim(work):
        return
    reader = work.store.reader(work.account)
    account = reader.get(ACCOUNT)
    news = series_news(work, reader) if work.about in ABOUT_SERIES else _booking_news(work, reader)
    if account is None or news is None or not news.client.email:
        return  # where seats were only kept, nobody has said who they are
    try:
        send(_message(work, account, news), work.application.settings.mail_url)
    except MailFailed as error:
        unclaim(work)
        raise TryLater(f"mail: {error}") from error


def _booking_news(work: Work, reader: Reader) -> News | None:
    booking = reader.get(Ref(Booking, work.subject))
    if booking is None or work.about not in SUBJECTS or booking.status not in TRUE_OF[work.about]:
        return None
    reader.load(Ref(Session, booking.session), Ref(Service, booking.service))
    session, service = reader.get(Ref(Session, booking.session)), reader.get(Ref(Service, booking.service))
    if session is None or service is None:
        return None
    what = f"{service.name}, {when(session.start, zone_of(reader, session.resources[0]))}"
    reasons = (f"Reason: {booking.reason}.",) if booking.status == "cancelled" and booking.reason else ()
    return News(client=booking.client, subject=SUBJECTS[work.about].format(what=what), lines=reasons)


def _message(work: Work, account: Account, news: News) -> EmailMessage:
    settings = work.application.settings
    message = EmailMessage()
    message["From"] = formataddr((account.name, settings.mail_from))
    message["To"] = formataddr((news.client.name, news.client.email))
    message["Subject"] = news.subject
    message["Message-ID"] = f"<{work.outbox}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from machines
    more = ["", *news.lines] if news.lines else []
    message.set_content("\n".join([f"Hello {news.client.name},", "", f"{news.subject}.", *more, "", account.name, ""]))
    return message
