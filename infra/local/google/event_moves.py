"""events.move: an event changes its organizer, and with it the calendar it lives on."""

from infra.local.google import errors, invitations
from infra.local.google.calendars import Calendar
from infra.local.google.event_record import EventRecord, attendee
from infra.local.google.event_targets import find_target
from infra.local.google.event_writes import EventWriter


def move_event(writer: EventWriter, destination: Calendar, event_id: str, *, if_match: str | None) -> EventRecord:
    """Move an event to another calendar under the same id and iCalUID.

    The old calendar keeps a cancelled stub with nothing but the id, unless its owner is an attendee, who then keeps a
    copy as one (the discovery document on Event.status).
    """
    world, source = writer.world, writer.store
    target = find_target(source, event_id)
    if target.cancelled:
        raise errors.gone()
    target.check_match(if_match)
    record = target.record
    if record is None or target.is_instance:
        raise errors.ApiError(
            403, "cannotChangeOrganizerOfInstance", "Cannot change the organizer of an instance.", domain="calendar"
        )
    if record.event_type != "default":
        raise errors.event_type_restriction("Only default events can be moved.")
    if record.organizer != writer.calendar.id:
        raise errors.ApiError(
            403, "cannotChangeOrganizer", "Only the organizer's copy can be moved.", domain="calendar"
        )
    if destination.id == writer.calendar.id:
        return record
    arrived = EventWriter(world, destination, writer.person)
    before = invitations.emails(record.body)
    body = {
        **record.body,
        "organizer": arrived.own_organizer(),
        "updated": world.clock.timestamp(),
        "sequence": record.body.get("sequence", 0) + 1,
    }
    _place(arrived, record, body)
    for exception in list(source.exceptions(record.id).values()):
        _place(arrived, exception, {**exception.body, "organizer": body["organizer"]})
        source.sink_with_master(exception)
    if attendee(body, writer.calendar.id) is not None:
        source.replace(record, body)
    else:
        stub = {"status": "cancelled", "updated": body["updated"], "iCalUID": record.body["iCalUID"]}
        source.replace(record, stub)
    world.touch_events(writer.calendar)
    world.touch_events(destination)
    moved = arrived.store.find(event_id)
    if moved is None:
        raise errors.not_found()
    invitations.spread(world, moved, before=before)
    return moved


def _place(arrived: EventWriter, record: EventRecord, body: dict[str, object]) -> None:
    """Under the same id; a stub of an earlier move, or an attendee's copy of this very event, makes room."""
    known = arrived.store.find(record.id)
    if known is None:
        arrived.store.add(
            record.id, body, reminders=dict(record.reminders), overrides=list(record.overrides), past=list(record.past)
        )
    elif known.body.get("iCalUID") == record.body["iCalUID"]:
        arrived.store.replace(known, body)
    else:
        raise errors.duplicate()
