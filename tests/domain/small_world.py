"""A business in memory: its configuration, sessions, bookings and ledger, and the recalculations that a change of it starts, one resource after another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from functions.domain.configuration import Resource, Service
from functions.domain.decision import Decision, Effect, HistoryEntry
from functions.domain.inbox_news import InboxNews
from functions.domain.instants import months_between
from functions.domain.intervals import Interval
from functions.domain.ledger import Occupation
from functions.domain.recalculation import Decisions, Outcome, Preview, in_question, preview, recalculate
from functions.domain.session import Booking, Session
from functions.domain.standing import Scene
from tests.domain.builders import (
    CALENDAR,
    EVERY_DAY,
    FAR,
    NOW,
    Ledger,
    apply,
    booking,
    hours,
    ledger,
    minute,
    rebuilt,
    resource,
    service,
    session,
    to_operators,
    together,
    weekly,
)

DAY = "2027-03-01"
ANNA = resource(hours=hours(weekly("09:00", "17:00", EVERY_DAY), zone="UTC"))
ROOM = resource("room", hours=ANNA.hours, blocked_by=())


def at(start: str, end: str) -> tuple[str, str]:
    return f"{DAY}T{start}Z", f"{DAY}T{end}Z"


def sold(
    id_: str, start: str, end: str, *, placed: int = 0, seats: Mapping[str, int] | None = None, **more: Any
) -> Session:
    """A session on the day, whose booking has the session's name and an x; it came to its time `placed` minutes after the first one did."""
    seats = {f"{id_}x": 1} if seats is None else seats
    return session(*at(start, end), id=id_, seats=seats, created_at=NOW - 10**9 + placed * 60_000, **more)


