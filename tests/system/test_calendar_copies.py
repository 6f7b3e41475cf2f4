"""What stands in Google Calendar for a session: who comes, what its owner made of it, its meeting, one event for each person whose time it takes."""

from collections.abc import Mapping
from typing import Any

import requests

from functions.domain.event_ids import event_id
from tests.studio import Booked, Person, Studio, instants, until
from tests.system.waiting import all_mails

Event = Mapping[str, Any]


def guests(event: Event) -> set[str]:
    return {guest["email"].partition("@")[0] for guest in event.get("attendees", ())}


def event_at(person: Person, session: str) -> Event | None:
    found = person.events(privateExtendedProperty=f"bookingSession={session}")
    assert len(found) <= 1
    return found[0] if found else None


def operator_sees(studio: Studio, booking: Booked) -> dict[str, Any]:
    return next(each for each in studio.look("bookings")["bookings"] if each["id"] == booking.id)


def time_passes(studio: Studio, calendar: str) -> None:
    """The pause is over (in its document: nobody waits for hours), and what waits for that comes."""
    studio.store.client.document(f"accounts/{studio.account}/pauses/{calendar}").update({"until": 0})
    requests.post(f"{studio.addresses.tasks_http}/control/flush", json={}, timeout=10).raise_for_status()


def writes(studio: Studio, since: int) -> list[tuple[str, int]]:
    """What we asked Google to change for this person, with its answers. Who is told of it is told by us (case 119)."""
    calls = studio.google_control("GET", f"calls?since={since}")["calls"]
    made = [each for each in calls if each["user"] == studio.person.email and each["method"] not in ("GET", "")]
    made = [each for each in made if each["id"].partition(".")[2] in ("insert", "patch", "update", "delete")]
    assert all(each["query"].get("sendUpdates") == ["none"] for each in made)
    return [(each["id"].partition(".")[2], each["status"]) for each in made]


def test_an_event_says_who_comes_and_keeps_what_its_owner_made_of_it(studio: Studio) -> None:  # cases 97, 108, 112
    studio.offer(capacity=5, name="Yoga")
    nine, ten = studio.starts()[0], studio.starts()[2]
    kim, lou = (studio.book(nine, client=studio.details(name)) for name in ("kim", "lou"))
    until(lambda: guests(kim.written()) == {"kim", "lou"})
    event = kim.written()
    assert event["summary"] == "Yoga: Kim, Lou"

    partner = {"email": f"partner@{studio.account}.example"}
    studio.person.change(event["id"], attendees=[*event["attendees"], partner], summary="Yoga on the roof")
    max_ = studio.book(nine, client=studio.details("max"))
    until(lambda: guests(max_.written()) == {"kim", "lou", "max", "partner"})
    held = studio.post("holds", {"service": "consult", "start": nine})
    assert held.status_code == 201
    kim.cancel()
    assert lou.reschedule(ten).status_code == 200
    until(lambda: guests(max_.written()) == {"max", "partner"})
    event = max_.written()
    assert event["summary"] == "Yoga on the roof"
    assert event["description"] == f"Max\nmax@{studio.account}.example"
    until(lambda: lou.look()["calendar_copy"] == "written")
    assert guests(studio.event_of(lou.look()["session"]) or {}) == {"lou"}


def test_what_the_owner_wrote_a_moment_ago_stays_when_we_move_it(studio: Studio) -> None:  # cases 96, 97
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    event = booking.written()
    studio.hold_off_pulls()
    studio.person.change(event["id"], summary="Bring the papers", description="Second floor")
    since = studio.google_control("GET", "calls")["last"]
    assert booking.reschedule(ten).status_code == 200
    event = booking.written()
    assert writes(studio, since) == [("patch", 412), ("patch", 200)]
    assert (event["summary"], event["description"], instants(event)[0]) == ("Bring the papers", "Second floor", ten)
    assert booking.history() == [("booking.confirmed", "client"), ("session.moved", "client")]


def test_an_event_that_its_owner_deleted_before_we_knew_of_it_is_not_made_again(studio: Studio) -> None:  # case 94
    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": True})
    booking = studio.book(studio.starts()[0])
    until(lambda: operator_sees(studio, booking).get("calendar_error"))
    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": False})
    with studio.pushes(drop=1.0):
        # As our insert would have made it, had its answer been lost.
        ours = {"private": {"bookingSession": booking.session}}
        start, end = booking.look()["start"], booking.look()["end"]
        made = studio.person.add(start, end, id=event_id(booking.session, studio.calendar, 0), extendedProperties=ours)
        studio.person.delete(made["id"])
        since = studio.google_control("GET", "calls")["last"]
        time_passes(studio, studio.calendar)
        until(lambda: booking.look()["status"] == "cancelled")
    assert {*writes(studio, since)} <= {("insert", 409)}
    assert booking.look()["cancelled_by"] == "google"
    assert studio.person.events() == []


