"""Personal data of clients: everything that is held of one, their erasure, and how long an account keeps such data.

A client is an e-mail address. Who exported or erased stands in the history, the address only as a keyed hash.
"""

import os
from collections.abc import Iterable
from typing import Any

from functions.adapters.signing import client_mark
from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.records import HistoryRecord, StoredAnswer
from functions.adapters.store.store import Reader
from functions.booking.authority import authorised
from functions.booking.lists import Told
from functions.booking.routing import Answer, Call, Route
from functions.booking.schemas_clients import (
    ClientExport,
    Erase,
    ErasureAnswer,
    ExportedAnswer,
    ExportedBooking,
    ExportedClient,
    ExportedEntry,
    ExportedEvent,
    Retention,
    WhoseData,
)
from functions.domain.configuration import Service
from functions.domain.decision import AnyRef, Decision, Effect, HistoryEntry, Ref
from functions.domain.erasing import TO_BE_FOUND, Erasure, Held, request_erasure
from functions.domain.errors import NotFound, StillBooked
from functions.domain.event_ids import session_id
from functions.domain.google_copy import content_of
from functions.domain.instants import rfc3339, rfc3339_millis
from functions.domain.session import Booking, Client, Session
from functions.domain.waitlist.entry import WaitlistEntry

# Hashes of secrets, which prove something to us and tell nobody anything.
_NOT_TOLD = frozenset({"manage_hash", "manage_hashes"})


def export_client(call: Call) -> Answer:
    """Everything that is held of a client. It is noted in the history, in the commit that answers."""
    body = call.body(WhoseData)

    def attempt(reader: Reader) -> Decision[ClientExport]:
        account_of(reader)
        held = _held(call, body.key)
        export = ClientExport(
            email=body.email,
            exported_at=rfc3339_millis(call.now),
            bookings=_bookings(reader, held.bookings),
            waitlist=[_entry(entry) for entry in held.entries],
            history=[Told.of(record) for record in _history(reader, held)],
            answers=[_kept_answer(answer) for answer in _answers(reader, held)],
        )
        noted = HistoryEntry(
            what="client.exported",
            author=call.caller.author,
            after={
                "client": _mark(call, body.key),
                "bookings": len(export.bookings),
                "waitlist": len(export.waitlist),
            },
        )
        return Decision(answer=export, history=(noted,))

    return Answer(body=call.application.store.run(call.account, authorised(call, attempt)))


def erase_client(call: Call) -> Answer:
    """Begins to forget a client. An erasure of the same client that is under way is answered again."""
    body = call.body(Erase)
    erasure = Erasure(
        id=session_id(os.urandom(16)),
        client=_mark(call, body.key),
        client_key=body.key,
        by=call.caller.author.name,
        cancel_future=body.cancel_future,
        requested_at=call.now,
    )

    def attempt(reader: Reader) -> Decision[Erasure]:
        account_of(reader)
        under_way = queries.erasures_under_way(call.application.store, call.account, body.key)
        return request_erasure(erasure, _held(call, body.key), under_way)

    begun = call.application.store.run(call.account, authorised(call, attempt))
    return Answer(body=_erasure_answer(call, begun), status=202)


def get_erasure(call: Call) -> Answer:
    """How far an erasure is."""
    erasure = call.application.store.get(call.account, Ref(Erasure, call.ids["erasure"]))
    if erasure is None:
        raise NotFound("There is no such erasure.")
    return Answer(body=_erasure_answer(call, erasure))


def put_retention(call: Call) -> Answer:
    """Says how long clients are remembered. Holds from the next night on, for what is there already too."""
    body = call.body(Retention)

    def attempt(reader: Reader) -> Decision[Retention]:
        account = account_of(reader)
        if account.retention_days == body.days:
            return Decision(answer=body)
        noted = HistoryEntry(
            what="account.changed",
            author=call.caller.author,
            before={"retention_days": account.retention_days},
            after={"retention_days": body.days},
        )
        changed = account.model_copy(update={"retention_days": body.days})
        begins = account.retention_days is None
        found = (Effect(kind="retention", subject=call.account, about=TO_BE_FOUND),) if begins else ()
        return Decision(answer=body, documents=(changed,), history=(noted,), effects=found)

    return Answer(body=call.application.store.run(call.account, authorised(call, attempt)))


def get_retention(call: Call) -> Answer:
    """How long clients are remembered."""
    return Answer(body=Retention(days=account_of(call.application.store.reader(call.account)).retention_days))


def _mark(call: Call, key: str) -> str:
    return client_mark(call.application.settings.signing_keys[0], key)


def _held(call: Call, key: str) -> Held:
    store, account = call.application.store, call.account
    return Held(
        bookings=tuple(queries.all_bookings_of_client(store, account, key)),
        entries=tuple(queries.all_entries_of_client(store, account, key)),
    )


def _bookings(reader: Reader, bookings: Iterable[Booking]) -> list[ExportedBooking]:
    bookings = tuple(bookings)
    refs: set[AnyRef] = {Ref(Session, booking.session) for booking in bookings}
    reader.load(*refs, *{Ref(Service, booking.service) for booking in bookings})
    return [
        _booking(booking, reader.get(Ref(Session, booking.session)), reader.get(Ref(Service, booking.service)))
        for booking in bookings
    ]


