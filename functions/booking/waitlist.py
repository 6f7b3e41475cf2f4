"""Waiting for a seat: clients join, look where they stand, answer offers and leave; operators serve, put back and change places by hand."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from functions.adapters.signing import manage_token, secret_hash, stored_manage_token
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.reading_waitlist import read_client_bookings, read_waitlist
from functions.adapters.store.store import Reader
from functions.booking.clients import booking_answer, client_of, read_booking, stale_after
from functions.booking.idempotency import answered_once
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas import BookingAnswer, ClientDetails, Line, Minutes, Request, Seats, Slug, Start, Text
from functions.domain.appointments import Booked
from functions.domain.configuration import Resource
from functions.domain.decision import AnyRef, Decision, Ref
from functions.domain.errors import IllegalMove, NotFound, Unauthorized
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute, rfc3339, rfc3339_millis
from functions.domain.intervals import Interval
from functions.domain.session import Booking, Session
from functions.domain.waitlist import answering, joining, leaving, serving
from functions.domain.waitlist.entry import MOST_SESSIONS, Queue, WaitlistEntry, Wish, position
from functions.domain.waitlist.leaving import Change
from functions.domain.waitlist.serving import NewIds
from functions.domain.waitlist.snapshot import Waitlist

Priority = Annotated[int, Field(ge=-1000, le=1000)]


class Join(Request):
    """What is waited for: `sessions` by their ids; or a `start`; or any start from `start` on, before `end`.

    `priority`, `level` and `category` are for operators to say.
    """

    service: Slug
    sessions: tuple[Slug, ...] = Field(default=(), max_length=MOST_SESSIONS)
    start: Start | None = None
    end: Start | None = None
    resource: Slug | None = None
    duration_minutes: Minutes | None = None
    seats: Seats = 1
    client: ClientDetails
    notes: Text | None = None
    answers: Mapping[str, str] = Field(default_factory=dict)
    priority: Priority = 0
    level: Line | None = None
    category: Line | None = None

    @model_validator(mode="after")
    def _says_what_for(self) -> Self:
        if bool(self.sessions) == (self.start is not None):
            raise ValueError("name sessions, or a start (with an end, for any start from one to the other)")
        if self.end is not None and (self.start is None or self.end <= self.start):
            raise ValueError("end must be after start")
        return self


class ChangePlace(Request):
    """Clients may change `seats`; the rest is for operators."""

    seats: Seats | None = None
    priority: Priority | None = None
    level: Line | None = None
    category: Line | None = None
    paused: bool | None = None


class Promote(Request):
    """What an operator gives somebody who waits: this session or start, or whatever of what they wait for is free. `as_offer`: they are asked first."""

    session: Slug | None = None
    start: Start | None = None
    as_offer: bool = False


class PutOn(Request):
    """`paused`: an operator decides about them by hand from now on, so that the seat they leave is the next one's."""

    paused: bool = True


class OfferAnswer(BaseModel):
    """Seats that are kept until `expires_at`, if the client wants them."""

    session: str
    start: str
    end: str
    resource: str
    seats: int
    expires_at: str


class EntryAnswer(BaseModel):
    """A place on a waitlist. `position` counts those who are served before, of those who want the same, plus one."""

    id: str
    service: str
    status: str
    seats: int
    sessions: tuple[str, ...]
    start: str
    end: str
    resource: str | None = None
    position: int | None = None
    offer: OfferAnswer | None = None
    booking: str | None = None
    reason: str | None = None
    joined_at: str
    priority: int | None = None
    level: str | None = None
    category: str | None = None
    paused: bool | None = None
    passed_over: int | None = None
    passed_because: str | None = None
    client: ClientDetails | None = None
    manage_token: str | None = None
    manage_url: str | None = None


class Accepted(BaseModel):
    """What an accepted offer has become."""

    entry: EntryAnswer
    booking: BookingAnswer