def test_a_change_costs_google_one_call_and_a_hold_none(studio: Studio) -> None:  # case 119
    studio.offer(capacity=3)
    nine, ten = studio.starts()[0], studio.starts()[2]
    since = studio.google_control("GET", "calls")["last"]
    kim = studio.book(nine)
    kim.written()
    held = studio.post("holds", {"service": "consult", "start": nine}).json()
    until(lambda: studio.look(f"sessions/{kim.session}")["version"] == 2)
    kim.written()
    proof = {"Authorization": f"Bearer {held['manage_token']}"}
    assert studio.post(f"bookings/{held['id']}/confirm", {"client": studio.details("lou")}, **proof).status_code == 200
    until(lambda: guests(kim.written()) == {"kim", "lou"})
    assert studio.change_session(kim.session, start=ten).status_code == 200
    assert instants(kim.written())[0] == ten
    assert writes(studio, since) == [("insert", 200), ("patch", 200), ("patch", 200)]
    calls = studio.google_control("GET", f"calls?since={since}")["calls"]
    assert not [each for each in calls if each["user"] == studio.person.email and each["id"].endswith("events.get")]


def test_an_insert_whose_answer_is_lost_invites_nobody_twice(studio: Studio) -> None:  # cases 92, 119, 120
    since = studio.google_control("GET", "calls")["last"]
    fault = {"user": studio.person.email, "method": "POST", "path": "/events", "status": 503, "when": "after"}
    studio.google_control("POST", "faults", fault)
    nine = studio.starts()[0]
    studio.hold_off_pulls()  # one would know it as ours before we come again
    booking = studio.book(nine)
    booking.written()
    assert writes(studio, since) == [("insert", 503), ("insert", 409)]


def test_a_meeting_is_made_its_link_told_once_and_kept_through_a_move(studio: Studio) -> None:  # case 118
    studio.offer(meet=True)
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    link = until(lambda: booking.look().get("meet_link"))
    until(lambda: any(subject.startswith("The link to your meeting") for subject in studio.mails()))
    assert booking.reschedule(ten).status_code == 200
    event = booking.written()
    assert (event["hangoutLink"], instants(event)[0]) == (link, ten)
    assert len(all_mails(studio)) == 3
    told = {mail["subject"].partition(":")[0]: mail["text"] for mail in studio.letters()}
    assert link in told["The link to your meeting"]
    assert link in told["Your booking has a new time"]
    assert [entry["what"] for entry in studio.history(session=booking.session)] == [
        "booking.confirmed",
        "session.meeting_made",
        "session.moved",
    ]


def test_a_session_of_two_people_stands_in_both_calendars(studio: Studio) -> None:
    studio.open(resource="ben")
    ben = studio.join_in("ben")
    studio.offer("both", resources=["anna", "ben"], assignment="all")
    nine, ten, half_past_ten = (studio.starts(service="both")[n] for n in (0, 2, 3))
    booking = studio.book(nine, service="both")
    event = booking.written()
    theirs = event_at(ben, booking.session)
    assert theirs is not None
    assert theirs["id"] != event["id"]
    assert instants(theirs) == instants(event)

    ben.move(theirs["id"], ten, half_past_ten)
    until(lambda: booking.look()["start"] == ten)
    assert instants(booking.written()) == (ten, half_past_ten)
    assert [what for what, _ in booking.history()] == ["booking.confirmed", "session.moved"]
    booking.cancel()
    until(lambda: studio.person.events() == [] and ben.events() == [])


def test_two_resources_in_one_calendar_share_an_event(studio: Studio) -> None:
    studio.open(resource="room")
    studio.put(f"calendars/{studio.calendar}", {"blocks": ["anna", "room"], "destination_for": ["anna", "room"]})
    studio.offer("both", resources=["anna", "room"], assignment="all")
    booking = studio.book(until(lambda: studio.starts(service="both"))[0], service="both")
    booking.written()
    assert len(studio.person.events()) == 1


