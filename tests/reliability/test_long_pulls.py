"""Pulls that take more than one task, or more than one try: nothing is known too early, nothing is lost, nothing goes in circles."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.adapters.google_errors import RateLimited, Unavailable
from functions.adapters.store.queries import ledger_months, rows_after
from functions.domain.horizon import HORIZON_DAYS, new_horizon
from functions.domain.instants import datetime_of, minute_of_millis
from functions.domain.loss import DAY_MS
from functions.sync import pull as pulling
from functions.sync.leases import LeaseLost, acquire, pause
from functions.sync.pages import apply_rows
from functions.sync.projection import project_where_needed
from functions.sync.pull import pull
from functions.sync.turns import Turn, TurnOver
from functions.sync.work import Work
from infra.local.platform import Platform
from tests.in_process import Backstage, application_of
from tests.studio import DAY, Studio, until

HOURS = range(8, 15)


class Alone(Backstage):
    """A calendar that only this process pulls, two pages a task: every push is lost, and every task that the pulls leave waits for us."""

    def __init__(self, studio: Studio, platform: Platform) -> None:
        super().__init__(studio, application_of(platform, PULL_STEPS="2"))
        self.left: list[Any] = []
        self.work.application.tasks.create = self.left.append  # type: ignore[method-assign]

    def goes_on(self) -> bool:
        """Whether the pull left a further one behind."""
        kinds = [task.kind for task in self.left]
        self.left.clear()
        return "pull" in kinds

    def pull_to_the_end(self) -> int:
        """As the tasks would; how many it took."""
        for tasks in range(1, 40):
            pull(self.work)
            if not self.goes_on():
                return tasks
        raise AssertionError("it never came to an end")

    def events_in_the_ledger(self) -> set[str]:
        """Those that take anna's time."""
        months = ledger_months(self.work.store.reader(self.work.account), "anna")
        return {event for month in months for event in month.blocks.get(self.calendar.id, {})}

    @contextmanager
    def answers(self, **fault: Any) -> Iterator[None]:
        """Google answers so to lists of events."""
        self.studio.google_control(
            "POST", "faults", {"user": self.studio.person.email, "method": "events.list", "times": 100, **fault}
        )
        yield
        self.studio.google_control("DELETE", "faults")


@pytest.fixture
def alone(empty_studio: Studio, platform: Platform) -> Alone:
    """Connected, listed and in use, and not pulled yet; its pages hold two events."""
    studio = empty_studio
    studio.google_control("PUT", "push", {"calendar": studio.person.email, "drop": 1.0})
    studio.connect_and_wait()
    found = Alone(studio, platform)
    found.wait_for_quiet()
    studio.google_control("PUT", "paging", {"calendar": studio.person.email, "max_page": 2})
    return found


@pytest.fixture
def unread(alone: Alone) -> Alone:
    """As it was before its first list."""
    alone.set(cursor={}, last_success_at=None, horizon=0, projected={})
    alone.left.clear()
    return alone


def _busy(studio: Studio, hours: range = HOURS) -> None:
    for hour in hours:
        studio.person.add(f"{DAY}T{hour:02}:00:00Z", f"{DAY}T{hour + 1:02}:00:00Z")


def _closed(studio: Studio, hours: range = HOURS) -> bool:
    return not [start for start in studio.starts() for hour in hours if f"T{hour:02}:" in start]


def test_a_first_list_goes_on_from_task_to_task_and_nothing_is_offered_before_its_end(unread: Alone) -> None:
    # cases 39 and 66
    _busy(unread.studio)
    pull(unread.work)
    while unread.calendar.cursor.in_full:
        assert unread.goes_on()
        assert not unread.calendar.lease.held(unread.work.now())
        assert unread.calendar.last_success_at is None
        assert unread.studio.starts() == []
        pull(unread.work)
    assert unread.studio.starts() != []
    assert _closed(unread.studio)


def test_a_list_over_several_tasks_is_as_old_as_its_beginning(alone: Alone) -> None:
    _busy(alone.studio)
    alone.set(cursor={})
    began = alone.work.now()
    pull(alone.work)
    begun_at = alone.calendar.cursor.begun_at
    assert begun_at is not None
    assert begun_at >= began
    while alone.calendar.cursor.in_full:
        assert alone.goes_on()
        pull(alone.work)
    assert alone.calendar.last_success_at == begun_at
    # What changed meanwhile is asked for at once.
    alone.pull_to_the_end()
    assert (alone.calendar.last_success_at or 0) > begun_at


def test_an_incremental_list_goes_on_with_the_same_token(alone: Alone) -> None:  # cases 40 and 41
    token = alone.calendar.cursor.sync_token
    _busy(alone.studio)
    pull(alone.work)
    assert alone.calendar.cursor.sync_token == token
    assert alone.calendar.cursor.page_token is not None
    assert alone.goes_on()
    alone.pull_to_the_end()
    assert alone.calendar.cursor.sync_token != token
    assert _closed(alone.studio)