@dataclass(frozen=True)
class _Joined:
    """A place that this request got, or the stored answer of the request that it repeats."""

    answer: EntryAnswer
    manage_hash: str

    def kept(self) -> dict[str, Any]:
        return self.answer.model_dump(mode="json") | {"manage_hash": self.manage_hash}

    @classmethod
    def repeated(cls, kept: Mapping[str, Any]) -> "_Joined":
        return cls(EntryAnswer.model_validate(kept), kept["manage_hash"])


def join_waitlist(call: Call) -> Answer:
    body = call.body(Join)
    if not call.caller.operator and (body.priority, body.level, body.category) != (0, None, None):
        raise Unauthorized("Only the business says who comes first; leave out priority, level and category.")
    entry_id = session_id(os.urandom(16))
    token = manage_token(call.application.settings.signing_keys[0], entry_id)
    start, end = _minute(body.start), _minute(body.end)
    around = None if start is None else Interval(start, start + 1 if end is None else end)

    def attempt(reader: Reader) -> Decision[_Joined]:
        waitlist = _read(reader, call, body.service, sessions=body.sessions, around=around)
        names = body.sessions
        if start is not None and body.end is None and (names := joining.running_at(waitlist, start, body.resource)):
            waitlist = _read(reader, call, body.service, sessions=names, around=around)
        wanted = joining.Join(
            entry=entry_id,
            manage_hash=secret_hash(token),
            client=client_of(body.client),
            wish=_wish(waitlist, body, names, around),
            seats=body.seats,
            priority=body.priority,
            level=body.level,
            category=body.category,
            notes=body.notes,
            answers=body.answers,
        )
        decision = joining.join(wanted, waitlist, author=call.caller.author)
        answer = _answer(decision.answer, _queue_after(decision, waitlist), waitlist, None)
        return decision.with_answer(_Joined(answer, decision.answer.manage_hash))

    joined = answered_once(call, attempt, keep=_Joined.kept, repeat=_Joined.repeated)
    return Answer(body=_with_token(call, joined.answer, joined.manage_hash), status=201)


def _wish(waitlist: Waitlist, body: Join, names: tuple[str, ...], around: Interval | None) -> Wish:
    if names or around is None:
        return joining.wish_for_sessions(waitlist, names)
    return Wish(start=around.start, end=around.end, resource=body.resource, duration=body.duration_minutes)


def get_entry(call: Call) -> Answer:
    reader = call.application.store.reader(call.account)
    entry, waitlist, offer = _read_entry(reader, call)
    return Answer(body=_answer(entry, waitlist.queue, waitlist, offer, operator=call.caller.operator))


def accept_offer(call: Call) -> Answer:
    def attempt(reader: Reader) -> Decision[Accepted]:
        entry, waitlist, offer = _read_entry(reader, call)
        if offer is None:
            raise IllegalMove("There is no offer to accept.", current_status=entry.status)
        if waitlist.service.client_limits.any:
            key = entry.place.client_key
            store, booking = call.application.store, offer.booking.id
            counted = read_client_bookings(reader, store, waitlist.service, key, without=booking)
            waitlist = replace(waitlist, clients={key: counted})
        decision = answering.accept(entry, offer, waitlist, author=call.caller.author)
        booked = decision.answer
        after = next((each for each in decision.documents if isinstance(each, WaitlistEntry)), entry)
        resource = reader.get(Ref(Resource, booked.session.resources[0]))
        assert resource is not None, "the session's resource was read with it"
        return decision.with_answer(
            Accepted(
                entry=_answer(after, _queue_after(decision, waitlist), waitlist, None),
                booking=booking_answer(booked.booking, booked.session, resource),
            )
        )

    accepted = call.application.store.run(call.account, attempt)
    return Answer(body=accepted)


def decline_offer(call: Call) -> Answer:
    def decide(entry: WaitlistEntry, waitlist: Waitlist, offer: Booked | None) -> Decision[WaitlistEntry]:
        if offer is None:
            raise IllegalMove("There is no offer to decline.", current_status=entry.status)
        return answering.decline(entry, offer, waitlist, author=call.caller.author)

    return _change_entry(call, decide)


