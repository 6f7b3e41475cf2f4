"""Ending a connection: at once here, then at Google, as far as Google lets us; and the same account connected anew."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import Forbidden, GoogleError, Unavailable
from functions.domain.calendar import Connection
from functions.domain.decision import Ref
from functions.domain.disconnecting import GIVEN_UP_AFTER_MS
from functions.domain.scopes import SCOPES
from functions.sync.copies import copies
from functions.sync.work import TryLater
from infra.local.platform import Platform
from tests.in_process import application_of, worker
from tests.studio import Booked, Studio, until


def _connection(studio: Studio) -> dict[str, Any]:
    (connection,) = studio.look("connections")["connections"]
    return dict(connection)


def _end(studio: Studio, connection: str, **query: str) -> requests.Response:
    return studio.http.delete(f"{studio.base}/connections/{connection}", params=query, headers=studio.operator)


def _ended(studio: Studio, connection: str, **query: str) -> dict[str, Any]:
    answer = _end(studio, connection, **query)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def _wait_until_done(studio: Studio, connection: str) -> None:
    until(lambda: "ending" not in studio.look(f"connections/{connection}"))


def _secret(studio: Studio, connection: str) -> str:
    stored = studio.store.get(studio.account, Ref(Connection, connection))
    assert stored is not None
    return stored.secret


def _holds(studio: Studio) -> bool:
    """Whether what the person had granted is still good at Google."""
    person = studio.person
    form = {"grant_type": "refresh_token", "refresh_token": person.refresh_token}
    form |= {"client_id": person.client_id, "client_secret": person.client_secret}
    return requests.post(f"{studio.addresses.google}/token", data=form, timeout=10).ok


def _let_in_again(studio: Studio) -> None:
    """The person's own calendar program, which had lived by the same grant."""
    granted = studio.google_control("POST", "grants", {"email": studio.person.email, "scopes": list(SCOPES)})
    studio.person.refresh_token = granted["refresh_token"]


@pytest.fixture(autouse=True)
def _google_in_order(studio: Studio) -> Iterator[None]:
    """Whatever Google was made to refuse, it does not refuse the next test."""
    yield
    studio.google_control("DELETE", "faults")


def _refuse(studio: Studio, method: str = "events.delete") -> None:
    """From now on Google fails to do this for the person: to delete an event, where nothing else is said."""
    refusal = {"user": studio.person.email, "method": method, "status": 503, "reason": "backendError"}
    studio.google_control("POST", "faults", refusal | {"times": 1000})


def _live_channels(studio: Studio) -> list[str]:
    channels = studio.google_control("GET", "channels")["channels"]
    return [each["id"] for each in channels if each["user"] == studio.person.email and each["live"]]


def _copy(booked: Booked) -> str:
    return str(booked.look()["calendar_copy"])


def test_it_is_asked_what_becomes_of_the_events_and_what_is_left_is_known_again_by_a_new_connection(
    studio: Studio,
) -> None:
    nine, ten, eleven, noon = (studio.starts()[n] for n in (0, 2, 4, 6))
    busy = studio.person.add(noon, studio.starts()[7])
    until(lambda: noon not in studio.starts())
    kept, cancelled, deleted = studio.book(nine), studio.book(ten), studio.book(eleven)
    events = [each.written()["id"] for each in (kept, cancelled, deleted)]
    connection = _connection(studio)["id"]

    asked = _end(studio, connection)
    assert (asked.status_code, asked.json()["type"]) == (409, "urn:booking:problem:choice-needed")
    assert asked.json()["events_ahead"] == 3
    assert [each["choice"] for each in asked.json()["choices"]] == ["leave", "remove"]
    assert _connection(studio)["state"] == "active"
    assert _end(studio, connection, events="burn").status_code == 422

    answer = _ended(studio, connection, events="leave")
    assert (answer["state"], answer["without_calendar"], answer["without_destination"]) == (
        "disconnected",
        ["anna"],
        ["anna"],
    )
    assert answer["follows"] == [
        "No calendar closes time of Anna any more: only opening hours and bookings do.",
        "Bookings with Anna are not written to a calendar any more.",
        "3 events of bookings stay in Google Calendar as they are.",
        "All bookings stay.",
    ]
    assert noon in studio.starts()
    _wait_until_done(studio, connection)
    assert _ended(studio, connection, events="remove")["state"] == "disconnected", "twice changes nothing"
    assert studio.look("connections")["connections"] == []
    assert studio.look(f"connections/{connection}/calendars")["calendars"] == []
    assert not _holds(studio)
    assert _secret(studio, connection) == ""
    assert _live_channels(studio) == []
    assert kept.look()["status"] == "confirmed"
    assert _copy(kept) == "none"

    _let_in_again(studio)
    assert {each["id"] for each in studio.person.events()} == {busy["id"], *events}
    cancelled.cancel()
    studio.person.delete(events[2])
    later = studio.book(ten)
    assert _copy(later) == "none"
    assert studio.look("health")["pending_copies"] == 0

    assert studio.connect() != connection
    until(lambda: studio.fresh_since(0) and noon not in studio.starts())
    until(lambda: _copy(kept) == "written")
    until(lambda: cancelled.event() is None)
    assert later.written(), "what was booked meanwhile is written there too"
    again = until(deleted.event)
    assert again["id"] != events[2]
    event = kept.written()
    assert event["id"] == events[0]
    studio.person.move(event["id"], *(studio.starts()[n] for n in (-2, -1)))
    until(lambda: kept.look()["start"] != nine)
    assert [each["what"] for each in studio.history() if each["what"].startswith("connection.")] == [
        "connection.made",
        "connection.ended",
        "connection.forgotten",
        "connection.made",
    ]
    assert studio.conflicts() == {}


