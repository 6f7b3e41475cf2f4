"""A booking on several weeks: one request, one commit, one message; each of its bookings with a manage token of its own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.adapters.store.reading import ServiceState, Wanted, read_service
from functions.adapters.store.store import Reader
from functions.booking.clients import (
    NOT_SOLD,
    booking_answer,
    client_of,
    counted_bookings,
    lead_of,
    new_wish,
    start_of,
    with_token,
)
from functions.booking.freshness import Sale, on_fresh_calendars
from functions.booking.idempotency import answered_once
from functions.booking.rate_limits import limited
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import BookingAnswer, NewSeries, SeriesAnswer
from functions.domain.answers import checked
from functions.domain.appointments import Booked
from functions.domain.availability import ALTERNATIVES_REACH, Question
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Invalid, NotFound, SeriesTaken
from functions.domain.event_ids import session_id
from functions.domain.horizon import new_horizon
from functions.domain.instants import Minute
from functions.domain.series import book_series, weekly_starts
from functions.domain.session import Session


@dataclass(frozen=True)
class _Made:
    """What this request made, or one that it repeats; with the manage hash of each booking, in their order."""

    answer: SeriesAnswer
    manage_hashes: tuple[str, ...]

    def kept(self) -> dict[str, Any]:
        return self.answer.model_dump(mode="json") | {"manage_hashes": list(self.manage_hashes)}

    @classmethod
    def repeated(cls, kept: Mapping[str, Any]) -> "_Made":
        return cls(SeriesAnswer.model_validate(kept), tuple(kept["manage_hashes"]))


def create_series(call: Call) -> Answer:
    """Books the same on several weeks. All of them are booked or, as the service says, asked for; or none is."""
    body = call.body(NewSeries)
    first, series = start_of(body.start), session_id(os.urandom(16))
    client = client_of(body.client)
    wishes = [new_wish(call, first, client=client, notes=body.notes) for _ in range(body.weeks)]

    def attempt(reader: Reader, sale: Sale) -> Decision[_Made]:
        starts = _starts(reader, body, first)
        state = _read_weeks(reader, call, body.service, starts)
        if body.resource is not None and all(s.resource.id != body.resource for s in state.states):
            raise Invalid(f"{body.resource} does not serve {body.service}.")
        question = Question(
            service=state.service,
            states=state.states,
            now=call.now,
            seats=body.seats,
            duration=body.duration_minutes,
            resource=body.resource,
            client=counted_bookings(reader, call, state.service, client),
        )
        answers = checked(state.service, body.answers)
        wanted = [
            replace(wish, start=start, answers=answers, series=series)
            for wish, start in zip(wishes, starts, strict=True)
        ]
        decision = sale.decided(
            reader,
            state,
            lambda: book_series(wanted, question, _running(reader, state, starts), author=call.caller.author),
            lambda bookings: {name for booked in bookings for name in booked.session.resources},
        )
        return decision.with_answer(_made(series, state, decision.answer))

    def sell(sale: Sale) -> _Made:
        within = limited(call, lambda reader: attempt(reader, sale), "bookings", email=client.email)
        return answered_once(call, within, keep=_Made.kept, repeat=_Made.repeated)

    made = on_fresh_calendars(call, sell)
    bookings = [with_token(call, *each) for each in zip(made.answer.bookings, made.manage_hashes, strict=True)]
    return Answer(body=made.answer.model_copy(update={"bookings": bookings}), status=201)


def _starts(reader: Reader, body: NewSeries, first: Minute) -> tuple[Minute, ...]:
    """At the wall time of the resource that was chosen, or else of the first that could serve."""
    service = reader.get(Ref(Service, body.service))
    resource = None if service is None else reader.get(Ref(Resource, body.resource or service.resources[0]))
    if resource is None:
        raise NotFound(f"There is no service {body.service}, or {body.resource or 'nobody'} does not serve it.")
    return weekly_starts(first, weeks=body.weeks, every=body.every, zone_name=resource.hours.time_zone)


def _read_weeks(reader: Reader, call: Call, service: str, starts: tuple[Minute, ...]) -> ServiceState:
    """The service around the starts, wide enough for alternatives; beyond the horizon nothing is open that would have to be read."""
    last = max(starts[0], min(starts[-1], new_horizon(call.now)))
    wanted = Wanted(service=service, start=starts[0] - ALTERNATIVES_REACH, end=last + ALTERNATIVES_REACH)
    return read_service(reader, wanted, now=call.now, stale_after=call.stale_after)


def _running(reader: Reader, state: ServiceState, starts: tuple[Minute, ...]) -> dict[str, Session]:
    """The service's sessions at these starts: those that a booking may join."""
    entries = (entry for each in state.states for month in each.months for entry in month.sessions.values())
    names = {entry.session for entry in entries if entry.service == state.service.id and entry.start in {*starts}}
    reader.load(*(Ref(Session, name) for name in names))
    return {name: session for name in names if (session := reader.get(Ref(Session, name))) is not None}


def _made(series: str, state: ServiceState, bookings: tuple[Booked, ...]) -> _Made:
    answers: list[BookingAnswer] = [booking_answer(b.booking, b.session, lead_of(state, b)) for b in bookings]
    return _Made(SeriesAnswer(series=series, bookings=answers), tuple(b.booking.manage_hash for b in bookings))


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/<id:account>/series",
        handler=create_series,
        body=NewSeries,
        answer=SeriesAnswer,
        status=201,
        refusals=(SeriesTaken, *NOT_SOLD),
        once=True,
    ),
)
