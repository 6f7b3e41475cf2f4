"""Bookings of one client on several weeks: all of them are had, or none is; and several of them are cancelled at once.

They are placed one after the other, each on the state that those before it leave, so that limits count the series itself. Afterwards each is a booking
like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from functions.domain.appointments import Booked, BookingRequest, book, cancel
from functions.domain.availability import ClientBooking, Question
from functions.domain.decision import Author, Decision, Effect, in_one_commit
from functions.domain.errors import CalendarUnknown, IllegalMove, Refusal, SeriesTaken, SlotTaken, StartClosed
from functions.domain.holding import ask
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, rfc3339
from functions.domain.placing import place
from functions.domain.recurrence import starts_of_rule
from functions.domain.seating import Seating
from functions.domain.session import Session
from functions.domain.transitions import BOOKING

Part = Literal["following", "all"]


def weekly_starts(first: Minute, *, weeks: int, every: int, zone_name: str) -> tuple[Minute, ...]:
    """On so many weeks, `every` so many, at the wall time of the zone at which `first` lies: an hour earlier or later where the clock has changed."""
    rule, until = f"FREQ=WEEKLY;INTERVAL={every};COUNT={weeks}", first + (weeks * every + 1) * 7 * DAY_MINUTES
    return tuple(starts_of_rule(rule, first, zone_name=zone_name, until=until))


def book_series(
    wishes: Sequence[BookingRequest], question: Question, running: Mapping[str, Session], *, author: Author
) -> Decision[tuple[Booked, ...]]:
    """Books each of the wishes or, where an operator has to confirm, asks for each; the client is told once of all.

    `question`: the service at its resources, over all the starts. `running`: the sessions that run at these, by id. Raises `SeriesTaken`, which names
    each start that can't be had; `CalendarUnknown` where nothing but an unreachable calendar is in the way.
    """
    made: list[Decision[Booked]] = []
    misses: dict[Minute, Refusal] = {}
    for wish in wishes:
        try:
            made.append(_place(wish, question, running, author))
        except (SlotTaken, StartClosed, CalendarUnknown) as refusal:
            misses[wish.start] = refusal
        else:
            question = _after(question, made[-1])
    if misses:
        raise _series_taken(misses, len(wishes))
    told = Effect(kind="notify", subject=wishes[0].booking, about="series")
    return _telling_once(made, told)


def _place(
    wish: BookingRequest, question: Question, running: Mapping[str, Session], author: Author
) -> Decision[Booked]:
    choice = place(question, wish.start)
    joined = None if choice.session is None else running[choice.session]
    seating = Seating(question=question, choice=choice, start=wish.start, running=joined)
    requested = question.service.confirmation == "operator" and author.kind != "operator"
    return (ask if requested else book)(wish, seating, author=author)


def _after(question: Question, decision: Decision[Booked]) -> Question:
    """What is asked next: the time is taken, and the client has one booking more."""
    asked, session = question.after(decision.changes), decision.answer.session
    if asked.client is None:
        return asked
    booking = ClientBooking(service=session.service, start=session.start, end=session.end)
    return replace(asked, client=(*asked.client, booking))


def _series_taken(misses: Mapping[Minute, Refusal], of: int) -> Refusal:
    if all(isinstance(refusal, CalendarUnknown) for refusal in misses.values()):
        return next(iter(misses.values()))
    return SeriesTaken(
        f"{len(misses)} of {of} times can't be booked, so none was. Leave these out, or begin at another time.",
        misses=[_miss(start, refusal) for start, refusal in misses.items()],
    )


def _miss(start: Minute, refusal: Refusal) -> dict[str, Any]:
    """What a client may know of it, as for a single booking."""
    unknown = ["calendar_unknown"] if isinstance(refusal, CalendarUnknown) else ["taken"]
    return {"start": rfc3339(start), "reasons": unknown, **refusal.extra}


def cancel_series(
    named: Booked,
    series: Sequence[Booked],
    part: Part,
    *,
    now: Millis,
    author: Author,
    reason: str | None,
    until_minutes: int = 0,
) -> Decision[tuple[Booked, ...]]:
    """Cancels `named` and all that follow it in its series, or all that lie ahead; the client is told once. Twice is once.

    All of them or none: raises `IllegalMove` where for one of them there are less than `until_minutes` to the start.
    """
    first = named.session.start if part == "following" else now // MINUTE_MS + 1
    leaving = [one for one in series if one.session.start >= first and (one.booking.status, "cancel") in BOOKING]
    late = [one.session.start for one in leaving if (one.session.start - until_minutes) * MINUTE_MS <= now]
    if late:
        raise IllegalMove(
            "It is too late to cancel some of these, so none was cancelled. Cancel from a later one on, or call the business.",
            too_late=[rfc3339(start) for start in late],
            until_minutes=until_minutes,
        )
    # Two of them may sit in one session, if they were moved there.
    sessions = {one.session.id: one.session for one in series}
    made: list[Decision[Booked]] = []
    for one in leaving:
        session = sessions[one.session.id]
        made.append(cancel(one.booking, session, now=now, author=author, reason=reason))
        sessions[session.id] = made[-1].answer.session
    told = Effect(kind="notify", subject=named.booking.id, about="series_cancelled")
    return _telling_once(made, told) if made else Decision(answer=())


def _telling_once(made: Sequence[Decision[Booked]], told: Effect) -> Decision[tuple[Booked, ...]]:
    """In one commit, with one message instead of one for each."""
    together = in_one_commit(made, tuple(decision.answer for decision in made))
    quietly = tuple(effect for effect in together.effects if effect.kind != "notify")
    return replace(together, effects=(*quietly, told))
