"""Refusals as HTTP answers: problem+json (RFC 9457). The `type` is stable; programs may switch on it."""

import json
from typing import Any

from flask import Response
from pydantic import ValidationError

from functions.domain.errors import Invalid, Refusal

TYPE_PREFIX = "urn:booking:problem:"
RETRY_AFTER_S = "2"


class InvalidJson(Refusal):
    """The body can't be read at all."""

    slug = "invalid-json"
    status = 400
    title = "The body is not JSON"


class NotAllowed(Refusal):
    """The address exists, and is not called with that method."""

    slug = "method-not-allowed"
    status = 405
    title = "That is not done this way"


class BodyTooSlow(Refusal):
    """The body had not come to its end by the time that it has for that."""

    slug = "body-too-slow"
    status = 408
    title = "The body did not come in time"


class LengthRequired(Refusal):
    """A body came without its length."""

    slug = "length-required"
    status = 411
    title = "How long is the body?"


class TooLarge(Refusal):
    """The body is larger than what this call takes."""

    slug = "too-large"
    status = 413
    title = "The body is too large"


class WrongMedia(Refusal):
    """The body is of another media type than this call takes."""

    slug = "unsupported-media-type"
    status = 415
    title = "The body is not of the right type"


class Unavailable(Refusal):
    """What the booking system itself needs does not answer. Nothing was changed as far as we know; the same call may be made again."""

    slug = "unavailable"
    status = 503
    title = "The booking system is busy"


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
        return from_refusal(InvalidJson("Send a JSON object in UTF-8."))
    return from_refusal(Invalid(f"Mend the fields that are named in errors ({where}).", errors=errors))
