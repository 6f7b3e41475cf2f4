"""Documents that only the store's own machinery needs: history, outbox, stored answers, pending consents."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from functions.domain.decision import EffectKind
from functions.domain.instants import Millis
from functions.domain.model import Document, Personal


class HistoryRecord(Document):
    """A history entry as it is stored. `place` orders the entries of one commit.

    `state`: what the commit changed of the state of the session, booking or waitlist entry that this entry names, by the name that it has here
    (see `domain.state_changes`). The first entry of a commit that names a thing holds it; `before` and `after` are for people.
    """

    id: str
    at: Millis
    place: int
    what: str
    author_kind: str
    author_name: str
    session: str | None = None
    booking: str | None = None
    resource: str | None = None
    calendar: str | None = None
    service: str | None = None
    entry: str | None = None
    why: Annotated[str | None, Personal()] = None
    before: Mapping[str, Any] = Field(default_factory=dict)
    after: Mapping[str, Any] = Field(default_factory=dict)
    state: Annotated[Mapping[str, Mapping[str, Any]], Personal()] = Field(default_factory=dict)


class OutboxRecord(Document):
    """An effect that has not been done yet. The handler deletes the record when it is; until then the sweep enqueues it again.

    `claimed_at`: a worker began something at that moment which must not be done by two at once (see `claims`).
    """

    id: str
    kind: EffectKind
    subject: str
    about: str | None = None
    created_at: Millis
    due_at: Millis
    not_before: Millis | None = None
    sweeps: int = 0
    claimed_at: Millis | None = None


class StoredAnswer(Document):
    """What a request with an Idempotency-Key was answered, without secrets. `request_hash` tells a repetition from another request. `about`: the bookings or
    the place on a waitlist that the answer tells of, with whose client it goes.
    """

    id: str
    request_hash: Annotated[str, Personal()]
    status: int
    body: Annotated[Mapping[str, Any], Personal()]
    about: tuple[str, ...] = ()
    expires_at: Millis


class PendingConsent(Document):
    """A consent that was begun: used once, by the browser that brings back the state. `id` is the hash of the state's random part.

    `connection`: the one that comes of it, or (`refreshes`) whose access it renews. `begun_by`: the operator's name. By what they proved that they may: `key`,
    the id of an API key; or `person`, and as `browser` the sign-in of the browser in which it was begun, and in which alone it may be finished. `begun_at`: of
    one that goes on from another, when the first was.
    """

    id: str
    verifier: str
    connection: str
    refreshes: bool = False
    begun_by: str = ""
    key: str | None = None
    person: str | None = None
    browser: str | None = None
    return_to: str | None = None
    begun_at: Millis = 0
    expires_at: Millis