def leave_waitlist(call: Call) -> Answer:
    return _change_entry(
        call,
        lambda entry, waitlist, offer: leaving.leave(entry, offer, waitlist, author=call.caller.author),
    )


def change_entry(call: Call) -> Answer:
    body = call.body(ChangePlace)
    if not call.caller.operator and any(value is not None for name, value in body if name != "seats"):
        raise Unauthorized("Only the business changes that; you may change the seats.")
    wanted = Change(**body.model_dump())
    return _change_entry(
        call, lambda entry, waitlist, _: leaving.change(entry, wanted, waitlist, author=call.caller.author)
    )


def put_back_entry(call: Call) -> Answer:
    return _change_entry(call, lambda entry, waitlist, _: leaving.put_back(entry, waitlist, author=call.caller.author))


def promote_entry(call: Call) -> Answer:
    body = call.body(Promote) if call.raw_body() else Promote()
    booking_id = session_id(os.urandom(16))
    token = manage_token(call.application.settings.signing_keys[0], booking_id)
    ids = NewIds(booking=booking_id, session=session_id(os.urandom(16)), manage_hash=secret_hash(token))

    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        entry, waitlist, _ = _read_entry(reader, call)
        turn = serving.turn_of(waitlist, entry, session=body.session, start=_minute(body.start), as_offer=body.as_offer)
        chosen = turn.opening.choice.session
        running = None if chosen is None else reader.get(Ref(Session, chosen))
        if running is not None:
            reader.load(*ledger_refs_of(running))
        decision = serving.serve(waitlist, turn, entry, ids=ids, running=running, author=call.caller.author)
        after = next(each for each in decision.documents if isinstance(each, WaitlistEntry))
        offer = decision.answer if after.status == "offered" else None
        return decision.with_answer(_answer(after, _queue_after(decision, waitlist), waitlist, offer, operator=True))

    return Answer(body=call.application.store.run(call.account, attempt))


def put_booking_on_waitlist(call: Call) -> Answer:
    """Takes a booking back; its client waits instead."""
    body = call.body(PutOn) if call.raw_body() else PutOn()
    entry_id = session_id(os.urandom(16))
    token = manage_token(call.application.settings.signing_keys[0], entry_id)

    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        booked, _ = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        also = () if booking.entry is None else (Ref(WaitlistEntry, booking.entry),)
        waitlist = _read(reader, call, booking.service, sessions=(session.id,), also=also)
        known = None if booking.entry is None else reader.get(Ref(WaitlistEntry, booking.entry))
        if known is None or known.status != "booked":
            known = leaving.entry_of(booking, entry=entry_id, manage_hash=secret_hash(token), now=call.now)
        decision = leaving.put_on(booked, known, waitlist, author=call.caller.author, paused=body.paused)
        return decision.with_answer(
            _answer(decision.answer, _queue_after(decision, waitlist), waitlist, None, operator=True)
        )

    return Answer(body=call.application.store.run(call.account, attempt), status=201)


Decide = Callable[[WaitlistEntry, Waitlist, Booked | None], Decision[WaitlistEntry]]


def _change_entry(call: Call, decide: Decide) -> Answer:
    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        entry, waitlist, offer = _read_entry(reader, call)
        decision = decide(entry, waitlist, offer)
        return decision.with_answer(
            _answer(decision.answer, _queue_after(decision, waitlist), waitlist, None, operator=call.caller.operator)
        )

    return Answer(body=call.application.store.run(call.account, attempt))


def _read(
    reader: Reader,
    call: Call,
    service: str,
    *,
    sessions: tuple[str, ...] = (),
    around: Interval | None = None,
    also: tuple[AnyRef, ...] = (),
) -> Waitlist:
    after = stale_after(call)
    return read_waitlist(reader, service, now=call.now, stale_after=after, sessions=sessions, around=around, also=also)


