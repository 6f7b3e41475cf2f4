"""What clients ask for: services, availability, bookings."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.adapters.signing import new_managed_id, stored_manage_token
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.reading import ServiceState, Wanted, read_service, running
from functions.adapters.store.reading_waitlist import EntryState, read_client_bookings, read_entry
from functions.adapters.store.store import Reader
from functions.booking.freshness import Sale, on_fresh_calendars
from functions.booking.idempotency import answered_once
from functions.booking.rate_limits import limited
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import (
    BookingAnswer,
    ClientAnswer,
    ClientDetails,
    Confirm,
    ConflictAnswer,
    NewBooking,
    NewHold,
    PublicService,
    ServiceList,
)
from functions.domain import appointments, holding
from functions.domain.answers import checked
from functions.domain.appointments import Booked, BookingRequest
from functions.domain.availability import ALTERNATIVES_REACH, ClientBooking, Question
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.errors import (
    CalendarUnknown,
    HoldLapsed,
    IllegalMove,
    Invalid,
    NotFound,
    Refusal,
    SlotTaken,
    StartClosed,
    TooManyHolds,
)
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute, rfc3339, rfc3339_millis
from functions.domain.placing import place
from functions.domain.seating import Seating
from functions.domain.session import Booking, Client, Session
from functions.domain.standing import Obstacle
from functions.domain.waitlist import answering

# Why a start is not sold.
NOT_SOLD: tuple[type[Refusal], ...] = (SlotTaken, StartClosed, CalendarUnknown)


def list_services(call: Call) -> Answer:
    """What can be booked, and what a client will be asked."""
    account_of(call.application.store.reader(call.account))
    found = queries.services(call.application.store, call.account)
    return Answer(body=ServiceList(services=[PublicService.of(s) for s in found if s.active]))


@dataclass(frozen=True)
class _Made:
    """A booking that this request made, or the stored answer of the request that it repeats."""

    answer: BookingAnswer
    manage_hash: str

    def kept(self) -> dict[str, Any]:
        return self.answer.model_dump(mode="json") | {"manage_hash": self.manage_hash}

    @classmethod
    def repeated(cls, kept: Mapping[str, Any]) -> "_Made":
        return cls(BookingAnswer.model_validate(kept), kept["manage_hash"])


def create_booking(call: Call) -> Answer:
    """Books: at once, or as a request that keeps its seats until an operator has decided. The service says which."""
    body = call.body(NewBooking)
    wish = new_wish(call, start_of(body.start), client=client_of(body.client), notes=body.notes)

    def decide(seating: Seating) -> Decision[Booked]:
        service = seating.question.service
        made = holding.ask if service.confirmation == "operator" and not call.caller.operator else appointments.book
        return made(replace(wish, answers=checked(service, body.answers)), seating, author=call.caller.author)

    return _taking_seats(call, body, wish, decide)


def create_hold(call: Call) -> Answer:
    """Keeps seats for a while; `confirm` makes a booking of them."""
    body = call.body(NewHold)
    wish = new_wish(call, start_of(body.start), client=Client(), notes=None)
    return _taking_seats(call, body, wish, lambda seating: holding.hold(wish, seating, author=call.caller.author))


def new_wish(call: Call, start: Minute, *, client: Client, notes: str | None) -> BookingRequest:
    """With ids of its own."""
    new = new_managed_id(call.application.settings.signing_keys)
    return BookingRequest(
        booking=new.id,
        session=session_id(os.urandom(16)),
        manage_hash=new.manage_hash,
        start=start,
        client=client,
        notes=notes,
    )


def _taking_seats(
    call: Call, body: NewHold, wish: BookingRequest, decide: Callable[[Seating], Decision[Booked]]
) -> Answer:
    def attempt(reader: Reader, sale: Sale) -> Decision[_Made]:
        state = read_around(reader, call, body.service, wish.start)
        if body.resource is not None and all(s.resource.id != body.resource for s in state.states):
            raise Invalid(f"{body.resource} does not serve {body.service}.")
        question = Question(
            service=state.service,
            states=state.states,
            now=call.now,
            seats=body.seats,
            duration=body.duration_minutes,
            resource=body.resource,
            client=counted_bookings(reader, call, state.service, wish.client),
        )
        decision = sale.decided(reader, state, lambda: decide(seating_at(reader, question, wish.start)), resources_of)
        booked = decision.answer
        answer = booking_answer(booked.booking, booked.session, lead_of(state, booked))
        return decision.with_answer(_Made(answer, booked.booking.manage_hash))

    def sell(sale: Sale) -> _Made:
        within = limited(call, lambda reader: attempt(reader, sale), "bookings", email=wish.client.email)
        return answered_once(call, within, keep=_Made.kept, repeat=_Made.repeated, line=body.service)

    made = on_fresh_calendars(call, sell)
    return Answer(body=with_token(call, made.answer, made.manage_hash), status=201)


def confirm_booking(call: Call) -> Answer:
    """Makes a booking of a hold, for whoever has its token; or of a request, for operators only."""
    body = call.body(Confirm)

    def attempt(reader: Reader, sale: Sale) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        if booking.requested and not call.caller.operator:
            if body.client is not None and client_of(body.client) == booking.client:
                return answered(Decision(answer=booked), resource)  # the form once more: its answer was lost
            raise IllegalMove("Your request is with the business; they confirm it.", current_status=booking.status)
        client = booking.client if body.client is None else client_of(body.client)
        if booking.is_offer:
            offered = read_entry(reader, booking.entry or "", now=call.now, stale_after=call.stale_after)
            return answered(accept(reader, call, offered, sale), resource)
        if not client.email:
            raise Invalid("Say who books: client has a name and an e-mail address.")
        state = read_around(reader, call, booking.service, session.start)
        reader.load(*ledger_refs_of(session))
        counted = (
            None if booking.requested else counted_bookings(reader, call, state.service, client, without=booking.id)
        )
        question = Question(service=state.service, states=state.states, now=call.now, client=counted)

        def decide() -> Decision[Booked]:
            return holding.confirm(
                booking,
                session,
                client=client,
                notes=booking.notes if body.notes is None else body.notes,
                answers=body.answers,
                question=question,
                author=call.caller.author,
            )

        return answered(sale.decided(reader, state, decide, resources_of), resource)

    email = None if body.client is None else body.client.email

    def sell(sale: Sale) -> BookingAnswer:
        within = limited(call, lambda reader: attempt(reader, sale), "changes", email=email)
        return call.application.store.run(call.account, within)

    return Answer(body=on_fresh_calendars(call, sell))


def accept(reader: Reader, call: Call, offered: EntryState, sale: Sale) -> Decision[Booked]:
    """An offer to somebody who waits, accepted by them or by an operator. Raises what `answering.accept` raises."""
    entry, waitlist, offer = offered.entry, offered.waitlist, offered.offer
    if offer is None:
        raise IllegalMove("There is no offer to accept.", current_status=entry.status)
    counted = counted_bookings(reader, call, waitlist.service, entry.client, without=offer.booking.id)
    known = waitlist if counted is None else waitlist.with_client(entry.place.client_key, counted)
    return sale.decided(
        reader,
        ServiceState(known.service, known.states),
        lambda: answering.accept(entry, offer, known, author=call.caller.author),
        resources_of,
    )


def client_of(details: ClientDetails) -> Client:
    return Client(name=details.name, email=details.email, phone=details.phone)


def counted_bookings(
    reader: Reader, call: Call, service: Service, client: Client, *, without: str | None = None
) -> tuple[ClientBooking, ...] | None:
    """What counts against the client's limits, where the service has any."""
    if not service.client_limits.any or not client.email:
        return None
    return read_client_bookings(reader, call.application.store, service, client.key, without=(without,))