def test_a_usage_limit_pauses_one_calendar_tells_its_owner_once_and_loses_nothing(studio: Studio) -> None:
    # cases 68, 69, 122
    studio.open(resource="ben")
    ben = studio.join_in("ben")
    studio.offer("both", resources=["anna", "ben"], assignment="all")
    nine, ten = (studio.starts(service="both")[n] for n in (0, 2))
    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": True})
    since = studio.google_control("GET", "calls")["last"]
    first = studio.book(nine, service="both")
    until(lambda: operator_sees(studio, first).get("calendar_error") == "quotaExceeded")
    second = studio.book(ten, service="both")
    until(lambda: operator_sees(studio, second).get("calendar_error") == "quotaExceeded")
    assert operator_sees(studio, second)["calendar_error_since"]
    assert (second.look()["status"], second.look()["calendar_copy"]) == ("confirmed", "pending")
    assert "calendar_error" not in second.look()
    assert nine not in studio.starts()
    until(lambda: event_at(ben, first.session) and event_at(ben, second.session))  # another calendar goes on
    assert writes(studio, since) == [("insert", 403)]
    health = studio.look("health")
    assert health["well"] is False
    paused = {each["id"]: each.get("writes_paused_because") for each in health["calendars"]}
    assert paused.pop(studio.calendar) == "quotaExceeded"
    assert [*paused.values()] == [None]
    (mail,) = until(lambda: studio.messages(studio.person.email))
    assert mail["subject"].startswith("Google takes no entries for your calendar")

    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": False})
    time_passes(studio, studio.calendar)
    assert {first.written()["id"], second.written()["id"]} == {event["id"] for event in studio.person.events()}
    until(lambda: studio.look("health")["well"])
    happened = [entry["what"] for entry in studio.history(calendar=studio.calendar)]
    assert happened[-2:] == ["calendar.writes_paused", "calendar.writes_resumed"]
    assert len(studio.messages(studio.person.email)) == 1
    assert "calendar_error" not in operator_sees(studio, first)


def test_google_says_when_to_come_again(studio: Studio) -> None:  # case 68
    fault = {"user": studio.person.email, "method": "POST", "path": "/events", "status": 429, "retry_after": 600}
    studio.google_control("POST", "faults", fault | {"reason": "rateLimitExceeded"})
    booking = studio.book(studio.starts()[0])
    until(lambda: operator_sees(studio, booking).get("calendar_error") == "rateLimitExceeded")
    pause = studio.store.client.document(f"accounts/{studio.account}/pauses/{studio.calendar}").get().to_dict()
    assert pause is not None
    assert pause["until"] - pause["begun_at"] == 600_000
    time_passes(studio, studio.calendar)
    booking.written()
    assert len(studio.person.events()) == 1


def test_a_cancellation_wins_over_a_move_in_google(studio: Studio) -> None:  # case 116
    nine, ten, half_past_ten = (studio.starts()[n] for n in (0, 2, 3))
    with studio.pushes(drop=1.0):  # also of our own writing: the pull that it asks for could see the move
        booking = studio.book(nine)
        studio.person.move(booking.written()["id"], ten, half_past_ten)
        booking.cancel()
        until(lambda: booking.event() is None and booking.look()["calendar_copy"] == "written")
    until(lambda: {nine, ten} <= set(studio.starts()), nudge=studio.poll)
    assert booking.history() == [("booking.confirmed", "client"), ("booking.cancelled", "client")]
    assert len(all_mails(studio)) == 2


def test_an_event_of_somebody_elses_with_our_id_stays_theirs(studio: Studio) -> None:  # case 95
    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": True})
    nine, ten = studio.starts()[0], studio.starts()[2]
    booking = studio.book(nine)
    until(lambda: operator_sees(studio, booking).get("calendar_error"))
    studio.google_control("PUT", "usage-limit", {"user": studio.person.email, "on": False})
    taken = event_id(booking.session, studio.calendar, 0)
    studio.person.add(ten, studio.starts()[3], id=taken)
    time_passes(studio, studio.calendar)
    event = booking.written()
    assert (event["id"], instants(event)[0]) == (event_id(booking.session, studio.calendar, 1), nine)
    assert {each["id"] for each in studio.person.events()} == {taken, event["id"]}
    assert "session.event_renamed" in [entry["what"] for entry in studio.history(session=booking.session)]
    until(lambda: ten not in studio.starts())  # it takes its time, as any other
    assert booking.look()["start"] == nine
