"""The limits of what clients may ask for, around what they ask for: counted in the commit that grants it, so they hold across all instances.

The caller's usage is read in the round trip of the attempt and written in its commit, so neither costs one more. An address is counted without a precondition:
a whole school behind one address stands in nobody's way, and what is decided at the very same moment may go over the limit by as many. A mailbox and the
holds of an address are counted exactly. Operators are not counted, except for what they have sent to others: invitations.

What was refused is not written: that would make every refusal dearer for us than for who asks. See `refusals`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from functions.adapters.signing import usage_id
from functions.adapters.store.documents import NO_ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.client_address import network_of
from functions.booking.freshness import NotFresh
from functions.booking.routing import Call
from functions.domain.decision import Decision, Ref
from functions.domain.errors import Refusal
from functions.domain.instants import Millis
from functions.domain.rate_limits import (
    Limit,
    Usage,
    check,
    check_holds,
    holds_at,
    mailbox,
    one_more,
    with_hold,
    with_one_more,
)
from functions.domain.session import Booking

A = TypeVar("A")

Kind = Literal["bookings", "changes"]


def limited(
    call: Call, attempt: Callable[[Reader], Decision[A]], kind: Kind, *, email: str | None = None
) -> Callable[[Reader], Decision[A]]:
    """The attempt, within the limits of whoever calls. `email`: who books, as they say. Its refusals: `RateLimited`, `TooManyHolds`, and the attempt's own."""
    if call.caller.operator:
        return attempt
    settings = call.application.settings
    address = network_of(call.request, trusted_proxies=settings.trusted_proxies)
    rate = settings.bookings_per_address if kind == "bookings" else settings.changes_per_address
    per_mailbox = settings.bookings_per_email
    return _Limited(
        attempt=attempt,
        now=call.now,
        address=_usage_ref(call, "address", address),
        per_address=Limit(what=kind, most=rate.most, per=rate.millis),
        mailbox=None if not email else _usage_ref(call, "email", mailbox(email)),
        per_mailbox=Limit(what="bookings", most=per_mailbox.most, per=per_mailbox.millis),
        most_holds=settings.holds_per_address,
    )


def limited_invitation(
    call: Call, attempt: Callable[[Reader], Decision[A]], *, email: str
) -> Callable[[Reader], Decision[A]]:
    """The attempt, within what an account may invite, and have sent to one mailbox: taken back, it has been sent all the same. Its refusals: `RateLimited`,
    and the attempt's own.
    """
    settings = call.application.settings
    limits = (
        (_usage_ref(call, "account", call.account), settings.invitations_per_account),
        (_usage_ref(call, "email", mailbox(email)), settings.invitations_per_email),
    )

    def within(reader: Reader) -> Decision[A]:
        reader.load(*(ref for ref, _ in limits))
        decision = attempt(reader)
        for ref, rate in limits:
            limit, usage = Limit(what="invitations", most=rate.most, per=rate.millis), _usage(reader, ref)
            check(usage, limit, call.now)
            decision = decision.with_documents(with_one_more(usage, limit, call.now))
        return decision

    return within


def count_sign_in(call: Call) -> None:
    """Counts one of whoever comes back from Google: each has us ask Google, and who fails there commits nothing that it could be counted with. Raises
    `RateLimited`.
    """
    settings = call.application.settings
    address = network_of(call.request, trusted_proxies=settings.trusted_proxies)
    ref = Ref(Usage, usage_id(settings.signing_keys[0], NO_ACCOUNT, "address", address))
    limit = Limit(what="signins", most=settings.sign_ins_per_address.most, per=settings.sign_ins_per_address.millis)

    def attempt(reader: Reader) -> Decision[None]:
        usage = _usage(reader, ref)
        check(usage, limit, call.now)
        return Decision(answer=None, documents=(with_one_more(usage, limit, call.now),))

    call.application.store.run(NO_ACCOUNT, attempt)


def _usage_ref(call: Call, kind: str, caller: str) -> Ref[Usage]:
    return Ref(Usage, usage_id(call.application.settings.signing_keys[0], call.account, kind, caller))


@dataclass(frozen=True, kw_only=True)
class _Limited(Generic[A]):
    attempt: Callable[[Reader], Decision[A]]
    now: Millis
    address: Ref[Usage]
    per_address: Limit
    mailbox: Ref[Usage] | None
    per_mailbox: Limit
    most_holds: int

    def __call__(self, reader: Reader) -> Decision[A]:
        reader.read_along(self.address, *(() if self.mailbox is None else (self.mailbox,)))
        try:
            decision = self.attempt(reader)
        except (Refusal, NotFresh):
            # Who is over the limit learns that and nothing else, and has no calendar pulled.
            self._check(reader)
            raise
        self._check(reader)
        return decision if decision.writes_nothing else self._counted(reader, decision)

    def _check(self, reader: Reader) -> None:
        check(_usage(reader, self.address), self.per_address, self.now)
        if self.mailbox is not None:
            check(_usage(reader, self.mailbox), self.per_mailbox, self.now)

    def _counted(self, reader: Reader, decision: Decision[A]) -> Decision[A]:
        if self.mailbox is not None:
            usage = with_one_more(_usage(reader, self.mailbox), self.per_mailbox, self.now)
            decision = decision.with_documents(usage)
        usage = _usage(reader, self.address)
        holds = _forms(decision.documents)
        if not holds:
            return decision.counted(one_more(usage, self.per_address, self.now))
        check_holds(self._held(reader, usage), most=self.most_holds, now=self.now)
        usage = with_one_more(usage, self.per_address, self.now)
        for hold, until in holds.items():
            usage = with_hold(usage, hold, until=until, now=self.now)
        return decision.with_documents(usage)

    def _held(self, reader: Reader, usage: Usage) -> Mapping[str, Millis]:
        """The holds that count. What was confirmed or cancelled is found out where it matters: the bookings are looked at only by who has reached the limit."""
        holds = holds_at(usage, self.now)
        if len(holds) < self.most_holds:
            return holds
        reader.load(*(Ref(Booking, hold) for hold in holds))
        return _forms(reader.get(Ref(Booking, hold)) for hold in holds)


def _forms(documents: Iterable[object]) -> dict[str, Millis]:
    """The bookings among them that keep seats while a client fills in the form, and until when."""
    return {
        each.id: each.expires_at
        for each in documents
        if isinstance(each, Booking) and each.status == "held" and not each.requested and each.entry is None
        if each.expires_at is not None
    }


def _usage(reader: Reader, ref: Ref[Usage]) -> Usage:
    return reader.get(ref) or Usage(id=ref.id)
