"""A Google calendar reached through a connection: where the cursor stands, who holds the lease, how fresh it is."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from functions.domain.instants import Millis, Minute
from functions.domain.loss import Loss
from functions.domain.model import Document
from functions.domain.transitions import ConnectionStatus

FREE_BUSY_ROLE = "freeBusyReader"
WRITABLE_ROLES = frozenset({"writerWithoutPrivateAccess", "writer", "owner"})
DETAILED_ROLES = WRITABLE_ROLES | {"reader"}  # a calendar of any other role shows when it is busy, and no events
CHANNEL_RENEWAL = 0.8  # of the life that Google returned


class Ending(Document):
    """What is still to be done at Google for a connection that was ended here (see `disconnecting`).

    `events`: what is to become of those of ours that lie ahead. `alone`: Google is not asked any more, because the same account was connected anew. `error`:
    why Google has not done its part, the last time.
    """

    events: Literal["leave", "remove"]
    since: Millis
    alone: bool = False
    error: str | None = None


class Connection(Document):
    """An authorised Google account. `secret` is the refresh token, encrypted and bound to this id, or empty once it is forgotten. `subject` is Google's
    stable id of the person. `ending`: it is disconnected, and not all of that is done.

    What the person granted last, they granted at `granted_at`, until `grant_expires_at` where it is for a time only. Once it is lost: since `lost_at`, because
    of `loss` (see `domain.loss`), and `last_error` is Google's own word for that. `probed_at`: when it was last tried whether it holds, or holds again.
    """

    id: str
    status: ConnectionStatus
    subject: str
    email: str
    scopes: tuple[str, ...]
    secret: str
    connected_at: Millis
    granted_at: Millis | None = None
    grant_expires_at: Millis | None = None
    lost_at: Millis | None = None
    loss: Loss | None = None
    probed_at: Millis | None = None
    last_success_at: Millis | None = None
    last_error: str | None = None
    ending: Ending | None = None

    @property
    def needs_grant(self) -> bool:
        """Whether it lives by what its person has granted, or its events are still to be taken away by it."""
        return self.status != "disconnected" or (self.ending is not None and not self.ending.alone)


class Bounds(Document):
    """The part of a calendar that a list covers: half-open, in minutes."""

    start: Minute
    end: Minute


class Cursor(Document):
    """How far a calendar's change feed has been applied. `page_token` is set in the middle of a list, which was `begun_at` that moment; `generation`
    counts full lists.

    `fingerprint` names the query the token belongs to: another query, another token (case 71). `bounds`: the list that is under way gives the occurrences
    within them, each by itself (case 74); None: everything, series as series.
    """

    sync_token: str | None = None
    page_token: str | None = None
    begun_at: Millis | None = None
    generation: int = 1
    fingerprint: str = ""
    bounds: Bounds | None = None

    @property
    def in_full(self) -> bool:
        """Whether its list gives everything that there is, and not only what has changed."""
        return self.sync_token is None

    @property
    def at_rest(self) -> bool:
        """Nothing is under way, and nothing is known to go on from: the next list is a full one."""
        return self.sync_token is None and self.page_token is None


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


class Difference(Document):
    """Time that Google and our ledger do not agree about (see `drift`): busy in Google alone, and so perhaps sold twice; or taken here alone."""

    busy: Literal["only_in_google", "only_here"]
    start: Minute
    end: Minute


class Projecting(Document):
    """The mirror is being laid out in the ledgers of `resources`, up to `horizon`: how far that has come, as the last row that is done."""

    resources: tuple[str, ...]
    horizon: Minute
    after: str | None = None


class Calendar(Document):
    """`resources`: those whose time this calendar blocks. `projected`: up to which minute each resource's ledger holds its events; `horizon` is how
    far that goes at present; `projecting`: a further one that is on its way.

    `dirty` counts wake-ups that came while the lease was held (case 17). `next_poll_at` and `renew_at` are None for a calendar that is not in
    use, so that the schedules' queries pass it by. `next_channel` has been asked for and not answered yet. `changed`: resources whose ledgers a pull
    has changed, and of whose sessions nobody has asked yet whether they can still be kept. `relist`: the next pull lists it in full.

    Freshness: `last_success_at` is the moment as of which the mirror is complete. `last_change_at` is the newest change that Google told us of, by
    Google's clock, and `lag_ms` how long after it we had it; by two clocks, so only for people to look at (case 70).

    `formerly_for`: resources whose sessions were written to it, and are not any more; what of them lies ahead leaves it.

    `missing_since` and `missed`: Google answered 404 so many times, the first at that moment. A calendar that is `gone` keeps its `resources` and
    `destination_for`, so that it can take its place again should it come back.

    `audited_at`: when it was last compared with Google's own free/busy answer, and `drift_minutes` what came of it: None where it never was; `drift` holds
    the first few differences. `audit_error`: why the last comparison could not be made, in words for people; the numbers are then those of the one before.
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
    formerly_for: tuple[str, ...] = ()
    cursor: Cursor = Cursor()
    lease: Lease = Lease()
    dirty: int = 0
    channel: Channel | None = None
    next_channel: Channel | None = None
    watchable: bool = True
    horizon: Minute = 0
    projected: Mapping[str, Minute] = Field(default_factory=dict)
    projecting: Projecting | None = None
    changed: tuple[str, ...] = ()
    last_success_at: Millis | None = None
    last_error: str | None = None
    last_change_at: Millis | None = None
    lag_ms: int | None = None
    missing_since: Millis | None = None
    missed: int = 0
    next_poll_at: Millis | None = None
    renew_at: Millis | None = None
    relist: bool = False
    audited_at: Millis | None = None
    drift_minutes: int | None = None
    drift: tuple[Difference, ...] = ()
    audit_error: str | None = None

    def written_for(self, resources: Iterable[str]) -> "Calendar":
        """As the destination of these resources, and of no others."""
        now = {*resources}
        former = {*self.formerly_for, *self.destination_for} - now
        return self.model_copy(update={"destination_for": tuple(sorted(now)), "formerly_for": tuple(sorted(former))})

    @property
    def selected(self) -> bool:
        """An operator wants it: it blocks a resource or is a destination, or did until it was gone."""
        return bool(self.resources or self.destination_for)

    @property
    def in_use(self) -> bool:
        return self.selected and self.state == "active"

    def has_channel(self, channel: str) -> bool:
        """Whether that is the id of its channel, or of one that is being asked for."""
        return any(each is not None and each.id == channel for each in (self.channel, self.next_channel))

    @property
    def can_write(self) -> bool:
        return self.role in WRITABLE_ROLES

    @property
    def free_busy_only(self) -> bool:
        """We may see when it is busy, and nothing else: Google then gives occurrences, never series."""
        return self.role == FREE_BUSY_ROLE

    @property
    def laid_out(self) -> bool:
        """Whether it was read to its end, and the ledger of every resource that it blocks holds what that brought."""
        read = self.last_success_at is not None and not self.relist
        return read and all(resource in self.projected for resource in self.resources)

    def with_changed(self, resources: Iterable[str]) -> "Calendar":
        """These resources' ledgers are not as they were."""
        return self.model_copy(update={"changed": tuple(sorted({*self.changed, *resources}))})

    def known_until(self, resource: str, *, now: Millis, stale_after: Millis | None) -> Minute:
        """Up to which minute this calendar's events are known for `resource`; 0 where they are not known at all (law 6).

        What was read longer than `stale_after` ago is not known any more; None: it still counts.
        """
        if self.last_success_at is None or (stale_after is not None and now - self.last_success_at > stale_after):
            return 0
        return self.projected.get(resource, 0)

    def fresh(self, now: Millis, fresh_for: Millis) -> bool:
        """Whether it was read less than `fresh_for` ago."""
        return self.last_success_at is not None and now - self.last_success_at < fresh_for
