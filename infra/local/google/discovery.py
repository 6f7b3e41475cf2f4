"""Every request and answer held against the Calendar discovery document that ships inside google-api-python-client.

The document names the methods and is therefore also the router: a path it does not know does not exist here.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import unquote

from infra.local.google import errors

Json = dict[str, Any]
Checker = Callable[[Any, str, list[str]], None]

_DATE = re.compile(r"\d{4}-\d\d-\d\d$")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$")
# In a request the offset may be left out when timeZone is given (the document's words on EventDateTime.dateTime).
_LOCAL_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?$")
_INTEGER = re.compile(r"-?\d+$")
_UNLISTED_PARAMETERS = frozenset({"access_token", "$.xgafv", "uploadType"})


@dataclass(frozen=True)
class Method:
    """One method of the API: how it is addressed, what it takes and gives, which scopes open it."""

    id: str
    http_method: str
    segments: tuple[str, ...]
    parameters: Mapping[str, Json]
    request: str | None
    response: str | None
    scopes: frozenset[str]

    @property
    def literals(self) -> int:
        return sum(not segment.startswith("{") for segment in self.segments)


@dataclass(frozen=True)
class Mismatch:
    """One difference between what went over the wire and what the document says."""

    method: str
    where: str
    problem: str


class Discovery:
    """The discovery document, compiled: route a request, read its parameters, check bodies."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._schemas: dict[str, Json] = document["schemas"]
        self._common: dict[str, Json] = document["parameters"]
        self._checkers: dict[tuple[str, bool], Checker] = {}
        self.methods: dict[str, Method] = {m.id: m for m in _methods(document)}
        self._by_shape: dict[tuple[str, int], list[Method]] = {}
        for method in self.methods.values():
            self._by_shape.setdefault((method.http_method, len(method.segments)), []).append(method)
        for candidates in self._by_shape.values():
            candidates.sort(key=lambda m: -m.literals)

    @property
    def scopes(self) -> dict[str, str]:
        """Scope → what it lets an application do, in words for the consent page."""
        return {name: scope["description"] for name, scope in self._document["auth"]["oauth2"]["scopes"].items()}

    def match(self, http_method: str, raw_path: str) -> tuple[Method, dict[str, str]] | None:
        """Find the method of a path below `/calendar/v3/`; the path is still percent-encoded."""
        parts = raw_path.split("/")
        for method in self._by_shape.get((http_method, len(parts)), ()):
            values: dict[str, str] = {}
            for segment, part in zip(method.segments, parts, strict=True):
                if segment.startswith("{"):
                    values[segment[1:-1]] = unquote(part)
                elif segment != part:
                    break
            else:
                return method, values
        return None

    def read_parameters(
        self, method: Method, pairs: list[tuple[str, str]]
    ) -> tuple[dict[str, Any], list[str], errors.ApiError | None]:
        """Typed query parameters, the differences from the document, and the refusal Google would answer, if any."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        refusal: errors.ApiError | None = None
        for name, text in pairs:
            spec = method.parameters.get(name) or self._common.get(name)
            if spec is None or spec.get("location") != "query":
                if name not in _UNLISTED_PARAMETERS:
                    problems.append(f"unknown query parameter {name}")
                continue
            try:
                value = _typed(spec, text)
            except ValueError as error:
                problems.append(f"query parameter {name}: {error}")
                refusal = refusal or errors.invalid_parameter(name, f"Invalid value for {name}: {error}")
                continue
            if spec.get("repeated"):
                values.setdefault(name, []).append(value)
            else:
                if name in values:
                    problems.append(f"query parameter {name} is given twice")
                values[name] = value
        for name, spec in method.parameters.items():
            if spec.get("location") == "query" and spec.get("required") and name not in values:
                problems.append(f"query parameter {name} is missing")
                refusal = refusal or errors.required(f"Required parameter: {name}")
        return values, problems, refusal

    def check(self, schema: str, value: Any, *, request: bool) -> list[str]:
        """Every difference between a body and the schema of that name."""
        problems: list[str] = []
        self._checker(schema, request)(value, "$", problems)
        return problems

    def known_fields(self, schema: str, value: Json) -> Json:
        """The body without the top-level fields that the document does not know: Google ignores them."""
        properties = self._schemas[schema]["properties"]
        return {name: field for name, field in value.items() if name in properties}

    def _checker(self, schema: str, request: bool) -> Checker:
        key = (schema, request)
        if key not in self._checkers:
            # Set first: schemas may refer to themselves.
            self._checkers[key] = lambda value, path, problems: self._checkers[key](value, path, problems)
            self._checkers[key] = self._compile(self._schemas[schema], request)
        return self._checkers[key]

    def _compile(self, spec: Json, request: bool) -> Checker:
        if "$ref" in spec:
            return self._checker(spec["$ref"], request)
        kind = spec.get("type")
        if kind == "any":
            return lambda value, path, problems: None
        if kind == "array":
            return _array(self._compile(spec["items"], request))
        if kind == "object":
            properties = {name: self._compile(field, request) for name, field in spec.get("properties", {}).items()}
            extra = spec.get("additionalProperties")
            return _object(properties, self._compile(extra, request) if extra else None, nullable=request)
        return _scalar(spec, request)


def _array(item: Checker) -> Checker:
    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            problems.append(f"{path} is not an array")
            return
        for index, element in enumerate(value):
            item(element, f"{path}[{index}]", problems)

    return check


def _object(properties: Mapping[str, Checker], extra: Checker | None, *, nullable: bool) -> Checker:
    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            problems.append(f"{path} is not an object")
            return
        for name, field in value.items():
            if field is None and nullable:
                continue  # in a patch, null deletes the field
            checker = properties.get(name, extra)
            if checker is None:
                problems.append(f"{path}.{name} is not in the schema")
            else:
                checker(field, f"{path}.{name}", problems)

    return check


def _scalar(spec: Json, request: bool) -> Checker:
    kind = spec["type"]
    form = spec.get("format")
    allowed = frozenset(spec.get("enum", ()))

    def right(value: Any) -> bool:
        if kind == "boolean":
            return isinstance(value, bool)
        if kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if kind == "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(value, str) or (allowed and value not in allowed):
            return False
        if form == "date-time":
            return bool((_LOCAL_DATE_TIME if request else _DATE_TIME).match(value))
        if form == "date":
            return bool(_DATE.match(value))
        if form == "int64":
            # The client sends numbers here, and Google takes them; answers carry strings.
            return bool(_INTEGER.match(value))
        return True

    def check(value: Any, path: str, problems: list[str]) -> None:
        if request and form == "int64" and isinstance(value, int):
            return
        if not right(value):
            problems.append(f"{path} is not a {form or kind}: {str(value)[:60]!r}")

    return check


def _typed(spec: Json, text: str) -> Any:
    if spec["type"] == "boolean":
        if text not in ("true", "false"):
            raise ValueError("not a boolean")
        return text == "true"
    if spec["type"] == "integer":
        number = int(text) if _INTEGER.match(text) else None
        if number is None:
            raise ValueError("not an integer")
        if "minimum" in spec and number < int(spec["minimum"]):
            raise ValueError(f"less than {spec['minimum']}")
        if "maximum" in spec and number > int(spec["maximum"]):
            raise ValueError(f"more than {spec['maximum']}")
        return number
    if "enum" in spec and text not in spec["enum"]:
        raise ValueError(f"not one of {', '.join(spec['enum'])}")
    if spec.get("format") == "date-time" and not _DATE_TIME.match(text):
        raise ValueError("not an RFC 3339 timestamp with an offset")
    return text


def _methods(resource: Json) -> list[Method]:
    found = [
        Method(
            id=method["id"].removeprefix("calendar."),
            http_method=method["httpMethod"],
            segments=tuple(method["path"].split("/")),
            parameters=method.get("parameters", {}),
            request=method.get("request", {}).get("$ref"),
            response=method.get("response", {}).get("$ref"),
            scopes=frozenset(method["scopes"]),
        )
        for method in resource.get("methods", {}).values()
    ]
    for child in resource.get("resources", {}).values():
        found.extend(_methods(child))
    return found


@cache
def calendar_discovery() -> Discovery:
    """The document of the installed google-api-python-client."""
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    return Discovery(json.loads((folder / "calendar.v3.json").read_text(encoding="utf-8")))
