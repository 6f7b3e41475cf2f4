"""What the pure tests build things with. Every default is fixed: 2027-03-01 is a Monday, and it is a week before that.

A `Ledger` is what the store holds of months, in memory; `apply` is what a commit does to it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from functions.domain.appointments import BookingRequest
from functions.domain.availability import Question, ResourceState
from functions.domain.calendar import Calendar, Connection
from functions.domain.configuration import Resource, Service
from functions.domain.decision import Author, Effect
from functions.domain.event_ids import event_id
from functions.domain.google_event import EventTime, MirrorEvent
from functions.domain.hours import DailyInterval, DateOverride, Hours, WeeklyHours
from functions.domain.intervals import Interval
from functions.domain.ledger import LedgerChange, LedgerMonth, Occupation
from functions.domain.ledger import apply_changes as apply
from functions.domain.mirror_row import mirror_row
from functions.domain.placing import place
from functions.domain.seating import Seating
from functions.domain.session import Booking, Client, GoogleCopy, Session, Times

Place = tuple[str, str]
Ledger = dict[Place, LedgerMonth]

BERLIN = "Europe/Berlin"
WEEKDAYS = (1, 2, 3, 4, 5)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
SESSION = "0123456789abcdefghijklmnop"
CALENDAR = "cal"
FAR = 10**9  # a minute no test reaches


def minute(text: str) -> int:
    """Minutes since the epoch of an ISO instant with an offset."""
    seconds = datetime.fromisoformat(text).astimezone(UTC).timestamp()
    assert seconds % 60 == 0, text
    return int(seconds) // 60


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def span(start: str, end: str) -> Interval:
    return Interval(minute(start), minute(end))


def spans(*pairs: str) -> list[Interval]:
    """`2027-03-01T09:00Z/2027-03-01T10:00Z` → intervals, sorted."""
    return sorted(span(*pair.split("/")) for pair in pairs)


NOW = millis("2027-02-22T08:00:00+00:00")


def weekly(start: str, end: str, days: Iterable[int] = WEEKDAYS) -> WeeklyHours:
    return WeeklyHours(start=start, end=end, days=tuple(days))


def override(day: str, *intervals: tuple[str, str]) -> DateOverride:
    daily = tuple(DailyInterval(start=start, end=end) for start, end in intervals)
    return DateOverride(date=date.fromisoformat(day), intervals=daily)


def hours(*openings: WeeklyHours, zone: str = BERLIN, overrides: Iterable[DateOverride] = ()) -> Hours:
    return Hours(time_zone=zone, weekly=openings or (weekly("09:00", "17:00"),), overrides=tuple(overrides))


def resource(id_: str = "anna", **changes: Any) -> Resource:
    fields: dict[str, Any] = {"id": id_, "name": id_.title(), "hours": hours(), "blocked_by": (CALENDAR,)}
    return Resource(**fields | changes)


def service(**changes: Any) -> Service:
    fields: dict[str, Any] = {
        "id": "cut",
        "name": "Haircut",
        "duration_minutes": 60,
        "step_minutes": 30,
        "resources": ("anna",),
    }
    return Service(**fields | changes)


def occupation(
    start: str, end: str, *, session: str = SESSION, before: int = 0, after: int = 0, **more: Any
) -> Occupation:
    first, last = minute(start), minute(end)
    fields: dict[str, Any] = {
        "session": session,
        "service": "cut",
        "start": first,
        "end": last,
        "taken_from": first - before,
        "taken_until": last + after,
    }
    return Occupation(**fields | more)


def months_touched(interval: Interval) -> list[str]:
    """Slowly: the UTC month of every hour of the interval, and of its last minute."""
    minutes = [*range(interval.start, interval.end, 60), max(interval.start, interval.end - 1)]
    return sorted({datetime.fromtimestamp(m * 60, UTC).strftime("%Y-%m") for m in minutes})


def ledger(
    *occupations: Occupation,
    blocks: Mapping[tuple[str, str], Iterable[Interval]] | None = None,
    of: str = "anna",
) -> Ledger:
    """The months of one resource that hold these occupations and blocks (calendar and event → intervals)."""
    made: Ledger = {}
    for entry in occupations:
        for month in months_touched(entry.taken):
            change = LedgerChange(resource=of, month=month, sessions={entry.session: entry})
            made = apply(made, [change])
    for key, intervals in (blocks or {}).items():
        by_month: dict[str, list[Interval]] = {}
        for interval in intervals:
            for month in months_touched(interval):
                by_month.setdefault(month, []).append(interval)
        made = apply(
            made,
            [LedgerChange(resource=of, month=month, blocks={key: tuple(found)}) for month, found in by_month.items()],
        )
    return made


def contents(months: Mapping[Place, LedgerMonth]) -> Ledger:
    """Without months that say nothing."""
    return {place: month for place, month in months.items() if month.sessions or month.blocks}


def together(*ledgers: Ledger) -> Ledger:
    """One ledger with the sessions and blocks of all of these."""
    made: Ledger = {}
    for each in ledgers:
        for month in each.values():
            blocks = {
                (name, event): intervals for name, events in month.blocks.items() for event, intervals in events.items()
            }
            change = LedgerChange(resource=month.resource, month=month.month, sessions=month.sessions, blocks=blocks)
            made = apply(made, [change])
    return made


def rebuilt(*sessions: Session) -> Ledger:
    """What the ledger must say if these are all the sessions there are."""
    open_ones = (each for each in sessions if each.status == "open")
    return together(*(ledger(each.occupation, of=name) for each in open_ones for name in each.resources))


def state(
    *occupations: Occupation,
    of: Resource | None = None,
    blocks: Mapping[tuple[str, str], Iterable[Interval]] | None = None,
    known_until: int = FAR,
) -> ResourceState:
    of = of or resource()
    months = ledger(*occupations, blocks=blocks, of=of.id)
    return ResourceState(resource=of, months=tuple(months.values()), known_until=known_until)


def question(
    *occupations: Occupation,
    asked: Service | None = None,
    of: Resource | None = None,
    blocks: Mapping[tuple[str, str], Iterable[Interval]] | None = None,
    known_until: int = FAR,
    now: int = NOW,
    moving: str | None = None,
    **more: Any,
) -> Question:
    """About one resource. The service's, where it is not given, is the same."""
    known = state(*occupations, of=of, blocks=blocks, known_until=known_until)
    return Question(
        service=asked or service(resources=(known.resource.id,)), states=(known,), now=now, moving=moving, **more
    )


