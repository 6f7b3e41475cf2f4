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
from functions.adapters.store.store import Reader
from functions.domain.configuration import Account, Resource, Service
from functions.domain.decision import Ref
from functions.domain.instants import MINUTE_MS, Minute, datetime_of
from functions.domain.session import Booking, Client, Session
from functions.domain.waitlist.entry import Queue, WaitlistEntry, position
from functions.domain.waitlist.preset import USUAL, Preset
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
    "in_vain": Message("Nothing came free in time: {what}", frozenset({"expired"})),
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
    if work.about == "offered" and booking.expires_at is not None:
        lines.append(f"It is kept for you until {_when(booking.expires_at // MINUTE_MS, zone_)}.")
        if (link := _link_of_entry(work, reader, booking.entry)) is not None:
            lines.append(f"Accept or decline it: {link}")
    subject = message.subject.format(what=f"{service.name}, {_when(session.start, zone_)}")
    return Told(client=booking.client, subject=subject, lines=tuple(lines))


def _about_entry(work: Work, reader: Reader) -> Told | None:
    entry, message = reader.get(Ref(WaitlistEntry, work.subject)), OF_ENTRIES[work.about or ""]
    if entry is None or entry.status not in message.true_of:
        return None
    service = reader.get(Ref(Service, entry.service))
    if service is None:
        return None
    zone_, wish = _zone(reader, service.resources[0]), entry.place.wish
    what = f"{service.name}, {_when(wish.start, zone_)}"
    if wish.end - wish.start > 1:
        what = f"{what} to {_when(wish.end - 1, zone_)}"
    lines: list[str] = []
    if entry.status == "waiting":
        queue = reader.get(Ref(Queue, service.id))
        preset = None if service.waitlist is None else reader.get(Ref(Preset, service.waitlist))
        if queue is not None and (place := position(queue, entry.id, preset or USUAL)) is not None:
            lines.append(f"You are number {place}. We write as soon as it is your turn.")
        if (link := _link_of_entry(work, reader, entry.id)) is not None:
            lines.append(f"Look where you stand, or leave: {link}")
    return Told(client=entry.client, subject=message.subject.format(what=what), lines=tuple(lines))


def _zone(reader: Reader, resource_id: str) -> ZoneInfo:
    resource, account = reader.get(Ref(Resource, resource_id)), reader.get(ACCOUNT)
    if resource is not None:
        return zone(resource.hours.time_zone)
    return zone(account.time_zone if account else "UTC")


def _link_of_entry(work: Work, reader: Reader, entry_id: str | None) -> str | None:
    """Where the client answers, with the proof that it is theirs. In the part of the address that browsers send nobody."""
    entry = None if entry_id is None else reader.get(Ref(WaitlistEntry, entry_id))
    if entry is None:
        return None
    settings = work.application.settings
    token = stored_manage_token(settings.signing_keys, entry.id, entry.manage_hash)
    return None if token is None else f"{settings.booking_url}/v1/accounts/{work.account}/waitlist/{entry.id}#{token}"


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
