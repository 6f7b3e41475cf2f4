"""The OpenAPI document of the API, made of its routes and their models: what each call takes, answers and refuses, and who may make it.

Nobody needs it to serve a request, so it is imported when it is asked for.
"""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from functions.booking.cookies import SIGNED_IN
from functions.booking.idempotency import MAX_KEY
from functions.booking.problems import (
    TYPE_PREFIX,
    BodyTooSlow,
    InvalidJson,
    LengthRequired,
    TooLarge,
    Unavailable,
    WrongMedia,
)
from functions.booking.routing import ID_PATTERN, JSON, Route
from functions.domain.errors import (
    Contended,
    CrossSite,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    RateLimited,
    Refusal,
    RequestInFlight,
    Unauthorized,
)

Json: TypeAlias = dict[str, Any]
Schemas: TypeAlias = Mapping[Any, Json]  # by model, and whether it comes in (validation) or goes out (serialization)

PROBLEM = "application/problem+json"
HTML = "text/html"

# Who calls, in the order in which the page shows them.
WHO: Mapping[str, str] = {
    "Clients": "Open to everybody. An operator may bring their proof, and is known as such.",
    "Holders of a manage token": "Open to whoever holds the manage token of that booking or place on the waitlist, and to operators.",
    "Operators": "Open to an API key of the account with the permission that is named, and to a signed-in member of the account who has it.",
    "People who are signed in": "Open to whoever has signed in with Google, whatever they belong to. An API key is nobody in particular.",
    "Browsers": "Pages, and where forms and redirects lead to. Programs have no use for them.",
}
_BY_ACCESS: Mapping[str, str] = {
    "public": "Clients",
    "booking": "Holders of a manage token",
    "entry": "Holders of a manage token",
    "operator": "Operators",
    "person": "People who are signed in",
    "page": "Browsers",
}

_COOKIE = (
    "The browser of somebody who has signed in at `/signin`. What changes anything must be sent by a page of this system, as JSON. What is open to clients "
    "too is done as a client, unless `Act-As: operator` says otherwise. (Where it is not served over https, the name has no prefix.)"
)
_SCHEMES: Json = {
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key of the account (`bok_…`)."},
    "manage_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The `manage_token` of one booking or one place on the waitlist, from the answer to who made it or the link in their mails.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": f"__Host-{SIGNED_IN}", "description": _COOKIE},
}
_PROOFS: Mapping[str, Sequence[str]] = {
    "public": ("api_key", "session"),
    "operator": ("api_key", "session"),
    "booking": ("manage_token", "api_key", "session"),
    "entry": ("manage_token", "api_key", "session"),
    "person": ("session",),
    "page": ("session",),
}

# What every answer with that status has too.
_HEADERS: Mapping[int, str] = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def api() -> tuple[Route, ...]:
    """Every route but those of this description."""
    from functions.booking.addresses import ADDRESSES, routes_of

    return tuple(routes_of(module for module in ADDRESSES if module != "documentation"))


def document(routes: Iterable[Route]) -> Json:
    """Of these routes. It says nothing of where they are served, so it is the same everywhere."""
    routes = tuple(routes)
    schemas, components = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(route, schemas, components)
    queries = {_name(schemas[route.query, "validation"]) for route in routes if route.query is not None}
    shown = {name: schema for name, schema in components.items() if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bookings and Google Calendar",
            "version": "1",
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            "description": (
                "Bookings that are kept in step with Google Calendar. Instants are RFC 3339 in UTC. A field that has no value is left out of an answer. "
                "What is refused is answered with `application/problem+json` (RFC 9457); its `type` is stable, its `detail` says what to do."
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in WHO.items()],
        "paths": paths,
        "components": {
            "schemas": {**shown, "Problem": _problem(routes)},
            "responses": _responses(routes),
            "securitySchemes": _SCHEMES,
        },
    }


def name_of(route: Route) -> str:
    name = route.handler.__name__
    return f"{route.handler.__module__.rpartition('.')[2]}_{name}" if route.access == "page" else name


def who_calls(route: Route) -> str:
    return _BY_ACCESS[route.access]


def path_of(route: Route) -> str:
    return _VARIABLE.sub(r"{\1}", route.path)


