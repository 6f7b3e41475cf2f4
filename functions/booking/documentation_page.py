"""The OpenAPI document as a page: what each call takes and answers, by who makes it; then the models."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

_HERE = Path(__file__).parent
STYLE = (_HERE / "documentation.css").read_text()

_CODE = re.compile(r"`([^`]+)`")
_BOUNDS = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("exclusiveMinimum", "more than {}"),
    ("exclusiveMaximum", "less than {}"),
)
_SIZES = (
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "of them"),
    ("minProperties", "maxProperties", "of them"),
)


def page(document: Mapping[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"prose": prose, "kind": kind, "bounds": bounds, "resolved": resolved}
    template = environment.get_template("documentation.html")
    return template.render(document=document, groups=_groups(document), style=Markup(STYLE))  # noqa: S704  # our own file


def _groups(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The calls by who makes them, in the order of the document; of each, those about the same thing together."""
    groups = {tag["name"]: {**tag, "about": {}} for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            call = {"method": method.upper(), "path": path, "operation": operation}
            groups[operation["tags"][0]]["about"].setdefault(_subject(path), []).append(call)
    return [group for group in groups.values() if group["about"]]


def _subject(path: str) -> str:
    """What a call is about: the first word of its address, within the account where it is in one."""
    words = path.removeprefix("/v1/accounts/{account}").strip("/").split("/")
    return words[0].partition(".")[0] or "account"


def prose(text: str) -> Markup:
    """Paragraphs, with `code`."""
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("").join(_inline(paragraph))) for paragraph in text.split("\n\n") if paragraph
    )


def _inline(text: str) -> Iterator[Markup]:
    for number, part in enumerate(_CODE.split(text)):
        yield Markup("<code>{}</code>").format(part) if number % 2 else escape(part)


def resolved(element: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """What it refers to, where it is a reference."""
    found: Any = document if "$ref" in element else element
    for step in element.get("$ref", "#").split("/")[1:]:
        found = found[step]
    return found


def kind(schema: Mapping[str, Any]) -> Markup:
    """The type in a few words, with a link where it is a model."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#model-{0}">{0}</a>').format(name)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return Markup(" or ").join(kind(choice) for choice in choices)
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{}</code>").format(value) for value in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    match schema.get("type"):
        case "array":
            return Markup("list of ") + kind(schema.get("items", {}))
        case "object":
            values = schema.get("additionalProperties")
            return Markup("map of ") + kind(values) if isinstance(values, Mapping) else Markup("object")
        case str(named):
            return escape(f"{named}, {schema['format']}" if "format" in schema else named)
    return Markup("anything")


def bounds(schema: Mapping[str, Any]) -> str:
    """What a value may be, besides its type; and what it is where it is left out."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    schema = {**(choices[0] if len(choices) == 1 else {}), **schema}
    found = [words.format(schema[name]) for name, words in _BOUNDS if name in schema]
    for least, most, what in _SIZES:
        if least in schema:
            found.append(f"at least {schema[least]} {what}")
        if most in schema:
            found.append(f"at most {schema[most]} {what}")
    if schema.get("default") not in (None, {}, []):
        found.append(f"usually {_literal(schema['default'])}")
    return "; ".join(found)


def _literal(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)
