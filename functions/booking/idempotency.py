"""Idempotency-Key: the same key and body get the stored answer again, the same key and another body are refused.

The answer is stored in the commit that makes it true, so there is no moment at which one exists without the other. Kept for 24 hours.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from functions.adapters.store.records import StoredAnswer
from functions.adapters.store.store import Reader
from functions.booking.routing import Call
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IdempotencyMismatch, Invalid
from functions.domain.instants import Millis

KEEP_MS = 24 * 3600 * 1000
MAX_KEY = 255


A = TypeVar("A")


@dataclass(frozen=True)
class Key:
    id: str
    request_hash: str

    @property
    def ref(self) -> Ref[StoredAnswer]:
        return Ref(StoredAnswer, self.id)


def answered_once(
    call: Call,
    attempt: Callable[[Reader], Decision[A]],
    *,
    keep: Callable[[A], Mapping[str, Any]],
    repeat: Callable[[Mapping[str, Any]], A],
    status: int = 201,
) -> A:
    """Commits what `attempt` decides, or answers what the same request with the same key was answered before; without a key it just commits.

    `keep` makes JSON of an answer, without secrets; `repeat` makes the answer of that JSON again. Raises `IdempotencyMismatch`, `Invalid` for a key
    that is too long, and what `Store.run` raises.
    """
    key = key_of(call)

    def keyed(reader: Reader) -> Decision[A]:
        repeated = stored_answer(reader, key, call.now)
        if repeated is not None:
            return Decision(answer=repeat(repeated.body))
        decision = attempt(reader)
        if key is None:
            return decision
        return decision.with_documents(answer_to_store(key, status, keep(decision.answer), call.now))

    return call.application.store.run(call.account, keyed)


def key_of(call: Call) -> Key | None:
    """The request's key, if it brings one. Raises `Invalid` for a key that is too long."""
    key = call.request.headers.get("Idempotency-Key")
    if not key:
        return None
    if len(key) > MAX_KEY:
        raise Invalid(f"An Idempotency-Key has at most {MAX_KEY} characters.")
    place = f"{call.request.method} {call.request.path}"
    return Key(sha256(f"{place}\0{key}".encode()).hexdigest(), sha256(_canonical(call.raw_body())).hexdigest())


def _canonical(body: bytes) -> bytes:
    """The body without what does not matter in JSON: white space and the order of fields."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return body


def stored_answer(reader: Reader, key: Key | None, now: Millis) -> StoredAnswer | None:
    """The answer that was given before. Raises `IdempotencyMismatch`."""
    stored = reader.get(key.ref) if key else None
    if key is None or stored is None or stored.expires_at <= now:
        return None
    if stored.request_hash != key.request_hash:
        raise IdempotencyMismatch("Use a new key for a new request; repeat a request with its very body.")
    return stored


def answer_to_store(key: Key, status: int, body: Mapping[str, Any], now: Millis) -> StoredAnswer:
    return StoredAnswer(id=key.id, request_hash=key.request_hash, status=status, body=body, expires_at=now + KEEP_MS)
