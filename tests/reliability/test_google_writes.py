"""Writes to Google: none fails in silence, and no old page takes one back. In the test's own process, where it decides what comes when."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.google_errors import Changed, Forbidden, GoogleError, OurMistake, RateLimited, Unavailable
from functions.domain.calendar import Calendar
from functions.domain.decision import Ref
from functions.sync.leases import Held, release
from functions.sync.pages import apply_page
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import DAY, Studio, instants, until


@pytest.fixture
def application(platform: Platform) -> Application:
    return application_of(platform)


def connected(application: Application, studio: Studio) -> tuple[Work, Calendar, GoogleCalendar]:
    work = Work(application=application, account=studio.account, subject=studio.calendar)
    calendar = application.store.get(studio.account, Ref(Calendar, studio.calendar))
    assert calendar is not None
    return work, calendar, work.google(calendar.connection)


TIMES: dict[str, Any] = {
    "start": {"dateTime": f"{DAY}T12:00:00Z"},
    "end": {"dateTime": f"{DAY}T13:00:00Z"},
}
Write = Callable[[GoogleCalendar, str, str], object]
WRITES: dict[str, Write] = {
    "POST": lambda google, calendar, _: google.insert(calendar, TIMES),
    "PATCH": lambda google, calendar, event: google.patch(calendar, event, TIMES, etag=None),
    "DELETE": lambda google, calendar, event: google.delete(calendar, event, etag=None),
}


@pytest.mark.parametrize("method", WRITES)
def test_a_write_that_google_refuses_is_never_taken_for_done(  # case 117
    method: str, studio: Studio, application: Application
) -> None:
    _, _, google = connected(application, studio)
    event = studio.person.add(f"{DAY}T10:00:00Z", f"{DAY}T11:00:00Z")["id"]
    refusals: list[tuple[int, str, type[GoogleError]]] = [
        (400, "invalid", OurMistake),
        (403, "forbidden", Forbidden),
        (412, "conditionNotMet", Changed),
        (429, "rateLimitExceeded", RateLimited),
        (500, "backendError", Unavailable),
    ]
    for status, reason, error in refusals:
        fault = {"user": studio.person.email, "method": method, "path": "/events", "status": status, "reason": reason}
        studio.google_control("POST", "faults", fault)
        with pytest.raises(error):
            WRITES[method](google, studio.person.email, event)
    assert [each["id"] for each in studio.person.events()] == [event]
    WRITES[method](google, studio.person.email, event)


def test_a_page_from_before_our_write_is_no_move_of_its_owners(studio: Studio, application: Application) -> None:
    nine, ten = studio.starts()[0], studio.starts()[2]
    held = Held(studio.calendar, studio.hold_off_pulls())
    booking = studio.book(nine)
    booking.written()
    work, calendar, google = connected(application, studio)
    page = google.events_page(calendar.google_id, sync_token=calendar.cursor.sync_token, page_token=None)
    assert [instants(event)[0] for event in page.events] == [nine]
    assert booking.reschedule(ten).status_code == 200
    booking.written()
    apply_page(work, held, page)
    release(work, held)
    assert booking.look()["start"] == ten
    studio.poll()
    until(lambda: booking.look()["calendar_copy"] == "written" and len(studio.mails()) == 2)
    assert booking.look()["start"] == ten
    assert booking.history() == [("booking.confirmed", "client"), ("session.moved", "client")]
