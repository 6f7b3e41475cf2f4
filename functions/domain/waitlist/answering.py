"""What becomes of an offer: accepted it is a booking; declined, run out or withdrawn its seats go to the next in line at once."""

from functions.domain import holding
from functions.domain.appointments import Booked
from functions.domain.decision import Author, Decision, Effect, HistoryEntry
from functions.domain.errors import HoldLapsed, IllegalMove
from functions.domain.instants import Minute
from functions.domain.session import Booking, Session
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from functions.domain.waitlist.joining import waits
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.serving import RULE
from functions.domain.waitlist.snapshot import Waitlist

DECLINED = "the offer was declined"
RAN_OUT = "the offer was not answered in time"
WITHDRAWN = "what was offered is not there any more"


def accept(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist, *, author: Author) -> Decision[Booked]:
    """Books what was offered. Accepting twice is once. Raises `HoldLapsed` once the offer has run out, `StartClosed`, `IllegalMove`."""
    booking, session = offer.booking, offer.session
    if entry.status == "booked" and booking.status == "confirmed":
        return Decision(answer=offer)
    status = step(ENTRY, entry.status, "accept")
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
    after = entry.model_copy(update={"status": status})
    queue = waitlist.queue.without(entry.id)
    history = (_entry("waitlist.booked", entry, after, author, booking=booking),)
    return keeping(confirmed.also(documents=(after, queue), history=history), waitlist.with_queue(queue), (session.id,))


def decline(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist, *, author: Author) -> Decision[WaitlistEntry]:
    """The offer is not wanted: the client goes on waiting for everything else that they want, if there is anything else.

    Raises `IllegalMove`.
    """
    if entry.status != "offered":
        raise IllegalMove("There is no offer to decline.", current_status=entry.status)
    freed = holding.let_go(offer.booking, offer.session, author=author, reason=DECLINED)
    if not _wants_else(entry.place.wish, offer.session):
        return ends(freed, entry, waitlist, verb="leave", author=author, reason=DECLINED)
    declined: tuple[Minute, ...] = (*entry.place.declined, offer.session.start)
    return _waits_again(freed, entry, waitlist, verb="decline", author=author, why=DECLINED, declined=declined)


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
    return ends(Decision(answer=offer), entry, waitlist, verb="accept", author=RULE, reason=None)


def _run_out(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """The client is told."""
    booking = offer.booking
    freed = holding.lapse(booking, offer.session, now=waitlist.now)
    told = freed.also(effects=(Effect(kind="notify", subject=entry.id, about="offer_lapsed"),))
    return ends(told, entry, waitlist, verb="expire", author=RULE, reason=RAN_OUT)


def _withdraw(entry: WaitlistEntry, offer: Booked, waitlist: Waitlist) -> Decision[WaitlistEntry]:
    """What was offered was cancelled by somebody else: who had the offer is back at the place where they were."""
    freed = Decision(answer=offer)
    return _waits_again(
        freed, entry, waitlist, verb="withdraw", author=RULE, why=WITHDRAWN, declined=entry.place.declined
    )


def ends(
    decision: Decision[Booked],
    entry: WaitlistEntry,
    waitlist: Waitlist,
    *,
    verb: str,
    author: Author,
    reason: str | None,
) -> Decision[WaitlistEntry]:
    """The decision, in which this entry waits no longer."""
    status = step(ENTRY, entry.status, verb)
    ended = {"status": status, "reason": reason, "ended_by": None if status == "booked" else author.kind}
    after = entry.model_copy(update=ended)
    queue = waitlist.queue.without(entry.id)
    history = (_entry(f"waitlist.{after.status}", entry, after, author, why=reason),)
    more = decision.with_answer(after).also(documents=(after, queue), history=history)
    sessions = {*entry.place.wish.sessions, *({decision.answer.session.id} if decision.documents else ())}
    return keeping(more, waitlist.with_queue(queue), sessions)


def _waits_again(
    decision: Decision[Booked],
    entry: WaitlistEntry,
    waitlist: Waitlist,
    *,
    verb: str,
    author: Author,
    why: str,
    declined: tuple[Minute, ...],
) -> Decision[WaitlistEntry]:
    place: Place = entry.place.model_copy(update={"declined": declined})
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


def _wants_else(wish: Wish, session: Session) -> bool:
    if wish.sessions:
        return bool({*wish.sessions} - {session.id})
    return wish.end - wish.start > 1


def _entry(
    what: str,
    before: WaitlistEntry,
    after: WaitlistEntry,
    author: Author,
    *,
    booking: Booking | None = None,
    why: str | None = None,
) -> HistoryEntry:
    return HistoryEntry(
        what=what,
        author=author,
        entry=after.id,
        service=after.service,
        booking=None if booking is None else booking.id,
        session=None if booking is None else booking.session,
        why=why,
        before={"status": before.status},
        after={"status": after.status},
    )