def among(*states: ResourceState, asked: Service | None = None, now: int = NOW, **more: Any) -> Question:
    """About several resources, in the service's order. The service's, where it is not given, are the same."""
    names = tuple(each.resource.id for each in states)
    return Question(service=asked or service(resources=names), states=states, now=now, **more)


def seating(asked: Question, start: int, *running: Session) -> Seating:
    """Where that start is served, with the session to join, if there is one among `running`."""
    choice = place(asked, start)
    joined = next((each for each in running if each.id == choice.session), None)
    return Seating(question=asked, choice=choice, start=start, running=joined)


CLIENT = Client(name="Kim", email="kim@example.com")
BY_CLIENT = Author(kind="client")
BY_OPERATOR = Author(kind="operator", name="front desk")


def request(start: str | int, **changes: Any) -> BookingRequest:
    fields: dict[str, Any] = {
        "booking": "booking1",
        "session": SESSION,
        "manage_hash": "hash",
        "start": minute(start) if isinstance(start, str) else start,
        "client": CLIENT,
    }
    return BookingRequest(**fields | changes)


def session(start: str = "2027-03-01T09:00Z", end: str = "2027-03-01T10:00Z", **changes: Any) -> Session:
    first, last = minute(start), minute(end)
    fields: dict[str, Any] = {
        "id": SESSION,
        "service": "cut",
        "resources": ("anna",),
        "start": first,
        "end": last,
        "taken_from": first,
        "taken_until": last,
        "seats": {"booking1": 1},
        "created_at": NOW,
    }
    return Session(**fields | changes)


