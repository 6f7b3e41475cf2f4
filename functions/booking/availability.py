"""What is free, for clients: open starts by date, the next one, how many in a month. And for operators: why a start is closed.

Answered from Firestore alone, as of the moment of the read (law 11). An answer may be kept, but must be asked for again before it is used: so a
booking made before the request is always seen, and where nothing changed hardly anything travels.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

from flask import Response
from pydantic import BaseModel

from functions.adapters.store.reading import Wanted, read_service
from functions.adapters.store.store import Reader
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_availability import (
    Availability,
    AvailabilityQuery,
    ClosedBy,
    DayCount,
    ExplainQuery,
    Explanation,
    NextQuery,
    NextStart,
    OpenDay,
    OpenStart,
    Overview,
    OverviewQuery,
    SeatsQuery,
    ServiceQuery,
)
from functions.domain.availability import (
    Choice,
    DayClosed,
    Offer,
    Question,
    explain,
    offers,
    open_starts,
    why_days_are_closed,
)
from functions.domain.availability.bounds import bounds_of
from functions.domain.availability.question import candidates
from functions.domain.errors import Invalid, NotFound
from functions.domain.horizon import new_horizon
from functions.domain.instants import (
    DAY_MINUTES,
    MINUTE_MS,
    Minute,
    minute_of_millis,
    month_bounds,
    months_between,
    rfc3339,
)
from functions.domain.intervals import Interval
from functions.domain.zones import local_date, midnight, zone

MAX_DAYS = 92
# The longest session with its buffers reaches no further from its start.
FARTHEST_TAKEN = 8 * DAY_MINUTES

CACHING = "private, no-cache"  # RFC 9111, 5.2.2.4: kept, and asked again each time


def availability(call: Call) -> Answer:
    """Every open start on some dates, grouped by the caller's dates. An answer may be kept; ask again with its ETag before it is used."""
    query = call.query(AvailabilityQuery)
    if not query.start < query.end <= query.start + timedelta(days=MAX_DAYS):
        raise Invalid(f"end must be after start, and at most {MAX_DAYS} days after it.")
    question, zone_ = _read_dates(call, query, query.start, query.end)
    days = _days(query.start, query.end, zone_)
    found = offers(question, _around(days))
    firsts = [offer.start for offer in found]
    by_day = {day: found[bisect_left(firsts, start) : bisect_left(firsts, end)] for day, (start, end) in days.items()}
    closed = _closed(question, {day: days[day] for day, on_day in by_day.items() if not on_day})
    body = Availability.model_construct(
        service=question.service.id,
        time_zone=zone_.key,
        duration_minutes=question.length,
        days=[
            OpenDay.model_construct(date=day, starts=_open_starts(question, on_day))
            if on_day
            else OpenDay.model_construct(date=day, starts=[], closed=closed[day])
            for day, on_day in by_day.items()
        ],
        unknown=_unknown(question),
    )
    return _to_be_kept(call, body)


def next_start(call: Call) -> Answer:
    """The first open start, as far ahead as can be booked at all."""
    # Looked for month by month, because it is mostly in the first.
    query = call.query(NextQuery)
    first = max(minute_of_millis(call.now), 0 if query.after is None else _minute(query.after))
    farthest = max(new_horizon(call.now), first + 1)
    reader = call.application.store.reader(call.account)
    for month in months_between(first, farthest):
        within = Interval(max(first, month_bounds(month)[0]), month_bounds(month)[1])
        question = _read_offered(call, reader, query, within)
        if found := offers(question, within):
            day = local_date(found[0].start, _zone(question, query))
            return _to_be_kept(call, NextStart(start=_open_starts(question, found[:1])[0], date=day))
        reach = _reach(question)
        if reach <= within.end:
            break
    # A session that was scheduled beyond the window has to be read to be known of; hours are known anyway.
    read_until = farthest if question.service.kind == "event" else max(min(reach, farthest), first + 1)
    question = _read(call, reader, query, Interval(first, read_until))
    beyond = Interval(first, max(farthest, first + MAX_DAYS * DAY_MINUTES))
    day = local_date(first, _zone(question, query))
    return _to_be_kept(call, NextStart(start=None, closed=_closed(question, {day: beyond})[day]))


