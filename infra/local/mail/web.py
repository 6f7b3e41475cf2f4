"""The HTTP side: the messages as a page and as JSON, and the control of trouble."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.local.mail.page import page
from infra.local.mail.reading import ReadMessage, read
from infra.local.mail.store import MessageStore, StoredMessage
from infra.local.mail.trouble import Drop, Refusal, Trouble

Order = TypeVar("Order", Refusal, Drop)


def application(*, store: MessageStore, trouble: Trouble) -> Starlette:
    """The sink's HTTP surface; the package's docstring lists it."""
    web = _Web(store=store, trouble=trouble)
    return Starlette(
        routes=[
            Route("/", web.show_page),
            Route("/healthz", web.health),
            Route("/messages", web.list_messages, methods=["GET"]),
            Route("/messages", web.forget_messages, methods=["DELETE"]),
            Route("/messages/{id:int}/raw", web.raw_message),
            Route("/control", web.show_trouble, methods=["GET"]),
            Route("/control", web.take_back_trouble, methods=["DELETE"]),
            Route("/control/refuse", web.order_refusal, methods=["POST"]),
            Route("/control/drop", web.order_drop, methods=["POST"]),
        ]
    )


class _Web:
    # Coroutines throughout: the store's connection belongs to the event loop's thread.

    def __init__(self, *, store: MessageStore, trouble: Trouble) -> None:
        self._store = store
        self._trouble = trouble

    async def show_page(self, request: Request) -> Response:
        return HTMLResponse(page([read(stored) for stored in self._store.all()][::-1]))

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def list_messages(self, request: Request) -> Response:
        query = _Query.of(request)
        messages = [read(stored) for stored in self._store.all(after=query.after) if query.wants(stored)]
        return JSONResponse({"messages": [_json(message) for message in messages]})

    async def forget_messages(self, request: Request) -> Response:
        self._store.clear()
        return Response(status_code=204)

    async def raw_message(self, request: Request) -> Response:
        stored = self._store.get(request.path_params["id"])
        if stored is None:
            raise HTTPException(404, "no such message")
        return Response(stored.content, media_type="message/rfc822")

    async def show_trouble(self, request: Request) -> Response:
        return JSONResponse(self._trouble.ordered.model_dump(mode="json"))

    async def take_back_trouble(self, request: Request) -> Response:
        self._trouble.take_back()
        return Response(status_code=204)

    async def order_refusal(self, request: Request) -> Response:
        self._trouble.order_refusal(await _parsed(request, Refusal))
        return await self.show_trouble(request)

    async def order_drop(self, request: Request) -> Response:
        self._trouble.order_drop(await _parsed(request, Drop))
        return await self.show_trouble(request)


class _Query(BaseModel):
    to: str | None = None
    since: datetime | None = None
    after: int = 0

    @classmethod
    def of(cls, request: Request) -> _Query:
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise HTTPException(400, str(error)) from None

    def wants(self, stored: StoredMessage) -> bool:
        if self.to is not None and self.to.lower() not in (recipient.lower() for recipient in stored.recipients):
            return False
        if self.since is None:
            return True
        since = self.since if self.since.tzinfo else self.since.replace(tzinfo=UTC)
        return stored.received >= since


def _json(message: ReadMessage) -> dict[str, object]:
    return message.model_dump(mode="json", by_alias=True)


async def _parsed(request: Request, model: type[Order]) -> Order:
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        raise HTTPException(400, str(error)) from None
