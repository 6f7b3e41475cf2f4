"""Google without a network: the world of the stand-in, reached by Google's own client library through an HTTP object that calls it directly.

Its pushes are not sent: they wait in a list for the story to deliver them, or to lose them.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode, urlsplit

import httplib2
import requests

from functions.adapters.certificates import Certificates
from functions.domain.scopes import SCOPES
from infra.local.google import (  # noqa: F401 - the imports register the API's handlers
    calendar_list_api,
    calendars_api,
    events_api,
    freebusy,
    settings_api,
    watching,
)
from infra.local.google import world as stand_in
from infra.local.google.api import PREFIX, Api, Request
from infra.local.google.channels import Channel
from infra.local.google.clock import Clock as GoogleClock
from infra.local.google.discovery import calendar_discovery
from infra.local.google.grants import Client, InvalidGrant
from infra.local.google.keys import SigningKey
from infra.local.google.push import Behaviour, Message, _headers
from infra.local.google.token_endpoint import TokenEndpoint
from tests.reliability.simulation.chance import Clock
from tests.reliability.simulation.faults import GoogleFails

Json = dict[str, Any]
Io = Callable[[str, Callable[[], Any]], Any]

ADDRESS = "http://google.test"
CLIENT = Client("simulated", "secret", ())


class Refused(Exception):
    """Google says no to a person."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


class _Rows:
    """In place of the file: a story is not kept."""

    def __init__(self, directory: Path) -> None: ...

    def put(self, kind: str, key: str, value: Json) -> None: ...

    def delete(self, kind: str, key: str) -> None: ...

    def load(self, kind: str) -> list[Json]:
        return []

    def flush(self) -> None: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


@cache
def _key() -> SigningKey:
    """Of no story in particular: making one takes longer than a story."""
    rows: Any = _Rows(Path())
    return SigningKey(rows)


@cache
def _discovery() -> Any:
    return calendar_discovery()


# Before any story: neither takes anything of its chance.
_key()
_discovery()


@dataclass(frozen=True)
class Push:
    """A notification on its way."""

    channel: Channel
    headers: Mapping[str, str]


