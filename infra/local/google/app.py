"""All addresses of the stand-in in one application."""

import contextlib
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.google import api as calendar_api
from infra.local.google import (  # noqa: F401 - the imports register the API's handlers
    calendar_list_api,
    calendars_api,
    events_api,
    freebusy,
    settings_api,
    watching,
)
from infra.local.google.authorize import AuthorizePages
from infra.local.google.batch import serve_batch
from infra.local.google.conference import is_pending
from infra.local.google.control import Control
from infra.local.google.event_writes import schedule_conference
from infra.local.google.pages import CalendarPages
from infra.local.google.server import DroppableProtocol
from infra.local.google.token_endpoint import TokenEndpoint
from infra.local.google.world import World

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class SameOrigin:
    """Refuse what another site's page makes a browser send to the pages or the control interface.

    A browser names the page's origin with every POST; programs do not send the header and pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            request = Request(scope)
            origin = request.headers.get("origin")
            guarded = not request.url.path.startswith((calendar_api.PREFIX, "/batch/", "/token", "/revoke"))
            if guarded and origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
                await PlainTextResponse("Cross-site request refused", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def build_app(world: World) -> Starlette:
    """The application of one world."""
    api = calendar_api.Api(world)
    authorize = AuthorizePages(world)
    tokens = TokenEndpoint(world)
    pages = CalendarPages(world)
    control = Control(world, end_sessions=authorize.forget_session)

    async def calendar(request: Request) -> Response:
        answer = await api.answer(await _read(request))
        if answer.drop:
            DroppableProtocol.drop(request.scope["client"])
            return Response(status_code=503)
        if answer.body is None:
            return Response(status_code=answer.status, headers=answer.headers)
        return JSONResponse(answer.body, answer.status, answer.headers)

    async def batch(request: Request) -> Response:
        return await serve_batch(api, request)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def robots(request: Request) -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        for each in world.calendars:
            store = world.events(each)
            for record in store.from_ordinal(0):
                if is_pending(record.body) and not record.cancelled and record.organizer == each.id:
                    schedule_conference(world, store, record)
        yield
        await world.pusher.close()
        world.commit()
        world.rows.close()

    routes = [
        Route("/calendar/v3/{path:path}", calendar, methods=_METHODS),
        Route("/batch/calendar/v3", batch, methods=["POST"]),
        Route("/o/oauth2/v2/auth", authorize.authorize),
        Route("/o/oauth2/signin", authorize.sign_in, methods=["POST"]),
        Route("/o/oauth2/consent", authorize.show_consent, methods=["GET"]),
        Route("/o/oauth2/consent", authorize.consent, methods=["POST"]),
        Route("/token", tokens.token, methods=["POST"]),
        Route("/revoke", tokens.revoke, methods=["GET", "POST"]),
        Route("/oauth2/v1/certs", tokens.certificates),
        Route("/oauth2/v3/certs", tokens.jwk_set),
        Route("/oauth2/v3/userinfo", tokens.userinfo, methods=["GET", "POST"]),
        Route("/.well-known/openid-configuration", tokens.configuration),
        Route("/healthz", health),
        Route("/robots.txt", robots),
        *control.routes(),
        *pages.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(SameOrigin)])


async def _read(request: Request) -> calendar_api.Request:
    raw_path = request.scope.get("raw_path", b"").decode("ascii")
    path = re.sub(r"\?.*", "", raw_path).removeprefix(calendar_api.PREFIX)
    return calendar_api.Request(
        method=request.method,
        path=path,
        query=parse_qsl(request.url.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
    )
