"""From an HTTP request to a handler: addresses, who may call, bodies and queries as models, answers as JSON.

Routes are declared as data, next to their handlers. A handler gets a `Call` and answers with a model, or raises a `Refusal`.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from flask import Request, Response
from google.api_core.exceptions import GoogleAPIError
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter, Map, Rule

from functions.adapters.composition import Application
from functions.booking.callers import Access, Caller, caller_of
from functions.booking.problems import from_refusal, from_validation, problem
from functions.booking.signed_in import SignedIn, renew_cookie
from functions.domain.errors import Forbidden, Invalid, Refusal
from functions.domain.instants import Millis
from functions.domain.permissions import Permission

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
M = TypeVar("M", bound=BaseModel)


# Every id in an address. What has another form exists nowhere, and might be no legal Firestore id.
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"


class _Id(BaseConverter):
    regex = ID_PATTERN


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler answers: a model as JSON, or a ready response."""

    body: BaseModel | None = None
    status: int = 200
    response: Response | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, parsed. `ids` are the ids in the address."""

    application: Application
    request: Request
    ids: dict[str, str]
    caller: Caller
    now: Millis

    @property
    def account(self) -> str:
        return self.ids["account"]

    @property
    def signed_in(self) -> SignedIn:
        """Who calls, where the route is a person's."""
        assert self.caller.signed_in is not None
        return self.caller.signed_in

    def body(self, model: type[M]) -> M:
        """The JSON body. Raises pydantic's `ValidationError`, which becomes a problem."""
        return model.model_validate_json(self.raw_body())

    def raw_body(self) -> bytes:
        return self.request.get_data(cache=True)

    def query(self, model: type[M]) -> M:
        repeated = [name for name, values in self.request.args.lists() if len(values) > 1]
        if repeated:
            raise Invalid(f"Give {', '.join(sorted(repeated))} once.")
        return model.model_validate(self.request.args.to_dict())


@dataclass(frozen=True, kw_only=True)
class Route:
    """`access`: public (to operators too); operator (an API key of the account, or a member of it who is signed in); booking or entry of a waitlist (its
    manage token, or an operator); person (who is signed in, whatever they belong to); page (for browsers, and forms of ours; open to everybody, and who
    is signed in is known).

    `permission`: what an operator must have to call it. Named where only operators may; else `read` for a GET and `bookings` for anything more.
    `body`, `query`, `answer`: the models of what goes in and comes out, and `status` of what comes out where all is well (for the OpenAPI document).
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    access: Access = "public"
    permission: Permission | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    max_body_bytes: int = MAX_BODY_BYTES

    @property
    def needs(self) -> Permission:
        """The permission that an operator must have."""
        if self.permission is not None:
            return self.permission
        return "read" if self.method == "GET" else "bookings"


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        for route in self.routes:
            if route.access == "operator" and route.method != "GET" and route.permission is None:
                raise ValueError(f"{route.method} {route.path} must name the permission that it needs")
        rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in self.routes]
        self._map = Map(rules, converters={"id": _Id}, strict_slashes=False, redirect_defaults=False)

    def answer(self, request: Request, application: Application, now: Millis) -> Response:
        """Never raises: what nobody foresaw is logged and answered as a 500 that says nothing of the inside."""
        try:
            return self._answer(request, application, now)
        except Refusal as refusal:
            return from_refusal(refusal)
        except ValidationError as error:
            return from_validation(error, f"{request.method} {request.path}")
        except GoogleAPIError as error:
            log.error("%s %s: %s", request.method, request.path, type(error).__name__)
            return problem(
                503, "unavailable", "The booking system is busy", "Nothing was changed as far as we know. Try again."
            )
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return problem(500, "internal", "Something went wrong on our side", "It has been noted. Try again later.")

    def _answer(self, request: Request, application: Application, now: Millis) -> Response:
        adapter = self._map.bind(request.host or "localhost", path_info=request.path)
        try:
            route, matched = adapter.match(method=request.method)
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            answer = problem(405, "method-not-allowed", "That is not done this way", f"Use {allowed}.")
            answer.headers["Allow"] = allowed
            return answer
        except HTTPException:
            return problem(404, "not-found", "There is no such address", "See the README for the addresses there are.")
        too_large = _too_large(request, route.max_body_bytes)
        if too_large is not None:
            return too_large
        ids = {name: str(value) for name, value in matched.items()}
        caller = caller_of(request, application, ids, route.access, now)
        if caller.operator and route.needs not in caller.permissions:
            raise Forbidden(f"For this you need the permission {route.needs}. An owner of the account can give it.")
        answer_ = route.handler(Call(application=application, request=request, ids=ids, caller=caller, now=now))
        response = _rendered(answer_)
        if caller.signed_in is not None:
            renew_cookie(response, application.settings, caller.signed_in, now=now)
        return response


def _too_large(request: Request, most: int) -> Response | None:
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return problem(411, "length-required", "How long is the body?", "Send a Content-Length.")
    if (request.content_length or 0) > most:
        return problem(413, "too-large", "The body is too large", f"Send at most {most} bytes.")
    return None


def _rendered(answer: Answer) -> Response:
    if answer.response is not None:
        return answer.response
    body = answer.body.model_dump_json(exclude_none=True) if answer.body is not None else ""
    response = Response(body, status=answer.status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
