"""Invitations of the Google stand-in: copies on the attendees' calendars, and answers back to the organizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.platform.test_google_fixtures import Someone, at, refusal

pytest_plugins = ["tests.platform.test_google_fixtures"]


def answer_of(organizer: Someone, event_id: str, guest: Someone) -> str:
    entries = organizer.get(event_id)["attendees"]
    return str(next(entry["responseStatus"] for entry in entries if entry["email"] == guest.email))


def test_an_invited_person_gets_a_copy(anna: Someone, ben: Someone) -> None:
    token = ben.list().token
    event = anna.insert(
        attendees=[{"email": ben.email}, {"email": "x@else.example"}],
        extendedProperties={"private": {"bookingId": "b1"}, "shared": {"all": "see"}},
    )
    copy = ben.get(event["id"])
    assert ben.list(syncToken=token).ids == [event["id"]]
    assert (copy["iCalUID"], copy["summary"], copy["start"]) == (event["iCalUID"], event["summary"], event["start"])
    assert copy["organizer"] == {"email": anna.email}
    assert [entry.get("self", False) for entry in copy["attendees"]] == [True, False]
    assert {entry["responseStatus"] for entry in copy["attendees"]} == {"needsAction"}
    # Private properties stay on the organizer's copy.
    assert copy["extendedProperties"] == {"shared": {"all": "see"}}


def test_changes_reach_every_copy(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}])
    ben.patch(event["id"], colorId="5", transparency="transparent")
    anna.patch(event["id"], start=at(14), end=at(15))
    copy = ben.get(event["id"])
    assert copy["start"]["dateTime"] == "2027-03-01T14:00:00+01:00"
    assert (copy["colorId"], copy["transparency"]) == ("5", "transparent")
    assert "colorId" not in anna.get(event["id"])


def test_an_answer_flows_back(anna: Someone, ben: Someone) -> None:
    # case 111
    event = anna.insert(attendees=[{"email": ben.email}])
    token = anna.list().token
    ben.patch(event["id"], attendees=[{"email": ben.email, "responseStatus": "declined", "comment": "Ill"}])
    assert answer_of(anna, event["id"], ben) == "declined"
    assert anna.list(syncToken=token).ids == [event["id"]]
    assert ben.get(event["id"])["attendees"][0]["responseStatus"] == "declined"


def test_answering_alone_with_attendees_omitted(
    anna: Someone, ben: Someone, make_person: Callable[..., Someone]
) -> None:
    carla = make_person("carla")
    event = anna.insert(attendees=[{"email": ben.email}, {"email": carla.email}])
    shrunk = ben.events.get(calendarId="primary", eventId=event["id"], maxAttendees=1).execute()
    assert shrunk["attendeesOmitted"] is True
    assert [entry["email"] for entry in shrunk["attendees"]] == [ben.email]
    answer = [{"email": ben.email, "responseStatus": "accepted"}]
    ben.patch(event["id"], attendees=answer, attendeesOmitted=True)
    assert answer_of(anna, event["id"], ben) == "accepted"
    assert answer_of(anna, event["id"], carla) == "needsAction"
    assert len(carla.get(event["id"])["attendees"]) == 2


def test_taking_an_invitation_off_ones_calendar_declines_it(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}])
    ben.delete(event["id"])
    assert answer_of(anna, event["id"], ben) == "declined"
    assert ben.get(event["id"])["status"] == "cancelled"
    anna.patch(event["id"], summary="Still on")
    assert ben.get(event["id"])["status"] == "cancelled"


def test_an_uninvited_person_loses_the_copy(anna: Someone, ben: Someone) -> None:
    # case 112
    event = anna.insert(attendees=[{"email": ben.email}])
    anna.patch(event["id"], attendees=[])
    assert ben.list().items == []
    assert anna.get(event["id"])["status"] == "confirmed"


def test_the_organizers_delete_cancels_every_copy(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}])
    token = ben.list().token
    anna.delete(event["id"])
    assert ben.list(syncToken=token).items == [{"id": event["id"], "status": "cancelled"}]


def test_a_guest_changes_what_is_shared_only_when_allowed(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}])
    move: dict[str, Any] = {"start": at(16), "end": at(17)}
    call = ben.events.patch(calendarId="primary", eventId=event["id"], body=move)
    assert refusal(call) == (403, "forbiddenForNonOrganizer")
    anna.patch(event["id"], guestsCanModify=True)
    ben.patch(event["id"], **move)
    assert anna.get(event["id"])["start"]["dateTime"] == "2027-03-01T16:00:00+01:00"
    assert ben.get(event["id"])["start"]["dateTime"] == "2027-03-01T16:00:00+01:00"


def test_a_guest_edits_shared_properties(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}], extendedProperties={"private": {"bookingId": "b1"}})
    ben.patch(event["id"], extendedProperties={"shared": {"seen": "yes"}, "private": {"own": "note"}})
    assert anna.get(event["id"])["extendedProperties"] == {"private": {"bookingId": "b1"}, "shared": {"seen": "yes"}}
    assert ben.get(event["id"])["extendedProperties"] == {"private": {"own": "note"}, "shared": {"seen": "yes"}}


def test_a_declined_instance_of_a_series(anna: Someone, ben: Someone) -> None:
    # case 146
    event = anna.insert(attendees=[{"email": ben.email}], recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    second = ben.events.instances(calendarId="primary", eventId=event["id"]).execute()["items"][1]
    ben.patch(second["id"], attendees=[{"email": ben.email, "responseStatus": "declined"}])
    assert answer_of(anna, second["id"], ben) == "declined"
    assert answer_of(anna, event["id"], ben) == "needsAction"
    anna.delete(second["id"])
    assert len(ben.events.instances(calendarId="primary", eventId=event["id"]).execute()["items"]) == 2
    anna.delete(event["id"])
    assert ben.list().items == []


def test_the_host_declines_their_own_event(anna: Someone) -> None:
    # case 110
    event = anna.insert(attendees=[{"email": anna.email}])
    assert event["attendees"] == [{"email": anna.email, "organizer": True, "self": True, "responseStatus": "accepted"}]
    declined = anna.patch(event["id"], attendees=[{"email": anna.email, "responseStatus": "declined"}])
    assert declined["attendees"][0]["responseStatus"] == "declined"


def test_guests_may_be_hidden_from_each_other(anna: Someone, ben: Someone) -> None:
    event = anna.insert(attendees=[{"email": ben.email}, {"email": "x@else.example"}], guestsCanSeeOtherGuests=False)
    assert [entry["email"] for entry in ben.get(event["id"])["attendees"]] == [ben.email]
    assert len(anna.get(event["id"])["attendees"]) == 2