def _booking(booking: Booking, session: Session | None, service: Service | None) -> ExportedBooking:
    return ExportedBooking(
        id=booking.id,
        service=booking.service,
        session=booking.session,
        resources=booking.resources,
        start=rfc3339(booking.start),
        end=None if session is None else rfc3339(session.end),
        seats=booking.seats,
        status=booking.status,
        client=_client(booking.client),
        notes=booking.notes,
        answers=booking.answers,
        series=booking.series,
        waitlist=booking.entry,
        requested=booking.requested,
        declined_at=None if booking.declined_at is None else rfc3339_millis(booking.declined_at),
        cancelled_by=booking.cancelled_by,
        reason=booking.reason,
        created_at=rfc3339_millis(booking.created_at),
        events=[] if session is None or service is None else _events(booking, session, service),
    )


def _events(booking: Booking, session: Session, service: Service) -> list[ExportedEvent]:
    if session.status != "open" or booking.id not in session.seats:
        return []
    return [
        ExportedEvent(
            calendar=copy.calendar,
            event=copy.event,
            summary=content.summary,
            description=content.description,
            guest=bool(content.guests),
        )
        for copy in session.copies.values()
        if copy.base is not None and not copy.gone
        for content in (content_of(session, copy.calendar, service, (booking,)),)
    ]


def _entry(entry: WaitlistEntry) -> ExportedEntry:
    place, wish = entry.place, entry.place.wish
    return ExportedEntry(
        id=entry.id,
        service=entry.service,
        sessions=wish.sessions,
        start=rfc3339(wish.start),
        end=rfc3339(wish.end),
        resource=wish.resource,
        seats=place.seats,
        status=entry.status,
        client=_client(entry.client),
        notes=entry.notes,
        answers=entry.answers,
        priority=place.priority,
        level=place.level,
        category=place.category,
        joined_at=rfc3339_millis(place.joined_at),
        booking=entry.booking,
        ended_by=entry.ended_by,
        reason=entry.reason,
        created_at=rfc3339_millis(entry.created_at),
    )


def _client(client: Client) -> ExportedClient:
    return ExportedClient(name=client.name, email=client.email, phone=client.phone)


def _history(reader: Reader, held: Held) -> list[HistoryRecord]:
    """The oldest first; what is about a booking and a place on a waitlist once."""
    found = [each for booking in held.bookings for each in queries.history_about(reader, "booking", booking.id)]
    found += [each for entry in held.entries for each in queries.history_about(reader, "entry", entry.id)]
    return sorted({record.id: record for record in found}.values(), key=lambda record: (record.at, record.id))


def _answers(reader: Reader, held: Held) -> list[StoredAnswer]:
    subjects = [*(booking.id for booking in held.bookings), *(entry.id for entry in held.entries)]
    found = [answer for subject in subjects for answer in queries.answers_about(reader, subject)]
    return list({answer.id: answer for answer in found}.values())


def _kept_answer(answer: StoredAnswer) -> ExportedAnswer:
    body: dict[str, Any] = {name: value for name, value in answer.body.items() if name not in _NOT_TOLD}
    return ExportedAnswer(kept_until=rfc3339_millis(answer.expires_at), body=body)


def _erasure_answer(call: Call, erasure: Erasure) -> ErasureAnswer:
    return ErasureAnswer(
        id=erasure.id,
        status="running" if erasure.finished_at is None else "done",
        client=erasure.client,
        by=erasure.by,
        cancel_future=erasure.cancel_future,
        requested_at=rfc3339_millis(erasure.requested_at),
        finished_at=None if erasure.finished_at is None else rfc3339_millis(erasure.finished_at),
        bookings=erasure.bookings,
        waitlist=erasure.entries,
        kept=erasure.kept,
        events_pending=_events_pending(call, erasure),
    )


def _events_pending(call: Call, erasure: Erasure) -> int:
    reader = call.application.store.reader(call.account)
    refs = [Ref(Session, name) for name in erasure.sessions]
    reader.load(*refs)
    sessions = (session for ref in refs if (session := reader.get(ref)) is not None and session.status == "open")
    return sum(any(copy.forgets and not copy.gone for copy in session.copies.values()) for session in sessions)


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(
        method="POST",
        path=f"{_ACCOUNT}/clients/export",
        handler=export_client,
        access="operator",
        permission="personal_data",
        body=WhoseData,
        answer=ClientExport,
    ),
    Route(
        method="POST",
        path=f"{_ACCOUNT}/clients/erase",
        handler=erase_client,
        access="operator",
        permission="personal_data",
        body=Erase,
        answer=ErasureAnswer,
        status=202,
        refusals=(StillBooked,),
    ),
    Route(
        method="GET",
        path=f"{_ACCOUNT}/erasures/<id:erasure>",
        handler=get_erasure,
        access="operator",
        permission="personal_data",
        answer=ErasureAnswer,
    ),
    Route(method="GET", path=f"{_ACCOUNT}/retention", handler=get_retention, access="operator", answer=Retention),
    Route(
        method="PUT",
        path=f"{_ACCOUNT}/retention",
        handler=put_retention,
        access="operator",
        permission="settings",
        body=Retention,
        answer=Retention,
    ),
)