def _read_entry(reader: Reader, call: Call) -> tuple[WaitlistEntry, Waitlist, Booked | None]:
    """The entry, the waitlist that it is of, and what it was offered, if anything."""
    entry = reader.get(Ref(WaitlistEntry, call.ids["entry"]))
    if entry is None:
        raise NotFound("There is no such place on a waitlist.")
    wish = entry.place.wish
    also = () if entry.booking is None else (Ref(Booking, entry.booking),)
    around = Interval(wish.start, wish.end)
    waitlist = _read(reader, call, entry.service, sessions=wish.sessions, around=around, also=also)
    booking = None if entry.booking is None else reader.get(Ref(Booking, entry.booking))
    session = None if booking is None else reader.get(Ref(Session, booking.session))
    if booking is None or session is None:
        return entry, waitlist, None
    reader.load(*ledger_refs_of(session))
    return entry, waitlist, Booked(booking, session)


def _queue_after(decision: Decision[Any], waitlist: Waitlist) -> Queue:
    return next((each for each in decision.documents if isinstance(each, Queue)), waitlist.queue)


def _answer(
    entry: WaitlistEntry, queue: Queue, waitlist: Waitlist, offer: Booked | None, *, operator: bool = False
) -> EntryAnswer:
    place = queue.places.get(entry.id, entry.place)
    more: dict[str, Any] = {}
    if operator:
        more = {
            "priority": place.priority,
            "level": place.level,
            "category": place.category,
            "paused": place.paused,
            "passed_over": place.passed_over,
            "passed_because": place.passed_because,
            "client": ClientDetails.model_construct(**entry.client.model_dump()),
        }
    return EntryAnswer(
        id=entry.id,
        service=entry.service,
        status=entry.status,
        seats=place.seats,
        sessions=place.wish.sessions,
        start=rfc3339(place.wish.start),
        end=rfc3339(place.wish.end),
        resource=place.wish.resource,
        position=position(queue, entry.id, waitlist.preset),
        offer=_offer(offer) if offer is not None and entry.status == "offered" else None,
        booking=entry.booking if entry.status == "booked" else None,
        reason=entry.reason,
        joined_at=rfc3339_millis(place.joined_at),
        **more,
    )


def _offer(offer: Booked) -> OfferAnswer:
    booking, session = offer.booking, offer.session
    return OfferAnswer(
        session=session.id,
        start=rfc3339(session.start),
        end=rfc3339(session.end),
        resource=session.resources[0],
        seats=booking.seats,
        expires_at=rfc3339_millis(booking.expires_at or 0),
    )


def _with_token(call: Call, answer: EntryAnswer, manage_hash: str) -> EntryAnswer:
    settings = call.application.settings
    token = stored_manage_token(settings.signing_keys, answer.id, manage_hash)
    url = f"{settings.booking_url}/v1/accounts/{call.account}/waitlist/{answer.id}"
    return answer.model_copy(update={"manage_token": token, "manage_url": url})


def _minute(instant: object) -> Minute | None:
    assert instant is None or isinstance(instant, int)  # the schema's validator made a minute of the instant
    return instant


_ACCOUNT = "/v1/accounts/<id:account>"
_ENTRY = f"{_ACCOUNT}/waitlist/<id:entry>"

ROUTES = (
    Route(method="POST", path=f"{_ACCOUNT}/waitlist", handler=join_waitlist),
    Route(method="GET", path=_ENTRY, handler=get_entry, access="entry"),
    Route(method="PATCH", path=_ENTRY, handler=change_entry, access="entry"),
    Route(method="POST", path=f"{_ENTRY}/accept", handler=accept_offer, access="entry"),
    Route(method="POST", path=f"{_ENTRY}/decline", handler=decline_offer, access="entry"),
    Route(method="POST", path=f"{_ENTRY}/leave", handler=leave_waitlist, access="entry"),
    Route(method="POST", path=f"{_ENTRY}/promote", handler=promote_entry, access="operator"),
    Route(method="POST", path=f"{_ENTRY}/put-back", handler=put_back_entry, access="operator"),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings/<id:booking>/waitlist",
        handler=put_booking_on_waitlist,
        access="operator",
    ),
)
