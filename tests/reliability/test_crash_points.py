"""A pull that dies at any point loses nothing and doubles nothing (law 5).

The pull runs in this process, against the platform's Firestore and Google. Its store dies before or after the k-th commit, for every k, as a process dies:
nothing after that point runs. Then the lease runs out and another worker pulls.
"""

from dataclasses import dataclass
from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.store.store import Store
from functions.domain.instants import Millis
from functions.sync.leases import LEASE_MS
from functions.sync.pull import pull
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import Booked, Studio, until

MORE_COMMITS_THAN_A_PULL_MAKES = 40


class Died(BaseException):
    """The process is gone. Not an Exception: nothing catches it on the way out."""


class DyingStore(Store):
    """A store whose process dies at its `dies_at`-th commit: before it, or right after it."""

    def __init__(self, store: Store, *, dies_at: int, after: bool) -> None:
        super().__init__(store.client, lambda account, records: None)
        self.left, self.after, self.dead = dies_at, after, False

    def _commit(self, *parts: Any) -> None:
        if self.dead:
            raise Died
        self.left -= 1
        if self.left == 0 and not self.after:
            self.dead = True
            raise Died
        super()._commit(*parts)
        if self.left == 0:
            self.dead = True
            raise Died


@dataclass(frozen=True, kw_only=True)
class LaterWork(Work):
    """Work done `later_by` milliseconds from now: after a dead worker's lease has run out."""

    later_by: int = 0

    def now(self) -> Millis:
        return super().now() + self.later_by


@dataclass
class Story:
    """What happens in Google in one go: a move and a delete of ours, an event added, one moved and one deleted of others."""

    studio: Studio
    whole: list[str]
    moved: Booked
    deleted: Booked
    events: dict[str, str]

    @classmethod
    def begin(cls, studio: Studio) -> "Story":
        whole = studio.starts()
        moved, deleted = studio.book(whole[0]), studio.book(whole[1])
        events = {
            "moved": moved.written()["id"],
            "deleted": deleted.written()["id"],
            "shifted": studio.person.add(whole[2], whole[3])["id"],
            "removed": studio.person.add(whole[3], whole[4])["id"],
        }
        return cls(studio, whole, moved, deleted, events)

    def happen(self) -> None:
        person, whole, events = self.studio.person, self.whole, self.events
        person.move(events["moved"], whole[6], whole[7])
        person.delete(events["deleted"])
        person.add(whole[8], whole[9])
        person.move(events["shifted"], whole[10], whole[11])
        person.delete(events["removed"])

    def check(self, store: Store) -> None:
        """Whatever the pull asked to be decided later, the sweep sees to."""
        for record in store.client.collection(f"accounts/{self.studio.account}/outbox").stream():
            record.reference.update({"due_at": 0})  # as if two minutes had passed
        self.studio.fire("minute")
        until(lambda: self.deleted.look()["status"] == "cancelled")
        taken = {self.whole[n] for n in (6, 8, 10)}
        assert self.studio.starts() == [start for start in self.whole if start not in taken]
        assert self.moved.look()["start"] == self.whole[6]
        assert self.moved.history() == [("booking.confirmed", "client"), ("session.moved", "google")]
        assert self.deleted.history() == [("booking.confirmed", "client"), ("booking.cancelled", "google")]


@pytest.mark.parametrize("full_list", [False, True], ids=["changes since the token", "a full list after a lost token"])
@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after a commit"])
def test_a_pull_that_dies_at_any_commit_is_made_good_by_the_next(
    studio: Studio, platform: Platform, store: Store, after: bool, full_list: bool
) -> None:  # cases 41 to 43
    application = application_of(platform)
    with studio.pushes(drop=1.0):
        story = Story.begin(studio)
        _pull(studio, application, store, dies_at=0)  # everything up to here is known
        story.happen()
        if full_list:
            studio.google_control("POST", f"calendars/{studio.person.email}/expire-sync-tokens", {})
        later, deaths = 0, 0
        for dies_at in range(1, MORE_COMMITS_THAN_A_PULL_MAKES):
            later += LEASE_MS + 1000
            if not _pull(studio, application, store, dies_at=dies_at, after=after, later_by=later):
                break
            deaths += 1
        else:
            raise AssertionError("the pull never got through")
        assert deaths >= 3
        story.check(store)
        _pull(studio, application, store, dies_at=0, later_by=later + LEASE_MS)
        story.check(store)


def _pull(
    studio: Studio, application: Application, store: Store, *, dies_at: int, after: bool = False, later_by: int = 0
) -> bool:
    """One worker's pull; True where it died."""
    application.__dict__["store"] = DyingStore(store, dies_at=dies_at, after=after)
    work = LaterWork(application=application, account=studio.account, subject=studio.calendar, later_by=later_by)
    try:
        pull(work)
    except Died:
        return True
    return False
