"""Seats in sessions: taken, held and freed. What a booking does to the session it sits in, and to the ledger.

Every step answers with the session as it is after it and with the ledger's changes, for one commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.domain.availability import Choice, Question
from functions.domain.availability.limits import months_counted
from functions.domain.configuration import Service
from functions.domain.decision import AnyRef, Effect, Ref
from functions.domain.event_ids import event_id
from functions.domain.instants import Millis, Minute, rfc3339
from functions.domain.ledger import Hold, LedgerChange, LedgerMonth, enter, leave, ledger_id
from functions.domain.session import Booking, Client, ClientGuard, GoogleCopy, Session
from functions.domain.standing import Obstacle
from functions.domain.transitions import SESSION, step


@dataclass(frozen=True, kw_only=True)
class Seating:
    """Where seats are to be taken: the choice that was made for `start`, and the session that runs there, if it is one (as it was read)."""

    question: Question
    choice: Choice
    start: Minute
    running: Session | None = None


@dataclass(frozen=True)
class SeatChange:
    """What seats that come or go do to a session."""

    session: Session
    ledger: tuple[LedgerChange, ...]


def gives_up_time(booking: Booking, session: Session) -> bool:
    """Whether the session's time is free once this booking has left it: nobody else sits in it, and it was not scheduled for its own sake."""
    return not session.scheduled and {*session.seats, *session.holds} <= {booking.id}


def take_seats(seating: Seating, *, session_id: str, booking: str, seats: int) -> SeatChange:
    """In the session that was chosen, or in a new one with the id `session_id`."""
    session = _chosen(seating, session_id)
    taken = session.model_copy(update={"seats": {**session.seats, booking: seats}})
    return SeatChange(taken, enter(taken.resources, taken.occupation))


def hold_seats(seating: Seating, *, session_id: str, key: str, hold: Hold) -> SeatChange:
    """The same, but the seats are only kept, under `key`."""
    session = _chosen(seating, session_id)
    held = session.model_copy(update={"holds": {**session.holds, key: hold}})
    return SeatChange(held, enter(held.resources, held.occupation))


def keep_longer(session: Session, key: str, expires_at: Millis) -> SeatChange:
    """Seats that are kept already are kept until then."""
    hold = Hold(seats=session.holds[key].seats, expires_at=expires_at)
    kept = session.model_copy(update={"holds": {**session.holds, key: hold}, "version": session.version + 1})
    return SeatChange(kept, enter(kept.resources, kept.occupation))


def confirm_seats(session: Session, key: str) -> SeatChange:
    """Seats that were kept are taken."""
    holds = {other: hold for other, hold in session.holds.items() if other != key}
    seats = {**session.seats, key: session.holds[key].seats}
    taken = session.model_copy(update={"seats": seats, "holds": holds, "version": session.version + 1})
    return SeatChange(taken, enter(taken.resources, taken.occupation))


def _chosen(seating: Seating, session_id: str) -> Session:
    if seating.choice.session is None:
        return new_session(seating, session_id)
    assert seating.running is not None, "the session that was chosen has been read"
    return seating.running.model_copy(update={"version": seating.running.version + 1})


def new_session(seating: Seating, session_id: str) -> Session:
    """A session as the service says, with nobody in it. Its copies in Google have their ids before Google is asked."""
    question, choice = seating.question, seating.choice
    service = question.service
    destinations = dict.fromkeys(
        state.resource.destination for state in question.states if state.resource.id in choice.resources
    )
    return Session(
        id=session_id,
        service=service.id,
        resources=choice.resources,
        start=seating.start,
        end=choice.end,
        taken_from=seating.start - service.buffer_before_minutes,
        taken_until=choice.end + service.buffer_after_minutes,
        capacity=service.capacity,
        created_at=question.now,
        copies={
            calendar: GoogleCopy(calendar=calendar, event=event_id(session_id, calendar, 0))
            for calendar in destinations
            if calendar is not None
        },
    )


