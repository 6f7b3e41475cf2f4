"""The fixtures of the test_google_* modules, which take them with `pytest_plugins`. There are no tests in here."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from infra.local.google.driver import StandIn

Json = dict[str, Any]


@dataclass
class Someone:
    """A person of the stand-in with the real calendar client."""

    google: StandIn
    email: str

    @cached_property
    def service(self) -> Any:
        return self.google.calendar(self.email)

    @property
    def events(self) -> Any:
        return self.service.events()

    def insert(self, calendar: str = "primary", *, hour: int = 10, **fields: Any) -> Json:
        """A one-hour event on 1 March 2027 unless said otherwise."""
        body = {"summary": "Cut", "start": at(hour), "end": at(hour + 1), **fields}
        return dict(self.events.insert(calendarId=calendar, body=body).execute())

    def get(self, event_id: str, calendar: str = "primary") -> Json:
        return dict(self.events.get(calendarId=calendar, eventId=event_id).execute())

    def patch(self, event_id: str, calendar: str = "primary", **fields: Any) -> Json:
        return dict(self.events.patch(calendarId=calendar, eventId=event_id, body=fields).execute())

    def delete(self, event_id: str, calendar: str = "primary") -> None:
        self.events.delete(calendarId=calendar, eventId=event_id).execute()

    def list(self, calendar: str = "primary", **parameters: Any) -> Listed:
        """All pages of a list."""
        items: list[Json] = []
        pages = 0
        token = None
        while True:
            answer = self.events.list(calendarId=calendar, pageToken=token, **parameters).execute()
            pages += 1
            items += answer["items"]
            token = answer.get("nextPageToken")
            if token is None:
                return Listed(items, answer["nextSyncToken"], pages)


@dataclass
class Listed:
    items: list[Json]
    token: str
    pages: int

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.items]


def at(hour: int, *, day: int = 1, zone: str = "Europe/Berlin") -> Json:
    return {"dateTime": f"2027-03-{day:02d}T{hour:02d}:00:00", "timeZone": zone}


def refusal(call: Any) -> tuple[int, str]:
    """Status and reason of the error that a call ends with."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


@dataclass
class Receiver:
    """A small HTTP server that takes notifications and answers as it is told."""

    received: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: dict[str, str]) -> int:
        with self.arrived:
            self.received.append({name.lower(): value for name, value in headers.items()})
            self.arrived.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait(self, count: int) -> list[dict[str, str]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout=30), self.received
            return list(self.received)


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("google") / "data") as stand_in:
        yield stand_in
        assert stand_in.control("GET", "mismatches") == {"mismatches": []}
        assert stand_in.stop() == 0


@pytest.fixture
def make_person(google: StandIn) -> Callable[..., Someone]:
    def make(name: str, *, time_zone: str = "Europe/Berlin") -> Someone:
        email = f"{name}-{uuid.uuid4().hex[:8]}@example.com"
        google.create_user(email, name=f"{name.title()} Berg", time_zone=time_zone)
        return Someone(google, email)

    return make


@pytest.fixture
def anna(make_person: Callable[..., Someone]) -> Someone:
    return make_person("anna")


@pytest.fixture
def ben(make_person: Callable[..., Someone]) -> Someone:
    return make_person("ben")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(dict(self.headers.items()))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()