def copy(base: str | None = None, asked: Iterable[str] = (), **changes: Any) -> GoogleCopy:
    """Times are written `start/end`."""
    fields: dict[str, Any] = {
        "calendar": CALENDAR,
        "event": event_id(SESSION, CALENDAR, 0),
        "base": times(base) if base else None,
        "asked": tuple(times(text) for text in asked),
    }
    return GoogleCopy(**fields | changes)


def times(text: str) -> Times:
    start, end = span(*text.split("/"))
    return Times(start=start, end=end)


def booking(**changes: Any) -> Booking:
    fields: dict[str, Any] = {
        "id": "booking1",
        "session": SESSION,
        "service": "cut",
        "start": minute("2027-03-01T09:00Z"),
        "resources": ("anna",),
        "client": CLIENT,
        "manage_hash": "hash",
        "created_at": NOW,
    }
    return Booking(**fields | changes)


def to_operators(subject: str = SESSION, what: str = "conflict", since: int = NOW) -> Effect:
    """That operators are told of what began then, two minutes later."""
    return Effect(kind="notify", subject=subject, about=f"inbox.{what}.{since}", not_before=since + 120_000)


def connection(**changes: Any) -> Connection:
    fields: dict[str, Any] = {
        "id": "conn",
        "status": "active",
        "subject": "10987",
        "email": "anna@example.com",
        "scopes": ("openid", "email"),
        "secret": "k1:sealed",
        "connected_at": NOW,
    }
    return Connection(**fields | changes)


def calendar(**changes: Any) -> Calendar:
    fields: dict[str, Any] = {
        "id": CALENDAR,
        "connection": "conn",
        "google_id": "anna@example.com",
        "summary": "Anna",
        "time_zone": BERLIN,
        "role": "owner",
        "resources": ("anna",),
    }
    return Calendar(**fields | changes)


def timed(instant: str, zone: str | None = None) -> dict[str, str]:
    """Google's form of a date and time."""
    return {"dateTime": instant} | ({"timeZone": zone} if zone else {})


def all_day(day: str) -> dict[str, str]:
    return {"date": day}


def google_event(
    id_: str = "ev1", start: str = "2027-03-01T09:00:00Z", end: str = "2027-03-01T10:00:00Z", **changes: Any
) -> dict[str, Any]:
    """A confirmed event as `events.list` gives it. `start` and `end` with no T are dates."""
    return {
        "id": id_,
        "status": "confirmed",
        "etag": '"1"',
        "summary": "Dentist",
        "start": timed(start) if "T" in start else all_day(start),
        "end": timed(end) if "T" in end else all_day(end),
    } | changes


def tombstone(id_: str = "ev1", **more: Any) -> dict[str, Any]:
    """All that Google promises of a deleted event."""
    return {"id": id_, "status": "cancelled"} | more


def series(*recurrence: str, id_: str = "ser1", zone: str = BERLIN, **changes: Any) -> dict[str, Any]:
    """Mondays 09:00 to 10:00 in Berlin from 2027-03-01, unless said otherwise."""
    event = google_event(id_, "2027-03-01T09:00:00+01:00", "2027-03-01T10:00:00+01:00")
    event["start"]["timeZone"] = event["end"]["timeZone"] = zone
    return event | {"recurrence": list(recurrence) or ["RRULE:FREQ=WEEKLY"]} | changes


def exception(original: str, start: str | None = None, end: str | None = None, **changes: Any) -> dict[str, Any]:
    """An exception of `ser1`: moved where a start is given, else cancelled."""
    of = changes.pop("of", "ser1")
    id_ = f"{of}_{datetime.fromisoformat(original).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    link = {"recurringEventId": of, "originalStartTime": timed(original)}
    if start is None or end is None:
        return tombstone(id_, **link) | changes
    return google_event(id_, start, end) | link | changes


def row(
    event: Mapping[str, Any], *, of: str = CALENDAR, session: str | None = None, generation: int = 1
) -> MirrorEvent:
    return mirror_row(event, calendar=of, generation=generation, session=session)


def event_time(**fields: str) -> EventTime:
    return EventTime(**fields)
