"""One worker a calendar at a time (cases 17, 54 and 55).

The lease lives in the calendar's document, and every commit of a pull writes that document under the fence it was given: a worker that lost its lease can
write nothing more, however late it wakes up. A pull that finds the lease taken counts itself in `dirty` and leaves; the holder looks at `dirty`
before it lets go. Should the holder die, a task of its own comes when the lease has run out.
"""

import uuid
from dataclasses import dataclass
from random import random

from functions.adapters.store.store import Reader
from functions.adapters.sync_function import FOR_A_SALE
from functions.adapters.tasks import Task
from functions.domain.calendar import Calendar, Lease
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.instants import Millis
from functions.sync.work import Work

LEASE_MS = 60_000


class LeaseLost(Exception):
    """Another worker has the calendar now; whatever this one was doing, that one does."""


@dataclass(frozen=True)
class Held:
    calendar: str
    fence: int


def acquire(work: Work) -> Held | None:
    """The lease of the subject calendar, or None where there is nothing to do or another worker will do it."""

    def attempt(reader: Reader) -> Decision[Calendar | None]:
        calendar = reader.get(Ref(Calendar, work.subject))
        if calendar is None:
            return Decision(answer=None)
        if not calendar.in_use:
            # Its use ended while a pull was at work, which has named the time of the next one all the same.
            left_alone = calendar.model_copy(update={"next_poll_at": None})
            return Decision(answer=None, documents=() if calendar.next_poll_at is None else (left_alone,))
        now = work.now()
        if calendar.lease.held(now):
            if work.about == FOR_A_SALE:
                return Decision(answer=None)  # it waits for that worker, and wants no other pull after it
            busy = calendar.model_copy(update={"dirty": calendar.dirty + 1})
            return Decision(answer=busy, documents=(busy,))
        lease = Lease(holder=holder, fence=calendar.lease.fence + 1, expires_at=now + LEASE_MS)
        taken = calendar.model_copy(update={"lease": lease, "dirty": 0})
        return Decision(answer=taken, documents=(taken,))

    holder = uuid.uuid4().hex
    calendar = work.store.run(work.account, attempt)
    if calendar is None:
        return None
    if calendar.lease.holder != holder:
        _come_back(work, calendar.lease)
        return None
    return Held(calendar.id, calendar.lease.fence)


def _come_back(work: Work, lease: Lease) -> None:
    work.application.tasks.create(
        Task(
            kind="pull",
            name=f"{work.account}/{work.subject}/after-lease/{lease.fence}/{lease.expires_at}",
            body={"account": work.account, "subject": work.subject},
            not_before_ms=lease.expires_at + 1000,
        )
    )


def held_calendar(reader: Reader, held: Held) -> Calendar:
    """The calendar as it is now, for a commit under this lease. Raises `LeaseLost`."""
    calendar = reader.get(Ref(Calendar, held.calendar))
    if calendar is None or calendar.lease.holder is None or calendar.lease.fence != held.fence:
        raise LeaseLost
    return calendar


def renewed(calendar: Calendar, now: Millis) -> Calendar:
    return calendar.model_copy(update={"lease": calendar.lease.model_copy(update={"expires_at": now + LEASE_MS})})


def release(work: Work, held: Held) -> bool:
    """Lets go, unless somebody asked for another pull meanwhile: then the lease stays, and False says to pull again."""

    def attempt(reader: Reader) -> Decision[bool]:
        calendar = held_calendar(reader, held)
        if calendar.dirty:
            again = renewed(calendar, work.now()).model_copy(update={"dirty": 0})
            return Decision(answer=False, documents=(again,))
        return Decision(answer=True, documents=(let_go(calendar),))

    return work.store.run(work.account, attempt)


def pause(work: Work, held: Held) -> None:
    """Lets go in the middle, for a further task to go on from there. That task is in the same commit, so no crash can lose it."""

    def attempt(reader: Reader) -> Decision[None]:
        calendar, asked = ask_about_changes(held_calendar(reader, held))
        goes_on = Effect(kind="pull", subject=calendar.id)
        return Decision(answer=None, documents=(let_go(calendar),), effects=(goes_on, *asked))

    work.store.run(work.account, attempt)


def hand_over(work: Work, held: Held) -> None:
    """Lets go of a lease that was not taken for a pull. Whoever came meanwhile left, so what they came for is asked for again."""

    def attempt(reader: Reader) -> Decision[None]:
        calendar = held_calendar(reader, held)
        asked = (Effect(kind="pull", subject=calendar.id),) if calendar.dirty else ()
        return Decision(answer=None, documents=(let_go(calendar),), effects=asked)

    work.store.run(work.account, attempt)


def abandon(work: Work, held: Held, error: str) -> None:
    """Lets go after a failure, says what it was in the calendar's health, and leaves the next poll to its normal time."""

    def attempt(reader: Reader) -> Decision[None]:
        next_poll = work.poll_intervals.after_failure(now=work.now(), jitter=jitter)
        update = {"last_error": error, "next_poll_at": next_poll}
        calendar, asked = ask_about_changes(held_calendar(reader, held))
        calendar = let_go(calendar).model_copy(update=update)
        return Decision(answer=None, documents=(calendar,), effects=asked)

    jitter = random()  # noqa: S311  spreads polls, no secret
    work.store.run(work.account, attempt)


def ask_about_changes(calendar: Calendar) -> tuple[Calendar, tuple[Effect, ...]]:
    """At the end of a pull, however it ended: whether the sessions of every resource can still be kept whose ledger it, or one before it, changed.

    Once a resource, however many events there were; and what a crash left unasked, the next pull asks.
    """
    asked = tuple(Effect(kind="recalculate", subject=resource) for resource in calendar.changed)
    return calendar.model_copy(update={"changed": ()}), asked


def let_go(calendar: Calendar) -> Calendar:
    """The calendar without a holder; the fence stays, so that no earlier holder can be taken for the next."""
    return calendar.model_copy(update={"lease": Lease(fence=calendar.lease.fence)})
