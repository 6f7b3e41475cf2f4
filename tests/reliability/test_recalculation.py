"""A recalculation that dies anywhere is made good by the next one; one that was asked for is never forgotten; and one too many writes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.google_calendar import EventPage
from functions.adapters.settings import read_settings
from functions.adapters.store.documents import ledger_refs_of
from functions.adapters.store.store import Reader, Store
from functions.domain.appointments import cancel
from functions.domain.configuration import Resource
from functions.domain.decision import Author, Decision, Ref
from functions.domain.instants import Millis
from functions.domain.session import Booking, Session
from functions.sync import recalculate
from functions.sync.leases import LEASE_MS, abandon, acquire
from functions.sync.pages import apply_page
from functions.sync.pull import pull
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.reliability.test_crash_points import Died, DyingStore, LaterWork
from tests.studio import Booked, Studio, until

MORE_COMMITS_THAN_ANY_MAKES = 40


@pytest.fixture
def application(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", platform.addresses.firestore)
    return Application(read_settings(platform.configuration.functions_environment))


def close_anna(store: Store, account: str) -> None:
    """Her hours as an operator would change them, without the task that would follow: here the test is the worker."""

    def attempt(reader: Reader) -> Decision[None]:
        anna = reader.get(Ref(Resource, "anna"))
        assert anna is not None
        closed = anna.model_copy(update={"hours": anna.hours.model_copy(update={"weekly": ()})})
        return Decision(answer=None, documents=(closed,))

    store.run(account, attempt)


def effects_left(store: Store, account: str, kind: str) -> list[str]:
    """The subjects of these effects that nobody has seen to yet."""
    outbox = store.client.collection(f"accounts/{account}/outbox").where(filter=FieldFilter("kind", "==", kind))
    return sorted({snapshot.get("subject") for snapshot in outbox.stream()})


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after a commit"])
@pytest.mark.parametrize("rule", ["flag", "cancel"])
def test_one_that_dies_at_any_commit_is_made_good(
    empty_studio: Studio,
    store: Store,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    after: bool,
) -> None:
    monkeypatch.setattr(recalculate, "SLICE", 4)  # two sessions a commit
    studio = empty_studio
    studio.offer(on_conflict=rule)
    bookings = [studio.book(start) for start in studio.starts()[:5]]
    until(lambda: len(studio.mails()) == 5)
    close_anna(store, studio.account)
    deaths = 0
    for dies_at in range(1, MORE_COMMITS_THAN_ANY_MAKES):
        application.__dict__["store"] = DyingStore(store, dies_at=dies_at, after=after)
        try:
            recalculate.recalculate(Work(application=application, account=studio.account, subject="anna"))
            break
        except Died:
            deaths += 1
    assert deaths >= 2
    _check(studio, bookings, rule)
    written = DyingStore(store, dies_at=1, after=False)
    application.__dict__["store"] = written
    recalculate.recalculate(Work(application=application, account=studio.account, subject="anna"))
    assert not written.dead, "there was nothing left to write"
    _check(studio, bookings, rule)


def _check(studio: Studio, bookings: list[Booked], rule: str) -> None:
    if rule == "flag":
        assert studio.conflicts() == {booking.id: "outside_hours" for booking in bookings}
    for booking in bookings:
        history = [e["what"] for e in studio.history(session=booking.session)]
        if rule == "flag":
            assert history == ["booking.confirmed", "session.conflicted"]
        else:
            assert history == ["booking.confirmed", "session.cancelled", "booking.cancelled"]
            assert booking.look()["status"] == "cancelled"


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after a commit"])
@pytest.mark.parametrize("happens", ["an event is added", "a booking is moved"])
def test_a_pull_that_dies_at_any_commit_asks_for_one_all_the_same(
    studio: Studio, store: Store, application: Application, happens: str, after: bool
) -> None:
    nine, half_past, ten = studio.starts()[:3]
    booking = studio.book(nine)
    event = booking.written()
    with studio.pushes(drop=1.0):
        _pull(studio, application, store, dies_at=0, later_by=0)
        until(lambda: effects_left(store, studio.account, "recalculate") == [])
        changes: dict[str, Callable[[], Any]] = {
            "an event is added": lambda: studio.person.add(nine, half_past),
            "a booking is moved": lambda: studio.person.move(event["id"], half_past, ten),
        }
        changes[happens]()
        later: Millis = 0
        for dies_at in range(1, MORE_COMMITS_THAN_ANY_MAKES):
            later += LEASE_MS + 1000
            if not _pull(studio, application, store, dies_at=dies_at, after=after, later_by=later):
                break
        assert effects_left(store, studio.account, "recalculate") == ["anna"]
        calendar = store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").get()
        assert calendar.get("changed") == []


def _pull(
    studio: Studio, application: Application, store: Store, *, dies_at: int, after: bool = False, later_by: Millis
) -> bool:
    """One worker's pull, whose effects nobody sees to; True where it died."""
    application.__dict__["store"] = DyingStore(store, dies_at=dies_at, after=after)
    work = LaterWork(application=application, account=studio.account, subject=studio.calendar, later_by=later_by)
    try:
        pull(work)
    except Died:
        return True
    return False


