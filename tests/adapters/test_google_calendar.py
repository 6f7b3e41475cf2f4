"""google-api-python-client as we use it, against a server of ours that counts what reaches it: nothing is fetched to know the API, a connection belongs to one
thread, nobody waits for ever, and what is sent once is sent once.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.adapters import google_calendar
from functions.adapters.google_calendar import Calendars, GoogleCalendar
from functions.adapters.google_errors import Unavailable
from tests.adapters.test_oauth import SETTINGS

EVENT = {"summary": "Kim"}


@dataclass
class Google:
    """Answers each event with its own id. `behaviours`: of the next calls for an event, in order; then all is well."""

    address: str = ""
    calls: list[tuple[str, str, int]] = field(default_factory=list)  # method, path, the connection's port
    behaviours: list[Callable[["Answering"], None]] = field(default_factory=list)
    together: threading.Barrier | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def paths(self, method: str) -> list[str]:
        return [path for made, path, _ in self.calls if made == method]


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    google: Google

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/token":
            return self.say({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"})
        return self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.google.calls.append((self.command, self.path, self.client_address[1]))
        if self.google.behaviours:
            return self.google.behaviours.pop(0)(self)
        if self.google.together is not None:
            self.google.together.wait(10)
        return self.say({"id": self.path.partition("?")[0].rpartition("/")[2]})

    def say(self, answer: dict[str, object]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def hang_up(call: Answering) -> None:
    """Without a word, in good order (FIN)."""
    call.close_connection = True


def reset(call: Answering) -> None:
    """RST, as of a connection of which the other side knows nothing any more."""
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.close_connection = True


def say_nothing(call: Answering) -> None:
    call.google.ended.wait(30)
    call.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        request.close()  # with no farewell before it, which would make a FIN of every RST


@pytest.fixture
def google() -> Iterator[Google]:
    of_this_test = Google()
    server = Server(("127.0.0.1", 0), type("Handler", (Answering,), {"google": of_this_test}))
    of_this_test.address = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield of_this_test
    finally:
        of_this_test.ended.set()
        server.shutdown()
        serving.join()
        server.server_close()


def opened(google: Google) -> GoogleCalendar:
    settings = replace(
        SETTINGS, calendar_endpoint=f"{google.address}/calendar/v3/", oauth_token_url=f"{google.address}/token"
    )
    return Calendars(settings).open("connection", "sealed", lambda: "1//refresh")


def test_to_know_the_api_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, google: Google) -> None:
    def fetched(*_: object, **__: object) -> None:
        raise AssertionError("asked the network what the API is")

    with monkeypatch.context() as offline:
        offline.setattr("httplib2.Http.request", fetched)
        calendar = opened(google)
    assert calendar.get("anna", "one")["id"] == "one"


def test_each_thread_has_a_connection_of_its_own_and_keeps_it(google: Google) -> None:
    calendar = opened(google)
    google.together = threading.Barrier(2)  # both are under way at once

    def two_events(thread: int) -> list[str]:
        return [calendar.get("anna", f"event-{thread}-{n}")["id"] for n in range(2)]

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(two_events, range(2)))
    assert answers == [["event-0-0", "event-0-1"], ["event-1-0", "event-1-1"]]
    ports = [{port for _, path, port in google.calls if f"event-{thread}-" in path} for thread in range(2)]
    assert [len(of_one) for of_one in ports] == [1, 1]
    assert ports[0] != ports[1]


def test_who_never_answers_is_not_waited_for(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_calendar, "TIMEOUT_S", 0.2)
    google.behaviours = [say_nothing]
    with pytest.raises(Unavailable):
        opened(google).insert("anna", dict(EVENT))
    assert len(google.paths("POST")) == 1


class TestWhatIsSent:
    def test_over_a_new_connection_that_breaks_goes_out_once(self, google: Google) -> None:
        google.behaviours = [reset]
        with pytest.raises(Unavailable):
            opened(google).insert("anna", dict(EVENT))
        assert len(google.paths("POST")) == 1

    def test_over_a_kept_connection_that_breaks_goes_out_over_a_new_one(self, google: Google) -> None:
        calendar = opened(google)
        calendar.get("anna", "before")
        google.behaviours = [reset]
        calendar.insert("anna", dict(EVENT))
        (_, _, kept), *sent = google.calls
        assert [method for method, _, _ in sent] == ["POST", "POST"]
        assert sent[0][2] == kept != sent[1][2]

    @pytest.mark.parametrize("kept", [False, True])
    @pytest.mark.parametrize("behaviour", [hang_up, reset])
    def test_goes_out_twice_at_most(self, google: Google, behaviour: Callable[[Answering], None], kept: bool) -> None:
        calendar = opened(google)
        if kept:
            calendar.get("anna", "before")
        google.behaviours = [behaviour] * 9
        with pytest.raises(Unavailable):
            calendar.insert("anna", dict(EVENT))
        assert len(google.paths("POST")) <= 2
