"""Whatever happened before, in Google and here: the ledger says what the calendar holds now and which sessions there are now.

`test_mirror_pages` holds the ledger against the rows that pages left, whatever they bring. Here a calendar lives: it is edited, tells what changed in
pages, sometimes twice, and shares its months with sessions that come, move, fill and go.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.domain.instants import DAY_MINUTES, Minute, rfc3339
from functions.domain.intervals import Interval, merge
from functions.domain.ledger import Hold, Occupation, enter, leave, move
from functions.domain.mirroring import without_orphans
from tests.domain.builders import (
    BERLIN,
    CALENDAR,
    Ledger,
    apply,
    contents,
    exception,
    google_event,
    ledger,
    minute,
    row,
    series,
    together,
    tombstone,
)
from tests.domain.mirror import RESOURCES, Mirror

Step = tuple[str, Mapping[str, Any]]

# Near the ends of months, so that what moves by days leaves one and comes into another. The horizon ends with June.
STARTS = st.sampled_from(
    [minute(f"{day}T08:00Z") for day in ("2027-02-26", "2027-03-01", "2027-03-31", "2027-04-05", "2027-06-29")]
)
MOMENTS = st.builds(lambda start, days: start + days * DAY_MINUTES, STARTS, st.integers(-3, 3))
LENGTHS = st.sampled_from([60, 1, 0, 3 * DAY_MINUTES, 40 * DAY_MINUTES])
# A rule and the dates on which it comes, up to the horizon: worked out here without a library, in wall time of Berlin.
FIRST = date(2027, 3, 1)
DATES = {
    "RRULE:FREQ=WEEKLY;COUNT=6": [FIRST + timedelta(weeks=n) for n in range(6)],
    "RRULE:FREQ=WEEKLY": [FIRST + timedelta(weeks=n) for n in range(18)],
    "RRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20270501": [FIRST + timedelta(days=10 * n) for n in range(7)],
    "RRULE:FREQ=MONTHLY": [FIRST.replace(month=month) for month in (3, 4, 5, 6, 7)],
}
RULES = st.sampled_from(sorted(DATES))
# Of some rules not every one is an occurrence.
ORIGINALS = st.sampled_from(["2027-03-01T09:00:00+01:00", "2027-03-08T09:00:00+01:00", "2027-04-05T09:00:00+02:00"])
# Few names, so that the same ones come, change and go.
SINGLES, MASTERS, SESSIONS = (
    st.sampled_from("ab"),
    st.sampled_from(["ser1", "ser1", "ser2"]),
    st.sampled_from(["s1", "s2"]),
)


# Quick to try, and what goes wrong takes several steps to go wrong.
MORE = settings(max_examples=4 * settings().max_examples)


def step(name: str, **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.fixed_dictionaries(drawn))


SESSION_STEP = step(
    "put_session",
    id_=SESSIONS,
    start=MOMENTS,
    before=st.sampled_from([0, 10 * 60]),
    after=st.sampled_from([0, DAY_MINUTES]),
    seats=st.integers(0, 2),
    held=st.booleans(),
    resources=st.sampled_from([("anna",), ("ben",), RESOURCES]),
)
STEPS = st.one_of(
    step("put_single", id_=SINGLES, start=MOMENTS, length=LENGTHS, free=st.sampled_from([False, False, True])),
    step("cancel", id_=SINGLES | MASTERS),
    step("put_series", id_=MASTERS, rule=RULES, summary=st.sampled_from(["Yoga", "Pilates"])),
    step("move_instance", of=MASTERS, original=ORIGINALS, start=MOMENTS, length=LENGTHS),
    step("cancel_instance", of=MASTERS, original=ORIGINALS),
    step("tell", again=st.booleans(), reverse=st.booleans()),
    SESSION_STEP,
    SESSION_STEP,
    step("end_session", id_=SESSIONS),
)


class History:
    """A calendar and an account's sessions as they are now; and the mirror and ledger that followed them change by change."""

    def __init__(self) -> None:
        self.calendar: dict[str, dict[str, Any]] = {}
        self.changed: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, tuple[tuple[str, ...], Occupation]] = {}
        self.mirror = Mirror()
        self.ledger: Ledger = {}

    # -- in Google

    def put(self, event: dict[str, Any]) -> None:
        self.calendar[event["id"]] = self.changed[event["id"]] = event

    def put_single(self, *, id_: str, start: Minute, length: int, free: bool) -> None:
        event = google_event(id_, rfc3339(start), rfc3339(start + length))
        self.put(event | ({"transparency": "transparent"} if free else {}))

    def put_series(self, *, id_: str, rule: str, summary: str) -> None:
        """A series that is deleted comes back only after that was told: what of its instances comes with it, Google does not say."""
        if self.changed.get(id_, {}).get("status") != "cancelled":
            self.put(series(rule, id_=id_, summary=summary))

    def cancel(self, *, id_: str) -> None:
        """A series goes with its instances; Google may still tell of those that were changed since."""
        if self.calendar.pop(id_, None) is not None:
            self.calendar = {key: each for key, each in self.calendar.items() if each.get("recurringEventId") != id_}
            self.changed[id_] = tombstone(id_)

    def move_instance(self, *, of: str, original: str, start: Minute, length: int) -> None:
        if of in self.calendar:
            self.put(exception(original, rfc3339(start), rfc3339(start + length), of=of))

    def cancel_instance(self, *, of: str, original: str) -> None:
        if of in self.calendar:
            self.put(exception(original, of=of))

    def tell(self, *, again: bool, reverse: bool) -> None:
        """One page with the last state of all that changed, in any order, at least once."""
        page = [*self.changed.values()]
        for _ in range(1 + again):
            self._take(page[::-1] if reverse else page)
        self.changed = {}

    def _take(self, page: list[dict[str, Any]]) -> None:
        kept = {each.id for each in without_orphans([row(event) for event in page])}
        self.mirror.months = self.ledger
        self.mirror.take([event for event in page if event["id"] in kept])
        self.ledger = self.mirror.months

    # -- here

    def put_session(
        self, *, id_: str, start: Minute, before: int, after: int, seats: int, held: bool, resources: tuple[str, ...]
    ) -> None:
        """A new session, or the same one at another time or fuller than before; at the resources that it has."""
        now = Occupation(
            session=id_,
            service="cut",
            start=start,
            end=start + 60,
            taken_from=start - before,
            taken_until=start + 60 + after,
            seats=seats,
            holds={"h": Hold(seats=1, expires_at=1)} if held else {},
        )
        if id_ in self.sessions:
            resources, was = self.sessions[id_]
            self.ledger = apply(self.ledger, move(resources, was, now))
        else:
            self.ledger = apply(self.ledger, enter(resources, now))
        self.sessions[id_] = (resources, now)

    def end_session(self, *, id_: str) -> None:
        if id_ in self.sessions:
            self.ledger = apply(self.ledger, leave(*self.sessions.pop(id_)))

    # -- from nothing

    def rebuilt(self) -> Ledger:
        """What the calendar and the sessions say as they are, without history and without the code that follows it."""
        ledgers = [ledger(each, of=name) for resources, each in self.sessions.values() for name in resources]
        for id_, event in self.calendar.items():
            if "recurringEventId" not in event:
                blocks = {(CALENDAR, id_): self._series(event) if "recurrence" in event else _single(event)}
                ledgers += [_until_the_horizon(ledger(blocks=blocks, of=name)) for name in RESOURCES]
        return contents(together(*ledgers))

    def _series(self, master: Mapping[str, Any]) -> list[Interval]:
        exceptions = [each for each in self.calendar.values() if each.get("recurringEventId") == master["id"]]
        replaced = {_minute_of(each["originalStartTime"]) for each in exceptions}
        walls = [datetime.combine(day, time(9)) for day in DATES[master["recurrence"][0]]]
        starts = [int(wall.replace(tzinfo=ZoneInfo(BERLIN)).timestamp()) // 60 for wall in walls]
        found = [Interval(start, start + 60) for start in starts if start not in replaced]
        return merge([*found, *(moved for each in exceptions if "start" in each for moved in _single(each))])


def _single(event: Mapping[str, Any]) -> list[Interval]:
    busy = Interval(_minute_of(event["start"]), _minute_of(event["end"]))
    return [busy] if busy.start < busy.end and "transparency" not in event else []


def _minute_of(value: Mapping[str, str]) -> Minute:
    return minute(value["dateTime"])


def _until_the_horizon(months: Ledger) -> Ledger:
    """What is busy beyond it is not projected."""
    return {place: month for place, month in months.items() if month.month <= "2027-06"}


def after(steps: list[Step]) -> History:
    history = History()
    for name, drawn in steps:
        getattr(history, name)(**drawn)
    history.tell(again=False, reverse=False)
    return history


# One page brings the deletion of a series and, late, what had been done to an instance (case 139).
DELETED_BEFORE_TOLD: list[Step] = [
    ("put_series", {"id_": "ser1", "rule": "RRULE:FREQ=WEEKLY", "summary": "Yoga"}),
    (
        "move_instance",
        {"of": "ser1", "original": "2027-03-08T09:00:00+01:00", "start": minute("2027-03-09T08:00Z"), "length": 60},
    ),
    ("cancel", {"id_": "ser1"}),
]


@MORE
@given(st.lists(STEPS, max_size=25))
@example(DELETED_BEFORE_TOLD)
def test_a_ledger_that_followed_every_change_is_the_one_built_anew(steps: list[Step]) -> None:  # case 155
    history = after(steps)
    assert contents(history.ledger) == history.rebuilt()


@MORE
@given(st.lists(STEPS, max_size=25))
def test_when_everything_is_gone_nothing_is_left(steps: list[Step]) -> None:
    history = after(steps)
    for id_ in [*history.calendar]:
        history.cancel(id_=id_)
    history.tell(again=False, reverse=False)
    for id_ in [*history.sessions]:
        history.end_session(id_=id_)
    assert contents(history.ledger) == {}
    assert history.mirror.rows == {}