def test_a_token_that_expires_between_the_pages_of_changes_begins_a_full_list_and_frees_nothing(alone: Alone) -> None:
    # case 46
    studio = alone.studio
    _busy(studio, range(8, 9))
    alone.pull_to_the_end()
    _busy(studio, range(9, 15))
    pull(alone.work)
    assert alone.calendar.cursor.page_token is not None
    studio.google_control("POST", f"calendars/{studio.person.email}/expire-sync-tokens", {})
    pull(alone.work)
    assert alone.calendar.cursor.in_full
    assert _closed(studio, range(8, 11))  # what was known, and what the first pages had brought
    assert alone.goes_on()
    alone.pull_to_the_end()
    assert _closed(studio)


def test_a_page_token_that_is_too_old_begins_the_list_again_and_keeps_the_mirror(alone: Alone) -> None:  # case 67
    _busy(alone.studio)
    pull(alone.work)
    before = alone.calendar
    alone.set(**{"cursor.page_token": "from another age"})
    with pytest.raises(Unavailable):
        pull(alone.work)
    after = alone.calendar
    assert (after.cursor.page_token, after.cursor.sync_token) == (None, before.cursor.sync_token)
    assert after.cursor.generation == before.cursor.generation
    alone.pull_to_the_end()
    assert _closed(alone.studio)


def test_a_token_that_was_lost_is_a_full_list_and_what_is_gone_goes(alone: Alone) -> None:  # case 44
    event = alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    alone.pull_to_the_end()
    assert _closed(alone.studio, range(8, 9))
    alone.studio.person.delete(event["id"])
    alone.set(**{"cursor.sync_token": None})
    alone.pull_to_the_end()
    assert not _closed(alone.studio, range(8, 9))


def test_another_query_than_the_token_s_is_a_full_list(alone: Alone) -> None:  # case 71
    before = alone.calendar.cursor
    alone.set(**{"cursor.fingerprint": "what an older version of the code asked"})
    alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    seen = alone.calls_so_far()
    alone.pull_to_the_end()
    lists = [each["query"] for each in alone.calls(since=seen) if each["id"] == "events.list"]
    assert "syncToken" not in lists[0]
    assert (alone.calendar.cursor.generation, alone.calendar.cursor.fingerprint) == (
        before.generation + 1,
        before.fingerprint,
    )
    assert _closed(alone.studio, range(8, 9))


@pytest.mark.parametrize("page", [0, 1])
def test_a_full_list_that_is_refused_again_and_again_waits_and_keeps_what_is_known(
    alone: Alone, page: int
) -> None:  # case 48
    alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    alone.pull_to_the_end()
    _busy(alone.studio, range(9, 14))
    alone.set(cursor={})
    for _ in range(page):
        pull(alone.work)
    alone.left.clear()
    seen = alone.calls_so_far()
    with alone.answers(status=410, reason="fullSyncRequired"):
        for _ in range(3):
            with pytest.raises(Unavailable):  # the queue's growing waits lie between
                pull(alone.work)
    assert not alone.goes_on()
    assert len(alone.calls(since=seen)) == 3
    assert "fullSyncRequired" in (alone.calendar.last_error or "")
    assert _closed(alone.studio, range(8, 9))
    alone.pull_to_the_end()
    assert alone.calendar.last_error is None


