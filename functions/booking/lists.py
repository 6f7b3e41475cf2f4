"""Lists for operators, page by page: bookings, sessions, who waits, history.

Each takes filters, all of which must hold, and `limit`; where there is more, the answer names `next_cursor`, which is sent with the same filters for the next
page. What is added while somebody reads shifts nothing: each is seen once. Only what itself moves, a booking to another time say, is found where it is
by then.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.pages import (
    BookingFilter,
    EntryFilter,
    HistoryFilter,
    Page,
    Part,
    SessionFilter,
)
from functions.adapters.store.records import HistoryRecord
from functions.booking.clients import booking_answer
from functions.booking.cursors import MAX_CURSOR, cursor_at, position_of
from functions.booking.fields import Day, Email, Instant, Slug
from functions.booking.routing import ID_PATTERN, Answer, Call, Route
from functions.booking.schemas import BookingAnswer, ClientAnswer, ConflictAnswer
from functions.domain.configuration import Resource
from functions.domain.decision import AuthorKind, Ref
from functions.domain.errors import Invalid
from functions.domain.instants import Millis, Minute, rfc3339, rfc3339_millis
from functions.domain.model import Model
from functions.domain.session import Booking, Client, Session
from functions.domain.transitions import BookingStatus, EntryStatus, SessionStatus
from functions.domain.waitlist.entry import Queue, WaitlistEntry
from functions.domain.zones import midnight, zone

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_CLIENT_KEY = re.compile(r"[0-9a-f]{32}")


def _client_key(text: str) -> str:
    if _CLIENT_KEY.fullmatch(text):
        return text
    try:
        return Client(email=_EMAIL.validate_python(text)).key
    except ValidationError:
        raise ValueError("is neither an e-mail address nor the key of a client") from None


Id = Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]
# By e-mail address, or by the key that answers to operators hold: that one may stand in the logs of whoever keeps the addresses that are asked for.
WhichClient = Annotated[str, Field(max_length=254), AfterValidator(_client_key)]


class ListQuery(Model):
    """What every list takes. A filter that it does not know is refused: the answer would not be what was meant."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=500)
    cursor: Annotated[str, Field(max_length=MAX_CURSOR)] | None = None


class BookingsQuery(ListQuery):
    """`start` and `end`: dates in the account's zone, of which the session begins on the first or later, and before the last."""

    start: Day | None = None
    end: Day | None = None
    resource: Slug | None = None
    service: Slug | None = None
    client: WhichClient | None = None
    status: BookingStatus | None = None
    session: Id | None = None


class SessionsQuery(ListQuery):
    """Dates as those of `BookingsQuery`."""

    start: Day | None = None
    end: Day | None = None
    resource: Slug | None = None
    service: Slug | None = None
    status: SessionStatus | None = None


class WaitlistQuery(ListQuery):
    """`session`: one of those that an entry names."""

    service: Slug | None = None
    session: Id | None = None
    client: WhichClient | None = None
    status: EntryStatus | None = None


class HistoryQuery(ListQuery):
    session: Id | None = None
    booking: Id | None = None
    resource: Id | None = None
    calendar: Id | None = None
    service: Id | None = None
    entry: Id | None = None


class BookingList(Model):
    bookings: list[BookingAnswer]
    next_cursor: str | None = None


class ListedSession(Model):
    """A session in short. `seats_taken` are sold, `seats_left` what can still be sold; what is in neither is held, or over the capacity."""

    id: str
    service: str
    resources: tuple[str, ...]
    start: Instant
    end: Instant
    status: SessionStatus
    capacity: int
    seats_taken: int
    seats_left: int
    scheduled: bool
    closed: bool
    series: str | None
    waitlist: str | None
    conflict: ConflictAnswer | None
    cancelled_by: AuthorKind | None
    reason: str | None

    @classmethod
    def of(cls, session: Session, now: Millis) -> Self:
        conflict = session.conflict
        shown = session.model_dump(include=set(cls.model_fields)) | {
            "start": rfc3339(session.start),
            "end": rfc3339(session.end),
            "seats_taken": session.occupation.seats,
            "seats_left": session.occupation.seats_left(now) if session.status == "open" else 0,
            "conflict": conflict and {"reason": conflict.reason, "since": rfc3339_millis(conflict.since)},
        }
        return cls.model_validate(shown)


class SessionList(Model):
    sessions: list[ListedSession]
    next_cursor: str | None = None


class ListedEntry(Model):
    """Somebody who waits or waited. `start` and `end`: between which a start would do, where no `sessions` are named. `passed_because`: as in
    `EntryAnswer`.
    """

    id: str
    service: str
    client: ClientAnswer
    client_key: str
    seats: int
    sessions: tuple[str, ...]
    start: Instant
    end: Instant
    resource: str | None
    status: EntryStatus
    booking: str | None
    priority: int
    level: str | None
    category: str | None
    joined_at: Instant
    passed_over: int
    passed_because: str | None
    ended_by: str | None
    reason: str | None

    @classmethod
    def of(cls, entry: WaitlistEntry, queue: Queue | None) -> Self:
        """`queue`: the one that it is in, which alone knows what has become of the place since."""
        place = entry.place if queue is None else queue.places.get(entry.id, entry.place)
        wish = place.wish
        named = set(cls.model_fields)
        shown = entry.model_dump(include=named) | place.model_dump(include=named) | wish.model_dump(include=named)
        shown |= {"start": rfc3339(wish.start), "end": rfc3339(wish.end), "joined_at": rfc3339_millis(place.joined_at)}
        return cls.model_validate(shown | {"client": ClientAnswer.of(entry.client)})


