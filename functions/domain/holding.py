"""Seats that are kept and not taken yet: for a client who fills in the form, or for a request until an operator has decided.

A hold is a booking with the status `held`. It lapses by comparison with the clock: from that moment on its seats and its time are free for everyone,
whether or not anybody has cleared it away yet. So whoever confirms one must look whether it is still theirs.
"""

from collections.abc import Mapping
from dataclasses import replace

from functions.domain.answers import checked
from functions.domain.appointments import Booked, BookingRequest
from functions.domain.availability import Question
from functions.domain.availability.limits import closed_by_limits
from functions.domain.availability.question import Candidate
from functions.domain.availability.taken import taken_time
from functions.domain.decision import AnyRef, Author, Decision, Effect, HistoryEntry
from functions.domain.errors import HoldLapsed, IllegalMove, StartClosed
from functions.domain.instants import MINUTE_MS, Millis, rfc3339_millis
from functions.domain.ledger import Hold
from functions.domain.seating import (
    Seating,
    confirm_seats,
    free_seats,
    freed_by,
    guards_at,
    guards_of,
    hold_seats,
    keep_longer,
    push_of,
    times_of,
)
from functions.domain.session import Booking, Client, Session
from functions.domain.transitions import BOOKING, step

FORM_MINUTES = 10  # how long a client has to fill in the form
LAPSED = "the hold lapsed"
UNANSWERED = "nobody answered the request in time"


def hold(request: BookingRequest, seating: Seating, *, author: Author) -> Decision[Booked]:
    """Keeps the seats while the client fills in the form. Nobody is told, neither the client nor Google."""
    return _held(request, seating, expires_at=seating.question.now + FORM_MINUTES * MINUTE_MS, author=author)


def ask(request: BookingRequest, seating: Seating, *, author: Author) -> Decision[Booked]:
    """A request: its seats are kept until an operator has decided, at the latest until the session begins."""
    return _held(request, seating, expires_at=seating.start * MINUTE_MS, author=author, requested=True)


def offer(request: BookingRequest, seating: Seating, *, expires_at: Millis, author: Author) -> Decision[Booked]:
    """An offer to somebody who waits: the seats are theirs if they say so by `expires_at`."""
    return _held(request, seating, expires_at=expires_at, author=author)


def _held(
    request: BookingRequest, seating: Seating, *, expires_at: Millis, author: Author, requested: bool = False
) -> Decision[Booked]:
    question = seating.question
    kept = Hold(seats=question.seats, expires_at=expires_at)
    change = hold_seats(seating, session_id=request.session, key=request.booking, hold=kept)
    session = change.session
    booking = Booking(
        id=request.booking,
        session=session.id,
        service=question.service.id,
        start=session.start,
        resources=session.resources,
        client=request.client,
        client_key=request.client.key if request.client.email else "",
        seats=question.seats,
        notes=request.notes,
        answers=request.answers,
        entry=request.entry,
        series=request.series,
        expires_at=expires_at,
        requested=requested,
        status="held",
        manage_hash=request.manage_hash,
        created_at=question.now,
    )
    entry = HistoryEntry(
        what="booking.requested" if requested else "booking.held",
        author=author,
        session=session.id,
        booking=booking.id,
        resource=session.resources[0],
        after=times_of(session)
        | {
            "status": booking.status,
            "service": booking.service,
            "seats": booking.seats,
            "expires_at": rfc3339_millis(expires_at),
        },
    )
    told = (Effect(kind="notify", subject=booking.id, about="requested"),) if requested else ()
    cleared = Effect(kind="lapse", subject=booking.id, not_before=expires_at)
    return Decision(
        answer=Booked(booking, session),
        documents=(session, booking),
        changes=change.ledger,
        guards=guards_of(seating, booking.client),
        history=(entry,),
        effects=(*push_of(session), cleared, *told),
    )


