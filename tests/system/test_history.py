"""History is complete: what is true now of any session or booking can be rebuilt from it, and every change that the API makes can be read in it."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask import Flask, request

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.adapters.store import queries
from functions.adapters.store import store as store_module
from functions.adapters.store.history import ForgottenHistory
from functions.adapters.store.rebuilding import rebuilt_booking, rebuilt_session
from functions.adapters.store.store import Reader
from functions.booking import clients, operators
from functions.booking.routing import Router
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.session import Booking, Session
from functions.domain.state_changes import state_of
from infra.local.platform import Platform
from tests.studio import Studio, until

MONTH_MS = 31 * 24 * 3600 * 1000


def retold(studio: Studio) -> tuple[dict[str, Any], dict[str, Any]]:
    """All sessions and bookings of the account: as history tells them, and as they are stored."""
    store, account = studio.store, studio.account
    sessions: list[Session] = queries.all_of(store, account, Session)
    bookings: list[Booking] = queries.all_of(store, account, Booking)
    told = {each.id: rebuilt_session(store, account, each.id) for each in sessions}
    told |= {each.id: rebuilt_booking(store, account, each.id) for each in bookings}
    return told, {each.id: state_of(each) for each in (*sessions, *bookings)}


@pytest.fixture
def a_month_later(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Callable[[Studio, str], int]:
    """What an operator does in a month: the booking function in this process, with that clock. Answers with the status."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)
    application = Application(read_settings(platform.configuration.functions_environment))
    router, app = Router((*clients.ROUTES, *operators.ROUTES)), Flask("later")

    def post(studio: Studio, path: str) -> int:
        address = f"/v1/accounts/{studio.account}/{path}"
        with app.test_request_context(address, method="POST", headers=dict(studio.operator)):
            return router.answer(request, application, now_millis() + MONTH_MS).status_code

    return post


def test_the_present_state_of_everything_can_be_rebuilt(
    studio: Studio, a_month_later: Callable[[Studio, str], int]
) -> None:
    studio.open(resource="ben")
    studio.offer("class", capacity=3, resources=["ben"])
    studio.offer("asked", confirmation="operator", resources=["ben"])
    anna, ben = studio.starts(), studio.starts(service="class")

    came, moved, deleted, let_go = (studio.book(start) for start in anna[:4])
    held = studio.post("holds", {"service": "consult", "start": anna[4]}).json()
    proof = {"Authorization": f"Bearer {held['manage_token']}"}
    client = {"client": {"name": "Kim", "email": studio.client_email}}
    assert studio.post(f"bookings/{held['id']}/confirm", client, **proof).status_code == 200
    asked = studio.try_to_book(ben[10], service="asked").json()
    assert studio.post(f"bookings/{asked['id']}/confirm", {}, **studio.operator).status_code == 200

    first, second, third = (studio.book(ben[0], service="class", seats=1) for _ in range(3))
    first.cancel()
    assert second.reschedule(ben[4]).status_code == 200  # out of the class, into a session of its own
    assert third.reschedule(ben[4]).status_code == 200  # and after it: what they left ends
    scheduled = studio.schedule(ben[8], service="class", minutes=30, capacity=5, resource="ben")

    let_go.cancel()
    assert came.reschedule(anna[3]).status_code == 200  # the session moves
    for booking in (moved, deleted):
        booking.written()
    studio.person.move(str(moved.event()["id"]), anna[6], anna[8])  # type: ignore[index]
    studio.person.delete(str(deleted.event()["id"]))  # type: ignore[index]
    until(lambda: moved.look()["start"] == anna[6] and deleted.look()["status"] == "cancelled")
    assert a_month_later(studio, f"bookings/{came.id}/complete") == 200
    assert a_month_later(studio, f"bookings/{second.id}/no-show") == 200

    told, stored = retold(studio)
    assert told == stored
    # What is compared is the whole story, not nothing with nothing.
    assert (stored[came.id]["status"], stored[second.id]["status"]) == ("completed", "no_show")
    assert (stored[moved.id]["status"], stored[deleted.id]["status"]) == ("confirmed", "cancelled")
    assert stored[first.session]["status"] == "cancelled"
    assert stored[second.look()["session"]]["seats"] == {second.id: 1, third.id: 1}
    assert (stored[scheduled]["scheduled"], stored[scheduled]["capacity"]) == (True, 5)
    assert stored[held["session"]]["holds"] == {}


def test_machines_whose_clocks_differ_do_not_confuse_it(empty_studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit here says that it was made before the one before it."""
    booking = empty_studio.book(empty_studio.starts()[0])
    ever_earlier = (now_millis() - 60_000 * step for step in count())
    monkeypatch.setattr(store_module, "now_millis", lambda: next(ever_earlier))

    for reason in ("first", "second", "third"):

        def say(reader: Reader, reason: str = reason) -> Decision[None]:
            session = reader.get(Ref(Session, booking.session))
            assert session is not None
            entry = HistoryEntry(what="session.changed", author=Author(kind="operator"), session=session.id)
            return Decision(answer=None, documents=(session.model_copy(update={"reason": reason}),), history=(entry,))

        empty_studio.store.run(empty_studio.account, say)

    assert rebuilt_session(empty_studio.store, empty_studio.account, booking.session)["reason"] == "third"
    told, stored = retold(empty_studio)
    assert told == stored


def test_a_change_that_says_nothing_of_itself_is_not_committed(empty_studio: Studio) -> None:
    booking = empty_studio.book(empty_studio.starts()[0])
    store, account = empty_studio.store, empty_studio.account

    def forget(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, booking.session))
        assert session is not None
        return Decision(answer=None, documents=(session.model_copy(update={"closed": True}),))

    before = retold(empty_studio)
    with pytest.raises(ForgottenHistory):
        store.run(account, forget)
    assert retold(empty_studio) == before
