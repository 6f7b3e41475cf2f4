"""Every answer of the booking function that a test sees is what the OpenAPI document says of that call: its status, media type and form."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
import requests

from functions.booking.openapi import api, document


def held_to_the_document() -> requests.Session:
    """A session of which each answer must be as documented."""

    def check(answer: requests.Response, *_: Any, **__: Any) -> None:
        must_conform(
            str(answer.request.method),
            answer.request.path_url.partition("?")[0],
            answer.status_code,
            answer.headers.get("Content-Type", ""),
            answer.content,
        )

    session = requests.Session()
    session.hooks["response"].append(check)
    return session


def must_conform(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Addresses that the document does not know, nor the method at one that it knows, are refused with 404 and 405, and that is all it says of them."""
    if method == "OPTIONS":
        return  # what other sites may do is between browsers and us
    called = f"{method} {path}: {status}"
    operation = _operation(method.lower(), path)
    if operation is None:
        assert status in (404, 405), f"{called}, and the document does not know that call"
        return
    answers = _validators(method.lower(), operation)
    validators = answers.get(str(status), answers.get(f"{status // 100}XX"))
    assert validators is not None, f"{called} is not documented; declare the refusal at the route (or its status)"
    media = content_type.partition(";")[0]
    if validators:
        assert media in validators, f"{called} is {media}, and documented as {', '.join(validators)}"
        try:
            validators[media].validate(json.loads(body) if media.endswith("json") else body.decode())
        except jsonschema_rs.ValidationError as error:
            raise AssertionError(f"{called} is not as documented: {error.message} at {error.instance_path}") from None
    else:
        assert body == b"", f"{called} is documented to have no body"


@cache
def _document() -> dict[str, Any]:
    return document(api())


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\\{\w+\\}", r"[\\w-]+", re.escape(path))), path) for path in _document()["paths"]]


def _operation(method: str, path: str) -> str | None:
    """The path's template, where that is called with this method."""
    found = [template for pattern, template in _paths() if pattern.fullmatch(path)]
    return next(
        (each for each in sorted(found, key=lambda name: name.count("{")) if method in _document()["paths"][each]), None
    )


@cache
def _validators(method: str, template: str) -> dict[str, dict[str, Any]]:
    """By status and media type."""
    answers = _document()["paths"][template][method]["responses"]
    return {status: _by_media(answer) for status, answer in answers.items()}


def _by_media(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in answer:
        answer = _document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {media: _validator(json.dumps(content["schema"])) for media, content in answer.get("content", {}).items()}


@cache
def _validator(schema: str) -> Any:
    whole = {**json.loads(schema), "components": {"schemas": _document()["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
