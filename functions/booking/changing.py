"""Bookings that are cancelled, alone or with others of their series, or get another time."""

import os
from dataclasses import replace
from typing import Any

from functions.adapters.store import queries
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.booking.clients import (
    NOT_SOLD,
    answered,
    booking_answer,
    counted_bookings,
    lead_of,
    read_around,
    read_booking,
    resources_of,
    seating_at,
    start_of,
)
from functions.booking.freshness import Sale, on_fresh_calendars
from functions.booking.idempotency import answered_once
from functions.booking.rate_limits import limited
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import BookingAnswer, Cancel, Cancelled, Move, Reschedule, SeriesAnswer
from functions.domain import appointments
from functions.domain.appointments import Booked
from functions.domain.availability import Question
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IllegalMove, Invalid, Refusal
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute
from functions.domain.placing import as_operator
from functions.domain.seating import Seating, gives_up_time
from functions.domain.series import Part, cancel_series
from functions.domain.session import Booking, Session


def cancel_booking(call: Call) -> Answer:
    """Cancels a booking; or several of its series, which are then what it answers with.

    A client until so long before the start as the service says; an operator until it starts. From then on an operator notes who came and who did not.
    """
    body = call.body(Cancel)
    if body.series is not None:
        return _cancel_series(call, body.series, body.reason)

    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        reader.load(*ledger_refs_of(booked.session))
        decision = appointments.cancel(
            booked.booking,
            booked.session,
            now=call.now,
            author=call.caller.author,
            reason=body.reason,
            until_minutes=_cancel_until(reader, call, booked.booking),
        )
        return answered(decision, resource)

    return Answer(body=call.application.store.run(call.account, limited(call, attempt, "changes")))


def _cancel_series(call: Call, part: Part, reason: str | None) -> Answer:
    """Answers with those that it cancelled."""

    def attempt(reader: Reader) -> Decision[SeriesAnswer]:
        named, _ = read_booking(reader, call.ids["booking"])
        series = named.booking.series
        if series is None:
            raise Invalid("This booking was made alone; leave out series.")
        # Those of a series are made in one commit, so that the query can't miss any.
        found = queries.bookings_of_series(call.application.store, call.account, series)
        reader.load(*(Ref(Booking, each.id) for each in found), *(Ref(Session, each.session) for each in found))
        together = [read_booking(reader, each.id)[0] for each in found]
        reader.load(*(ref for booked in together for ref in ledger_refs_of(booked.session)))
        decision = cancel_series(
            named,
            together,
            part,
            now=call.now,
            author=call.caller.author,
            reason=reason,
            until_minutes=_cancel_until(reader, call, named.booking),
        )
        return decision.with_answer(SeriesAnswer(series=series, bookings=_answers(reader, decision.answer)))

    return Answer(body=call.application.store.run(call.account, limited(call, attempt, "changes")))


def _answers(reader: Reader, bookings: tuple[Booked, ...]) -> list[BookingAnswer]:
    resources = {name: reader.get(Ref(Resource, name)) for name in {each.session.resources[0] for each in bookings}}
    return [
        booking_answer(each.booking, each.session, resource)
        for each in bookings
        if (resource := resources[each.session.resources[0]]) is not None
    ]


def _cancel_until(reader: Reader, call: Call, booking: Booking) -> int:
    service = reader.get(Ref(Service, booking.service))
    return 0 if call.caller.operator or service is None else service.client_cancel_until_minutes


def reschedule_booking(call: Call) -> Answer:
    """Gives a booking another time, at the same resource where it can be; as the rules for clients say."""
    return _to_another_time(call, call.body(Reschedule), resource=None, bound=True)


def move_booking(call: Call) -> Answer:
    """Gives a booking another time, and another resource if one is named. Neither notice, window, limits nor cut-offs bind an operator."""
    body = call.body(Move)
    return _to_another_time(call, body, resource=body.resource, bound=False)


