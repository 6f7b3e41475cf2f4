"""From a commit's effects to tasks, right after the commit; what fails here, the sweep does later (law 3)."""

import logging
from typing import TYPE_CHECKING

from functions.adapters.tasks import EnqueueFailed, Task, Tasks

if TYPE_CHECKING:
    from functions.adapters.store.records import OutboxRecord

log = logging.getLogger(__name__)

FARTHEST_TASK_MS = 29 * 24 * 3600 * 1000  # Cloud Tasks takes a task at most 30 days ahead


def task_of(account: str, record: "OutboxRecord") -> Task:
    """The task of a record. Each sweep has a name of its own, because a name can't be used again soon after its task ended."""
    return Task(
        kind=record.kind,
        name=f"{account}/{record.id}/{record.sweeps}",
        body={"account": account, "outbox": record.id, "subject": record.subject, "about": record.about or ""},
        not_before_ms=record.not_before,
    )


class Dispatcher:
    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def __call__(self, account: str, records: list["OutboxRecord"]) -> None:
        for record in records:
            if record.not_before is not None and record.not_before > record.created_at + FARTHEST_TASK_MS:
                continue  # the sweep makes a task of it when its time has come
            try:
                self._tasks.create(task_of(account, record))
            except EnqueueFailed as error:
                # The state is committed and the answer is owed. The record stays in the outbox.
                log.warning("left to the sweep: %s %s (%s)", record.kind, record.id, error)
