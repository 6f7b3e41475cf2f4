"""Sessions that an operator schedules: one, or one at each start that a rule names.

An operator is bound by no hours, notice, window or limit. But time that is taken is taken; and where nobody can know whether it is, nothing is
scheduled (law 6).
"""

from dataclasses import dataclass, replace
from typing import Any

from functions.domain.availability import TAKEN, Choice, Question, Reason
from functions.domain.availability.explanation import against_time
from functions.domain.availability.question import Candidate, Needs, candidates
from functions.domain.configuration import Service
from functions.domain.decision import Author, Decision, Effect, HistoryEntry, in_one_commit
from functions.domain.errors import CalendarUnknown, Invalid, StartClosed, TimeTaken
from functions.domain.horizon import new_horizon
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Millis, Minute, rfc3339
from functions.domain.intervals import Interval
from functions.domain.ledger import enter
from functions.domain.recurrence import starts_of_rule
from functions.domain.recurrence_rule import TooDense
from functions.domain.seating import Seating, new_session, push_of, times_of
from functions.domain.session import Session

MOST_STARTS = 100
_FAR_BEYOND = 10 * 366 * DAY_MINUTES  # so far past the horizon a rule without an end shows that it has none


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be scheduled: a session at each of `starts`, which gets the id in the same place of `ids`. `length` in minutes, `capacity` in seats.

    `resources`: those that an operator named; none leaves it to the service. `waitlist`: a preset that holds for these sessions instead of the
    service's. `series`: what they share, if they come of one rule.
    """

    starts: tuple[Minute, ...]
    ids: tuple[str, ...]
    length: int
    capacity: int
    resources: tuple[str, ...] = ()
    waitlist: str | None = None
    series: str | None = None


@dataclass(frozen=True, kw_only=True)
class TakenStart:
    """A start at which nothing can be scheduled, and what takes its time."""

    start: Minute
    reasons: tuple[Reason, ...]

    def shown(self) -> dict[str, Any]:
        """As operators read it."""
        reasons = [{"rule": r.rule.value, "resource": r.resource, "cause": dict(r.cause)} for r in self.reasons]
        return {"start": rfc3339(self.start), "reasons": reasons}


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """`skipped`: the starts that were taken, and so left out."""

    sessions: tuple[Session, ...]
    skipped: tuple[TakenStart, ...] = ()


def starts_by_rule(rule: str, first: Minute, *, zone_name: str, now: Millis) -> tuple[Minute, ...]:
    """The start at `first` and every other that an RFC 5545 rule names, at the same wall time of the zone. Raises `Invalid`, `StartClosed`."""
    try:
        starts = starts_of_rule(rule, first, zone_name=zone_name, until=new_horizon(now) + _FAR_BEYOND)
    except TooDense:
        starts = [first] * (MOST_STARTS + 1)
    except (ValueError, OverflowError):
        raise Invalid("Write a rule that can recur, such as FREQ=WEEKLY;COUNT=10.") from None
    if len(starts) > MOST_STARTS:
        raise Invalid(f"The rule names more than {MOST_STARTS} starts. Give it a COUNT or an UNTIL.")
    if first not in starts:
        raise Invalid("The rule does not name start itself. Begin at the first start that it names.")
    must_be_in_reach(Interval(first, starts[-1]), now)
    return tuple(starts)


def must_be_in_reach(time: Interval, now: Millis) -> None:
    """Raises `StartClosed` for time that begins in the past, and for time that ends beyond all that is ever known of calendars."""
    if time.start * MINUTE_MS <= now:
        raise StartClosed("That start is past. Choose one that lies ahead.", reasons=["too_soon"])
    if time.end > new_horizon(now):
        until = rfc3339(new_horizon(now))
        raise StartClosed(f"Calendars are read until {until}. Choose a time before that.", reasons=["too_far"])


def schedule(plan: Plan, question: Question, *, author: Author, skip_taken: bool = False) -> Decision[Scheduled]:
    """Makes all of the plan's sessions or, where a start is taken, none. `skip_taken` leaves those starts out, as long as there is another.

    `question`: the service at its resources, over all the time that the sessions take. Where any of them can serve, the first that is free does.
    Raises `TimeTaken`, which names every start that is taken; `CalendarUnknown`, `StartClosed`, `Invalid`.
    """
    asked = replace(question, duration=plan.length, resource=_named(question.service, plan.resources))
    _must_make_sense(plan, asked)
    made: list[Decision[Session]] = []
    taken: list[TakenStart] = []
    for id_, start in zip(plan.ids, plan.starts, strict=True):
        found = _free(asked, start)
        if isinstance(found, TakenStart):
            taken.append(found)
            continue
        made.append(_scheduled(plan, asked, found, start, id_, author))
        asked = asked.after(made[-1].changes)
    if taken and not (skip_taken and made):
        raise _time_taken(taken, len(plan.starts))
    sessions = tuple(decision.answer for decision in made)
    return in_one_commit(made, Scheduled(sessions=sessions, skipped=tuple(taken)))


def _named(service: Service, resources: tuple[str, ...]) -> str | None:
    """The one that an operator chose, if they did. Raises `Invalid`."""
    every = ", ".join(service.resources)
    if service.assignment == "all":
        if resources and {*resources} != {*service.resources}:
            raise Invalid(f"This takes all of its resources: {every}. Name them all, or none.")
        return None
    if len(resources) > 1 or not {*resources} <= {*service.resources}:
        raise Invalid(f"Name one of the service's resources: {every}.")
    if not resources and service.assignment == "choice":
        raise Invalid(f"Say who shall serve: {every}.")
    return resources[0] if resources else None


def _must_make_sense(plan: Plan, question: Question) -> None:
    """Nobody could join what is refused here."""
    service = question.service
    if service.kind == "appointment" and service.capacity == 1:
        raise Invalid("Sessions are scheduled of events, and of appointments that several clients share.")
    if service.kind == "appointment" and not service.offers_duration(plan.length):
        raise Invalid(f"{service.id} does not offer {plan.length} minutes.")
    if not candidates(question):
        raise Invalid("A resource of this service does not exist any more.")
    for start in plan.starts:
        must_be_in_reach(Interval(start, _taken(question, start).end), question.now)


def _free(question: Question, start: Minute) -> Candidate | TakenStart:
    """Who serves that start. Raises `CalendarUnknown` where nobody can say."""
    every: list[Reason] = []
    known = False
    for candidate in candidates(question):
        reasons = _in_the_way(question, candidate, start)
        if not reasons:
            return candidate
        known = known or {reason.rule for reason in reasons} <= TAKEN
        every += (reason for reason in reasons if reason.rule in TAKEN)
    if not known:
        raise CalendarUnknown("Nobody can see whether that time is free at the moment. Try again in a few minutes.")
    return TakenStart(start=start, reasons=tuple(every))


def _in_the_way(question: Question, candidate: Candidate, start: Minute) -> tuple[Reason, ...]:
    """What takes the time that a session of `question.length` minutes would need there, buffers included."""
    core = Interval(start, start + question.length)
    return against_time(question, candidate, core=core, taken=_taken(question, start))


def _taken(question: Question, start: Minute) -> Interval:
    needs = Needs.of(question)
    return Interval(start - needs.before, start + needs.reach)


def _scheduled(
    plan: Plan, question: Question, candidate: Candidate, start: Minute, id_: str, author: Author
) -> Decision[Session]:
    choice = Choice(resources=candidate.ids, session=None, end=start + plan.length, seats_left=plan.capacity)
    own = {"scheduled": True, "capacity": plan.capacity, "waitlist": plan.waitlist, "series": plan.series}
    session = new_session(Seating(question=question, choice=choice, start=start), id_).model_copy(update=own)
    entry = HistoryEntry(
        what="session.scheduled",
        author=author,
        session=session.id,
        resource=session.resources[0],
        service=session.service,
        after=times_of(session) | {"resources": list(session.resources), **own},
    )
    return Decision(
        answer=session,
        documents=(session,),
        changes=enter(session.resources, session.occupation),
        history=(entry,),
        # Who waits for the service may find a seat here.
        effects=(*push_of(session), Effect(kind="promote", subject=session.service)),
    )


def _time_taken(taken: list[TakenStart], of: int) -> TimeTaken:
    if of == 1:
        return TimeTaken("Nothing was scheduled. Choose another time.", taken=[each.shown() for each in taken])
    return TimeTaken(
        f"{len(taken)} of {of} starts are taken, so nothing was scheduled. Choose other times, or send skip_taken to leave these out.",
        taken=[each.shown() for each in taken],
    )
