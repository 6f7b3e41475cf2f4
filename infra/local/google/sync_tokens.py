"""Sync and page tokens: opaque to the client, and bound to person, calendar and query.

Everything is in the token itself; nothing is remembered here. A token that was altered is 400, one that no longer
holds is 410 `fullSyncRequired`.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from infra.local.google import errors

Json = dict[str, Any]


@dataclass(frozen=True)
class SyncToken:
    """Where an incremental list starts: after `version`. `query` is what must stay the same, `subset` the filters."""

    resource: str
    email: str
    version: int
    epoch: int
    role: str
    query: str
    subset: Json


@dataclass(frozen=True)
class PageToken:
    """The place in one listing. `upto` is the version when it began: the next sync token, so no change is missed."""

    query: str
    upto: int
    after: list[Any] | None
    page: int


def fingerprint(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def encode(token: SyncToken | PageToken) -> str:
    data = json.dumps([type(token).__name__[0], asdict(token)], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mark(data) + data).rstrip(b"=").decode()


def decode_sync(text: str) -> SyncToken:
    token = _decode(text, "S")
    if token is None:
        raise errors.invalid("Invalid sync token value.", location="syncToken")
    return SyncToken(**token)


def decode_page(text: str, query: str) -> PageToken:
    """A page token of this very query; any other is refused (400)."""
    token = _decode(text, "P")
    if token is None or token["query"] != query:
        raise errors.invalid("Invalid page token value.", location="pageToken")
    return PageToken(**token)


def _mark(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:6]


def _decode(text: str, kind: str) -> Json | None:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if raw[:6] != _mark(raw[6:]):
            return None
        found, fields = json.loads(raw[6:])
    except (binascii.Error, ValueError):
        return None
    return dict(fields) if found == kind else None
