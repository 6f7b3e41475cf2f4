"""Partial answers: the `fields` parameter (`items(id,start/dateTime),nextPageToken`)."""

import re
from typing import Any

from infra.local.google import errors

Json = dict[str, Any]
# Field → what of it; None means all of it.
Mask = dict[str, Any]

_TOKEN = re.compile(r"[A-Za-z0-9_*$.-]+|[(),/]")


def select_fields(value: Json, fields: str) -> Json:
    """Only the named parts of an answer; 400 `invalidParameter` for a mask that can't be read."""
    mask = _parse(fields)
    return dict(_select(value, mask))


def _select(value: Any, mask: Mask | None) -> Any:
    if mask is None:
        return value
    if isinstance(value, list):
        return [_select(element, mask) for element in value]
    if not isinstance(value, dict):
        return value
    if "*" in mask:
        return {name: _select(field, mask["*"]) for name, field in value.items()}
    return {name: _select(field, mask[name]) for name, field in value.items() if name in mask}


def _parse(fields: str) -> Mask:
    tokens = _TOKEN.findall(fields)
    if "".join(tokens) != re.sub(r"\s", "", fields):
        raise _unreadable(fields)
    mask, rest = _parse_list(tokens, fields)
    if rest:
        raise _unreadable(fields)
    return mask


def _parse_list(tokens: list[str], fields: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        name, part, tokens = _parse_path(tokens, fields)
        old = mask.get(name, {})
        mask[name] = None if part is None or old is None else {**old, **part}
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _parse_path(tokens: list[str], fields: str) -> tuple[str, Mask | None, list[str]]:
    if not tokens or tokens[0] in "(),/":
        raise _unreadable(fields)
    name, tokens = tokens[0], tokens[1:]
    if tokens[:1] == ["/"]:
        child, part, tokens = _parse_path(tokens[1:], fields)
        return name, {child: part}, tokens
    if tokens[:1] == ["("]:
        part, tokens = _parse_list(tokens[1:], fields)
        if tokens[:1] != [")"]:
            raise _unreadable(fields)
        return name, part, tokens[1:]
    return name, None, tokens


def _unreadable(fields: str) -> errors.ApiError:
    return errors.invalid_parameter("fields", f"Invalid field selection {fields[:60]}")