def refusals_of(route: Route) -> tuple[type[Refusal], ...]:
    """Everything that it may refuse with: by its access and body, and what it declares."""
    found: list[type[Refusal]] = [Unavailable]
    in_account = bool(_VARIABLE.search(route.path))
    if in_account:
        found.append(NotFound)
    if in_account or route.access not in ("public", "page"):
        found += [Unauthorized, Forbidden, RateLimited]
    if route.method != "GET":
        found += [TooLarge, LengthRequired, BodyTooSlow, Contended, CrossSite, RateLimited]
    if route.body is not None:
        found += [InvalidJson, Invalid]
    if route.query is not None:
        found.append(Invalid)
    if route.consumes != JSON:
        found += [WrongMedia, Invalid]
    if route.once:
        found += [Invalid, IdempotencyMismatch, RequestInFlight]
    return tuple(sorted({*found, *route.refusals}, key=lambda refusal: (refusal.status, refusal.slug)))


def _operation(route: Route, schemas: Schemas, components: Mapping[str, Json]) -> Json:
    summary, description = _words(route)
    operation: Json = {
        "operationId": name_of(route),
        "tags": [who_calls(route)],
        "summary": summary,
        "parameters": [*_path(route), *_query(route, schemas, components), *_headers(route)],
        "responses": _page_answers(route) if route.access == "page" else _answers(route, schemas),
        "security": [
            *([{}] if route.access in ("public", "page") else []),
            *({name: []} for name in _PROOFS[route.access]),
        ],
    }
    if description:
        operation["description"] = description
    if route.body is not None:
        content = {JSON: {"schema": schemas[route.body, "validation"]}}
        operation["requestBody"] = {"required": not route.body_optional, "content": content}
    elif route.consumes != JSON:
        operation["requestBody"] = {"required": True, "content": {route.consumes: {"schema": {"type": "string"}}}}
    if route.access in ("operator", "booking", "entry"):
        operation["x-permission"] = route.needs
    return operation


def _words(route: Route) -> tuple[str, str]:
    """The first sentence of what the handler says of itself, and the rest of it with what its query says."""
    summary, _, rest = inspect.cleandoc(route.handler.__doc__ or "").replace("\n", " ").partition(". ")
    asked = inspect.cleandoc(route.query.__doc__ or "") if route.query is not None else ""
    return summary.removesuffix("."), "\n\n".join(filter(None, (rest.strip(), asked)))


def _path(route: Route) -> list[Json]:
    schema = {"type": "string", "pattern": f"^{ID_PATTERN}$"}
    names = _VARIABLE.findall(route.path)
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query(route: Route, schemas: Schemas, components: Mapping[str, Json]) -> list[Json]:
    if route.query is None:
        return []
    asked = components[_name(schemas[route.query, "validation"])]
    required = asked.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(schema)}
        for name, schema in asked["properties"].items()
    ]


def _name(reference: Json) -> str:
    """Of the component that is referred to."""
    return str(reference["$ref"]).rpartition("/")[2]