@dataclass(frozen=True, kw_only=True)
class World:
    resources: Mapping[str, Resource] = field(default_factory=lambda: {"anna": ANNA, "room": ROOM})
    services: Mapping[str, Service] = field(default_factory=lambda: {"cut": service()})
    sessions: Mapping[str, Session] = field(default_factory=dict)
    bookings: Mapping[str, Booking] = field(default_factory=dict)
    months: Ledger = field(default_factory=dict)
    known_until: Mapping[str, int] = field(default_factory=dict)
    now: int = NOW
    history: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()

    @classmethod
    def of(cls, *sessions: Session, **more: Any) -> "World":
        """Of each session's bookings the first named was made first."""
        made = {
            key: booking(
                id=key,
                session=each.id,
                service=each.service,
                start=each.start,
                resources=each.resources,
                seats=seats,
                created_at=each.created_at + place,
                client={"name": key, "email": f"{key}@example.com"},
            )
            for each in sessions
            for place, (key, seats) in enumerate(each.seats.items())
        }
        return cls(sessions={each.id: each for each in sessions}, bookings=made, months=rebuilt(*sessions)).changed(
            **more
        )

    # Changes, as an operator or Google makes them

    def changed(self, **more: Any) -> "World":
        return replace(self, **more)

    def with_resource(self, changed: Resource) -> "World":
        return replace(self, resources={**self.resources, changed.id: changed})

    def open_from(self, start: str, end: str, name: str = "anna") -> "World":
        opened = hours(weekly(start, end, EVERY_DAY), zone="UTC")
        return self.with_resource(self.resources[name].model_copy(update={"hours": opened}))

    def with_service(self, id_: str = "cut", **changes: Any) -> "World":
        return replace(self, services={**self.services, id_: self.services[id_].model_copy(update=changes)})

    def busy(self, *spans: tuple[str, str], event: str = "dentist") -> "World":
        """An event in anna's calendar; gone, where no time is named."""
        busy = tuple(Interval(minute(start), minute(end)) for start, end in (at(*span) for span in spans))
        blank = {place: replace(month, blocks={}) for place, month in self.months.items()}
        blocks = {key: known for key, known in self.blocks.items() if key != event} | ({event: busy} if busy else {})
        external = ledger(blocks={(CALENDAR, key): known for key, known in blocks.items()})
        return replace(self, months=together(blank, external))

    @property
    def blocks(self) -> dict[str, tuple[Interval, ...]]:
        return {
            key: known
            for month in self.months.values()
            for events in month.blocks.values()
            for key, known in events.items()
        }

    def cancelled(self, key: str) -> "World":
        """A client cancels: the whole session, where nobody else sits in it."""
        sat = self.sessions[self.bookings[key].session]
        seats = {other: count for other, count in sat.seats.items() if other != key}
        left = sat.model_copy(update={"seats": seats, "status": sat.status if seats else "cancelled"})
        gone = self.bookings[key].model_copy(update={"status": "cancelled"})
        return replace(
            self, sessions={**self.sessions, sat.id: left}, bookings={**self.bookings, key: gone}
        ).with_true_ledger()

    def with_true_ledger(self) -> "World":
        blank = {place: replace(month, sessions={}) for place, month in self.months.items()}
        return replace(self, months=together(blank, rebuilt(*self.sessions.values())))

    # What follows

    def scene(self, names: Iterable[str] | None = None) -> Scene:
        names = {name for name, _ in self.months} if names is None else names
        by_name = {
            name: tuple(each for place, each in sorted(self.months.items()) if place[0] == name) for name in names
        }
        return Scene(
            resources={name: self.resources[name] for name in names if name in self.resources},
            services=self.services,
            months=by_name,
            now=self.now,
            known_until=dict.fromkeys(by_name, FAR) | dict(self.known_until),
        )

    def questioned(self, name: str = "anna") -> list[str]:
        return [entry.session for entry in in_question(self.scene([name]))]

    def decided(self, ids: Iterable[str]) -> Decisions:
        """About these sessions, by what a commit about them reads: every month that they touch, at all their resources."""
        found = [self.sessions[id_] for id_ in ids]
        places = {
            (name, month)
            for each in found
            for name in each.resources
            for month in months_between(*each.occupation.taken)
        }
        read = replace(self, months={place: month for place, month in self.months.items() if place in places})
        keys = [key for each in found for key in (*each.seats, *each.holds)]
        return recalculate(read.scene(), found, [self.bookings[key] for key in keys if key in self.bookings])

    def after(self, decision: Decision[Any]) -> "World":
        sessions, bookings = dict(self.sessions), dict(self.bookings)
        begun = {
            each.id: to_operators(each.id, since=self.now)
            for each in decision.documents
            if isinstance(each, Session) and each.conflict is not None and sessions[each.id].conflict is None
        }
        told = [each for each in decision.effects if InboxNews.of(each.about)]
        assert sorted(told, key=lambda each: each.subject) == [begun[id_] for id_ in sorted(begun)]
        for document in decision.documents:
            (sessions if isinstance(document, Session) else bookings)[document.id] = document  # type: ignore[attr-defined,index]
        return replace(
            self,
            sessions=sessions,
            bookings=bookings,
            months=apply(self.months, decision.changes),
            history=(*self.history, *decision.history),
            effects=(*self.effects, *decision.effects),
        )

    def recalculated(self, *, of: Iterable[str] | None = None, slices: int = 1) -> "World":
        """These resources, or each of them, in slices of so many sessions; and those again that the decisions ask for."""
        world, asked = self, sorted({name for name, _ in self.months} if of is None else of)
        for _ in range(100):
            if not asked:
                return world
            name = asked.pop(0)
            ids = world.questioned(name)
            for first in range(0, len(ids), slices):
                decision = world.decided(ids[first : first + slices])
                world = world.after(decision)
                asked += [each.subject for each in decision.effects if each.kind == "recalculate"]
        raise AssertionError("it never comes to rest")

    def previewed(self) -> Preview:
        scene = self.scene()
        found = [self.sessions[entry.session] for entry in in_question(scene)]
        return preview(scene, found, self.bookings.values())

    def outcomes(self) -> tuple[Outcome, ...]:
        return self.previewed().outcomes

    # How it is

    @property
    def standing(self) -> dict[str, str | None]:
        """Of each session that is open: what stands in its way."""
        return {id_: _reason(each) for id_, each in self.sessions.items() if each.status == "open"}

    @property
    def without_seats(self) -> set[str]:
        return {key for key, each in self.bookings.items() if _reason(each)}

    @property
    def told(self) -> list[str]:
        """Of clients, by their bookings. What operators are told of is looked at with each decision (`after`)."""
        told = (effect for effect in self.effects if effect.kind == "notify")
        return [effect.subject for effect in told if InboxNews.of(effect.about) is None]

    def entry(self, id_: str, name: str = "anna") -> Occupation:
        return next(
            month.sessions[id_] for (of, _), month in self.months.items() if of == name and id_ in month.sessions
        )


def _reason(document: Session | Booking) -> str | None:
    return None if document.conflict is None else document.conflict.reason
