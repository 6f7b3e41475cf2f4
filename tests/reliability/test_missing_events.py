"""The search for an event that is missing: whatever dies or fails in it, the session is cancelled, or moved with its event, once and rightly."""

from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.google_errors import GoogleError
from functions.adapters.store.store import Store
from functions.domain.decision import Ref
from functions.domain.session import Session
from functions.sync.audit import audit
from functions.sync.leases import LEASE_MS
from functions.sync.missing_events import settle
from functions.sync.pull import pull
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.reliability.test_crash_points import Died, DyingStore, LaterWork
from tests.reliability.test_failures import fault
from tests.studio import Booked, Studio


class Search:
    """A booking whose event is not in its calendar any more, as a pull has noted. No push comes, and nobody sees to the effects but the test."""

    def __init__(self, studio: Studio, platform: Platform, store: Store) -> None:
        self.studio, self.store = studio, store
        self.application: Application = application_of(platform)
        self.later = 0
        self.booking: Booked = studio.book(studio.starts()[0])
        self.event = str(self.booking.written()["id"])

    def noted(self) -> None:
        self.does(pull, self.studio.calendar)
        assert any(copy.missing_since is not None for copy in self.session.copies.values())

    def does(self, task: Any, subject: str, *, dies_at: int = 0, after: bool = False) -> bool:
        """True where it died. Each comes when the lease of one that died before has run out."""
        self.later += LEASE_MS + 1000
        self.application.__dict__["store"] = DyingStore(self.store, dies_at=dies_at, after=after)
        try:
            task(
                LaterWork(
                    application=self.application,
                    account=self.studio.account,
                    subject=subject,
                    later_by=self.later,
                )
            )
        except Died:
            return True
        return False

    def settle(self, **dies: Any) -> bool:
        return self.does(settle, self.booking.session, **dies)

    @property
    def session(self) -> Session:
        session = self.store.get(self.studio.account, Ref(Session, self.booking.session))
        assert session is not None
        return session


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after a commit"])
def test_a_search_that_dies_is_made_good_by_the_next(
    empty_studio: Studio, platform: Platform, store: Store, *, after: bool
) -> None:  # cases 100, 113
    other, google_id = empty_studio.connect_two()
    with empty_studio.pushes(drop=1.0):
        moved, deleted = (Search(empty_studio, platform, store) for _ in range(2))
        empty_studio.person.move_over(moved.event, google_id)
        empty_studio.person.delete(deleted.event)
        moved.noted()
        deleted.noted()
        for search in (moved, deleted):
            deaths = 0
            while search.settle(dies_at=deaths + 1, after=after):
                deaths += 1
            assert deaths >= 1
            search.settle()
    assert deleted.session.status == "cancelled"
    assert deleted.booking.history() == [("booking.confirmed", "client"), ("booking.cancelled", "google")]
    assert (moved.session.status, set(moved.session.copies)) == ("open", {other})
    assert moved.booking.history() == [("booking.confirmed", "client"), ("session.moved_calendar", "google")]


def test_nothing_is_cancelled_while_google_gives_no_answer(studio: Studio, platform: Platform, store: Store) -> None:
    with studio.pushes(drop=1.0):
        search = Search(studio, platform, store)
        studio.person.delete(search.event)
        search.noted()
        with fault(studio, method="GET", path=search.event, status=503, times=1), pytest.raises(GoogleError):
            search.settle()
        assert search.session.status == "open"
        search.settle()
        assert search.session.status == "cancelled"


def test_where_nobody_may_look_any_more_a_person_is_asked(studio: Studio, platform: Platform, store: Store) -> None:
    with studio.pushes(drop=1.0):
        search = Search(studio, platform, store)
        studio.person.delete(search.event)
        search.noted()
        studio.google_control("POST", "grants/revoke", {"email": studio.person.email})
        search.settle()
        search.settle()
    assert [one["reason"] for one in studio.look("conflicts")["conflicts"]] == ["deleted_in_calendar"]
    assert search.booking.look()["status"] == "confirmed"


def test_in_the_new_calendar_it_takes_no_time_twice_before_the_old_one_has_said_that_it_left(
    empty_studio: Studio, platform: Platform, store: Store
) -> None:  # cases 113, 123
    other, google_id = empty_studio.connect_two()
    with empty_studio.pushes(drop=1.0):
        search = Search(empty_studio, platform, store)
        empty_studio.person.move_over(search.event, google_id)
        search.does(pull, other)
        known = store.client.document(f"accounts/{empty_studio.account}/calendars/{other}/events/{search.event}").get()
        assert (known.get("session"), known.get("spared")) == (None, ["anna"])
        assert _blocks(store, empty_studio.account) == []
        search.does(audit, other)
        assert empty_studio.look(f"calendars/{other}")["drift_minutes"] == 0
        search.noted()
        search.settle()
        search.does(pull, other)
        assert _blocks(store, empty_studio.account) == []
        # From then on its calendar is the new one: what is done to it there counts.
        empty_studio.person.calendar.events().delete(calendarId=google_id, eventId=search.event).execute()
        search.does(pull, other)
        search.settle()
    assert search.session.status == "cancelled"


def _blocks(store: Store, account: str) -> list[Any]:
    """What calendars say of anna's time."""
    months = store.client.collection(f"accounts/{account}/resources/anna/months").stream()
    return [blocks for month in months if (blocks := (month.to_dict() or {}).get("blocks"))]
