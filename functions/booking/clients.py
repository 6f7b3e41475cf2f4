"""What clients ask for: services, availability, bookings."""

import os
from dataclasses import dataclass
from datetime import timedelta

from functions.adapters.signing import manage_token, secret_hash, stored_manage_token
from functions.adapters.store import queries
from functions.adapters.store.documents import ACCOUNT, ledger_refs_of
from functions.adapters.store.records import StoredAnswer
from functions.adapters.store.store import Reader
from functions.booking.idempotency import Key, answer_to_store, key_of, stored_answer
from functions.booking.reading import ServiceState, Wanted, read_service
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import (
    Availability,
    AvailabilityQuery,
    BookingAnswer,
    Cancel,
    ClientDetails,
    NewBooking,
    OpenDay,
    OpenStart,
    PublicService,
    Reschedule,
    ServiceList,
)
from functions.domain import appointments
from functions.domain.appointments import Booked, BookingRequest
from functions.domain.availability import ALTERNATIVES_REACH, Question, pooled_starts
from functions.domain.configuration import Resource
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Invalid, NotFound
from functions.domain.event_ids import session_id
from functions.domain.hours import local_date, midnight, zone
from functions.domain.instants import DAY_MINUTES, Minute, rfc3339
from functions.domain.intervals import Interval
from functions.domain.session import Booking, Client, Session

MAX_DAYS = 92


def list_services(call: Call) -> Answer:
    if call.application.store.get(call.account, ACCOUNT) is None:
        raise NotFound("There is no such account.")
    found = queries.services(call.application.store, call.account)
    return Answer(body=ServiceList(services=[PublicService.of(s) for s in found if s.active]))


def availability(call: Call) -> Answer:
    """Open starts, grouped by the caller's dates. Answered from Firestore alone, as of the moment of the read (law 11)."""
    query = call.query(AvailabilityQuery)
    if not query.start < query.end <= query.start + timedelta(days=MAX_DAYS):
        raise Invalid(f"end must be after start, and at most {MAX_DAYS} days after it.")
    # A day each side: until the zone is known, the range is at most that far off.
    first = midnight(query.start, zone(query.time_zone or "UTC")) - (0 if query.time_zone else DAY_MINUTES)
    last = midnight(query.end, zone(query.time_zone or "UTC")) + (0 if query.time_zone else DAY_MINUTES)
    state = read_service(
        call.application.store.reader(call.account),
        Wanted(service=call.ids["service"], start=first, end=last),
        now=call.now,
        stale_after=stale_after(call),
    )
    chosen = tuple(s for s in state.states if query.resource in (None, s.resource.id))
    if not chosen:
        raise NotFound("No such resource serves this.")
    zone_ = zone(query.time_zone or chosen[0].resource.hours.time_zone)
    within = Interval(midnight(query.start, zone_), midnight(query.end, zone_))
    starts = pooled_starts((Question(service=state.service, state=s, now=call.now) for s in chosen), within)
    days: dict[str, OpenDay] = {}
    for start, resources in starts.items():
        day = local_date(start, zone_)
        days.setdefault(day.isoformat(), OpenDay(date=day, starts=[])).starts.append(
            OpenStart(start=rfc3339(start), end=rfc3339(start + state.service.duration_minutes), resources=resources)
        )
    unknown = [s.resource.id for s in chosen if s.known_until <= within.start]
    body = Availability(service=state.service.id, time_zone=zone_.key, days=list(days.values()), unknown=unknown)
    return Answer(body=body)


@dataclass(frozen=True)
class _Made:
    """A booking that this request made, or the stored answer of the request that it repeats."""

    answer: BookingAnswer
    manage_hash: str


