"""History is complete: what is true now of any session or booking can be rebuilt from it, and every change that the API makes can be read in it."""

from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask, request

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.adapters.store import store as store_module
from functions.adapters.store.history import ForgottenHistory
from functions.adapters.store.rebuilding import rebuilt_entry, rebuilt_session
from functions.adapters.store.store import Reader
from functions.booking.addresses import map_at
from functions.booking.routing import Router
from functions.domain.decision import Author, Decision, HistoryEntry, Ref
from functions.domain.session import Session
from functions.domain.transitions import ENTRY, step
from functions.domain.waitlist.entry import Place, WaitlistEntry, Wish
from infra.local.platform import Platform
from tests.adapters.test_holidays import file_of
from tests.domain.builders import CLIENT
from tests.retelling import retold
from tests.studio import DAY, Studio, until

MONTH_MS = 31 * 24 * 3600 * 1000


@pytest.fixture
def a_month_later(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Callable[[Studio, str], int]:
    """What an operator does in a month: the booking function in this process, with that clock. Answers with the status."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)
    application = Application(read_settings(platform.configuration.functions_environment))
    router, app = Router(map_at), Flask("later")

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

    told, stored = retold(studio.store, studio.account)
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
    told, stored = retold(empty_studio.store, empty_studio.account)
    assert told == stored


def test_who_waits_is_rebuilt_too(empty_studio: Studio) -> None:
    store, account = empty_studio.store, empty_studio.account
    place = Place(wish=Wish(sessions=("one",), start=1, end=2), seats=2, client_key=CLIENT.key, joined_at=1)
    waiting = WaitlistEntry(id="entry", service="consult", client=CLIENT, place=place, manage_hash="hash", created_at=1)

    def entry(what: str) -> tuple[HistoryEntry]:
        return (HistoryEntry(what=what, author=Author(kind="client"), entry="entry"),)

    def leave(reader: Reader) -> Decision[None]:
        known = reader.get(Ref(WaitlistEntry, "entry"))
        assert known is not None
        passed = known.place.model_copy(update={"passed_over": 1})
        left = known.model_copy(update={"status": step(ENTRY, known.status, "leave"), "place": passed})
        return Decision(answer=None, documents=(left,), history=entry("entry.left"))

    store.run(account, lambda reader: Decision(answer=None, documents=(waiting,), history=entry("entry.joined")))
    store.run(account, leave)
    told, stored = retold(store, account)
    assert told == stored
    rebuilt = rebuilt_entry(store, account, "entry")
    assert (rebuilt["status"], rebuilt["place"]["passed_over"], rebuilt["place"]["seats"]) == ("left", 1, 2)


def test_every_call_that_changes_something_can_be_read(
    studio: Studio, a_month_later: Callable[[Studio, str], int]
) -> None:
    nine, ten = studio.starts()[0], studio.starts()[2]
    read = len(studio.history())

    def says(*expected: tuple[str, str]) -> None:
        nonlocal read
        told = studio.history()[read:]
        read += len(told)
        assert [(entry["what"], entry["author_kind"]) for entry in told] == list(expected)

    studio.open(resource="ben")
    says(("resource.created", "operator"))
    studio.open(resource="ben", start="10:00")
    says(("resource.changed", "operator"))
    studio.import_holidays(file_of(f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}\r\nSUMMARY:Closed"), resource="ben")
    says(("resource.changed", "operator"))
    studio.offer("class", resources=["ben"])
    says(("service.created", "operator"))
    studio.offer("class", resources=["ben"], capacity=3)
    says(("service.changed", "operator"))
    studio.put(f"calendars/{studio.calendar}", {"blocks": ["anna", "ben"], "destination_for": ["anna"]})
    says(("calendar.linked", "operator"))

    until(lambda: nine in studio.starts())  # the calendar is read again, for ben
    booking = studio.book(nine)
    says(("booking.confirmed", "client"))
    assert booking.reschedule(ten).status_code == 200
    says(("session.moved", "client"))
    booking.cancel()
    says(("booking.cancelled", "client"))
    held = studio.post("holds", {"service": "consult", "start": nine}).json()
    says(("booking.held", "client"))
    client = {"client": {"name": "Kim", "email": studio.client_email}}
    studio.post(f"bookings/{held['id']}/confirm", client, **studio.operator)
    says(("booking.confirmed", "operator"))
    a_month_later(studio, f"bookings/{held['id']}/no-show")
    says(("booking.no_show", "operator"))
    a_month_later(studio, f"bookings/{held['id']}/complete")
    says(("booking.completed", "operator"))


def test_a_change_that_says_nothing_of_itself_is_not_committed(empty_studio: Studio) -> None:
    booking = empty_studio.book(empty_studio.starts()[0])
    store, account = empty_studio.store, empty_studio.account

    def forget(reader: Reader) -> Decision[None]:
        session = reader.get(Ref(Session, booking.session))
        assert session is not None
        return Decision(answer=None, documents=(session.model_copy(update={"closed": True}),))

    before = retold(store, account)
    with pytest.raises(ForgottenHistory):
        store.run(account, forget)
    assert retold(store, account) == before
