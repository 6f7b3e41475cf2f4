"""Who was refused too often is not listened to: before anything of theirs is read, and before anything is looked up for them."""

import socket
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any

import pytest
from flask import Request, Response
from werkzeug.test import EnvironBuilder

from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.booking.addresses import map_at
from functions.booking.routing import Router
from tests.adapters.test_settings import NEEDED

NOW = 1_800_000_000_000
TOO_LARGE = 70_000
GUESSED_KEY = {"Authorization": "Bearer bok_guessed"}
GUESSED_TOKEN = {"Authorization": "Bearer guessed"}


class Untouched(Application):
    """Whose store stands where nobody may look."""

    looked = 0

    @cached_property
    def store(self) -> Any:
        self.looked += 1
        raise AssertionError("the store")


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


class Caller:
    """From one address, at an instance that takes two refusals."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.router = Router(map_at)
        settings = read_settings({**NEEDED, "REFUSALS_PER_ADDRESS": "2/3600", "TRUSTED_PROXIES": "0"})
        self.application = Untouched(settings)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, size: int = 2) -> tuple[Response, int]:
        """The answer, and how much of the body was read."""
        body = BytesIO(b" " * size)
        builder = EnvironBuilder(path, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
        environ = {**builder.get_environ(), "wsgi.input": body, "CONTENT_LENGTH": str(size)}
        request = Request({**environ, "gunicorn.socket": self.connection})
        return self.router.answer(request, self.application, NOW), body.tell()


@pytest.fixture
def caller(connection: socket.socket) -> Caller:
    caller = Caller(connection)
    for _ in range(2):
        assert caller.ask("POST", "/v1/accounts/a/connections")[0].status_code == 401
    return caller


@pytest.mark.parametrize("size", [2, TOO_LARGE])
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/v1/accounts/a/bookings", {}),
        ("POST", "/v1/accounts/a/bookings/any/cancel", GUESSED_TOKEN),
        ("GET", "/v1/accounts/a/bookings/any", GUESSED_TOKEN),
        ("GET", "/v1/accounts/a/waitlist/any", GUESSED_TOKEN),
        ("PUT", "/v1/accounts/a/resources/any", GUESSED_TOKEN),
        ("POST", "/v1/accounts", {"Cookie": "__Host-signed_in=guessed"}),
        ("POST", "/signout", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_nothing_is_read_or_looked_up(
    caller: Caller, method: str, path: str, headers: dict[str, str], size: int
) -> None:
    answer, read = caller.ask(method, path, headers, size)
    assert (answer.status_code, read, caller.application.looked) == (429, 0, 0)
    assert int(answer.headers["Retry-After"]) > 0


def test_who_may_be_an_operator_is_looked_up_and_not_read_before(caller: Caller) -> None:
    answer, read = caller.ask("PUT", "/v1/accounts/a/resources/any", GUESSED_KEY, TOO_LARGE)
    assert (answer.status_code, read, caller.application.looked) == (500, 0, 1)


def test_what_is_open_to_everybody_is_shown(caller: Caller) -> None:
    assert caller.ask("GET", "/console")[0].status_code == 303
    assert caller.ask("GET", "/v1/accounts/a/services")[0].status_code == 500, "it looks into the store"
