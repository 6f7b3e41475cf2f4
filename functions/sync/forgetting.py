"""Forgetting: one booking or one place on a waitlist, in everything that says whose it was, in one commit.

For a client who is to be forgotten, and for what an account keeps no longer. Twice is harmless: what is forgotten names nobody.
"""

from collections.abc import Iterable

from functions.adapters.store.encoding import ref_of
from functions.adapters.store.history import without_client
from functions.adapters.store.queries import answers_about, has_client, history_about
from functions.adapters.store.records import HistoryRecord
from functions.adapters.store.store import Reader
from functions.domain.decision import AnyRef, Author, Decision, Ref
from functions.domain.erasing import Erasure, erase_booking, erase_entry, says_why
from functions.domain.instants import Minute
from functions.domain.session import Booking, ClientGuard, Session
from functions.domain.waitlist.entry import WaitlistEntry
from functions.sync.work import Work


def forget_booking(
    work: Work, booking_id: str, *, author: Author, erasure_id: str | None = None, ended_by: Minute | None = None
) -> bool:
    """Whether there was somebody to forget. `erasure_id`: which counts it. `ended_by`: not where its session ends later."""

    def attempt(reader: Reader) -> Decision[bool]:
        counted = _read_counted(reader, erasure_id, Ref(Booking, booking_id))
        booking = reader.get(Ref(Booking, booking_id))
        if booking is None or not booking.client.email:
            return Decision(answer=False)
        records = {record.id: record for record in history_about(reader, "booking", booking.id)}
        sessions = _sessions(reader, (booking.session, *(record.session for record in records.values())))
        if ended_by is not None and any(s.id == booking.session and s.end > ended_by for s in sessions):
            return Decision(answer=False)
        if any(says_why(session, booking) for session in sessions):
            of_session = history_about(reader, "session", booking.session)
            records |= {record.id: record for record in of_session if record.booking is None}
        decision = erase_booking(booking, sessions, author=author)
        return _forgotten(
            reader,
            decision.with_answer(True),
            subject=booking.id,
            records=records.values(),
            counted=counted and counted.counting(bookings=1, sessions=(session.id for session in decision.answer)),
        )

    return work.store.run(work.account, attempt)


def forget_entry(work: Work, entry_id: str, *, author: Author, erasure_id: str | None = None) -> bool:
    """The same of a place on a waitlist."""

    def attempt(reader: Reader) -> Decision[bool]:
        counted = _read_counted(reader, erasure_id, Ref(WaitlistEntry, entry_id))
        entry = reader.get(Ref(WaitlistEntry, entry_id))
        if entry is None or not entry.client.email:
            return Decision(answer=False)
        return _forgotten(
            reader,
            erase_entry(entry, author=author).with_answer(True),
            subject=entry.id,
            records=history_about(reader, "entry", entry.id),
            counted=counted and counted.counting(entries=1),
        )

    return work.store.run(work.account, attempt)


def release_guard(work: Work, client_key: str) -> None:
    """The guard of a client of whom there is nothing left to count goes: its name is theirs."""

    def attempt(reader: Reader) -> Decision[None]:
        guard = Ref(ClientGuard, client_key)
        reader.load(guard)
        there = reader.stored(guard).fields is not None and not has_client(work.store, work.account, client_key)
        return Decision(answer=None, deletions=(guard,) if there else ())

    work.store.run(work.account, attempt)


def _read_counted(reader: Reader, erasure_id: str | None, *also: AnyRef) -> Erasure | None:
    counted = None if erasure_id is None else Ref(Erasure, erasure_id)
    reader.load(*also, *([] if counted is None else [counted]))
    return None if counted is None else reader.get(counted)


def _sessions(reader: Reader, names: Iterable[str | None]) -> list[Session]:
    refs = [Ref(Session, name) for name in dict.fromkeys(names) if name is not None]
    reader.load(*refs)
    return [session for ref in refs if (session := reader.get(ref)) is not None]


def _forgotten(
    reader: Reader,
    decision: Decision[bool],
    *,
    subject: str,
    records: Iterable[HistoryRecord],
    counted: Erasure | None,
) -> Decision[bool]:
    """With what history and stored answers say of it, in the same commit."""
    redacted = tuple(after for record in records if (after := without_client(record)) != record)
    answers = tuple(ref_of(answer) for answer in answers_about(reader, subject))
    more = decision.also(documents=(*redacted, *(() if counted is None else (counted,))))
    return more.without(answers)