def test_events_are_removed_and_a_grant_that_another_business_lives_by_stays(
    studio: Studio, make_studio: Callable[[], Studio]
) -> None:
    elsewhere = make_studio()
    elsewhere.person = studio.person
    elsewhere.open()
    elsewhere.connect()
    nine, ten = studio.starts()[0], studio.starts()[2]
    own = studio.person.add(ten, studio.starts()[3])
    booked = studio.book(nine)
    booked.written()
    connection = _connection(studio)["id"]
    before = _live_channels(studio)

    assert _ended(studio, connection, events="remove")["events_ahead"] == 1
    _wait_until_done(studio, connection)
    assert [each["id"] for each in studio.person.events()] == [own["id"]]
    assert booked.look()["status"] == "confirmed"
    assert _copy(booked) == "none"
    assert len(_live_channels(studio)) == len(before) - 1
    assert _holds(studio)
    assert _connection(elsewhere)["state"] == "active"
    forgotten = studio.history()[-1]
    assert (forgotten["what"], forgotten["after"]["events_left"]) == ("connection.forgotten", 0)

    # A grant of the same person begins anew, and what is booked is written there once.
    assert studio.connect() != connection
    until(lambda: studio.fresh_since(0))
    assert studio.book(studio.starts()[4]).written()


def test_it_is_disconnected_although_the_grant_is_gone_already(studio: Studio) -> None:  # case 84
    booked = studio.book(studio.starts()[0])
    event = booked.written()
    connection = _connection(studio)["id"]
    studio.google_control("POST", "grants/revoke", {"email": studio.person.email})

    _ended(studio, connection, events="remove")
    _wait_until_done(studio, connection)
    assert studio.look("connections")["connections"] == []
    assert _secret(studio, connection) == ""
    assert booked.look()["status"] == "confirmed"
    assert len(studio.starts()) > 0
    assert studio.look("health")["status"] == "ok"
    _let_in_again(studio)
    assert studio.event_of(booked.session) is not None, "Google let nobody delete it"
    assert studio.history()[-1]["after"]["events_left"] == 1

    # What Google still tells of it leads nowhere (case 9): the event is moved, and the booking stays.
    studio.person.move(event["id"], *(studio.starts()[n] for n in (4, 5)))
    assert booked.look()["start"] not in studio.starts()


def test_a_google_that_refuses_is_asked_again_and_given_up_in_the_end(studio: Studio) -> None:  # case 84
    booked = studio.book(studio.starts()[0])
    booked.written()
    connection = _connection(studio)["id"]
    _refuse(studio)

    _ended(studio, connection, events="remove")
    shown = until(lambda: (seen := _connection(studio))["ending"].get("trouble") and seen)
    assert shown["state"] == "disconnected"
    assert "Google has not done its part yet (Google did not answer)" in shown["ending"]["trouble"]
    assert shown["ending"]["last_error"] == "backendError"
    assert len(studio.starts()) > 0, "what was in the calendar closes nothing at once"

    assert _holds(studio)

    _a_day_passes(studio, connection)
    until(lambda: studio.look("connections")["connections"] == [])
    assert _secret(studio, connection) == ""
    assert (_holds(studio), _live_channels(studio)) == (False, []), "the app lives on in the person's Google account"
    assert studio.history()[-1]["why"] == "the access was given back to Google"
    _let_in_again(studio)
    assert booked.event() is not None
    assert booked.look()["status"] == "confirmed"


