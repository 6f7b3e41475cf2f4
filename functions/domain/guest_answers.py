"""What clients answered to the invitation in their own calendar (case 111). It is noted, operators are told of a no, and it frees nothing: a seat is
given up here."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.decision import Author, Effect, HistoryEntry
from functions.domain.inbox_news import news_of_answer
from functions.domain.instants import Millis
from functions.domain.session import Booking


@dataclass(frozen=True)
class Answers:
    """`bookings`: all of them, as they are with the answers; `changed`: those that an answer changed."""

    bookings: tuple[Booking, ...]
    changed: tuple[Booking, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()


def answers_of(
    bookings: Iterable[Booking], declined_by: frozenset[str] | None, *, author: Author, now: Millis
) -> Answers:
    """`declined_by`: the clients' keys of those who declined; None where that is not known, which changes nothing. The same again changes nothing."""
    bookings = tuple(bookings)
    if declined_by is None:
        return Answers(bookings)
    after = tuple(_answered(booking, booking.client.key in declined_by, now) for booking in bookings)
    changed = tuple(each for each, before in zip(after, bookings, strict=True) if each != before)
    return Answers(
        bookings=after,
        changed=changed,
        history=tuple(_entry(booking, author) for booking in changed),
        effects=tuple(effect for booking in changed for effect in news_of_answer(booking)),
    )


def _answered(booking: Booking, declined: bool, now: Millis) -> Booking:
    if booking.status != "confirmed" or declined == (booking.declined_at is not None):
        return booking
    return booking.model_copy(update={"declined_at": now if declined else None})


def _entry(booking: Booking, author: Author) -> HistoryEntry:
    declined = booking.declined_at is not None
    return HistoryEntry(
        what="booking.declined" if declined else "booking.accepted",
        author=author,
        session=booking.session,
        booking=booking.id,
        resource=booking.resources[0],
        why="the client's answer to the invitation in their calendar",
        before={"declined": not declined},
        after={"declined": declined},
    )