def seating_at(reader: Reader, question: Question, start: Minute) -> Seating:
    """Where the seats are taken, with the session that runs there, if it is one. Raises what `place` raises."""
    choice = place(question, start)
    running = None if choice.session is None else reader.get(Ref(Session, choice.session))
    return Seating(question=question, choice=choice, start=start, running=running)


def resources_of(booked: Booked) -> tuple[str, ...]:
    """Whose time the booking takes."""
    return booked.session.resources


def lead_of(state: ServiceState, booked: Booked) -> Resource:
    return next(s.resource for s in state.states if s.resource.id == booked.session.resources[0])


def read_around(reader: Reader, call: Call, service: str, start: Minute) -> ServiceState:
    """The service around a start: wide enough to offer the nearest alternatives."""
    wanted = Wanted(
        service=service,
        start=start - ALTERNATIVES_REACH,
        end=start + ALTERNATIVES_REACH,
        also=tuple(Ref(Session, session) for session in running.get((call.account, service, start)) or ()),
    )
    return read_service(reader, wanted, now=call.now, stale_after=call.stale_after)


def with_token(call: Call, answer: BookingAnswer, manage_hash: str) -> BookingAnswer:
    settings = call.application.settings
    token = stored_manage_token(settings.signing_keys, answer.id, manage_hash)
    url = f"{settings.booking_url}/v1/accounts/{call.account}/bookings/{answer.id}"
    return answer.model_copy(update={"manage_token": token, "manage_url": url})