class EntryList(Model):
    entries: list[ListedEntry]
    next_cursor: str | None = None


class Told(Model):
    """What happened, by whom, to what. `before` and `after`: what changed, for people."""

    at: Instant
    what: str
    author_kind: AuthorKind
    author_name: str
    session: str | None
    booking: str | None
    resource: str | None
    calendar: str | None
    service: str | None
    entry: str | None
    why: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @classmethod
    def of(cls, record: HistoryRecord) -> Self:
        shown = record.model_dump(mode="json", include=set(cls.model_fields))
        return cls.model_validate(shown | {"at": rfc3339_millis(record.at)})


class HistoryList(Model):
    history: list[Told]
    next_cursor: str | None = None


def list_bookings(call: Call) -> Answer:
    """The bookings, by the time at which their session begins, the earliest first."""
    query = call.query(BookingsQuery)
    start, end = _period(call, query.start, query.end)
    wanted = BookingFilter(
        start=start,
        end=end,
        resource=query.resource,
        service=query.service,
        client_key=query.client,
        status=query.status,
        session=query.session,
    )
    page = queries.bookings_page(call.application.store, call.account, wanted, part_of(call, query))
    answers = list(_answers(call, page.documents))
    return Answer(body=BookingList(bookings=answers, next_cursor=next_of(call, query, page)))


def _answers(call: Call, bookings: list[Booking]) -> Iterable[BookingAnswer]:
    reader = call.application.store.reader(call.account)
    reader.load(
        *{Ref(Session, booking.session) for booking in bookings},
        *{Ref(Resource, booking.resources[0]) for booking in bookings},
    )
    for booking in bookings:
        session = reader.get(Ref(Session, booking.session))
        resource = reader.get(Ref(Resource, booking.resources[0]))
        if session is not None and resource is not None:
            yield booking_answer(booking, session, resource, operator=True)


def list_sessions(call: Call) -> Answer:
    """The sessions, by the time at which they begin, the earliest first."""
    query = call.query(SessionsQuery)
    start, end = _period(call, query.start, query.end)
    wanted = SessionFilter(start=start, end=end, resource=query.resource, service=query.service, status=query.status)
    page = queries.sessions_page(call.application.store, call.account, wanted, part_of(call, query))
    answers = [ListedSession.of(session, call.now) for session in page.documents]
    return Answer(body=SessionList(sessions=answers, next_cursor=next_of(call, query, page)))


def list_waitlist(call: Call) -> Answer:
    """Who waits or waited, in the order in which they joined. Whose turn it is depends on priority and levels too: each entry tells its own."""
    query = call.query(WaitlistQuery)
    wanted = EntryFilter(service=query.service, session=query.session, client_key=query.client, status=query.status)
    page = queries.entries_page(call.application.store, call.account, wanted, part_of(call, query))
    reader = call.application.store.reader(call.account)
    reader.load(*{Ref(Queue, entry.service) for entry in page.documents if entry.status == "waiting"})
    answers = [
        ListedEntry.of(entry, reader.get(Ref(Queue, entry.service)) if entry.status == "waiting" else None)
        for entry in page.documents
    ]
    return Answer(body=EntryList(entries=answers, next_cursor=next_of(call, query, page)))


def history(call: Call) -> Answer:
    """What happened, the newest first."""
    # The changes of state that history keeps for rebuilding are not shown.
    query = call.query(HistoryQuery)
    wanted = HistoryFilter(**query.model_dump(exclude={"limit", "cursor"}))
    page = queries.history_page(call.application.store, call.account, wanted, part_of(call, query))
    told = [Told.of(record) for record in page.documents]
    return Answer(body=HistoryList(history=told, next_cursor=next_of(call, query, page)))


def _period(call: Call, first: Any, last: Any) -> tuple[Minute | None, Minute | None]:
    """The minutes at which two dates begin in the account's zone."""
    if first is None and last is None:
        return None, None
    if first is not None and last is not None and last <= first:
        raise Invalid("end must be after start.")
    zone_ = zone(account_of(call.application.store.reader(call.account)).time_zone)
    return None if first is None else midnight(first, zone_), None if last is None else midnight(last, zone_)


def part_of(call: Call, query: ListQuery) -> Part:
    """The part of the list that is asked for. Raises `Invalid` for a cursor of another list."""
    after = None if query.cursor is None else position_of(query.cursor, question=_question(call, query))
    return Part(limit=query.limit, after=after)


def next_of(call: Call, query: ListQuery, page: Page[Any]) -> str | None:
    """The cursor of the page after this one, if there is one."""
    return None if page.last is None else cursor_at(page.last, question=_question(call, query))


def _question(call: Call, query: ListQuery) -> str:
    filters = query.model_dump_json(exclude={"limit", "cursor"}, exclude_none=True)
    return f"{call.request.path} {filters}"


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(
        method="GET",
        path=f"{_ACCOUNT}/bookings",
        handler=list_bookings,
        access="operator",
        query=BookingsQuery,
        answer=BookingList,
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/sessions",
        handler=list_sessions,
        access="operator",
        query=SessionsQuery,
        answer=SessionList,
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/waitlist",
        handler=list_waitlist,
        access="operator",
        query=WaitlistQuery,
        answer=EntryList,
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/history",
        handler=history,
        access="operator",
        query=HistoryQuery,
        answer=HistoryList,
    ),
)