def test_an_access_that_google_does_not_take_back_is_offered_again_and_in_the_end_forgotten(
    studio: Studio,
) -> None:  # case 84
    connection = _connection(studio)["id"]
    _refuse(studio, "oauth.revoke")
    _refuse(studio, "channels.stop")
    _ended(studio, connection)
    trouble = until(lambda: _connection(studio)["ending"].get("trouble"))
    assert "Google has not done its part yet" in trouble
    assert _secret(studio, connection)

    _a_day_passes(studio, connection)
    until(lambda: studio.look("connections")["connections"] == [])
    assert _secret(studio, connection) == ""
    assert _holds(studio)
    told = studio.history()[-1]
    assert (told["what"], told["why"]) == ("connection.forgotten", "the access was not given back to Google")
    assert studio.look("health")["status"] == "ok"


def test_an_access_that_could_not_be_given_back_at_first_is_given_back(studio: Studio) -> None:
    connection = _connection(studio)["id"]
    refusal = {"user": studio.person.email, "method": "oauth.revoke", "status": 503, "times": 1}
    studio.google_control("POST", "faults", refusal)
    _ended(studio, connection)
    _wait_until_done(studio, connection)
    assert (_holds(studio), _live_channels(studio)) == (False, [])
    assert studio.history()[-1]["why"] == "the access was given back to Google"


def _a_day_passes(studio: Studio, connection: str) -> None:
    stored = studio.store.get(studio.account, Ref(Connection, connection))
    assert stored is not None
    assert stored.ending is not None
    document = studio.store.client.document(f"accounts/{studio.account}/connections/{connection}")
    document.update({"ending.since": stored.ending.since - GIVEN_UP_AFTER_MS})


def test_an_event_that_can_not_be_looked_for_keeps_no_other_from_being_written(
    studio: Studio, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pull that our own writing asks for would reach what is said to be out of reach.
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    left, waits = (studio.book(studio.starts()[n]) for n in (0, 2))
    assert left.written()
    assert waits.written()
    sessions = studio.store.client.collection(f"accounts/{studio.account}/sessions")
    sessions.document(left.session).update({f"copies.`{studio.calendar}`.out_of_reach": True})
    sessions.document(waits.session).update({"version": 2})
    application, made = application_of(platform), list[Any]()
    application.tasks.create = made.append  # type: ignore[method-assign]

    def google_answers(refusal: GoogleError) -> None:
        def get(google: GoogleCalendar, calendar: str, event: str) -> Any:
            raise refusal

        monkeypatch.setattr(GoogleCalendar, "get", get)

    google_answers(Forbidden("forbidden"))
    copies(worker(application, studio))
    assert [task.body["subject"] for task in made] == [waits.session]
    google_answers(Unavailable("backendError"))
    with pytest.raises(TryLater):
        copies(worker(application, studio))
    assert [task.body["subject"] for task in made] == [waits.session] * 2

    # However long ago it was: somebody who was in it may be forgotten.
    sessions.document(waits.session).update({"start": 1, "end": 31, "copy_pending": True})
    with pytest.raises(TryLater):
        copies(worker(application, studio))
    assert [task.body["subject"] for task in made] == [waits.session] * 3

    # Of a calendar that is not read nothing is waited for.
    studio.put(f"calendars/{studio.calendar}", {"blocks": [], "destination_for": []})
    copies(worker(application, studio))


def test_who_connects_anew_while_google_still_refuses_the_end_keeps_the_events(studio: Studio) -> None:
    booked = studio.book(studio.starts()[0])
    event = booked.written()
    connection = _connection(studio)["id"]
    _refuse(studio)
    _ended(studio, connection, events="remove")
    until(lambda: _connection(studio)["ending"].get("trouble"))

    made = studio.connect()
    assert made != connection
    until(lambda: _copy(booked) == "written")
    assert booked.written()["id"] == event["id"]
    assert _holds(studio)
    assert [each["id"] for each in studio.look("connections")["connections"]] == [made]
    assert _connection(studio)["state"] == "active"
