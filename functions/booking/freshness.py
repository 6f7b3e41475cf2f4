"""Fresh at the moment of sale: what is sold rests on calendars that were read a moment ago, even where every push was lost.

The decision is made first, by what is known. If it sells time, or can't because nobody knows the time, and a calendar of the resources that it is about was
read longer ago than the service allows (`fresh_for_minutes`), nothing is committed: the calendar is pulled, and all is read and decided anew. So no Google
call comes between a read and its commit (law 11), a sale on fresh calendars costs nothing more, and what is refused anyway asks nobody. For all of that
there are two seconds. What can't be had by then is left to the rules for calendars that can't be read (`domain.staleness`).
"""

import time
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from typing import TypeVar

from functions.adapters.store.reading import ServiceState, not_fresh
from functions.adapters.store.store import Reader
from functions.booking.routing import Call
from functions.domain.calendar import Calendar
from functions.domain.decision import Decision, Ref
from functions.domain.errors import CalendarUnknown, SeriesTaken
from functions.domain.instants import MINUTE_MS

A = TypeVar("A")

WITHIN_S = 2.0
LOOK_EVERY_S = 0.05


class NotFresh(Exception):
    """These calendars have to be pulled before the sale."""

    def __init__(self, calendars: list[Calendar]) -> None:
        super().__init__(f"{len(calendars)} calendars")
        self.calendars = calendars


@dataclass
class Sale:
    """One request that sells time, through all its attempts. Each calendar is asked for once."""

    call: Call
    asked: set[str] = field(default_factory=set)
    until: float = field(default_factory=lambda: time.monotonic() + WITHIN_S)

    def decided(
        self,
        reader: Reader,
        state: ServiceState,
        decide: Callable[[], Decision[A]],
        resources: Callable[[A], Iterable[str]],
    ) -> Decision[A]:
        """The decision, if the calendars of the resources that it takes time of are fresh, or if it takes none. Raises `NotFresh`, and what `decide` raises."""
        try:
            decision = decide()
        except (CalendarUnknown, SeriesTaken):
            now = self.call.now // MINUTE_MS
            self._must_be_fresh(reader, state, {each.resource.id for each in state.states if each.known_until <= now})
            raise
        if not decision.writes_nothing:
            self._must_be_fresh(reader, state, {*resources(decision.answer)})
        return decision

    def _must_be_fresh(self, reader: Reader, state: ServiceState, names: Set[str]) -> None:
        resources = [each.resource for each in state.states if each.resource.id in names]
        stale = not_fresh(reader, state.service, resources, now=self.call.now)
        stale = [calendar for calendar in stale if calendar.id not in self.asked]
        if stale and self._left() > 0:
            raise NotFresh(stale)

    def refresh(self, calendars: list[Calendar]) -> None:
        """Has them pulled. One that another worker is pulling at the moment is waited for instead."""
        self.asked |= {calendar.id for calendar in calendars}
        idle = [calendar.id for calendar in calendars if not calendar.lease.held(self.call.now)]
        self.call.application.sync_function.pull(self.call.account, idle, within_s=self._left(), now=self.call.now)
        waiting = {calendar.id: calendar for calendar in calendars}
        while waiting and self._left() > 0:
            waiting = {name: known for name, known in waiting.items() if self._is_being_pulled(known)}
            if waiting:
                time.sleep(LOOK_EVERY_S)

    def _is_being_pulled(self, known: Calendar) -> bool:
        """Whether somebody is at it, and it is not fresher yet than it was known."""
        now = self.call.application.store.get(self.call.account, Ref(Calendar, known.id))
        fresher = now is None or now.last_success_at != known.last_success_at
        return not fresher and now is not None and now.lease.held(self.call.now)

    def _left(self) -> float:
        return self.until - time.monotonic()


def on_fresh_calendars(call: Call, sell: Callable[[Sale], A]) -> A:
    """Runs `sell`, which decides through the `Sale`; again after each time that a calendar had to be pulled first."""
    sale = Sale(call)
    while True:
        try:
            return sell(sale)
        except NotFresh as stale:
            sale.refresh(stale.calendars)
