"""Calendar v3 over HTTP: route by the discovery document, authenticate, check, call, answer.

A handler is registered under its method's name in the document; a method without one answers 501.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from infra.local.google import errors
from infra.local.google.discovery import Method
from infra.local.google.event_view import RawEvent
from infra.local.google.grants import AccessToken
from infra.local.google.partial import select_fields
from infra.local.google.people import Person
from infra.local.google.world import World

Json = dict[str, Any]

_log = logging.getLogger("google")

PREFIX = "/calendar/v3/"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
# POSTs that change nothing a usage limit would count.
_READS = frozenset({"freebusy.query", "events.watch", "calendarList.watch", "acl.watch", "settings.watch"})


@dataclass(frozen=True)
class Request:
    """One HTTP request to the API, its path still percent-encoded and below the prefix."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """Status, headers and JSON; `drop` means that the connection is closed instead."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(frozen=True)
class Call:
    """What a handler gets: who calls, with which parameters and which body."""

    world: World
    method: Method
    person: Person
    client_id: str
    parameters: Json
    body: Json
    headers: dict[str, str]

    @property
    def if_match(self) -> str | None:
        return self.headers.get("if-match")


Result = Json | None
Handler = Callable[[Call], Result | Awaitable[Result]]
AnyHandler = TypeVar("AnyHandler", bound=Handler)
_HANDLERS: dict[str, Handler] = {}


def handles(method_id: str) -> Callable[[AnyHandler], AnyHandler]:
    """Register a handler under a method of the discovery document."""

    def register(handler: AnyHandler) -> AnyHandler:
        _HANDLERS[method_id] = handler
        return handler

    return register


class Api:
    """The API of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def answer(self, request: Request) -> Answer:
        """Serve one request; everything that goes wrong becomes one of Google's errors."""
        world = self._world
        token = self._token(request)
        user = token.email if token is not None else ""
        found = world.discovery.match(request.method, request.path)
        method_id = found[0].id if found else ""
        answer = await self._answer(request, token, found)
        world.commit()
        fault = world.faults.take(
            "after", http_method=request.method, method_id=method_id, path=request.path, user=user
        )
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            answer = replace(_refused(fault.error()), drop=fault.drop)
        note = "dropped" if answer.drop else ""
        if answer.status >= 400 and answer.body is not None:
            note = note or answer.body["error"]["errors"][0]["reason"]
        world.journal.add(
            time=world.clock.timestamp(),
            method=request.method,
            path=PREFIX + request.path,
            query=request.query,
            method_id=method_id,
            status=0 if answer.drop else answer.status,
            user=user,
            note=note,
        )
        return answer

    async def _answer(
        self, request: Request, token: AccessToken | None, found: tuple[Method, dict[str, str]] | None
    ) -> Answer:
        world = self._world
        fault = world.faults.take(
            "before",
            http_method=request.method,
            method_id=found[0].id if found else "",
            path=request.path,
            user=token.email if token else "",
        )
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            return replace(_refused(fault.error()), drop=fault.drop)
        if found is None:
            world.journal.mismatch(f"{request.method} {request.path}", "path", ["no such method"])
            return _refused(errors.not_found())
        try:
            call = self._read(request, token, *found)
            result = _handler(call.method.id)(call)
            if isinstance(result, Awaitable):
                result = await result
        except errors.ApiError as error:
            return _refused(error)
        except Exception as error:
            # A mistake of ours. Recorded where tests look, since a client would take a 500 for Google's.
            _log.exception("%s failed", found[0].id)
            world.journal.mismatch(found[0].id, "stand-in", [f"{type(error).__name__}: {error}"])
            return _refused(errors.ApiError(500, "backendError", "Backend Error"))
        return self._written(call, result)

    def _token(self, request: Request) -> AccessToken | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = next((value for name, value in request.query if name in ("access_token", "oauth_token")), "")
        return self._world.grants.find_access(text) if text else None

    def _read(self, request: Request, token: AccessToken | None, method: Method, path: dict[str, str]) -> Call:
        world = self._world
        person = world.people.find(token.email) if token is not None else None
        if token is None or person is None or person.suspended:
            raise errors.unauthorized()
        if not person.calendar_service:
            raise errors.ApiError(
                403, "notACalendarUser", "The user must be signed up for Google Calendar.", domain="calendar"
            )
        writes = request.method in _WRITES and method.id not in _READS
        world.faults.check_limits(person.email, writes=writes)
        if not method.scopes & set(token.scopes):
            raise errors.insufficient_scope()
        parameters, problems, refusal = world.discovery.read_parameters(method, request.query)
        world.journal.mismatch(method.id, "request query", problems)
        if refusal is not None:
            raise refusal
        body = self._body(request, method)
        return Call(world, method, person, token.client_id, {**parameters, **path}, body, request.headers)

    def _body(self, request: Request, method: Method) -> Json:
        if method.request is None:
            # The real client sends an empty object with a POST that takes no body.
            if request.body.strip() not in (b"", b"{}"):
                self._world.journal.mismatch(method.id, "request body", ["the method takes no body"])
            return {}
        try:
            body = json.loads(request.body or b"{}")
        except ValueError as error:
            self._world.journal.mismatch(method.id, "request body", ["not JSON"])
            raise errors.ApiError(400, "parseError", "Parse Error") from error
        problems = self._world.discovery.check(method.request, body, request=True)
        self._world.journal.mismatch(method.id, "request body", problems)
        wrong = [problem for problem in problems if not problem.endswith("is not in the schema")]
        if wrong:
            raise errors.invalid(f"Invalid value: {wrong[0]}")
        return self._world.discovery.known_fields(method.request, body)

    def _written(self, call: Call, result: Result) -> Answer:
        if result is None:
            if call.method.response is not None:
                self._world.journal.mismatch(call.method.id, "answer", ["the method has an answer body"])
            return Answer(204)
        if call.method.response is None:
            self._world.journal.mismatch(call.method.id, "answer", ["the method has no answer body"])
        else:
            checked = _without_raw(result)
            problems = self._world.discovery.check(call.method.response, checked, request=False)
            self._world.journal.mismatch(call.method.id, "answer", problems)
        headers = {}
        if "etag" in result:
            headers["ETag"] = result["etag"]
            if call.method.http_method == "GET" and call.headers.get("if-none-match") == result["etag"]:
                return Answer(304, headers=headers)
        fields = call.parameters.get("fields")
        return Answer(200, select_fields(result, fields) if fields else result, headers)


def _handler(method_id: str) -> Handler:
    handler = _HANDLERS.get(method_id)
    if handler is None:
        raise errors.not_implemented(method_id)
    return handler


def _without_raw(result: Json) -> Json:
    if isinstance(result, RawEvent):
        return {}
    if not any(isinstance(item, RawEvent) for item in result.get("items", ())):
        return result
    return {**result, "items": [item for item in result["items"] if not isinstance(item, RawEvent)]}


def _refused(error: errors.ApiError) -> Answer:
    return Answer(error.status, error.body(), error.headers)
