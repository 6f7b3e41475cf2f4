"""An event of ours as a pull finds it, with the session it belongs to and the ledger around it."""

from typing import Any

from functions.domain.availability import ResourceState
from functions.domain.decision import Decision
from functions.domain.event_ids import event_id
from functions.domain.google_event import MirrorEvent
from functions.domain.inbound import decide_inbound
from functions.domain.ledger import LedgerMonth
from functions.domain.own_event import Inbound
from functions.domain.session import Booking, Session
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    EVERY_DAY,
    FAR,
    NOW,
    SESSION,
    Ledger,
    apply,
    booking,
    copy,
    google_event,
    hours,
    ledger,
    occupation,
    rebuilt,
    resource,
    row,
    service,
    session,
    spans,
    together,
    weekly,
)

EVENT = event_id(SESSION, CALENDAR, 0)
ANNA = resource(hours=hours(weekly("09:00", "17:00", EVERY_DAY), zone="UTC"))

NINE = "2027-03-01T09:00Z/2027-03-01T10:00Z"
TEN = "2027-03-01T10:00Z/2027-03-01T11:00Z"
ELEVEN = "2027-03-01T11:00Z/2027-03-01T12:00Z"
LONGER = "2027-03-01T09:00Z/2027-03-01T10:30Z"
EVENING = "2027-03-01T19:00Z/2027-03-01T20:00Z"
NEXT_MONTH = "2027-04-01T09:00Z/2027-04-01T10:00Z"
PAST = "2027-02-15T09:00Z/2027-02-15T10:00Z"
LONG_PAST = "2026-11-02T09:00Z/2026-11-02T10:00Z"


def theirs(at: str, **changes: Any) -> MirrorEvent:
    """Our event as Google has it now."""
    start, end = (f"{text[:-1]}:00Z" for text in at.split("/"))
    return row(google_event(EVENT, start, end, etag='"2"') | changes, session=SESSION)


def ours(at: str = NINE, **changes: Any) -> Session:
    start, end = at.split("/")
    kept: dict[str, Any] = {"copies": {CALENDAR: copy(at, etag='"1"', written=1)}}
    return session(start, end, **kept | changes)


def inbound(event: MirrorEvent, kept: Session, *, others: Ledger | None = None, **changes: Any) -> Inbound:
    """`others`: what stands in the resource's ledger besides the session."""
    months: Ledger = together(others or {}, rebuilt(kept))
    fields: dict[str, Any] = {
        "event": event,
        "session": kept,
        "bookings": tuple(booking(id=each, session=kept.id) for each in kept.seats),
        "states": (ResourceState(resource=ANNA, months=tuple(months.values()), known_until=FAR),),
        "service": service(),
        "calendar_zone": BERLIN,
        "now": NOW,
    }
    return Inbound(**fields | changes)


def session_after(decision: Decision[None], before: Session) -> Session:
    return next((document for document in decision.documents if isinstance(document, Session)), before)


def bookings_after(decision: Decision[None]) -> list[Booking]:
    return [document for document in decision.documents if isinstance(document, Booking)]


def again(first: Inbound) -> Decision[None]:
    """The same event once more, after the first decision was committed."""
    decision = decide_inbound(first)
    kept = session_after(decision, first.session)
    known = {each.id: each for each in (*first.bookings, *bookings_after(decision))}
    months = {(month.resource, month.month): month for state in first.states for month in state.months}
    after: tuple[LedgerMonth, ...] = tuple(apply(months, decision.changes).values())
    states = tuple(
        ResourceState(resource=state.resource, months=after, known_until=state.known_until) for state in first.states
    )
    return decide_inbound(
        Inbound(
            event=first.event,
            session=kept,
            bookings=tuple(known.values()),
            states=states,
            service=first.service,
            calendar_zone=first.calendar_zone,
            now=first.now + 60_000,
        )
    )


OTHER_AT_TEN = ledger(occupation("2027-03-01T10:30Z", "2027-03-01T11:30Z", session="other"))
EXTERNAL_AT_NINE = ledger(blocks={(CALENDAR, "dentist"): spans("2027-03-01T09:30Z/2027-03-01T09:31Z")})
EXTERNAL_AT_TEN = ledger(blocks={(CALENDAR, "dentist"): spans("2027-03-01T10:30Z/2027-03-01T10:31Z")})
NEIGHBOURS = ledger(
    occupation("2027-03-01T11:00Z", "2027-03-01T12:00Z", session="other"),
    blocks={(CALENDAR, "dentist"): spans("2027-03-01T09:30Z/2027-03-01T10:00Z")},
)
