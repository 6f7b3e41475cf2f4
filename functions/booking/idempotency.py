"""Idempotency-Key: the same key and body get the stored answer again, the same key and another body are refused.

The answer is stored in the commit that makes it true, so there is no moment at which one exists without the other. Kept for 24 hours. Of two that come
at the same time one is answered; the other is told that it was in flight, and gets that answer when it asks again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from functions.adapters.store.records import StoredAnswer
from functions.adapters.store.store import Reader
from functions.booking.routing import Call
from functions.domain.decision import Decision, Ref
from functions.domain.errors import IdempotencyMismatch, Invalid, Refusal, RequestInFlight
from functions.domain.instants import Millis

A = TypeVar("A")

KEEP_MS = 24 * 3600 * 1000
MAX_KEY = 255


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
    line: str = "",
    form_key: str | None = None,
) -> A:
    """Commits what `attempt` decides, or answers what the same request with the same key was answered before; without a key it just commits.

    `keep` makes JSON of an answer, without secrets; `repeat` makes the answer of that JSON again; `line` as `Store.run` takes it. `form_key`: what a form
    of ours sends in place of the header, which is then not looked at. Raises `IdempotencyMismatch`, `RequestInFlight`, `Invalid` for a key that is too long,
    and what `Store.run` raises.
    """
    assert call.route.once or form_key is not None, f"{call.route} must declare once=True"
    key = _key_of(call, call.request.headers.get("Idempotency-Key") if form_key is None else form_key)
    if key is None:
        return call.application.store.run(call.account, attempt, line=line)
    keyed = _Keyed(call=call, key=key, attempt=attempt, keep=keep, repeat=repeat, status=status)
    return call.application.store.run(call.account, keyed, line=line)


def _key_of(call: Call, key: str | None) -> Key | None:
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


@dataclass(kw_only=True)
class _Keyed(Generic[A]):
    """The attempts of one request that has a key. The key's document is read in the round trip of the attempt itself, so it costs none of its own."""

    call: Call
    key: Key
    attempt: Callable[[Reader], Decision[A]]
    keep: Callable[[A], Mapping[str, Any]]
    repeat: Callable[[Mapping[str, Any]], A]
    status: int
    unanswered: bool = False  # once a reading has found no answer

    def __call__(self, reader: Reader) -> Decision[A]:
        reader.read_along(self.key.ref)
        try:
            decision = self.attempt(reader)
        except Refusal:
            repeated = self._repeated(reader)
            if repeated is not None:
                return repeated
            # What stands in its way may be what this very request was given, in another hand, between two of these readings.
            self._repeated(self.call.application.store.reader(reader.account))
            raise
        repeated = self._repeated(reader)
        if repeated is not None:
            return repeated
        body = self.keep(decision.answer)
        return decision.with_documents(answer_to_store(self.key, self.status, body, self.call.now))

    def _repeated(self, reader: Reader) -> Decision[A] | None:
        """The decision to answer as before. Raises `RequestInFlight` where there was no answer yet when this request came."""
        stored = answer_given(reader.get(self.key.ref), self.key, self.call.now)
        if stored is None:
            self.unanswered = True
            return None
        if self.unanswered:
            raise RequestInFlight("Ask again in a moment: this request came while the same one was being answered.")
        return Decision(answer=self.repeat(stored.body))


def answer_given(stored: StoredAnswer | None, key: Key, now: Millis) -> StoredAnswer | None:
    """The answer that was given before, if it is still kept. Raises `IdempotencyMismatch`."""
    if stored is None or stored.expires_at <= now:
        return None
    if stored.request_hash != key.request_hash:
        raise IdempotencyMismatch("Use a new key for a new request; repeat a request with its very body.")
    return stored


def answer_to_store(key: Key, status: int, body: Mapping[str, Any], now: Millis) -> StoredAnswer:
    return StoredAnswer(
        id=key.id,
        request_hash=key.request_hash,
        status=status,
        body=body,
        about=_told_of(body),
        expires_at=now + KEEP_MS,
    )


def _told_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The bookings that were made together, or else the one thing that the answer is."""
    together = body.get("bookings")
    things = together if isinstance(together, list) else [body]
    return tuple(thing["id"] for thing in things if "id" in thing)
