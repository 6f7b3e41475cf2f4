"""Waiting for a seat: clients join, look where they stand, answer offers and leave; operators serve, put back and change places by hand."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.adapters.signing import new_managed_id
from functions.adapters.store.reading_waitlist import EntryState, read_entry, read_standing, read_waitlist
from functions.adapters.store.store import Reader
from functions.booking.clients import (
    NOT_SOLD,
    accept,
    booking_answer,
    client_of,
    counted_bookings,
    read_booking,
    with_token,
)
from functions.booking.freshness import Sale, on_fresh_calendars
from functions.booking.idempotency import answered_once
from functions.booking.rate_limits import limited
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_waitlist import (
    Accepted,
    ChangePlace,
    EntryAnswer,
    Join,
    Promote,
    PutOn,
)
from functions.booking.waitlist_answers import answer_after, entry_answer, with_entry_token
from functions.domain.answers import checked
from functions.domain.appointments import Booked
from functions.domain.configuration import Resource
from functions.domain.decision import AnyRef, Decision, Ref
from functions.domain.errors import (
    AlreadyWaiting,
    HoldLapsed,
    IllegalMove,
    NoWaitlist,
    SeatFree,
    SlotTaken,
    StartClosed,
    Unauthorized,
)
from functions.domain.event_ids import session_id
from functions.domain.instants import Minute
from functions.domain.waitlist import answering, joining, leaving, serving
from functions.domain.waitlist.entry import WaitlistEntry, Wish
from functions.domain.waitlist.joining import Asked
from functions.domain.waitlist.leaving import Change
from functions.domain.waitlist.serving import NewIds
from functions.domain.waitlist.snapshot import Waitlist


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
    """Waits for a seat: in sessions, at a start, or at any start of a range."""
    body = call.body(Join)
    if not call.caller.operator and (body.priority, body.level, body.category) != (0, None, None):
        raise Unauthorized("Only the business says who comes first; leave out priority, level and category.")
    new = new_managed_id(call.application.settings.signing_keys)
    asked = Asked(
        sessions=body.sessions,
        start=_minute(body.start),
        end=_minute(body.end),
        resource=body.resource,
        duration=body.duration_minutes,
    )
    time = asked.time(call.now)

    def attempt(reader: Reader) -> Decision[_Joined]:
        wishes = () if time is None else (time,)
        waitlist = _read(reader, call, body.service, sessions=body.sessions, wishes=wishes)
        wish = joining.wish_of(asked, waitlist)
        if wish != time:
            waitlist = _read(reader, call, body.service, wishes=(wish,))
        wanted = joining.Join(
            entry=new.id,
            manage_hash=new.manage_hash,
            client=client_of(body.client),
            wish=wish,
            seats=body.seats,
            priority=body.priority,
            level=body.level,
            category=body.category,
            notes=body.notes,
            answers=checked(waitlist.service, body.answers),
        )
        # Whom their limits keep from booking what is free may wait for it.
        counted = counted_bookings(reader, call, waitlist.service, wanted.client)
        if counted is not None:
            waitlist = waitlist.with_client(wanted.client.key, counted)
        decision = joining.join(wanted, waitlist, author=call.caller.author)
        answer = answer_after(decision, decision.answer, waitlist)
        return decision.with_answer(_Joined(answer, decision.answer.manage_hash))

    within = limited(call, attempt, "bookings", email=body.client.email)
    joined = answered_once(call, within, keep=_Joined.kept, repeat=_Joined.repeated)
    return Answer(body=with_entry_token(call, joined.answer, joined.manage_hash), status=201)


def get_entry(call: Call) -> Answer:
    """A place on the waitlist, and the offer that it has."""
    reader = call.application.store.reader(call.account)
    state = read_standing(reader, call.ids["entry"], now=call.now)
    return Answer(body=entry_answer(state.entry, state.waitlist, state.offer, operator=call.caller.operator))


def accept_offer(call: Call) -> Answer:
    """Books what was offered. Accepting twice is once."""

    def attempt(reader: Reader, sale: Sale) -> Decision[tuple[EntryAnswer, Booked, Resource]]:
        state = _read_entry(reader, call)
        decision = accept(reader, call, state, sale)
        booked = decision.answer
        after = next((each for each in decision.documents if isinstance(each, WaitlistEntry)), state.entry)
        resource = reader.get(Ref(Resource, booked.session.resources[0]))
        assert resource is not None, "the session's resource was read with it"
        return decision.with_answer((answer_after(decision, after, state.waitlist), booked, resource))

    def sell(sale: Sale) -> tuple[EntryAnswer, Booked, Resource]:
        within = limited(call, lambda reader: attempt(reader, sale), "changes")
        return call.application.store.run(call.account, within)

    entry, booked, resource = on_fresh_calendars(call, sell)
    booking = booking_answer(booked.booking, booked.session, resource)
    # The client has had no answer yet that told them how to change the booking.
    return Answer(body=Accepted(entry=entry, booking=with_token(call, booking, booked.booking.manage_hash)))


def decline_offer(call: Call) -> Answer:
    """Declines what was offered; the client goes on waiting."""
    return _change_entry(
        call, lambda state: answering.decline(state.entry, state.offer, state.waitlist, author=call.caller.author)
    )


def leave_waitlist(call: Call) -> Answer:
    """The client waits no longer; what was offered to them is free."""
    return _change_entry(
        call, lambda state: leaving.leave(state.entry, state.offer, state.waitlist, author=call.caller.author)
    )


def change_entry(call: Call) -> Answer:
    """Changes a place: its seats; and, for operators, its priority, level, category and whether it is paused."""
    body = call.body(ChangePlace)
    if not call.caller.operator and body.model_fields_set - {"seats"}:
        raise Unauthorized("Only the business changes that; you may change the seats.")
    wanted = Change(**body.model_dump(exclude_unset=True))  # type: ignore[typeddict-item]  # its fields are the same
    return _change_entry(
        call, lambda state: leaving.change(state.entry, wanted, state.waitlist, author=call.caller.author)
    )


def put_back_entry(call: Call) -> Answer:
    """Who left, or waited in vain, waits again at the place they had."""
    return _change_entry(call, lambda state: leaving.put_back(state.entry, state.waitlist, author=call.caller.author))


def promote_entry(call: Call) -> Answer:
    """Gives somebody who waits a booking, or an offer of it, before their turn."""
    body = call.body(Promote)
    new = new_managed_id(call.application.settings.signing_keys)
    ids = NewIds(booking=new.id, session=session_id(os.urandom(16)), manage_hash=new.manage_hash)

    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        state = _read_entry(reader, call)
        entry, waitlist = state.entry, state.waitlist
        turn = serving.turn_of(waitlist, entry, session=body.session, start=_minute(body.start), as_offer=body.as_offer)
        decision = serving.serve(waitlist, turn, entry, ids=ids, author=call.caller.author)
        after = next(each for each in decision.documents if isinstance(each, WaitlistEntry))
        return decision.with_answer(answer_after(decision, after, waitlist, decision.answer, operator=True))

    return Answer(body=answered_once(call, attempt, keep=_kept, repeat=EntryAnswer.model_validate, status=200))


def put_booking_on_waitlist(call: Call) -> Answer:
    """Takes a booking back; its client waits instead."""
    body = call.body(PutOn)
    new = new_managed_id(call.application.settings.signing_keys)

    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        booked, _ = read_booking(reader, call.ids["booking"])
        booking, session = booked.booking, booked.session
        start = Wish(starts=(session.start,), start=session.start, end=session.start + 1)
        also = () if booking.entry is None else (Ref(WaitlistEntry, booking.entry),)
        waitlist = _read(reader, call, booking.service, sessions=(session.id,), wishes=(start,), also=also)
        known = None if booking.entry is None else reader.get(Ref(WaitlistEntry, booking.entry))
        if known is None or (known.status, known.booking) != ("booked", booking.id):
            known = leaving.entry_of(booking, entry=new.id, manage_hash=new.manage_hash, now=call.now)
        decision = leaving.put_on(booked, known, waitlist, author=call.caller.author, paused=body.paused)
        return decision.with_answer(answer_after(decision, decision.answer, waitlist, operator=True))

    return Answer(body=answered_once(call, attempt, keep=_kept, repeat=EntryAnswer.model_validate), status=201)


def _kept(answer: EntryAnswer) -> dict[str, Any]:
    return answer.model_dump(mode="json")


def _change_entry(call: Call, decide: Callable[[EntryState], Decision[WaitlistEntry]]) -> Answer:
    def attempt(reader: Reader) -> Decision[EntryAnswer]:
        state = _read_entry(reader, call)
        decision = decide(state)
        after = decision.answer
        return decision.with_answer(answer_after(decision, after, state.waitlist, operator=call.caller.operator))

    return Answer(body=call.application.store.run(call.account, limited(call, attempt, "changes")))


def _read(
    reader: Reader,
    call: Call,
    service: str,
    *,
    sessions: tuple[str, ...] = (),
    wishes: tuple[Wish, ...] = (),
    also: tuple[AnyRef, ...] = (),
) -> Waitlist:
    after = call.stale_after
    return read_waitlist(reader, service, now=call.now, stale_after=after, sessions=sessions, wishes=wishes, also=also)


def _read_entry(reader: Reader, call: Call) -> EntryState:
    return read_entry(reader, call.ids["entry"], now=call.now, stale_after=call.stale_after)


def _minute(instant: object) -> Minute | None:
    assert instant is None or isinstance(instant, int)  # the schema's validator made a minute of the instant
    return instant


_ACCOUNT = "/v1/accounts/<id:account>"
_ENTRY = f"{_ACCOUNT}/waitlist/<id:entry>"

ROUTES = (
    Route(
        method="POST",
        path=f"{_ACCOUNT}/waitlist",
        handler=join_waitlist,
        body=Join,
        answer=EntryAnswer,
        status=201,
        refusals=(NoWaitlist, SeatFree, AlreadyWaiting, StartClosed, IllegalMove),
        once=True,
    ),
    Route(method="GET", path=_ENTRY, handler=get_entry, access="entry", answer=EntryAnswer),
    Route(
        method="PATCH",
        path=_ENTRY,
        handler=change_entry,
        access="entry",
        body=ChangePlace,
        answer=EntryAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_ENTRY}/accept",
        handler=accept_offer,
        access="entry",
        answer=Accepted,
        refusals=(*NOT_SOLD, HoldLapsed, IllegalMove),
    ),
    Route(
        method="POST",
        path=f"{_ENTRY}/decline",
        handler=decline_offer,
        access="entry",
        answer=EntryAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_ENTRY}/leave",
        handler=leave_waitlist,
        access="entry",
        answer=EntryAnswer,
        refusals=(IllegalMove,),
    ),
    Route(
        method="POST",
        path=f"{_ENTRY}/promote",
        handler=promote_entry,
        access="operator",
        permission="bookings",
        body=Promote,
        body_optional=True,
        answer=EntryAnswer,
        refusals=(SlotTaken, IllegalMove),
        once=True,
    ),
    Route(
        method="POST",
        path=f"{_ENTRY}/put-back",
        handler=put_back_entry,
        access="operator",
        permission="bookings",
        answer=EntryAnswer,
        refusals=(NoWaitlist, AlreadyWaiting, IllegalMove),
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/bookings/<id:booking>/waitlist",
        handler=put_booking_on_waitlist,
        access="operator",
        permission="bookings",
        body=PutOn,
        body_optional=True,
        answer=EntryAnswer,
        status=201,
        refusals=(NoWaitlist, AlreadyWaiting, IllegalMove),
        once=True,
    ),
)
