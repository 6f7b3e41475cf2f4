"""What clients ask for: services, availability, bookings."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from functions.adapters.signing import manage_token, secret_hash, stored_manage_token
from functions.adapters.store import queries
from functions.adapters.store.documents import ACCOUNT, ledger_refs_of
from functions.adapters.store.records import StoredAnswer
from functions.adapters.store.store import Reader
from functions.booking.idempotency import Key, answer_to_store, key_of, stored_answer
from functions.booking.reading import ServiceState, Wanted, read_service, running
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import (
    BookingAnswer,
    Cancel,
    ClientDetails,
    Confirm,
    NewBooking,
    NewHold,
    PublicService,
    Reschedule,
    ServiceList,
)
from functions.domain import appointments, holding
from functions.domain.appointments import Booked, BookingRequest
from functions.domain.availability import ALTERNATIVES_REACH, ClientBooking, Question
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IllegalMove, Invalid, NotFound, Refusal
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute, rfc3339, rfc3339_millis
from functions.domain.placing import place
from functions.domain.seating import Seating, gives_up_time
from functions.domain.session import Booking, Client, ClientGuard, Session


def list_services(call: Call) -> Answer:
    if call.application.store.get(call.account, ACCOUNT) is None:
        raise NotFound("There is no such account.")
    found = queries.services(call.application.store, call.account)
    return Answer(body=ServiceList(services=[PublicService.of(s) for s in found if s.active]))


@dataclass(frozen=True)
class _Made:
    """A booking that this request made, or the stored answer of the request that it repeats."""

    answer: BookingAnswer
    manage_hash: str


def create_booking(call: Call) -> Answer:
    """Instant, or a request that keeps its seats until an operator has decided: as the service says."""
    body = call.body(NewBooking)
    wish = _wish(call, body, client=client_of(body.client), notes=body.notes)

    def decide(seating: Seating) -> Decision[Booked]:
        requested = seating.question.service.confirmation == "operator" and not call.caller.operator
        made = holding.ask if requested else appointments.book
        return made(wish, seating, author=call.caller.author)

    return _taking_seats(call, body, wish, decide)


def create_hold(call: Call) -> Answer:
    """Keeps seats for a while; `confirm` makes a booking of them."""
    body = call.body(NewHold)
    wish = _wish(call, body, client=Client(), notes=None)
    return _taking_seats(call, body, wish, lambda seating: holding.hold(wish, seating, author=call.caller.author))


def _wish(call: Call, body: NewHold, *, client: Client, notes: str | None) -> BookingRequest:
    booking_id = session_id(os.urandom(16))
    token = manage_token(call.application.settings.signing_keys[0], booking_id)
    return BookingRequest(
        booking=booking_id,
        session=session_id(os.urandom(16)),
        manage_hash=secret_hash(token),
        start=_start(body.start),
        client=client,
        notes=notes,
    )


def _taking_seats(
    call: Call, body: NewHold, wish: BookingRequest, decide: Callable[[Seating], Decision[Booked]]
) -> Answer:
    key = key_of(call)

    def attempt(reader: Reader) -> Decision[_Made]:
        state = _read_around(reader, call, body.service, wish.start, key)
        repeated = stored_answer(reader, key, call.now)
        if repeated is not None:
            return Decision(answer=_repeat(repeated))
        if body.resource is not None and all(s.resource.id != body.resource for s in state.states):
            raise Invalid(f"{body.resource} does not serve {body.service}.")
        question = Question(
            service=state.service,
            states=state.states,
            now=call.now,
            seats=body.seats,
            duration=body.duration_minutes,
            resource=body.resource,
            client=_bookings_of(reader, call, state.service, wish.client),
        )
        decision = decide(_seating(reader, question, wish.start))
        booked = decision.answer
        made = _Made(booking_answer(booked.booking, booked.session, _lead(state, booked)), booked.booking.manage_hash)
        body_ = made.answer.model_dump(mode="json") | {"manage_hash": made.manage_hash}
        stored = () if key is None else (answer_to_store(key, 201, body_, call.now),)
        return decision.with_answer(made).with_documents(*stored)

    made = call.application.store.run(call.account, attempt)
    return Answer(body=_with_token(call, made.answer, made.manage_hash), status=201)


def confirm_booking(call: Call) -> Answer:
    """Makes a booking of a hold, for whoever has its token; or of a request, for operators only."""
    body = call.body(Confirm) if call.raw_body() else Confirm()

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        if booking.requested and not call.caller.operator:
            if body.client is not None and client_of(body.client) == booking.client:
                return _answered(Decision(answer=booked), resource)  # the form once more: its answer was lost
            raise IllegalMove("Your request is with the business; they confirm it.", current_status=booking.status)
        client = booking.client if body.client is None else client_of(body.client)
        if not client.email:
            raise Invalid("Say who books: client has a name and an e-mail address.")
        state = _read_around(reader, call, booking.service, session.start)
        reader.load(*ledger_refs_of(session))
        counted = None if booking.requested else _bookings_of(reader, call, state.service, client, without=booking.id)
        question = Question(service=state.service, states=state.states, now=call.now, client=counted)
        decision = holding.confirm(
            booking,
            session,
            client=client,
            notes=booking.notes if body.notes is None else body.notes,
            question=question,
            author=call.caller.author,
        )
        return _answered(decision, resource)

    return Answer(body=call.application.store.run(call.account, attempt))


def client_of(details: ClientDetails) -> Client:
    return Client(name=details.name, email=details.email, phone=details.phone)


def _bookings_of(
    reader: Reader, call: Call, service: Service, client: Client, *, without: str | None = None
) -> tuple[ClientBooking, ...] | None:
    """What counts against the client's limits, where the service has any. The guard is read first: what is counted is at least as new."""
    if not service.client_limits.any or not client.email:
        return None
    reader.load(Ref(ClientGuard, client.key))
    found = queries.bookings_of_client(call.application.store, call.account, client.key, service.id)
    bookings = [booking for booking in found if booking.id != without]
    reader.load(*(Ref(Session, booking.session) for booking in bookings))
    sessions = [session for b in bookings if (session := reader.get(Ref(Session, b.session))) is not None]
    return tuple(ClientBooking(service=service.id, start=s.start, end=s.end) for s in sessions)


