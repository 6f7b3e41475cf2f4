"""What the schedules leave behind: a task for whatever is due, the same task however often they run."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.adapters.composition import Application
from functions.adapters.store.store import Store
from functions.sync import schedules
from infra.local.platform import Platform
from tests.in_process import application_of
from tests.studio import Studio

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


@pytest.mark.parametrize(
    ("schedule", "field", "kind"),
    [
        pytest.param(schedules.minute, "next_poll_at", "pull", id="a poll"),
        pytest.param(schedules.quarter, "renew_at", "watch", id="a renewal"),
    ],
)
def test_what_is_due_is_asked_for_and_what_is_not_is_not(
    left: Left, studio: Studio, store: Store, schedule: Callable[[Application], None], field: str, kind: str
) -> None:
    asked = (kind, studio.calendar)
    calendar = store.client.document(f"accounts/{studio.account}/calendars/{studio.calendar}")
    calendar.update({field: 10**13})
    assert asked not in _without_names(left(schedule))
    calendar.update({field: 1})  # also when nothing has run for years (case 29)
    assert asked in _without_names(left(schedule))
    calendar.update({field: None})
    assert asked not in _without_names(left(schedule))