def get_booking(call: Call) -> Answer:
    """A booking, as its client sees it."""
    booked, resource = read_booking(call.application.store.reader(call.account), call.ids["booking"])
    return Answer(body=booking_answer(booked.booking, booked.session, resource))


def answered(decision: Decision[Booked], resource: Resource) -> Decision[BookingAnswer]:
    answer = booking_answer(decision.answer.booking, decision.answer.session, resource)
    return decision.with_answer(answer)


def read_booking(reader: Reader, booking_id: str) -> tuple[Booked, Resource]:
    booking = reader.get(Ref(Booking, booking_id))
    if booking is not None:
        reader.load(Ref(Session, booking.session), *(Ref(Resource, name) for name in booking.resources[:1]))
    session = reader.get(Ref(Session, booking.session)) if booking else None
    resource = reader.get(Ref(Resource, session.resources[0])) if session else None
    if booking is None or session is None or resource is None:
        raise NotFound("There is no such booking.")
    return Booked(booking, session), resource


def booking_answer(booking: Booking, session: Session, resource: Resource, *, operator: bool = False) -> BookingAnswer:
    copies = session.present_copies
    copy = "pending" if session.copy_pending else "written" if copies else "none"
    failed = next((each for each in copies if each.error), None) if operator else None
    since = None if failed is None else failed.error_since
    return BookingAnswer(
        id=booking.id,
        session=session.id,
        service=booking.service,
        resource=resource.id,
        status=booking.status,
        start=rfc3339(session.start),
        end=rfc3339(session.end),
        seats=booking.seats,
        time_zone=resource.hours.time_zone,
        expires_at=None if booking.expires_at is None else rfc3339_millis(booking.expires_at),
        requested=booking.requested or None,
        calendar_copy=copy,
        meet_link=session.meet_link if booking.id in session.seats else None,
        calendar_error=None if failed is None else failed.error,
        calendar_error_since=None if since is None else rfc3339_millis(since),
        conflict=_conflict_of(booking, session) if operator else None,
        declined_at=rfc3339_millis(booking.declined_at) if operator and booking.declined_at is not None else None,
        cancelled_by=booking.cancelled_by,
        reason=booking.reason,
        series=booking.series,
        answers=booking.answers or None if operator else None,
        client=ClientAnswer.of(booking.client) if operator else None,
        client_key=(booking.client_key or None) if operator else None,
    )


def _conflict_of(booking: Booking, session: Session) -> ConflictAnswer | None:
    """The booking's own; or its session's, unless that is for want of seats, of which this one has its own."""
    conflict = booking.conflict
    if conflict is None and session.conflict is not None and session.conflict.reason != Obstacle.OVER_CAPACITY:
        conflict = session.conflict
    if conflict is None or "cancelled" in (booking.status, session.status):
        return None
    return ConflictAnswer.of(conflict)


def start_of(start: object) -> Minute:
    assert isinstance(start, int)  # the schema's validator made a minute of the instant
    return start


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/services", handler=list_services, answer=ServiceList),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings",
        handler=create_booking,
        body=NewBooking,
        answer=BookingAnswer,
        status=201,
        refusals=NOT_SOLD,
        once=True,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/holds",
        handler=create_hold,
        body=NewHold,
        answer=BookingAnswer,
        status=201,
        refusals=(*NOT_SOLD, TooManyHolds),
        once=True,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings/<id:booking>/confirm",
        handler=confirm_booking,
        access="booking",
        body=Confirm,
        body_optional=True,
        answer=BookingAnswer,
        refusals=(*NOT_SOLD, HoldLapsed, IllegalMove),
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/bookings/<id:booking>",
        handler=get_booking,
        access="booking",
        answer=BookingAnswer,
    ),
)