def _seating(reader: Reader, question: Question, start: Minute) -> Seating:
    """Where the seats are taken, with the session that runs there, if it is one. Raises what `place` raises."""
    choice = place(question, start)
    running = None if choice.session is None else reader.get(Ref(Session, choice.session))
    return Seating(question=question, choice=choice, start=start, running=running)


def _lead(state: ServiceState, booked: Booked) -> Resource:
    return next(s.resource for s in state.states if s.resource.id == booked.session.resources[0])


def _read_around(reader: Reader, call: Call, service: str, start: Minute, key: Key | None = None) -> ServiceState:
    """The service around a start: wide enough to offer the nearest alternatives."""
    wanted = Wanted(
        service=service,
        start=start - ALTERNATIVES_REACH,
        end=start + ALTERNATIVES_REACH,
        also=(
            *((key.ref,) if key else ()),
            *(Ref(Session, session) for session in running.get((call.account, service, start)) or ()),
        ),
    )
    return read_service(reader, wanted, now=call.now, stale_after=stale_after(call))


def _repeat(stored: StoredAnswer) -> _Made:
    body = dict(stored.body)
    manage_hash = body.pop("manage_hash")
    return _Made(BookingAnswer.model_validate(body), manage_hash)


def _with_token(call: Call, answer: BookingAnswer, manage_hash: str) -> BookingAnswer:
    settings = call.application.settings
    token = stored_manage_token(settings.signing_keys, answer.id, manage_hash)
    url = f"{settings.booking_url}/v1/accounts/{call.account}/bookings/{answer.id}"
    return answer.model_copy(update={"manage_token": token, "manage_url": url})


