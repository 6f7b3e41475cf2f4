"""Generated questions to the engine: small, near a change of clocks, and with everything close together, so that rules really meet.

Every rule is drawn apart and mostly left out: an example that fails shrinks to the rules that it needs. What depends on the scene is drawn by
functions that are given the dice; a strategy made anew for every example costs more than the engine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from functions.domain.availability.question import ClientBooking, Question, ResourceState
from functions.domain.booking_window import BookableDays, FixedDates, RollingDays, Unlimited, Window
from functions.domain.configuration import ClientLimits, Limits, Resource, Service
from functions.domain.hours import (
    ClosedPeriod,
    DailyInterval,
    DateOverride,
    Holiday,
    Hours,
    Season,
    Travel,
    WeeklyHours,
)
from functions.domain.instants import DAY_MINUTES, MINUTE_MS, Minute, month_bounds, month_of
from functions.domain.intervals import Interval
from functions.domain.ledger import Hold, LedgerMonth, Occupation
from tests.domain import oracles
from tests.domain.builders import BERLIN, CALENDAR, EVERY_DAY, FAR, minute
from tests.domain.zones import APIA, BEIRUT, HAVANA, LORD_HOWE, NEW_YORK, SAO_PAULO

T = TypeVar("T")
OTHER_CALENDAR = "hers"
NAMES = ("anna", "ben", "room")

# Zones with a date on which the clock changes, or a week, a month or a year ends. Their clocks do all that clocks do.
PLACES = (
    ("UTC", "2027-03-01"),
    ("UTC", "2027-02-28"),
    (BERLIN, "2027-03-28"),
    (BERLIN, "2027-10-31"),
    (BERLIN, "2027-01-01"),
    (NEW_YORK, "2027-03-14"),
    (NEW_YORK, "2027-11-07"),
    (LORD_HOWE, "2027-10-03"),
    (LORD_HOWE, "2027-04-04"),
    (SAO_PAULO, "2018-11-04"),
    (SAO_PAULO, "2018-02-18"),
    (BEIRUT, "2027-03-28"),
    (BEIRUT, "2027-10-31"),
    ("Africa/Cairo", "2027-04-30"),
    ("Africa/Cairo", "2027-10-29"),
    (HAVANA, "2027-03-14"),
    (HAVANA, "2027-11-07"),
    ("Africa/Casablanca", "2027-02-07"),
    ("Africa/Casablanca", "2027-03-14"),
    ("America/Nuuk", "2027-03-28"),
    ("Asia/Kathmandu", "2027-06-15"),
    ("Pacific/Chatham", "2027-04-04"),
    ("Pacific/Kiritimati", "2027-12-31"),
    (APIA, "2011-12-30"),
)
ZONES = tuple(dict.fromkeys(zone for zone, _ in PLACES))


class Scene(NamedTuple):
    """Where and when a question plays: near one date of one zone."""

    zone: str
    day: date
    noon: Minute


@dataclass(frozen=True)
class Dice:
    """What examples are drawn with. `rarely`: of all the rules that may take part, more than a few would close everything."""

    draw: st.DrawFn
    rarely: int

    def one_of(self, values: Sequence[T]) -> T:
        """An example shrinks to the first of them."""
        return values[self.draw(st.integers(0, len(values) - 1))]

    def now_and_then(self, *, one_in: int = 8) -> bool:
        """Whether a rule takes part; an example shrinks to not."""
        return self.draw(st.integers(0, one_in * self.rarely - 1)) == one_in * self.rarely - 1


# ---- Hours

WALL_TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 0, 15, 30, 45, 59]))
CLOSINGS = WALL_TIMES | st.just("24:00")
# What is open all day, or over the midnights and hours at which clocks change, comes often.
USUAL = st.sampled_from([("09:00", "17:00"), ("00:00", "24:00"), ("22:00", "06:00"), ("00:30", "05:15")])
OPENINGS = USUAL | USUAL | st.tuples(WALL_TIMES, CLOSINGS)
DAILY = OPENINGS.map(lambda times: DailyInterval(start=times[0], end=times[1]))
SOME_DAYS = st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days)))
DAYS = st.just(EVERY_DAY) | st.just(EVERY_DAY) | SOME_DAYS
WEEKLY = st.builds(lambda times, days: WeeklyHours(start=times[0], end=times[1], days=days), OPENINGS, DAYS)
AT_LEAST_ONE = st.lists(WEEKLY, min_size=1, max_size=2).map(tuple)
ANY_NUMBER = st.lists(WEEKLY, max_size=2).map(tuple)
ONE_OR_MORE_DAYS_AWAY = st.lists(st.integers(-2, 2), min_size=1, max_size=3, unique=True)
INTERVALS = st.lists(DAILY, max_size=2).map(tuple)


def a_date(dice: Dice, scene: Scene) -> date:
    return scene.day + timedelta(days=dice.draw(st.integers(-2, 2)))


def a_period(dice: Dice, scene: Scene) -> dict[str, date]:
    ends = sorted([a_date(dice, scene), a_date(dice, scene)])
    return {"first": ends[0], "last": ends[1]}


def some_overrides(dice: Dice, scene: Scene) -> tuple[DateOverride, ...]:
    return tuple(
        DateOverride(
            date=scene.day + timedelta(days=away),
            kind=dice.one_of(("close", "add", "replace")),
            intervals=dice.draw(INTERVALS),
        )
        for away in dice.draw(ONE_OR_MORE_DAYS_AWAY)
    )


def some_hours(dice: Dice, scene: Scene) -> Hours:
    made: dict[str, Any] = {"time_zone": scene.zone, "weekly": dice.draw(AT_LEAST_ONE)}
    if dice.now_and_then(one_in=12):
        made["weekly"] = ()
    if dice.now_and_then(one_in=3):
        made["overrides"] = some_overrides(dice, scene)
    if dice.now_and_then(one_in=8):
        made["closed"] = (ClosedPeriod(**a_period(dice, scene)),)
    if dice.now_and_then():
        made["holidays"] = (Holiday(date=a_date(dice, scene)),)
    if dice.now_and_then():
        made["seasons"] = (Season(**a_period(dice, scene), weekly=dice.draw(ANY_NUMBER)),)
    if dice.now_and_then():
        made["travel"] = (Travel(**a_period(dice, scene), time_zone=dice.one_of(ZONES)),)
    return Hours(**made)


# ---- The service

BUFFERS = (5, 10, 30, 1, 120)
FEW = (1, 1, 2, 3)
L = TypeVar("L", bound=Limits)


def some_limits(dice: Dice, of: type[L], *names: str) -> L:
    chosen = {dice.one_of(names), dice.one_of(names)} if dice.now_and_then(one_in=3) else {dice.one_of(names)}
    return of(**{name: dice.one_of(FEW) for name in sorted(chosen)})


def a_window(dice: Dice, scene: Scene) -> Window:
    match dice.draw(st.integers(0, 2)):
        case 0:
            return RollingDays(days=dice.draw(st.integers(0, 2)))
        case 1:
            return BookableDays(days=dice.draw(st.integers(1, 3)))
        case _:
            return FixedDates(**a_period(dice, scene))


def a_service(dice: Dice, scene: Scene) -> Service:
    usual = dice.one_of((30, 60, 15, 45, 50, 7, 1, 240)) if not dice.now_and_then(one_in=12) else 1500
    made: dict[str, Any] = {
        "kind": dice.one_of((*["appointment"] * 5, "event")),
        "duration_minutes": usual,
        "step_minutes": dice.one_of((30, 15, 60, 20, 5, 7, 30, 1, 1440)),
        "capacity": dice.one_of((1, 3, 2, 8)),
        "assignment": dice.one_of(("any", "all", "choice")),
        "resources": NAMES[: dice.one_of((1, 2, 1, 3))],
        "active": not dice.now_and_then(one_in=20),
        "window": a_window(dice, scene) if dice.now_and_then(one_in=4) else Unlimited(),
    }
    if dice.now_and_then():
        made["durations"] = (usual, 20, 40)
    if dice.now_and_then():
        made["offset_minutes"] = dice.one_of((5, min(made["step_minutes"], 60), 10, 7, 60))
    if dice.now_and_then(one_in=3):
        made["buffer_before_minutes"] = dice.one_of(BUFFERS)
    if dice.now_and_then(one_in=3):
        made["buffer_after_minutes"] = dice.one_of(BUFFERS)
    if dice.now_and_then():
        made["notice_minutes"] = dice.one_of((30, 60, 240, 1440, 1))
    if dice.now_and_then(one_in=5):
        made["limits"] = some_limits(dice, Limits, "per_day", "per_week", "per_month")
    if dice.now_and_then(one_in=4):
        made["client_limits"] = some_limits(dice, ClientLimits, "per_day", "per_week", "per_month", "at_once")
    return Service(id="cut", name="Haircut", **made)


# ---- What takes time


class Asked(NamedTuple):
    """What the sessions and blocks of a question are made to meet."""

    service: Service
    length: int
    now: int
    within: Interval
    starts: Sequence[Minute]  # in `within`, where the service might start if nothing were taken


def a_moment(dice: Dice, asked: Asked) -> Minute:
    """Mostly a possible start, sometimes just beside one, seldom anywhere."""
    match dice.draw(st.integers(0, 5)):
        case 0 | 1 | 2:
            return dice.one_of(asked.starts)
        case 3 | 4:
            return dice.one_of(asked.starts) + dice.one_of((1, -1, asked.length, -asked.length, 5))
        case _:
            return dice.draw(st.integers(asked.within.start - 720, asked.within.end + 720))


def some_holds(dice: Dice, now: int) -> dict[str, Hold]:
    """Some live on by a moment, some have just lapsed."""
    expiries = (now + 1, now, now - 1, now + 600_000)
    return {
        name: Hold(seats=dice.one_of(FEW), expires_at=dice.one_of(expiries))
        for name in dice.draw(st.sampled_from(["x", "xy"]))
    }


def an_occupation(dice: Dice, asked: Asked, name: str) -> Occupation:
    service = asked.service
    start, length = a_moment(dice, asked), asked.length
    before, after = service.buffer_before_minutes, service.buffer_after_minutes
    if dice.now_and_then(one_in=4):  # days and weeks away: it counts against limits there
        start += dice.draw(st.integers(-9, 9)) * DAY_MINUTES
    if dice.now_and_then() or service.kind == "event":
        length = dice.one_of((length, 30, 60, 15, 1, 90, 300))
    if dice.now_and_then():
        before, after = dice.one_of((0, 10)), dice.one_of((0, 10, 45))
    held = some_holds(dice, asked.now) if dice.now_and_then(one_in=4) else {}
    return Occupation(
        session=name,
        service="other" if dice.now_and_then() else service.id,
        start=start,
        end=start + length,
        taken_from=start - before,
        taken_until=start + length + after,
        capacity=dice.one_of((1, 2, service.capacity + 3)) if dice.now_and_then(one_in=4) else service.capacity,
        seats=dice.one_of((0, 0, 1) if held else (1, 1, 2, 0)),
        holds=held,
        scheduled=dice.draw(st.booleans()) if dice.now_and_then(one_in=8) else service.kind == "event",
    )


def a_block(dice: Dice, asked: Asked) -> tuple[str, Interval]:
    """A calendar and one busy interval in it."""
    start = a_moment(dice, asked)
    length = dice.one_of((60, 1, 0, 15, 30, 180, 2 * DAY_MINUTES, dice.draw(st.integers(0, 240))))
    return dice.one_of((CALENDAR, CALENDAR, CALENDAR, OTHER_CALENDAR)), Interval(start, start + length)


def months_of(
    name: str, sessions: Iterable[Occupation], blocks: Iterable[tuple[str, Interval]]
) -> tuple[LedgerMonth, ...]:
    """The ledger of one resource: everything stands in each month that it touches."""
    held: dict[str, dict[str, Occupation]] = {}
    busy: dict[str, dict[str, dict[str, tuple[Interval, ...]]]] = {}
    for each in sessions:
        for month in _months(each.taken):
            held.setdefault(month, {})[each.session] = each
    for number, (calendar, interval) in enumerate(blocks):
        for month in _months(interval):
            busy.setdefault(month, {}).setdefault(calendar, {})[f"ev{number}"] = (interval,)
    return tuple(
        LedgerMonth(resource=name, month=month, sessions=held.get(month, {}), blocks=busy.get(month, {}))
        for month in sorted({*held, *busy})
    )


def _months(interval: Interval) -> set[str]:
    found, at = {month_of(interval.start)}, interval.start
    while (at := month_bounds(month_of(at))[1]) < interval.end:
        found.add(month_of(at))
    return found


def some_sessions(dice: Dice, asked: Asked) -> dict[str, list[Occupation]]:
    """By resource. A session of a set stands mostly in all its ledgers."""
    names = asked.service.resources
    made: dict[str, list[Occupation]] = {name: [] for name in names}
    for number in range(dice.one_of((1, 2, 3, 0, 4))):
        session = an_occupation(dice, asked, f"s{number}")
        apart = asked.service.assignment != "all" or dice.now_and_then(one_in=4)
        for name in [dice.one_of(names)] if apart else names:
            made[name].append(session)
    return made


# ---- The question


def hours_of_all(dice: Dice, scene: Scene, count: int) -> list[Hours]:
    """Of each resource. Often the same ones, so that they can be together; else in any zone."""
    first = some_hours(dice, scene)
    places = (scene.zone, scene.zone, dice.one_of(ZONES))
    return [first] + [
        some_hours(dice, scene._replace(zone=dice.one_of(places))) if dice.one_of((False, False, True)) else first
        for _ in range(count - 1)
    ]


def might_start(scene: Scene, hours: Iterable[Hours], service: Service, length: int) -> list[Minute]:
    """The grids around the scene; where there are any, only starts from which the session ends before closing."""
    around = Interval(scene.noon - DAY_MINUTES, scene.noon + DAY_MINUTES)
    found = {
        (start, start + length <= opening.end)
        for each in hours
        for opening in oracles.working_intervals(each, around)
        for start in range(opening.start + service.offset_minutes, opening.end, service.step_minutes)
        if start in range(*around)
    }
    fitting = sorted(start for start, fits in found if fits)
    return fitting or sorted(start for start, _ in found) or [scene.noon, scene.noon + 30]


def what_is_asked(dice: Dice, scene: Scene, service: Service, starts: Sequence[Minute], length: int) -> Asked:
    """The range begins at a possible start, or an odd while before it; the moment lies in it or days before."""
    start = dice.one_of(starts)
    within = Interval(start - dice.one_of((0, 60, 7, 720)), start + dice.one_of((180, 60, 480, 1440, 2160)))
    inside = [each for each in starts if each in range(*within)]
    asked_at = dice.one_of(inside) if dice.now_and_then(one_in=4) else scene.noon - 2 * DAY_MINUTES
    now = asked_at * MINUTE_MS + dice.one_of((0, -1, 1, 59_999))
    return Asked(service, length, now, within, inside)


def a_state(dice: Dice, asked: Asked, name: str, hours: Hours, sessions: Iterable[Occupation]) -> ResourceState:
    blocks = [a_block(dice, asked) for _ in range(dice.one_of((0, 1, 2)))]
    limits = some_limits(dice, Limits, "per_day", "per_week", "per_month") if dice.now_and_then(one_in=4) else Limits()
    blocked_by = dice.one_of(((CALENDAR,), (CALENDAR,), (CALENDAR, OTHER_CALENDAR), ()))
    return ResourceState(
        resource=Resource(id=name, name=name.title(), hours=hours, limits=limits, blocked_by=blocked_by),
        months=months_of(name, sessions, blocks),
        known_until=a_moment(dice, asked) + dice.one_of((asked.length, 0)) if dice.now_and_then() else FAR,
    )


def bookings_of_a_client(dice: Dice, asked: Asked) -> tuple[ClientBooking, ...]:
    """Some have begun or are just over."""
    lately = asked.now // MINUTE_MS - dice.one_of((0, asked.length, asked.length - 1))
    starts = [dice.one_of((a_moment(dice, asked), lately)) for _ in range(dice.one_of((1, 2, 0, 3)))]
    return tuple(
        ClientBooking(
            service="other" if dice.now_and_then() else asked.service.id, start=start, end=start + asked.length
        )
        for start in starts
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Question, Interval]:
    """A question, and a range of starts of at most two days in which there is something to ask."""
    dice = Dice(draw, rarely=draw(st.sampled_from([2, 1])))
    zone, day = dice.one_of(PLACES)
    scene = Scene(zone, date.fromisoformat(day), minute(f"{day}T12:00Z"))
    service = a_service(dice, scene)
    chooses = dice.now_and_then(one_in=2 if service.durations else 15)
    duration = dice.one_of((*service.durations, 20, 60)) if chooses else None
    hours = hours_of_all(dice, scene, len(service.resources))
    length = duration or service.duration_minutes
    asked = what_is_asked(dice, scene, service, might_start(scene, hours, service, length), length)
    sessions = some_sessions(dice, asked)
    states = tuple(
        a_state(dice, asked, name, each, sessions[name]) for name, each in zip(service.resources, hours, strict=True)
    )
    question = Question(
        service=service,
        states=states[:-1] if states[1:] and dice.now_and_then(one_in=30) else states,
        now=asked.now,
        seats=dice.one_of((2, 0, 3, 4, 9)) if dice.now_and_then(one_in=4) else 1,
        duration=duration,
        resource=dice.one_of((*service.resources, *service.resources, "stranger")) if dice.now_and_then() else None,
        client=bookings_of_a_client(dice, asked) if service.client_limits.any or dice.now_and_then() else None,
        moving=dice.one_of(("s0", "s1")) if dice.now_and_then() else None,
    )
    return question, asked.within
