"""What operators set up and look at: resources, services, calendars, who came. Their lists are in `lists`."""

from datetime import date, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from functions.adapters.holidays import MAX_HOLIDAYS, read_holidays
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised
from functions.booking.clients import booking_answer, read_booking
from functions.booking.health import read_calendar
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import (
    BookingAnswer,
    CalendarBody,
    ImportedHolidays,
    ResourceBody,
    ResourceList,
    ServiceBody,
)
from functions.booking.schemas_connections import CalendarAnswer
from functions.booking.schemas_sessions import SessionAnswer
from functions.domain.attendance import Verb, note_attendance
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Limits, Resource, Service
from functions.domain.decision import Decision, HistoryEntry, Ref
from functions.domain.errors import IllegalMove, Invalid, NotFound
from functions.domain.hours import Holiday, Hours
from functions.domain.instants import MINUTE_MS
from functions.domain.linking import Links, link, recalculations, touches
from functions.domain.session import Session
from functions.domain.waitlist.preset import Preset
from functions.domain.zones import local_date, zone

MAX_RESOURCE_BYTES = 256 * 1024  # as many holidays and overrides as there may be
MAX_FILE_BYTES = 1024 * 1024
T = TypeVar("T")


def put_resource(call: Call) -> Answer:
    """Makes a resource, or gives it another configuration: the whole of it, what is left out is not kept. Its calendars stay."""
    body = call.body(ResourceBody)

    def attempt(reader: Reader) -> Decision[Resource]:
        known = _account_document(reader, Ref(Resource, call.ids["resource"]))
        resource = resource_of(call.ids["resource"], body, known)
        if resource == known:
            return Decision(answer=resource)
        return Decision(
            answer=resource,
            documents=(resource,),
            touches=touches((resource.id,), call.now),
            effects=recalculations((resource.id,)),
            history=(
                HistoryEntry(
                    what="resource.changed" if known else "resource.created",
                    author=call.caller.author,
                    resource=resource.id,
                    before=_configuration(known),
                    after=_configuration(resource),
                ),
            ),
        )

    return Answer(body=call.application.store.run(call.account, attempt))


def resource_of(resource_id: str, body: ResourceBody, known: Resource | None) -> Resource:
    """The resource as it is after the body was put; its calendars stay as they are."""
    hours = Hours(
        time_zone=body.time_zone,
        weekly=body.hours,
        overrides=body.overrides,
        closed=body.closed,
        holidays=body.holidays,
        seasons=body.seasons,
        travel=body.travel,
    )
    links: dict[str, Any] = {"blocked_by": known.blocked_by, "destination": known.destination} if known else {}
    limits = Limits.model_validate(body.limits.model_dump())
    stale: dict[str, Any] = {"stale_after_minutes": body.stale_after_minutes, "on_stale": body.on_stale}
    return Resource(id=resource_id, name=body.name, hours=hours, limits=limits, **stale, **links)


