"""The HTTP side: certificates for those who verify tokens, and the control interface for tests and people.

The package's docstring lists the calls.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.local.tasks.dispatcher import Dispatcher
from infra.local.tasks.faults import DeliveryFaults, FaultPlan
from infra.local.tasks.journal import Journal
from infra.local.tasks.oidc import LIFETIME_SECONDS, TokenSigner
from infra.local.tasks.registry import Clock, Registry
from infra.local.tasks.scheduler import Schedule, Scheduler

Model = TypeVar("Model", bound=BaseModel)


class Scope(BaseModel):
    """Queues whose full name is, or lies below, the prefix; an empty prefix is every queue."""

    model_config = ConfigDict(extra="forbid")
    prefix: str = ""


class LogQuery(Scope):
    since: int = 0


class IdleQuery(Scope):
    timeout: float = Field(default=30.0, ge=0, le=600)
    within: float = Field(default=0.0, ge=0)


class TokenRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    audience: str
    email: str | None = None
    lifetime: int = LIFETIME_SECONDS
    email_verified: bool = True


class Control:
    """The handlers. Coroutines throughout: what they touch belongs to the event loop's thread."""

    def __init__(
        self,
        *,
        registry: Registry,
        dispatcher: Dispatcher,
        faults: FaultPlan,
        journal: Journal,
        signer: TokenSigner,
        scheduler: Scheduler | None,
        email: str,
        instance_email: str,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._faults = faults
        self._journal = journal
        self._signer = signer
        self._scheduler = scheduler
        self._email = email
        self._instance_email = instance_email
        self._clock = clock

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", self.health),
                Route("/oauth2/v1/certs", self.certificates),
                Route("/computeMetadata/v1/instance/service-accounts/default/identity", self.identity),
                Route("/control/delivery", self.order_faults, methods=["POST"]),
                Route("/control/delivery", self.show_faults, methods=["GET"]),
                Route("/control/delivery", self.withdraw_faults, methods=["DELETE"]),
                Route("/control/queues", self.queues),
                Route("/control/log", self.log),
                Route("/control/idle", self.idle),
                Route("/control/flush", self.flush, methods=["POST"]),
                Route("/control/reset", self.reset, methods=["POST"]),
                Route("/control/schedule/{schedule}", self.fire_schedule, methods=["POST"]),
                Route("/control/oidc", self.mint_token, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _problem},
        )

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def certificates(self, request: Request) -> Response:
        return JSONResponse(self._signer.certificates)

    async def identity(self, request: Request) -> Response:
        """As the metadata server of an instance answers to what runs on it; the header keeps out whoever was only led here."""
        flavor = {"Metadata-Flavor": "Google"}
        if request.headers.get("Metadata-Flavor") != flavor["Metadata-Flavor"]:
            return PlainTextResponse("Missing Metadata-Flavor:Google header.\n", 403, headers=flavor)
        audience = request.query_params.get("audience")
        if not audience:
            return PlainTextResponse("non-empty audience parameter required\n", 400, headers=flavor)
        token = self._signer.token(audience=audience, email=self._instance_email)
        return PlainTextResponse(token, headers=flavor)

    async def order_faults(self, request: Request) -> Response:
        self._faults.order(await _body(request, DeliveryFaults))
        return await self.show_faults(request)

    async def show_faults(self, request: Request) -> Response:
        return JSONResponse({"delivery": [faults.model_dump(mode="json") for faults in self._faults.orders]})

    async def withdraw_faults(self, request: Request) -> Response:
        self._faults.withdraw(_query(request, Scope).prefix)
        return await self.show_faults(request)

    async def queues(self, request: Request) -> Response:
        now = self._clock()
        queues = self._registry.under(_query(request, Scope).prefix)
        return JSONResponse(
            {"queues": {queue.name: {"paused": queue.paused, **asdict(queue.counts(now))} for queue in queues}}
        )

    async def log(self, request: Request) -> Response:
        query = _query(request, LogQuery)
        entries = self._journal.since(query.since, prefix=query.prefix)
        deliveries = [{"number": numbered.number, **asdict(numbered.entry)} for numbered in entries]
        return JSONResponse({"deliveries": deliveries, "last": self._journal.last})

    async def idle(self, request: Request) -> Response:
        query = _query(request, IdleQuery)
        idle = await self._dispatcher.wait_until_idle(prefix=query.prefix, within=query.within, timeout=query.timeout)
        return JSONResponse({"idle": idle}, status_code=200 if idle else 504)

    async def flush(self, request: Request) -> Response:
        self._dispatcher.flush((await _body(request, Scope)).prefix)
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        scope = await _body(request, Scope)
        self._registry.reset(scope.prefix)
        self._journal.forget(scope.prefix)
        self._faults.withdraw(scope.prefix)
        return Response(status_code=204)

    async def fire_schedule(self, request: Request) -> Response:
        if self._scheduler is None:
            raise HTTPException(409, "no schedules: started without --scheduler-target")
        name = request.path_params["schedule"]
        if name not in set(Schedule):
            raise HTTPException(404, f"no schedule {name!r}; there are {', '.join(Schedule)}")
        outcome = await self._scheduler.fire(Schedule(name))
        answered = outcome.status is not None
        return JSONResponse({"status": outcome.status, "error": outcome.error}, status_code=200 if answered else 502)

    async def mint_token(self, request: Request) -> Response:
        wanted = await _body(request, TokenRequest)
        token = self._signer.mint(
            audience=wanted.audience,
            email=wanted.email or self._email,
            lifetime=wanted.lifetime,
            email_verified=wanted.email_verified,
        )
        return JSONResponse({"token": token})


async def _body(request: Request, model: type[Model]) -> Model:
    """The JSON body; an empty one is `{}`."""
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        raise HTTPException(400, str(error)) from None


def _query(request: Request, model: type[Model]) -> Model:
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise HTTPException(400, str(error)) from None


async def _problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": detail}, status_code=status)
