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
from functions.booking import cors
from functions.booking.bodies import must_come_in_time, must_not_be_too_large
from functions.booking.callers import Access, Caller, caller_of, may_be_known, must_have
from functions.booking.client_address import network_of
from functions.booking.headers import secured
from functions.booking.problems import (
    NotAllowed,
    Unavailable,
    WrongMedia,
    from_refusal,
    from_validation,
    problem,
)
from functions.booking.refusals import Refusals, RefusedTooOften
from functions.booking.signed_in import SignedIn, renew_cookie
from functions.domain.errors import Invalid, NotFound, Refusal
from functions.domain.instants import Millis
from functions.domain.permissions import Permission
from functions.domain.rate_limits import Limit

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
JSON = "application/json"
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
    route: "Route"
    ids: dict[str, str]
    caller: Caller
    now: Millis

    @property
    def account(self) -> str:
        return self.ids["account"]

    @property
    def stale_after(self) -> Millis:
        """How long what was read of a calendar is relied on, where the service does not say."""
        return self.application.settings.stale_after_seconds * 1000

    @property
    def signed_in(self) -> SignedIn:
        """Who calls, where the route is a person's."""
        assert self.caller.signed_in is not None
        return self.caller.signed_in

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
    """`access`: public (to operators too); operator (an API key of the account, or a member of it who is signed in); booking or entry of a waitlist (its
    manage token, or an operator); person (who is signed in, whatever they belong to); page (for browsers, and forms of ours; open to everybody, and who
    is signed in is known).

    `permission`: what an operator must have to call it. Named where only operators may; else `read` for a GET and `bookings` for anything more.

    The rest is what the document of the API says of it, and the tests hold it to that. `body` (which may be left out where it is `body_optional`), `query`,
    `answer`: the models of what goes in and comes out; `status` of what comes out where all is well. `refusals`: what it may raise, beyond what any route
    may that has its access and body. `once`: it takes an Idempotency-Key. `revalidated`: its answer has an ETag. `consumes`: the media type of the body.
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
    max_body_bytes: int = MAX_BODY_BYTES

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> Permission:
        """The permission that an operator must have."""
        if self.permission is not None:
            return self.permission
        return "read" if self.method == "GET" else "bookings"


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A request with the route that it matches."""

    request: Request
    application: Application
    route: Route
    ids: dict[str, str]
    now: Millis

    @property
    def shared_for(self) -> str | None:
        """The account whose clients may call this from web pages of other sites; None for what only operators and ourselves call."""
        return self.ids.get("account") if self.route.access in ("public", "booking", "entry") else None

    @property
    def network(self) -> str:
        return network_of(self.request, trusted_proxies=self.application.settings.trusted_proxies)

    @property
    def most_refusals(self) -> Limit:
        rate = self.application.settings.refusals_per_address
        return Limit(what="refusals", most=rate.most, per=rate.millis)


def map_of(routes: Iterable[Route]) -> Map:
    """What finds the one among these routes that a request matches."""
    routes = tuple(routes)
    for route in routes:
        if route.access == "operator" and route.method != "GET" and route.permission is None:
            raise ValueError(f"{route} must name the permission that it needs")
    rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in routes]
    return Map(rules, converters={"id": _Id}, strict_slashes=False, redirect_defaults=False)


