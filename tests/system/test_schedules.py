"""What the schedules leave behind: a task for whatever is due, the same task however often they run."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.clock import now_millis
from functions.adapters.composition import Application
from functions.adapters.store import across_accounts
from functions.adapters.store.encoding import encode
from functions.adapters.store.records import OutboxRecord
from functions.adapters.store.store import Store
from functions.domain.waitlist.entry import Queue
from functions.sync import schedules
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import Studio, until

Left = Callable[[Callable[[Application], None]], set[tuple[str, str, str]]]


@pytest.fixture
def left(platform: Platform, studio: Studio) -> Left:
    """The tasks about this studio that a schedule leaves: kind, subject and name."""
    application = application_of(platform)
    made: list[Any] = []
    application.tasks.create = made.append  # type: ignore[method-assign]

    def run(schedule: Callable[[Application], None]) -> set[tuple[str, str, str]]:
        made.clear()
        schedule(application)
        ours = [task for task in made if task.body["account"] == studio.account]
        return {(task.kind, task.body["subject"], task.name) for task in ours}

    return run


def _without_names(tasks: set[tuple[str, str, str]]) -> set[tuple[str, str]]:
    return {(kind, subject) for kind, subject, _ in tasks}


def test_every_day_each_calendar_is_read_and_audited_and_each_connection_tried_once(left: Left, studio: Studio) -> None:
    (connection,) = studio.look("connections")["connections"]
    tasks = left(schedules.daily)
    daily = {("pull", studio.calendar), ("audit", studio.calendar), ("discover", connection["id"])}
    assert _without_names(tasks) == daily
    again = left(schedules.daily)
    assert again == tasks or not again & tasks  # the day may have ended in between


@pytest.mark.parametrize(("status", "tried"), [("active", True), ("needs_reconnect", True), ("disconnected", False)])
def test_a_connection_is_tried_until_an_operator_has_ended_it(
    left: Left, studio: Studio, store: Store, status: str, *, tried: bool
) -> None:
    (connection,) = studio.look("connections")["connections"]
    store.client.document(f"accounts/{studio.account}/connections/{connection['id']}").update({"status": status})
    assert (("discover", connection["id"]) in _without_names(left(schedules.daily))) is tried


Asked = tuple[str, str]  # the kind of a task and its subject


def _calendar(studio: Studio, **fields: Any) -> None:
    studio.store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}").update(fields)


def _poll(studio: Studio) -> Asked:
    _calendar(studio, next_poll_at=1)  # also when nothing has run for years (case 29)
    return "pull", studio.calendar


def _renewal(studio: Studio) -> Asked:
    _calendar(studio, renew_at=1)
    return "watch", studio.calendar


def _another_address(studio: Studio) -> Asked:
    _calendar(studio, **{"channel.address": "https://elsewhere.example/notifications"})
    return "watch", studio.calendar


def _owed(studio: Studio) -> Asked:
    record = OutboxRecord(id="owed", kind="push", subject="nothing", created_at=1, due_at=1)
    studio.store.client.document(f"accounts/{studio.account}/outbox/owed").set(encode(record))
    return "push", "nothing"


def _waiting(studio: Studio) -> Asked:
    queue = Queue(id="consult", look_at=1)
    studio.store.client.document(f"accounts/{studio.account}/queues/consult").set(encode(queue))
    return "promote", "consult"


@pytest.mark.parametrize(
    ("schedule", "make_due", "put_off"),
    [
        pytest.param(schedules.minute, _poll, True, id="a poll"),
        pytest.param(schedules.minute, _owed, True, id="an effect"),
        pytest.param(schedules.minute, _waiting, False, id="a queue"),
        pytest.param(schedules.quarter, _renewal, True, id="a renewal"),
        pytest.param(schedules.quarter, _another_address, False, id="another address"),
    ],
)
def test_what_is_due_is_asked_for_once_however_often_the_schedule_runs(
    left: Left,
    studio: Studio,
    schedule: Callable[[Application], None],
    make_due: Callable[[Studio], Asked],
    put_off: bool,
) -> None:
    def twice() -> tuple[set[str], set[str]] | None:
        asked, minute = make_due(studio), now_millis() // 60_000
        first, again = ({name for *what, name in left(schedule) if (*what,) == asked} for _ in range(2))
        # Where the platform's own schedule came first, or the minute ended, it tells nothing.
        return (first, again) if first and now_millis() // 60_000 == minute else None

    first, again = until(twice)
    assert len(first) == 1
    assert again == (set() if put_off else first)  # a task of that name is there already


@pytest.mark.parametrize(
    ("schedule", "field"),
    [(schedules.minute, "next_poll_at"), (schedules.quarter, "renew_at")],
    ids=["poll", "renewal"],
)
@pytest.mark.parametrize("moment", [10**13, None], ids=["not yet", "never"])
def test_what_is_not_due_is_not_asked_for(
    left: Left, studio: Studio, schedule: Callable[[Application], None], field: str, moment: int | None
) -> None:
    _calendar(studio, **{field: moment})
    assert {"pull", "watch"}.isdisjoint(kind for kind, _, _ in left(schedule))


def test_whatever_is_due_is_asked_for_however_much_that_is(
    left: Left, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(across_accounts, "SWEEP_PAGE", 2)
    calendars = studio.store.client.collection(f"accounts/{studio.account}/calendars")
    one = calendars.document(studio.calendar).get().to_dict()
    unused = {**one, "resources": [], "destination_for": [], "channel": None}
    names = {f"{number}-of-many" for number in range(5)}

    def all_are_asked_for() -> bool:
        for name in names:
            calendars.document(name).set({**unused, "id": name, "next_poll_at": 1})
        return names <= {subject for kind, subject, _ in left(schedules.minute) if kind == "pull"}

    until(all_are_asked_for)
    assert all(calendars.document(name).get().get("next_poll_at") > now_millis() for name in names)


def test_a_run_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter(range(0, 10**6, schedules.SWEEP_MS // 2))  # each look at the clock takes half of it
    monkeypatch.setattr(schedules, "now_millis", lambda: next(looks))
    assert list(schedules._until_time_is_up("abc", schedules.SWEEP_MS)) == ["a"]
