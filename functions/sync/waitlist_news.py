"""What a client is told of their place on a waitlist: that they have one, what they are given, and when it came to nothing."""

from collections.abc import Mapping

from functions.adapters.signing import stored_manage_token
from functions.adapters.store.reading_waitlist import read_standing
from functions.adapters.store.store import Reader
from functions.domain.decision import Ref
from functions.domain.errors import NotFound
from functions.domain.instants import MINUTE_MS
from functions.domain.intervals import Interval
from functions.domain.session import Booking
from functions.domain.waitlist.entry import WaitlistEntry, position
from functions.sync.wording import Message, News, when, zone_of
from functions.sync.work import Work

WAITING = frozenset({"waiting", "offered"})
ABOUT_ENTRIES: Mapping[str, Message] = {
    "waiting": Message("You are on the waitlist: {what}", WAITING),
    "put_on": Message("Your booking has become a place on the waitlist: {what}", WAITING),
    "offer_lapsed": Message("Your offer has run out: {what}", frozenset({"expired"})),
    "offer_withdrawn": Message("What was offered to you is not free any more: {what}", WAITING),
    "in_vain": Message("You wait no longer: {what}", frozenset({"expired"})),
    "taken_off": Message("You are not on the waitlist any more: {what}", frozenset({"left"})),
}


def entry_news(work: Work, reader: Reader) -> News | None:
    """From the present state of the subject entry (law 4); None where the message would not be true any more."""
    message = ABOUT_ENTRIES[work.about or ""]
    try:
        state = read_standing(reader, work.subject, now=work.now())
    except NotFound:
        return None
    entry, waitlist, wish = state.entry, state.waitlist, state.entry.place.wish
    if entry.status not in message.true_of:
        return None
    service, span = waitlist.service, waitlist.span_of(wish) or Interval(wish.start, wish.end)
    zone = zone_of(reader, service.resources[0])
    what = f"{service.name}, {when(span.start, zone)}"
    if span.end - span.start > 1:
        what = f"{what} to {when(span.end - 1, zone)}"
    lines = [] if entry.reason is None else [f"Reason: {entry.reason}."]
    if entry.status == "waiting":
        if (place := position(waitlist.queue, entry.id, waitlist.rules_for(wish))) is not None:
            lines.append(f"You are number {place}. We write as soon as it is your turn.")
        lines += _link(work, "Look where you stand, or leave", "waitlist", entry)
    return News(client=entry.client, subject=message.subject.format(what=what), lines=tuple(lines))


def served_lines(work: Work, reader: Reader, booking: Booking) -> tuple[str, ...]:
    """Of a booking that somebody has waited for: until when an offer holds, and where they answer it; or where they change what was booked for them."""
    if booking.status != "held" or booking.expires_at is None:
        return _link(work, "Look at it, move it or cancel it", "bookings", booking)
    entry = None if booking.entry is None else reader.get(Ref(WaitlistEntry, booking.entry))
    if entry is None:
        return ()
    until = when(booking.expires_at // MINUTE_MS, zone_of(reader, booking.resources[0]))
    return (f"It is kept for you until {until}.", *_link(work, "Accept or decline it", "waitlist", entry))


def _link(work: Work, words: str, collection: str, record: Booking | WaitlistEntry) -> tuple[str, ...]:
    """Where it is done, with the proof that it is theirs: in the part of an address that browsers send nobody."""
    settings = work.application.settings
    token = stored_manage_token(settings.signing_keys, record.id, record.manage_hash)
    address = f"{settings.booking_url}/v1/accounts/{work.account}/{collection}/{record.id}"
    return () if token is None else (f"{words}: {address}#{token}",)
