"""Notify: one mail to a client about their booking or their place on a waitlist, from its present state.

The Message-ID is derived from the outbox record, so that a mail which is sent again after a lost answer can be told from another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr
from zoneinfo import ZoneInfo

from functions.adapters.mail import MailFailed, send
from functions.adapters.signing import stored_manage_token
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.reading_waitlist import read_standing
from functions.adapters.store.store import Reader
from functions.domain.configuration import Account, Resource, Service
from functions.domain.decision import Ref
from functions.domain.errors import NotFound
from functions.domain.instants import MINUTE_MS, Minute, datetime_of
from functions.domain.intervals import Interval
from functions.domain.session import Booking, Client, Session
from functions.domain.waitlist.entry import WaitlistEntry, position
from functions.domain.zones import zone
from functions.sync.claims import claim, unclaim
from functions.sync.work import TryLater, Work


@dataclass(frozen=True)
class Message:
    """A subject, and the statuses of a booking or an entry in which it still says the truth."""

    subject: str
    true_of: frozenset[str]


BOOKED = frozenset({"confirmed", "completed", "no_show"})
OF_BOOKINGS: Mapping[str, Message] = {
    "requested": Message("We have your request: {what}", frozenset({"held"})),
    "offered": Message("A seat has come free for you: {what}", frozenset({"held"})),
    "confirmed": Message("Your booking is confirmed: {what}", BOOKED),
    "moved": Message("Your booking has a new time: {what}", BOOKED),
    "cancelled": Message("Your booking is cancelled: {what}", frozenset({"cancelled"})),
}
OF_ENTRIES: Mapping[str, Message] = {
    "waiting": Message("You are on the waitlist: {what}", frozenset({"waiting", "offered"})),
    "put_on": Message("Your booking has become a place on the waitlist: {what}", frozenset({"waiting", "offered"})),
    "offer_lapsed": Message("Your offer has run out: {what}", frozenset({"expired"})),
    "offer_withdrawn": Message(
        "What was offered to you is not free any more: {what}", frozenset({"waiting", "offered"})
    ),
    "in_vain": Message("You wait no longer: {what}", frozenset({"expired"})),
    "taken_off": Message("You are not on the waitlist any more: {what}", frozenset({"left"})),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who is told, about what, and in which words beyond the subject."""

    client: Client
    subject: str
    lines: tuple[str, ...] = ()


def notify(work: Work) -> None:
    """Sends the message `about` the subject, unless a later change has made it untrue. Raises `TryLater`."""
    if not claim(work):
        return
    reader = work.store.reader(work.account)
    account = reader.get(ACCOUNT)
    told = _about_entry(work, reader) if work.about in OF_ENTRIES else _about_booking(work, reader)
    if account is None or told is None or not told.client.email:
        return  # where seats were only kept, nobody has said who they are
    try:
        send(_message(work, account, told), work.application.settings.mail_url)
    except MailFailed as error:
        unclaim(work)
        raise TryLater(f"mail: {error}") from error


def _about_booking(work: Work, reader: Reader) -> Told | None:
    booking, message = reader.get(Ref(Booking, work.subject)), OF_BOOKINGS.get(work.about or "")
    if booking is None or message is None or booking.status not in message.true_of:
        return None
    session, service = reader.get(Ref(Session, booking.session)), reader.get(Ref(Service, booking.service))
    if session is None or service is None:
        return None
    zone_ = _zone(reader, session.resources[0])
    lines: list[str] = []
    if booking.status == "cancelled" and booking.reason:
        lines.append(f"Reason: {booking.reason}.")
    if work.about == "offered" and booking.entry is not None and booking.expires_at is not None:
        lines.append(f"It is kept for you until {_when(booking.expires_at // MINUTE_MS, zone_)}.")
        if (entry := reader.get(Ref(WaitlistEntry, booking.entry))) is not None:
            lines += _link(work, "Accept or decline it", "waitlist", entry)
    if work.about == "confirmed" and booking.entry is not None:
        # It was booked for them: they have had no answer that said where to change it.
        lines += _link(work, "Look at it, move it or cancel it", "bookings", booking)
    subject = message.subject.format(what=f"{service.name}, {_when(session.start, zone_)}")
    return Told(client=booking.client, subject=subject, lines=tuple(lines))


def _about_entry(work: Work, reader: Reader) -> Told | None:
    message = OF_ENTRIES[work.about or ""]
    try:
        state = read_standing(reader, work.subject, now=work.now())
    except NotFound:
        return None
    entry, waitlist, wish = state.entry, state.waitlist, state.entry.place.wish
    if entry.status not in message.true_of:
        return None
    service, span = waitlist.service, waitlist.span_of(wish) or Interval(wish.start, wish.end)
    zone_ = _zone(reader, service.resources[0])
    what = f"{service.name}, {_when(span.start, zone_)}"
    if span.end - span.start > 1:
        what = f"{what} to {_when(span.end - 1, zone_)}"
    lines = [] if entry.reason is None else [f"Reason: {entry.reason}."]
    if entry.status == "waiting":
        if (place := position(waitlist.queue, entry.id, waitlist.rules_for(wish))) is not None:
            lines.append(f"You are number {place}. We write as soon as it is your turn.")
        lines += _link(work, "Look where you stand, or leave", "waitlist", entry)
    return Told(client=entry.client, subject=message.subject.format(what=what), lines=tuple(lines))


def _zone(reader: Reader, resource_id: str) -> ZoneInfo:
    resource, account = reader.get(Ref(Resource, resource_id)), reader.get(ACCOUNT)
    if resource is not None:
        return zone(resource.hours.time_zone)
    return zone(account.time_zone if account else "UTC")


def _link(work: Work, invitation: str, collection: str, record: Booking | WaitlistEntry) -> list[str]:
    """Where the client sees to it, with the proof that it is theirs: in the part of the address that browsers send nobody."""
    settings = work.application.settings
    token = stored_manage_token(settings.signing_keys, record.id, record.manage_hash)
    address = f"{settings.booking_url}/v1/accounts/{work.account}/{collection}/{record.id}"
    return [] if token is None else [f"{invitation}: {address}#{token}"]


def _message(work: Work, account: Account, told: Told) -> EmailMessage:
    settings = work.application.settings
    message = EmailMessage()
    message["From"] = formataddr((account.name, settings.mail_from))
    message["To"] = formataddr((told.client.name, told.client.email))
    message["Subject"] = told.subject
    message["Message-ID"] = f"<{work.outbox}@{settings.mail_from.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from machines
    lines = [f"Hello {told.client.name},", "", f"{told.subject}."]
    for line in told.lines:
        lines += ["", line]
    message.set_content("\n".join([*lines, "", account.name, ""]))
    return message


def _when(start: Minute, zone_: ZoneInfo) -> str:
    local = datetime_of(start).astimezone(zone_)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} ({zone_.key})"
