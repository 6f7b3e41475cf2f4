"""Batch requests: many calls in one multipart/mixed POST, answered one by one in the same order."""

import email
import json
import secrets
from email.message import Message
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.google import api as calendar_api
from infra.local.google import errors

_LIMIT = 1000


async def serve_batch(api: calendar_api.Api, request: Request) -> Response:
    """RFC 2046 parts, each an HTTP request to the Calendar API; the outer Authorization holds unless a part has one."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + await request.body())
    if not message.is_multipart():
        return JSONResponse(errors.invalid("A batch is multipart/mixed.").body(), 400)
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if len(parts) > _LIMIT:
        return JSONResponse(errors.invalid(f"A batch has at most {_LIMIT} calls.").body(), 400)
    boundary = f"batch_{secrets.token_hex(12)}"
    answers = []
    for part in parts:
        answer = await api.answer(_inner(part, request.headers.get("authorization", "")))
        content_id = (part.get("Content-ID") or "").strip("<>")
        answers.append(f"--{boundary}\r\n{_part(answer, content_id)}")
    body = "".join(answers) + f"--{boundary}--\r\n"
    return Response(body, media_type=f"multipart/mixed; boundary={boundary}")


def _inner(part: Message, authorization: str) -> calendar_api.Request:
    payload = part.get_payload(decode=True)
    text = payload if isinstance(payload, bytes) else b""
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    line, _, fields = head.decode().partition("\n")
    method, target, *_ = line.split(" ")
    headers = {name.lower(): value for name, value in email.message_from_string(fields + "\n\n").items()}
    headers.setdefault("authorization", authorization)
    url = urlsplit(target)
    return calendar_api.Request(
        method=method,
        path=url.path.removeprefix(calendar_api.PREFIX),
        query=parse_qsl(url.query, keep_blank_values=True),
        headers=headers,
        body=body.strip(b"\n"),
    )


def _part(answer: calendar_api.Answer, content_id: str) -> str:
    text = "" if answer.body is None else json.dumps(answer.body)
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return (
        f"Content-Type: application/http\r\nContent-ID: <response-{content_id}>\r\n\r\n"
        f"HTTP/1.1 {answer.status} Status\r\nContent-Type: application/json; charset=UTF-8\r\n{headers}"
        f"Content-Length: {len(text)}\r\n\r\n{text}\r\n"
    )