def get_booking(call: Call) -> Answer:
    booked, resource = read_booking(call.application.store.reader(call.account), call.ids["booking"])
    return Answer(body=booking_answer(booked.booking, booked.session, resource))


def cancel_booking(call: Call) -> Answer:
    body = call.body(Cancel) if call.raw_body() else Cancel()

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        reader.load(*ledger_refs_of(booked.session))
        service = reader.get(Ref(Service, booked.booking.service))
        decision = appointments.cancel(
            booked.booking,
            booked.session,
            now=call.now,
            author=call.caller.author,
            reason=body.reason,
            until_minutes=0 if call.caller.operator or service is None else service.client_cancel_until_minutes,
        )
        return _answered(decision, resource)

    return Answer(body=call.application.store.run(call.account, attempt))


def reschedule_booking(call: Call) -> Answer:
    body = call.body(Reschedule)
    start, new_session = _start(body.start), session_id(os.urandom(16))

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        around = _read_around(reader, call, booking.service, start)
        until = 0 if call.caller.operator else around.service.client_reschedule_until_minutes
        appointments.may_move(booking, session, now=call.now, until_minutes=until)
        length = body.duration_minutes or session.end - session.start
        if start == session.start and length == session.end - session.start:
            return _answered(Decision(answer=booked), resource)
        reader.load(*ledger_refs_of(session))
        question = Question(
            service=around.service,
            states=around.states,
            now=call.now,
            seats=booking.seats,
            duration=length if around.service.offers_duration(length) else None,
            client=_bookings_of(reader, call, around.service, booking.client, without=booking.id),
            moving=session.id if gives_up_time(booking, session) else None,
        )
        seating = _seating_near(reader, question, session, start)
        decision = appointments.reschedule(
            booking, session, seating, new_session=new_session, author=call.caller.author
        )
        return _answered(decision, _lead(around, decision.answer))

    return Answer(body=call.application.store.run(call.account, attempt))


def _seating_near(reader: Reader, question: Question, session: Session, start: Minute) -> Seating:
    """At the same resource where it can be, or else at any other that serves; a client who chose a resource keeps it."""
    if question.service.assignment == "all":
        return _seating(reader, question, start)
    same = replace(question, resource=session.resources[0])
    served = {state.resource.id for state in question.states}
    if same.resource not in served:
        raise Invalid("The person of this booking does not offer this service any more. Book anew.")
    try:
        return _seating(reader, same, start)
    except Refusal:
        if question.service.assignment == "choice":
            raise
        # Nobody asked for this one in particular: any of the pool may serve the new time.
        return _seating(reader, question, start)


def _answered(decision: Decision[Booked], resource: Resource) -> Decision[BookingAnswer]:
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
    copies = session.copies.values()
    copy = "pending" if session.copy_pending else "written" if copies else "none"
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
        calendar_error=next((c.error for c in copies if c.error), None) if operator else None,
        conflict=session.conflict.reason if operator and session.conflict else None,
        cancelled_by=booking.cancelled_by,
        reason=booking.reason,
        client=ClientDetails.model_construct(**booking.client.model_dump()) if operator else None,
    )


def stale_after(call: Call) -> int:
    return call.application.settings.stale_after_seconds * 1000


def _start(start: object) -> Minute:
    assert isinstance(start, int)  # the schema's validator made a minute of the instant
    return start


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/services", handler=list_services),
    Route(method="POST", path=f"{_ACCOUNT}/bookings", handler=create_booking),
    Route(method="POST", path=f"{_ACCOUNT}/holds", handler=create_hold),
    Route(method="POST", path=f"{_ACCOUNT}/bookings/<id:booking>/confirm", handler=confirm_booking, access="booking"),
    Route(method="GET", path=f"{_ACCOUNT}/bookings/<id:booking>", handler=get_booking, access="booking"),
    Route(method="POST", path=f"{_ACCOUNT}/bookings/<id:booking>/cancel", handler=cancel_booking, access="booking"),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings/<id:booking>/reschedule",
        handler=reschedule_booking,
        access="booking",
    ),
)