def import_holidays(call: Call) -> Answer:
    """Adds the all-day events of an iCalendar file to a resource's holidays. To send a file again is harmless."""
    # A day early, because which day it is at the resource is only known once it is read.
    file = read_holidays(call.raw_body(), since=local_date(call.now // MINUTE_MS, zone("UTC")) - timedelta(days=1))

    def attempt(reader: Reader) -> Decision[ImportedHolidays]:
        resource = reader.get(Ref(Resource, call.ids["resource"]))
        if resource is None:
            raise NotFound("There is no such resource.")
        today = local_date(call.now // MINUTE_MS, zone(resource.hours.time_zone))
        imported = tuple(holiday for holiday in file.holidays if holiday.date >= today)
        answer = ImportedHolidays(imported=imported, skipped=file.skipped)
        changed = _with_holidays(resource, imported, today)
        if changed == resource:
            return Decision(answer=answer)
        return Decision(
            answer=answer,
            documents=(changed,),
            touches=touches((resource.id,), call.now),
            effects=recalculations((resource.id,)),
            history=(
                HistoryEntry(
                    what="resource.changed",
                    author=call.caller.author,
                    resource=resource.id,
                    why="holidays imported",
                    before={"holidays": _holidays(resource)},
                    after={"holidays": _holidays(changed)},
                ),
            ),
        )

    return Answer(body=call.application.store.run(call.account, attempt))


def _with_holidays(resource: Resource, imported: tuple[Holiday, ...], today: date) -> Resource:
    """Of a date that has a holiday already the imported one counts. Past ones are forgotten. Raises `Invalid` where they become too many."""
    by_date = {holiday.date: holiday for holiday in (*resource.hours.holidays, *imported) if holiday.date >= today}
    if len(by_date) > MAX_HOLIDAYS:
        raise Invalid(f"With these there would be {len(by_date)} holidays, and there may be {MAX_HOLIDAYS}.")
    holidays = tuple(by_date[day] for day in sorted(by_date))
    return resource.model_copy(update={"hours": resource.hours.model_copy(update={"holidays": holidays})})


def _holidays(resource: Resource) -> list[dict[str, Any]]:
    return [holiday.model_dump(mode="json") for holiday in resource.hours.holidays]


def put_service(call: Call) -> Answer:
    """Makes a service, or gives it another configuration: the whole of it, what is left out is as usual."""
    body = call.body(ServiceBody)
    service = service_of(call.ids["service"], body)

    def attempt(reader: Reader) -> Decision[Service]:
        known = _account_document(reader, Ref(Service, service.id))
        must_name_what_exists(reader, service)
        if service == known:
            return Decision(answer=service)
        affected = sorted({*service.resources, *(known.resources if known else ())})
        return Decision(
            answer=service,
            documents=(service,),
            touches=touches(affected, call.now),
            effects=recalculations(affected),
            history=(
                HistoryEntry(
                    what="service.changed" if known else "service.created",
                    author=call.caller.author,
                    service=service.id,
                    before={"service": _configuration(known)} if known else {},
                    after={"service": _configuration(service)},
                ),
            ),
        )

    return Answer(body=call.application.store.run(call.account, attempt))


def service_of(service_id: str, body: ServiceBody) -> Service:
    """The service as it is after the body was put. Raises `Invalid`."""
    if len(set(body.resources)) != len(body.resources):
        raise Invalid("A resource is named twice.")
    # The limits stand at the document, so that nothing can write one beyond them.
    return Service(id=service_id, **body.model_dump(exclude={"id"}))


def must_name_what_exists(reader: Reader, service: Service) -> None:
    """Raises `Invalid` where a service names a resource or a waitlist preset that does not exist."""
    preset = None if service.waitlist is None else Ref(Preset, service.waitlist)
    reader.load(*(Ref(Resource, name) for name in service.resources), *((preset,) if preset else ()))
    missing = [name for name in service.resources if reader.get(Ref(Resource, name)) is None]
    if missing:
        raise Invalid(f"There is no resource {', '.join(missing)}. Create it first.")
    if preset is not None and reader.get(preset) is None:
        raise Invalid(f"There is no waitlist preset {preset.id}. Create it first.")


def _account_document(reader: Reader, ref: Ref[T]) -> T | None:
    reader.load(ACCOUNT, ref)
    account_of(reader)
    return reader.get(ref)


def _configuration(document: BaseModel | None) -> dict[str, Any]:
    return document.model_dump(mode="json") if document else {}


def list_resources(call: Call) -> Answer:
    """The resources with their hours, limits and calendars."""
    found = queries.resources(call.application.store, call.account)
    return Answer(body=ResourceList(resources=found))


def put_calendar(call: Call) -> Answer:
    """Says whose time a calendar takes, and whose sessions are written to it."""
    body = call.body(CalendarBody)
    names = sorted({*body.blocks, *body.destination_for})

    def attempt(reader: Reader) -> Decision[Calendar]:
        calendar = read_calendar(reader, call)
        affected = sorted({*names, *calendar.resources, *calendar.destination_for})
        connection = Ref(Connection, calendar.connection)
        reader.load(connection, *(Ref(Resource, name) for name in affected))
        resources = {name: reader.get(Ref(Resource, name)) for name in affected}
        missing = [name for name in names if resources[name] is None]
        if missing:
            raise Invalid(f"There is no resource {', '.join(missing)}. Create it first.")
        present = tuple(resource for resource in resources.values() if resource is not None)
        links = Links(
            calendar=calendar,
            connection=reader.get(connection),
            blocks=frozenset(body.blocks),
            destination_for=frozenset(body.destination_for),
            resources=present,
            others=_former_destinations(reader, calendar, present, frozenset(body.destination_for)),
        )
        return link(links, now=call.now, author=call.caller.author)

    calendar = call.application.store.run(call.account, authorised(call, attempt))
    return Answer(body=CalendarAnswer.of(calendar))


def _former_destinations(
    reader: Reader, calendar: Calendar, resources: tuple[Resource, ...], destination_for: frozenset[str]
) -> tuple[Calendar, ...]:
    former = {r.destination for r in resources if r.id in destination_for and r.destination not in (None, calendar.id)}
    return tuple(c for name in sorted(filter(None, former)) if (c := reader.get(Ref(Calendar, name))) is not None)


def complete_booking(call: Call) -> Answer:
    """Notes that the client came."""
    return _note_attendance(call, "complete")


def miss_booking(call: Call) -> Answer:
    """Notes that the client did not come."""
    return _note_attendance(call, "miss")


def _note_attendance(call: Call, verb: Verb) -> Answer:
    def attempt(reader: Reader) -> Decision[BookingAnswer]:
        booked, resource = read_booking(reader, call.ids["booking"])
        decision = note_attendance(booked.booking, booked.session, verb, now=call.now, author=call.caller.author)
        answer = booking_answer(decision.answer.booking, decision.answer.session, resource, operator=True)
        return decision.with_answer(answer)

    return Answer(body=call.application.store.run(call.account, attempt))


def get_session(call: Call) -> Answer:
    """A session, with its bookings and its events in Google."""
    session = call.application.store.get(call.account, Ref(Session, call.ids["session"]))
    if session is None:
        raise NotFound("There is no such session.")
    return Answer(body=SessionAnswer.of(session))


_ACCOUNT = "/v1/accounts/<id:account>"
_BOOKING = f"{_ACCOUNT}/bookings/<id:booking>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/resources", handler=list_resources, access="operator", answer=ResourceList),
    Route(
        method="PUT",
        path=f"{_ACCOUNT}/resources/<id:resource>",
        handler=put_resource,
        access="operator",
        permission="settings",
        body=ResourceBody,
        answer=Resource,
        max_body_bytes=MAX_RESOURCE_BYTES,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/resources/<id:resource>/holidays",
        handler=import_holidays,
        access="operator",
        permission="settings",
        consumes="text/calendar",
        answer=ImportedHolidays,
        max_body_bytes=MAX_FILE_BYTES,
    ),
    Route(
        method="PUT",
        path=f"{_ACCOUNT}/services/<id:service>",
        handler=put_service,
        access="operator",
        permission="settings",
        body=ServiceBody,
        answer=Service,
    ),
    Route(
        method="PUT",
        path=f"{_ACCOUNT}/calendars/<id:calendar>",
        handler=put_calendar,
        access="operator",
        permission="connections",
        body=CalendarBody,
        answer=CalendarAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_BOOKING}/complete",
        handler=complete_booking,
        access="operator",
        permission="bookings",
        answer=BookingAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_BOOKING}/no-show",
        handler=miss_booking,
        access="operator",
        permission="bookings",
        answer=BookingAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/sessions/<id:session>",
        handler=get_session,
        access="operator",
        answer=SessionAnswer,
    ),
)
