"""What a client is told of their place on a waitlist: that they have one, what they are offered, and when it came to nothing."""

from collections.abc import Mapping

from functions.adapters.signing import stored_manage_token
from functions.adapters.store.store import Reader
from functions.domain.configuration import Service
from functions.domain.decision import Ref
from functions.domain.instants import MINUTE_MS
from functions.domain.session import Booking
from functions.domain.waitlist.entry import Queue, WaitlistEntry, position
from functions.domain.waitlist.preset import USUAL, Preset
from functions.sync.wording import Message, News, when, zone_of
from functions.sync.work import Work

WAITING = frozenset({"waiting", "offered"})
ABOUT_ENTRIES: Mapping[str, Message] = {
    "waiting": Message("You are on the waitlist: {what}", WAITING),
    "put_on": Message("Your booking has become a place on the waitlist: {what}", WAITING),
    "offer_lapsed": Message("Your offer has run out: {what}", frozenset({"expired"})),
    "in_vain": Message("Nothing came free in time: {what}", frozenset({"expired"})),
}


def entry_news(work: Work, reader: Reader) -> News | None:
    """From the present state of the subject entry (law 4); None where the message would not be true any more."""
    entry, message = reader.get(Ref(WaitlistEntry, work.subject)), ABOUT_ENTRIES[work.about or ""]
    service = None if entry is None else reader.get(Ref(Service, entry.service))
    if entry is None or service is None or entry.status not in message.true_of:
        return None
    zone, wish = zone_of(reader, service.resources[0]), entry.place.wish
    what = f"{service.name}, {when(wish.start, zone)}"
    if wish.end - wish.start > 1:
        what = f"{what} to {when(wish.end - 1, zone)}"
    lines: list[str] = []
    if entry.status == "waiting":
        queue = reader.get(Ref(Queue, service.id))
        preset = None if service.waitlist is None else reader.get(Ref(Preset, service.waitlist))
        if queue is not None and (place := position(queue, entry.id, preset or USUAL)) is not None:
            lines.append(f"You are number {place}. We write as soon as it is your turn.")
        lines += _link(work, entry, "Look where you stand, or leave")
    return News(client=entry.client, subject=message.subject.format(what=what), lines=tuple(lines))


def offer_lines(work: Work, reader: Reader, offer: Booking) -> tuple[str, ...]:
    """Until when an offer holds, and where the client answers it."""
    entry = None if offer.entry is None else reader.get(Ref(WaitlistEntry, offer.entry))
    if entry is None or offer.expires_at is None:
        return ()
    until = when(offer.expires_at // MINUTE_MS, zone_of(reader, offer.resources[0]))
    return (f"It is kept for you until {until}.", *_link(work, entry, "Accept or decline it"))


def _link(work: Work, entry: WaitlistEntry, words: str) -> tuple[str, ...]:
    """Where it is done, with the proof that it is theirs: in the part of an address that browsers send nobody."""
    settings = work.application.settings
    token = stored_manage_token(settings.signing_keys, entry.id, entry.manage_hash)
    address = f"{settings.booking_url}/v1/accounts/{work.account}/waitlist/{entry.id}"
    return () if token is None else (f"{words}: {address}#{token}",)
