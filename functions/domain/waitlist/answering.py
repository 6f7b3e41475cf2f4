"""What becomes of an offer: accepted it is a booking; declined, run out or withdrawn its seats go to the next in line at once."""

from typing import Any

from functions.domain import holding
from functions.domain.appointments import Booked
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import HoldLapsed, IllegalMove
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.entry import Place, WaitlistEntry
from functions.domain.waitlist.joining import waits
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.preset import RULE
from functions.domain.waitlist.quiet import quiet_until
from functions.domain.waitlist.snapshot import Waitlist

DECLINED = "the offer was declined"
RAN_OUT = "the offer was not answered in time"
WITHDRAWN = "what was offered is not there any more"


def accept(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist, *, author: Author) -> Decision[Booked]:
    """Books what was offered. Accepting twice is once. Raises `HoldLapsed` once the offer has run out, `StartClosed`, `IllegalMove`."""
    booking, session = offer.booking, offer.session
    if entry.status == "booked" and booking.status == "confirmed":
        return Decision(answer=offer)
    step(ENTRY, entry.status, "accept")
    if booking.expires_at is not None and booking.expires_at <= waitlist.now:
        raise HoldLapsed("The offer has run out; the seats go to the next who waits.")
    confirmed = holding.confirm(
        booking,
        session,
        client=entry.client,
        notes=booking.notes,
        question=waitlist.question(entry.place),
        author=author,
    )
    booked = confirmed.answer
    return ends(confirmed, entry, waitlist, verb="accept", author=author, offer=booked).with_answer(booked)


def decline(
    entry: WaitlistEntry, offer: Booked | None, waitlist: Waitlist, *, author: Author
) -> Decision[WaitlistEntry]:
    """The offer is not wanted: the client goes on waiting for everything else that they want, if there is anything else.

    Declining twice is once. Raises `IllegalMove`.
    """
    if _was_declined(entry):
        return Decision(answer=entry)
    if entry.status != "offered" or offer is None:
        raise IllegalMove("There is no offer to decline.", current_status=entry.status)
    freed = holding.let_go(offer.booking, offer.session, author=author, reason=DECLINED)
    place = entry.place.model_copy(update={"declined": (*entry.place.declined, offer.session.start)})
    if waitlist.is_hopeless(place):
        return ends(freed, entry, waitlist, verb="leave", author=author, reason=DECLINED, offer=offer)
    return _waits_again(freed, entry, waitlist, place=place, verb="decline", author=author, why=DECLINED)


def _was_declined(entry: WaitlistEntry) -> bool:
    return (
        entry.reason == DECLINED if entry.status == "left" else entry.status == "waiting" and bool(entry.place.declined)
    )


def settle(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """What follows from what became of an offer's booking: its time ran out, somebody cancelled it, or an operator confirmed it. Nothing while it holds."""
    status, expires_at = offer.booking.status, offer.booking.expires_at
    if entry.status != "offered":
        return Decision(answer=entry)
    if status == "held":
        over = expires_at is not None and expires_at <= waitlist.now
        return _run_out(entry, offer, waitlist) if over else Decision(answer=entry)
    if status == "cancelled":
        return _withdraw(entry, offer, waitlist)
    return ends(Decision(answer=offer), entry, waitlist, verb="accept", author=RULE, offer=offer)


def _run_out(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    freed = holding.lapse(offer.booking, offer.session, now=waitlist.now)
    told = freed.also(effects=(tells(entry, waitlist, "offer_lapsed"),))
    return ends(told, entry, waitlist, verb="expire", author=RULE, reason=RAN_OUT, offer=offer)


def _withdraw(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """What was offered was cancelled by somebody else: who had the offer is back at the place where they were, if there is anything else to wait for.
    If it was an operator, it is for them to say what this one gets now: it would be the same offer again.
    """
    if waitlist.is_hopeless(entry.place):
        in_vain = Decision(answer=offer, effects=(tells(entry, waitlist, "in_vain"),))
        return ends(in_vain, entry, waitlist, verb="expire", author=RULE, reason=WITHDRAWN, offer=offer)
    by_hand = offer.booking.cancelled_by == "operator"
    place = entry.place.model_copy(update={"paused": True}) if by_hand else entry.place
    told = Decision(answer=offer, effects=(tells(entry, waitlist, "offer_withdrawn"),))
    return _waits_again(told, entry, waitlist, place=place, verb="withdraw", author=RULE, why=WITHDRAWN)


def tells(entry: WaitlistEntry, waitlist: Waitlist, about: str) -> Effect:
    """What a rule has to tell a client waits for the end of quiet hours."""
    quiet = waitlist.rules_for(entry.place.wish).quiet
    return Effect(
        kind="notify", subject=entry.id, about=about, not_before=quiet_until(waitlist.now, quiet, waitlist.time_zone)
    )


def ends(
    decision: Decision[Any],
    entry: WaitlistEntry,
    waitlist: Waitlist,
    *,
    verb: str,
    author: Author,
    reason: str | None = None,
    offer: Booked | None = None,
) -> Decision[WaitlistEntry]:
    """The decision, in which this entry waits no longer. `offer`: the one that they had, if it is about that."""
    status = step(ENTRY, entry.status, verb)
    after = entry.model_copy(
        update={
            "status": status,
            "place": waitlist.queue.places.get(entry.id, entry.place),
            "ended_by": None if status == "booked" else author.kind,
            "reason": reason,
        }
    )
    queue = waitlist.queue.without(entry.id)
    ended = HistoryEntry(
        what=f"waitlist.{status}",
        author=author,
        entry=entry.id,
        service=entry.service,
        session=None if offer is None else offer.session.id,
        booking=None if offer is None else offer.booking.id,
        why=reason,
        before={"status": entry.status},
        after={"status": status},
    )
    more = decision.with_answer(after).also(documents=(after, queue), history=(ended,))
    return keeping(more, waitlist.with_queue(queue))


def _waits_again(
    decision: Decision[Booked],
    entry: WaitlistEntry,
    waitlist: Waitlist,
    *,
    place: Place,
    verb: str,
    author: Author,
    why: str,
) -> Decision[WaitlistEntry]:
    after = entry.model_copy(update={"status": step(ENTRY, entry.status, verb), "place": place, "booking": None})
    return waits(
        decision.with_answer(after),
        waitlist,
        after,
        what="waitlist.waits_again",
        author=author,
        before=entry.status,
        why=why,
    )