def free_seats(session: Session, booking: Booking, ending: Mapping[str, Any]) -> SeatChange:
    """`ending`: what the session says of its end, if this was its last booking. In one that has ended already there is nothing left to free."""
    seats = {other: count for other, count in session.seats.items() if other != booking.id}
    holds = {other: hold for other, hold in session.holds.items() if other != booking.id}
    update: dict[str, Any] = {"seats": seats, "holds": holds, "version": session.version + 1}
    if session.status != "open":
        return SeatChange(session.model_copy(update={"seats": seats, "holds": holds}), ())
    if gives_up_time(booking, session):
        over = {"status": step(SESSION, session.status, "cancel"), "conflict": None}
        ended = session.model_copy(update={**update, **ending, **over})
        return SeatChange(ended, leave(session.resources, session.occupation))
    freed = session.model_copy(update=update)
    return SeatChange(freed, enter(freed.resources, freed.occupation))


def seated(booking: Booking, session: Session) -> Booking:
    """The booking, in this session as it is now."""
    return booking.model_copy(
        update={"session": session.id, "start": session.start, "resources": session.resources, "conflict": None}
    )


def guards_of(seating: Seating, client: Client) -> tuple[AnyRef, ...]:
    """What the limits counted, beyond what is changed anyway: or two bookings in different months or at different resources might both be the last."""
    beginning = () if seating.choice.session is not None else seating.choice.resources
    return guards_at(seating.question, beginning, seating.start, client)


def guards_at(question: Question, resources: tuple[str, ...], start: Minute, client: Client) -> tuple[AnyRef, ...]:
    """The same, for a session that counts from now on at these resources (none, if it has counted before)."""
    counted = months_counted(question, resources, start) if resources else frozenset()
    months = [Ref(LedgerMonth, ledger_id(*place)) for place in sorted(counted)]
    return (*months, *([] if question.client is None else [Ref(ClientGuard, client.key)]))


def push_of(session: Session) -> tuple[Effect, ...]:
    """Google does not hear of a session in which seats are only kept."""
    known = any(copy.asked or copy.base for copy in session.copies.values())
    only_kept = session.status == "open" and not session.seats and not session.scheduled
    return () if not session.copies or (only_kept and not known) else (Effect(kind="push", subject=session.id),)


def push_pending(session: Session) -> tuple[Effect, ...]:
    """Where an event of the session is still to be written, or deleted, and may be from now on."""
    return (Effect(kind="push", subject=session.id),) if session.copy_pending else ()


def left_by_those_who_wait(moved: Session, service: Service | None) -> Session:
    """A session at its new time, without those who wait for the start that it has left. An event is waited for by itself, whenever it is."""
    return moved if service is None or service.kind == "event" else moved.model_copy(update={"waiting": None})


def settle_of(before: Session, after: Session) -> tuple[Effect, ...]:
    """Of several questions about its events only one can be asked at a time: once that is decided, whether another one is missing or was moved too."""
    missing = any(copy.missing_since is not None for copy in after.copies.values())
    moved = before.in_conflict(Obstacle.MOVED) and len(after.copies) > 1
    asked = after.in_conflict(Obstacle.DELETED) or after.in_conflict(Obstacle.MOVED)
    return (Effect(kind="settle", subject=after.id),) if (missing or moved) and not asked else ()


def freed_by(before: Session, after: Session) -> tuple[Effect, ...]:
    """Time that a session has given up may be what another one lacks, or what somebody waits for; so may its seats. And one that is in conflict may be in
    none any more."""
    gave_up_time = before.status == "open" and (
        after.status != "open"
        or after.occupation.taken != before.occupation.taken
        or after.resources != before.resources
    )
    if gave_up_time:
        return tuple(Effect(kind="recalculate", subject=resource) for resource in before.resources)
    if after.status == "open" and before.conflict is not None:
        return (Effect(kind="recalculate", subject=before.resources[0]),)
    return (Effect(kind="promote", subject=before.service),) if after.status == "open" else ()


def times_of(session: Session) -> dict[str, Any]:
    return {"start": rfc3339(session.start), "end": rfc3339(session.end)}
