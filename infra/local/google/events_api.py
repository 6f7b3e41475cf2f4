"""The methods of `events`."""

from typing import Any

from infra.local.google import errors
from infra.local.google.api import Call, handles
from infra.local.google.calendars import WRITER, Calendar
from infra.local.google.channels import push_not_supported
from infra.local.google.event_listing import Listing, list_instances
from infra.local.google.event_moves import move_event
from infra.local.google.event_query import read_query
from infra.local.google.event_record import EventRecord
from infra.local.google.event_targets import find_target
from infra.local.google.event_view import View
from infra.local.google.event_writes import EventWriter
from infra.local.google.watching import open_channel
from infra.local.google.zones import zone_names

Json = dict[str, Any]


def _view(call: Call, calendar: Calendar) -> View:
    zone_name = call.parameters.get("timeZone")
    if zone_name is not None and zone_name not in zone_names():
        raise errors.invalid_parameter("timeZone", f"Invalid time zone: {zone_name}")
    return View(
        calendar=calendar,
        role=calendar.role_of(call.person.email),
        email=call.person.email,
        public_url=call.world.public_url,
        time_zone=zone_name,
        max_attendees=call.parameters.get("maxAttendees"),
    )


def _readable(call: Call) -> Calendar:
    return call.world.calendars.resolve(call.parameters["calendarId"], call.person)


def _writer(call: Call) -> EventWriter:
    calendar = call.world.calendars.resolve(call.parameters["calendarId"], call.person, WRITER)
    return EventWriter(
        call.world,
        calendar,
        call.person,
        conference_version=call.parameters.get("conferenceDataVersion", 0),
        attachments=call.parameters.get("supportsAttachments", False),
    )


def _shown(call: Call, writer: EventWriter, record: EventRecord) -> Json:
    return _view(call, writer.calendar).show(record)


@handles("events.list")
def list_events(call: Call) -> Json:
    calendar = _readable(call)
    view = _view(call, calendar)
    return Listing(call.world, view, read_query(call.parameters, role=view.role)).page()


@handles("events.get")
def get_event(call: Call) -> Json:
    calendar = _readable(call)
    return find_target(call.world.events(calendar), call.parameters["eventId"]).show(_view(call, calendar))


@handles("events.insert")
def insert_event(call: Call) -> Json:
    writer = _writer(call)
    return _shown(call, writer, writer.insert(call.body))


@handles("events.import")
def import_event(call: Call) -> Json:
    writer = _writer(call)
    return _shown(call, writer, writer.import_event(call.body))


@handles("events.patch")
def patch_event(call: Call) -> Json:
    writer = _writer(call)
    return _shown(call, writer, writer.patch(call.parameters["eventId"], call.body, if_match=call.if_match))


@handles("events.update")
def update_event(call: Call) -> Json:
    writer = _writer(call)
    return _shown(call, writer, writer.update(call.parameters["eventId"], call.body, if_match=call.if_match))


@handles("events.delete")
def delete_event(call: Call) -> None:
    _writer(call).delete(call.parameters["eventId"], if_match=call.if_match)


@handles("events.instances")
def instances(call: Call) -> Json:
    calendar = _readable(call)
    master = call.world.events(calendar).find(call.parameters["eventId"])
    if master is None or master.cancelled:
        raise errors.not_found()
    view = _view(call, calendar)
    query = read_query({**call.parameters, "singleEvents": True}, role=view.role)
    return list_instances(call.world, view, query, master, call.parameters.get("originalStart"))


@handles("events.move")
def move(call: Call) -> Json:
    writer = _writer(call)
    destination = call.world.calendars.resolve(call.parameters["destination"], call.person, WRITER)
    record = move_event(writer, destination, call.parameters["eventId"], if_match=call.if_match)
    return _view(call, destination).show(record)


@handles("events.watch")
async def watch(call: Call) -> Json:
    calendar = _readable(call)
    if not calendar.watchable:
        raise push_not_supported()
    return await open_channel(
        call, "events", calendar.id, f"calendars/{calendar.id}/events", event_types=call.parameters.get("eventTypes")
    )