class Router:
    """`map_at`: of an address, the routes that it can be one of."""

    def __init__(self, map_at: Callable[[str], Map]) -> None:
        self._map_at = map_at
        self._refusals = Refusals()

    def answer(self, request: Request, application: Application, now: Millis) -> Response:
        """Never raises: what nobody foresaw is logged and answered as a 500 that says nothing of the inside."""
        https = application.settings.booking_url.startswith("https://")
        return secured(self._answer(request, application, now), https=https)

    def _answer(self, request: Request, application: Application, now: Millis) -> Response:
        preflight = cors.is_preflight(request)
        method = cors.asked_method(request) if preflight else request.method
        try:
            # Addresses are matched by their path; whatever a caller says is our host decides nothing.
            route, matched = self._map_at(request.path).bind("localhost", path_info=request.path).match(method=method)
        except MethodNotAllowed as error:
            return _not_allowed(", ".join(sorted(error.valid_methods or ())))
        except HTTPException:
            return from_refusal(NotFound("There is no such address. The addresses that there are stand at /docs."))
        ids = {name: str(value) for name, value in matched.items()}
        asked = _Asked(request=request, application=application, route=route, ids=ids, now=now)
        account = asked.shared_for
        if preflight and account is None:
            return _not_allowed(route.method)
        if preflight and account is not None:
            return cors.preflight(request, application, account=account, now=now)
        response = self._handled(asked)
        return response if account is None else cors.shared(response, request, application, account=account, now=now)

    def _handled(self, asked: _Asked) -> Response:
        where = f"{asked.request.method} {asked.request.path}"
        caller: Caller | None = None
        try:
            self._must_be_listened_to(asked)
            # Who sends a form is told by what is in it; everybody else is known before their body is read.
            if asked.route.access == "page":
                _receive(asked)
            caller = self._caller(asked)
            response = self._run(asked, caller)
        except RefusedTooOften as refusal:
            return from_refusal(refusal)
        except Refusal as refusal:
            response = from_refusal(refusal)
        except ValidationError as error:
            response = from_validation(error, where)
        except GoogleAPIError as error:
            log.error("%s: %s", where, type(error).__name__)
            response = from_refusal(Unavailable("Nothing was changed as far as we know. Try again."))
        except Exception:
            log.exception("%s failed", where)
            response = problem(
                500, "internal", "Something went wrong on our side", "It has been noted. Try again later."
            )
        if 400 <= response.status_code < 500 and not (caller and caller.known):
            self._refusals.note(asked.network, asked.most_refusals, asked.now)
        return response

    def _must_be_listened_to(self, asked: _Asked) -> None:
        """Before anything is read of the request, or looked up for it. Raises `RefusedTooOften`, but not for who may turn out to be an operator. A look at
        what is open to everybody is free.
        """
        looks = asked.route.method == "GET" and asked.route.access in ("public", "page")
        if not looks and not may_be_known(asked.request, asked.application.settings, asked.now):
            self._refusals.check(asked.network, asked.most_refusals, asked.now)

    def _caller(self, asked: _Asked) -> Caller:
        """Raises `RefusedTooOften` for who was and is no operator, and what `caller_of` raises. Operators are listened to however many at their address
        were refused.
        """
        try:
            caller = caller_of(asked.request, asked.application, asked.ids, asked.route.access, asked.now)
        except Refusal:
            self._refusals.check(asked.network, asked.most_refusals, asked.now)
            raise
        if not caller.known and asked.route.method != "GET":
            self._refusals.check(asked.network, asked.most_refusals, asked.now)
        return caller

    @staticmethod
    def _run(asked: _Asked, caller: Caller) -> Response:
        if caller.operator:
            must_have(asked.route.needs, caller.permissions)
        if asked.route.access != "page":
            _receive(asked)
        call = Call(
            application=asked.application,
            request=asked.request,
            route=asked.route,
            ids=asked.ids,
            caller=caller,
            now=asked.now,
        )
        response = _rendered(asked.route.handler(call))
        if caller.signed_in is not None:
            renew_cookie(response, asked.application.settings, caller.signed_in, now=asked.now)
        return response


def _receive(asked: _Asked) -> None:
    """Reads the body. Raises for one that is of another kind, or too large, or too slow."""
    within_s = asked.application.settings.body_seconds
    must_not_be_too_large(asked.request, most=asked.route.max_body_bytes, within_s=within_s)
    if asked.route.consumes not in (JSON, asked.request.mimetype):
        raise WrongMedia(f"Send it as Content-Type: {asked.route.consumes}.")
    must_come_in_time(asked.request, within_s=within_s)


def _not_allowed(allowed: str) -> Response:
    answer = from_refusal(NotAllowed(f"Use {allowed}."))
    answer.headers["Allow"] = allowed
    return answer


def _rendered(answer: Answer) -> Response:
    if answer.response is not None:
        return answer.response
    body = answer.body.model_dump_json(exclude_none=True) if answer.body is not None else ""
    response = Response(body, status=answer.status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
