"""From an HTTP request to a handler: addresses, who may call, bodies and queries as models, answers as JSON.

Routes are declared as data, next to their handlers. A handler gets a `Call` and answers with a model, or raises a `Refusal`.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from flask import Request, Response
from google.api_core.exceptions import GoogleAPIError
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter, Map, Rule

from functions.adapters.composition import Application
from functions.booking.callers import Caller, caller_of
from functions.booking.problems import (
    LengthRequired,
    NotAllowed,
    TooLarge,
    Unavailable,
    WrongMedia,
    from_refusal,
    from_validation,
    problem,
)
from functions.domain.errors import Forbidden, Invalid, NotFound, Refusal
from functions.domain.instants import Millis
from functions.domain.permissions import Permission

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
JSON = "application/json"
M = TypeVar("M", bound=BaseModel)

Access = Literal["public", "operator", "booking", "entry"]


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
    route: "Route"
    ids: dict[str, str]
    caller: Caller
    now: Millis

    @property
    def account(self) -> str:
        return self.ids["account"]

    def body(self, model: type[M]) -> M:
        """The JSON body, where "1" is no number. Raises pydantic's `ValidationError`, which becomes a problem."""
        assert model is self.route.body, f"{self.route} must declare body={model.__name__}"
        raw = self.raw_body()
        return model() if self.route.body_optional and not raw else model.model_validate_json(raw, strict=True)

    def raw_body(self) -> bytes:
        return self.request.get_data(cache=True)

    def query(self, model: type[M]) -> M:
        assert model is self.route.query, f"{self.route} must declare query={model.__name__}"
        repeated = [name for name, values in self.request.args.lists() if len(values) > 1]
        if repeated:
            raise Invalid(f"Give {', '.join(sorted(repeated))} once.")
        return model.model_validate(self.request.args.to_dict())


@dataclass(frozen=True, kw_only=True)
class Route:
    """`access`: public (to operators too); operator (an API key of the account); booking or entry of a waitlist (its manage token, or an operator's key).

    `permission`: what an operator must have to call it. Named where only operators may; else `read` for a GET and `bookings` for anything more.

    The rest is what the document of the API says of it, and the tests hold it to that. `body` (which may be left out where it is `body_optional`), `query`,
    `answer`: the models of what goes in and comes out; `status` of what comes out where all is well. `refusals`: what it may raise, beyond what any route
    may that has its access and body. `once`: it takes an Idempotency-Key. `revalidated`: its answer has an ETag. `consumes`: the media type of the body.
    `page`: it is for browsers, and answers with HTML or sends them elsewhere.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    access: Access = "public"
    permission: Permission | None = None
    body: type[BaseModel] | None = None
    body_optional: bool = False
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    refusals: tuple[type[Refusal], ...] = ()
    once: bool = False
    revalidated: bool = False
    consumes: str = JSON
    page: bool = False
    max_body_bytes: int = MAX_BODY_BYTES

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> Permission:
        """The permission that an operator must have."""
        if self.permission is not None:
            return self.permission
        return "read" if self.method == "GET" else "bookings"


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        routes = tuple(routes)
        for route in routes:
            if route.access == "operator" and route.method != "GET" and route.permission is None:
                raise ValueError(f"{route} must name the permission that it needs")
        rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in routes]
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
            return from_refusal(Unavailable("Nothing was changed as far as we know. Try again."))
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return problem(500, "internal", "Something went wrong on our side", "It has been noted. Try again later.")

    def _answer(self, request: Request, application: Application, now: Millis) -> Response:
        try:
            # By the path alone: whatever a caller says is our host decides nothing.
            route, matched = self._map.bind("localhost", path_info=request.path).match(method=request.method)
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            answer = from_refusal(NotAllowed(f"Use {allowed}."))
            answer.headers["Allow"] = allowed
            return answer
        except HTTPException:
            raise NotFound("There is no such address. The addresses that there are stand at /docs.") from None
        _must_not_be_too_large(request, route.max_body_bytes)
        ids = {name: str(value) for name, value in matched.items()}
        caller = caller_of(request, application, ids, route.access)
        if caller.operator and route.needs not in caller.permissions:
            raise Forbidden(f"For this you need the permission {route.needs}. An owner of the account can give it.")
        if route.consumes not in (JSON, request.mimetype):
            raise WrongMedia(f"Send it as Content-Type: {route.consumes}.")
        call = Call(application=application, request=request, route=route, ids=ids, caller=caller, now=now)
        return _rendered(route.handler(call))


def _must_not_be_too_large(request: Request, most: int) -> None:
    if request.content_length is None and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthRequired("Send a Content-Length.")
    if (request.content_length or 0) > most:
        raise TooLarge(f"Send at most {most} bytes.")


def _rendered(answer: Answer) -> Response:
    if answer.response is not None:
        return answer.response
    body = answer.body.model_dump_json(exclude_none=True) if answer.body is not None else ""
    response = Response(body, status=answer.status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