def test_an_answer_with_no_token_at_all_moves_nothing(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:  # case 51
    before = alone.calendar.cursor
    alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    google = type(alone.work.google(alone.calendar.connection))
    whole = google.events_page

    def cut(*args: Any, **query: Any) -> Any:
        return replace(whole(*args, **query), next_sync_token=None)

    monkeypatch.setattr(google, "events_page", cut)
    with pytest.raises(Unavailable):
        pull(alone.work)
    assert alone.calendar.cursor == before
    monkeypatch.undo()
    alone.pull_to_the_end()
    assert _closed(alone.studio, range(8, 9))


def test_a_worker_that_slept_through_its_lease_writes_nothing_more(alone: Alone) -> None:  # case 55
    slow = until(lambda: acquire(alone.work))
    alone.set(**{"lease.expires_at": 0})
    quick = acquire(alone.work)
    assert quick is not None
    for late in (
        lambda: pulling._move_cursor(alone.work, slow, alone.calendar.cursor),
        lambda: apply_rows(alone.work, slow, [], removed=frozenset({"x"})),
        lambda: pause(alone.work, slow),
    ):
        before = alone.calendar
        with pytest.raises(LeaseLost):
            late()
        assert alone.calendar == before
    pause(alone.work, quick)


@pytest.mark.parametrize("hours", [-26, 26], ids=["a day behind", "a day ahead"])
def test_a_clock_that_goes_wrong_misses_no_change(
    alone: Alone, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # case 70
    alone.pull_to_the_end()
    alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
    real = Work.now
    monkeypatch.setattr(Work, "now", lambda work: real(work) + hours * 3_600_000)
    alone.pull_to_the_end()
    monkeypatch.undo()
    assert rows_after(alone.work.store.reader(alone.work.account), alone.work.subject, None, 9) != []
    alone.studio.person.add(f"{DAY}T10:00:00Z", f"{DAY}T11:00:00Z")
    alone.pull_to_the_end()
    assert _closed(alone.studio, range(8, 9))
    assert _closed(alone.studio, range(10, 11))


def test_a_large_mirror_is_laid_out_over_several_tasks(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:  # cases 64 and 66
    _busy(alone.studio)
    alone.pull_to_the_end()
    monkeypatch.setattr("functions.sync.projection.ROWS_A_COMMIT", 2)
    alone.set(projected={})
    assert alone.studio.starts() == []  # unknown again
    held = until(lambda: acquire(alone.work))
    turns = 0
    while not alone.calendar.projected:
        turns += 1
        before = alone.calendar.projecting
        try:
            project_where_needed(alone.work, held, Turn(ends_at=alone.work.now() + 60_000, steps=1))
        except TurnOver:
            assert alone.calendar.projecting != before
            assert alone.studio.starts() == []
    assert turns == len(HOURS) // 2 + 1
    pause(alone.work, held)
    assert _closed(alone.studio)
    assert alone.studio.starts() != []


def test_the_horizon_rolls_on_over_what_nobody_has_touched_since(
    unread: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:  # case 64
    person, today = unread.studio.person, datetime_of(minute_of_millis(unread.work.now())).date()
    far = today + timedelta(days=HORIZON_DAYS - 10)
    near = person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")["id"]
    beyond = person.add(f"{far}T08:00:00Z", f"{far}T09:00:00Z")["id"]
    real = Work.now
    monkeypatch.setattr(Work, "now", lambda work: real(work) - 20 * DAY_MS)
    unread.pull_to_the_end()
    assert unread.events_in_the_ledger() == {near}
    monkeypatch.undo()
    unread.pull_to_the_end()
    assert unread.events_in_the_ledger() == {near, beyond}
    assert {*unread.calendar.projected.values()} == {unread.calendar.horizon} == {new_horizon(unread.work.now())}


def test_a_pull_that_google_wants_no_more_of_goes_on_where_it_was_and_when_it_may(alone: Alone) -> None:  # case 68
    _busy(alone.studio)
    pull(alone.work)
    assert alone.goes_on()
    before, known = alone.calendar.cursor, alone.events_in_the_ledger()
    assert before.page_token is not None
    assert known
    asked_at = alone.work.now()
    with alone.answers(status=429, reason="rateLimitExceeded", retry_after=40):
        pull(alone.work)  # done as far as the queue knows, which would come again at once
    assert (alone.calendar.cursor, alone.events_in_the_ledger()) == (before, known)
    assert (alone.calendar.last_error, alone.calendar.lease.holder) == ("RateLimited: rateLimitExceeded", None)
    (again,) = alone.left
    assert (again.kind, again.body["subject"]) == ("pull", alone.calendar.id)
    assert asked_at + 40_000 <= again.not_before_ms <= alone.work.now() + 41_000
    with alone.answers(status=403, reason="rateLimitExceeded"), pytest.raises(RateLimited):
        pull(alone.work)  # with no time named, the queue's own growing waits lie between
    alone.pull_to_the_end()
    assert _closed(alone.studio)


@pytest.mark.parametrize("status", [503, 404])
def test_calendars_that_fail_together_are_not_polled_together(
    alone: Alone, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = []
    for jitter in (0.0, 1.0):
        for module in ("leases", "missing_calendars"):
            monkeypatch.setattr(f"functions.sync.{module}.random", lambda jitter=jitter: jitter)
        with alone.answers(status=status), suppress(Unavailable):
            pull(alone.work)
        polls.append((alone.calendar.next_poll_at or 0) - alone.work.now())
    interval = alone.work.poll_intervals.unwatched
    assert polls[1] - polls[0] > 0.4 * interval


class TestLookAgain:  # case 21
    def notified(self, alone: Alone) -> Work:
        return replace(alone.work, about="notified")

    def looks(self, alone: Alone) -> list[int]:
        """The moments at which it is looked at again."""
        return [task.not_before_ms for task in alone.left if task.kind == "pull" and "/look-again/" in task.name]

    def test_news_that_google_does_not_show_yet_is_looked_for_once_more(self, alone: Alone) -> None:
        alone.pull_to_the_end()
        now = alone.work.now()
        pull(self.notified(alone))
        (again,) = self.looks(alone)
        assert 30_000 <= again - now <= 61_000

    def test_where_the_news_came_nothing_more_is_needed(self, alone: Alone) -> None:
        alone.pull_to_the_end()
        alone.studio.person.add(f"{DAY}T08:00:00Z", f"{DAY}T09:00:00Z")
        pull(self.notified(alone))
        assert self.looks(alone) == []

    def test_nobody_looks_again_and_again(self, alone: Alone) -> None:
        alone.pull_to_the_end()
        pull(alone.work)  # as the second look, or a poll: nobody told of news
        assert self.looks(alone) == []

    def test_a_storm_is_looked_after_once(self, alone: Alone) -> None:
        alone.pull_to_the_end()
        for _ in range(5):
            pull(self.notified(alone))
        names = {task.name for task in alone.left if "/look-again/" in task.name}
        assert len(names) <= 2  # two where the half minute ended in between
