"""A session with very many bookings ends as one with a few does: all at once, in one commit, and each client is told."""

from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader
from functions.domain.decision import Decision, HistoryEntry, Ref
from functions.domain.ledger import enter
from functions.domain.session import Booking, Client, Session
from tests.domain.builders import BY_CLIENT
from tests.studio import Studio
from tests.system.waiting import TEN

MANY = 200


def _sell_out(studio: Studio, name: str) -> None:
    """As if so many had booked, each by themselves; they have no address, so that no mail is sent for this test."""

    def attempt(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, name))
        assert session is not None
        reader.load(*ledger_refs_of(session))
        known = {"session": name, "service": session.service, "start": session.start, "resources": session.resources}
        bookings = tuple(
            Booking(
                id=f"{name}{n}", client=Client(name=f"C{n}"), manage_hash="", created_at=session.created_at, **known
            )
            for n in range(MANY)
        )
        sold = session.model_copy(update={"seats": {each.id: 1 for each in bookings}})
        return Decision(
            answer=None,
            documents=(sold, *bookings),
            changes=enter(sold.resources, sold.occupation),
            history=tuple(
                HistoryEntry(what="booking.confirmed", author=BY_CLIENT, session=name, booking=each.id)
                for each in bookings
            ),
        )

    studio.store.run(studio.account, attempt)


def test_two_hundred_bookings_end_with_their_session(empty_studio: Studio) -> None:
    empty_studio.offer(kind="event", capacity=MANY)
    session = empty_studio.schedule(TEN, service="consult", minutes=30)
    _sell_out(empty_studio, session)
    answer = empty_studio.post(f"sessions/{session}/cancel", {}, **empty_studio.operator)
    assert (answer.status_code, answer.json()["status"], answer.json()["seats"]) == (200, "cancelled", {})
    stored = empty_studio.store.client.collection(f"accounts/{empty_studio.account}/bookings").stream()
    ended = [booking.to_dict() for booking in stored]
    assert [(each["status"], each["cancelled_by"]) for each in ended] == [("cancelled", "operator")] * MANY
    empty_studio.schedule(TEN, service="consult", minutes=30)  # its time is free
    assert answer.elapsed.total_seconds() < 30