def overview(call: Call) -> Answer:
    """How many starts each date of some months has."""
    query = call.query(OverviewQuery)
    first = date(int(query.month[:4]), int(query.month[5:]), 1)
    month = first.month - 1 + query.months
    last = date(first.year + month // 12, month % 12 + 1, 1)
    question, zone_ = _read_dates(call, query, first, last)
    days = _days(first, last, zone_)
    starts = open_starts(question, _around(days))
    counts = {day: bisect_left(starts, end) - bisect_left(starts, start) for day, (start, end) in days.items()}
    closed = _closed(question, {day: days[day] for day, count in counts.items() if not count})
    body = Overview(
        service=question.service.id,
        time_zone=zone_.key,
        days=[
            DayCount(date=day, starts=count) if count else DayCount(date=day, starts=0, closed=closed[day])
            for day, count in counts.items()
        ],
    )
    return _to_be_kept(call, body)


def explain_start(call: Call) -> Answer:
    """Every rule that closes a start, with what caused it: sessions and events by name."""
    query = call.query(ExplainQuery)
    start = _minute(query.start)
    around = Interval(start - DAY_MINUTES, start + FARTHEST_TAKEN)
    question = _read(call, call.application.store.reader(call.account), query, around)
    reasons = [
        ClosedBy(rule=reason.rule, resource=reason.resource, cause=reason.cause) for reason in explain(question, start)
    ]
    return Answer(body=Explanation(start=rfc3339(start), open=not reasons, reasons=reasons))


def _read_dates(call: Call, query: ServiceQuery, first: date, last: date) -> tuple[Question, ZoneInfo]:
    """The question for the caller's dates from `first` on, before `last`; and the zone that they are dates of."""
    around = zone(query.time_zone or "UTC")
    # A day each side: until the zone is known, the range is at most that far off.
    margin = 0 if query.time_zone else DAY_MINUTES
    within = Interval(midnight(first, around) - margin, midnight(last, around) + margin)
    question = _read_offered(call, call.application.store.reader(call.account), query, within)
    return question, _zone(question, query)


def _read_offered(call: Call, reader: Reader, query: ServiceQuery, within: Interval) -> Question:
    """Raises `Invalid`, with what would do, where no start can ever be open to what is asked for."""
    question = _read(call, reader, query, within)
    service = question.service
    if question.duration is not None and not service.offers_duration(question.duration):
        lengths = ", ".join(str(minutes) for minutes in service.durations or (service.duration_minutes,))
        raise Invalid(f"{question.duration} minutes are not offered. Choose one of: {lengths}.")
    if service.kind == "appointment" and question.seats > service.capacity:
        raise Invalid(f"There is room for {service.capacity} at a time. Ask for so many seats at most.")
    return question


def _read(call: Call, reader: Reader, query: SeatsQuery, within: Interval) -> Question:
    """The service as it is now. Raises `NotFound`."""
    wanted = Wanted(service=call.ids["service"], start=within.start, end=within.end)
    state = read_service(reader, wanted, now=call.now, stale_after=call.stale_after)
    names = [each.resource.id for each in state.states]
    if not names or query.resource not in (None, *names):
        raise NotFound(f"{query.resource or 'Nobody'} does not serve this. These do: {', '.join(names) or 'none'}.")
    return Question(
        service=state.service,
        states=state.states,
        now=call.now,
        seats=query.seats,
        duration=query.duration,
        resource=query.resource,
    )


def _zone(question: Question, query: ServiceQuery) -> ZoneInfo:
    """The caller's, or else that of who would serve them."""
    lead = next(state for state in question.states if query.resource in (None, state.resource.id))
    return zone(query.time_zone or lead.resource.hours.time_zone)


def _days(first: date, last: date, zone_: ZoneInfo) -> dict[date, Interval]:
    """The dates from `first` on, before `last`, each from midnight to midnight: 23 and 25 hours where the clock changes."""
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    midnights = [midnight(day, zone_) for day in dates]
    return {day: Interval(start, end) for day, (start, end) in zip(dates, pairwise(midnights), strict=False)}


def _around(days: Mapping[date, Interval]) -> Interval:
    return Interval(min(day.start for day in days.values()), max(day.end for day in days.values()))


def _reach(question: Question) -> Minute:
    """How far ahead anybody can be booked: to the end of the window, or of what is known of the calendars."""
    bounds = [bounds_of(question, candidate) for candidate in candidates(question)]
    return max((min(each.window.end, each.known_until) for each in bounds), default=0)


def _open_starts(question: Question, found: Iterable[Offer]) -> list[OpenStart]:
    service = question.service
    seats = service.show_seats_left and (service.kind == "event" or service.capacity > 1)
    return [_open_start(offer.start, choices, seats=seats) for offer in found for choices in _by_end(offer.choices)]


def _by_end(choices: tuple[Choice, ...]) -> Iterable[Sequence[Choice]]:
    """All together, unless scheduled sessions that begin at the same time end at different ones."""
    if len(choices) == 1 or all(choice.end == choices[0].end for choice in choices):
        return (choices,)
    by_end: dict[Minute, list[Choice]] = {}
    for choice in choices:
        by_end.setdefault(choice.end, []).append(choice)
    return by_end.values()


def _open_start(start: Minute, choices: Sequence[Choice], *, seats: bool) -> OpenStart:
    resources = choices[0].resources if len(choices) == 1 else tuple(chain.from_iterable(c.resources for c in choices))
    shown = OpenStart(start=rfc3339(start), end=rfc3339(choices[0].end), resources=resources)
    if seats:
        shown["seats_left"] = max(choice.seats_left for choice in choices)
    return shown


def _closed(question: Question, days: Mapping[date, Interval]) -> dict[date, DayClosed]:
    """Why these days offer nothing. Beyond the horizon of calendars that are in order nothing is unreachable: it is too far away."""
    reasons = why_days_are_closed(question, days) if days else {}
    if not _unknown(question):
        far = {day: DayClosed.TOO_FAR for day, why in reasons.items() if why is DayClosed.CALENDAR_UNREACHABLE}
        return reasons | far
    return reasons


def _unknown(question: Question) -> list[str]:
    asked = {state.resource.id for candidate in candidates(question) for state in candidate.states}
    now = question.now // MINUTE_MS
    return [state.resource.id for state in question.states if state.resource.id in asked and state.known_until <= now]


def _to_be_kept(call: Call, body: BaseModel) -> Answer:
    """The answer with its ETag; 304 and no body for a caller who holds the very same."""
    content = body.model_dump_json(exclude_unset=True).encode()
    response = Response(content, content_type="application/json")
    response.headers["Cache-Control"] = CACHING
    response.set_etag(sha256(content).hexdigest()[:32])
    response.make_conditional(call.request)
    return Answer(response=response)


def _minute(value: object) -> Minute:
    assert isinstance(value, int)  # the schema's validator made a minute of the instant
    return value


_SERVICE = "/v1/accounts/<id:account>/services/<id:service>"

ROUTES = (
    Route(
        method="GET",
        path=f"{_SERVICE}/availability",
        handler=availability,
        query=AvailabilityQuery,
        answer=Availability,
        revalidated=True,
    ),
    Route(
        method="GET",
        path=f"{_SERVICE}/next",
        handler=next_start,
        query=NextQuery,
        answer=NextStart,
        revalidated=True,
    ),
    Route(
        method="GET",
        path=f"{_SERVICE}/overview",
        handler=overview,
        query=OverviewQuery,
        answer=Overview,
        revalidated=True,
    ),
    Route(
        method="GET",
        path=f"{_SERVICE}/explain",
        handler=explain_start,
        access="operator",
        query=ExplainQuery,
        answer=Explanation,
    ),
)