def _without_null(schema: Json) -> Json:
    """In an address there is no null: what has no value is left out."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == len(schema.get("anyOf", ())):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _headers(route: Route) -> list[Json]:
    headers = []
    if route.once:
        text = "The same key and body are answered as before, for 24 hours: what is asked twice is done once."
        headers.append(("Idempotency-Key", {"type": "string", "maxLength": MAX_KEY}, text))
    if route.revalidated:
        headers.append(("If-None-Match", {"type": "string"}, "The ETag of an answer that is held."))
    return [
        {"name": name, "in": "header", "required": False, "schema": schema, "description": text}
        for name, schema, text in headers
    ]


def _answers(route: Route, schemas: Schemas) -> Json:
    answer: Json = {"description": "As asked."}
    if route.answer is not None:
        answer["content"] = {JSON: {"schema": schemas[route.answer, "serialization"]}}
    answers: Json = {str(route.status): answer}
    if route.revalidated:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
        answers["304"] = {"description": "Nothing has changed since the answer with that ETag."}
    refused = {status: f"#/components/responses/{_name_of(refusals)}" for status, refusals in _by_status(route)}
    return answers | {str(status): {"$ref": reference} for status, reference in refused.items()}


def _by_status(route: Route) -> list[tuple[int, tuple[type[Refusal], ...]]]:
    return [(status, tuple(found)) for status, found in groupby(refusals_of(route), key=lambda refusal: refusal.status)]


def _name_of(refusals: Iterable[type[Refusal]]) -> str:
    return "-or-".join(refusal.slug for refusal in refusals)


def _responses(routes: Iterable[Route]) -> Json:
    """What several calls refuse with alike, each once."""
    found = {refusals for route in routes if route.access != "page" for _, refusals in _by_status(route)}
    return dict(sorted((_name_of(each), _refused(each)) for each in found))


def _refused(refusals: Sequence[type[Refusal]]) -> Json:
    """All with one status, each in its own words."""
    types = [type_of(refusal) for refusal in refusals]
    problem = {"$ref": "#/components/schemas/Problem", "properties": {"type": {"enum": types}}}
    words = "\n\n".join(f"`{refusal.slug}`: {_said(refusal)}" for refusal in refusals)
    refused: Json = {"description": words, "content": {PROBLEM: {"schema": problem}}}
    if refusals[0].status in _HEADERS:
        refused["headers"] = {_HEADERS[refusals[0].status]: {"schema": {"type": "string"}, "required": True}}
    return refused


def type_of(refusal: type[Refusal]) -> str:
    return TYPE_PREFIX + refusal.slug


def _said(refusal: type[Refusal]) -> str:
    return inspect.cleandoc(refusal.__doc__ or refusal.title).replace("\n", " ")


def _page_answers(route: Route) -> Json:
    page = {HTML: {"schema": {"type": "string"}}}
    refused = {**page, PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "200": {"description": "A page.", "content": page},
        "303": {"description": "Where to go on.", "headers": {"Location": {"schema": {"type": "string"}}}},
        "4XX": {"description": "What is wrong, for people or for programs.", "content": refused},
        "503": {"description": "It can be tried again.", "content": refused},
    }


def _problem(routes: Iterable[Route]) -> Json:
    types = sorted({type_of(refusal) for route in routes for refusal in refusals_of(route)})
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "Why something was refused. `type` says it to programs, `detail` says what to do about it. Some types say more, in fields of their own.",
        "properties": {
            "type": {"type": "string", "enum": types},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": text, "message": text},
                    "required": ["field", "message"],
                },
            },
        },
        "required": ["type", "title", "status", "detail"],
    }


def _schemas(routes: Iterable[Route]) -> tuple[Schemas, dict[str, Json]]:
    """Of every model that a route names: how it is referred to; and all that can be referred to."""
    ingoing = {model for route in routes for model in (route.body, route.query) if model is not None}
    outgoing = {route.answer for route in routes if route.answer is not None}
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in ingoing),
        *((model, "serialization") for model in outgoing),
    ]
    wanted.sort(key=lambda each: (each[0].__name__, each[1]))
    schemas, definitions = models_json_schema(
        wanted, schema_generator=_Schema, ref_template="#/components/schemas/{model}"
    )
    return schemas, definitions["$defs"]


class _Schema(GenerateJsonSchema):
    """Of an answer the schema says what is really sent: a field that is None and need not be there is left out, all others are there."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode != "serialization" or field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        return not _may_be_none(field["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        if self.mode == "serialization":
            inner = schema["schema"]
            left_out = inner["type"] == "nullable" and schema.get("default", inner) is None
            return self.generate_inner(inner["schema"] if left_out else inner)
        return super().default_schema(schema)

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> Json:
        """What is sent twice is taken once."""
        return super().frozenset_schema(schema) | ({} if self.mode == "serialization" else {"uniqueItems": False})

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        shown = super().model_schema(schema)
        words = [inspect.cleandoc(doc) for doc in _docs(schema["cls"])]
        return shown | {"description": "\n\n".join(words)} if words else shown


def _docs(model: type) -> list[str]:
    """What a model says of itself; and the domain's, where it is that of the domain with something changed."""
    first = [model.__doc__] if model.__doc__ else []
    bases = (
        base
        for base in model.__mro__[1:]
        if base.__module__.startswith("functions.domain.") and "model" not in base.__module__
    )
    return first + [base.__doc__ for base in bases if base.__doc__]


def _may_be_none(schema: Mapping[str, Any]) -> bool:
    return schema["type"] == "nullable" or ("schema" in schema and _may_be_none(schema["schema"]))
