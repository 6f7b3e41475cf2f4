"""Notify: one mail to the client about their booking, from its present state.

The Message-ID is derived from the outbox record, so that a mail which is sent again after a lost answer can be told from another one.
"""

from email.message import EmailMessage
from email.utils import formataddr
from zoneinfo import ZoneInfo

from functions.adapters.mail import MailFailed, send
from functions.adapters.store.documents import ACCOUNT
from functions.domain.configuration import Account, Resource, Service
from functions.domain.decision import Ref
from functions.domain.instants import Minute, datetime_of
from functions.domain.session import Booking, Session
from functions.domain.zones import zone
from functions.sync.claims import claim, unclaim
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
    "moved": {"confirmed", "completed", "no_show"},
    "cancelled": {"cancelled"},
}


def notify(work: Work) -> None:
    """Sends the message `about` the subject booking, unless a later change has made it untrue. Raises `TryLater`."""
    if not claim(work):
        return
    reader = work.store.reader(work.account)
    booking = reader.get(Ref(Booking, work.subject))
    if booking is None or work.about not in SUBJECTS or booking.status not in TRUE_OF[work.about]:
        return
    if not booking.client.email:
        return  # seats were only kept: nobody has said who they are
    reader.load(Ref(Session, booking.session), Ref(Service, booking.service), ACCOUNT)
    session, service = reader.get(Ref(Session, booking.session)), reader.get(Ref(Service, booking.service))
    account = reader.get(ACCOUNT)
    if session is None or service is None or account is None:
        return
    resource = reader.get(Ref(Resource, session.resources[0]))
    zone_ = zone(resource.hours.time_zone if resource else account.time_zone)
    message = _message(work, account, booking, f"{service.name}, {_when(session.start, zone_)}")
    try:
        send(message, work.application.settings.mail_url)
    except MailFailed as error:
        unclaim(work)
        raise TryLater(f"mail: {error}") from error


def _message(work: Work, account: Account, booking: Booking, what: str) -> EmailMessage:
    settings = work.application.settings
    message = EmailMessage()
    message["From"] = formataddr((account.name, settings.mail_from))
    message["To"] = formataddr((booking.client.name, booking.client.email))
    message["Subject"] = SUBJECTS[work.about or ""].format(what=what)
    message["Message-ID"] = f"<{work.outbox}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from machines
    lines = [f"Hello {booking.client.name},", "", f"{message['Subject']}."]
    if booking.status == "cancelled" and booking.reason:
        lines += ["", f"Reason: {booking.reason}."]
    message.set_content("\n".join([*lines, "", account.name, ""]))
    return message


def _when(start: Minute, zone_: ZoneInfo) -> str:
    local = datetime_of(start).astimezone(zone_)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({zone_.key})"