class _Pusher:
    """Stands where the stand-in's does."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []

    def behaviour(self, target: str) -> Behaviour:
        return Behaviour()

    def send(self, channel: Channel, state: str) -> None:
        channel.last_message = 1 if state == "sync" else channel.last_message + 1
        message = Message(
            seq=0,
            channel_id=channel.id,
            kind=channel.kind,
            target=channel.target,
            address=channel.address,
            state=state,
            number=channel.last_message,
            time="",
        )
        self.pushes.append(Push(channel, _headers(channel, message)))


class World(stand_in.World):
    """Of one story."""

    def __init__(self, clock: Clock) -> None:
        class Now(GoogleClock):
            def now(self) -> Any:
                return datetime.fromtimestamp(clock.time(), UTC)

        with patch.multiple(
            stand_in,
            Rows=_Rows,
            Clock=Now,
            SigningKey=lambda rows: _key(),
            calendar_discovery=_discovery,
            Pusher=_Pusher,
        ):
            super().__init__(directory=Path(), public_url=ADDRESS, client=CLIENT)
        self.changes_later: list[Callable[[], None]] = []

    @property
    def pushes(self) -> list[Push]:
        pusher: Any = self.pusher
        found: list[Push] = pusher.pushes
        return found

    def later(self, seconds: float, change: Callable[[], None]) -> None:
        self.changes_later.append(change)


class Wire:
    """HTTP to the world. `io` is told of each call of ours; what people do themselves goes past it (`as_person`)."""

    def __init__(self, world: World, io: Io) -> None:
        self._world, self._api, self._io = world, Api(world), io
        self._people: dict[str, str] = {}
        # One that was kept, as far as its caller knows: what breaks on it is sent once more.
        self.connections = {"https:google": SimpleNamespace(sock=self)}

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """As `httplib2.Http.request`."""
        parts = urlsplit(uri)
        path = parts.path.removeprefix(PREFIX)
        found = self._world.discovery.match(method, path)
        try:
            if parts.path == "/token":
                return self._io("google token", lambda: self._token(body))  # type: ignore[no-any-return]
            return self._io(  # type: ignore[no-any-return]
                f"google {found[0].id if found else path}",
                lambda: self._call(method, path, parts.query, body, dict(headers or {})),
            )
        except GoogleFails as failure:
            error = {"errors": [{"domain": "global", "reason": failure.reason}], "code": failure.status}
            return _answer(failure.status, {"error": {**error, "message": failure.reason}}, {})

    def close(self) -> None: ...

    def post(self, url: str, *, data: Mapping[str, str], timeout: float) -> SimpleNamespace:
        """As `requests.post`, of which only the token endpoint is asked."""
        try:
            response, content = self.request(url, "POST", urlencode(data))
        except ConnectionResetError as error:
            raise requests.ConnectionError from error
        return SimpleNamespace(status_code=response.status, json=lambda: json.loads(content))

    def _call(
        self, method: str, path: str, query: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[httplib2.Response, bytes]:
        request = Request(
            method=method,
            path=path,
            query=parse_qsl(query, keep_blank_values=True),
            headers={name.lower(): value for name, value in headers.items()},
            body=body.encode() if isinstance(body, str) else body or b"",
        )
        answer = _done(self._api.answer(request))
        return _answer(answer.status, answer.body, answer.headers)

    def _token(self, body: Any) -> tuple[httplib2.Response, bytes]:
        form = dict(parse_qsl(body.decode() if isinstance(body, bytes) else body))
        try:
            issued = self._world.grants.refresh(form["refresh_token"], client_id=form["client_id"])
        except InvalidGrant as error:
            return _answer(400, {"error": "invalid_grant", "error_description": str(error)}, {})
        return _answer(200, TokenEndpoint(self._world)._answer(issued), {})

    def as_person(self, email: str, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        """What a person does with a calendar program of their own. Raises `Refused`."""
        token = self._people.get(email)
        if token is None or self._world.grants.find_access(token) is None:
            refresh = self._world.grants.issue_refresh(email, CLIENT.id, SCOPES)
            token = self._people[email] = self._world.grants.refresh(refresh, client_id=CLIENT.id).access_token
        request = Request(
            method=method,
            path=path,
            query=list(query.items()),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = _done(self._api.answer(request))
        if answer.status >= 400:
            reason = (answer.body or {}).get("error", {}).get("errors", [{}])[0].get("reason", "")
            raise Refused(answer.status, reason)
        return answer.body or {}


def certificates() -> Certificates:
    """Those by which Google's ID tokens are verified, as if they had been fetched a moment ago, always."""
    return Certificates("", {_key().kid: _key().certificate}, _fetched_at=sys.maxsize)


def oauth_library_with(wire: Wire) -> Any:
    """What `adapters.oauth` knows as requests."""
    return SimpleNamespace(post=wire.post, RequestException=requests.RequestException)


def library_with(wire: Wire) -> Any:
    """What `adapters.google_calendar` knows as httplib2."""
    return SimpleNamespace(Http=lambda **_: wire, HttpLib2Error=httplib2.HttpLib2Error)


def _answer(status: int, body: Json | None, headers: Mapping[str, str]) -> tuple[httplib2.Response, bytes]:
    content = b"" if body is None else json.dumps(body).encode()
    told = {name.lower(): value for name, value in headers.items()}
    response = httplib2.Response({**told, "status": str(status), "content-type": "application/json; charset=UTF-8"})
    return response, content


def _done(call: Any) -> Any:
    """The stand-in's calls are coroutines that wait for nothing here, but may let others go first."""
    while True:
        try:
            call.send(None)
        except StopIteration as end:
            return end.value
