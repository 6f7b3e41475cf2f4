"""A place on the waitlist as it is shown: to whoever waits, and with more to operators."""

from typing import Any

from functions.adapters.signing import stored_manage_token
from functions.booking.routing import Call
from functions.booking.schemas import ClientAnswer
from functions.booking.schemas_waitlist import EntryAnswer, OfferAnswer
from functions.domain.appointments import Booked
from functions.domain.decision import Decision
from functions.domain.instants import rfc3339, rfc3339_millis
from functions.domain.intervals import Interval
from functions.domain.waitlist.entry import Queue, WaitlistEntry, position
from functions.domain.waitlist.snapshot import Waitlist


def answer_after(
    decision: Decision[Any],
    entry: WaitlistEntry,
    waitlist: Waitlist,
    offer: Booked | None = None,
    *,
    operator: bool = False,
) -> EntryAnswer:
    """The answer that says how it is once the decision is committed."""
    queue = next((each for each in decision.documents if isinstance(each, Queue)), waitlist.queue)
    return entry_answer(entry, waitlist.with_queue(queue), offer, operator=operator)


def entry_answer(
    entry: WaitlistEntry, waitlist: Waitlist, offer: Booked | None, *, operator: bool = False
) -> EntryAnswer:
    queue = waitlist.queue
    place = queue.places.get(entry.id, entry.place)
    wish = place.wish
    span = waitlist.span_of(wish) or Interval(wish.start, wish.end)
    more: dict[str, Any] = {}
    if operator:
        more = {
            "priority": place.priority,
            "level": place.level,
            "category": place.category,
            "paused": place.paused,
            "passed_over": place.passed_over,
            "passed_because": place.passed_because,
            "client": ClientAnswer.of(entry.client),
        }
    return EntryAnswer(
        id=entry.id,
        service=entry.service,
        status=entry.status,
        seats=place.seats,
        sessions=wish.sessions,
        starts=tuple(rfc3339(start) for start in waitlist.starts_of(wish)),
        start=rfc3339(span.start),
        end=rfc3339(span.end),
        resource=wish.resource,
        position=position(queue, entry.id, waitlist.rules_for(wish)),
        offer=_offer(offer) if offer is not None and entry.status == "offered" else None,
        booking=entry.booking if entry.status == "booked" else None,
        reason=entry.reason,
        joined_at=rfc3339_millis(place.joined_at),
        **more,
    )


def _offer(offer: Booked) -> OfferAnswer:
    booking, session = offer.booking, offer.session
    return OfferAnswer(
        session=session.id,
        start=rfc3339(session.start),
        end=rfc3339(session.end),
        resource=session.resources[0],
        seats=booking.seats,
        expires_at=rfc3339_millis(booking.expires_at or 0),
    )


def with_entry_token(call: Call, answer: EntryAnswer, manage_hash: str) -> EntryAnswer:
    settings = call.application.settings
    token = stored_manage_token(settings.signing_keys, answer.id, manage_hash)
    url = f"{settings.booking_url}/v1/accounts/{call.account}/waitlist/{answer.id}"
    return answer.model_copy(update={"manage_token": token, "manage_url": url})
