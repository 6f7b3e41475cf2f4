"""Where a booking goes: which resources serve it, in which session; or why none can."""

from dataclasses import replace

from functions.domain.availability import TAKEN, Choice, Closed, Question, choose, nearest_starts
from functions.domain.availability.explanation import explain_candidate
from functions.domain.availability.question import candidates
from functions.domain.booking_window import Unlimited
from functions.domain.configuration import ClientLimits, Limits
from functions.domain.errors import CalendarUnknown, Invalid, Refusal, SlotTaken, StartClosed
from functions.domain.instants import Minute, rfc3339

ALTERNATIVES = 5


def place(question: Question, start: Minute) -> Choice:
    """The choice that serves `start`. Raises the refusal that says the most useful thing: `SlotTaken`, `CalendarUnknown`, `StartClosed`, `Invalid`."""
    if question.service.assignment == "choice" and question.resource is None:
        raise Invalid("Say who shall serve you: name one of the service's resources.")
    choice = choose(question, start)
    if choice is None:
        raise _refusal(question, start)
    return choice


def as_operator(question: Question) -> Question:
    """The same for an operator, whom no notice, window or limit binds; time that is taken does."""
    free = {"notice_minutes": 0, "window": Unlimited(), "limits": Limits(), "client_limits": ClientLimits()}
    states = (
        replace(state, resource=state.resource.model_copy(update={"limits": Limits()})) for state in question.states
    )
    return replace(question, service=question.service.model_copy(update=free), states=tuple(states), client=None)


def _refusal(question: Question, start: Minute) -> Refusal:
    every = [{r.rule for r in explain_candidate(question, each, start)} for each in candidates(question)]
    every = every or [{Closed.NOBODY}]
    if any(rules <= TAKEN for rules in every):
        alternatives = [rfc3339(other) for other in nearest_starts(question, start, count=ALTERNATIVES)]
        waitlist = question.service.on_full == "waitlist"
        advice = "Choose one of the alternatives, or wait for it." if waitlist else "Choose one of the alternatives."
        return SlotTaken(f"Somebody has that time. {advice}", alternatives=alternatives, waitlist=waitlist)
    if any(rules <= TAKEN | {Closed.CALENDAR_UNKNOWN} for rules in every):
        return CalendarUnknown("We can't see whether that time is free at the moment. Try again in a few minutes.")
    # Whose session or event is in the way is nobody's business: of what takes the time, clients learn only that it is taken.
    named = sorted({"taken" if rule in TAKEN else rule.value for rules in every for rule in rules})
    return StartClosed(
        f"That start is closed: {', '.join(named)}. Ask for availability and take one of its starts.", reasons=named
    )
