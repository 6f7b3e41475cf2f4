"""A Google calendar reached through a connection: where the cursor stands, who holds the lease, how fresh it is."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from functions.domain.instants import Millis, Minute
from functions.domain.model import Document
from functions.domain.transitions import ConnectionStatus

WRITABLE_ROLES = frozenset({"writerWithoutPrivateAccess", "writer", "owner"})
CHANNEL_RENEWAL = 0.8  # of the life that Google returned


class Connection(Document):
    """An authorised Google account. `secret` is the refresh token, encrypted and bound to this id. `subject` is Google's stable id of the person."""

    id: str
    status: ConnectionStatus
    subject: str
    email: str
    scopes: tuple[str, ...]
    secret: str
    connected_at: Millis
    lost_at: Millis | None = None
    last_success_at: Millis | None = None
    last_error: str | None = None


class Cursor(Document):
    """How far a calendar's change feed has been applied. `page_token` is set in the middle of a list; `generation` counts full lists.

    `fingerprint` names the query the token belongs to: another query, another token (case 71).
    """

    sync_token: str | None = None
    page_token: str | None = None
    generation: int = 1
    fingerprint: str = ""


class Lease(Document):
    """One worker at a time. `fence` only grows: a worker whose fence is not the present one has lost the lease, however late it wakes up."""

    holder: str | None = None
    fence: int = 0
    expires_at: Millis = 0

    def held(self, now: Millis) -> bool:
        return self.holder is not None and now < self.expires_at


class Channel(Document):
    """A push channel. Written as `pending` before Google is asked (cases 1, 2 and 26), completed by Google's answer."""

    id: str
    address: str
    resource: str | None = None
    created_at: Millis
    expires_at: Millis | None = None

    def alive(self, now: Millis) -> bool:
        return self.resource is not None and self.expires_at is not None and now < self.expires_at

    @property
    def renewal_at(self) -> Millis | None:
        """When a successor is asked for; None of one that Google has not answered for yet."""
        if self.expires_at is None:
            return None
        return self.created_at + int((self.expires_at - self.created_at) * CHANNEL_RENEWAL)

    def due_for_renewal(self, now: Millis) -> bool:
        return self.renewal_at is None or now >= self.renewal_at


class Calendar(Document):
    """`resources`: those whose time this calendar blocks. `projected`: up to which minute each resource's ledger holds its events; `horizon` is how
    far that goes at present.

    `dirty` counts wake-ups that came while the lease was held (case 17). `next_poll_at` and `renew_at` are None for a calendar that is not in
    use, so that the schedules' queries pass it by. `next_channel` has been asked for and not answered yet. `changed`: resources whose ledgers a pull
    has changed, and of whose sessions nobody has asked yet whether they can still be kept.
    """

    id: str
    connection: str
    google_id: str
    summary: str
    time_zone: str
    role: str
    primary: bool = False
    state: Literal["active", "gone"] = "active"
    resources: tuple[str, ...] = ()
    destination_for: tuple[str, ...] = ()
    cursor: Cursor = Cursor()
    lease: Lease = Lease()
    dirty: int = 0
    channel: Channel | None = None
    next_channel: Channel | None = None
    watchable: bool = True
    horizon: Minute = 0
    projected: Mapping[str, Minute] = Field(default_factory=dict)
    changed: tuple[str, ...] = ()
    last_success_at: Millis | None = None
    last_error: str | None = None
    next_poll_at: Millis | None = None
    renew_at: Millis | None = None

    @property
    def in_use(self) -> bool:
        return bool(self.resources or self.destination_for) and self.state == "active"

    def with_changed(self, resources: Iterable[str]) -> "Calendar":
        """These resources' ledgers are not as they were."""
        return self.model_copy(update={"changed": tuple(sorted({*self.changed, *resources}))})

    def known_until(self, resource: str, *, now: Millis, stale_after: Millis) -> Minute:
        """Up to which minute this calendar's events are known for `resource`; 0 where they are not known at all (law 6)."""
        if self.last_success_at is None or now - self.last_success_at > stale_after:
            return 0
        return self.projected.get(resource, 0)