def create_booking(call: Call) -> Answer:
    body = call.body(NewBooking)
    key = key_of(call)
    booking_id = session_id(os.urandom(16))
    token = manage_token(call.application.settings.signing_keys[0], booking_id)
    request = BookingRequest(
        booking=booking_id,
        session=session_id(os.urandom(16)),
        manage_hash=secret_hash(token),
        start=_start(body.start),
        client=Client(name=body.client.name, email=body.client.email, phone=body.client.phone),
        resource=body.resource,
        notes=body.notes,
    )

    def attempt(reader: Reader) -> Decision[_Made]:
        state = _read_around(reader, call, body.service, request.start, key)
        repeated = stored_answer(reader, key, call.now)
        if repeated is not None:
            return Decision(answer=_repeat(repeated))
        if request.resource is not None and all(s.resource.id != request.resource for s in state.states):
            raise Invalid(f"{request.resource} does not serve {body.service}.")
        decision = appointments.book(
            request, service=state.service, states=state.states, now=call.now, author=call.caller.author
        )
        booked = decision.answer
        resource = next(s.resource for s in state.states if s.resource.id == booked.session.resources[0])
        made = _Made(booking_answer(booked.booking, booked.session, resource), booked.booking.manage_hash)
        body_ = made.answer.model_dump(mode="json") | {"manage_hash": made.manage_hash}
        stored = () if key is None else (answer_to_store(key, 201, body_, call.now),)
        return decision.with_answer(made).with_documents(*stored)

    made = call.application.store.run(call.account, attempt)
    return Answer(body=_with_token(call, made.answer, made.manage_hash), status=201)


def _read_around(reader: Reader, call: Call, service: str, start: Minute, key: Key | None = None) -> ServiceState:
    """The service around a start: wide enough to offer the nearest alternatives."""
    wanted = Wanted(
        service=service,
        start=start - ALTERNATIVES_REACH,
        end=start + ALTERNATIVES_REACH,
        also=(key.ref,) if key else (),
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
    booked, resource = _read_booking(call.application.store.reader(call.account), call.ids["booking"])
    return Answer(body=booking_answer(booked.booking, booked.session, resource))


def cancel_booking(call: Call) -> Answer:
    body = call.body(Cancel) if call.raw_body() else Cancel()

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = _read_booking(reader, call.ids["booking"])
        reader.load(*ledger_refs_of(booked.session))
        decision = appointments.cancel(
            booked.booking, booked.session, now=call.now, author=call.caller.author, reason=body.reason
        )
        return _answered(decision, resource)

    return Answer(body=call.application.store.run(call.account, attempt))


def reschedule_booking(call: Call) -> Answer:
    start = _start(call.body(Reschedule).start)

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = _read_booking(reader, call.ids["booking"])
        around = _read_around(reader, call, booked.booking.service, start)
        states = [s for s in around.states if s.resource.id == resource.id]
        if not states:
            raise Invalid("The person of this booking does not offer this service any more. Book anew.")
        reader.load(*ledger_refs_of(booked.session))
        decision = appointments.reschedule(
            booked.booking,
            booked.session,
            start=start,
            service=around.service,
            state=states[0],
            now=call.now,
            author=call.caller.author,
        )
        return _answered(decision, resource)

    return Answer(body=call.application.store.run(call.account, attempt))


def _answered(decision: Decision[Booked], resource: Resource) -> Decision[BookingAnswer]:
    answer = booking_answer(decision.answer.booking, decision.answer.session, resource)
    return decision.with_answer(answer)


def _read_booking(reader: Reader, booking_id: str) -> tuple[Booked, Resource]:
    booking = reader.get(Ref(Booking, booking_id))
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
        time_zone=resource.hours.time_zone,
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
    Route(method="GET", path=f"{_ACCOUNT}/services/<id:service>/availability", handler=availability),
    Route(method="POST", path=f"{_ACCOUNT}/bookings", handler=create_booking),
    Route(method="GET", path=f"{_ACCOUNT}/bookings/<id:booking>", handler=get_booking, access="booking"),
    Route(method="POST", path=f"{_ACCOUNT}/bookings/<id:booking>/cancel", handler=cancel_booking, access="booking"),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings/<id:booking>/reschedule",
        handler=reschedule_booking,
        access="booking",
    ),
)
