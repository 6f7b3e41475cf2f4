"""What Google tells while we are at it: a second worker comes at the worst moment, which is chosen here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud.firestore_v1.types import CommitRequest

from functions.adapters.composition import Application
from functions.adapters.google_calendar import GoogleCalendar
from functions.adapters.store.store import Store
from functions.sync.pull import pull
from functions.sync.push import push
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import Backstage, application_of, booking_client
from tests.studio import Booked, Studio, until
from tests.wire import tap


@dataclass(frozen=True, kw_only=True)
class Interrupted(Work):
    """Work in which something happens, once, between Google's answer to a call and what is made of it."""

    call: str
    happens: Callable[[], object]
    happened: list[str] = field(default_factory=list)

    def google(self, connection_id: str) -> GoogleCalendar:
        return _Interrupting(super().google(connection_id), self)  # type: ignore[return-value]


@dataclass
class _Interrupting:
    real: GoogleCalendar
    work: Interrupted

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            answer = getattr(self.real, name)(*arguments, **more)
            if name == self.work.call and not self.work.happened:
                self.work.happened.append(name)
                self.work.happens()
            return answer

        return call


@pytest.fixture
def alone(studio: Studio, platform: Platform) -> Application:
    """The functions in this process, and nobody else works on the calendar: pushes are lost, and what is owed stays in the outbox."""
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    application = application_of(platform)
    application.__dict__["store"] = Store(application.store.client, lambda account, records: None)
    until(lambda: _read(application, studio))
    return application


def _read(application: Application, studio: Studio) -> bool:
    """A pull of ours got through; the one that follows a watch may still be at it."""
    work = Interrupted(**_worker(application, studio), call="events_page", happens=lambda: None)
    pull(work)
    return bool(work.happened)


def _worker(application: Application, studio: Studio) -> dict[str, Any]:
    return {"application": application, "account": studio.account, "subject": studio.calendar}


def test_a_change_that_is_told_during_a_pull_is_read_before_the_pull_ends(
    studio: Studio, alone: Application
) -> None:  # cases 17 and 54
    nine, half_past = studio.starts()[:2]
    worker, behind = _worker(alone, studio), Backstage(studio, alone)
    lists = []

    def told() -> None:
        studio.person.add(nine, half_past)  # the page that is in hand does not have it
        fence, seen = behind.calendar.lease.fence, behind.calls_so_far()
        pull(Work(**worker))
        assert behind.calls(since=seen) == []
        assert (behind.calendar.dirty, behind.calendar.lease.fence) == (1, fence)
        lists.append(seen)

    pull(Interrupted(**worker, call="events_page", happens=told))
    assert [call["id"] for call in behind.calls(since=lists[0])] == ["events.list"]  # once more, by the first
    assert (behind.calendar.dirty, behind.calendar.lease.holder) == (0, None)
    assert nine not in studio.starts()


def test_a_copy_that_is_told_before_its_insert_is_noted_is_known_as_ours(
    studio: Studio, alone: Application
) -> None:  # cases 2 and 93
    nine = studio.starts()[0]
    body = {"service": "consult", "start": nine, "client": {"name": "Kim", "email": studio.client_email}}
    made = booking_client(alone).post(f"/v1/accounts/{studio.account}/bookings", json=body).get_json()
    booking = Booked(studio, made["id"], made["session"], made["manage_token"])
    worker = _worker(alone, studio)
    pushing = worker | {"subject": booking.session}
    push(Interrupted(**pushing, call="insert", happens=lambda: pull(Work(**worker))))
    assert booking.look()["calendar_copy"] == "written"
    assert booking.history() == [("booking.confirmed", "client")]
    assert studio.conflicts() == {}
    booking.cancel()
    assert nine in studio.starts()  # nothing else had taken its time


def test_a_notification_of_what_is_known_already_leaves_everything_as_it_was(
    studio: Studio, alone: Application
) -> None:  # case 20
    nine, half_past = studio.starts()[:2]
    studio.person.add(nine, half_past)
    pull(Work(**_worker(alone, studio)))
    starts, history = studio.starts(), studio.history(calendar=studio.calendar)
    wire = tap(alone.store.client)
    assert _read(alone, studio)
    written = {write.update.name for commit in wire.commits for write in CommitRequest(commit).writes}
    assert {name.partition(studio.account)[2] for name in written} == {f"/calendars/{studio.calendar}"}
    assert (studio.starts(), studio.history(calendar=studio.calendar)) == (starts, history)
