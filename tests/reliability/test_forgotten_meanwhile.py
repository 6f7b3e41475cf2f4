"""A client is forgotten while their name is on its way to Google: between any two steps of the one the other is done as a whole, by another instance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.store.store import Store
from functions.domain.erasing import RETENTION
from functions.sync import forgetting, writing
from functions.sync.forgetting import forget_booking
from functions.sync.push import push
from infra.local.platform import Platform
from tests.in_process import application_of, booking_client, worker
from tests.studio import Booked, Studio


@contextmanager
def meanwhile(act: Callable[[], object], owner: Any, step: str, *, after: bool = False) -> Iterator[None]:
    """It happens at the first such step: right before that, or right after it."""
    real = getattr(owner, step)

    def interrupted(*arguments: Any, **named: Any) -> Any:
        patched.undo()
        if not after:
            act()
        done = real(*arguments, **named)
        if after:
            act()
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, step, interrupted)
        yield
        assert getattr(owner, step) is real, "it came to that step"


def without_tasks(platform: Platform) -> Application:
    """Whose effects nobody does, so that the test is the only worker."""
    application = application_of(platform)
    application.__dict__["store"] = Store(application.store.client, lambda account, records: None)
    return application


def test_who_is_forgotten_while_they_are_written_does_not_come_back(studio: Studio, platform: Platform) -> None:
    one, another = without_tasks(platform), without_tasks(platform)
    starts = studio.starts()

    def booked(start: str) -> Booked:
        body = {"service": "consult", "start": start, "client": {"name": "Kim Doe", "email": studio.client_email}}
        made = booking_client(one).post(f"/v1/accounts/{studio.account}/bookings", json=body).get_json()
        return Booked(studio, made["id"], made["session"], made["manage_token"])

    def write(application: Application) -> None:
        push(worker(application, studio, booking.session))

    def forget(application: Application) -> None:
        assert forget_booking(worker(application, studio, booking.id), booking.id, author=RETENTION)

    def is_forgotten() -> bool:
        write(one)  # as the erasure has it done
        event = studio.event_of(booking.session)
        assert event is not None
        assert (event["summary"], event.get("attendees", [])) == ("Consultation: erased client", [])
        return "kim" not in str(event).casefold()

    # Between what a write has read and its commit.
    booking = booked(starts[0])
    with meanwhile(lambda: forget(another), writing, "_draft", after=True):
        write(one)
    assert is_forgotten()
    # Between what the erasure has read and its commit.
    booking = booked(starts[1])
    with meanwhile(lambda: write(another), forgetting, "erase_booking"):
        forget(one)
    assert is_forgotten()
    # Between the commit of a write and the write, which comes after the one that forgets.
    booking = booked(starts[2])

    def forget_and_write() -> None:
        forget(another)
        write(another)

    with meanwhile(forget_and_write, GoogleCalendar, "insert"):
        write(one)
    assert is_forgotten()
