"""Refusals as HTTP answers: problem+json (RFC 9457). The `type` is stable; programs may switch on it."""

import json
from typing import Any

from flask import Response
from pydantic import ValidationError

from functions.domain.errors import Refusal

TYPE_PREFIX = "urn:booking:problem:"
RETRY_AFTER_S = "2"


def problem(status: int, slug: str, title: str, detail: str, **extra: Any) -> Response:
    body = {"type": TYPE_PREFIX + slug, "title": title, "status": status, "detail": detail, **extra}
    response = Response(json.dumps(body), status=status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def from_refusal(refusal: Refusal) -> Response:
    answer = problem(refusal.status, refusal.slug, refusal.title, refusal.detail, **refusal.extra)
    if refusal.retry_after_s is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after_s)
    return answer


def from_validation(error: ValidationError, where: str) -> Response:
    """What is wrong with each field, without repeating what was sent."""
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]) or "body", "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    if any(item["type"] == "json_invalid" for item in error.errors(include_context=False, include_input=False)):
        return problem(400, "invalid-json", "The body is not JSON", "Send a JSON object in UTF-8.")
    return problem(
        422,
        "invalid-request",
        "The request does not have the right form",
        f"Mend the fields that are named in errors ({where}).",
        errors=errors,
    )
