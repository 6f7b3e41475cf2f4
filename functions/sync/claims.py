"""Once, as far as the outside lets us: for effects that can't be repeated harmlessly, such as a mail.

Cloud Tasks may deliver a task twice, even at the same moment. The outbox record is claimed before the effect and deleted after it: a second delivery finds
the claim or no record at all. Only a crash between the effect and the deletion repeats the effect, once the claim has run out.
"""

from collections.abc import Iterable

from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Ref
from functions.sync.work import TryLater, Work

CLAIM_MS = 120_000


def claim(work: Work) -> bool:
    """True where the effect is ours to do; False where it has been done. Raises `TryLater` where another delivery is at it."""
    return bool(claim_together(work, ()))


def claim_together(work: Work, others: Iterable[str]) -> tuple[OutboxRecord, ...]:
    """Our record and those of the others that nobody is at, which are then done as one, or not at all; none where ours has been done.

    All in one commit: of two deliveries that each want the other's too, one has both. Raises `TryLater` where another delivery is at ours.
    """
    own = work.outbox
    if own is None:
        return ()

    def attempt(reader: Reader) -> Decision[tuple[OutboxRecord, ...] | None]:
        found = _read(reader, (own, *others))
        if own not in found:
            return Decision(answer=())
        now = work.now()
        free = [each for each in found.values() if each.claimed_at is None or now >= each.claimed_at + CLAIM_MS]
        if found[own] not in free:
            return Decision(answer=None)
        claimed = tuple(each.model_copy(update={"claimed_at": now}) for each in free)
        return Decision(answer=claimed, documents=claimed)

    mine = work.store.run(work.account, attempt)
    if mine is None:
        raise TryLater("another delivery of this task is at work")
    return mine


def unclaim(work: Work, claimed: Iterable[OutboxRecord] = ()) -> None:
    """The effect failed for certain: the next delivery may try at once. `claimed`: what was to be done along with it."""
    names = (*(() if work.outbox is None else (work.outbox,)), *(each.id for each in claimed))

    def attempt(reader: Reader) -> Decision[None]:
        found = _read(reader, names).values()
        return Decision(answer=None, documents=tuple(each.model_copy(update={"claimed_at": None}) for each in found))

    work.store.run(work.account, attempt)


def forget_together(work: Work, claimed: Iterable[OutboxRecord]) -> None:
    """They are done, all of them."""

    def attempt(reader: Reader) -> Decision[None]:
        found = _read(reader, [each.id for each in claimed])
        return Decision(answer=None).without(tuple(Ref(OutboxRecord, name) for name in found))

    claimed = tuple(claimed)
    work.store.run(work.account, attempt)


def _read(reader: Reader, names: Iterable[str]) -> dict[str, OutboxRecord]:
    """Those that are there."""
    refs = {name: Ref(OutboxRecord, name) for name in names}
    reader.load(*refs.values())
    return {name: record for name, ref in refs.items() if (record := reader.get(ref)) is not None}