def test_a_pull_that_fails_half_way_asks_for_what_it_did_change(
    studio: Studio, store: Store, application: Application
) -> None:
    nine, half_past = studio.starts()[:2]
    with studio.pushes(drop=1.0):
        application.__dict__["store"] = DyingStore(store, dies_at=0, after=False)  # whose effects nobody sees to
        work = Work(application=application, account=studio.account, subject=studio.calendar)
        held = until(lambda: acquire(work))  # the pull that follows a watch may still be at it
        event = {"id": "dentist", "status": "confirmed", "start": {"dateTime": nine}, "end": {"dateTime": half_past}}
        page = EventPage(
            events=(event,), next_page_token="more", next_sync_token=None, time_zone="UTC", access_role="owner"
        )
        apply_page(work, held, page)
        assert effects_left(store, studio.account, "recalculate") == []
        abandon(work, held, "Unavailable")
        assert effects_left(store, studio.account, "recalculate") == ["anna"]


def test_a_pull_that_changes_nobody_s_time_asks_for_none(
    studio: Studio, store: Store, application: Application
) -> None:
    nine, half_past = studio.starts()[:2]
    event = studio.person.add(nine, half_past)
    until(lambda: nine not in studio.starts())
    with studio.pushes(drop=1.0):
        until(lambda: effects_left(store, studio.account, "recalculate") == [])
        studio.person.change(event["id"], summary="Dentist, at last")
        studio.person.add("2020-01-01T09:00:00Z", "2020-01-01T10:00:00Z")
        _pull(studio, application, store, dies_at=0, later_by=LEASE_MS)
        assert effects_left(store, studio.account, "recalculate") == []


@pytest.mark.parametrize(("resource", "status"), [("anna", "offered"), ("ben", "waiting")])
def test_those_who_wait_for_what_the_resource_serves_are_called(
    empty_studio: Studio, store: Store, application: Application, resource: str, status: str
) -> None:
    studio = empty_studio
    studio.open(resource="ben")
    start = studio.starts()[0]
    booked, waiting = studio.book(start), studio.wait(start=start)
    until(lambda: effects_left(store, studio.account, "promote") == [])
    application.__dict__["store"] = DyingStore(store, dies_at=0, after=False)  # whose effects nobody sees to
    _cancel(application.store, studio.account, booked)
    assert waiting.status() == "waiting"
    recalculate.recalculate(Work(application=application, account=studio.account, subject=resource))
    assert waiting.status() == status


def _cancel(store: Store, account: str, booked: Booked) -> None:
    def attempt(reader: Reader) -> Decision[object]:
        booking, session = reader.get(Ref(Booking, booked.id)), reader.get(Ref(Session, booked.session))
        assert booking is not None
        assert session is not None
        reader.load(*ledger_refs_of(session))
        author = Author(kind="operator", name="front desk")
        return cancel(booking, session, now=now_millis(), author=author, reason=None)

    store.run(account, attempt)