def _to_another_time(call: Call, body: Reschedule, *, resource: str | None, bound: bool) -> Answer:
    start, new_session = start_of(body.start), session_id(os.urandom(16))

    def attempt(reader: Reader, sale: Sale) -> Decision[BookingAnswer]:
        booked, lead = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        around = read_around(reader, call, booking.service, start)
        until = 0 if call.caller.operator else around.service.client_reschedule_until_minutes
        appointments.may_move(booking, session, now=call.now, until_minutes=until)
        length = body.duration_minutes or session.end - session.start
        stays = resource in (None, session.resources[0])
        if stays and start == session.start and length == session.end - session.start:
            return answered(Decision(answer=booked), lead)
        reader.load(*ledger_refs_of(session))
        question = Question(
            service=around.service,
            states=around.states,
            now=call.now,
            seats=booking.seats,
            duration=length if around.service.offers_duration(length) else None,
            client=counted_bookings(reader, call, around.service, booking.client, without=booking.id),
            moving=session.id if gives_up_time(booking, session) else None,
        )
        asked = question if bound else as_operator(question)

        def decide() -> Decision[Booked]:
            seating = (
                _seating_near(reader, asked, session, start)
                if resource is None
                else _seating_with(reader, asked, resource, start)
            )
            return appointments.reschedule(
                booking, session, seating, new_session=new_session, author=call.caller.author
            )

        decision = sale.decided(reader, around, decide, resources_of)
        return answered(decision, lead_of(around, decision.answer))

    def sell(sale: Sale) -> BookingAnswer:
        # A client that sends it again because the answer was lost must not push back what the owner has moved meanwhile (case 99).
        within = limited(call, lambda reader: attempt(reader, sale), "changes")
        return answered_once(call, within, keep=_kept, repeat=BookingAnswer.model_validate, status=200)

    return Answer(body=on_fresh_calendars(call, sell))


def _kept(answer: BookingAnswer) -> dict[str, Any]:
    return answer.model_dump(mode="json")


def _seating_near(reader: Reader, question: Question, session: Session, start: Minute) -> Seating:
    """At the same resource where it can be, or else at any other that serves; a client who chose a resource keeps it."""
    if question.service.assignment == "all":
        return seating_at(reader, question, start)
    same = replace(question, resource=session.resources[0])
    served = {state.resource.id for state in question.states}
    if same.resource not in served:
        raise Invalid("The person of this booking does not offer this service any more. Book anew.")
    try:
        return seating_at(reader, same, start)
    except Refusal:
        if question.service.assignment == "choice":
            raise
        # Nobody asked for this one in particular: any of the pool may serve the new time.
        return seating_at(reader, question, start)


def _seating_with(reader: Reader, question: Question, resource: str, start: Minute) -> Seating:
    service = question.service
    if service.assignment == "all" or resource not in service.resources:
        one_of = "all of its resources" if service.assignment == "all" else f"one of {', '.join(service.resources)}"
        raise Invalid(f"This is served by {one_of}.")
    return seating_at(reader, replace(question, resource=resource), start)


_BOOKING = "/v1/accounts/<id:account>/bookings/<id:booking>"

ROUTES = (
    Route(
        method="POST",
        path=f"{_BOOKING}/cancel",
        handler=cancel_booking,
        access="booking",
        body=Cancel,
        body_optional=True,
        answer=Cancelled,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_BOOKING}/reschedule",
        handler=reschedule_booking,
        access="booking",
        body=Reschedule,
        answer=BookingAnswer,
        refusals=(*NOT_SOLD, IllegalMove),
        once=True,
    ),
    Route(
        method="POST",
        path=f"{_BOOKING}/move",
        handler=move_booking,
        access="operator",
        permission="bookings",
        body=Move,
        answer=BookingAnswer,
        refusals=(*NOT_SOLD, IllegalMove),
        once=True,
    ),
)
