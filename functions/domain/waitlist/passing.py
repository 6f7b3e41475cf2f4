"""Those who are passed over, and why: whatever is free and not for somebody who waits for it is noted where an operator can read it."""

from collections.abc import Container, Iterable, Mapping, Set
from dataclasses import dataclass

from functions.domain.decision import Author, Decision, HistoryEntry
from functions.domain.instants import MINUTE_MS, Millis, Minute
from functions.domain.waitlist.entry import InLine, Place, Queue, in_order
from functions.domain.waitlist.fitting import Opening, Seat, open_but_for_limits, openings_for, waited_for
from functions.domain.waitlist.keeping import keeping
from functions.domain.waitlist.preset import RULE, Preset
from functions.domain.waitlist.quiet import quiet_until
from functions.domain.waitlist.snapshot import Waitlist

BY_HAND = "an operator decides about this one by hand"
UNWANTED = "did not want that time"
LIMITED = "has as many bookings as a client may have"
HELD_UP = "a larger party before this one waits for more seats"
CUT_OFF = "it is too late for the waitlist, and anybody may book it"
MANUAL = "an operator serves this waitlist by hand"
PAUSED = "an operator has paused this waitlist"
QUIET = "it is too late or too early to tell anybody"
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


def told_of(waitlist: Waitlist, passed: Iterable[Passed], opening: Opening, author: Author) -> tuple[HistoryEntry, ...]:
    """In the history of each of those who were passed over, where it is for another reason than before."""
    places, session = waitlist.queue.places, opening.choice.session
    return tuple(
        _told(waitlist, one.entry, "waitlist.passed_over", why=one.why, author=author, session=session)
        for one in passed
        if places[one.entry].passed_because != one.why
    )


def nobody_served(waitlist: Waitlist) -> Decision[None]:
    """Nobody can be served now. Everybody's place says why what is free is not for them, sessions keep no seat for who can't have it, and the sweep
    comes by later: the clock opens and closes things too.
    """
    before = waitlist.queue
    look = _Look.at(waitlist)
    places = {name: look.after(name, place) for name, place in before.places.items()}
    queue = before.model_copy(update={"places": places, "look_at": _next_look(waitlist)})
    history = tuple(
        _told(waitlist, name, "waitlist.kept_waiting", why=place.passed_because, author=RULE)
        for name, place in places.items()
        if place.passed_because not in (None, before.places[name].passed_because)
    )
    documents = (queue,) if queue != before else ()
    return keeping(Decision(answer=None, documents=documents, history=history), waitlist.with_queue(queue))


@dataclass(frozen=True, kw_only=True)
class _Look:
    """At a line in which nobody can be served. `closed`: of rules that serve nobody now, why. `held_up`: for whom others wait for more seats, and where."""

    waitlist: Waitlist
    closed: Mapping[Preset, str]
    held_up: Mapping[Preset, Mapping[str, Set[Seat]]]

    @classmethod
    def at(cls, waitlist: Waitlist) -> "_Look":
        return cls(
            waitlist=waitlist,
            closed={rules: why for rules in waitlist.rules if (why := _closed(waitlist, rules)) is not None},
            held_up={rules: _held_up(waitlist, rules) for rules in waitlist.rules if rules.party == "strict"},
        )

    def after(self, entry: str, place: Place) -> Place:
        limited = _limited(self.waitlist, place)
        openings = open_but_for_limits(self.waitlist, place, seats=1)
        because = next((why for each in openings if (why := self._why_not(entry, place, each, limited))), None)
        if (limited, because) == (place.limited, place.passed_because):
            return place
        return place.model_copy(update={"limited": limited, "passed_because": because})

    def _why_not(self, entry: str, place: Place, opening: Opening, limited: Container[Minute]) -> str | None:
        """First what is to be said of the place itself, then what of the rules."""
        rules = opening.preset
        if (why := _why_not(place, opening)) is not None:
            return why
        if opening.start in limited:
            return LIMITED
        if self.waitlist.is_over(opening.start, rules):
            return CUT_OFF
        if rules in self.closed:
            return self.closed[rules]
        return HELD_UP if opening.seat in self.held_up.get(rules, {}).get(entry, ()) else None


def _closed(waitlist: Waitlist, rules: Preset) -> str | None:
    if rules.mode == "manual":
        return MANUAL
    if rules.paused:
        return PAUSED
    return QUIET if quiet_until(waitlist.now, rules.quiet, waitlist.time_zone) is not None else None


def _held_up(waitlist: Waitlist, rules: Preset) -> dict[str, Set[Seat]]:
    """Of everybody in the line: the seats for which a larger party before them waits."""
    found: dict[str, Set[Seat]] = {}
    kept: frozenset[Seat] = frozenset()
    for one in in_order(waitlist.queue.places, rules):
        found[one.entry] = kept
        kept |= waited_for(waitlist, one.place, rules)
    return found


def _told(
    waitlist: Waitlist, entry: str, what: str, *, why: str | None, author: Author, session: str | None = None
) -> HistoryEntry:
    return HistoryEntry(what=what, author=author, entry=entry, service=waitlist.service.id, session=session, why=why)


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
