"""Those who are passed over, and why: whatever is free and not for somebody who waits for it is noted where an operator can read it."""

from collections.abc import Iterable
from dataclasses import dataclass

from functions.domain.decision import Decision
from functions.domain.instants import MINUTE_MS, Millis
from functions.domain.waitlist.entry import InLine, Place, Queue
from functions.domain.waitlist.fitting import Opening, open_but_for_limits, openings_for
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.quiet import quiet_until
from functions.domain.waitlist.snapshot import Waitlist

BY_HAND = "an operator decides about this one by hand"
UNWANTED = "did not want that time"
LIMITED = "has as many bookings as a client may have"
LOOK_AGAIN_MS = 15 * MINUTE_MS


@dataclass(frozen=True, kw_only=True)
class Passed:
    """Somebody who was before the one who is served, and would have wanted it too; and why it was not for them."""

    entry: str
    why: str


def passed_over(waitlist: Waitlist, before: Iterable[InLine], opening: Opening) -> tuple[Passed, ...]:
    """Those before in line of whom one can say that somebody behind them was served first: they wanted this very thing."""
    return tuple(
        Passed(entry=one.entry, why=_why_not(one.place, opening) or LIMITED)
        for one in before
        if _wanted(waitlist, one.place, opening)
    )


def noted(queue: Queue, passed: Iterable[Passed]) -> Queue:
    """With those who were passed over knowing it."""
    places = dict(queue.places)
    for one in passed:
        again = places[one.entry].passed_over + 1
        places[one.entry] = places[one.entry].model_copy(update={"passed_over": again, "passed_because": one.why})
    return queue.model_copy(update={"places": places})


def nobody_served(waitlist: Waitlist) -> Decision[None]:
    """Nobody can be served now. Everybody's place says why what is free is not for them, sessions keep no seat for who can't have it, and the sweep
    comes by later: the clock opens and closes things too.
    """
    before = waitlist.queue
    queue = before.model_copy(
        update={
            "places": {name: _after_a_look(waitlist, place) for name, place in before.places.items()},
            "look_at": _next_look(waitlist),
        }
    )
    documents = (queue,) if queue != before else ()
    return keeping(Decision(answer=None, documents=documents), waitlist.with_queue(queue))


def _after_a_look(waitlist: Waitlist, place: Place) -> Place:
    limited = _limited(waitlist, place)
    reasons = (
        _why_not(place, opening) or (LIMITED if opening.start in limited else None)
        for opening in open_but_for_limits(waitlist, place, seats=1)
    )
    because = next(filter(None, reasons), place.passed_because)
    if (limited, because) == (place.limited, place.passed_because):
        return place
    return place.model_copy(update={"limited": limited, "passed_because": because})


def _limited(waitlist: Waitlist, place: Place) -> tuple[int, ...]:
    """The starts that are free and that the client's other bookings keep from them, where these have been read."""
    fitting = {opening.start for opening in open_but_for_limits(waitlist, place)}
    return tuple(sorted(fitting - {opening.start for opening in openings_for(waitlist, place)}))


def _next_look(waitlist: Waitlist) -> Millis:
    """Soon, and as soon as quiet hours end; not before the look that is due anyway."""
    now, due = waitlist.now, waitlist.queue.look_at
    wakes = (quiet_until(now, preset.quiet, waitlist.time_zone) for preset in waitlist.rules)
    soon = min((now + LOOK_AGAIN_MS, *(wake for wake in wakes if wake is not None)))
    return soon if due is None or due <= now else min(due, soon)


def _wanted(waitlist: Waitlist, place: Place, opening: Opening) -> bool:
    wish, choice = place.wish, opening.choice
    length = waitlist.question(place).length
    return (
        wish.accepts(opening.start, choice.session)
        and wish.resource in (None, *choice.resources)
        and (waitlist.service.kind == "event" or choice.end - opening.start == length)
    )


def _why_not(place: Place, opening: Opening) -> str | None:
    """What the place itself says against it."""
    if place.paused:
        return BY_HAND
    if opening.start in place.declined:
        return UNWANTED
    free = opening.choice.seats_left
    if free < place.seats:
        return f"needs {place.seats} seats together, and {free} {'is' if free == 1 else 'are'} free"
    return None
