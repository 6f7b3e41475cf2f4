"""What somebody who waits could have at this moment. The engine says what is free (law 2); here only which of it they want."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from operator import attrgetter

from functions.domain.availability import Choice, Question
from functions.domain.instants import Minute
from functions.domain.intervals import Interval
from functions.domain.waitlist.entry import Place, Wish
from functions.domain.waitlist.preset import Preset
from functions.domain.waitlist.snapshot import Waitlist

Seat = tuple[Minute, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A start that a party would fit into, and the rules of the session there."""

    start: Minute
    choice: Choice
    preset: Preset

    @property
    def seat(self) -> Seat:
        """The same for everybody who could take it."""
        return self.start, self.choice.resources


def openings_for(waitlist: Waitlist, place: Place, *, seats: int | None = None) -> list[Opening]:
    """Everything open that would do for somebody in the queue, earliest first; for another number of seats than theirs on request."""
    return _wanted(waitlist, waitlist.question(place, seats=seats), place.wish, waitlist.span)


def open_but_for_limits(waitlist: Waitlist, place: Place, *, seats: int | None = None) -> list[Opening]:
    """The same, if their other bookings did not count."""
    question = replace(waitlist.question(place, seats=seats), client=None)
    return _wanted(waitlist, question, place.wish, waitlist.span)


def open_to_everybody(waitlist: Waitlist, place: Place) -> list[Opening]:
    """What somebody who does not wait yet could simply book of it."""
    span = waitlist.span_of(place.wish)
    return [] if span is None else _wanted(waitlist, waitlist.question(place, from_waitlist=False), place.wish, span)


def _wanted(waitlist: Waitlist, question: Question, wish: Wish, within: Interval) -> list[Opening]:
    span, offers = waitlist.span_of(wish), waitlist.offers(question, within)
    if span is None or not offers:
        return []
    low, high = (bisect_left(offers, edge, key=attrgetter("start")) for edge in span)
    return [
        Opening(
            start=offer.start,
            choice=choice,
            preset=waitlist.rules_of(waitlist.sessions.get(choice.session or "")),
        )
        for offer in offers[low:high]
        for choice in offer.choices
        if wish.accepts(offer.start, choice.session)
    ]


def given_by(waitlist: Waitlist, place: Place, rules: Preset, *, seats: int | None = None) -> list[Opening]:
    """What these rules have for somebody in the line."""
    if place.paused:
        return []
    return [
        opening
        for opening in openings_for(waitlist, place, seats=seats)
        if opening.preset == rules
        and opening.start not in place.declined
        and not waitlist.is_over(opening.start, rules)
    ]


def waited_for(waitlist: Waitlist, place: Place, rules: Preset) -> set[Seat]:
    """Where there is too little yet for this party, and will be enough one day: there everybody behind waits too."""
    return {
        opening.seat
        for opening in given_by(waitlist, place, rules, seats=1)
        if place.seats <= waitlist.room_in(waitlist.sessions.get(opening.choice.session or ""))
    }
