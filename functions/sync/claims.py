"""Once, as far as the outside lets us: for effects that can't be repeated harmlessly, such as a mail.

Cloud Tasks may deliver a task twice, even at the same moment. The outbox record is claimed before the effect and deleted after it: a second delivery finds
the claim or no record at all. Only a crash between the effect and the deletion repeats the effect, once the claim has run out.
"""

from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, Ref
from functions.sync.work import TryLater, Work

CLAIM_MS = 120_000


def claim(work: Work) -> bool:
    """True where the effect is ours to do; False where it has been done. Raises `TryLater` where another delivery is at it."""

    def attempt(reader: Reader) -> Decision[bool | None]:
        record = reader.get(Ref(OutboxRecord, work.outbox or ""))
        if record is None:
            return Decision(answer=False)
        now = work.now()
        if record.claimed_at is not None and now < record.claimed_at + CLAIM_MS:
            return Decision(answer=None)
        return Decision(answer=True, documents=(record.model_copy(update={"claimed_at": now}),))

    if work.outbox is None:
        return False
    mine = work.store.run(work.account, attempt)
    if mine is None:
        raise TryLater("another delivery of this task is at work")
    return mine


def unclaim(work: Work) -> None:
    """The effect failed for certain: the next delivery may try at once."""

    def attempt(reader: Reader) -> Decision[None]:
        record = reader.get(Ref(OutboxRecord, work.outbox or ""))
        if record is None:
            return Decision(answer=None)
        return Decision(answer=None, documents=(record.model_copy(update={"claimed_at": None}),))

    work.store.run(work.account, attempt)