def confirm(
    booking: Booking,
    session: Session,
    *,
    client: Client,
    notes: str | None,
    question: Question,
    author: Author,
    answers: Mapping[str, str] | None = None,
) -> Decision[Booked]:
    """Makes a booking of what was kept; or, where an operator has to confirm, a request of what a client kept while filling in the form.

    `question`: the service at all its resources, over the session's time. `answers`: to the service's questions; a request, and an offer to somebody
    who waited, came with theirs. Confirming twice is once.

    Raises `HoldLapsed` where the seats are somebody else's by now, `StartClosed` where the client may not book any more, `IllegalMove`, `Invalid`.
    """
    if booking.status == "confirmed":
        return Decision(answer=Booked(booking, session))
    status = step(BOOKING, booking.status, "confirm")
    now = question.now
    if session.start * MINUTE_MS <= now:
        raise IllegalMove("This appointment has begun or is over; it can't be confirmed any more.")
    given_before = booking.requested or booking.entry is not None
    kept = booking.answers if given_before and answers is None else checked(question.service, answers or {})
    filled_in = {"client": client, "client_key": client.key, "notes": notes, "answers": kept}
    if not _still_kept(booking, session, question):
        raise HoldLapsed(
            "Your seats were kept until a moment ago, and somebody else has them now. Choose another time."
        )
    serving = tuple(state for state in question.states if state.resource.id in session.resources)
    # A hold that lapsed was not counted for a while; its own session never counts against it.
    asked = replace(question, moving=session.id)
    if serving and closed_by_limits(asked, Candidate(states=serving), session.start):
        raise StartClosed("There are as many bookings by now as there may be. Choose another time.", reasons=["limit"])
    counted = tuple(state.resource.id for state in serving)
    guards = guards_at(question, counted, session.start, client)
    # An offer is the business's word already; so is what an operator confirms.
    if question.service.confirmation == "operator" and booking.entry is None and author.kind != "operator":
        return _submitted(booking.model_copy(update=filled_in), session, guards=guards, author=author)
    change = confirm_seats(session, booking.id)
    confirmed = booking.model_copy(update={**filled_in, "status": status, "expires_at": None})
    entry = HistoryEntry(
        what="booking.confirmed",
        author=author,
        session=session.id,
        booking=booking.id,
        resource=session.resources[0],
        before={"status": booking.status},
        after=times_of(session) | {"status": status, "service": booking.service, "seats": booking.seats},
    )
    return Decision(
        answer=Booked(confirmed, change.session),
        documents=(confirmed, change.session),
        changes=change.ledger,
        guards=guards,
        history=(entry,),
        effects=(*push_of(change.session), Effect(kind="notify", subject=booking.id, about="confirmed")),
    )


def _submitted(booking: Booking, session: Session, *, guards: tuple[AnyRef, ...], author: Author) -> Decision[Booked]:
    """The form is filled in, and an operator has to decide."""
    expires_at = session.start * MINUTE_MS
    change = keep_longer(session, booking.id, expires_at)
    asked = booking.model_copy(update={"expires_at": expires_at, "requested": True})
    entry = HistoryEntry(
        what="booking.requested",
        author=author,
        session=session.id,
        booking=booking.id,
        resource=session.resources[0],
        after={"expires_at": rfc3339_millis(expires_at)},
    )
    return Decision(
        answer=Booked(asked, change.session),
        documents=(asked, change.session),
        changes=change.ledger,
        guards=guards,
        history=(entry,),
        effects=(
            *push_of(change.session),
            Effect(kind="lapse", subject=booking.id, not_before=expires_at),
            Effect(kind="notify", subject=booking.id, about="requested"),
        ),
    )


def _still_kept(booking: Booking, session: Session, question: Question) -> bool:
    """A hold that lapsed a moment ago, by whoever's clock, may have been sold again; one that nobody else wanted is still good."""
    if session.status != "open" or booking.id not in session.holds:
        return False
    others = {key: hold for key, hold in session.holds.items() if key != booking.id}
    without = session.model_copy(update={"holds": others})
    if without.occupation.seats_left(question.now) < booking.seats:
        return False
    return all(
        not any(
            taken.overlaps(session.occupation.taken) for taken in taken_time(state, question.now, without=session.id)
        )
        for state in question.states
        if state.resource.id in session.resources
    )


def lapse(booking: Booking, session: Session, *, now: Millis) -> Decision[Booked]:
    """Clears away a hold whose time is over, and tells the client of a request that nobody answered. Nothing where it is decided already."""
    if booking.status != "held" or booking.expires_at is None or now < booking.expires_at:
        return Decision(answer=Booked(booking, session))
    reason = UNANSWERED if booking.requested else LAPSED
    told = (Effect(kind="notify", subject=booking.id, about="cancelled"),) if booking.requested else ()
    ended = _ended(booking, session, what="booking.lapsed", author=Author(kind="rule", name="hold"), reason=reason)
    return ended.also(effects=told)


def let_go(booking: Booking, session: Session, *, author: Author, reason: str) -> Decision[Booked]:
    """Seats that were kept are free before their time is over; the client knows. Raises `IllegalMove`."""
    if booking.status != "held":
        raise IllegalMove(f"This booking is {booking.status}; nothing is kept.", current_status=booking.status)
    return _ended(booking, session, what="booking.let_go", author=author, reason=reason)


def _ended(booking: Booking, session: Session, *, what: str, author: Author, reason: str) -> Decision[Booked]:
    ended = booking.model_copy(
        update={
            "status": step(BOOKING, booking.status, "cancel"),
            "cancelled_by": author.kind,
            "reason": reason,
            "expires_at": None,
        }
    )
    freed = free_seats(session, booking, {"cancelled_by": author.kind, "reason": reason})
    entry = HistoryEntry(
        what=what,
        author=author,
        session=session.id,
        booking=booking.id,
        resource=session.resources[0],
        why=reason,
        before={"status": booking.status},
        after={"status": ended.status},
    )
    return Decision(
        answer=Booked(ended, freed.session),
        documents=(ended, freed.session),
        changes=freed.ledger,
        history=(entry,),
        effects=(*push_of(freed.session), *freed_by(session, freed.session)),
    )
